import { RealFft } from '../features/fft.ts';

/** Width of the bands whose levels are followed. */
const bandHz = 250;
/** The highest frequency looked at. */
const highestHz = 24_000;
/** Frames of about 40 ms, one every so often: often for a minute, then seldom, so that a long recording costs little. */
const frameSeconds = 0.04;
const hopSeconds = 0.05;
const oftenSeconds = 60;
const seldomFactor = 20;
/** From fewer frames nothing is said. */
const fewestFrames = 10;
/** Histograms of band levels have steps of 1 dB between these. */
const lowestDb = -160;
const levels = 180;

/** A band's level that a share of the frames stays under. */
const loudShare = 0.95;
const quietShare = 0.1;
/** Speech comes and goes: where its level changes by less, there is but noise. */
const modulationDb = 10;
/** Content further below the strongest band is taken for images of resampling and the like. */
const rangeDb = 65;
/** A fall by so much over one band is a filter's, not a voice's. */
const cliffDb = 25;
const lowestCliffHz = 3000;

/** A transform with its window, made once for each size: short recordings would spend more time on these than on sound. */
const transforms = new Map<number, { fft: RealFft; window: Float64Array }>();

function transformOf(size: number): { fft: RealFft; window: Float64Array } {
  let transform = transforms.get(size);
  if (transform === undefined) {
    // Hann, scaled so that a frame's powers up to half the rate add up to its mean square.
    const window = Float64Array.from(
      { length: size },
      (_, i) => Math.sqrt(2 / (0.375 * size * size)) * (0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / size)),
    );
    transform = { fft: new RealFft(size), window };
    transforms.set(size, transform);
  }
  return transform;
}

/** What the long-term spectrum of a recording says, at its native rate up to 24 kHz. */
export interface SpectrumFindings {
  /** Upper edge of the highest band of 250 Hz in which something comes and goes above the noise; null where nothing does. */
  effectiveBandwidthHz: number | null;
  /** Where the spectrum ends abruptly below half the sample rate, as after lossy coding or resampling; null where it does not. */
  sharpCutoffHz: number | null;
}

/** Follows band levels of a signal that arrives in blocks, in bounded memory. */
export class SpectrumMeter {
  readonly #fft: RealFft;
  readonly #window: Float64Array;
  readonly #frame: Float64Array;
  readonly #power: Float64Array;
  readonly #bands: number;
  readonly #bandBins: number;
  readonly #hop: number;
  readonly #oftenFrames: number;
  readonly #histogram: Uint32Array;
  readonly #quantisationDb: number;
  readonly #halfRateHz: number;
  #frames = 0;
  // Samples still to pass over before the next frame, and those of the frame that are there.
  #skip = 0;
  #filled = 0;

  /** @param bitsPerSample of integer samples, whose rounding is no sound; null where there is no such limit */
  constructor(sampleRateHz: number, bitsPerSample: number | null) {
    const size = 2 ** Math.min(13, Math.max(6, Math.round(Math.log2(frameSeconds * sampleRateHz))));
    const { fft, window } = transformOf(size);
    this.#fft = fft;
    this.#window = window;
    this.#frame = new Float64Array(size);
    this.#power = new Float64Array(size / 2 + 1);
    this.#halfRateHz = sampleRateHz / 2;
    this.#bandBins = (bandHz * size) / sampleRateHz;
    this.#bands = Math.floor(Math.min(this.#halfRateHz, highestHz) / bandHz);
    this.#histogram = new Uint32Array(this.#bands * levels);
    this.#hop = Math.max(size, Math.round(hopSeconds * sampleRateHz));
    this.#oftenFrames = Math.round(oftenSeconds / hopSeconds);
    const roundingDb = bitsPerSample === null ? -Infinity : -6.02 * (bitsPerSample - 1) - 10.8;
    this.#quantisationDb = roundingDb - 10 * Math.log10(this.#halfRateHz / bandHz);
  }

  push(block: Float32Array): void {
    const size = this.#frame.length;
    for (let at = 0; at < block.length;) {
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, block.length - at);
        this.#skip -= passed;
        at += passed;
        continue;
      }
      const count = Math.min(size - this.#filled, block.length - at);
      for (let i = 0; i < count; i++) this.#frame[this.#filled + i] = block[at + i];
      this.#filled += count;
      at += count;
      if (this.#filled === size) this.#measure();
    }
  }

  #measure(): void {
    const size = this.#frame.length;
    for (let i = 0; i < size; i++) this.#frame[i] *= this.#window[i];
    this.#fft.power(this.#frame, this.#power);
    for (let band = 0; band < this.#bands; band++) {
      const from = Math.round(band * this.#bandBins);
      const to = Math.max(from + 1, Math.round((band + 1) * this.#bandBins));
      let sum = 0;
      for (let bin = from; bin < to; bin++) sum += this.#power[bin];
      const level = Math.round(10 * Math.log10(sum + 1e-30)) - lowestDb;
      this.#histogram[band * levels + Math.min(Math.max(level, 0), levels - 1)]++;
    }
    this.#frames++;
    this.#filled = 0;
    this.#skip = this.#hop * (this.#frames > this.#oftenFrames ? seldomFactor : 1) - size;
  }

  /** The level that a share of the frames stays under, for each band, in dB re full scale. */
  levelsDb(share: number): number[] {
    return Array.from({ length: this.#bands }, (_, band) => {
      let left = share * this.#frames;
      let level = 0;
      while (level < levels - 1 && (left -= this.#histogram[band * levels + level]) > 0) level++;
      return level + lowestDb;
    });
  }

  findings(): SpectrumFindings {
    if (this.#frames < fewestFrames) return { effectiveBandwidthHz: null, sharpCutoffHz: null };
    const loud = this.levelsDb(loudShare);
    const quiet = this.levelsDb(quietShare);
    const strongest = Math.max(...loud);
    const heard = loud.map(
      (level, band) =>
        level - quiet[band] >= modulationDb && level >= strongest - rangeDb && level >= this.#quantisationDb + 6,
    );
    // Two bands side by side, since one may be a tone.
    let top = heard.length - 1;
    while (top > 0 && !(heard[top] && heard[top - 1])) top--;
    return { effectiveBandwidthHz: top > 0 ? (top + 1) * bandHz : null, sharpCutoffHz: this.#cliff(loud) };
  }

  #cliff(loud: number[]): number | null {
    for (let band = Math.ceil(lowestCliffHz / bandHz); band + 2 < loud.length; band++) {
      // From the band before the edge, which itself may be cut in two, to the one after; and it must stay low.
      const fall = loud[band] - loud[band + 2];
      if (fall >= cliffDb && Math.max(...loud.slice(band + 2)) <= loud[band] - cliffDb) return (band + 1) * bandHz;
    }
    return null;
  }
}
