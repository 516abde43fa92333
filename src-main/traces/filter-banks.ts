/**
 * Filter banks of lossy codecs, so that sound can be taken apart where a coder may have done so: MP3's 32 bands with an MDCT of 18 lines in
 * each (ISO/IEC 11172-3, layer III) and AAC's MDCT of 1024 lines (ISO/IEC 14496-3). Long blocks only. All are orthonormal: what a decoder
 * made of zeros is zeros again, but for its rounding.
 */
import { besselI0 } from '../audio/resample.ts';
import { transform } from '../base/fft.ts';

export interface FilterBank {
  /** Samples from one frame to the next, and lines of each. */
  readonly frame: number;
  /** Samples that a frame is computed of. */
  readonly span: number;
  /** Lines of the frame that begins at a sample; overwritten by the next call. */
  linesAt(samples: Float64Array, at: number): Float64Array;
  /** Calls with the lines of each frame that begins at one of `count` successive samples, in any order. */
  everyStart(
    samples: Float64Array,
    at: number,
    count: number,
    visit: (start: number, lines: Float64Array) => void,
  ): void;
}

/** Half of the synthesis window of ISO/IEC 11172-3, in 65536ths; signs as of a prototype low-pass filter. */
// prettier-ignore
const prototypeHalf = [
  0, -1, -1, -1, -1, -1, -1, -2, -2, -2, -2, -3, -3, -4, -4, -5, -5, -6, -7, -7, -8, -9, -10, -11, -13, -14, -16, -17, -19, -21, -24, -26, -29,
  -31, -35, -38, -41, -45, -49, -53, -58, -63, -68, -73, -79, -85, -91, -97, -104, -111, -117, -125, -132, -139, -147, -154, -161, -169, -176,
  -183, -190, -196, -202, -208, -213, -218, -222, -225, -227, -228, -228, -227, -224, -221, -215, -208, -200, -189, -177, -163, -146, -127,
  -106, -83, -57, -29, 2, 36, 72, 111, 153, 197, 244, 294, 347, 401, 459, 519, 581, 645, 711, 779, 848, 919, 991, 1064, 1137, 1210, 1283, 1356,
  1428, 1498, 1567, 1634, 1698, 1759, 1817, 1870, 1919, 1962, 2001, 2032, 2057, 2075, 2085, 2087, 2080, 2063, 2037, 2000, 1952, 1893, 1822,
  1739, 1644, 1535, 1414, 1280, 1131, 970, 794, 605, 402, 185, -45, -288, -545, -814, -1095, -1388, -1692, -2006, -2330, -2663, -3004, -3351,
  -3705, -4063, -4425, -4788, -5153, -5517, -5879, -6237, -6589, -6935, -7271, -7597, -7910, -8209, -8491, -8755, -8998, -9219, -9416, -9585,
  -9727, -9838, -9916, -9959, -9966, -9935, -9863, -9750, -9592, -9389, -9139, -8840, -8492, -8092, -7640, -7134, -6574, -5959, -5288, -4561,
  -3776, -2935, -2037, -1082, -70, 998, 2122, 3300, 4533, 5818, 7154, 8540, 9975, 11455, 12980, 14548, 16155, 17799, 19478, 21189, 22929,
  24694, 26482, 28289, 30112, 31947, 33791, 35640, 37489, 39336, 41176, 43006, 44821, 46617, 48390, 50137, 51853, 53534, 55178, 56778, 58333,
  59838, 61289, 62684, 64019, 65290, 66494, 67629, 68692, 69679, 70590, 71420, 72169, 72835, 73415, 73908, 74313, 74630, 74856, 74992, 75038,
];
const bands = 32;
const taps = 512;
const bandLines = 18;
const mp3Lines = bands * bandLines;

