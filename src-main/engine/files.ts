/**
 * The engine's side of choosing files: what may be looked into, and where outputs go. In the browser workstation that is limited to the
 * roots of the settings (the home folder by default), the uploads and the data folder; Electron's own dialogs show what the person may open.
 */
import { randomBytes } from 'node:crypto';
import { lstat, opendir, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, parse, relative, resolve, sep } from 'node:path';
import type { ContractOutputs } from '../../src-preload/contract.ts';
import { UserFacingError } from '../base/errors.ts';
import { moveToFreePlace, unwritable } from '../base/files.ts';
import { whileUnfinished } from '../base/unfinished.ts';
import { mustNotReplace } from '../cases/protected.ts';
import type { EngineContext } from './context.ts';
import { os } from './implementer.ts';
import { drives, effectiveRoots } from './roots.ts';
import { confirmWider, mustBe } from './settings.ts';
import { uploadsFolder } from './uploads.ts';

type Root = ContractOutputs['files']['roots'][number];
type Entry = ContractOutputs['files']['list']['entries'][number];
type Listing = ContractOutputs['files']['list'];
type Output = ContractOutputs['models']['export'];
type Limits = Pick<EngineContext, 'host' | 'home' | 'settings' | 'roots'>;

const mostEntries = 10_000;
/** Files that are looked at at the same time. */
const lanes = 32;

function notAllowed(path: string): UserFacingError {
  return new UserFacingError('not-allowed', `${path} lies outside the folders that may be looked into.`, {
    path,
    advice: 'Choose another place, or add its folder in the settings, under folders.',
  });
}

function missing(path: string, error: unknown): UserFacingError {
  const code = (error as NodeJS.ErrnoException).code;
  const denied = code === 'EACCES' || code === 'EPERM';
  return new UserFacingError(
    denied ? 'unreadable' : 'not-found',
    denied ? `${path} cannot be read: permission is denied.` : `There is nothing at ${path}.`,
    { path, cause: error },
  );
}

/** Whether a path is a folder or lies below it; both without links. */
function isWithin(path: string, folder: string): boolean {
  const below = relative(folder, path);
  return below === '' || (below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below));
}

/** The folders that may be looked into, without links; those that are not there are left out. */
async function rootFolders({ home, settings, roots }: Limits): Promise<string[]> {
  const wanted = [...effectiveRoots(settings.get().roots), ...roots, uploadsFolder(home)];
  const real = await Promise.all(wanted.map((root) => realpath(resolve(root)).catch(() => null)));
  return [...new Set(real.filter((root) => root !== null))];
}

async function allowedFolders(limits: Limits): Promise<string[]> {
  const home = await realpath(limits.home).catch(() => limits.home);
  return [...(await rootFolders(limits)), home];
}

function plainPath(path: string): string {
  if (path.includes('\0')) throw new UserFacingError('not-found', 'That is no path.');
  return resolve(path);
}

/**
 * A path of something that is there, if it may be read: in the browser workstation it lies, links followed, within the allowed folders.
 * @returns the path, absolute; its links stay.
 * @throws UserFacingError `not-found`, `unreadable`, `not-allowed`
 */
export async function readablePath(limits: Limits, path: string): Promise<string> {
  const absolute = plainPath(path);
  if (limits.host === 'electron') return absolute;
  // What lies outside is not even said to be there or not.
  const allowed = await allowedFolders(limits);
  const real = await realpath(absolute).catch((error: unknown) => {
    throw allowed.some((folder) => isWithin(absolute, folder)) ? missing(absolute, error) : notAllowed(absolute);
  });
  if (!allowed.some((folder) => isWithin(real, folder))) throw notAllowed(absolute);
  return absolute;
}

/**
 * A path for a new file, if it may be written; its folder must be there.
 * @throws UserFacingError as {@link readablePath}
 */
export async function writablePath(limits: Limits, path: string): Promise<string> {
  const absolute = plainPath(path);
  await readablePath(limits, dirname(absolute));
  // A link that stands there would lead the bytes elsewhere.
  if (limits.host === 'browser' && (await stat(absolute).catch(() => null))) await readablePath(limits, absolute);
  return absolute;
}

/**
 * A place for an output, if it may be written, and may take the place of what stands there: Electron's dialog has asked, a page has not.
 * @throws UserFacingError as {@link writablePath} and {@link mustNotReplace}; `exists`
 */
export async function outputPath(limits: Limits, out: string): Promise<string> {
  const path = await writablePath(limits, out);
  mustNotReplace(path, limits.home);
  const found = await lstat(path).catch(() => null);
  if (found && (limits.host === 'browser' || !found.isFile())) {
    throw new UserFacingError('exists', `${path} exists.`, { path, advice: 'Choose another name.' });
  }
  return path;
}

