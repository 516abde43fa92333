/** Whether a case in a folder is the one that this installation last wrote, and what is done with one that is not. */
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { UserFacingError } from '../base/errors.ts';
import { readableCopy } from './copies.ts';
import { lastRow, readHead } from './custody.ts';
import { patienceMs, telling } from '../base/sqlite.ts';
import { caseIdIn, databasePath, derivedFolder, leaveWal, openUntrusted } from './database.ts';
import { headMessage, signatureHolds } from './keys.ts';
import type { Library } from './library.ts';
import { clearLeftovers } from './leftovers.ts';
import { rebuildDatabase } from './rebuild.ts';
import { fileFingerprint } from './fingerprint.ts';
import { isSignerCheck, missingRows } from './verify-log.ts';
import { verifyRecords } from './verify-records.ts';

/** Folders in which databases are built anew begin with this. */
const rebuildPrefix = '.rebuilt-';

/**
 * What tells a closed database from one that was written to since, without reading it; null where it cannot be told (transactions lie beside it).
 */
export function databaseFingerprint(folder: string): string | null {
  const path = databasePath(folder);
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) return null;
  const status = statSync(path, { bigint: true, throwIfNoEntry: false });
  return status ? fileFingerprint(status) : null;
}

const byContent = 'sha256:';

/** The same by its content, for a drive on which files are numbered or dated anew each time it is connected. */
export function databaseContent(folder: string): string | null {
  if (databaseFingerprint(folder) === null) return null;
  const hash = createHash('sha256');
  const block = Buffer.alloc(2 ** 20);
  const file = openSync(databasePath(folder), 'r');
  try {
    for (let read = readSync(file, block); read > 0; read = readSync(file, block)) hash.update(block.subarray(0, read));
  } finally {
    closeSync(file);
  }
  return byContent + hash.digest('hex');
}

/** What a case that is opened is. */
export interface Admission {
  state: 'own' | 'rebuilt' | 'broken';
  why: string | null;
  /** Nothing stands in the way but that a key goes on with the log that this installation does not know. */
  unknownSigner?: boolean;
  /** Its database looks like another file, though its log is as it was left: what tells it from now on is its content. */
  byContent?: boolean;
}

/**
 * Decides what a case that is to be opened for writing is. One that is as this installation left it is opened as it is. Any other came from
 * elsewhere or was worked on elsewhere: it is built anew from its rows, checked as a whole, and only then put in place of what was there.
 * Called by whoever holds the case's lock.
 * @param signer fingerprint of the key that a person accepts as the one that goes on with the log
 * @returns `own`; `rebuilt`; or `broken`, and why, where the case is known here and is not intact: it can be read then, and is not written
 * @throws UserFacingError `damaged`, `not-intact`, `newer-version`; nothing was changed then
 */
export function admitCase(folder: string, library: Library, signer?: string): Admission {
  const path = databasePath(folder);
  clearLeftovers(folder);
  const { state, byContent } = stateOf(folder, path, library);
  if (state === 'own' || state === 'broken') return { state, why: null, byContent };
  const place = join(folder, `${rebuildPrefix}${randomBytes(6).toString('hex')}`);
  mkdirSync(place, { mode: 0o700 });
  try {
    const rebuilt = databasePath(place);
    rebuildDatabase(path, rebuilt, path);
    const request = { folder: place, home: library.home, fromElsewhere: true, expectKey: signer };
    const [wrong, ...more] = verifyRecords(request).checks.filter(({ holds }) => !holds);
    if (wrong) {
      const unknownSigner = isSignerCheck(wrong) && more.length === 0;
      if (state === 'worked on') return { state: 'broken', why: wrong.sentence, unknownSigner };
      const others = more.length > 0 ? ` And ${more.length} more.` : '';
      throw new UserFacingError('not-intact', `The case in ${folder} is not intact: ${wrong.sentence}${others}`, {
        path: folder,
        advice: 'Nothing of it was changed. Verify it, and get it again from where it came from.',
      });
    }
    refuseLeadingOut(folder, rebuilt);
    putInPlace(path, rebuilt);
    // Waveforms and spectrograms that someone else made; they are made again.
    rmSync(join(folder, derivedFolder), { recursive: true, force: true });
    return { state: 'rebuilt', why: null, byContent };
  } catch (error) {
    const refused = error instanceof UserFacingError && ['damaged', 'not-allowed'].includes(error.code);
    if (state === 'worked on' && refused) return { state: 'broken', why: error.message };
    throw error;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

interface State {
  state: 'own' | 'broken' | 'worked on' | 'elsewhere';
  byContent: boolean;
}

function stateOf(folder: string, path: string, library: Library): State {
  let opened: ReturnType<typeof openUntrusted>;
  const files = databaseFingerprint(folder);
  try {
    opened = openUntrusted(path);
  } catch (error) {
    // One that is known here is still shown, as far as it can be.
    const id = error instanceof UserFacingError && error.code === 'damaged' ? idOfAltered(path) : null;
    if (id !== null && library.head(id)) return { state: 'broken', byContent: false };
    throw error;
  }
  const { db } = opened;
  try {
    return telling(path, () => {
      const id = caseIdIn(path, db);
      const known = library.head(id);
      if (!known || known.deletedAt !== null) return { state: 'elsewhere', byContent: false };
      const head = lastRow(db);
      const hash = db
        .prepare<[number], string>('SELECT hash FROM custody_log WHERE position = ?')
        .pluck()
        .get(known.rows);
      if (missingRows(known, head, hash ?? null) !== null) return { state: 'broken', byContent: false };
      const signed = readHead(db);
      const ours =
        signed?.publicKey === library.key.publicKey &&
        signed.rows === head.rows &&
        signed.hash === head.hash &&
        signatureHolds(signed.publicKey, headMessage(id, head), signed.signature);
      const left = known.file;
      const state = left?.startsWith(byContent) ? databaseContent(folder) : files;
      const own = ours && (left === null || left === state);
      const sameLog = ours && head.rows === known.rows && head.hash === known.hash;
      return { state: own ? 'own' : 'worked on', byContent: sameLog && left !== null && (left !== files || !own) };
    });
  } finally {
    db.close();
  }
}

/** The id in a database whose schema was altered. */
function idOfAltered(path: string): string | null {
  const db = new Database(path, { readonly: true, fileMustExist: true });
  try {
    db.pragma('trusted_schema = OFF');
    return caseIdIn(path, db);
  } catch {
    return null;
  } finally {
    db.close();
  }
}

function refuseLeadingOut(folder: string, rebuilt: string): void {
  const db = new Database(rebuilt, { readonly: true });
  try {
    const sql = 'SELECT copy_path FROM evidence WHERE copy_path IS NOT NULL';
    for (const path of db.prepare<[], string>(sql).pluck().iterate()) readableCopy(folder, path);
  } finally {
    db.close();
  }
}

function putInPlace(path: string, rebuilt: string): void {
  telling(path, () => {
    // Its write-ahead log belongs to the old file and must not be taken for the new one's.
    const old = new Database(path, { fileMustExist: true, timeout: patienceMs });
    try {
      old.pragma('wal_checkpoint(TRUNCATE)');
      leaveWal(old);
    } finally {
      old.close();
    }
    for (const end of ['-wal', '-shm', '-journal']) rmSync(path + end, { force: true });
    renameSync(rebuilt, path);
  });
}
