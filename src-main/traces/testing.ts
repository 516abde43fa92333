/** Material that tests of traces make: noise, rooms' hum, voices, cuts. All of a seed. */
import type { Random } from '../base/random.ts';

/** White noise, or such that falls by 3 dB an octave (`pink`). */
export function noise(random: Random, samples: number, rms: number, pink = false): Float32Array {
  const out = new Float32Array(samples);
  // Filter of Paul Kellet, as widely published.
  let [b0, b1, b2] = [0, 0, 0];
  for (let i = 0; i < samples; i++) {
    const white = random.normal();
    if (!pink) {
      out[i] = rms * white;
      continue;
    }
    b0 = 0.99765 * b0 + white * 0.099046;
    b1 = 0.963 * b1 + white * 0.2965164;
    b2 = 0.57 * b2 + white * 1.0526913;
    out[i] = (rms * (b0 + b1 + b2 + white * 0.1848)) / 1.75;
  }
  return out;
}

export interface MadeHum {
  nominalHz: number;
  /** Of the strongest harmonic. */
  amplitude: number;
  /** Relative amplitudes from the first on. */
  harmonics?: readonly number[];
}

/** Hum whose frequency wanders as that of a grid does: a random walk drawn back to its nominal value, by some mHz a second. */
export function hum(
  random: Random,
  sampleRateHz: number,
  seconds: number,
  { nominalHz, amplitude, harmonics = [0.7, 1, 0.3, 0.5] }: MadeHum,
): { samples: Float32Array; frequencies: Float64Array } {
  const samples = new Float32Array(Math.round(sampleRateHz * seconds));
  const frequencies = new Float64Array(Math.ceil(seconds) + 1);
  frequencies[0] = nominalHz + random.between(-0.03, 0.03);
  for (let s = 1; s < frequencies.length; s++) {
    frequencies[s] = frequencies[s - 1] + 0.01 * (nominalHz - frequencies[s - 1]) + 0.002 * random.normal();
  }
  const starts = harmonics.map(() => random.between(0, 2 * Math.PI));
  let phase = 0;
  for (let i = 0; i < samples.length; i++) {
    const time = i / sampleRateHz;
    const whole = Math.floor(time);
    const hz = frequencies[whole] + (time - whole) * (frequencies[whole + 1] - frequencies[whole]);
    phase += (2 * Math.PI * hz) / sampleRateHz;
    let sum = 0;
    for (const [k, relative] of harmonics.entries()) sum += relative * Math.cos((k + 1) * phase + starts[k]);
    samples[i] = amplitude * sum;
  }
  return { samples, frequencies };
}

/** Like a voice in what measures meet: glottal pulses of wandering pitch through two resonances, in words with pauses. */
export function voice(random: Random, sampleRateHz: number, seconds: number, rms: number): Float32Array {
  const samples = new Float32Array(Math.round(sampleRateHz * seconds));
  let pitch = random.between(95, 220);
  const middle = pitch;
  let [wordLeft, isWord, phase] = [0, false, 0];
  let formants = [500, 1500];
  const memory = [0, 0, 0, 0];
  let envelope = 0;
  let before = 0;
  for (let i = 0; i < samples.length; i++) {
    if (wordLeft-- <= 0) {
      isWord = !isWord;
      wordLeft = sampleRateHz * (isWord ? random.between(0.15, 0.6) : random.between(0.05, 0.5));
      formants = [random.between(300, 800), random.between(900, 2300)];
    }
    envelope += ((isWord ? 1 : 0) - envelope) / (0.02 * sampleRateHz);
    pitch += (middle - pitch) / sampleRateHz + (30 * random.normal()) / Math.sqrt(sampleRateHz);
    phase += pitch / sampleRateHz;
    let pulse = 0.02 * random.normal();
    if (phase >= 1) {
      phase -= 1;
      pulse += 1;
    }
    let x = pulse;
    for (const [k, hz] of formants.entries()) {
      const radius = Math.exp((-Math.PI * 80) / sampleRateHz);
      const y =
        x + 2 * radius * Math.cos((2 * Math.PI * hz) / sampleRateHz) * memory[2 * k] - radius ** 2 * memory[2 * k + 1];
      memory[2 * k + 1] = memory[2 * k];
      memory[2 * k] = y;
      x = y * (1 - radius);
    }
    // Lips radiate changes of pressure: a voice has no mean.
    samples[i] = envelope * (x - before);
    before = x;
  }
  const power = samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
  return samples.map((x) => (rms * x) / Math.sqrt(power));
}

/** As 16 bits hold it. */
export function quantised(samples: Float32Array): Float32Array {
  return samples.map((x) => Math.round(32_768 * x) / 32_768);
}

/** At another rate as cheap resamplers bring it there: a straight line from one sample to the next; 16 bits. */
export function interpolated(samples: Float32Array, from: number, to: number): Float32Array {
  return quantised(
    Float32Array.from({ length: Math.floor(((samples.length - 1) * to) / from) }, (_, i) => {
      const place = (i * from) / to;
      const before = Math.floor(place);
      return samples[before] + (place - before) * (samples[before + 1] - samples[before]);
    }),
  );
}

/** Signals of one length, added up. */
export function sum(...parts: readonly Float32Array[]): Float32Array {
  return parts[0].map((_, i) => parts.reduce((all, part) => all + part[i], 0));
}

/** Without a stretch. */
export function cutOut(samples: Float32Array, from: number, to: number): Float32Array {
  const out = new Float32Array(samples.length - (to - from));
  out.set(samples.subarray(0, from));
  out.set(samples.subarray(to), from);
  return out;
}

/** In blocks of varying length, as decoders give them. */
export function* inBlocks(samples: Float32Array): Generator<Float32Array> {
  for (let at = 0, k = 0; at < samples.length; k++) {
    const length = [4096, 1000, 65_536, 333][k % 4];
    yield samples.subarray(at, at + length);
    at += length;
  }
}
