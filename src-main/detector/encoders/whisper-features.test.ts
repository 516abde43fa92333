import { expect, it } from 'vitest';
import { WhisperFeatures, frontEndShape } from './whisper-features.ts';
import type { EncoderFrontEnd } from './whisper-features.ts';

/** Three tones, one of which comes and goes. */
function tones(samples: number): Float32Array {
  const wave = (hz: number, t: number, phase = 0): number => Math.sin((2 * Math.PI * hz * t) / 16_000 + phase);
  return Float32Array.from(
    { length: samples },
    (_, t) => 0.1 * wave(220, t) + 0.05 * wave(1760, t, 0.3) * wave(3, t) + 0.02 * wave(5200, t),
  );
}

/**
 * `WhisperFeatureExtractor` of transformers 5.24 on `tones(4000)`, bands 0, 7, 20, 41 and 79 at frames 0, 1, 12 and 24:
 * not padded, and padded with zeros to 30 s.
 */
const expected: Record<EncoderFrontEnd, { cut: number[]; padded: number[] }> = {
  'whisper-log-mel-80': {
    cut: [
      0.79378, 0.24638, -0.12938, 0.24366, 0.91744, 0.6667, 0.65275, 0.66734, 0.23764, -0.26805, -0.85122, -0.12143,
      0.25293, 0.50895, 0.80632, 0.85784, -0.11395, -0.62417, -0.9367, -0.68151,
    ],
    padded: [
      0.79378, 0.24638, -0.12938, 0.12902, 0.91744, 0.6667, 0.65275, 0.65915, 0.23764, -0.26805, -0.85122, -0.27028,
      0.25293, 0.50895, 0.80632, 0.8584, -0.11395, -0.62417, -0.9367, -0.78718,
    ],
  },
  'whisper-log-mel-128': {
    cut: [
      0.71802, 0.17063, -0.20514, 0.1679, 0.91377, 1.03546, 1.03471, 1.03538, 0.48322, -0.01373, -0.37065, 0.0308,
      0.04351, -0.46416, -0.91105, -0.22547, -0.65799, -0.91105, -0.91105, -0.36456,
    ],
    padded: [
      0.71802, 0.17063, -0.20514, 0.05326, 0.91377, 1.03546, 1.03471, 1.03486, 0.48322, -0.01373, -0.37065, -0.11745,
      0.04351, -0.46416, -0.91105, -0.379, -0.65799, -0.91105, -0.91105, -0.47772,
    ],
  },
};

it.each(Object.keys(expected) as EncoderFrontEnd[])("%s has the values of transformers' extractor", async (name) => {
  for (const [kind, samples] of [
    ['cut', 4000],
    ['padded', 480_000],
  ] as const) {
    const signal = new Float32Array(samples);
    signal.set(tones(4000));
    const features = await WhisperFeatures.create(name, samples, 1);
    const values = await features.compute(signal);
    await features.dispose();
    const [bands, frames] = frontEndShape(name, samples);
    expect(values).toHaveLength(bands * frames);
    const found = [0, 7, 20, 41, 79].flatMap((band) => [0, 1, 12, 24].map((frame) => values[band * frames + frame]));
    found.forEach((value, index) => expect(Math.abs(value - expected[name][kind][index])).toBeLessThan(2e-3));
  }
});
