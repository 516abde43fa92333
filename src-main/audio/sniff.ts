import { stat } from 'node:fs/promises';
import { openUntouched, unreadable } from './input.ts';

/** How much of a file's beginning tells what it is. */
export const headBytes = 4096;

type Kind = 'wav' | 'flac' | 'other' | 'none';

/**
 * What a file is by its content, whatever its name says: `wav` (RIFF/WAVE, RIFX, RF64), `flac`, `other` (sound or video that ffmpeg may
 * decode, and anything binary that is not known: a damaged recording must not be passed over), `none` (certainly no
 * recording: text, pictures, documents, archives, programs, an empty file, and whatever is no regular file).
 * Reads the first 4 KiB and never waits on a pipe or a device.
 * @throws UserFacingError `missing` or `unreadable`.
 */
export async function sniff(path: string): Promise<Kind> {
  try {
    const status = await stat(path);
    if (!status.isFile() || status.size === 0) return 'none';
    const handle = await openUntouched(path);
    try {
      if (!(await handle.stat()).isFile()) return 'none';
      const head = new Uint8Array(headBytes);
      const { bytesRead } = await handle.read(head, 0, headBytes, 0);
      return sniffBytes(head.subarray(0, bytesRead));
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

// Beginnings of what is certainly no recording, as Latin-1 text.
const foreignBeginnings = [
  // Pictures and documents.
  '\x89PNG\r\n',
  '\xff\xd8\xff',
  'GIF87a',
  'GIF89a',
  'II*\0',
  'MM\0*',
  '8BPS',
  '\0\0\x01\0',
  '%PDF-',
  '%!PS',
  '{\\rtf',
  '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1',
  // Archives.
  'PK\x03\x04',
  'PK\x05\x06',
  '\x1f\x8b\x08',
  'BZh',
  '\xfd7zXZ\0',
  '7z\xbc\xaf\x27\x1c',
  'Rar!\x1a\x07',
  '\x28\xb5\x2f\xfd',
  'MSCF',
  // Programs, fonts, data.
  '\x7fELF',
  'MZ',
  '\xcf\xfa\xed\xfe',
  '\xca\xfe\xba\xbe',
  '\0asm',
  'wOFF',
  'wOF2',
  'OTTO',
  'true\0',
  '\0\x01\0\0\0',
  'SQLite format 3\0',
  '\x93NUMPY',
  '\x89HDF\r\n',
  '\0\0\0\x01Bud1',
  '\0\x05\x16\x07',
  // Playlists and the like, with which ffmpeg would open other files.
  '#EXTM3U',
  'ffconcat',
  '<?xml',
  '<MPD',
];
const pictureBrands = ['heic', 'heix', 'heif', 'mif1', 'msf1', 'avif', 'avis', 'crx '];

/** The same of a file's first bytes, 4 KiB or the whole of a shorter one. */
export function sniffBytes(head: Uint8Array): Kind {
  if (head.length === 0) return 'none';
  const start = String.fromCharCode(...head.subarray(0, 16));
  const form = start.slice(8, 12);
  // RF64 and BW64: the same with lengths of 64 bits.
  if (/^(RF|BW)64/.test(start) && form === 'WAVE') return 'wav';
  if (start.startsWith('RIFX') && form === 'WAVE') return 'wav';
  if (start.startsWith('RIFF')) return form === 'WAVE' ? 'wav' : form === 'WEBP' ? 'none' : 'other';
  if (start.startsWith('fLaC')) return 'flac';
  // A header of text before sound.
  if (start.startsWith('NIST_1A') || start.startsWith('#!AMR') || start.startsWith('#!iLBC')) return 'other';
  if (foreignBeginnings.some((beginning) => start.startsWith(beginning))) return 'none';
  if (start.slice(4, 8) === 'ftyp') return pictureBrands.includes(form) ? 'none' : 'other';
  if (start.startsWith('BM') && head.length > 26 && [12, 40, 108, 124].includes(head[14])) return 'none';
  if (String.fromCharCode(...head.subarray(257, 262)) === 'ustar') return 'none';
  return isText(head) ? 'none' : 'other';
}

function isText(head: Uint8Array): boolean {
  // UTF-16 with its mark: every other byte of nearly any text is zero or repeats.
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)) {
    try {
      const text = new TextDecoder(head[0] === 0xff ? 'utf-16le' : 'utf-16be', { fatal: true }).decode(
        head.subarray(0, head.length & ~1),
      );
      return isPrintable(text) && (text.match(/[\s\x21-\x7e]/g)?.length ?? 0) > text.length / 10;
    } catch {
      return false;
    }
  }
  // A character may be cut at the end of what was read.
  for (let cut = 0; cut < 4 && cut < head.length; cut++) {
    try {
      return isPrintable(new TextDecoder('utf-8', { fatal: true }).decode(head.subarray(0, head.length - cut)));
    } catch {
      if (head.length < headBytes) break;
    }
  }
  // Text of an older encoding, with accents.
  let high = 0;
  for (const byte of head) {
    if (byte < 0x20 ? !(byte >= 9 && byte <= 13) && byte !== 0x1b : byte === 0x7f) return false;
    if (byte >= 0x80) high++;
  }
  return high < head.length / 4;
}

function isPrintable(text: string): boolean {
  // eslint-disable-next-line no-control-regex
  return !/[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]/.test(text);
}
