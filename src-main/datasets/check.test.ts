import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFfmpeg } from '../audio/ffmpeg.ts';
import { Random } from '../base/random.ts';
import { checkDataset, type DatasetCheck } from './check.ts';
import { loadDataset } from './load.ts';
import { measureAll } from './measure-all.ts';
import { sharedFolder } from './testing.ts';

const ffmpeg = await findFfmpeg().catch(() => null);
let folder: string;

async function checked(spec: string): Promise<DatasetCheck> {
  const { items } = await loadDataset(spec);
  return checkDataset(items, await measureAll(items, { jobs: 2 }));
}

/** Gliding harmonics in noise, as a 16-bit WAV file at 16 kHz. */
function voice(seconds: number, seed: number, gain = 0.1): Buffer {
  const random = new Random(seed);
  const count = Math.round(16_000 * seconds);
  const bytes = Buffer.alloc(44 + 2 * count);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8);
  [16, 1 | (1 << 16), 16_000, 32_000, 2 | (16 << 16)].forEach((word, index) =>
    bytes.writeUInt32LE(word, 16 + 4 * index),
  );
  bytes.write('data', 36);
  bytes.writeUInt32LE(2 * count, 40);
  const pitchHz = random.between(90, 200);
  let phase = 0;
  let glide = 0;
  for (let i = 0; i < count; i++) {
    if (i % 1600 === 0) glide = random.between(-0.3, 0.3);
    phase += (2 * Math.PI * pitchHz * (1 + glide)) / 16_000;
    let sum = 0;
    for (let harmonic = 1; harmonic <= 15; harmonic++) sum += Math.sin(harmonic * phase) / harmonic;
    const sample = gain * (sum + 0.1 * (random.uniform() - 0.5));
    bytes.writeInt16LE(Math.round(32767 * Math.max(-1, Math.min(1, sample))), 44 + 2 * i);
  }
  return bytes;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-check-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function plant(name: string, clips: { path: string; line: string; bytes: Buffer }[]): string {
  const root = join(folder, name);
  mkdirSync(root, { recursive: true });
  for (const { path, bytes } of clips) writeFileSync(join(root, path), bytes);
  const manifest = join(root, 'manifest.csv');
  writeFileSync(manifest, ['path,label,split,speaker', ...clips.map(({ path, line }) => `${path},${line}`)].join('\n'));
  return `manifest:${manifest}`;
}

