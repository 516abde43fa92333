/** An exported case taken in: unpacked out of sight, built anew from its rows, verified as a whole. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { open, rename, rm, rmdir, statfs } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type yauzl from 'yauzl';
import { sha256File } from '../audio/hash.ts';
import { UserFacingError } from '../base/errors.ts';
import { ensureFolder, unwritable } from '../base/files.ts';
import { Hashing } from '../base/hashing.ts';
import { withPool } from '../base/pool.ts';
import type { WorkerPool } from '../base/pool.ts';
import { whileUnfinished } from '../base/unfinished.ts';
import { archiveEntries, entryStream, openArchive } from '../base/zip.ts';
import type { ForeignArchive } from '../base/zip.ts';
import { manifestName, manifestSchema, unpackedBytes } from './archive-manifest.ts';
import type { ArchiveProgress, Manifest } from './archive-manifest.ts';
import { copiesFolder, isCopyPath } from './copies.ts';
import { databaseName, databasePath } from './database.ts';
import { databaseEnds, freeCaseFolder } from './folders.ts';
import type { UntrustedIdentity } from './rebuild.ts';
import type { RebuildRequest } from './rebuild-worker.ts';
import { CaseStore } from './store.ts';
import type { Session } from './session.ts';
import { highestRowCheck, isSignerCheck } from './verify-log.ts';
import { verifyCase } from './verify.ts';

const largestManifestBytes = 1024 ** 3;

function notACase(path: string, why: string): UserFacingError {
  return new UserFacingError('not-a-case', `${path} is no exported case that can be taken in: ${why}.`, {
    path,
    advice: 'Export the case again, or get the file again from where it came from.',
  });
}

/** How large a file of an exported case may be; null for what is none. */
function mostBytes(name: string): number | null {
  return name === manifestName || name === databaseName || isCopyPath(name) ? Infinity : null;
}

async function readManifest(
  archive: ForeignArchive,
  zip: yauzl.ZipFile,
  entry: yauzl.Entry | undefined,
): Promise<Manifest> {
  const { path } = archive;
  if (!entry) throw notACase(path, 'it has no manifest');
  if (entry.uncompressedSize > largestManifestBytes) throw notACase(path, 'its manifest is too large');
  try {
    return manifestSchema.parse(await json(await entryStream(zip, entry, archive)));
  } catch (error) {
    throw new UserFacingError('not-a-case', `${path} is no exported case that this version can take in.`, {
      path,
      advice: 'Its manifest cannot be read. It may be damaged, or written by a newer version.',
      cause: error,
    });
  }
}

/** How an exported case is taken in. */
export interface ImportOptions extends ArchiveProgress {
  /** Also where its log lacks rows that it was seen to have here, as when the case itself is lost. The log then says so. */
  older?: boolean;
  /** Fingerprint of the key that a person accepts as the one that goes on with the log. The log then says so. */
  signer?: string;
}

/**
 * Takes in an exported case. It is unpacked out of sight, built anew from the rows of its database, and checked as a whole: chain,
 * signature, every result, every copy of evidence; only then it appears, and the log notes where it came from. Who it is, the database
 * says, and the manifest has to agree. Evidence that was in place elsewhere is shown as missing. What is refused changes nothing.
 * @param casesFolder where it is put, in a folder of its own
 * @throws UserFacingError `not-a-case` and `damaged` (hostile files too), `not-intact` naming what, `older` where a later state of it is
 * known here, `exists` where the case is here already, `newer-version`, `disk-full`; the signal's reason.
 */
export async function importCase(
  path: string,
  casesFolder: string,
  session: Session,
  options: ImportOptions = {},
): Promise<CaseStore> {
  const archive = resolve(path);
  const foreign: ForeignArchive = { path: archive, refuse: (why) => notACase(archive, why) };
  const zip = await openArchive(foreign);
  const cases = resolve(casesFolder);
  const madeHere = !existsSync(cases);
  const unpacked = join(cases, `.import-${randomBytes(6).toString('hex')}`);
  let store: CaseStore | null = null;
  try {
    const takeIn = (): Promise<CaseStore> => takeInTo({ foreign, cases, unpacked }, zip, session, options);
    return (store = await whileUnfinished(session.library.home, [unpacked], takeIn));
  } catch (error) {
    options.signal?.throwIfAborted();
    throw unwritable(unpacked, error);
  } finally {
    zip.close();
    await rm(unpacked, { recursive: true, force: true });
    if (!store && madeHere) await rmdir(cases).catch(() => undefined);
  }
}

