import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decode } from '../audio/decode.ts';
import { Random } from '../base/random.ts';
import { applicationRoot } from '../base/workers.ts';
import { createFrontEnd, frontEndSchema } from './front-end.ts';
import type { LfccParameters, LinearParameters, MelParameters, PhaseParameters } from './front-end.ts';

const mel: MelParameters = {
  type: 'mel',
  sampleRateHz: 16_000,
  nFft: 512,
  winLength: 400,
  hopLength: 160,
  window: 'hann',
  center: true,
  nMels: 80,
  fMin: 20,
  fMax: 7600,
  melScale: 'slaney',
  norm: 'slaney',
  floorPower: 1e-10,
};
const linear: LinearParameters = {
  type: 'linear',
  sampleRateHz: 16_000,
  nFft: 512,
  winLength: 512,
  hopLength: 128,
  window: 'hann',
  center: true,
  fMin: 0,
  fMax: 8000,
  floorPower: 1e-10,
};

const phase: PhaseParameters = {
  type: 'phase',
  sampleRateHz: 16_000,
  nFft: 512,
  winLength: 400,
  hopLength: 160,
  window: 'hann',
  center: false,
  fMin: 93.75,
  fMax: 7312.5,
  floorPower: 1e-10,
  addedPower: 1e-7,
};

const lfcc: LfccParameters = {
  type: 'lfcc',
  sampleRateHz: 16_000,
  nFft: 512,
  winLength: 320,
  hopLength: 160,
  window: 'hann',
  center: true,
  nFilters: 20,
  fMin: 70,
  fMax: 7400,
  nCoefficients: 8,
  deltas: 2,
  deltaFrames: 5,
  floorPower: 1e-10,
};

function noise(length: number): Float32Array {
  const random = new Random(length);
  return Float32Array.from({ length }, () => random.between(-0.5, 0.5));
}

function sine(hz: number, length: number, amplitude = 1): Float32Array {
  return Float32Array.from({ length }, (_, index) => amplitude * Math.sin((2 * Math.PI * hz * index) / 16_000));
}

/** One frame by the definition: numpy's reflected edges, window, DFT, filters as triangles in Hz, 10 log10. */
function naiveMelFrame(samples: Float32Array, parameters: MelParameters, frame: number): number[] {
  const { nFft, winLength, hopLength, nMels, fMin, fMax, sampleRateHz, melScale, norm } = parameters;
  const power = naivePower(samples, winLength, nFft, frame * hopLength - nFft / 2 + Math.floor((nFft - winLength) / 2));
  const toMel = (hz: number): number =>
    melScale === 'htk'
      ? 2595 * Math.log10(1 + hz / 700)
      : hz < 1000
        ? (3 * hz) / 200
        : 15 + (27 * Math.log(hz / 1000)) / Math.log(6.4);
  const toHz = (value: number): number => {
    let low = 0;
    let high = 1e6;
    for (let step = 0; step < 80; step++) {
      const middle = (low + high) / 2;
      if (toMel(middle) < value) low = middle;
      else high = middle;
    }
    return low;
  };
  const edges = Array.from({ length: nMels + 2 }, (_, edge) =>
    toHz(toMel(fMin) + ((toMel(fMax) - toMel(fMin)) * edge) / (nMels + 1)),
  );
  return Array.from({ length: nMels }, (_, band) => {
    const [low, middle, high] = edges.slice(band, band + 3);
    let sum = 0;
    power.forEach((value, bin) => {
      const hz = (bin * sampleRateHz) / nFft;
      sum += value * Math.max(0, Math.min((hz - low) / (middle - low), (high - hz) / (high - middle)));
    });
    return 10 * Math.log10(Math.max(norm === 'slaney' ? (sum * 2) / (high - low) : sum, parameters.floorPower));
  });
}

