/** Finds recordings in the folders of a dataset. */
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, extname, join, sep } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import type { DatasetItem, LoadedItems } from './types.ts';
import { byCodeUnit, plural, someOf } from './words.ts';

/** Extensions that a dataset's recordings carry. Only a dataset's folder goes by them; decoding goes by content. */
const audioExtensions = new Set(
  (
    'wav wave flac mp3 mp2 m4a m4b mp4 aac ogg oga opus webm mka amr 3gp 3g2 aif aiff aifc wma asf au snd caf w64 rf64 ' +
    'gsm sph nist ac3 mov mkv avi'
  )
    .split(' ')
    .map((extension) => `.${extension}`),
);

/** Links followed on the way to one file; loops end sooner, where a folder is met inside itself. */
const mostLinks = 4;

const ignoredName = (name: string) => name.startsWith('.') || name === '__MACOSX';

interface WalkedFile {
  path: string;
  /** Names of the folders between the root and the file. */
  folders: string[];
  name: string;
}

/** Reads a folder's entries but for hidden ones, in order of code units. */
async function entriesOf(folder: string): Promise<Dirent[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw unreadable(folder, error, 'folder');
  }
  return entries.filter((entry) => !ignoredName(entry.name)).sort((a, b) => byCodeUnit(a.name, b.name));
}

/** A system error on reading part of a dataset, as a person should read it. */
export function unreadable(path: string, error: unknown, what: 'folder' | 'file'): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const why: Record<string, string> = {
    ENOENT: `there is no such ${what}`,
    ENOTDIR: what === 'folder' ? 'it is no folder' : 'a part of the path is a file',
    EISDIR: 'it is a folder',
    EACCES: 'permission is denied',
    EPERM: 'permission is denied',
    ELOOP: 'its links run in a circle',
    ENAMETOOLONG: 'the name is too long',
  };
  if (code === undefined || !(code in why)) return error;
  return new UserFacingError('dataset', `Cannot read ${path}: ${why[code]}.`, {
    path,
    advice: 'Check the path and its permissions.',
    cause: error,
  });
}

/** Whether a folder holds a file (or a link to one) of that name. */
export async function fileIn(folder: string, name: string): Promise<boolean> {
  return stat(join(folder, name)).then(
    (is) => is.isFile(),
    () => false,
  );
}

/** Names of the folders (and links to folders) in a folder, hidden ones left out, in order of code units. */
export async function subfoldersOf(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await entriesOf(folder)) {
    const isFolder = entry.isSymbolicLink()
      ? await stat(join(folder, entry.name)).then(
          (is) => is.isDirectory(),
          () => false,
        )
      : entry.isDirectory();
    if (isFolder) names.push(entry.name);
  }
  return names;
}

/**
 * Folders at or at most `depth` levels below `folder` for which `fits` holds; nothing is looked for inside one that fits.
 * @param fits gets a folder and the names of its subfolders.
 */
export async function findFolders(
  folder: string,
  depth: number,
  fits: (folder: string, subfolders: string[]) => boolean | Promise<boolean>,
): Promise<string[]> {
  const names = await subfoldersOf(folder);
  if (await fits(folder, names)) return [folder];
  if (depth === 0) return [];
  const found: string[] = [];
  for (const name of names) found.push(...(await findFolders(join(folder, name), depth - 1, fits)));
  return found;
}

/**
 * All audio files (by extension) below a folder. Links are followed, loops are not; hidden files and `__MACOSX` are passed
 * over in silence, everything else that is left out is named in `notes`. A link that leads nowhere counts as a file, which
 * is then found missing.
 */
async function walk(root: string): Promise<{ files: WalkedFile[]; notes: string[] }> {
  const files: WalkedFile[] = [];
  const otherExtensions = new Map<string, number>();
  const special: string[] = [];
  const circular: string[] = [];

  const visit = async (folder: string, folders: string[], above: string[], links: number): Promise<void> => {
    for (const entry of await entriesOf(folder)) {
      const path = join(folder, entry.name);
      let isFolder = entry.isDirectory();
      let isFile = entry.isFile();
      const isLink = entry.isSymbolicLink();
      if (isLink) {
        const target = await stat(path).catch(() => null);
        isFolder = target?.isDirectory() ?? false;
        isFile = target?.isFile() ?? true;
      }
      const relative = [...folders, entry.name].join('/');
      if (isFolder) {
        const real = isLink ? await realpath(path) : join(above[above.length - 1], entry.name);
        if (isLink && (above.includes(real) || links === mostLinks)) circular.push(relative);
        else await visit(path, [...folders, entry.name], [...above, real], links + (isLink ? 1 : 0));
      } else if (!isFile) {
        special.push(relative);
      } else {
        const extension = extname(entry.name).toLowerCase();
        if (audioExtensions.has(extension)) files.push({ path, folders, name: entry.name });
        else otherExtensions.set(extension, (otherExtensions.get(extension) ?? 0) + 1);
      }
    }
  };
  const realRoot = await realpath(root).catch((error: unknown) => {
    throw unreadable(root, error, 'folder');
  });
  await visit(root, [], [realRoot], 0);

  const notes: string[] = [];
  const others = [...otherExtensions].sort(([a], [b]) => byCodeUnit(a, b));
  if (others.length > 0) {
    const count = others.reduce((sum, [, files]) => sum + files, 0);
    const kinds = others.map(([extension, files]) => `${extension || 'no extension'}: ${files}`);
    notes.push(`Ignored ${plural(count, 'file')} with an extension that is not audio's (${someOf(kinds)}).`);
  }
  if (special.length > 0) {
    notes.push(`Ignored as no regular ${special.length === 1 ? 'file' : 'files'}: ${someOf(special)}.`);
  }
  if (circular.length > 0) {
    notes.push(
      `Not followed, leading in a circle or too far: ${plural(circular.length, 'link')} (${someOf(circular)}).`,
    );
  }
  return { files, notes };
}

/**
 * Makes items of the audio files below a folder, sorted by id.
 * @param classify says what a file is from the folders above it (root's side first) and its name; null leaves it out.
 * @param expected what the folders of a file should be, for the note about files left out.
 */
export async function collectItems(
  root: string,
  classify: (
    folders: string[],
    name: string,
  ) => (Pick<DatasetItem, 'label' | 'split' | 'generator'> & Partial<DatasetItem>) | null,
  expected: string,
): Promise<LoadedItems> {
  const { files, notes } = await walk(root);
  const items: DatasetItem[] = [];
  const outside: string[] = [];
  for (const { path, folders, name } of files) {
    const id = [...folders, name].join('/');
    const known = classify(folders, name);
    if (known) items.push({ path, id, speaker: null, source: null, ...known });
    else outside.push(id);
  }
  items.sort((a, b) => byCodeUnit(a.id, b.id));
  if (outside.length > 0) {
    outside.sort(byCodeUnit);
    notes.push(`Ignored ${plural(outside.length, 'audio file')} outside ${expected}: ${someOf(outside)}.`);
  }
  return { root, items, notes };
}

/** The innermost folder that holds all of them; the first's where they have none in common. */
export function commonFolder(folders: readonly string[]): string {
  let common = folders[0];
  while (
    folders.some((folder) => folder !== common && !folder.startsWith(common.endsWith(sep) ? common : common + sep))
  ) {
    if (dirname(common) === common) return folders[0];
    common = dirname(common);
  }
  return common;
}