async function takeInTo(
  { foreign, cases, unpacked }: { foreign: ForeignArchive; cases: string; unpacked: string },
  zip: yauzl.ZipFile,
  session: Session,
  options: ImportOptions,
): Promise<CaseStore> {
  const { signal } = options;
  const { path: archive } = foreign;
  const entries = await archiveEntries(zip, foreign, mostBytes);
  const manifest = await readManifest(foreign, zip, entries.get(manifestName));
  checkManifest(archive, manifest, entries);
  refusePresent(session, manifest.caseId);
  await ensureFolder(cases);
  await checkSpace(archive, manifest, cases);
  await unpack(foreign, zip, entries, manifest, unpacked, options);
  await rebuildUnpacked(archive, unpacked, manifest);
  const lacking = await verifyUnpacked(archive, unpacked, manifest, session, options);
  const archiveSha256 = await sha256File(archive, signal);
  signal?.throwIfAborted();
  refusePresent(session, manifest.caseId);
  const target = { unpacked, folder: freeCaseFolder(cases, manifest.number), signer: options.signer };
  return place(target, manifest, session, {
    path: archive,
    sha256: archiveSha256,
    head: manifest.head,
    exportedBy: manifest.application,
    exportedAt: manifest.time,
    ...(lacking === null ? {} : { lacking }),
  });
}

function refusePresent({ library }: Session, caseId: string): void {
  const here = library.find(caseId);
  if (!here || !existsSync(databasePath(here.folder))) return;
  throw new UserFacingError('exists', `The case ${here.number} is here already, in ${here.folder}.`, {
    path: here.folder,
    advice: 'Delete it or take it off the list first, or open it.',
  });
}

/** Puts a database that is made here in place of the one that came, and compares what the manifest says with it. */
async function rebuildUnpacked(archive: string, unpacked: string, manifest: Manifest): Promise<void> {
  const came = databasePath(unpacked);
  const rebuilt = `${came}.rebuilt`;
  const request = { source: came, target: rebuilt, shown: `The database in ${archive}` };
  const identity = await withPool(
    { worker: 'cases/rebuild-worker' },
    (pool: WorkerPool<RebuildRequest, UntrustedIdentity>) => pool.run(request),
  );
  if (identity.caseId !== manifest.caseId || identity.number !== manifest.number) {
    throw notACase(archive, 'its manifest names another case than it holds');
  }
  for (const end of databaseEnds) await rm(came + end, { force: true });
  await rename(rebuilt, came);
}

/**
 * Checks what was unpacked.
 * @returns the rows that were seen here and that it lacks, where that was to be accepted; null where it lacks none
 */
async function verifyUnpacked(
  archive: string,
  unpacked: string,
  manifest: Manifest,
  { library }: Session,
  { signal, older = false, signer }: ImportOptions,
): Promise<{ rows: number; hash: string } | null> {
  const request = { folder: unpacked, home: library.home, fromElsewhere: true, expectKey: signer };
  const { head, checks } = await verifyCase(request, signal ? { signal } : {});
  if (head.rows !== manifest.head.rows || head.hash !== manifest.head.hash) {
    throw notACase(archive, 'its manifest names another head than its log has');
  }
  const isOlder = ({ subject, name, holds }: (typeof checks)[number]): boolean =>
    !holds && subject === 'head' && name === highestRowCheck;
  const failing = checks.filter((check) => !check.holds && !isOlder(check));
  const wrong = failing.map(({ sentence }) => sentence);
  if (failing.length > 0 && failing.every(isSignerCheck)) {
    throw new UserFacingError('unknown-signer', `${archive} was not taken in: ${wrong[0]}`, {
      path: archive,
      advice:
        'Ask whoever worked on it for the fingerprint of their key; `earwitness case import --signer FINGERPRINT` then takes it in.',
    });
  }
  if (wrong.length > 0) {
    throw new UserFacingError(
      'not-intact',
      `${archive} is not intact and was not taken in: ${wrong.slice(0, 3).join(' ')}`,
      {
        path: archive,
        advice: 'Get the file again from where it came from.',
      },
    );
  }
  const lacks = checks.find(isOlder);
  const known = library.head(manifest.caseId);
  if (!lacks || !known) return null;
  if (!older) {
    throw new UserFacingError('older', `${archive} was not taken in: ${lacks.sentence}`, {
      path: archive,
      advice:
        'Take a later export. Where there is none, `earwitness case import --older` takes this one, and its log says what it lacks.',
    });
  }
  return { rows: known.rows, hash: known.hash };
}

