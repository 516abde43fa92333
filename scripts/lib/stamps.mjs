import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * A hash over the names and contents of files and of everything in folders, tests left out; what is absent counts as
 * absent.
 * @param {string} root
 * @param {string[]} paths relative to the root, with forward slashes
 * @returns {string} SHA-256
 */
export function hashFiles(root, paths) {
  const hash = createHash('sha256');
  const add = (path) => {
    const full = join(root, path);
    const stat = statSync(full, { throwIfNoEntry: false });
    if (stat?.isDirectory()) {
      for (const name of readdirSync(full).sort()) add(`${path}/${name}`);
    } else if (stat && !path.endsWith('.test.ts')) {
      hash.update(`${path}\0${stat.size}\0`).update(readFileSync(full));
    }
  };
  paths.forEach(add);
  return hash.digest('hex');
}

/**
 * What a stamp file says, an empty object where there is none or none that can be read.
 * @param {string} path
 * @returns {Record<string, unknown>}
 */
export function readStamp(path) {
  try {
    const stamp = JSON.parse(readFileSync(path, 'utf8'));
    return stamp && typeof stamp === 'object' ? stamp : {};
  } catch {
    return {};
  }
}

/**
 * Writes a stamp whole or not at all.
 * @param {string} path
 * @param {Record<string, unknown>} stamp
 */
export function writeStamp(path, stamp) {
  mkdirSync(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}.partial`;
  writeFileSync(beside, `${JSON.stringify(stamp, null, 2)}\n`);
  renameSync(beside, path);
}
