/** The inner loops of FLAC decoding, in WebAssembly. */
import {
  FunctionWriter,
  addInteger,
  addIntegers,
  andInteger,
  compileModule,
  constant,
  fromLong,
  laneInteger,
  leadingZerosLong,
  lessThan,
  load,
  loadBigEndian,
  loadInteger,
  loadSplat,
  multiply,
  multiplyInteger,
  multiplyIntegers,
  shiftLeftInteger,
  shiftLeftLong,
  shiftRightInteger,
  shiftRightUnsigned,
  shiftRightUnsignedLong,
  splatInteger,
  subtractInteger,
  toFloat,
  toLong,
  xorInteger,
} from '../base/wasm-writer.ts';
import type { Expression } from '../base/wasm-writer.ts';

/*
 * What costs most in decoding FLAC: Rice codes, linear prediction whose sums fit 32 bits, and conversion to floats. Decoders
 * of a thread take turns in one memory: what lies in it holds until another frame is decoded.
 */

/** Samples are kept behind this many zeros, so that a predictor may look back past the beginning. */
export const lookBack = 32;
const mostChannels = 8;
const mostSamples = 65_536;
// Samples are restored four at a time: some behind the last may be written.
const samplesRoom = lookBack + mostSamples + 4;
/** No encoder stores a frame in more than its samples take as they are; here of 33 bits, as of a side channel. */
const mostFrameBytes = frameBytesBound(mostSamples, mostChannels, 32);
/** Taps that look at samples not yet restored when their four are begun. */
const nearTaps = 4;

/** More bytes than a frame takes. */
export function frameBytesBound(blockSize: number, channels: number, bitsPerSample: number): number {
  return Math.ceil((blockSize * channels * (bitsPerSample + 1)) / 8) + 1024;
}

// The memory, by address.
const resultAddress = 0;
const scaleAddress = 16;
const coefficientsAddress = 32;
const sumsAddress = coefficientsAddress + 4 * 32;
const weightsAddress = sumsAddress + 4 * 32;
const floatsAddress = weightsAddress + 4 * 4 * 32;
const samplesAddress = floatsAddress + 4 * (mostSamples + 4);
const bytesAddress = samplesAddress + 4 * mostChannels * samplesRoom;
// Eight bytes are read wherever a bit is looked for.
const memoryBytes = bytesAddress + mostFrameBytes + 16;

/**
 * Rice codes from bit `bit` on into the samples from address `at` up to `end`. Ends early before a code of more than 57 bits, and at
 * bit `endBit`. The result is the next bit and address.
 */
function writeRice(): FunctionWriter {
  const writer = new FunctionWriter(5);
  const [bit, at, end, parameter, endBit] = writer.parameters;
  // What is left of 64 bits that were read, the next one highest, zeros behind them.
  const word = writer.long();
  const left = writer.integer();
  const zeros = writer.integer();
  const used = writer.integer();
  const value = writer.integer();
  const suffix = writer.integer(addInteger(parameter.get, constant(1)));
  const down = writer.integer(subtractInteger(constant(63), parameter.get));
  const refill = (): void => {
    writer.leaveLoopWhen(lessThan(endBit.get, addInteger(bit.get, constant(1))));
    const byte = addInteger(shiftRightUnsigned(bit.get, constant(3)), constant(bytesAddress));
    const odd = andInteger(bit.get, constant(7));
    writer.set(word, shiftLeftLong(loadBigEndian(byte), toLong(odd)));
    writer.set(left, subtractInteger(constant(64), odd));
  };
  const measure = (): void => {
    writer.set(zeros, fromLong(leadingZerosLong(word.get)));
    writer.set(used, addInteger(zeros.get, suffix.get));
  };
  const decode = (): void => {
    measure();
    writer.when(lessThan(left.get, used.get), () => {
      refill();
      measure();
      writer.leaveLoopWhen(lessThan(left.get, used.get));
    });
    writer.set(word, shiftLeftLong(word.get, toLong(zeros.get)));
    // The one that ends the zeros stands above the code's last bits, and is one too many of what the zeros count.
    const low = fromLong(shiftRightUnsignedLong(word.get, toLong(down.get)));
    const high = shiftLeftInteger(subtractInteger(zeros.get, constant(1)), parameter.get);
    writer.set(value, addInteger(high, low));
    writer.set(word, shiftLeftLong(word.get, toLong(suffix.get)));
    writer.set(left, subtractInteger(left.get, used.get));
    writer.set(bit, addInteger(bit.get, used.get));
    const sign = subtractInteger(constant(0), andInteger(value.get, constant(1)));
    writer.storeInteger(at.get, xorInteger(shiftRightUnsigned(value.get, constant(1)), sign));
    writer.set(at, addInteger(at.get, constant(4)));
  };
  // Four codes mostly lie in what is read at once: whether one does is then no guess for the processor.
  writer.loop(at, subtractInteger(end.get, constant(12)), 0, () => {
    refill();
    for (let code = 0; code < 4; code++) decode();
  });
  writer.loop(at, end.get, 0, decode);
  writer.storeInteger(constant(resultAddress), bit.get);
  writer.storeInteger(constant(resultAddress), at.get, 4);
  return writer;
}

