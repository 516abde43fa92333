import { z } from 'zod';
import { BandLimiter } from '../audio/condition.ts';
import type { Random } from '../base/random.ts';

const range = z.tuple([z.number(), z.number()]);

/** How training examples are varied, each draw from the example's own seeded generator. */
export const augmentationSchema = z.object({
  /** Window taken anywhere in the clip; without it, from the clip's start. */
  randomCrop: z.boolean(),
  /** Level of the window around the conditioning's. */
  gainDb: range,
  /** White to brown noise, at a signal-to-noise ratio. */
  noise: z.object({ probability: z.number().min(0).max(1), snrDb: range }),
  /** Cut from below and from above. */
  bandLimit: z.object({ probability: z.number().min(0).max(1), lowHz: range, highHz: range }),
  /** SpecAugment (Park et al. 2019): stripes of time and frequency replaced by the window's mean. */
  specAugment: z.object({ timeStripes: z.int(), maxFrames: z.int(), binStripes: z.int(), maxBins: z.int() }),
});
export type Augmentation = z.infer<typeof augmentationSchema>;

export const defaultAugmentation: Augmentation = {
  randomCrop: true,
  gainDb: [-6, 6],
  noise: { probability: 0.5, snrDb: [10, 40] },
  bandLimit: { probability: 0.3, lowHz: [50, 300], highHz: [3400, 7400] },
  specAugment: { timeStripes: 2, maxFrames: 20, binStripes: 2, maxBins: 8 },
};

function meanPower(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return sum / samples.length;
}

/** Adds noise whose spectrum falls by 0 to 6 dB an octave. */
function addNoise(samples: Float32Array, snrDb: number, random: Random): void {
  const pole = random.uniform() * 0.98;
  const noise = new Float32Array(samples.length);
  let last = 0;
  for (let i = 0; i < noise.length; i++) {
    // Uniform noise is as good as normal here and far cheaper.
    last = pole * last + random.uniform() - 0.5;
    noise[i] = last;
  }
  const gain = Math.sqrt(meanPower(samples) / (meanPower(noise) * 10 ** (snrDb / 10)));
  for (let i = 0; i < samples.length; i++) samples[i] += gain * noise[i];
}

/** Varies a clip's samples in place: noise, band. */
export function augmentSamples(
  samples: Float32Array,
  sampleRateHz: number,
  augmentation: Augmentation,
  random: Random,
): void {
  const { noise, bandLimit } = augmentation;
  if (random.uniform() < noise.probability) addNoise(samples, random.between(...noise.snrDb), random);
  if (random.uniform() < bandLimit.probability) {
    const lowHz = random.between(...bandLimit.lowHz);
    const highHz = random.between(...bandLimit.highHz);
    new BandLimiter(lowHz, highHz, sampleRateHz).process(samples);
  }
}

/** Masks stripes of a spectrogram, row-major [bins, frames], in place. */
export function maskSpectrogram(
  values: Float32Array,
  bins: number,
  frames: number,
  { specAugment }: Augmentation,
  random: Random,
): void {
  let mean = 0;
  for (const value of values) mean += value;
  mean /= values.length;
  for (let stripe = 0; stripe < specAugment.timeStripes; stripe++) {
    const width = random.below(specAugment.maxFrames + 1);
    const start = random.below(frames - width + 1);
    for (let bin = 0; bin < bins; bin++) values.fill(mean, bin * frames + start, bin * frames + start + width);
  }
  for (let stripe = 0; stripe < specAugment.binStripes; stripe++) {
    const height = random.below(specAugment.maxBins + 1);
    const start = random.below(bins - height + 1);
    values.fill(mean, start * frames, (start + height) * frames);
  }
}