function naivePower(samples: Float32Array, winLength: number, nFft: number, begin: number): number[] {
  const windowed = Array.from({ length: winLength }, (_, index) => {
    let place = begin + index;
    while (place < 0 || place >= samples.length) place = place < 0 ? -place : 2 * (samples.length - 1) - place;
    return samples[place] * (0.5 - 0.5 * Math.cos((2 * Math.PI * index) / winLength));
  });
  return Array.from({ length: nFft / 2 + 1 }, (_, bin) => {
    let real = 0;
    let imaginary = 0;
    windowed.forEach((sample, index) => {
      const angle = (2 * Math.PI * ((index * bin) % nFft)) / nFft;
      real += sample * Math.cos(angle);
      imaginary += sample * Math.sin(angle);
    });
    return real * real + imaginary * imaginary;
  });
}

const shared = join(applicationRoot(), '..', 'shared');
const reference = join(shared, 'mel-reference', 'reference.json');

describe.skipIf(!existsSync(reference))('against torchaudio and librosa (skipped without ../shared)', () => {
  interface ReferenceSet {
    file: string;
    audio: string;
    shape: [number, number];
    n_fft: number;
    win_length: number;
    hop_length: number;
    n_mels: number;
    f_min: number;
    f_max: number;
  }
  const sets = existsSync(reference)
    ? (JSON.parse(readFileSync(reference, 'utf8')) as { sets: ReferenceSet[] }).sets
    : [];

  it.each(sets)('$file within 0.01 dB above -80 dB', async (set) => {
    const { samples } = await decode(join(shared, set.audio));
    const expected = floats(readFileSync(join(shared, 'mel-reference', set.file)));
    const frontEnd = createFrontEnd({
      ...mel,
      nFft: set.n_fft,
      winLength: set.win_length,
      hopLength: set.hop_length,
      nMels: set.n_mels,
      fMin: set.f_min,
      fMax: set.f_max,
    });
    expect([frontEnd.bins, frontEnd.frameCount(samples.length)]).toEqual(set.shape);
    const levels = frontEnd.compute(samples);
    expect(levels.length).toBe(expected.length);
    let compared = 0;
    let worst = 0;
    expected.forEach((level, place) => {
      if (level <= -80) return;
      compared++;
      worst = Math.max(worst, Math.abs(level - levels[place]));
    });
    expect(compared).toBeGreaterThan(expected.length / 2);
    expect(worst).toBeLessThan(0.01);
  });

  function floats(bytes: Buffer): Float32Array {
    return new Float32Array(new Uint8Array(bytes).buffer);
  }
});

describe('Mel', () => {
  it.each([
    mel,
    { ...mel, norm: 'none' as const },
    { ...mel, melScale: 'htk' as const, nMels: 40, fMin: 0, fMax: 8000 },
    { ...mel, nFft: 128, winLength: 101, hopLength: 37, nMels: 30, fMin: 300, fMax: 3400 },
  ])('is what the definition gives, at the edges too (set %#)', (parameters) => {
    const samples = noise(1000);
    const frontEnd = createFrontEnd(parameters);
    const frames = frontEnd.frameCount(samples.length);
    const levels = frontEnd.compute(samples);
    for (const frame of [0, 1, Math.floor(frames / 2), frames - 1]) {
      const expected = naiveMelFrame(samples, parameters, frame);
      expected.forEach((level, band) => expect(levels[band * frames + frame]).toBeCloseTo(level, 4));
    }
  });

  it.each([1, 2, 3, 50, 255, 400])('reflects as often as %i samples need', (length) => {
    const samples = noise(length);
    const frontEnd = createFrontEnd(mel);
    const frames = frontEnd.frameCount(length);
    const levels = frontEnd.compute(samples);
    expect(levels.length).toBe(80 * frames);
    if (length === 1) expect(levels.every(Number.isFinite)).toBe(true);
    else {
      const wanted = naiveMelFrame(samples, mel, frames - 1);
      const loudest = Math.max(...wanted);
      // Two or three samples repeated are almost a pure tone: of what lies 80 dB below it float32 has few digits left.
      const audible = [...wanted.keys()].filter((band) => wanted[band] > loudest - 80);
      expect(audible.length).toBeGreaterThan(5);
      for (const band of audible) {
        expect(Math.abs(levels[band * frames + frames - 1] - wanted[band])).toBeLessThan(0.01);
      }
    }
  });

  it('places a sine in its band', () => {
    const frontEnd = createFrontEnd({ ...mel, norm: 'none', nMels: 40 });
    const frames = frontEnd.frameCount(8000);
    for (const band of [10, 20, 35]) {
      const levels = frontEnd.compute(sine(frontEnd.frequenciesHz[band], 8000));
      const column = Array.from({ length: 40 }, (_, row) => levels[row * frames + 20]);
      expect(column.indexOf(Math.max(...column))).toBe(band);
    }
  });
});