/**
 * Restores samples from address `at` up to `end`, four at a time: what the first four taps make of the samples just before is
 * summed one by one, everything older waits in vectors of sums, to which each sample adds its share for those to come.
 */
function writePredictor(taps: number): FunctionWriter {
  const writer = new FunctionWriter(3);
  const [at, end, shift] = writer.parameters;
  const near = [0, 1, 2, 3].map((tap) => writer.integer(loadInteger(constant(coefficientsAddress + 4 * tap))));
  // The last sample that was restored at each of four places.
  const last = [0, 1, 2, 3].map((place) => writer.integer(loadInteger(addInteger(at.get, constant(4 * (place - 4))))));
  const sums = Array.from({ length: taps / 4 }, (_, index) => writer.vector(load(constant(sumsAddress + 16 * index))));
  writer.loop(at, end.get, 16, () => {
    for (let place = 0; place < 4; place++) {
      let sum: Expression = laneInteger(sums[0].get, place);
      for (let tap = nearTaps - 1; tap >= 0; tap--) {
        sum = addInteger(sum, multiplyInteger(near[tap].get, last[(place + 3 - tap) % 4].get));
      }
      writer.set(last[place], addInteger(loadInteger(at.get, 4 * place), shiftRightInteger(sum, shift.get)));
      writer.storeInteger(at.get, last[place].get, 4 * place);
    }
    const samples = last.map(({ get }) => writer.vector(splatInteger(get)).get);
    for (const [index, sum] of sums.entries()) {
      let next: Expression | null = sums.at(index + 1)?.get ?? null;
      for (let place = 0; place < 4; place++) {
        if (!hasWeights(index, place)) continue;
        const share = multiplyIntegers(samples[place], load(constant(weightAddress(index, place))));
        next = next === null ? share : addIntegers(next, share);
      }
      writer.set(sum, next ?? []);
    }
  });
  return writer;
}

/** Weights by which the sample at one of four places adds to the sums of the four that come `index + 1` fours later. */
function weightAddress(index: number, place: number): number {
  return weightsAddress + 16 * (4 * index + place);
}

/** The tap that looks from a lane of those sums at that sample. */
function tapOf(index: number, place: number, lane: number): number {
  return 4 * (index + 1) + lane - place - 1;
}

function hasWeights(index: number, place: number): boolean {
  return tapOf(index, place, 3) >= nearTaps;
}

function writeToFloat(): FunctionWriter {
  const writer = new FunctionWriter(2);
  const [at, end] = writer.parameters;
  const to = writer.integer(constant(floatsAddress));
  const scale = writer.vector(loadSplat(constant(scaleAddress))).get;
  writer.loop(at, end.get, 16, () => {
    writer.store(to.get, multiply(toFloat(load(at.get)), scale));
    writer.set(to, addInteger(to.get, constant(16)));
  });
  return writer;
}