/** Lets the case appear. */
function place(
  { unpacked, folder, signer }: { unpacked: string; folder: string; signer: string | undefined },
  manifest: Manifest,
  session: Session,
  details: Record<string, unknown>,
): CaseStore {
  const { library } = session;
  const before = library.head(manifest.caseId);
  const listed = library.find(manifest.caseId);
  renameSync(unpacked, folder);
  let store: CaseStore | null = null;
  try {
    library.acceptHead(manifest.caseId, manifest.head);
    store = CaseStore.open(folder, session, { admitted: true, ...(signer === undefined ? {} : { signer }) });
    const since = before?.deletedAt ? ` It was deleted here on ${before.deletedAt}, with ${before.rows} rows.` : '';
    const lacks = 'lacking' in details ? ' Its log lacks rows that it was seen to have here.' : '';
    const deleted = before?.deletedAt
      ? { deletedHere: { time: before.deletedAt, rows: before.rows, hash: before.hash } }
      : {};
    const archive = String(details['path']);
    store.log.note('imported', `Imported the case from ${basename(archive)}.${since}${lacks}`, {
      ...details,
      ...deleted,
    });
    return store;
  } catch (error) {
    store?.close();
    library.restoreHead(manifest.caseId, before);
    if (listed) library.put(listed);
    else library.remove(manifest.caseId);
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function checkManifest(path: string, manifest: Manifest, entries: Map<string, yauzl.Entry>): void {
  const named = new Map(manifest.files.map((file) => [file.path, file]));
  if (named.size !== manifest.files.length) throw notACase(path, 'its manifest names a file twice');
  if (!named.has(databaseName)) throw notACase(path, 'it has no database');
  for (const [name, entry] of entries) {
    const file = named.get(name);
    if (name !== manifestName && file?.sizeBytes !== entry.uncompressedSize) {
      throw notACase(path, `${JSON.stringify(name)} in it is not as its manifest says`);
    }
  }
  for (const name of named.keys()) {
    if (!entries.has(name)) throw notACase(path, `it lacks ${JSON.stringify(name)}`);
  }
}

async function checkSpace(path: string, manifest: Manifest, folder: string): Promise<void> {
  const needed = unpackedBytes(manifest);
  const { bavail, bsize } = await statfs(folder);
  if (needed > bavail * bsize) {
    throw new UserFacingError('disk-full', `There is no room for the case in ${path}: it needs ${needed} bytes.`, {
      path: folder,
      advice: 'Make room, or choose another folder for cases in the settings.',
    });
  }
}

async function unpack(
  archive: ForeignArchive,
  zip: yauzl.ZipFile,
  entries: Map<string, yauzl.Entry>,
  manifest: Manifest,
  folder: string,
  { onProgress, signal }: ArchiveProgress,
): Promise<void> {
  const { path } = archive;
  mkdirSync(join(folder, copiesFolder), { recursive: true, mode: 0o700 });
  const total = unpackedBytes(manifest);
  let done = 0;
  for (const file of manifest.files) {
    signal?.throwIfAborted();
    const hashing = new Hashing({ onBytes: (count) => onProgress?.((done += count), total) });
    const copied = file.path !== databaseName;
    const handle = await open(join(folder, ...file.path.split('/')), 'wx', copied ? 0o400 : 0o600);
    try {
      const sink = new Writable({
        write(chunk: Buffer, _encoding, next) {
          handle.appendFile(chunk).then(() => next(), next);
        },
      });
      const source = await entryStream(zip, entries.get(file.path) as yauzl.Entry, archive);
      await pipeline(source, hashing, sink, signal ? { signal } : {}).catch((error: NodeJS.ErrnoException) => {
        signal?.throwIfAborted();
        // Errors of the zip or of its compression have no number of the system's.
        if (error.errno !== undefined && error.syscall !== undefined) throw error;
        throw notACase(path, error.message);
      });
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (hashing.sha256 !== file.sha256) {
      throw notACase(path, `${JSON.stringify(file.path)} in it is damaged: its SHA-256 differs`);
    }
  }
}
