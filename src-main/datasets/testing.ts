import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { applicationRoot } from '../base/workers.ts';

/** Data beside the project, which is not part of it; tests that want it skip where it is absent. */
export const sharedFolder = join(applicationRoot(), '..', 'shared');

const corpusManifest = join(sharedFolder, 'corpus', 'manifest.csv');

/** The manifest of the corpus beside the project and its rows; null where it is absent. */
export function sharedCorpus(): {
  manifest: string;
  rows: Record<'path' | 'label' | 'split' | 'source', string>[];
} | null {
  if (!existsSync(corpusManifest)) return null;
  return { manifest: corpusManifest, rows: parse(readFileSync(corpusManifest), { columns: true }) };
}

/** A mono 16-bit PCM WAV file with a quiet 200 Hz tone. */
export function toneWav(seconds: number, sampleRateHz = 16000): Buffer {
  const count = Math.round(seconds * sampleRateHz);
  const bytes = Buffer.alloc(44 + 2 * count);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(36 + 2 * count, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(sampleRateHz, 24);
  bytes.writeUInt32LE(2 * sampleRateHz, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(2 * count, 40);
  for (let index = 0; index < count; index++) {
    bytes.writeInt16LE(Math.round(1000 * Math.sin((2 * Math.PI * 200 * index) / sampleRateHz)), 44 + 2 * index);
  }
  return bytes;
}

/** Writes files (and their folders) below a folder; a tone of 0.1 s where no content is given. */
export function plant(root: string, files: readonly string[] | Record<string, string | Uint8Array>): void {
  const tone = toneWav(0.1);
  const contents = Array.isArray(files) ? files.map((name: string) => [name, tone] as const) : Object.entries(files);
  for (const [name, content] of contents as [string, string | Uint8Array][]) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
}

export const asvspoofProtocols = 'ASVspoof2019_LA_cm_protocols';

/** An ASVspoof 2019 LA tree: two training, two dev and three evaluation recordings, all of them there. */
export function plantAsvspoof(root: string, audio: Uint8Array = toneWav(0.1)): void {
  plant(root, {
    [`${asvspoofProtocols}/ASVspoof2019.LA.cm.train.trn.txt`]:
      'LA_0079 LA_T_1000001 - - bonafide\nLA_0080 LA_T_1000002 - A01 spoof\n',
    [`${asvspoofProtocols}/ASVspoof2019.LA.cm.dev.trl.txt`]:
      'LA_0069 LA_D_1000001 - - bonafide\r\nLA_0070 LA_D_1000002 - A06 spoof\r\n',
    [`${asvspoofProtocols}/ASVspoof2019.LA.cm.eval.trl.txt`]:
      'LA_0039 LA_E_2000003 - A11 spoof\nLA_0014 LA_E_2000001 - A17 spoof\nLA_0040 LA_E_2000002 - - bonafide\n',
  });
  const names = {
    train: ['LA_T_1000001', 'LA_T_1000002'],
    dev: ['LA_D_1000001', 'LA_D_1000002'],
    eval: ['LA_E_2000001', 'LA_E_2000002', 'LA_E_2000003'],
  };
  for (const [part, files] of Object.entries(names)) {
    plant(root, Object.fromEntries(files.map((file) => [`ASVspoof2019_LA_${part}/flac/${file}.flac`, audio])));
  }
}
