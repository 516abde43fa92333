/** Varies training examples: room, noise, band, codec, masked stripes. */
import { BandLimiter } from '../audio/condition.ts';
import type { Random } from '../base/random.ts';
import type { Augmentation } from '../detector/augmentation.ts';

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

/** Sparse signed pulses a second in the tail of a room's response. */
const pulsesPerSecond = 400;

/** Adds a room's tail. */
function addReverberation(
  samples: Float32Array,
  sampleRateHz: number,
  decaySeconds: number,
  directToReverbDb: number,
  random: Random,
): void {
  const dry = samples.slice();
  const wet = new Float32Array(samples.length);
  const length = Math.min(Math.round(decaySeconds * sampleRateHz), samples.length);
  const spacing = sampleRateHz / pulsesPerSecond;
  for (let pulse = 1; pulse * spacing < length; pulse++) {
    const delay = Math.floor((pulse + random.uniform()) * spacing);
    // -60 dB at the end of the tail.
    const gain = (random.uniform() < 0.5 ? -1 : 1) * 10 ** ((-3 * delay) / length);
    for (let i = delay; i < wet.length; i++) wet[i] += gain * dry[i - delay];
  }
  const wetPower = meanPower(wet);
  if (wetPower === 0) return;
  const gain = Math.sqrt(meanPower(dry) / (wetPower * 10 ** (directToReverbDb / 10)));
  for (let i = 0; i < samples.length; i++) samples[i] += gain * wet[i];
}

/** Telephone companding, ITU-T G.711 mu-law: eight bits, logarithmically spaced, of the signal at full scale. */
export function compand(samples: Float32Array): void {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  if (peak === 0) return;
  const scale = Math.log1p(255);
  for (let i = 0; i < samples.length; i++) {
    const x = samples[i] / peak;
    const code = Math.round((127 * Math.log1p(255 * Math.abs(x))) / scale) / 127;
    samples[i] = Math.sign(x) * peak * (Math.expm1(code * scale) / 255);
  }
}

/** Coefficients of a block of the transform coder: 62.5 Hz apart at 16 kHz. */
const blockLength = 128;

/** The lapped transform as a matrix, [coefficient][sample of the frame], the sine window in it. */
const lapped = Float32Array.from({ length: blockLength * 2 * blockLength }, (_, index) => {
  const k = Math.floor(index / (2 * blockLength));
  const i = index % (2 * blockLength);
  const window = Math.sin((Math.PI * (i + 0.5)) / (2 * blockLength));
  return window * Math.cos((Math.PI / blockLength) * (i + 0.5 + blockLength / 2) * (k + 0.5));
});

/**
 * What a transform coder leaves of a signal: a lapped cosine transform (MDCT, sine window) whose coefficients are
 * rounded in bands, each to the same signal-to-noise ratio, so that weak coefficients vanish as in mp3 at a low rate.
 */
export function transformCode(samples: Float32Array, snrDb: number): void {
  const half = blockLength;
  const length = 2 * half;
  const blocks = Math.ceil(samples.length / half) + 1;
  const padded = new Float32Array((blocks + 1) * half);
  padded.set(samples, half);
  const out = new Float32Array(padded.length);
  const coefficients = new Float64Array(half);
  for (let block = 0; block < blocks; block++) {
    const frame = padded.subarray(block * half, block * half + length);
    for (let k = 0; k < half; k++) {
      let sum = 0;
      const row = k * length;
      for (let i = 0; i < length; i++) sum += lapped[row + i] * frame[i];
      coefficients[k] = sum;
    }
    roundInBands(coefficients, snrDb);
    const target = out.subarray(block * half, block * half + length);
    for (let k = 0; k < half; k++) {
      const value = (2 * coefficients[k]) / half;
      // Most of them vanish at low rates.
      if (value === 0) continue;
      const row = k * length;
      for (let i = 0; i < length; i++) target[i] += value * lapped[row + i];
    }
  }
  samples.set(out.subarray(half, half + samples.length));
}

/** Rounds coefficients to steps set by the power of their band; bands widen with frequency. */
function roundInBands(coefficients: Float64Array, snrDb: number): void {
  for (let from = 0, width = 4; from < coefficients.length; from += width, width = Math.ceil(width * 1.25)) {
    const to = Math.min(from + width, coefficients.length);
    let power = 0;
    for (let k = from; k < to; k++) power += coefficients[k] ** 2;
    // Uniform rounding makes noise of step² / 12.
    const step = Math.sqrt((12 * power) / (to - from) / 10 ** (snrDb / 10));
    if (step === 0) continue;
    for (let k = from; k < to; k++) coefficients[k] = step * Math.round(coefficients[k] / step);
  }
}

/** Varies a clip's samples in place: room, noise, band, codec, in the order in which they befall a recording. */
export function augmentSamples(
  samples: Float32Array,
  sampleRateHz: number,
  augmentation: Augmentation,
  random: Random,
): void {
  const { noise, bandLimit, reverberation, codec } = augmentation;
  if (random.uniform() < reverberation.probability) {
    const decaySeconds = random.between(...reverberation.decaySeconds);
    addReverberation(samples, sampleRateHz, decaySeconds, random.between(...reverberation.directToReverbDb), random);
  }
  if (random.uniform() < noise.probability) addNoise(samples, random.between(...noise.snrDb), random);
  if (random.uniform() < bandLimit.probability) {
    const lowHz = random.between(...bandLimit.lowHz);
    const highHz = random.between(...bandLimit.highHz);
    new BandLimiter(lowHz, highHz, sampleRateHz).process(samples);
  }
  if (random.uniform() < codec.probability) {
    if (random.uniform() < 0.3) compand(samples);
    else transformCode(samples, random.between(...codec.transformSnrDb));
  }
}

/** Spans of up to so many of a length. */
function stripes(count: number, widest: number, length: number, random: Random): [number, number][] {
  return Array.from({ length: count }, () => {
    const width = random.below(Math.min(widest, length) + 1);
    const start = random.below(length - width + 1);
    return [start, start + width];
  });
}

/** Masks stripes of a spectrogram, row-major [planes · bins, frames], in place, in all planes alike. */
export function maskSpectrogram(
  values: Float32Array,
  { bins: rows, planes }: { bins: number; planes: number },
  frames: number,
  { specAugment }: Augmentation,
  random: Random,
): void {
  const { timeStripes, maxFrames, binStripes, maxBins } = specAugment;
  const bins = rows / planes;
  const inTime = stripes(timeStripes, maxFrames, frames, random);
  const inBins = stripes(binStripes, maxBins, bins, random);
  for (let at = 0; at < rows; at++) {
    const row = values.subarray(at * frames, (at + 1) * frames);
    const mean = row.reduce((sum, value) => sum + value, 0) / frames;
    for (const span of inTime) row.fill(mean, ...span);
    const bin = at % bins;
    if (inBins.some(([from, to]) => bin >= from && bin < to)) row.fill(mean);
  }
}
