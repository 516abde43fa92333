import { cp, mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ort from 'onnxruntime-node';
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
    expect(embedding).toHaveLength(3456);
    // The first and last of each block's means and logarithms of deviations, by NumPy from the blocks' values in 32-bit floats.
    for (const [place, value] of [
      [0, 0.414],
      [1, 1.527],
      [383, 0.582],
      [384, -1.992],
      [767, -3.064],
      [768, -2.028],
      [1151, -3.434],
      [1152, 0.743],
      [1535, 0.362],
      [1536, -2.01],
      [1919, -2.431],
      [1920, -2.075],
      [2303, -3.327],
      [2304, 1.553],
      [2687, 0.574],
      [2688, -1.539],
      [3071, -1.702],
      [3072, -1.999],
      [3455, -1.802],
    ] as const)
      expect(Math.abs(embedding[place] - value)).toBeLessThan(0.1);
  });

  // ONNX Runtime would join weights and products to an operator that rounds its inputs to 8 bits.
  it('rounds nothing that passes through, as its operators one by one do not', async () => {
    const { input, output } = stored.card;
    const plain = await ort.InferenceSession.create(Uint8Array.from(stored.onnx), {
      graphOptimizationLevel: 'disabled',
    });
    const window = tones(48_000);
    const results = await plain.run({ [input.name]: new ort.Tensor('float32', window, [1, input.samples]) });
    await plain.release();
    const expected = results[output.name].data as Float32Array;
    const embedding = await encoder.embed(window);
    expect(Math.max(...embedding.map((value, place) => Math.abs(value - expected[place])))).toBeLessThan(2e-3);
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