describe('checkDataset', () => {
  it('finds shortcuts, imbalance and shared speakers, and says them plainly', async () => {
    const clips = Array.from({ length: 60 }, (_, index) => {
      const bonafide = index % 4 === 0;
      return {
        path: `${index}.wav`,
        line: `${bonafide ? 'bonafide' : 'spoof'},train,s${index}`,
        bytes: voice(bonafide ? 2 + index / 60 : 1 + index / 120, index, 0.05),
      };
    });
    clips.push({ path: 'dev.wav', line: 'spoof,dev,s1', bytes: voice(1.5, 100) });
    const { warnings, shortcuts } = await checked(plant('shortcut', clips));
    expect(shortcuts[0]).toMatchObject({ split: 'train', property: 'duration', auc: 1, spoofsAre: 'shorter' });
    expect(warnings.join('\n')).toMatch(
      /The duration alone tells bona fide from spoof with an AUC of 1\.00 in train \(spoofs are shorter\)/,
    );
    expect(warnings.join('\n')).toMatch(/train is unbalanced: 15 bona fide, 45 spoof/);
    expect(warnings.join('\n')).toMatch(/1 speaker stands in more than one split: s1 \(train 1, dev 1\)/);
  });

  it('finds the same audio in two splits, byte for byte or at another level, and nothing else', async () => {
    const clips = Array.from({ length: 12 }, (_, index) => ({
      path: `${index}.wav`,
      line: `${index % 2 === 0 ? 'bonafide' : 'spoof'},train,`,
      bytes: voice(3, index),
    }));
    clips.push({ path: 'copy.wav', line: 'bonafide,test,', bytes: voice(3, 4) });
    clips.push({ path: 'quieter.wav', line: 'bonafide,test,', bytes: voice(3, 6, 0.04) });
    const { repeated, warnings } = await checked(plant('repeated', clips));
    expect(repeated.map(({ same, members }) => [same, ...members.map(({ id }) => id)])).toEqual([
      ['file', '4.wav', 'copy.wav'],
      ['audio', '6.wav', 'quieter.wav'],
    ]);
    expect(repeated.every(({ acrossSplits, acrossClasses }) => acrossSplits && !acrossClasses)).toBe(true);
    expect(warnings.join('\n')).toMatch(
      /The same audio stands in two splits 2 times: 4\.wav in train and copy\.wav in test; 6\.wav in train and quieter\.wav in test\./,
    );
  });

  it('says where one sound has two labels, and what is silent or cut short', async () => {
    const cut = voice(3, 20);
    const clips = [
      { path: 'a.wav', line: 'bonafide,train,', bytes: voice(3, 7) },
      { path: 'b.wav', line: 'spoof,train,', bytes: voice(3, 7, 0.02) },
      { path: 'silent.wav', line: 'spoof,train,', bytes: voice(1, 1, 0) },
      { path: 'cut.wav', line: 'bonafide,train,', bytes: cut.subarray(0, cut.length >> 1) },
      { path: 'none.wav', line: 'bonafide,train,', bytes: Buffer.from('no sound') },
    ];
    const check = await checked(plant('labels', clips));
    expect(check.warnings[0]).toBe(
      'The same audio is labelled bona fide and spoof once: a.wav as bonafide and b.wav as spoof. One of the labels is wrong.',
    );
    expect([check.silent, check.truncated]).toEqual([['silent.wav'], ['cut.wav']]);
    expect(check.shortcuts).toEqual([]);
  });

  const corpus = join(sharedFolder, 'corpus', 'test', 'bonafide');
  it.skipIf(!existsSync(corpus) || !ffmpeg)('finds real clips again that were coded anew, and no others', async () => {
    const root = join(folder, 'recoded');
    mkdirSync(join(root, 'bonafide', 'train'), { recursive: true });
    mkdirSync(join(root, 'bonafide', 'test'), { recursive: true });
    // Others of this source are the same words in other voices: those are reported apart too, as utterances.
    const names = readdirSync(corpus).sort().slice(0, 40);
    const coded = [
      ['mp3', '-b:a', '32k', '-ar', '22050'],
      ['opus', '-c:a', 'libopus', '-b:a', '16k'],
      ['m4a', '-c:a', 'aac', '-b:a', '32k'],
      ['wav', '-c:a', 'pcm_alaw', '-ar', '8000'],
      ['ogg', '-c:a', 'libvorbis', '-q:a', '0', '-af', 'volume=-12dB'],
      ['flac', '-af', 'atrim=start=0.4,volume=-1', '-ar', '44100'],
    ];
    names.forEach((name, index) => {
      copyFileSync(join(corpus, name), join(root, 'bonafide', 'train', `${index}.flac`));
      if (index >= coded.length) return;
      const [extension, ...options] = coded[index];
      const to = join(root, 'bonafide', 'test', `${index}.${extension}`);
      execFileSync(ffmpeg?.path ?? '', ['-v', 'error', '-i', join(corpus, name), ...options, to]);
    });
    const { repeated } = await checked(`folder:${root}`);
    const across = repeated.filter(({ acrossSplits, same }) => acrossSplits && same === 'audio');
    expect(across.map(({ members }) => members.map(({ id }) => /(\d+)\./.exec(id)?.[1])).sort()).toEqual(
      coded.map((_, index) => [String(index), String(index)]),
    );
  });
});
