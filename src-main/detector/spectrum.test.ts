import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openAudio } from '../audio/decode.ts';
import { findFfmpeg } from '../audio/ffmpeg.ts';
import { Resampler } from '../audio/resample.ts';
import { runFfmpeg, sharedFolder, temporaryFolder, wav16 } from '../audio/testing.ts';
import { Random } from '../base/random.ts';
import { SpectrumMeter } from './spectrum.ts';

/** Noise that pulses four times a second, with a faint steady floor, at a rate. */
function pulses(seconds: number, rateHz: number, floor = 1e-4): Float32Array {
  const random = new Random(3);
  return Float32Array.from({ length: seconds * rateHz }, (_, i) => {
    const loud = Math.max(0, Math.sin((2 * Math.PI * 4 * i) / rateHz)) ** 2;
    return (0.2 * loud + floor) * random.normal();
  });
}

function resampled(signal: Float32Array, from: number, to: number): Float32Array {
  const resampler = new Resampler(from, to);
  return Float32Array.from([...resampler.process(signal), ...resampler.flush()]);
}

function findings(signal: Float32Array, rateHz: number, bits: number | null = null) {
  const meter = new SpectrumMeter(rateHz, bits);
  for (let at = 0; at < signal.length; at += 7777) meter.push(signal.subarray(at, at + 7777));
  return meter.findings();
}

describe('SpectrumMeter', () => {
  it.each([8000, 16_000, 44_100, 48_000])('finds sound up to the top at %i Hz, and no edge', (rateHz) => {
    const { effectiveBandwidthHz, sharpCutoffHz } = findings(pulses(3, rateHz), rateHz);
    expect(effectiveBandwidthHz).toBeGreaterThan(rateHz / 2 - 300);
    expect(sharpCutoffHz).toBeNull();
  });

  it.each([
    [8000, 16_000],
    [16_000, 44_100],
    [22_050, 48_000],
  ])('finds what was sampled at %i Hz before, with its edge', (before, after) => {
    const { effectiveBandwidthHz, sharpCutoffHz } = findings(resampled(pulses(3, before), before, after), after);
    expect(Math.abs((effectiveBandwidthHz ?? 0) - before / 2)).toBeLessThanOrEqual(500);
    expect(Math.abs((sharpCutoffHz ?? 0) - before / 2)).toBeLessThanOrEqual(500);
  });

  it('does not depend on gain, nor take steady noise or rounding for sound', () => {
    const narrow = resampled(pulses(3, 8000, 0), 8000, 16_000);
    const random = new Random(8);
    const noisy = narrow.map((x) => x + 0.002 * random.normal());
    // The resampler's edge reaches a little beyond 4 kHz.
    const found = [1, 0.25, 4].map(
      (gain) =>
        findings(
          noisy.map((x) => gain * x),
          16_000,
        ).effectiveBandwidthHz ?? 0,
    );
    expect(new Set(found).size).toBe(1);
    expect([4000, 4250]).toContain(found[0]);
    const rounded = narrow.map((x) => Math.round(0.02 * x * 32_768) / 32_768);
    expect([4000, 4250]).toContain(findings(rounded, 16_000, 16).effectiveBandwidthHz);
  });

  it('says nothing of what is short, silent or steady', () => {
    for (const signal of [new Float32Array(0), pulses(0.2, 16_000), new Float32Array(48_000)]) {
      expect(findings(signal, 16_000).effectiveBandwidthHz).toBeNull();
    }
  });
});

const ffmpeg = await findFfmpeg().then(
  (found) => found.path,
  () => null,
);
const encoders = ffmpeg === null ? '' : runFfmpeg(ffmpeg, '-hide_banner', '-encoders').toString();

describe('lossy coding, decoded and stored as PCM', () => {
  const folder = temporaryFolder();
  const formats = sharedFolder('formats');
  const real =
    formats === null
      ? []
      : readdirSync(formats).flatMap((name) => (/^pcm_.*-(44100|48000)-/.test(name) ? [join(formats, name)] : []));

  /** Where the spectrum of a file ends at its native rate. */
  async function cutOf(path: string): Promise<number | null> {
    let meter: SpectrumMeter | null = null;
    const stream = await openAudio(path, { onNative: (mono) => meter?.push(mono) });
    meter = new SpectrumMeter(stream.info.sampleRateHz, 16);
    for await (const block of stream.blocks()) expect(block.length).toBeGreaterThan(0);
    return meter.findings().sharpCutoffHz;
  }

  function coded(path: string, encoder: string, kilobits: number): string {
    const [between, stored] = ['coded.mka', 'stored.wav'].map((name) => join(folder, name));
    runFfmpeg(ffmpeg!, '-i', path, '-ac', '1', '-c:a', encoder, '-b:a', `${kilobits}k`, between);
    runFfmpeg(ffmpeg!, '-i', between, '-c:a', 'pcm_s16le', stored);
    return stored;
  }

  for (const [encoder, kilobits] of [
    ['libmp3lame', 64],
    ['libmp3lame', 128],
    ['aac', 32],
    ['aac', 64],
    ['libopus', 32],
  ] as const) {
    const there = new RegExp(` ${encoder} `).test(encoders);
    const name = `${encoder} at ${kilobits} kbit/s ends the spectrum`;
    it.skipIf(!there)(there ? name : `${name} (this ffmpeg has no such encoder)`, async () => {
      const whole = join(folder, 'whole.wav');
      writeFileSync(whole, wav16(pulses(3, 48_000), 48_000));
      expect(await cutOf(whole)).toBeNull();
      expect(await cutOf(coded(whole, encoder, kilobits))).toBeGreaterThan(8000);
    });
    it.skipIf(!there || real.length === 0)(`${name} of real recordings (skipped without ../shared)`, async () => {
      let [before, after] = [0, 0];
      for (const path of real) {
        if ((await cutOf(path)) !== null) before++;
        if ((await cutOf(coded(path, encoder, kilobits))) !== null) after++;
      }
      // One ends at 7.5 kHz as it was published.
      expect(before).toBeLessThanOrEqual(1);
      expect(after).toBeGreaterThan(0.6 * real.length);
    });
  }
});
