// Takes single files out of a zip archive (a Python wheel is one): no `unzip` is needed, and a wheel of which two
// libraries are wanted is not unpacked whole. Format: PKWARE APPNOTE 6.3.
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, open, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw } from 'node:zlib';
import { SetupError } from './messages.mjs';

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
const localSignature = 0x04034b50;
// The end record and the longest comment after it.
const longestEnd = 22 + 0xffff;

async function readAt(handle, position, length) {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/**
 * The archive's directory.
 * @param {import('node:fs/promises').FileHandle} handle
 * @param {string} path for messages
 */
async function readDirectory(handle, path) {
  const broken = (what) => new SetupError(`${path} is no zip archive that can be read: ${what}.`);
  const { size } = await handle.stat();
  const tailStart = Math.max(0, size - longestEnd);
  const tail = await readAt(handle, tailStart, size - tailStart);
  let end = tail.length - 22;
  while (end >= 0 && tail.readUInt32LE(end) !== endSignature) end -= 1;
  if (end < 0) throw broken('it has no directory, so it is cut short or something else');
  const count = tail.readUInt16LE(end + 10);
  const directorySize = tail.readUInt32LE(end + 12);
  const directoryStart = tail.readUInt32LE(end + 16);
  if (count === 0xffff || directoryStart === 0xffffffff) throw broken('it is in the form for more than 4 GB');
  if (directoryStart + directorySize > size) throw broken('its directory lies outside of it');
  const directory = await readAt(handle, directoryStart, directorySize);
  const entries = [];
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === entrySignature;) {
    const nameLength = directory.readUInt16LE(at + 28);
    entries.push({
      name: directory.toString('utf8', at + 46, at + 46 + nameLength),
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      compressedSize: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      mode: directory.readUInt32LE(at + 38) >>> 16,
      localStart: directory.readUInt32LE(at + 42),
    });
    at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  if (entries.length !== count) throw broken('its directory is damaged');
  return entries;
}

/**
 * Extracts the files that are wanted, each checked by its CRC.
 * @param {string} path the archive
 * @param {(name: string) => string | undefined} select where a file goes, relative to `folder`; undefined: not wanted
 * @param {string} folder
 * @param {(bytes: number) => void} [onBytes] called with how much of the wanted files' bytes has been written in all
 * @returns {Promise<string[]>} the names of the files taken
 */
export async function extractFromZip(path, select, folder, onBytes = () => {}) {
  const handle = await open(path);
  let written = 0;
  try {
    const taken = [];
    for (const entry of await readDirectory(handle, path)) {
      const target = entry.name.endsWith('/') ? undefined : select(entry.name);
      if (target === undefined) continue;
      if (target.split(/[\\/]/).includes('..'))
        throw new SetupError(`${path} holds a file outside of it: ${entry.name}`);
      const local = await readAt(handle, entry.localStart, 30);
      if (local.length < 30 || local.readUInt32LE(0) !== localSignature || ![0, 8].includes(entry.method)) {
        throw new SetupError(`${path} cannot be read at ${entry.name}.`);
      }
      const start = entry.localStart + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
      const output = join(folder, target);
      await mkdir(dirname(output), { recursive: true });
      let crc = 0;
      const checking = new Transform({
        transform(chunk, _encoding, done) {
          crc = crc32(chunk, crc);
          written += chunk.length;
          onBytes(written);
          done(null, chunk);
        },
      });
      if (entry.compressedSize > 0) {
        const stages = [
          createReadStream(path, { start, end: start + entry.compressedSize - 1, highWaterMark: 1 << 20 }),
        ];
        if (entry.method === 8) stages.push(createInflateRaw({ chunkSize: 1 << 20 }));
        await pipeline([...stages, checking, createWriteStream(output)]);
      } else {
        await writeFile(output, '');
      }
      if (crc !== entry.crc) throw new SetupError(`${path} is damaged: ${entry.name} fails its checksum.`);
      if (entry.mode & 0o111) await chmod(output, 0o755);
      taken.push(entry.name);
    }
    return taken;
  } finally {
    await handle.close();
  }
}
