/** Lists of known hashes: which of a case's files are in one. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { unreadable } from '../audio/input.ts';
import { UserFacingError } from '../base/errors.ts';
import type { CaseStore } from '../cases/store.ts';

/** What came of a comparison. */
export interface HashListOutcome {
  /** Of the file. */
  lines: number;
  /** SHA-256 and MD5 that it holds. */
  hashes: number;
  /** Items of the case that are in it. */
  known: number;
  sha256: string;
}

/** A SHA-256 or MD5 that stands alone. */
const hash = /(?<![0-9a-z])(?:[0-9a-f]{64}|[0-9a-f]{32})(?![0-9a-z])/gi;
const otherHash = /(?<![0-9a-z])(?:[0-9a-f]{40}|[0-9a-f]{128}|[0-9a-f]{96})(?![0-9a-z])/i;
/** A line of no list of hashes: what has such lines is another file. */
const mostLineBytes = 65_536;
const oftenLines = 20_000;

/** @param line null: not known */
function noText(path: string, line: number | null): UserFacingError {
  const where = line === null ? '' : `, line ${line}`;
  return new UserFacingError('malformed', `${basename(path)}${where}: this is no text.`, {
    path,
    advice:
      'Choose a list of hashes as text: CSV, NSRLFile.txt, or one a line. Databases of the NSRL (SQLite) are exported first.',
  });
}

/**
 * Marks the items whose SHA-256 or MD5 stands in a list as known in it; those that were and are not any more no longer. Whatever the lines hold
 * beside hashes is passed over: CSV with or without names of columns, the NSRL's `NSRLFile.txt`, what `sha256sum` writes, or a hash a line. The
 * list is read as it comes and not kept, so that it may have any length; items that are added later are not compared with it.
 * @throws UserFacingError `malformed` where it holds no such hash, or with the line that is none of a text; `missing`, `unreadable`; the signal's reason
 */
export async function applyHashList(
  store: CaseStore,
  path: string,
  list: string,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (bytes: number, of: number) => void } = {},
): Promise<HashListOutcome> {
  const name = basename(path);
  const byHash = store.evidence.idsByHash();
  const known = new Set<number>();
  const digest = createHash('sha256');
  let lines = 0;
  let hashes = 0;
  let read = 0;
  let other = false;
  try {
    const { size } = await stat(path);
    const stream = createReadStream(path, signal ? { signal } : {});
    let lineBytes = 0;
    stream.on('data', (part) => {
      digest.update(part);
      read += part.length;
      const end = part.lastIndexOf('\n');
      lineBytes = end < 0 ? lineBytes + part.length : part.length - 1 - end;
      // Before all of it is in memory: a file of another kind may have no line's end at all.
      if (lineBytes > mostLineBytes) stream.destroy(noText(path, null));
    });
    for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
      lines++;
      if (line.length > mostLineBytes || line.includes('\0')) {
        throw noText(path, lines);
      }
      for (const [found] of line.matchAll(hash)) {
        hashes++;
        for (const id of byHash.get(found.toLowerCase()) ?? []) known.add(id);
      }
      other ||= otherHash.test(line);
      if (lines % oftenLines === 0) {
        signal?.throwIfAborted();
        onProgress?.(read, size);
      }
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw unreadable(path, error);
  }
  if (hashes === 0) {
    const why = other ? 'it has hashes of other kinds, such as SHA-1, only' : 'none of its lines has one';
    throw new UserFacingError('malformed', `${name} holds no SHA-256 and no MD5: ${why}.`, {
      path,
      advice: 'Choose a list that has SHA-256 or MD5: these are what the case knows of its files.',
    });
  }
  const sha256 = digest.digest('hex');
  await store.evidence.setKnown(list, known, { name, sha256, hashes, lines });
  return { lines, hashes, known: known.size, sha256 };
}