/**
 * Makes a file and says where it is: at `out`, whole or not at all, or behind an address from which it can be fetched once.
 * @param write makes the file at the path that it gets.
 * @throws UserFacingError as {@link outputPath}, `unwritable`, and what `write` throws.
 */
export async function deliver(
  context: Limits & Pick<EngineContext, 'outputs'>,
  out: string | null,
  file: { name: string; type: string },
  write: (path: string) => Promise<unknown>,
): Promise<Output> {
  const path = out === null ? await context.outputs.place(file.name) : await outputPath(context, out);
  // A name that nobody can have put anything at.
  const beside = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}.partial`);
  try {
    await whileUnfinished(context.home, [beside], async () => {
      await write(beside);
      if (context.host === 'browser') await moveToFreePlace(beside, path);
      else await rename(beside, path);
    });
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined);
    if (out === null) await context.outputs.done({ path, ...file });
    throw unwritable(path, error);
  }
  const { size } = await stat(path);
  return {
    path: out,
    resource: out === null ? context.outputs.offer({ path, ...file }).resource : null,
    sizeBytes: size,
  };
}

async function entryOf(path: string, name: string): Promise<Entry | null> {
  const found = await stat(path).catch(() => null);
  if (!found || !(found.isFile() || found.isDirectory())) return null;
  return {
    name,
    path,
    kind: found.isDirectory() ? 'folder' : 'file',
    sizeBytes: found.isFile() ? found.size : null,
    modifiedTime: found.mtime.toISOString(),
  };
}

/** What a root is called: its last part, or all of it where there is none. */
function rootName(path: string, home: string): string {
  if (path === home) return 'Uploads';
  return basename(path) || parse(path).root;
}

/** The roots; behind them drives and shares that lie in none, which may become one. */
async function listRoots(limits: Limits): Promise<Root[]> {
  const uploads = await realpath(uploadsFolder(limits.home)).catch(() => null);
  const entries = await Promise.all(
    (await rootFolders(limits)).map((root) => entryOf(root, rootName(root, uploads ?? ''))),
  );
  const folders = await rootFolders(limits);
  const outside = (await drives()).filter((drive) => !folders.some((folder) => isWithin(drive, folder)));
  const further = await Promise.all(outside.map((drive) => entryOf(drive, basename(drive) || drive)));
  return [
    ...entries.filter((entry) => entry !== null).map((entry) => ({ ...entry, allowed: true })),
    ...further.filter((entry) => entry !== null).map((entry) => ({ ...entry, allowed: false })),
  ];
}

/** Makes a folder one that may be looked into, once a person has said so. */
async function addRoot(context: EngineContext, wanted: string): Promise<Root[]> {
  const path = plainPath(wanted);
  await mustBe('folder', path, 'Folders');
  const roots = [...new Set([...effectiveRoots(context.settings.get().roots), path])];
  await confirmWider(context, { roots });
  await context.settings.set({ roots });
  return listRoots(context);
}

const collator = new Intl.Collator('en', { numeric: true });

async function listFolder(limits: Limits, wanted: string, foldersOnly: boolean): Promise<Listing> {
  const roots = await rootFolders(limits);
  const absolute = plainPath(wanted);
  const folder = await realpath(absolute).catch((error: unknown) => {
    throw roots.some((root) => isWithin(absolute, root)) ? missing(absolute, error) : notAllowed(absolute);
  });
  if (!roots.some((root) => isWithin(folder, root))) throw notAllowed(absolute);
  const names: string[] = [];
  let truncated = false;
  try {
    for await (const entry of await opendir(folder)) {
      if (foldersOnly && entry.isFile()) continue;
      truncated = names.length === mostEntries;
      if (truncated) break;
      names.push(entry.name);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') throw new UserFacingError('not-a-folder', `${folder} is no folder.`, { path: folder });
    throw missing(folder, error);
  }
  const entries: Entry[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < names.length) {
      const name = names[next++];
      const path = join(folder, name);
      // A link may lead out; a name that is not text leads nowhere.
      const real = await realpath(path).catch(() => null);
      if (real === null || !roots.some((root) => isWithin(real, root))) continue;
      const entry = await entryOf(path, name);
      if (entry && (!foldersOnly || entry.kind === 'folder')) entries.push(entry);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  entries.sort(
    (one, other) =>
      Number(other.kind === 'folder') - Number(one.kind === 'folder') ||
      Number(one.name.startsWith('.')) - Number(other.name.startsWith('.')) ||
      collator.compare(one.name, other.name),
  );
  const above = dirname(folder);
  const parent = above !== folder && roots.some((root) => isWithin(above, root)) ? above : null;
  return { path: folder, parent, entries, truncated };
}

export function filesProcedures(context: EngineContext) {
  return {
    roots: os.files.roots.handler(() => listRoots(context)),
    addRoot: os.files.addRoot.handler(({ input }) => addRoot(context, input.path)),
    list: os.files.list.handler(({ input }) => listFolder(context, input.path, input.foldersOnly)),
  };
}