describe('linear', () => {
  it('gives a full-scale sine its power, and a tenth of the amplitude 20 dB less', () => {
    const frontEnd = createFrontEnd(linear);
    const frames = frontEnd.frameCount(4096);
    const loud = frontEnd.compute(sine(1000, 4096));
    const quiet = frontEnd.compute(sine(1000, 4096, 0.1));
    expect(frontEnd.frequenciesHz[32]).toBe(1000);
    for (let frame = 3; frame < frames - 3; frame++) {
      expect(loud[32 * frames + frame]).toBeCloseTo(20 * Math.log10(128), 4);
      expect(quiet[32 * frames + frame]).toBeCloseTo(20 * Math.log10(12.8), 4);
      expect(loud[40 * frames + frame]).toBeLessThan(-60);
    }
  });

  it('is flat for an impulse in the window', () => {
    const samples = new Float32Array(2048);
    samples[1024] = 1;
    const frontEnd = createFrontEnd(linear);
    const frames = frontEnd.frameCount(2048);
    const levels = frontEnd.compute(samples);
    for (let bin = 0; bin < 257; bin++) expect(levels[bin * frames + 8]).toBeCloseTo(0, 4);
  });

  it('keeps the bins from fMin to fMax, both included', () => {
    const frontEnd = createFrontEnd({ ...linear, fMin: 62.5, fMax: 4000 });
    expect(frontEnd.bins).toBe(127);
    expect([frontEnd.frequenciesHz[0], frontEnd.frequenciesHz.at(-1)]).toEqual([62.5, 4000]);
    const samples = noise(3000);
    const whole = createFrontEnd(linear).compute(samples);
    const frames = frontEnd.frameCount(3000);
    expect(frontEnd.compute(samples)).toEqual(whole.slice(2 * frames, 129 * frames));
  });

  it('lets what lies below the added power fade, and leaves what lies above it', () => {
    const samples = sine(1000, 4096, 0.1);
    const plain = createFrontEnd({ ...linear, floorPower: 1e-12 }).compute(samples);
    const faded = createFrontEnd({ ...linear, floorPower: 1e-12, addedPower: 1e-4 }).compute(samples);
    plain.forEach((level, place) => {
      expect(faded[place]).toBeCloseTo(10 * Math.log10(10 ** (level / 10) + 1e-4), 3);
    });
  });

  it('takes logarithms right over 36 decades', () => {
    const frontEnd = createFrontEnd({ ...linear, floorPower: 1e-30 });
    const frames = frontEnd.frameCount(2048);
    for (let exponent = -14; exponent <= 14; exponent += 0.37) {
      const samples = new Float32Array(2048);
      samples[1024] = 10 ** exponent;
      expect(frontEnd.compute(samples)[100 * frames + 8]).toBeCloseTo(20 * Math.log10(samples[1024]), 4);
    }
  });
});

