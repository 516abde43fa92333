import { chmodSync, existsSync, lstatSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import { standing } from '../base/standing.ts';

/** Makes a folder and those above it, without waiting. (Node's own `recursive` never ends where `/proc` refuses one.) */
export function ensureFolderNow(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    const above = dirname(path);
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (missing && above !== path && !statSync(above, { throwIfNoEntry: false })) {
      ensureFolderNow(above, mode);
      mkdirSync(path, { mode });
    } else if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
      throw error;
    }
  }
}

/** Files of a database. */
export const databaseEnds = ['', '-wal', '-shm', '-journal'] as const;

/** Takes others' rights on a database of the data folder away, and on what lies beside it. */
export function keepPrivate(path: string): void {
  for (const end of databaseEnds) {
    const status = lstatSync(path + end, { throwIfNoEntry: false });
    if (status?.isFile() && (status.mode & 0o077) !== 0) chmodSync(path + end, 0o600);
  }
}

/**
 * Nothing that is opened as a file or a folder of a case is a link that leads elsewhere, a pipe or a device.
 * @throws UserFacingError `damaged`
 */
export function mustBeOrdinary(path: string, kind: 'file' | 'folder'): void {
  const status = standing(path);
  if (!status || (kind === 'file' ? status.isFile() : status.isDirectory())) return;
  const advice =
    kind === 'folder' && status.isSymbolicLink()
      ? 'Nothing of it was opened: a link may lead to files that are no evidence. Put the folder itself in its place. To keep a case on another drive, move its whole folder there and open it there; to keep recordings there, add them without copying. A drive that is mounted in that place is no link.'
      : 'Nothing of it was opened. Open the folder in which the case lies, or restore it from an export or a copy.';
  const what = status.isSymbolicLink() ? 'a link that leads elsewhere' : `no ordinary ${kind}`;
  throw new UserFacingError('damaged', `${path} is ${what}, not what Earwitness puts into the folder of a case.`, {
    path,
    advice,
  });
}

/** The name of a folder for a case of this number. */
export function caseFolderName(number: string): string {
  const plain = number.normalize('NFC').replace(/[^\p{L}\p{N}._ -]+/gu, '-');
  const name = plain.replace(/^[. -]+|[. -]+$/g, '').slice(0, 80);
  // Names that Windows keeps for devices.
  return name === '' || /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(name) ? `case-${name}` : name;
}

/** A folder for a new case among others, none that is there. */
export function freeCaseFolder(casesFolder: string, number: string): string {
  const name = caseFolderName(number);
  let folder = join(casesFolder, name);
  for (let count = 2; existsSync(folder); count++) folder = join(casesFolder, `${name} (${count})`);
  return folder;
}
