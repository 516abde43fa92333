import {
  FunctionWriter,
  absolute,
  addDoubles,
  and,
  compileModule,
  constant,
  fromDoubles,
  greater,
  integerLanes,
  lanes,
  largest,
  load,
  loadSplat,
  multiplyDoubles,
  shuffle,
  toDoubles,
} from '../base/wasm-writer.ts';
import type { Expression } from '../base/wasm-writer.ts';

/*
 * What is done to every sample of a recording, four at a time. Sums and products are those of doubles, rounded once, as
 * JavaScript would make them.
 */

/** Samples that lie in the kernel's memory at a time. */
const chunkSamples = 65_536;
const vectorBytes = 16;
// The memory: results or factors, then samples.
const valuesBytes = 2 * vectorBytes;

/** The first two of four float32 as float64, and the last two. */
function halves(value: Expression): [Expression, Expression] {
  return [toDoubles(value), toDoubles(shuffle(value, value, [2, 3, 2, 3]))];
}

function writeSquares(): FunctionWriter {
  const writer = new FunctionWriter(2);
  const [at, end] = writer.parameters;
  const sums = [writer.vector(lanes(0)), writer.vector(lanes(0))];
  writer.loop(at, end.get, vectorBytes, () => {
    for (const [index, half] of halves(writer.vector(load(at.get)).get).entries()) {
      const value = writer.vector(half).get;
      writer.set(sums[index], addDoubles(sums[index].get, multiplyDoubles(value, value)));
    }
  });
  for (const [index, { get }] of sums.entries()) writer.store(constant(index * vectorBytes), get);
  return writer;
}

function writeScale(): FunctionWriter {
  const writer = new FunctionWriter(2);
  const [at, end] = writer.parameters;
  const gain = writer.vector(load(constant(0))).get;
  writer.loop(at, end.get, vectorBytes, () => {
    const [low, high] = halves(writer.vector(load(at.get)).get).map((half) => fromDoubles(multiplyDoubles(half, gain)));
    writer.store(at.get, shuffle(low, high, [0, 1, 4, 5]));
  });
  return writer;
}

/** The largest magnitudes, and ones in every lane in which all were below the limit that lies where they will. */
function writePeak(): FunctionWriter {
  const writer = new FunctionWriter(2);
  const [at, end] = writer.parameters;
  const limit = writer.vector(loadSplat(constant(0))).get;
  const peak = writer.vector(lanes(0));
  const below = writer.vector(integerLanes(-1));
  writer.loop(at, end.get, vectorBytes, () => {
    const value = writer.vector(absolute(load(at.get))).get;
    writer.set(peak, largest(peak.get, value));
    writer.set(below, and(below.get, greater(limit, value)));
  });
  writer.store(constant(0), peak.get);
  writer.store(constant(vectorBytes), below.get);
  return writer;
}

const { memory, functions } = compileModule(
  { squares: writeSquares(), scale: writeScale(), peak: writePeak() },
  valuesBytes + 4 * chunkSamples,
);
const doubles = new Float64Array(memory, 0, 4);
const floats = new Float32Array(memory, 0, 4);
const masks = new Int32Array(memory, vectorBytes, 4);
const chunk = new Float32Array(memory, valuesBytes, chunkSamples);

/** Lays samples into the memory, at most a chunk, with zeros up to the next four. @returns the address of their end. */
function lay(samples: Float32Array): number {
  chunk.set(samples);
  if (samples.length % 4 !== 0) chunk.fill(0, samples.length, Math.min(samples.length + 3, chunkSamples));
  return valuesBytes + 4 * samples.length;
}

/** The sum of the samples' squares. */
export function sumOfSquares(samples: Float32Array): number {
  let sum = 0;
  for (let from = 0; from < samples.length; from += chunkSamples) {
    functions.squares(valuesBytes, lay(samples.subarray(from, from + chunkSamples)));
    sum += doubles[0] + doubles[1] + (doubles[2] + doubles[3]);
  }
  return sum;
}

/** Writes the samples times a gain into `to`, which is as long and may be the same. */
export function scaleSamples(samples: Float32Array, gain: number, to: Float32Array): void {
  for (let from = 0; from < samples.length; from += chunkSamples) {
    const part = samples.subarray(from, from + chunkSamples);
    const end = lay(part);
    doubles.fill(gain, 0, 2);
    functions.scale(valuesBytes, end);
    to.set(part.length === chunkSamples ? chunk : chunk.subarray(0, part.length), from);
  }
}

/**
 * The largest magnitude among at most 65,536 samples, or null where one is no number or not below the limit.
 */
export function peakBelow(samples: Float32Array, limit: number): number | null {
  const end = lay(samples);
  floats[0] = limit;
  functions.peak(valuesBytes, end);
  if (masks.some((mask) => mask !== -1)) return null;
  return Math.max(floats[0], floats[1], floats[2], floats[3]);
}
