import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findFfmpeg } from '../audio/ffmpeg.ts';
import { runFfmpeg, temporaryFolder, wav16 } from '../audio/testing.ts';
import { Random } from '../base/random.ts';
import { codingAnswer, offsetChanges } from './answers.ts';
import { CodingMeter, leastScore } from './coding.ts';
import type { Coding } from './coding.ts';
import { cutOut, inBlocks, noise, sum, voice } from './testing.ts';

const rateHz = 16_000;
const ffmpeg = await findFfmpeg().catch(() => null);
const folder = temporaryFolder();

function speech(seed: number, seconds: number): Float32Array {
  const random = new Random(seed);
  return sum(voice(random, rateHz, seconds, 0.05), noise(random, rateHz * seconds, 0.002, true));
}

/** Through a coder and back, in 16 bits. */
function coded(samples: Float32Array, ending: string, ...coder: string[]): Float32Array {
  const [from, to] = ['in.wav', `coded.${ending}`].map((name) => join(folder, name));
  writeFileSync(from, wav16(samples, rateHz));
  runFfmpeg(ffmpeg?.path ?? '', '-i', from, ...coder, to);
  const bytes = runFfmpeg(ffmpeg?.path ?? '', '-i', to, '-ar', String(rateHz), '-f', 's16le', '-');
  return Float32Array.from(new Int16Array(new Uint8Array(bytes).buffer), (x) => x / 32_768);
}

function codingOf(samples: Float32Array): Coding {
  const meter = new CodingMeter(rateHz);
  for (const block of inBlocks(samples)) meter.push(block);
  return meter.finish();
}

it('finds nothing in sound that was never coded, and says that too little cannot be assessed', () => {
  const found = codingOf(speech(81, 20));
  expect(found.runs).toEqual([]);
  expect(Math.max(...found.strength.values.map((value) => value ?? 0))).toBeLessThan(leastScore);
  expect(codingAnswer(found, 20, 'pcm_s16le').sentence).toBe('No frames of MP3 or AAC coding were found.');
  for (const samples of [new Float32Array(20 * rateHz), speech(82, 1).subarray(0, 3000)]) {
    const none = codingOf(samples);
    expect(codingAnswer(none, samples.length / rateHz, 'pcm_s16le').sentence).toMatch(/^Not assessed/);
  }
});

describe.skipIf(ffmpeg === null)('frames of coders', () => {
  it('are found where they begin, whatever was cut off before', () => {
    const mp3 = coded(speech(83, 12), 'mp3', '-b:a', '64k');
    const [first] = codingOf(mp3).runs;
    const [later] = codingOf(mp3.subarray(1000)).runs;
    expect([first.family, later.family]).toEqual(['mp3', 'mp3']);
    expect((first.offset + 576 - (1000 % 576)) % 576).toBe(later.offset);
    expect(first.vanished).toBeGreaterThan(first.vanishedElsewhere);
    const aac = codingOf(coded(speech(84, 12), 'm4a', '-c:a', 'aac', '-b:a', '48k').subarray(100)).runs;
    expect(aac).toMatchObject([{ family: 'aac', frameSamples: 1024, offset: 924 }]);
  });

  it('of Vorbis are not taken for those of AAC', () => {
    const { runs } = codingOf(coded(speech(85, 10), 'ogg', '-c:a', 'libvorbis', '-b:a', '40k'));
    expect(runs.map(({ family }) => family)).not.toContain('aac');
    expect(runs.map(({ family }) => family)).not.toContain('mp3');
  });

  it('show where samples were taken out, also after another coding', () => {
    const mp3 = coded(speech(86, 30), 'mp3', '-b:a', '48k');
    const cut = cutOut(mp3, 13 * rateHz, 16 * rateHz + 55);
    const places = offsetChanges(codingOf(cut).runs);
    expect(places).toHaveLength(1);
    expect((places[0].startSeconds + places[0].endSeconds) / 2).toBeCloseTo(13, 0);
    const again = codingOf(coded(cut, 'm4a', '-c:a', 'aac', '-b:a', '96k'));
    expect(new Set(again.runs.map(({ family }) => family))).toEqual(new Set(['mp3', 'aac']));
    const { sentence } = codingAnswer(again, 27, 'aac');
    expect(sentence).toContain('The file is AAC itself: one of them is its own.');
    expect(sentence).toContain('coded more than once');
    expect(sentence).toMatch(/The offset changes at 0:1[23]\.\d/);
  });
});

describe('places', () => {
  const run = { family: 'mp3', window: '', frameSamples: 576, offset: 47, score: 30, vanished: 0.3, vanishedElsewhere: 0.1 } as const; // prettier-ignore
  const coding = {
    strength: { timesSeconds: [5, 15, 25], values: [30, 30, 30] },
    bandEdgeHz: 7000,
    assessedSeconds: 30,
  };

  it('are changes of the offset, and where clear frames begin or end alone', () => {
    const changed = codingAnswer(
      {
        ...coding,
        runs: [
          { ...run, startSeconds: 0, endSeconds: 12 },
          { ...run, offset: 99, startSeconds: 12.5, endSeconds: 30 },
        ],
      },
      30,
      'flac',
    );
    expect(changed.places).toMatchObject([{ startSeconds: 12, endSeconds: 12.5 }]);
    const own = { ...run, startSeconds: 0, endSeconds: 30 };
    const inserted = { ...run, family: 'aac' as const, frameSamples: 1024, startSeconds: 11, endSeconds: 18 };
    const alone = codingAnswer({ ...coding, runs: [own, inserted] }, 30, 'mp3');
    expect(alone.places.map(({ startSeconds }) => startSeconds)).toEqual([11, 18]);
    expect(alone.sentence).toContain('No change of the offset was found.');
    const unclear = codingAnswer({ ...coding, runs: [own, { ...inserted, score: 8 }] }, 30, 'mp3');
    expect(unclear.places).toEqual([]);
  });
});
