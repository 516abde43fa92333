/** A decoder in a process of its own may be killed by the machine (out of memory, say): it is started once more. */
import { UserFacingError } from '../base/errors.ts';
import type { BlockMemory } from './block-memory.ts';
import type { AudioInfo, DecodeNotes, NativeBlock, NativeDecoder } from './types.ts';

const hasDied = (error: unknown): error is UserFacingError =>
  error instanceof UserFacingError && error.code === 'decoder-died';

/**
 * A decoder that, where it dies (`decoder-died`), is opened anew once: what it gave before is passed over, so that whoever reads
 * its blocks sees nothing of it. A second death is the reader's error.
 */
export class OnceMore implements NativeDecoder {
  readonly info: AudioInfo;
  readonly #open: () => Promise<NativeDecoder>;
  #decoder: NativeDecoder;
  #mayDie: boolean;

  private constructor(open: () => Promise<NativeDecoder>, decoder: NativeDecoder, mayDie: boolean) {
    this.#open = open;
    this.#decoder = decoder;
    this.#mayDie = mayDie;
    this.info = decoder.info;
  }

  static async open(open: () => Promise<NativeDecoder>): Promise<OnceMore> {
    try {
      return new OnceMore(open, await open(), true);
    } catch (error) {
      if (!hasDied(error)) throw error;
      return new OnceMore(open, await open(), false);
    }
  }

  get notes(): DecodeNotes {
    return this.#decoder.notes;
  }

  async *blocks(memory?: BlockMemory): AsyncGenerator<NativeBlock, void, undefined> {
    let given = 0;
    try {
      for await (const block of this.#decoder.blocks(memory)) {
        given += block.length;
        yield block;
      }
      return;
    } catch (error) {
      if (!this.#mayDie || !hasDied(error)) throw error;
      await this.#again(error);
    }
    let passed = 0;
    for await (const block of this.#decoder.blocks(memory)) {
      const { channels, length } = block;
      const skip = Math.min(length, given - passed);
      passed += skip;
      if (skip === 0) yield block;
      else if (skip < length) {
        yield { channels: channels.map((channel) => channel.subarray(skip, length)), length: length - skip };
      }
    }
  }

  close(): Promise<void> {
    return this.#decoder.close();
  }

  async #again(death: UserFacingError): Promise<void> {
    this.#mayDie = false;
    await this.#decoder.close();
    this.#decoder = await this.#open();
    const { channels, sampleRateHz } = this.#decoder.info;
    if (channels !== this.info.channels || sampleRateHz !== this.info.sampleRateHz) {
      await this.#decoder.close();
      throw death;
    }
  }
}