export class FlacKernel {
  /** Where a frame is laid to be decoded. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Of each channel, the first sample at `lookBack`. */
  readonly samples: readonly Int32Array[];
  readonly #integers: Int32Array;
  readonly #floats: Float32Array;
  readonly #functions: Record<'rice' | 'toFloat' | `predict${8 | 12 | 32}`, (...p: number[]) => void>;

  constructor() {
    const { memory, functions } = compileModule(
      {
        rice: writeRice(),
        toFloat: writeToFloat(),
        predict8: writePredictor(8),
        predict12: writePredictor(12),
        predict32: writePredictor(32),
      },
      memoryBytes,
    );
    this.#functions = functions;
    this.#integers = new Int32Array(memory);
    this.#floats = new Float32Array(memory);
    this.bytes = new Uint8Array(memory, bytesAddress, mostFrameBytes);
    this.view = new DataView(memory, bytesAddress);
    this.samples = Array.from(
      { length: mostChannels },
      (_, channel) => new Int32Array(memory, samplesAddress + 4 * channel * samplesRoom, samplesRoom),
    );
  }

  /**
   * Decodes Rice codes into `samples[from]` to `samples[to - 1]`, as far as they have at most 57 bits and begin before `endBit`.
   * @returns the next bit and the place of the next sample; the same object each time.
   */
  rice(samples: Int32Array, from: number, to: number, parameter: number, bit: number, endBit: number): Decoded {
    const { byteOffset } = samples;
    this.#functions.rice(bit, byteOffset + 4 * from, byteOffset + 4 * to, parameter, endBit);
    decoded.bit = this.#integers[resultAddress / 4];
    decoded.next = (this.#integers[resultAddress / 4 + 1] - byteOffset) / 4;
    return decoded;
  }

  /** Turns the residual in `samples[from]` to `samples[to - 1]` into samples; all sums are cut to 32 bits. */
  predict(samples: Int32Array, from: number, to: number, coefficients: Int32Array, order: number, shift: number): void {
    // A shorter one has zeros at its end.
    const size = order <= 8 ? 8 : order <= 12 ? 12 : 32;
    const integers = this.#integers;
    const tap = (index: number): number => (index >= nearTaps && index < order ? coefficients[index] : 0);
    for (let index = 0; index < nearTaps; index++) {
      integers[coefficientsAddress / 4 + index] = index < order ? coefficients[index] : 0;
    }
    for (let index = 0; index < size / 4; index++) {
      for (let lane = 0; lane < 4; lane++) {
        // Of the samples before the first that is restored.
        const offset = 4 * index + lane;
        let sum = 0;
        for (let j = Math.max(offset, nearTaps); j < order; j++) {
          sum = (sum + Math.imul(coefficients[j], samples[from + offset - 1 - j])) | 0;
        }
        integers[sumsAddress / 4 + offset] = sum;
        for (let place = 0; place < 4; place++) {
          integers[weightAddress(index, place) / 4 + lane] = tap(tapOf(index, place, lane));
        }
      }
    }
    const { byteOffset } = samples;
    this.#functions[`predict${size}`](byteOffset + 4 * from, byteOffset + 4 * to, shift);
  }

  /** The first samples times a power of two; they hold until the next call. */
  toFloat(samples: Int32Array, count: number, scale: number): Float32Array {
    this.#floats[scaleAddress / 4] = scale;
    const address = samples.byteOffset + 4 * lookBack;
    this.#functions.toFloat(address, address + 4 * count);
    return this.#floats.subarray(floatsAddress / 4, floatsAddress / 4 + count);
  }
}

interface Decoded {
  bit: number;
  next: number;
}
const decoded: Decoded = { bit: 0, next: 0 };

let kernel: FlacKernel | null = null;

/** That of this thread. */
export function flacKernel(): FlacKernel {
  return (kernel ??= new FlacKernel());
}
