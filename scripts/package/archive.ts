/** Lists of hashes, their signature, the archive with everything, and the comparison of two builds. */
import { spawnSync } from 'node:child_process';
import { chmod, lstat, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { create } from 'tar';
import { SetupError } from '../lib/messages.mjs';
import { filesBelow, sha256 } from './files.ts';

const sums = 'SHA256SUMS';

/** Gives every file of a folder the same time and the rights that everybody's has. */
export async function settle(folder: string, seconds: number): Promise<void> {
  for (const path of await filesBelow(folder)) {
    const file = join(folder, path);
    const stat = await lstat(file);
    if (stat.isSymbolicLink()) continue;
    await chmod(file, stat.mode & 0o100 ? 0o755 : 0o644);
    await utimes(file, seconds, seconds);
  }
}

/** Writes the list of every file in a folder, as `sha256sum` reads it. @returns how many there are */
export async function writeSums(folder: string, wanted: (path: string) => boolean = () => true): Promise<number> {
  const lines: string[] = [];
  for (const path of await filesBelow(folder)) {
    if (path === sums || path === `${sums}.asc` || !wanted(path)) continue;
    if ((await lstat(join(folder, path))).isFile()) lines.push(`${await sha256(join(folder, path))}  ${path}\n`);
  }
  await writeFile(join(folder, sums), lines.join(''));
  return lines.length;
}

/** Signs a list with GnuPG, beside it. @param key as GnuPG names it */
export async function signSums(folder: string, key: string): Promise<void> {
  const list = join(folder, sums);
  await rm(`${list}.asc`, { force: true });
  const args = ['--batch', '--yes', '--local-user', key, '--armor', '--detach-sign', '--output', `${list}.asc`, list];
  const { status, stderr, error } = spawnSync('gpg', args, { encoding: 'utf8' });
  if (status !== 0) {
    throw new SetupError(
      `GnuPG could not sign ${list} with the key ${key}: ${error?.message ?? stderr.trim()}`,
      'EARWITNESS_GPG_KEY must name a secret key of this machine; without it the package is made unsigned.',
    );
  }
}

/** Packs a folder as `FOLDER.tar.gz` beside it, the same bytes for the same files. @returns the archive's path */
export async function pack(folder: string, seconds: number): Promise<string> {
  const file = `${folder}.tar.gz`;
  const name = basename(folder);
  const paths = (await filesBelow(folder)).map((path) => `${name}/${path}`);
  const mtime = new Date(seconds * 1000);
  await create({ file, cwd: dirname(folder), gzip: { level: 6 }, portable: true, mtime, noDirRecurse: true }, paths);
  return file;
}

/** The hash of each file of a build, by its path. */
export async function hashesOf(folder: string): Promise<Map<string, string>> {
  const lines = (await readFile(join(folder, sums), 'utf8')).trimEnd().split('\n');
  return new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
}

/**
 * What may differ between two builds of the same sources: signatures, and what a system's own tools write of the time. Nothing on Linux.
 * @param path in a package, or of an installer
 */
function mayDiffer(path: string): boolean {
  return /\/_CodeSignature\/|\.app\/Contents\/(?:MacOS|Frameworks)\/|\.dmg$|\.exe$|\.asc$/.test(path);
}

/** How two builds differ, a sentence for each file; those that may are told apart. */
export function differences(
  one: ReadonlyMap<string, string>,
  other: ReadonlyMap<string, string>,
): { wrong: string[]; allowed: string[] } {
  const [wrong, allowed]: string[][] = [[], []];
  for (const path of [...new Set([...one.keys(), ...other.keys()])].sort()) {
    const [first, second] = [one.get(path), other.get(path)];
    if (first === second) continue;
    const how = first === undefined ? 'only in the second' : second === undefined ? 'only in the first' : 'differs';
    (mayDiffer(path) ? allowed : wrong).push(`${path}: ${how}`);
  }
  return { wrong, allowed };
}
