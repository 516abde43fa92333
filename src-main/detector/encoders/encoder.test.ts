import { cp, mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Encoder, encoderFolders, findEncoder } from './encoder.ts';
import type { StoredEncoder } from './encoder.ts';
import { tones } from './testing.ts';

describe('the frozen encoder that ships', () => {
  let home: string;
  let stored: StoredEncoder;
  let encoder: Encoder;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'earwitness-encoder-'));
    vi.stubEnv('EARWITNESS_HOME', home);
    stored = (await findEncoder('whisper-tiny-en')) as StoredEncoder;
    encoder = await Encoder.create(stored, 1);
  });
  afterAll(async () => {
    await encoder.dispose();
    vi.unstubAllEnvs();
    await rm(home, { recursive: true });
  });

  it('is made of the weights of tiny.en, and no larger than 10 MB', () => {
    expect(stored.card.weightsSha256).toBe('d2deed17bf6d37f899b2194931241982896f4f77e9eab6e997ab243093951b77');
    expect(stored.onnx.length).toBeLessThan(10e6);
  });

  it('agrees with a rewriting in NumPy with weights in full', async () => {
    const embedding = await encoder.embed(tones(48_000));
    expect(embedding).toHaveLength(2304);
    // The first and last means and deviations of the three blocks by a float64 rewriting of github.com/openai/whisper.
    for (const [place, value] of [
      [0, 0.414],
      [1, 1.528],
      [383, 0.582],
      [384, 0.135],
      [767, 0.046],
      [768, 0.743],
      [1151, 0.362],
      [1152, 0.133],
      [1535, 0.087],
      [1536, 1.553],
      [1919, 0.574],
      [1920, 0.214],
      [2303, 0.181],
    ] as const)
      expect(Math.abs(embedding[place] - value)).toBeLessThan(0.1);
  });

  it('gives a window the same bytes whatever came before it', async () => {
    const window = tones(48_000);
    const first = Uint8Array.from(new Uint8Array((await encoder.embed(window)).buffer));
    await encoder.embed(window.map((value, index) => value * Math.sin(index)));
    expect(new Uint8Array((await encoder.embed(window)).buffer)).toEqual(first);
  });

  it('is refused where its file was changed, and not found under another name', async () => {
    expect(await findEncoder('whisper-huge')).toBeNull();
    // It is there, but no name leads out of the folder of encoders.
    expect(await findEncoder('../encoders/whisper-tiny-en')).toBeNull();
    const [, own] = encoderFolders('damaged');
    await cp(stored.folder, own, { recursive: true });
    await truncate(join(own, 'encoder.onnx'), 5_000_000);
    await expect(findEncoder('damaged')).rejects.toThrow('SHA-256 differs');
  });
});
