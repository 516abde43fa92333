/** What scoring through degradations and making degraded copies share. */
import { createHash } from 'node:crypto';
import { decode } from '../audio/decode.ts';
import { describeError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import type { DatasetItem } from '../datasets/types.ts';
import { degradedRateHz } from '../degradation/catalogue.ts';
import type { Degradation } from '../degradation/catalogue.ts';
import { throughCodec } from '../degradation/codec.ts';
import type { Encoder } from '../degradation/codec.ts';
import type { Sound } from '../degradation/sound.ts';

/** Recordings that go through a codec together; always the same ones, so that an interruption changes nothing. */
export const codecChunkLength = 48;
/** Recordings for babble, of which each copy draws some. */
const mostVoices = 24;

/** Recordings for babble: human ones, drawn by the seed, no two of one source while there are others. */
export function voicesFor(items: readonly DatasetItem[], seed: number): string[] {
  const human = new Random([seed, 7]).shuffle(items.filter(({ label }) => label === 'bonafide'));
  const used = new Set<string>();
  const first = human.filter(({ source }) => source !== null && !used.has(source) && used.add(source));
  const rest = human.filter((item) => !first.includes(item));
  return [...first, ...rest].slice(0, mostVoices).map(({ path }) => path);
}

/** Random numbers of one recording in one degradation, whatever else is made. */
function randomFor(seed: number, id: string, name: string): Random {
  const words = createHash('sha256').update(`${name}\n${id}`).digest();
  return new Random([seed, words.readUInt32LE(0), words.readUInt32LE(4)]);
}

/** Degrades recordings, all but those that take a codec. */
export class Degrader {
  readonly #seed: number;
  readonly #voicePaths: readonly string[];
  #voices: Promise<Float32Array[]> | null = null;

  /** @param voicePaths recordings whose voices babble in others */
  constructor(seed: number, voicePaths: readonly string[]) {
    this.#seed = seed;
    this.#voicePaths = voicePaths;
  }

  #allVoices(): Promise<Float32Array[]> {
    this.#voices ??= Promise.all(
      this.#voicePaths.map(async (path) => (await decode(path, { sampleRateHz: degradedRateHz })).samples),
    );
    return this.#voices;
  }

  /**
   * @param id of the recording in its dataset; what is random in the degradation follows from it
   * @throws errors of decoding
   */
  async degrade(path: string, id: string, { name, how, voices: wanted = 0 }: Degradation): Promise<Sound> {
    if (!('apply' in how)) throw new Error(`${name} takes a codec`);
    const { samples } = await decode(path, { sampleRateHz: degradedRateHz });
    const random = randomFor(this.#seed, id, name);
    const others = [...this.#voicePaths.keys()].filter((index) => this.#voicePaths[index] !== path);
    const chosen = random.shuffle(others).slice(0, wanted);
    const talking = wanted > 0 ? await this.#allVoices() : [];
    const sound = { samples, sampleRateHz: degradedRateHz };
    return how.apply(sound, { random, voices: chosen.map((index) => talking[index]) });
  }
}

/** What comes back from a codec for each recording, or why it could not be read. */
export async function codedSounds(
  chunk: readonly { path: string }[],
  { how }: Degradation,
  encoder: Encoder,
  signal?: AbortSignal,
): Promise<(Sound | string)[]> {
  if (!('codec' in how)) throw new Error('no codec');
  const sounds = await Promise.all(
    chunk.map(async ({ path }): Promise<Sound | string> => {
      try {
        const { samples } = await decode(path, { sampleRateHz: degradedRateHz, ...(signal ? { signal } : {}) });
        return { samples, sampleRateHz: degradedRateHz };
      } catch (error) {
        signal?.throwIfAborted();
        return describeError(error);
      }
    }),
  );
  const readable = sounds.filter((sound) => typeof sound !== 'string');
  const coded = readable.length > 0 ? await throughCodec(readable, how.codec, encoder, how.returnRateHz, signal) : [];
  return sounds.map((sound) => (typeof sound === 'string' ? sound : (coded.shift() as Sound)));
}
