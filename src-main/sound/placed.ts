/** Samples at their places in a recording's time: where its file holds no sound, nothing is closed up. */
import { Timeline } from '../audio/timeline.ts';
import type { AudioStream, Gap, TimelineNotes } from '../audio/types.ts';

/** A stretch that holds sound, by its place in time and among the samples that are there. */
export interface SoundPiece {
  at: number;
  from: number;
  length: number;
}

/** Puts samples, as they come, where they are in the recording's time. */
export class Places {
  readonly pieces: SoundPiece[] = [];
  /** Samples so far. */
  taken = 0;
  readonly #rateHz: number;
  #gaps = 0;
  #missingSeconds = 0;

  constructor(rateHz: number) {
    this.#rateHz = rateHz;
  }

  /** Cuts a block where something is missing: each part with how many samples are missing before it. */
  *take(block: Float32Array, timeline: TimelineNotes): Generator<{ nothing: number; sound: Float32Array }> {
    if (this.pieces.length === 0) {
      this.#missingSeconds = timeline.startSeconds;
      const at = Math.round(timeline.startSeconds * this.#rateHz);
      this.pieces.push({ at, from: 0, length: 0 });
      yield { nothing: at, sound: new Float32Array(0) };
    }
    let done = 0;
    for (; this.#gaps < timeline.gaps.length; this.#gaps++) {
      const { fromSeconds, toSeconds } = timeline.gaps[this.#gaps];
      const before = Math.round((fromSeconds - this.#missingSeconds) * this.#rateHz) - this.taken;
      if (before > block.length - done) break;
      const sound = block.subarray(done, done + Math.max(0, before));
      yield { nothing: 0, sound: this.#add(sound) };
      done += sound.length;
      this.#missingSeconds += toSeconds - fromSeconds;
      const last = this.pieces[this.pieces.length - 1];
      const at = Math.round(toSeconds * this.#rateHz);
      yield { nothing: Math.max(0, at - last.at - last.length), sound: new Float32Array(0) };
      this.pieces.push({ at: Math.max(at, last.at + last.length), from: this.taken, length: 0 });
    }
    yield { nothing: 0, sound: this.#add(block.subarray(done)) };
  }

  #add(sound: Float32Array): Float32Array {
    this.taken += sound.length;
    this.pieces[this.pieces.length - 1].length += sound.length;
    return sound;
  }
}

/** Zeros in pieces of bounded length. */
export function* nothingFor(samples: number): Generator<Float32Array> {
  for (let left = samples; left > 0; left -= zeros.length) yield zeros.subarray(0, left);
}

const zeros = new Float32Array(65_536);

/** A recording's blocks with zeros where it holds no sound, so that the place of a sample is its time. */
export async function* placedBlocks(audio: AudioStream, sampleRateHz: number): AsyncGenerator<Float32Array> {
  const places = new Places(sampleRateHz);
  for await (const block of audio.blocks()) {
    for (const { nothing, sound } of places.take(block, audio.statistics)) {
      yield* nothingFor(nothing);
      if (sound.length > 0) yield sound;
    }
  }
}

/**
 * Where there is no sound, late start and gaps, as a picture of so many columns can show it: what lies in one column is joined,
 * so that there are at most as many as columns.
 */
export function missingStretches(notes: TimelineNotes, durationSeconds: number, columns: number): Gap[] {
  const { startSeconds, gaps } = new Timeline(notes);
  const late = startSeconds > 0 ? [{ fromSeconds: 0, toSeconds: startSeconds }] : [];
  const joined: Gap[] = [];
  for (const gap of [...late, ...gaps]) {
    const last = joined.at(-1);
    if (last && gap.fromSeconds - last.toSeconds < durationSeconds / columns) last.toSeconds = gap.toSeconds;
    else joined.push({ ...gap });
  }
  return joined;
}
