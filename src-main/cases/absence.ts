/** Why a file of evidence cannot be read: its drive is away, it is gone from its folder, or it may not be read. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { UserFacingError } from '../base/errors.ts';
import type { NamedFile } from '../base/openable-path.ts';

const unknown = 'it cannot be told whether it is what was taken in';

/** @param told what reading the file threw */
export async function absence(file: NamedFile & { name: string }, failure: UserFacingError): Promise<string> {
  if (failure.code !== 'missing') return `${failure.message.replace(/\.$/, '')}: ${unknown}.`;
  const folder = dirname(file.path);
  if (await isThere(folder)) return `${file.name} is no longer in ${folder}: it was deleted, moved or renamed.`;
  let lost = folder;
  while (dirname(lost) !== lost && !(await isThere(dirname(lost)))) lost = dirname(lost);
  return `${file.name} cannot be reached, since ${lost} is not there (is its drive connected?): ${unknown}.`;
}

async function isThere(folder: string): Promise<boolean> {
  return stat(folder).then(
    () => true,
    ({ code }: NodeJS.ErrnoException) => code !== 'ENOENT' && code !== 'ENOTDIR',
  );
}
