/** A recursive filter as parallel sections, several samples at once. */
import {
  FunctionWriter,
  addDoubles,
  constant,
  fromDoubles,
  load,
  loadSplat,
  multiplyDoubles,
  shuffle,
  subtractDoubles,
  toDoubles,
} from '../base/wasm-writer.ts';

/*
 * A recursive filter whose sections stand side by side, not one behind the other: the partial fractions of their product
 * (A. V. Oppenheim and R. W. Schafer, "Discrete-Time Signal Processing", section 6.3.3). No section waits for another, and two go
 * through one instruction; the sums are those of the cascade but for the rounding of doubles.
 */

/** A section of second order, (b0 + b1 w + b2 w²) / (1 + a1 w + a2 w²) with w a delay of one sample; its poles are no real ones. */
export interface Section {
  b0: number;
  b1: number;
  b2: number;
  a1: number;
  a2: number;
}

/** Two doubles. */
const vectorBytes = 16;
/** A pair of sections: its four factors, then its two states. */
const pairVectors = 6;
/** Samples that lie in the kernel's memory at a time. */
const chunkSamples = 8192;
/** Smaller numbers in the tail of silence would slow everything down. */
const settled = 1e-30;

interface Kernel {
  /** The factor of the input, then what each pair holds. */
  values: Float64Array;
  samples: Float32Array;
  /** Filters so many samples in place. */
  run: (count: number) => void;
}

/**
 * For each pair of sections with states s, t: the sum of all s and the input x times a factor is the output, and
 * s becomes c·x + t - a1·s, t becomes d·x - a2·s.
 */
function compileKernel(pairs: number): Kernel {
  const writer = new FunctionWriter(2);
  const [at, end] = writer.parameters;
  const pairAddress = (pair: number, vector: number): number => (1 + pairVectors * pair + vector) * vectorBytes;
  const samplesAddress = pairAddress(pairs, 0);
  const states = Array.from({ length: pairs }, (_, pair) =>
    [4, 5].map((vector) => writer.vector(load(constant(pairAddress(pair, vector))))),
  );
  writer.loop(at, end.get, 4, () => {
    const x = writer.vector(toDoubles(loadSplat(at.get))).get;
    const sum = writer.vector(multiplyDoubles(x, load(constant(0))));
    for (const [pair, [s, t]] of states.entries()) {
      const times = (vector: number, value: readonly number[]): readonly number[] =>
        multiplyDoubles(value, load(constant(pairAddress(pair, vector))));
      writer.set(sum, addDoubles(sum.get, s.get));
      const next = writer.vector(subtractDoubles(addDoubles(times(0, x), t.get), times(1, s.get))).get;
      writer.set(t, subtractDoubles(times(2, x), times(3, s.get)));
      writer.set(s, next);
    }
    const both = addDoubles(sum.get, shuffle(sum.get, sum.get, [2, 3, 0, 1]));
    writer.storeFirst(at.get, fromDoubles(both));
  });
  for (const [pair, vectors] of states.entries()) {
    for (const [index, state] of vectors.entries()) writer.store(constant(pairAddress(pair, 4 + index)), state.get);
  }
  const { memory, run } = writer.compile(samplesAddress + 4 * chunkSamples);
  return {
    values: new Float64Array(memory, 0, samplesAddress / 8),
    samples: new Float32Array(memory, samplesAddress, chunkSamples),
    run: (count) => run(samplesAddress, samplesAddress + 4 * count),
  };
}

/** By the number of pairs; filters take turns in its memory. */
const kernels = new Map<number, Kernel>();

function kernelFor(pairs: number): Kernel {
  let kernel = kernels.get(pairs);
  if (kernel === undefined) kernels.set(pairs, (kernel = compileKernel(pairs)));
  return kernel;
}

/** The product of sections as a recursive filter of a signal that arrives in blocks; the state runs on from block to block. */
export class ParallelFilter {
  readonly #kernel: Kernel;
  /** As the kernel's. */
  readonly #values: Float64Array;

  constructor(sections: readonly Section[]) {
    const pairs = Math.ceil(sections.length / 2);
    this.#kernel = kernelFor(pairs);
    this.#values = new Float64Array(this.#kernel.values.length);
    // What is to pass through at once: all fractions at w = 0.
    this.#values[0] = sections.reduce((product, { b0 }) => product * b0, 1);
    for (const [index, { a1, a2 }] of sections.entries()) {
      const { r0, r1 } = fraction(sections, index);
      const at = 2 * (1 + pairVectors * (index >> 1)) + (index & 1);
      [r1 - a1 * r0, a1, -a2 * r0, a2].forEach((value, vector) => (this.#values[at + 2 * vector] = value));
    }
  }

  /** Filters the block in place. */
  process(block: Float32Array): void {
    const { values, samples, run } = this.#kernel;
    values.set(this.#values);
    for (let from = 0; from < block.length; from += chunkSamples) {
      const part = block.subarray(from, from + chunkSamples);
      samples.set(part);
      run(part.length);
      part.set(part.length === chunkSamples ? samples : samples.subarray(0, part.length));
      for (let i = 0; i < values.length; i++) if (Math.abs(values[i]) < settled) values[i] = 0;
    }
    this.#values.set(values);
  }
}

interface Complex {
  re: number;
  im: number;
}

function times(one: Complex, other: Complex): Complex {
  return { re: one.re * other.re - one.im * other.im, im: one.re * other.im + one.im * other.re };
}

function over(one: Complex, other: Complex): Complex {
  const norm = other.re ** 2 + other.im ** 2;
  const { re, im } = times(one, { re: other.re, im: -other.im });
  return { re: re / norm, im: im / norm };
}

/** The product's fraction (r0 + r1 w) / (1 + a1 w + a2 w²) with the poles of one section. */
function fraction(sections: readonly Section[], index: number): { r0: number; r1: number } {
  const { a1, a2 } = sections[index];
  const pole = { re: -a1 / 2, im: Math.sqrt(a2 - a1 ** 2 / 4) };
  if (!(pole.im > 0)) throw new Error('a section of a parallel filter must have complex poles');
  const w = over({ re: 1, im: 0 }, pole);
  const square = times(w, w);
  const at = (c0: number, c1: number, c2: number): Complex => ({
    re: c0 + c1 * w.re + c2 * square.re,
    im: c1 * w.im + c2 * square.im,
  });
  // Of the section itself remains the factor of its other pole.
  const other = times({ re: pole.re, im: -pole.im }, w);
  let residue = over({ re: 1, im: 0 }, { re: 1 - other.re, im: -other.im });
  for (const [place, section] of sections.entries()) {
    residue = times(residue, at(section.b0, section.b1, section.b2));
    if (place !== index) residue = over(residue, at(1, section.a1, section.a2));
  }
  return { r0: 2 * residue.re, r1: -2 * (residue.re * pole.re + residue.im * pole.im) };
}
