/** Short-time spectra summed into bands, in WebAssembly written here, several frames at once. */
import {
  FunctionWriter,
  add,
  addInteger,
  addIntegers,
  and,
  constant,
  divide,
  greater,
  integerLanes,
  lanes,
  load,
  loadInteger,
  loadSplat,
  multiply,
  select,
  shiftRight,
  shuffle,
  squareRoot,
  subtract,
  subtractIntegers,
  toFloat,
} from '../base/wasm-writer.ts';
import type { Expression, Local } from '../base/wasm-writer.ts';

/*
 * Log-spectrograms on four frames at a time, one in each float32 lane: no lane sees another, so a frame's numbers are
 * the same wherever it stands. Each step is written out for the parameters at hand and compiled once.
 *
 * Power spectra of real frames: the frame is packed into a complex sequence of half its length, which goes through
 * Stockham's self-sorting radix-4 transform (one radix-2 pass at the end where the length asks for it); the two halves
 * are then taken apart (Sorensen, Jones, Heideman and Burrus, "Real-valued fast Fourier transform algorithms", 1987).
 */

/** Bytes of four lanes, and of a complex number in four lanes. */
const vectorBytes = 16;
const complexBytes = 32;
/** Samples that lie in the kernel's memory at a time, about. */
const chunkSamples = 65_536;
const mostChunkFrames = 512;

/**
 * Triangular filters in a row, each rising where the one before it falls: filter m rises over stretch m and falls
 * over stretch m + 1. `starts[s]` is the first bin of stretch s, [filters + 2].
 */
export interface TriangularFilters {
  starts: Int32Array;
  /** Weight of each bin in the filter that rises there, and in the one that falls, [nFft / 2 + 1]. */
  rising: Float64Array;
  falling: Float64Array;
  /** [filters]. */
  gains: Float64Array;
}

/**
 * What becomes of a frame's spectrum: the powers of some of its bins, filters' sums of them, or plain sums over stretches of bins, each up to
 * where the next one begins; `complex`: the bins themselves as they are, first all real parts, then all imaginary ones.
 */
export type Bands =
  | { kind: 'bins'; first: number; count: number }
  | { kind: 'complex'; first: number; count: number }
  | { kind: 'filters'; filters: TriangularFilters }
  | { kind: 'sums'; starts: Int32Array };

export interface KernelSettings {
  nFft: number;
  /** Of the window's length, at most `nFft`; it lies in the middle of the transform's frame. */
  window: Float64Array;
  hopLength: number;
  bands: Bands;
  /** Powers below this become this; null: the result is not levels but magnitudes, the roots of the bands' powers. */
  floorPower: number | null;
  /** Added to every power before it is floored. */
  addedPower?: number;
  /** Rows of this matrix, [rows, bands] row-major, times the bands' levels are the result; null: the levels themselves. */
  transform: Float64Array | null;
}

/** Whether a transform may have so many points. */
export function isFftSize(size: number): boolean {
  return Number.isInteger(size) && size >= 64 && size <= 32_768 && (size & (size - 1)) === 0;
}

/** How many bands. */
function bandCountOf(bands: Bands): number {
  if (bands.kind === 'bins') return bands.count;
  if (bands.kind === 'complex') return 2 * bands.count;
  return bands.kind === 'sums' ? bands.starts.length - 1 : bands.filters.gains.length;
}

/** Hands out addresses. */
class Layout {
  bytes = 0;

  take(bytes: number): number {
    const at = this.bytes;
    this.bytes = at + Math.ceil(bytes / vectorBytes) * vectorBytes;
    return at;
  }
}

/** Log-spectrograms of samples laid into its memory. */
export class SpectralKernel {
  /** Rows of the result. */
  readonly rows: number;
  /** Frames that one call may make. */
  readonly capacity: number;
  /** Where the samples of one call go, `(capacity - 1) * hopLength + window.length` of them. */
  readonly input: Float32Array;
  readonly #output: Float32Array;
  readonly #inputAddress: number;
  readonly #outputAddress: number;
  readonly #run: (input: number, output: number, outputEnd: number, rowBytes: number) => void;