/** Layer III. A frame of it is a granule. */
export class Mp3Bank implements FilterBank {
  readonly frame = mp3Lines;
  readonly span = (2 * bandLines - 1) * bands + taps;
  readonly #prototype = Float64Array.from({ length: taps }, (_, n) => {
    const sign = n & 64 ? -1 : 1;
    return (sign * prototypeHalf[n <= taps / 2 ? n : taps - n]) / 65_536 / Math.sqrt(bands);
  });
  readonly #cosines = cosineTable(bands, bands, (k, n) => ((2 * k + 1) * n * Math.PI) / 64);
  readonly #lineCosines = cosineTable(bandLines, bandLines, (k, n) => (Math.PI / bandLines) * (n + 0.5) * (k + 0.5));
  readonly #window = sineWindow(2 * bandLines);
  readonly #folded = new Float64Array(bands);
  readonly #windowed = new Float64Array(2 * bandLines);
  readonly #block = new Float64Array(bandLines);
  readonly #lines = new Float64Array(mp3Lines);
  #bandSamples = new Float64Array(0);

  linesAt(samples: Float64Array, at: number): Float64Array {
    this.#split(samples, at, 2 * bandLines);
    return this.#linesFrom(0);
  }

  everyStart(
    samples: Float64Array,
    at: number,
    count: number,
    visit: (start: number, lines: Float64Array) => void,
  ): void {
    // Frames a multiple of 32 samples apart share what the bands hold.
    for (let first = 0; first < Math.min(bands, count); first++) {
      const frames = Math.ceil((count - first) / bands);
      this.#split(samples, at + first, 2 * bandLines + frames - 1);
      for (let k = 0; k < frames; k++) visit(at + first + k * bands, this.#linesFrom(k));
    }
  }

  /** So many successive samples of each band. */
  #split(samples: Float64Array, at: number, count: number): void {
    if (this.#bandSamples.length < count * bands) this.#bandSamples = new Float64Array(count * bands);
    const [prototype, cosines, folded] = [this.#prototype, this.#cosines, this.#folded];
    for (let t = 0; t < count; t++) {
      const from = at + bands * t;
      folded.fill(0);
      for (let i = 0; i < 64; i++) {
        let sum = 0;
        for (let j = i; j < taps; j += 64) sum += prototype[j] * samples[from + j];
        // Cosines of (2k + 1)(i + 16)π/64 by those of the first quarter.
        if (i < 16) folded[i + 16] += sum;
        else if (i > 48) folded[i - 48] -= sum;
        else if (i > 16) folded[48 - i] -= sum;
      }
      for (let band = 0; band < bands; band++) {
        let sum = 0;
        for (let n = 0; n < bands; n++) sum += folded[n] * cosines[band * bands + n];
        this.#bandSamples[t * bands + band] = sum;
      }
    }
  }

  #linesFrom(first: number): Float64Array {
    const [windowed, block, lines, cosines] = [this.#windowed, this.#block, this.#lines, this.#lineCosines];
    for (let band = 0; band < bands; band++) {
      for (let n = 0; n < 2 * bandLines; n++) {
        const value = this.#bandSamples[(first + n) * bands + band] * this.#window[n];
        // Odd bands run backwards.
        windowed[n] = band & n & 1 ? -value : value;
      }
      fold(windowed, block);
      for (let k = 0; k < bandLines; k++) {
        let sum = 0;
        for (let n = 0; n < bandLines; n++) sum += block[n] * cosines[k * bandLines + n];
        lines[band * bandLines + k] = sum * lineScale;
      }
    }
    for (let edge = bandLines; edge < mp3Lines; edge += bandLines) {
      for (let i = 0; i < butterflySines.length; i++) {
        const below = lines[edge - 1 - i];
        const above = lines[edge + i];
        lines[edge - 1 - i] = below * butterflyCosines[i] + above * butterflySines[i];
        lines[edge + i] = above * butterflyCosines[i] - below * butterflySines[i];
      }
    }
    return lines;
  }
}

const lineScale = Math.sqrt(2 / bandLines);
/** What takes the aliases of neighbouring bands away: table B.9. */
const butterflies = [-0.6, -0.535, -0.33, -0.185, -0.095, -0.041, -0.0142, -0.0037];
const butterflyCosines = Float64Array.from(butterflies, (c) => 1 / Math.hypot(1, c));
const butterflySines = Float64Array.from(butterflies, (c) => c / Math.hypot(1, c));

/** A modified discrete cosine transform of a power of two of lines, by a complex transform of half as many values. */
export class MdctBank implements FilterBank {
  readonly frame: number;
  readonly span: number;
  readonly #window: Float64Array;
  readonly #windowed: Float64Array;
  readonly #block: Float64Array;
  readonly #lines: Float64Array;
  readonly #re: Float64Array;
  readonly #im: Float64Array;
  readonly #cosines: Float64Array;
  readonly #sines: Float64Array;

  /** @param window twice as long as there are lines; squares of halves add up to 1 */
  constructor(window: Float64Array) {
    const lines = window.length / 2;
    this.frame = lines;
    this.span = window.length;
    this.#window = window;
    this.#windowed = new Float64Array(2 * lines);
    this.#block = new Float64Array(lines);
    this.#lines = new Float64Array(lines);
    this.#re = new Float64Array(lines / 2);
    this.#im = new Float64Array(lines / 2);
    const angle = (n: number): number => (Math.PI / lines) * (n + 0.125);
    this.#cosines = Float64Array.from({ length: lines / 2 }, (_, n) => Math.cos(angle(n)));
    this.#sines = Float64Array.from({ length: lines / 2 }, (_, n) => Math.sin(angle(n)));
  }

  linesAt(samples: Float64Array, at: number): Float64Array {
    const [windowed, block, lines, re, im] = [this.#windowed, this.#block, this.#lines, this.#re, this.#im];
    const [cosines, sines] = [this.#cosines, this.#sines];
    for (let n = 0; n < windowed.length; n++) windowed[n] = samples[at + n] * this.#window[n];
    fold(windowed, block);
    const last = block.length - 1;
    for (let n = 0; n < re.length; n++) {
      const even = block[2 * n];
      const odd = block[last - 2 * n];
      re[n] = even * cosines[n] + odd * sines[n];
      im[n] = odd * cosines[n] - even * sines[n];
    }
    transform(re, im);
    const scale = Math.sqrt(2 / block.length);
    for (let n = 0; n < re.length; n++) {
      lines[2 * n] = scale * (re[n] * cosines[n] + im[n] * sines[n]);
      lines[last - 2 * n] = scale * (re[n] * sines[n] - im[n] * cosines[n]);
    }
    return lines;
  }

  everyStart(
    samples: Float64Array,
    at: number,
    count: number,
    visit: (start: number, lines: Float64Array) => void,
  ): void {
    for (let start = at; start < at + count; start++) visit(start, this.linesAt(samples, start));
  }
}

/** An MDCT's windowed samples as the input of a discrete cosine transform of the fourth kind. */
function fold(windowed: Float64Array, block: Float64Array): void {
  const half = block.length / 2;
  for (let n = 0; n < half; n++) {
    block[n] = -windowed[3 * half - 1 - n] - windowed[3 * half + n];
    block[half + n] = windowed[n] - windowed[2 * half - 1 - n];
  }
}

function cosineTable(rows: number, columns: number, angle: (row: number, column: number) => number): Float64Array {
  return Float64Array.from({ length: rows * columns }, (_, i) => Math.cos(angle(Math.floor(i / columns), i % columns)));
}

export function sineWindow(length: number): Float64Array {
  return Float64Array.from({ length }, (_, n) => Math.sin((Math.PI / length) * (n + 0.5)));
}

/** Kaiser-Bessel-derived, with AAC's α of 4. */
export function kaiserBesselWindow(length: number): Float64Array {
  const half = length / 2;
  const kernel = Float64Array.from({ length: half + 1 }, (_, n) => besselI0(4 * Math.PI * Math.sqrt(1 - ((2 * n) / half - 1) ** 2))); // prettier-ignore
  const all = kernel.reduce((sum, value) => sum + value, 0);
  const window = new Float64Array(length);
  let sum = 0;
  for (let n = 0; n < half; n++) {
    sum += kernel[n];
    window[n] = window[length - 1 - n] = Math.sqrt(sum / all);
  }
  return window;
}

/** As Vorbis has it. */
export function vorbisWindow(length: number): Float64Array {
  return sineWindow(length).map((value) => Math.sin((Math.PI / 2) * value ** 2));
}