describe('LFCC', () => {
  /** Swelling noise from the linear congruential generator of Numerical Recipes. */
  function swellingNoise(length: number): Float32Array {
    let state = 1;
    return Float32Array.from({ length }, (_, index) => {
      state = (1664525 * state + 1013904223) % 2 ** 32;
      return (state / 2 ** 31 - 1) * 0.3 * ((index % 1000) / 1000);
    });
  }

  /*
   * 4000 samples of it through torchaudio 0.13.1 on PyTorch 1.13 (2.11.0 differs by 0.001 at most):
   *   t = torchaudio.transforms.LFCC(16000, n_filter=nFilters, f_min=fMin, f_max=fMax, n_lfcc=nCoefficients,
   *       speckwargs=dict(n_fft=512, win_length=winLength, hop_length=160))
   *   t.amplitude_to_DB = torchaudio.transforms.AmplitudeToDB('power', None)
   * and torchaudio.functional.compute_deltas(rows, deltaFrames) on top; frames 0, 7 and 25.
   */
  const references: { parameters: LfccParameters; columns: number[][] }[] = [
    {
      parameters: { ...lfcc, winLength: 400, nFilters: 40, fMin: 0, fMax: 8000, nCoefficients: 20, deltas: 0 },
      columns: [
        [
          -69.59, 0.045, -6.709, 1.414, 5.93, 2.034, 2.059, -4.261, -0.067, -1.435, 0.494, 2.692, 1.019, 1.27, -4.353,
          -6.188, -3.946, -3.428, -3.314, 0.964,
        ],
        [
          -7.876, -0.765, 1.396, -1.377, 1.475, -5.535, -0.416, 0.237, -1.322, -3.086, 2.15, 0.201, 2.535, -0.79, 2.936,
          -0.623, -5.011, 1.544, 2.316, -3.55,
        ],
        [
          81.678, 0.525, -4.88, -2.235, 3.673, 2.236, 0.171, 1.677, 3.945, -8.177, -1.189, 4.624, 4.399, -3.655, -1.701,
          3.167, 5.549, -0.54, -2.078, 1.456,
        ],
      ],
    },
    {
      parameters: lfcc,
      columns: [
        [
          -49.182, 1.745, -5.104, 3.406, 3.713, 3.246, -2.536, 0.182, 19.63, -0.465, 1.396, -0.648, -1.226, -2.004,
          0.646, -0.661, 1.721, 0.153, -0.161, 0.07, 0.28, 0.238, 0.081, 0.355,
        ],
        [
          -7.508, 0.741, -2.839, 2.162, 0.833, -1.094, -0.179, 2.081, -8.482, 0.071, -2.189, -0.687, 1.514, 1.825, 0.24,
          -0.556, 6.778, -0.315, 0.008, 0.376, -0.032, 0.39, 0.038, -0.087,
        ],
        [
          66.789, -0.353, -5.068, -0.275, 2.345, 1.171, -1.834, 4.019, 2.126, 0.319, -2.525, 0.856, 1.08, 0.058, -0.223,
          1.81, -1.559, -0.12, -0.376, 0.302, -0.238, -0.229, 0.144, 0.099,
        ],
      ],
    },
    {
      parameters: { ...lfcc, deltaFrames: 9 },
      columns: [
        [
          -49.182, 1.745, -5.104, 3.406, 3.713, 3.246, -2.536, 0.182, 14.74, 0.002, 0.736, -0.207, -0.38, -0.827, 0.527,
          0.015, -0.676, 0.029, 0.025, -0.044, 0.0, 0.017, -0.052, 0.039,
        ],
        [
          -7.508, 0.741, -2.839, 2.162, 0.833, -1.094, -0.179, 2.081, -0.439, -0.485, -0.189, -0.295, 0.023, 0.72,
          -0.241, -0.277, -0.971, -0.098, -0.153, 0.07, 0.012, 0.123, 0.042, -0.047,
        ],
        [
          66.789, -0.353, -5.068, -0.275, 2.345, 1.171, -1.834, 4.019, 3.67, 0.237, -1.135, 0.131, 1.019, 0.29, -0.455,
          0.943, -0.07, 0.06, -0.191, 0.043, 0.131, -0.014, -0.035, 0.071,
        ],
      ],
    },
  ];

  it.each(references)('is what torchaudio gives (set %#)', ({ parameters, columns }) => {
    const frontEnd = createFrontEnd(parameters);
    const samples = swellingNoise(4000);
    const values = frontEnd.compute(samples);
    const frames = frontEnd.frameCount(samples.length);
    expect([frontEnd.bins, frames]).toEqual([columns[0].length, 26]);
    [0, 7, 25].forEach((frame, which) => {
      columns[which].forEach((value, row) => {
        expect(Math.abs(values[row * frames + frame] - value)).toBeLessThan(0.002);
      });
    });
  });

  it('keeps a level in the zeroth coefficient alone', () => {
    const frontEnd = createFrontEnd({ ...lfcc, deltas: 0 });
    const frames = frontEnd.frameCount(3000);
    const quiet = frontEnd.compute(noise(3000));
    const loud = frontEnd.compute(noise(3000).map((sample) => 2 * sample));
    for (let row = 0; row < frontEnd.bins; row++) {
      const gain = row === 0 ? 20 * Math.log10(2) * Math.sqrt(20) : 0;
      expect(loud[row * frames + 9] - quiet[row * frames + 9]).toBeCloseTo(gain, 3);
    }
  });

  it('repeats the first and last frame for differences, also of one frame', () => {
    const frontEnd = createFrontEnd(lfcc);
    const one = frontEnd.compute(noise(100));
    expect(one.length).toBe(24);
    expect([...one.subarray(8)]).toEqual(Array.from({ length: 16 }, () => 0));
    expect(frontEnd.frequenciesHz.length).toBe(0);
  });
});

