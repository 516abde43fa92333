import { describe, expect, it } from 'vitest';
import { noNotes } from '../audio/types.ts';
import { Random } from '../base/random.ts';
import { signalToNoiseDb } from './quality.ts';
import { findingFor } from './finding.ts';
import type { FindingBasis } from './finding.ts';
import { tinyCard } from './testing.ts';

const frames = 400;
/** Powers of frames of 20 ms: a second of noise, then speech that varies by 20 dB in it, in turn. */
function recording(snrDb: number, options: { pauses: boolean }) {
  const random = new Random(5);
  const noise = 1e-4;
  const powers = new Float32Array(frames);
  const spoken = new Uint8Array(frames);
  let sum = 0;
  for (let i = 0; i < frames; i++) {
    spoken[i] = !options.pauses || i % 100 >= 50 ? 1 : 0;
    if (spoken[i]) sum += powers[i] = 10 ** random.between(-1, 1);
  }
  const scale = (noise * 10 ** (snrDb / 10) * spoken.reduce((count, one) => count + one, 0)) / sum;
  for (let i = 0; i < frames; i++) powers[i] = powers[i] * scale + noise * random.between(0.8, 1.2);
  const probabilities = Float32Array.from({ length: 250 }, (_, i) =>
    spoken[Math.floor((i + 0.5) * 1.6)] ? 0.95 : 0.02,
  );
  return { powers, spoken, probabilities };
}

describe('signalToNoiseDb', () => {
  it.each([0, 10, 30])('finds %i dB where speech pauses', (snrDb) => {
    const { powers, probabilities } = recording(snrDb, { pauses: true });
    const found = signalToNoiseDb(powers, 320, new Uint8Array(frames).fill(1), 0, probabilities);
    expect(Math.abs((found ?? NaN) - snrDb)).toBeLessThan(1.5);
  });

  it('says nothing without speech, of silence, or of steady sound', () => {
    const { powers } = recording(10, { pauses: true });
    const active = new Uint8Array(frames).fill(1);
    expect(signalToNoiseDb(powers, 320, active, 0, new Float32Array(250))).toBeNull();
    expect(signalToNoiseDb(new Float32Array(frames), 320, active, 0, null)).toBeNull();
    expect(signalToNoiseDb(new Float32Array(frames).fill(0.1), 320, active, 0, null)).toBeNull();
  });

  it('takes the quietest frames for noise where speech never pauses', () => {
    const { powers, probabilities } = recording(40, { pauses: false });
    const found = signalToNoiseDb(powers, 320, new Uint8Array(frames).fill(1), 0, probabilities) ?? NaN;
    // Speech's own lows, 10 dB and more below its mean.
    expect(found).toBeGreaterThan(8);
    expect(found).toBeLessThan(20);
  });
});

describe('findingFor', () => {
  const card = { ...tinyCard, files: { 'model.onnx': '', 'weights.safetensors': '' } };
  const good: FindingBasis = {
    score: 3,
    activeSeconds: 3,
    clippedFraction: 0,
    nonFiniteSamples: 0,
    notes: noNotes(),
    mixed: false,
    audioStreams: 1,
    stream: 0,
    sampleRateHz: 16_000,
    codec: 'pcm_s16le',
    windows: 3,
    quality: { speechSeconds: 2, snrDb: 30, effectiveBandwidthHz: 8000 },
  };
  const judged = (changes: Partial<FindingBasis['quality']>) =>
    findingFor(card, { ...good, quality: { ...good.quality, ...changes } });

  it.each([
    [{ speechSeconds: 0.2 }, 'little-speech'],
    [{ snrDb: -3 }, 'noisy'],
    [{ effectiveBandwidthHz: 750 }, 'narrow-band'],
  ])('%o is not assessable', (changes, code) => {
    const { finding, llr, reasons } = judged(changes);
    expect([finding, llr]).toEqual(['not assessable', null]);
    expect(reasons.map((reason) => reason.code)).toEqual([code]);
  });

  it('does not hold against a recording what could not be measured', () => {
    const { finding, reasons } = judged({ speechSeconds: null, snrDb: null, effectiveBandwidthHz: null });
    expect(finding).toBe('looks-bona-fide');
    expect(reasons).toEqual([]);
  });

  it('asks for 0.6 of the highest frequency where the card says nothing', () => {
    const thresholds = { ...card.thresholds };
    delete thresholds.minimumBandwidthHz;
    const basis = { ...good, quality: { ...good.quality, effectiveBandwidthHz: 4000 } };
    expect(findingFor({ ...card, thresholds }, basis).reasons[0].code).toBe('narrow-band');
    basis.quality.effectiveBandwidthHz = 4500;
    expect(findingFor({ ...card, thresholds }, basis).reasons).toEqual([]);
  });

  it('judges lower rates than its front ends look at only where the card states down to which sound', () => {
    const thresholds = { ...card.thresholds };
    const narrow = { ...good, sampleRateHz: 8000, quality: { ...good.quality, effectiveBandwidthHz: 3400 } };
    delete thresholds.minimumBandwidthHz;
    expect(findingFor({ ...card, thresholds }, narrow).reasons[0].sentence).toMatch(/sampled at 8000 Hz/);
    const stated = { ...card, thresholds: { ...thresholds, minimumBandwidthHz: 2000 } };
    expect(findingFor(stated, narrow).reasons).toEqual([]);
    expect(findingFor(stated, { ...narrow, sampleRateHz: 3000 }).reasons[0].sentence).toMatch(/up to 2000 Hz/);
  });
});