  constructor(settings: KernelSettings) {
    const { window, hopLength, bands, transform } = settings;
    const bandCount = bandCountOf(bands);
    this.rows = transform === null ? bandCount : transform.length / bandCount;
    this.capacity = 4 * Math.max(1, Math.min(mostChunkFrames / 4, Math.floor(chunkSamples / hopLength / 4)));
    const layout = new Layout();
    const tables: { address: number; values: Float32Array | Int32Array }[] = [];
    const table = (values: Float64Array | Int32Array): number => {
      const address = layout.take(4 * values.length);
      tables.push({ address, values: values instanceof Int32Array ? values : Float32Array.from(values) });
      return address;
    };
    const writer = new FunctionWriter(4);
    const [input, output, outputEnd, rowBytes] = writer.parameters;
    const step = new FrameSteps(writer, layout, table, settings);
    writer.loop(output, outputEnd.get, vectorBytes, () => {
      step.window(input.get);
      step.transform();
      step.bands(output.get, rowBytes.get);
      writer.set(input, addInteger(input.get, constant(4 * 4 * hopLength)));
    });
    const samples = (this.capacity - 1) * hopLength + window.length;
    this.#inputAddress = layout.take(4 * samples);
    this.#outputAddress = layout.take(4 * this.rows * this.capacity);
    const { memory, run } = writer.compile(layout.bytes);
    for (const { address, values } of tables) {
      new Uint8Array(memory).set(new Uint8Array(values.buffer), address);
    }
    this.input = new Float32Array(memory, this.#inputAddress, samples);
    this.#output = new Float32Array(memory, this.#outputAddress, this.rows * this.capacity);
    this.#run = run;
  }

  /**
   * Levels of the first frames of what lies in `input`, 10 log10(max(power + addedPower, floorPower)), or magnitudes, or their transform.
   * @param count at most `capacity`
   * @param out row-major; frame `first` and the following ones of its `frames` columns are written
   */
  run(count: number, out: Float32Array, first: number, frames: number): void {
    const columns = 4 * Math.ceil(count / 4);
    this.#run(this.#inputAddress, this.#outputAddress, this.#outputAddress + 4 * columns, 4 * columns);
    for (let row = 0; row < this.rows; row++) {
      out.set(this.#output.subarray(row * columns, row * columns + count), row * frames + first);
    }
  }
}

/** A complex number in four lanes. */
interface Complex {
  re: Local;
  im: Local;
}

/** Writes the steps that turn four frames into their levels. */
class FrameSteps {
  readonly #writer: FunctionWriter;
  readonly #settings: KernelSettings;
  readonly #layout: Layout;
  readonly #table: (values: Float64Array | Int32Array) => number;
  readonly #half: number;
  /** Addresses of the windowed frames, of the transform's two buffers and of the power spectra, or of the real parts and the imaginary ones. */
  readonly #frame: number;
  readonly #buffers: [number, number];
  readonly #power: number;
  readonly #imaginary: number;

  constructor(
    writer: FunctionWriter,
    layout: Layout,
    table: (values: Float64Array | Int32Array) => number,
    settings: KernelSettings,
  ) {
    this.#writer = writer;
    this.#layout = layout;
    this.#table = table;
    this.#settings = settings;
    const { nFft } = settings;
    this.#half = nFft / 2;
    this.#frame = layout.take(nFft * vectorBytes);
    this.#buffers = [layout.take(nFft * vectorBytes), layout.take(nFft * vectorBytes)];
    this.#power = layout.take((this.#half + 1) * vectorBytes);
    this.#imaginary = settings.bands.kind === 'complex' ? layout.take((this.#half + 1) * vectorBytes) : this.#power;
  }

  /** Samples times window, four frames side by side. What of the transform's frame lies outside stays zero. */
  window(input: Expression): void {
    const { window, hopLength, nFft } = this.#settings;
    const writer = this.#writer;
    // Halved: taking the halves apart divides by two.
    const weights = this.#table(window.map((weight) => weight / 2));
    const frame = this.#frame + Math.floor((nFft - window.length) / 2) * vectorBytes;
    const whole = window.length - (window.length % 4);
    const at = writer.integer();
    const to = writer.integer();
    const weight = writer.integer();
    writer.set(at, input);
    writer.set(to, constant(frame));
    writer.set(weight, constant(weights));
    const put = (index: number, value: Expression): void =>
      writer.store(to.get, multiply(value, loadSplat(weight.get, 4 * index)), vectorBytes * index);
    writer.loop(weight, constant(weights + 4 * whole), 16, () => {
      const [a, b, c, d] = [0, 1, 2, 3].map((lane) => writer.vector(load(at.get, 4 * lane * hopLength)).get);
      const lowAb = writer.vector(shuffle(a, b, [0, 4, 1, 5])).get;
      const highAb = writer.vector(shuffle(a, b, [2, 6, 3, 7])).get;
      const lowCd = writer.vector(shuffle(c, d, [0, 4, 1, 5])).get;
      const highCd = writer.vector(shuffle(c, d, [2, 6, 3, 7])).get;
      put(0, shuffle(lowAb, lowCd, [0, 1, 4, 5]));
      put(1, shuffle(lowAb, lowCd, [2, 3, 6, 7]));
      put(2, shuffle(highAb, highCd, [0, 1, 4, 5]));
      put(3, shuffle(highAb, highCd, [2, 3, 6, 7]));
      writer.set(at, addInteger(at.get, constant(16)));
      writer.set(to, addInteger(to.get, constant(4 * vectorBytes)));
    });
    for (let index = 0; index < window.length - whole; index++) {
      const [a, b, c, d] = [0, 1, 2, 3].map((lane) => loadSplat(at.get, 4 * (lane * hopLength + index)));
      put(index, shuffle(shuffle(a, b, [0, 4, 0, 4]), shuffle(c, d, [0, 4, 0, 4]), [0, 1, 4, 5]));
    }
  }

  /** The spectra, or their powers. */
  transform(): void {
    let from = this.#frame;
    let [to, other] = this.#buffers;
    let stride = complexBytes;
    let length = this.#half;
    for (; length >= 4; length /= 4) {
      this.#radix4(from, to, stride, length);
      from = to;
      [to, other] = [other, to];
      stride *= 4;
    }
    if (length === 2) {
      this.#radix2(from, to, stride);
      from = to;
    }
    this.#split(from);
  }

  /** `[value, value times the factor that lies at the address]` are stored. */
  #turned(value: { re: Expression; im: Expression }, to: Expression, factor: [Local, Local] | null, at: number): void {
    const writer = this.#writer;
    if (factor === null) {
      writer.store(to, value.re, at);
      writer.store(to, value.im, at + vectorBytes);
      return;
    }
    const re = writer.vector(value.re).get;
    const im = writer.vector(value.im).get;
    const [cosine, sine] = [factor[0].get, factor[1].get];
    writer.store(to, subtract(multiply(re, cosine), multiply(im, sine)), at);
    writer.store(to, add(multiply(re, sine), multiply(im, cosine)), at + vectorBytes);
  }

  #complex(address: Expression, at: number): Complex {
    return {
      re: this.#writer.vector(load(address, at)),
      im: this.#writer.vector(load(address, at + vectorBytes)),
    };
  }

