import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decode } from '../audio/decode.ts';
import { Resampler } from '../audio/resample.ts';
import { applicationRoot } from '../base/workers.ts';
import { Detector } from './detector.ts';
import { defaultModelFolder, isModelFolder, readModel } from './store.ts';
import type { StoredModel } from './store.ts';
import { babble, wav16, writeTinyModel } from './testing.ts';
import { SpeechDetector } from './speech.ts';
import { conditionRecording, speechSeconds, speechShare } from './windows.ts';

let folder: string;
let tiny: StoredModel;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-windows-'));
  tiny = await writeTinyModel(join(folder, 'model'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function lookingForSpeech(model: StoredModel, minimumSpeechSeconds = 0.5): StoredModel {
  const { card } = model;
  return {
    ...model,
    card: {
      ...card,
      conditioning: { ...card.conditioning, speech: 'silero-vad-v5' },
      thresholds: { ...card.thresholds, minimumSpeechSeconds },
    },
  };
}

/** Samples as the bytes of a float WAV file, which has headroom. */
function wavFloat(samples: Float32Array, rateHz: number): Uint8Array {
  const bytes = Buffer.alloc(44 + 4 * samples.length);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(3, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(rateHz, 24);
  bytes.writeUInt32LE(4 * rateHz, 28);
  bytes.writeUInt16LE(4, 32);
  bytes.writeUInt16LE(32, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(4 * samples.length, 40);
  samples.forEach((sample, index) => bytes.writeFloatLE(sample, 44 + 4 * index));
  return bytes;
}

function joined(...parts: Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

describe('speech', () => {
  it('is counted in frames, and as a share of those that a span touches', () => {
    const probabilities = Float32Array.of(0.9, 0.1, 0.5, 0.49);
    expect(speechSeconds(probabilities)).toBeCloseTo(2 * 0.032, 9);
    expect(speechShare(probabilities, 0, 1024)).toBe(0.5);
    expect(speechShare(probabilities, 1000, 500)).toBe(0.5);
    expect(speechShare(probabilities, 1024, 5000)).toBe(0.5);
  });
});

describe('a recording with little speech', () => {
  it('is scored as a whole and not assessable', async () => {
    const path = join(folder, 'hum.wav');
    // A hum with a beat: sound, but no voice.
    const hum = Float32Array.from(
      { length: 48_000 },
      (_, i) => 0.2 * Math.sin((2 * Math.PI * 300 * i) / 16_000) * (1.2 + Math.sin((2 * Math.PI * 3 * i) / 16_000)),
    );
    writeFileSync(path, wav16(hum));
    const [plain, listening] = [await Detector.create(tiny, 1), await Detector.create(lookingForSpeech(tiny), 1)];
    const whole = await plain.analyse(path);
    const judged = await listening.analyse(path);
    await Promise.all([plain.dispose(), listening.dispose()]);
    expect(judged.quality.speechSeconds).toBeLessThan(0.5);
    expect(judged.score).toBe(whole.score);
    expect(judged.windows).toEqual(whole.windows);
    expect(judged.finding).toBe('not assessable');
    expect(judged.reasons.map(({ code }) => code)).toContain('little-speech');
    expect(whole.quality.speechSeconds).toBeNull();
  });
});

describe('a long recording', () => {
  it('has the same windows streamed as kept in memory', async () => {
    const path = join(folder, 'long.wav');
    // Longer than a stretch of speech detection, with pauses of sound and of speech.
    const pause = new Float32Array(50_000);
    writeFileSync(path, wav16(joined(pause, babble(12, 7), pause, babble(20, 8), babble(9, 9), pause)));
    const speech = await SpeechDetector.create(1);
    for (const minimumSpeechSeconds of [0, 1e6]) {
      const found = [];
      for (const keptSeconds of [600, 5]) {
        const { conditioning, window } = tiny.card;
        const recording = await conditionRecording(path, {
          conditioning,
          window,
          speech,
          minimumSpeechSeconds,
          keptSeconds,
        });
        let windows: [number, string][] = [];
        let restarts = 0;
        const probabilities = await recording.walk(
          (samples, { start }) => void windows.push([start, createHash('sha256').update(samples).digest('hex')]),
          () => {
            windows = [];
            restarts++;
          },
        );
        found.push({ windows, restarts, probabilities: probabilities?.slice() });
      }
      expect(found[0].windows.length).toBeGreaterThan(20);
      expect(found[1]).toEqual(found[0]);
      expect(found[0].restarts).toBe(minimumSpeechSeconds === 0 ? 0 : 1);
    }
    await speech.dispose();
  });

  it('takes no more memory the longer it is', { timeout: 600_000 }, () => {
    const script = join(folder, 'measure.mjs');
    const source = (path: string): string => JSON.stringify(pathToFileURL(join(applicationRoot(), path)).href);
    writeFileSync(
      script,
      `import { readFileSync } from 'node:fs';
      import { Detector } from ${source('src-main/detector/detector.ts')};
      import { readModel } from ${source('src-main/detector/store.ts')};
      const detector = await Detector.create(await readModel(process.argv[2]), 1);
      const { durationSeconds } = await detector.analyse(process.argv[3]);
      // On Linux resourceUsage() counts what the process that started this one held at that moment.
      const own = process.platform === 'linux' ? readFileSync('/proc/self/status', 'utf8').match(/VmHWM:\\s+(\\d+)/)?.[1] : undefined;
      console.log(JSON.stringify({ durationSeconds, peakMegabytes: Number(own ?? process.resourceUsage().maxRSS) / 1024 }));`,
    );
    const minute = wav16(babble(60, 3)).subarray(44);
    const measured = (minutes: number): number => {
      const path = join(folder, `${minutes}.wav`);
      const header = wav16(new Float32Array(0));
      header.writeUInt32LE(0xffffffff, 40);
      writeFileSync(path, Buffer.concat([header, ...Array.from({ length: minutes }, () => minute)]));
      // Collected in the same thread: beside it, on a busy machine, memory that is free long since is given back late.
      const args = ['--single-threaded-gc', script, tiny.folder, path];
      const out = execFileSync(process.execPath, args, { encoding: 'utf8' });
      rmSync(path);
      const found = JSON.parse(out) as { durationSeconds: number; peakMegabytes: number };
      expect(found.durationSeconds).toBeCloseTo(60 * minutes, 3);
      return found.peakMegabytes;
    };
    const short = measured(10);
    // Fifty minutes of samples more take 190 MB; how far a heap grows before it is swept is up to the moment.
    const enough = (peak: number): boolean => peak < 500 && peak - short < 85;
    const peaks: number[] = [];
    while (peaks.length < 3 && !peaks.some(enough)) peaks.push(measured(60));
    expect(peaks.some(enough), `${short} MB, then ${peaks.join(', ')} MB`).toBe(true);
  });
});

const corpus = join(applicationRoot(), '..', 'shared', 'corpus', 'test');
const absent = !existsSync(corpus);

describe.skipIf(absent)(absent ? 'conditioning (skipped: ../shared/corpus is absent)' : 'conditioning', () => {
  const recordings = ['bonafide', 'spoof'].flatMap((label) => {
    const names = absent ? [] : readdirSync(join(corpus, label)).sort();
    return Array.from({ length: 10 }, (_, i) => join(corpus, label, names[Math.floor((i * names.length) / 10)]));
  });
  const scaled = (gain: number) => (samples: Float32Array) => samples.map((sample) => gain * sample);
  const withTone = (frequencyHz: number, rateHz: number) => (samples: Float32Array) => {
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    const amplitude = Math.sqrt(2 * power);
    return samples.map((sample, i) => sample + amplitude * Math.sin((2 * Math.PI * frequencyHz * i) / rateHz));
  };
  const withSilence = (rateHz: number) => (samples: Float32Array) =>
    joined(new Float32Array(2 * rateHz), samples, new Float32Array(2 * rateHz));
  const changes: [string, number, (samples: Float32Array) => Float32Array][] = [
    ['12 dB louder', 16_000, scaled(10 ** 0.6)],
    ['12 dB softer', 16_000, scaled(10 ** -0.6)],
    ['two seconds of silence before and after', 16_000, withSilence(16_000)],
    ['the same at 44.1 kHz', 44_100, withSilence(44_100)],
    ['a tone of 7.8 kHz', 16_000, withTone(7800, 16_000)],
    ['a tone of 15 kHz at 44.1 kHz', 44_100, withTone(15_000, 44_100)],
  ];
  const scores = new Map<string, number[]>();

  beforeAll(async () => {
    // Where the model that ships is not built yet, the same conditioning before a network that was never trained.
    const model = (await isModelFolder(defaultModelFolder()))
      ? await readModel(defaultModelFolder())
      : lookingForSpeech(tiny);
    const detector = await Detector.create(model, 2);
    const score = async (what: string, samples: Float32Array, rateHz: number): Promise<void> => {
      const { score } = await detector.analyse({ path: 'changed.wav', bytes: wavFloat(samples, rateHz) });
      scores.set(what, [...(scores.get(what) ?? []), score ?? NaN]);
    };
    for (const path of recordings) {
      const { samples } = await decode(path);
      const resampler = new Resampler(16_000, 44_100);
      const at44 = joined(resampler.process(samples), resampler.flush());
      await score('16000', samples, 16_000);
      await score('44100', at44, 44_100);
      for (const [what, rateHz, change] of changes)
        await score(what, change(rateHz === 16_000 ? samples : at44), rateHz);
    }
    await detector.dispose();
  });

  it.each(changes)('%s moves no score of twenty recordings', (what, rateHz) => {
    const plain = scores.get(String(rateHz)) ?? [];
    const changed = scores.get(what) ?? [];
    expect(plain.length).toBe(20);
    const mean = plain.reduce((sum, score) => sum + score, 0) / plain.length;
    const deviation = Math.sqrt(plain.reduce((sum, score) => sum + (score - mean) ** 2, 0) / (plain.length - 1));
    changed.forEach((score, index) => expect(Math.abs(score - plain[index])).toBeLessThan(0.05 * deviation));
  });
});
