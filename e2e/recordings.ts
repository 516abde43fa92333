/** Recordings for the specs, made when they run: real ones where `../shared` has them, else what a machine can say or babble. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parse } from 'csv-parse/sync';
import { decode } from '../src-main/audio/decode.ts';
import { babble, wav16 } from '../src-main/detector/testing.ts';
import { root } from './hosts.ts';

const shared = (name: string): string | null => {
  const folder = resolve(root, '..', 'shared', name);
  return existsSync(folder) ? folder : null;
};

/** Labelled clips of one split, the same number of each class; null where there are none. */
export function labelledClips(split: 'dev' | 'test', ofEach: number): { bonafide: string[]; spoof: string[] } | null {
  const corpus = shared('corpus');
  if (corpus === null) return null;
  const rows = parse<Record<'path' | 'label' | 'split', string>>(readFileSync(join(corpus, 'manifest.csv')), {
    columns: true,
  });
  const of = (label: string): string[] => {
    const all = rows.filter((row) => row.split === split && row.label === label);
    return Array.from({ length: ofEach }, (_, i) => join(corpus, all[Math.floor((i * all.length) / ofEach)].path));
  };
  return { bonafide: of('bonafide'), spoof: of('spoof') };
}

function joined(parts: readonly Float32Array[], pause = 4000): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length + pause, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length + pause;
  }
  return whole;
}

/** About 25 s: people who speak and, in between, a machine that does. */
export async function conversation(): Promise<Buffer> {
  const clips = labelledClips('test', 7);
  if (clips === null) return wav16(joined([1, 2, 3, 4].map((seed) => babble(6, seed))));
  const order = [...clips.bonafide.slice(0, 3), ...clips.spoof.slice(1, 4), ...clips.bonafide.slice(4, 7)];
  const parts: Float32Array[] = [];
  for (const path of order) parts.push((await decode(path)).samples);
  return wav16(joined(parts));
}

function speak(path: string, text: string): void {
  const { status } = spawnSync('espeak-ng', ['-w', path, text], { stdio: 'ignore' });
  if (status !== 0) writeFileSync(path, wav16(babble(6, text.length)));
}

export const longName = 'Anruf 3 – Rückfrage „morgen“ – مكالمة هاتفية 電話録音 ☎.wav';
/** Of `writeEvidence`: what is examined, one that is too short, one that no recording is. */
export const names = { conversation: 'conversation.wav', short: 'too short.wav', none: 'notes.txt' } as const;

/** A folder as an examiner gets it: several formats, names of several scripts, and what is no recording. Returns how many are. */
export async function writeEvidence(folder: string): Promise<number> {
  mkdirSync(join(folder, 'phone'), { recursive: true });
  writeFileSync(join(folder, names.conversation), await conversation());
  writeFileSync(join(folder, names.short), wav16(babble(0.3, 9)));
  speak(join(folder, 'phone', longName), 'The transfer was made on Monday, and I have told nobody about it so far.');
  const formats = shared('formats');
  const files = formats === null ? [] : readdirSync(formats).filter((name) => /\.(mp3|ogg|aac|flac)$/.test(name));
  if (formats !== null) for (const name of files) copyFileSync(join(formats, name), join(folder, 'phone', name));
  for (let i = files.length; i < 5; i++)
    writeFileSync(join(folder, 'phone', `voice ${i}.wav`), wav16(babble(3, 20 + i)));
  writeFileSync(join(folder, names.none), 'Received on a USB stick.\n');
  return 3 + Math.max(5, files.length);
}

/** Files that take a scan a while: cut from one long stretch, each of them different. */
export function writeMany(folder: string, count: number, seconds: number): void {
  mkdirSync(folder, { recursive: true });
  const whole = babble(60, 3);
  const length = Math.round(16_000 * seconds);
  for (let i = 0; i < count; i++) {
    const from = Math.floor((i * (whole.length - length)) / count);
    writeFileSync(
      join(folder, `part ${String(i + 1).padStart(4, '0')}.wav`),
      wav16(whole.subarray(from, from + length)),
    );
  }
}

/** A dataset in split and class folders that a model can learn within one epoch: its spoofs hiss. */
export function writeDataset(folder: string): void {
  // Of the last as many as there are intervals of.
  const counts = { train: 12, dev: 8, test: 10 };
  for (const [at, [split, count]] of Object.entries(counts).entries()) {
    for (const [label, noise] of [
      ['bonafide', 0.005],
      ['spoof', 0.08],
    ] as const) {
      mkdirSync(join(folder, split, label), { recursive: true });
      for (let i = 0; i < count; i++) {
        const seed = 1000 * at + 2 * i + (label === 'spoof' ? 1 : 0);
        writeFileSync(join(folder, split, label, `${label}-${seed}.wav`), wav16(babble(2.2, seed, { noise })));
      }
    }
  }
}

/** Labelled recordings to evaluate on, of several generators, with what a model that is any good finds hard. */
export function writeTestSet(folder: string, ofEach: number): void {
  const clips = labelledClips('test', ofEach);
  for (const label of ['bonafide', 'spoof'] as const) {
    for (let i = 0; i < ofEach; i++) {
      const path = clips?.[label][i];
      const maker = path === undefined ? `system ${i % 4}` : basename(path).replace(/-[0-9a-f]+\.\w+$/, '');
      const place = join(folder, 'test', label, ...(label === 'spoof' ? [maker] : []));
      mkdirSync(place, { recursive: true });
      if (path !== undefined) copyFileSync(path, join(place, basename(path)));
      else {
        const noise = (label === 'spoof' ? 0.03 : 0.01) + 0.01 * (i % 5);
        writeFileSync(join(place, `${label} ${i}.wav`), wav16(babble(3, 500 + 2 * i, { noise })));
      }
    }
  }
}