  #sum(left: Complex, right: Complex): Complex {
    return {
      re: this.#writer.vector(add(left.re.get, right.re.get)),
      im: this.#writer.vector(add(left.im.get, right.im.get)),
    };
  }

  #difference(left: Complex, right: Complex): Complex {
    return {
      re: this.#writer.vector(subtract(left.re.get, right.re.get)),
      im: this.#writer.vector(subtract(left.im.get, right.im.get)),
    };
  }

  /** Butterflies of four at one place; the addresses are of its first input and output. */
  #butterfly(
    from: Expression,
    to: Expression,
    inputStep: number,
    stride: number,
    factors: [Local, Local][] | null,
  ): void {
    const [a, b, c, d] = [0, 1, 2, 3].map((place) => this.#complex(from, place * inputStep));
    const sumAc = this.#sum(a, c);
    const differenceAc = this.#difference(a, c);
    const sumBd = this.#sum(b, d);
    const differenceBd = this.#difference(b, d);
    this.#turned({ re: add(sumAc.re.get, sumBd.re.get), im: add(sumAc.im.get, sumBd.im.get) }, to, null, 0);
    const rest = [
      { re: add(differenceAc.re.get, differenceBd.im.get), im: subtract(differenceAc.im.get, differenceBd.re.get) },
      { re: subtract(sumAc.re.get, sumBd.re.get), im: subtract(sumAc.im.get, sumBd.im.get) },
      { re: subtract(differenceAc.re.get, differenceBd.im.get), im: add(differenceAc.im.get, differenceBd.re.get) },
    ];
    rest.forEach((value, index) => this.#turned(value, to, factors?.[index] ?? null, (index + 1) * stride));
  }

  /** One pass over sequences of `length`; `stride` bytes lie between the elements of one. */
  #radix4(source: number, target: number, stride: number, length: number): void {
    const writer = this.#writer;
    const groups = length / 4;
    const inputStep = stride * groups;
    const from = writer.integer();
    const to = writer.integer();
    const walk = (group: Expression | number, factors: [Local, Local][] | null): void => {
      if (typeof group === 'number') {
        writer.set(from, constant(source));
        writer.set(to, constant(target));
      }
      const end = writer.integer();
      writer.set(end, addInteger(from.get, constant(stride)));
      writer.loop(from, end.get, complexBytes, () => {
        this.#butterfly(from.get, to.get, inputStep, stride, factors);
        writer.set(to, addInteger(to.get, constant(complexBytes)));
      });
    };
    // The first group's factors are all 1.
    walk(0, null);
    if (groups === 1) return;
    const values = new Float64Array(6 * groups);
    for (let group = 0; group < groups; group++) {
      for (let power = 1; power <= 3; power++) {
        const angle = (-2 * Math.PI * group * power) / length;
        values[6 * group + 2 * power - 2] = Math.cos(angle);
        values[6 * group + 2 * power - 1] = Math.sin(angle);
      }
    }
    const table = this.#table(values);
    const factor = writer.integer();
    writer.set(factor, constant(table + 24));
    writer.loop(factor, constant(table + 24 * groups), 24, () => {
      const factors = [0, 8, 16].map((at): [Local, Local] => [
        writer.vector(loadSplat(factor.get, at)),
        writer.vector(loadSplat(factor.get, at + 4)),
      ]);
      // The walk before has left `from` at this group's start, and `to` one stride behind the first quarter.
      writer.set(to, addInteger(to.get, constant(3 * stride)));
      walk(factor.get, factors);
    });
  }

  /** The last pass of two-point transforms, whose factors are all 1. */
  #radix2(source: number, target: number, stride: number): void {
    const writer = this.#writer;
    const offset = writer.integer();
    writer.set(offset, constant(0));
    writer.loop(offset, constant(stride), vectorBytes, () => {
      const a = writer.vector(load(offset.get, source));
      const b = writer.vector(load(offset.get, source + stride));
      writer.store(offset.get, add(a.get, b.get), target);
      writer.store(offset.get, subtract(a.get, b.get), target + stride);
    });
  }

  /** From the packed spectrum of half the length to the real frames' bins, or their powers. */
  #split(source: number): void {
    const writer = this.#writer;
    const half = this.#half;
    const power = this.#power;
    const norm = (value: Expression): Expression => {
      const local = writer.vector(value).get;
      return multiply(local, local);
    };
    const beside = this.#imaginary - power;
    const put = (at: Expression, re: Expression, im: Expression): void => {
      if (beside === 0) return writer.store(at, add(norm(re), norm(im)));
      writer.store(at, re);
      writer.store(at, im, beside);
    };
    const zero = this.#complex(constant(source), 0);
    put(constant(power), multiply(add(zero.re.get, zero.im.get), lanes(2)), lanes(0));
    put(constant(power + half * vectorBytes), multiply(subtract(zero.re.get, zero.im.get), lanes(2)), lanes(0));
    const values = new Float64Array(half + 2);
    for (let bin = 0; bin <= half / 2; bin++) {
      const angle = (-2 * Math.PI * bin) / (2 * half);
      values[2 * bin] = Math.cos(angle);
      values[2 * bin + 1] = Math.sin(angle);
    }
    const table = this.#table(values);
    const low = writer.integer();
    const high = writer.integer();
    const factor = writer.integer();
    const lowPower = writer.integer();
    const highPower = writer.integer();
    writer.set(low, constant(source + complexBytes));
    writer.set(high, constant(source + (half - 1) * complexBytes));
    writer.set(lowPower, constant(power + vectorBytes));
    writer.set(highPower, constant(power + (half - 1) * vectorBytes));
    writer.set(factor, constant(table + 8));
    writer.loop(factor, constant(table + 4 * (half + 2)), 8, () => {
      const one = this.#complex(low.get, 0);
      const other = this.#complex(high.get, 0);
      const evenRe = writer.vector(add(one.re.get, other.re.get)).get;
      const evenIm = writer.vector(subtract(one.im.get, other.im.get)).get;
      const oddRe = writer.vector(add(one.im.get, other.im.get)).get;
      const oddIm = writer.vector(subtract(other.re.get, one.re.get)).get;
      const cosine = writer.vector(loadSplat(factor.get)).get;
      const sine = writer.vector(loadSplat(factor.get, 4)).get;
      const re = writer.vector(subtract(multiply(oddRe, cosine), multiply(oddIm, sine))).get;
      const im = writer.vector(add(multiply(oddRe, sine), multiply(oddIm, cosine))).get;
      put(lowPower.get, add(evenRe, re), add(evenIm, im));
      put(highPower.get, subtract(evenRe, re), subtract(im, evenIm));
      writer.set(low, addInteger(low.get, constant(complexBytes)));
      writer.set(high, addInteger(high.get, constant(-complexBytes)));
      writer.set(lowPower, addInteger(lowPower.get, constant(vectorBytes)));
      writer.set(highPower, addInteger(highPower.get, constant(-vectorBytes)));
    });
  }

  /** The bands' levels, and what is made of them, into the result's rows. */
  bands(output: Expression, rowBytes: Expression): void {
    const { bands, transform } = this.#settings;
    const writer = this.#writer;
    const bandCount = bandCountOf(bands);
    const to = writer.integer();
    const levels = transform === null ? null : this.#layout.take(bandCount * vectorBytes);
    writer.set(to, levels === null ? output : constant(levels));
    const put = (power: Expression): void => {
      const { floorPower, addedPower = 0 } = this.#settings;
      const raised = addedPower === 0 ? power : add(power, lanes(addedPower));
      writer.store(to.get, floorPower === null ? squareRoot(power) : this.#decibels(raised, floorPower));
      writer.set(to, addInteger(to.get, levels === null ? rowBytes : constant(vectorBytes)));
    };
    if (bands.kind === 'complex') {
      for (const part of [this.#power, this.#imaginary]) {
        const at = writer.integer();
        const from = part + bands.first * vectorBytes;
        writer.set(at, constant(from));
        writer.loop(at, constant(from + bands.count * vectorBytes), vectorBytes, () => {
          writer.store(to.get, load(at.get));
          writer.set(to, addInteger(to.get, rowBytes));
        });
      }
    } else if (bands.kind === 'bins') {
      const at = writer.integer();
      const from = this.#power + bands.first * vectorBytes;
      writer.set(at, constant(from));
      writer.loop(at, constant(from + bands.count * vectorBytes), vectorBytes, () => put(load(at.get)));
    } else if (bands.kind === 'filters') {
      this.#filters(bands.filters, put);
    } else {
      this.#sums(bands.starts, put);
    }
    if (transform !== null && levels !== null) this.#multiplied(transform, levels, bandCount, output, rowBytes);
  }

  #sums(starts: Int32Array, put: (power: Expression) => void): void {
    const writer = this.#writer;
    const ends = this.#table(starts.slice(1).map((bin) => this.#power + bin * vectorBytes));
    const bin = writer.integer();
    const end = writer.integer();
    const stretch = writer.integer();
    const sum = writer.vector(lanes(0));
    writer.set(bin, constant(this.#power + starts[0] * vectorBytes));
    writer.set(stretch, constant(ends));
    writer.loop(stretch, constant(ends + 4 * (starts.length - 1)), 4, () => {
      writer.set(end, loadInteger(stretch.get));
      writer.set(sum, lanes(0));
      writer.loop(bin, end.get, vectorBytes, () => writer.set(sum, add(sum.get, load(bin.get))));
      put(sum.get);
    });
  }

  #filters({ starts, rising, falling, gains }: TriangularFilters, put: (power: Expression) => void): void {
    const writer = this.#writer;
    // The two weights of a bin lie beside one another.
    const weights = this.#table(
      Float64Array.from({ length: 2 * rising.length }, (_, i) => (i % 2 ? falling : rising)[i >> 1]),
    );
    const ends = this.#table(starts.slice(1).map((bin) => this.#power + bin * vectorBytes));
    const gainTable = this.#table(gains);
    const bin = writer.integer();
    const weight = writer.integer();
    const stretch = writer.integer();
    const rise = writer.vector(lanes(0));
    const fall = writer.vector(lanes(0));
    const risen = writer.vector(lanes(0));
    const sumStretch = (end: Expression): void => {
      writer.set(rise, lanes(0));
      writer.set(fall, lanes(0));
      writer.loop(bin, end, vectorBytes, () => {
        const power = writer.vector(load(bin.get)).get;
        writer.set(rise, add(rise.get, multiply(power, loadSplat(weight.get))));
        writer.set(fall, add(fall.get, multiply(power, loadSplat(weight.get, 4))));
        writer.set(weight, addInteger(weight.get, constant(8)));
      });
    };
    writer.set(bin, constant(this.#power + starts[0] * vectorBytes));
    writer.set(weight, constant(weights + 8 * starts[0]));
    sumStretch(loadInteger(constant(ends)));
    writer.set(risen, rise.get);
    writer.set(stretch, constant(4));
    writer.loop(stretch, constant(4 * (gains.length + 1)), 4, () => {
      const end = writer.integer();
      writer.set(end, loadInteger(stretch.get, ends));
      sumStretch(end.get);
      put(multiply(add(risen.get, fall.get), loadSplat(stretch.get, gainTable - 4)));
      writer.set(risen, rise.get);
    });
  }

  /**
   * 10 log10 of a power, from its own exponent and a series in (m - 1) / (m + 1) for its mantissa m in [0.71, 1.42): off by less than
   * 1e-5 dB. What is below the floor or not a number becomes the floor.
   */
  #decibels(power: Expression, floorPower: number): Expression {
    const writer = this.#writer;
    const x = writer.vector(power).get;
    // 0x3f3504f3 is the square root of a half.
    const above = writer.vector(subtractIntegers(x, integerLanes(0x3f3504f3))).get;
    const octaves = toFloat(shiftRight(above, 23));
    const m = writer.vector(addIntegers(and(above, integerLanes(0x7fffff)), integerLanes(0x3f3504f3))).get;
    const s = writer.vector(divide(subtract(m, lanes(1)), add(m, lanes(1)))).get;
    const square = writer.vector(multiply(s, s)).get;
    const scale = 20 / Math.LN10;
    const series = [1 / 7, 1 / 5, 1 / 3, 1].reduce<Expression>(
      (sum, factor, index) => (index === 0 ? lanes(scale * factor) : add(multiply(sum, square), lanes(scale * factor))),
      [],
    );
    const level = add(multiply(octaves, lanes(10 * Math.log10(2))), multiply(s, series));
    return select(level, lanes(10 * Math.log10(floorPower)), greater(x, lanes(floorPower)));
  }

  /** A matrix, [rows, columns], times the levels. */
  #multiplied(matrix: Float64Array, levels: number, columns: number, output: Expression, rowBytes: Expression): void {
    const writer = this.#writer;
    const table = this.#table(matrix);
    const to = writer.integer();
    const at = writer.integer();
    const level = writer.integer();
    const rowEnd = writer.integer();
    const sum = writer.vector(lanes(0));
    writer.set(to, output);
    writer.set(at, constant(table));
    writer.set(rowEnd, constant(table));
    writer.loop(rowEnd, constant(table + 4 * matrix.length), 0, () => {
      writer.set(rowEnd, addInteger(rowEnd.get, constant(4 * columns)));
      writer.set(sum, lanes(0));
      writer.set(level, constant(levels));
      writer.loop(at, rowEnd.get, 4, () => {
        writer.set(sum, add(sum.get, multiply(load(level.get), loadSplat(at.get))));
        writer.set(level, addInteger(level.get, constant(vectorBytes)));
      });
      writer.store(to.get, sum.get);
      writer.set(to, addInteger(to.get, rowBytes));
    });
  }
}
