import { findFfmpeg } from './ffmpeg.ts';
import { sha256File } from './hash.ts';

const hashes = new Map<string, Promise<string>>();

/** The ffmpeg that decodes here now, each hashed once; null where there is none. */
export async function usedFfmpeg(): Promise<{ version: string; sha256: string } | null> {
  try {
    const { path, version, identity } = await findFfmpeg();
    const hashing = hashes.get(identity) ?? sha256File(path);
    hashes.set(identity, hashing);
    hashing.catch(() => hashes.delete(identity));
    return { version, sha256: await hashing };
  } catch {
    return null;
  }
}
