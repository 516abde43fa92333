/** A case written to one file. */
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { sha256File } from '../audio/hash.ts';
import { UserFacingError } from '../base/errors.ts';
import { ensureFolder, moveToFreePlace, unwritable } from '../base/files.ts';
import { Hashing } from '../base/hashing.ts';
import { whileUnfinished } from '../base/unfinished.ts';
import { writeArchive } from '../base/zip.ts';
import { manifestName, unpackedBytes } from './archive-manifest.ts';
import type { ArchiveProgress, Manifest } from './archive-manifest.ts';
import { canonicalJson } from './canonical.ts';
import { databaseFailure } from '../base/sqlite.ts';
import { databaseName, openDatabaseForReading } from './database.ts';
import { lastRow } from './custody.ts';
import type { CaseStore } from './store.ts';

/** What an export is. */
interface Exported {
  sha256: string;
  sizeBytes: number;
  head: { rows: number; hash: string };
}

/**
 * Writes a case to one file, whole or not at all, and notes that in its log. Evidence that stays in place is not in it; copies are.
 * @param options.name the path that the log names, where the file is moved there or handed over afterwards
 * @param options.replace whether a file that stands there may be replaced
 * @returns the file's SHA-256 and size, and the head of the log in it
 * @throws UserFacingError `changed` or `missing` where a copy of evidence is not what was taken in, `exists`, `unwritable`, `disk-full`; the
 * signal's reason.
 */
export async function exportCase(
  store: CaseStore,
  out: string,
  { name = out, replace = false, ...progress }: ArchiveProgress & { name?: string; replace?: boolean } = {},
): Promise<Exported> {
  const target = resolve(out);
  const beside = join(dirname(target), `.${basename(target)}.${randomBytes(4).toString('hex')}.partial`);
  const snapshot = `${beside}.sqlite`;
  const parts = [beside, snapshot, `${snapshot}-wal`, `${snapshot}-shm`, `${snapshot}-journal`];
  const pack = (): Promise<Exported> => packTo({ target, beside, snapshot, name, replace }, store, progress);
  try {
    return await (store.home === null ? pack() : whileUnfinished(store.home, parts, pack));
  } catch (error) {
    progress.signal?.throwIfAborted();
    throw unwritable(target, error);
  } finally {
    for (const part of parts) await rm(part, { force: true });
  }
}

async function packTo(
  {
    target,
    beside,
    snapshot,
    name,
    replace,
  }: Record<'target' | 'beside' | 'snapshot' | 'name', string> & { replace: boolean },
  store: CaseStore,
  progress: ArchiveProgress,
): Promise<Exported> {
  await ensureFolder(dirname(target));
  // Its pages as of one moment, whatever is written meanwhile.
  await store.database.backup(snapshot).catch((error: unknown) => {
    throw databaseFailure(target, error);
  });
  progress.signal?.throwIfAborted();
  const manifest = await manifestOf(store, snapshot);
  const { sha256: hash, sizeBytes } = await writeCase(store, manifest, { snapshot, beside, target }, progress);
  if (replace) await rename(beside, target);
  else await moveToFreePlace(beside, target);
  const { head } = manifest;
  if (!store.readOnly && !store.broken) {
    const details = { path: name, sha256: hash, sizeBytes, head };
    store.log.note('exported', `Exported the case to ${basename(name)}.`, details);
  }
  return { sha256: hash, sizeBytes, head };
}

async function manifestOf(store: CaseStore, snapshot: string): Promise<Manifest> {
  const { db, close } = openDatabaseForReading(snapshot);
  let copies: { path: string; sizeBytes: number; sha256: string }[];
  let head: Manifest['head'];
  try {
    copies = db
      .prepare<[], Manifest['files'][number]>(
        'SELECT DISTINCT copy_path AS path, size_bytes AS sizeBytes, sha256 FROM evidence WHERE copy_path IS NOT NULL ORDER BY id',
      )
      .all();
    head = lastRow(db);
  } finally {
    close();
  }
  const database = { path: databaseName, sizeBytes: (await stat(snapshot)).size, sha256: await sha256File(snapshot) };
  return {
    archive: 'earwitness case',
    format: 1,
    application: store.program,
    time: new Date().toISOString(),
    caseId: store.id,
    number: store.details().number,
    head,
    files: [database, ...copies],
  };
}

async function writeCase(
  { folder }: CaseStore,
  manifest: Manifest,
  { snapshot, beside, target }: Record<'snapshot' | 'beside' | 'target', string>,
  { onProgress, signal }: ArchiveProgress,
): Promise<{ sha256: string; sizeBytes: number }> {
  const total = unpackedBytes(manifest);
  let done = 0;
  const onBytes = (count: number): void => onProgress?.((done += count), total);
  const files = manifest.files.map((file) => {
    const compress = file.path === databaseName;
    const path = compress ? snapshot : join(folder, ...file.path.split('/'));
    const open = (): Readable => readAsHashed(path, file.sha256, onBytes);
    return { name: file.path, compress, stream: { sizeBytes: file.sizeBytes, open } };
  });
  const manifestFile = { name: manifestName, bytes: Buffer.from(`${canonicalJson(manifest)}\n`) };
  const file = { flags: 'wx', mode: 0o600, flush: true };
  return writeArchive(beside, [manifestFile, ...files], { signal, file, shown: target });
}

/** A file of the case; where it is not what was taken in, that is the stream's error. */
function readAsHashed(path: string, sha256: string, onBytes: (count: number) => void): Readable {
  const fault = (code: string, what: string): UserFacingError =>
    new UserFacingError(code, `The copy ${path} in the case ${what}.`, {
      path,
      advice: 'Verify the case, and restore the file or take the item out.',
    });
  const check = (found: string): Error | null =>
    found === sha256 ? null : fault('changed', 'is no longer what was taken in');
  const hashing = new Hashing({ onBytes, check });
  const source = createReadStream(path);
  source.on('error', ({ code }: NodeJS.ErrnoException) => {
    const [kind, what] = code === 'ENOENT' ? ['missing', 'is gone'] : ['unreadable', 'cannot be read'];
    hashing.destroy(fault(kind, `${what}, so the case cannot be exported whole`));
  });
  hashing.on('close', () => source.destroy());
  return source.pipe(hashing);
}