const cepstra: LfccParameters = { ...lfcc, deltas: 0 };

describe.each([mel, linear, cepstra])('$type frames', (parameters) => {
  const frontEnd = createFrontEnd(parameters);
  const open = createFrontEnd({ ...parameters, center: false });
  const { hopLength, nFft } = parameters;

  it('are counted as torchaudio does', () => {
    expect([0, 1, hopLength - 1, hopLength, 48_000].map((count) => frontEnd.frameCount(count))).toEqual([
      0,
      1,
      1,
      2,
      1 + Math.floor(48_000 / hopLength),
    ]);
    expect([0, nFft - 1, nFft, nFft + hopLength].map((count) => open.frameCount(count))).toEqual([0, 0, 1, 2]);
    expect(frontEnd.compute(new Float32Array(0)).length).toBe(0);
  });

  it('are those of slices, byte for byte', () => {
    const samples = noise(20 * hopLength + nFft);
    const whole = open.compute(samples);
    const frames = open.frameCount(samples.length);
    const first = 7;
    const slice = samples.subarray(first * hopLength, (first + 3) * hopLength + nFft);
    const part = open.compute(slice);
    const partFrames = open.frameCount(slice.length);
    for (let bin = 0; bin < open.bins; bin++) {
      expect(part.slice(bin * partFrames, (bin + 1) * partFrames)).toEqual(
        whole.slice(bin * frames + first, bin * frames + first + partFrames),
      );
    }
  });

  it('do not depend on where the kernel begins anew', () => {
    const samples = noise(1500 * hopLength);
    const whole = frontEnd.compute(samples);
    const frames = frontEnd.frameCount(samples.length);
    for (const first of [509, 510, 511, 512, 513, 1023, 1026]) {
      const part = open.compute(samples.subarray(first * hopLength - nFft / 2, first * hopLength + nFft / 2));
      expect(Array.from(part)).toEqual(Array.from({ length: open.bins }, (_, row) => whole[row * frames + first]));
    }
  });

  it('go into the array given, and leave the rest of it alone', () => {
    const samples = noise(5000);
    const expected = frontEnd.compute(samples);
    const room = new Float32Array(expected.length + 5).fill(7);
    expect(frontEnd.compute(samples, room)).toBe(room);
    expect(room.subarray(0, expected.length)).toEqual(expected);
    expect([...room.subarray(expected.length)]).toEqual([7, 7, 7, 7, 7]);
    expect(() => frontEnd.compute(samples, new Float32Array(expected.length - 1))).toThrow(RangeError);
  });

  it('hold the floor for silence, and are finite whatever comes in', () => {
    const silence = frontEnd.compute(new Float32Array(4000));
    if (parameters.type !== 'lfcc') expect([...new Set(silence)]).toEqual([-100]);
    else expect(silence[0]).toBeCloseTo(-100 * Math.sqrt(parameters.nFilters), 3);
    for (const odd of [NaN, Infinity, 3e38, 1e-45]) {
      const samples = noise(4000);
      samples[2000] = odd;
      expect(frontEnd.compute(samples).every(Number.isFinite)).toBe(true);
    }
    const after = noise(4000);
    expect(frontEnd.compute(after)).toEqual(createFrontEnd(parameters).compute(after));
  });
});

