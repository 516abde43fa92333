/**
 * Whether the two channels of a recording are the two sides of a conversation, one speaker on each, as telephone systems record calls: most of
 * the time one side speaks while the other is quiet, and what they hold is not the same sound. Of such a recording the mix is of two
 * voices, and each channel is to be judged on its own.
 */
import { openAudio, probe } from './decode.ts';
import type { AudioSource, OpenOptions } from './types.ts';

const frameSeconds = 0.03;
/** A channel's loud level: exceeded by one in a hundred of its frames, so that one who says little has one, too. */
const loudShare = 0.01;
/** A frame counts where a channel is no further than this below its loud level. */
const activeDb = 25;
/** A channel is alone in a frame where it stands so much higher, each measured by its own loud level. */
const aloneDb = 12;

/** What was measured of two channels. */
export interface SideMeasures {
  /** Seconds in which at least one of them is active. */
  activeSeconds: number;
  /** Share of these in which one is alone, for each of the two. */
  alone: [number, number];
  /** Magnitude of the correlation of their samples while at least one is active. */
  correlation: number;
}

/** From where on two channels are two sides (docs/detector.md, “Telephone calls with a speaker on each side”, for how they were chosen). */
const sideLimits = { alone: 0.4, aloneOfEach: 0.05, secondsOfEach: 1, correlation: 0.3 } as const;

/** Takes blocks of two channels, as they come, and measures them in frames. */
export class SideMeter {
  readonly #frameLength: number;
  readonly #first: number[] = [];
  readonly #second: number[] = [];
  readonly #product: number[] = [];
  #filled = 0;
  #sums: [number, number, number] = [0, 0, 0];

  constructor(sampleRateHz: number) {
    this.#frameLength = Math.max(1, Math.round(frameSeconds * sampleRateHz));
  }

  push(first: Float32Array, second: Float32Array, length: number): void {
    for (let at = 0; at < length;) {
      const end = Math.min(length, at + this.#frameLength - this.#filled);
      this.#filled += end - at;
      let [a, b, ab] = this.#sums;
      for (; at < end; at++) {
        const [x, y] = [first[at], second[at]];
        a += x * x;
        b += y * y;
        ab += x * y;
      }
      this.#sums = [a, b, ab];
      if (this.#filled === this.#frameLength) this.#endFrame();
    }
  }

  #endFrame(): void {
    const [a, b, ab] = this.#sums;
    this.#first.push(a);
    this.#second.push(b);
    this.#product.push(ab);
    this.#filled = 0;
    this.#sums = [0, 0, 0];
  }

  /** Null where a channel is silent, or hardly anything was measured. */
  measures(): SideMeasures | null {
    const [loudFirst, loudSecond] = [loudEnergy(this.#first), loudEnergy(this.#second)];
    if (!(loudFirst > 0 && loudSecond > 0)) return null;
    const [active, apart] = [10 ** (-activeDb / 10), 10 ** (aloneDb / 10)];
    let [count, aloneFirst, aloneSecond, sumFirst, sumSecond, sumProduct] = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < this.#first.length; i++) {
      const [one, other] = [this.#first[i] / loudFirst, this.#second[i] / loudSecond];
      if (Math.max(one, other) < active) continue;
      count++;
      if (one > other * apart) aloneFirst++;
      else if (other > one * apart) aloneSecond++;
      sumFirst += this.#first[i];
      sumSecond += this.#second[i];
      sumProduct += this.#product[i];
    }
    return {
      activeSeconds: count * frameSeconds,
      alone: [aloneFirst / count, aloneSecond / count],
      correlation: Math.abs(sumProduct) / Math.sqrt(sumFirst * sumSecond),
    };
  }
}

function loudEnergy(energies: readonly number[]): number {
  const sorted = Float64Array.from(energies).sort();
  return sorted.at(Math.floor((1 - loudShare) * (sorted.length - 1))) ?? 0;
}

/** Whether these are of two sides. */
export function areSides({ activeSeconds, alone, correlation }: SideMeasures): boolean {
  const least = Math.min(...alone);
  return (
    alone[0] + alone[1] >= sideLimits.alone &&
    least >= sideLimits.aloneOfEach &&
    least * activeSeconds >= sideLimits.secondsOfEach &&
    correlation <= sideLimits.correlation
  );
}

/** Measures the channels of a recording. @returns null unless it has two, with sound on both @throws as `openAudio` */
export async function measureSides(
  source: AudioSource,
  options: Pick<OpenOptions, 'signal' | 'stream' | 'readAll'> = {},
): Promise<SideMeasures | null> {
  const { channels, sampleRateHz } = await probe(source, options);
  if (channels !== 2) return null;
  const meter = new SideMeter(sampleRateHz);
  const audio = await openAudio(source, {
    ...options,
    sampleRateHz,
    onNative: ({ length }, [first, second]) => meter.push(first, second, length),
  });
  for await (const _ of audio.blocks()) options.signal?.throwIfAborted();
  return meter.measures();
}
