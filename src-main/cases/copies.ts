/** Where copies of evidence lie in the folder of a case, and nowhere else. */
import { join } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import { standing } from '../base/standing.ts';

/** Where copies of evidence lie in a case and in its archive; no folders below. */
export const copiesFolder = 'evidence';

/** Whether a path, relative to the case with `/`, is that of a file directly in the folder of copies, by a name that every file system takes. */
export function isCopyPath(path: string): boolean {
  const [folder, name, ...more] = path.split('/');
  return folder === copiesFolder && more.length === 0 && name !== undefined && isSafeName(name);
}

function isSafeName(name: string): boolean {
  // eslint-disable-next-line no-control-regex
  return name.length > 0 && name.length <= 255 && !/[\x00-\x1f<>:"/\\|?*\x7f]|^\.|[. ]$/.test(name);
}

/** A copy's place; of a path that no program of ours wrote, one at which nothing lies. */
export function copyPlace(folder: string, copyPath: string): string {
  return isCopyPath(copyPath) ? join(folder, ...copyPath.split('/')) : join(folder, copiesFolder, '.none');
}

/**
 * The place of a copy that may be read: below the case, and no link leads away from there. Whether it is there is another question.
 * @throws UserFacingError `not-allowed`
 */
export function readableCopy(folder: string, copyPath: string): string {
  const path = copyPlace(folder, copyPath);
  const isLink = (place: string): boolean => standing(place)?.isSymbolicLink() === true;
  if (isCopyPath(copyPath) && !isLink(join(folder, copiesFolder)) && !isLink(path)) return path;
  const shown = JSON.stringify(copyPath.slice(0, 300));
  throw new UserFacingError(
    'not-allowed',
    `The case names ${shown} as a copy of evidence, which leads out of its folder.`,
    {
      path: folder,
      advice: 'It is not opened. Verify the case, and restore it from an export or a copy.',
    },
  );
}
