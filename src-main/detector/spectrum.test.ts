import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { Resampler } from '../audio/resample.ts';
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
