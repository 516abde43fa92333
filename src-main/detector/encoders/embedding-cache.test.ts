import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { EmbeddingCache, embeddingsFolder, trimEmbeddings } from './embedding-cache.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'earwitness-embeddings-'));
  vi.stubEnv('EARWITNESS_HOME', home);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

const hashOf = (digit: number): string => String(digit).repeat(64);
const files = (): string[] =>
  readdirSync(embeddingsFolder()).flatMap((one) => readdirSync(join(embeddingsFolder(), one)));

it('keeps embeddings apart by what makes them, and takes a damaged one for none', async () => {
  const cache = new EmbeddingCache(['encoder', 1]);
  expect(await cache.get(hashOf(1), 3)).toBeNull();
  await cache.set(hashOf(1), Float32Array.of(1, 2, 3));
  expect(await cache.get(hashOf(1), 3)).toEqual(Float32Array.of(1, 2, 3));
  expect(await cache.get(hashOf(1), 4)).toBeNull();
  expect(await new EmbeddingCache(['encoder', 2]).get(hashOf(1), 3)).toBeNull();
  const [folder] = readdirSync(embeddingsFolder());
  writeFileSync(join(embeddingsFolder(), folder, `${hashOf(1)}.f32`), 'x'.repeat(64 + 12));
  expect(await cache.get(hashOf(1), 3)).toBeNull();
});

it('lets go of the longest unused beyond its limit', async () => {
  const cache = new EmbeddingCache('encoder');
  for (const digit of [1, 2, 3]) await cache.set(hashOf(digit), new Float32Array(100));
  const [folder] = readdirSync(embeddingsFolder());
  for (const digit of [1, 2, 3]) {
    utimesSync(join(embeddingsFolder(), folder, `${hashOf(digit)}.f32`), digit, digit);
  }
  // Looked up, it is the latest.
  await cache.get(hashOf(1), 100);
  await trimEmbeddings(2 * (64 + 400));
  expect(files().sort()).toEqual([`${hashOf(1)}.f32`, `${hashOf(3)}.f32`]);
  await trimEmbeddings();
  expect(files()).toHaveLength(2);
});
