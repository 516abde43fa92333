/** Embeddings kept on disk, one file a recording, so that a training that was stopped goes on and a second one takes seconds. */
import { mkdir, readFile, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileWhole } from '../../base/files.ts';
import { dataFolder } from '../../base/home.ts';
import { sha256 } from '../../base/sha256.ts';

const megabyte = 1024 ** 2;
/** All embeddings together, unless `EARWITNESS_EMBEDDINGS_MB` says otherwise; the longest unused go first. */
const defaultMegabytes = 4096;
/** Hexadecimal digits of the values' SHA-256 before them. */
const sealLength = 64;

function mostBytes(): number {
  const asked = Number(process.env['EARWITNESS_EMBEDDINGS_MB']);
  return (Number.isFinite(asked) && asked > 0 ? asked : defaultMegabytes) * megabyte;
}

export function embeddingsFolder(): string {
  return join(dataFolder(), 'embeddings');
}

/** Embeddings of one encoder under one conditioning. */
export class EmbeddingCache {
  readonly #folder: string;

  /** @param makes all that an embedding depends on but the recording: encoder, conditioning, windows */
  constructor(makes: unknown) {
    this.#folder = join(embeddingsFolder(), sha256(JSON.stringify(makes)).slice(0, 32));
  }

  #path(audioSha256: string): string {
    return join(this.#folder, `${audioSha256}.f32`);
  }

  /** Null where there is none, or a damaged one: it can be made again. */
  async get(audioSha256: string, size: number): Promise<Float32Array | null> {
    const path = this.#path(audioSha256);
    const bytes = await readFile(path).catch(() => null);
    if (bytes === null) return null;
    const values = Uint8Array.from(bytes.subarray(sealLength));
    if (values.length !== 4 * size || bytes.toString('latin1', 0, sealLength) !== sha256(values)) return null;
    const now = new Date();
    // By this the longest unused are known.
    await utimes(path, now, now).catch(() => undefined);
    return new Float32Array(values.buffer);
  }

  async set(audioSha256: string, values: Float32Array): Promise<void> {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    await mkdir(this.#folder, { recursive: true });
    await writeFileWhole(this.#path(audioSha256), Buffer.concat([Buffer.from(sha256(bytes), 'latin1'), bytes]));
  }
}

/** Takes away the longest unused embeddings beyond the limit. */
export async function trimEmbeddings(limit = mostBytes()): Promise<void> {
  const files: { path: string; size: number; usedMs: number }[] = [];
  for (const folder of await readdir(embeddingsFolder()).catch(() => [])) {
    const place = join(embeddingsFolder(), folder);
    for (const name of await readdir(place).catch(() => [])) {
      const found = await stat(join(place, name)).catch(() => null);
      if (found) files.push({ path: join(place, name), size: found.size, usedMs: found.mtimeMs });
    }
  }
  let total = files.reduce((sum, { size }) => sum + size, 0);
  for (const { path, size } of files.sort((one, other) => one.usedMs - other.usedMs)) {
    if (total <= limit) break;
    await rm(path, { force: true });
    total -= size;
  }
}
