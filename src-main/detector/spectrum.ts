/** Up to which frequency a recording holds sound, and whether it ends abruptly there. */
import { SpectralKernel } from '../features/spectral-kernel.ts';

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

/** Frames that are transformed at a time. */
const batchFrames = 16;
/** Powers below this are nothing. */
const floorPower = 1e-30;
/** Kernels kept: each serves all recordings of its sample rate, of which there are few. */
const mostKernels = 8;
const kernels = new Map<number, SpectralKernel>();

/** Levels of bands of 250 Hz in frames that lie one after the other. */
function kernelFor(sampleRateHz: number): SpectralKernel {
  let kernel = kernels.get(sampleRateHz);
  if (kernel === undefined) {
    const size = frameSizeFor(sampleRateHz);
    const bands = bandCountFor(sampleRateHz);
    const bandBins = (bandHz * size) / sampleRateHz;
    // Hann, scaled so that a frame's powers up to half the rate add up to its mean square.
    const window = Float64Array.from(
      { length: size },
      (_, i) => Math.sqrt(2 / (0.375 * size * size)) * (0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / size)),
    );
    kernel = new SpectralKernel({
      nFft: size,
      window,
      hopLength: size,
      bands: { kind: 'sums', starts: Int32Array.from({ length: bands + 1 }, (_, band) => Math.round(band * bandBins)) },
      floorPower,
      transform: null,
    });
    if (kernels.size === mostKernels) kernels.clear();
    kernels.set(sampleRateHz, kernel);
  }
  return kernel;
}

function frameSizeFor(sampleRateHz: number): number {
  return 2 ** Math.min(13, Math.max(6, Math.round(Math.log2(frameSeconds * sampleRateHz))));
}

function bandCountFor(sampleRateHz: number): number {
  return Math.floor(Math.min(sampleRateHz / 2, highestHz) / bandHz);
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
  readonly #kernel: SpectralKernel;
  readonly #frameSize: number;
  // Frames that wait to be transformed, and their levels, [bands, frames].
  readonly #waiting: Float32Array;
  readonly #levels: Float32Array;
  readonly #bands: number;
  readonly #hop: number;
  readonly #oftenFrames: number;
  readonly #histogram: Uint32Array;
  readonly #quantisationDb: number;
  #lowest = levels;
  #frames = 0;
  // Samples still to pass over before the next frame, and those that wait.
  #skip = 0;
  #filled = 0;

  /** @param bitsPerSample of integer samples, whose rounding is no sound; null where there is no such limit */
  constructor(sampleRateHz: number, bitsPerSample: number | null) {
    const size = frameSizeFor(sampleRateHz);
    this.#kernel = kernelFor(sampleRateHz);
    this.#frameSize = size;
    this.#bands = bandCountFor(sampleRateHz);
    const batch = Math.min(batchFrames, this.#kernel.capacity);
    this.#waiting = new Float32Array(batch * size);
    this.#levels = new Float32Array(batch * this.#bands);
    this.#histogram = new Uint32Array(this.#bands * levels);
    this.#hop = Math.max(size, Math.round(hopSeconds * sampleRateHz));
    this.#oftenFrames = Math.round(oftenSeconds / hopSeconds);
    const roundingDb = bitsPerSample === null ? -Infinity : -6.02 * (bitsPerSample - 1) - 10.8;
    this.#quantisationDb = roundingDb - 10 * Math.log10(sampleRateHz / 2 / bandHz);
  }

  push(block: Float32Array): void {
    const size = this.#frameSize;
    for (let at = 0; at < block.length;) {
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, block.length - at);
        this.#skip -= passed;
        at += passed;
        continue;
      }
      const count = Math.min(size - (this.#filled % size), block.length - at);
      this.#waiting.set(block.subarray(at, at + count), this.#filled);
      this.#filled += count;
      at += count;
      if (this.#filled % size > 0) continue;
      this.#frames++;
      this.#skip = this.#hop * (this.#frames > this.#oftenFrames ? seldomFactor : 1) - size;
      if (this.#filled === this.#waiting.length) this.#measure();
    }
  }

  /** Counts the levels of the whole frames that wait. */
  #measure(): void {
    const frames = Math.floor(this.#filled / this.#frameSize);
    const measured = frames * this.#frameSize;
    this.#kernel.input.set(this.#waiting.subarray(0, measured));
    this.#kernel.run(frames, this.#levels, 0, frames);
    for (let place = 0; place < frames * this.#bands; place++) {
      const level = Math.min(Math.max(Math.round(this.#levels[place]) - lowestDb, 0), levels - 1);
      if (level < this.#lowest) this.#lowest = level;
      this.#histogram[Math.floor(place / frames) * levels + level]++;
    }
    this.#waiting.copyWithin(0, measured, this.#filled);
    this.#filled -= measured;
  }

  /** The level that a share of the frames stays under, for each band, in dB re full scale. */
  #levelsDb(share: number): number[] {
    return Array.from({ length: this.#bands }, (_, band) => {
      let left = share * this.#frames;
      let level = Math.min(this.#lowest, levels - 1);
      while (level < levels - 1 && (left -= this.#histogram[band * levels + level]) > 0) level++;
      return level + lowestDb;
    });
  }

  findings(): SpectrumFindings {
    if (this.#frames < fewestFrames) return { effectiveBandwidthHz: null, sharpCutoffHz: null };
    this.#measure();
    const loud = this.#levelsDb(loudShare);
    const quiet = this.#levelsDb(quietShare);
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