describe('frontEndSchema', () => {
  it('reads a card back', () => {
    for (const parameters of [mel, linear, lfcc]) {
      expect(frontEndSchema.parse(JSON.parse(JSON.stringify(parameters)))).toEqual(parameters);
    }
  });

  it.each([
    [{ nFft: 500 }, 'power of two'],
    [{ winLength: 1024 }, 'at most nFft'],
    [{ fMax: 9000 }, 'half the sample rate'],
    [{ fMin: 7600 }, 'above fMin'],
    [{ hopLength: 0 }, ''],
    [{ floorPower: 0 }, ''],
    [{ type: 'wavelet' }, ''],
    [{ fMax: null }, ''],
  ])('refuses %j', (change, reason) => {
    const outcome = frontEndSchema.safeParse({ ...mel, ...change });
    expect(outcome.success).toBe(false);
    expect(outcome.error?.message).toContain(reason);
  });

  it('refuses more coefficients than filters, and differences over an even number of frames', () => {
    for (const change of [{ nCoefficients: 21 }, { deltaFrames: 4 }, { deltas: 3 }]) {
      expect(frontEndSchema.safeParse({ ...lfcc, ...change }).success).toBe(false);
    }
  });

  it('refuses a band without a bin', () => {
    expect(frontEndSchema.safeParse({ ...linear, fMin: 40, fMax: 50 }).success).toBe(false);
  });
});

describe('phases', () => {
  it('move as a discrete Fourier transform written out says', () => {
    const samples = noise(512 + 3 * 160);
    const frontEnd = createFrontEnd(phase);
    const found = frontEnd.compute(samples);
    expect([frontEnd.bins, frontEnd.planes, frontEnd.frameCount(samples.length), found.length]).toEqual([
      928,
      4,
      3,
      928 * 3,
    ]);
    const bin = (k: number, frame: number): [number, number] => {
      let [re, im] = [0, 0];
      for (let i = 0; i < 400; i++) {
        const weighted = samples[frame * 160 + 56 + i] * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / 400));
        re += weighted * Math.cos((-2 * Math.PI * k * (i + 56)) / 512);
        im += weighted * Math.sin((-2 * Math.PI * k * (i + 56)) / 512);
      }
      return [re, im];
    };
    /** Cosine and sine of how far `to` lies from `from`, and an angle further. */
    const step = ([a, b]: [number, number], [c, d]: [number, number], further: number): [number, number] => {
      const angle = Math.atan2(d, c) - Math.atan2(b, a) + further;
      return [Math.cos(angle), Math.sin(angle)];
    };
    for (const [row, frame] of [
      [0, 0],
      [17, 1],
      [100, 2],
      [231, 0],
    ]) {
      const k = row + 3;
      const here = bin(k, frame + 1);
      const wanted = [
        ...step(bin(k, frame), here, (-2 * Math.PI * k * 160) / 512),
        ...step(here, bin(k + 1, frame + 1), Math.PI),
      ];
      const values = [0, 1, 2, 3].map((plane) => found[(plane * 232 + row) * 3 + frame]);
      values.forEach((value, plane) => expect(value).toBeCloseTo(wanted[plane], 3));
    }
  });

  it('say nothing where there is next to no sound', () => {
    const found = createFrontEnd(phase).compute(noise(16_000).map((sample) => 1e-7 * sample));
    expect(Math.max(...found.map(Math.abs))).toBeLessThan(0.01);
  });

  it('are the same at any level of loud sound', () => {
    const samples = noise(8000);
    const frontEnd = createFrontEnd(phase);
    const loud = frontEnd.compute(samples).slice();
    const soft = frontEnd.compute(samples.map((sample) => sample / 4));
    const furthest = loud.reduce((most, value, at) => Math.max(most, Math.abs(value - soft[at])), 0);
    expect(furthest).toBeLessThan(0.01);
  });

  it('need a bin above the highest', () => {
    expect(frontEndSchema.safeParse({ ...phase, fMax: 8000 }).error?.issues[0].message).toBe(
      'a bin must lie above fMax',
    );
  });
});
