import type { BlockMemory } from './block-memory.ts';
import type { AudioInfo, DecodeNotes, Gap, NativeBlock, NativeDecoder } from './types.ts';

/** Sound that was cut out of a recording, with the gaps that lay in it there. */
export class GappedDecoder implements NativeDecoder {
  readonly info: AudioInfo;
  readonly notes: DecodeNotes;
  readonly #decoder: NativeDecoder;
  readonly #gaps: readonly Gap[];

  /** @param gaps in order, apart from one another, each between sound; counted from the beginning of the sound */
  constructor(decoder: NativeDecoder, gaps: readonly Gap[]) {
    this.info = decoder.info;
    this.notes = decoder.notes;
    this.#decoder = decoder;
    this.#gaps = gaps;
  }

  async *blocks(memory?: BlockMemory): AsyncGenerator<NativeBlock, void, undefined> {
    const { sampleRateHz } = this.info;
    let missing = 0;
    const places = this.#gaps.map(({ fromSeconds, toSeconds }) => {
      const frame = Math.round((fromSeconds - missing) * sampleRateHz);
      missing += toSeconds - fromSeconds;
      return frame;
    });
    let next = 0;
    let before = 0;
    for await (const { channels, length } of this.#decoder.blocks(memory)) {
      for (let at = 0; at < length;) {
        let gapSeconds = 0;
        for (; next < places.length && places[next] <= before + at; next++) {
          const gap = this.#gaps[next];
          this.notes.gaps.push(gap);
          gapSeconds += gap.toSeconds - gap.fromSeconds;
        }
        const end = next < places.length ? Math.min(length, places[next] - before) : length;
        const part = { channels: channels.map((channel) => channel.subarray(at, end)), length: end - at };
        yield gapSeconds > 0 ? { ...part, gapSeconds } : part;
        at = end;
      }
      before += length;
    }
  }

  close(): Promise<void> {
    return this.#decoder.close();
  }
}
