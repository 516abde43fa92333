/** Where commands write: nothing that stands there is replaced unless that was asked for, and never what must stay. */
import { lstatSync, readdirSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { join, resolve } from 'node:path';
import { Option } from 'commander';
import { UserFacingError } from '../base/errors.ts';
import { unwritable, writeFileWhole } from '../base/files.ts';
import { reached } from '../base/standing.ts';

/** `--overwrite`. */
export function overwriteOption(what = 'replace files that stand there'): Option {
  return new Option('--overwrite', what);
}

/** What is known of a command's outputs. */
export interface OutputFiles {
  /** Whether files that stand at their places may be replaced. */
  overwrite: boolean | undefined;
  /** Recordings that the command reads. */
  recordings?: readonly string[];
  /** Folders of cases that the command works on. */
  cases?: readonly string[];
}

/**
 * Looks at every place before anything is done or written.
 * @throws UserFacingError `protected` for what must stay (`mustNotReplace`); `unwritable` for a place below a file; `usage` for a folder, for what is no ordinary file, for one of
 * the recordings and, unless it may be replaced, for whatever stands there
 */
export async function mustBeFree(paths: readonly string[], outputs: OutputFiles): Promise<void> {
  const { mustNotReplace } = await import('../cases/protected.ts');
  const { overwrite, recordings = [], cases = [] } = outputs;
  for (const path of paths.map((one) => resolve(one))) {
    mustNotReplace(path, undefined, { cases });
    const found = looked(path, lstatSync);
    if (!found) continue;
    if (isOneOf(path, recordings)) throw refused(path, 'is one of the recordings: they are never written to');
    if (found.isDirectory()) throw refused(path, 'is a folder');
    if (found.isSymbolicLink())
      throw refused(path, 'is a link', 'Name the file that it leads to, or choose another name.');
    if (!found.isFile()) throw refused(path, 'is no ordinary file');
    if (!overwrite) throw refused(path, 'exists', 'Choose another name, or add --overwrite to replace it.');
  }
}

/** What stands at the place of an output. @throws UserFacingError `unwritable` where nothing can come to stand */
function looked(path: string, look: typeof lstatSync): Stats | undefined {
  try {
    const found = look(path, { throwIfNoEntry: false });
    // `statSync` passes over a part of the path that is a file.
    if (!found) lstatSync(path, { throwIfNoEntry: false });
    return found;
  } catch (error) {
    throw unwritable(path, error);
  }
}

function refused(path: string, why: string, advice = 'Choose another name.'): UserFacingError {
  return new UserFacingError('usage', `${path} ${why}.`, { path, advice });
}

/** Whether a path leads to one of these files, through links too. */
function isOneOf(path: string, others: readonly string[]): boolean {
  const found = reached(path);
  return others.some((other) => {
    if (resolve(other) === resolve(path)) return true;
    const status = reached(other);
    return found !== undefined && status?.dev === found.dev && status.ino === found.ino;
  });
}

const ofModel = /^(?:card\.json|selftest\.json|checkpoint.*|.*\.(?:onnx|safetensors))$/;

/**
 * Looks at the folder that a model is to be written to.
 * @param options.resume whether an unfinished one is to be gone on with; undefined where that cannot be
 * @throws UserFacingError as {@link mustBeFree}
 */
export async function mustBeFreeForModel(
  folder: string,
  { overwrite, resume }: { overwrite: boolean | undefined; resume?: boolean },
): Promise<void> {
  const { mustNotReplace } = await import('../cases/protected.ts');
  const status = looked(folder, statSync);
  if (status && !status.isDirectory()) throw refused(folder, 'is no folder');
  const standing = status ? readdirSync(folder).filter((name) => ofModel.test(name)) : [];
  for (const name of new Set(['card.json', 'model.onnx', ...standing])) {
    mustNotReplace(join(folder, name), undefined, { ofModel: true });
  }
  if (overwrite || resume || standing.length === 0) return;
  const unfinished = standing.some((name) => name.startsWith('checkpoint'));
  const what = standing.includes('card.json')
    ? 'A model'
    : unfinished
      ? 'An unfinished training'
      : `A file of a model, ${standing[0]},`;
  throw new UserFacingError('usage', `${what} stands in ${folder}.`, {
    path: folder,
    advice: `Choose another folder${unfinished && resume !== undefined ? ', go on with --resume' : ''}, or add --overwrite to replace it.`,
  });
}

/** Writes files by their paths; where one may not be written (`mustBeFree`), none is. */
export async function writeOutputs(
  files: ReadonlyMap<string, string | Uint8Array>,
  outputs: OutputFiles,
): Promise<void> {
  await mustBeFree([...files.keys()], outputs);
  for (const [path, content] of files) await writeFileWhole(path, content, { replace: outputs.overwrite === true });
}

/** Files of a folder, by their paths. */
export function filesIn(folder: string, files: Readonly<Record<string, string>>): Map<string, string> {
  return new Map(Object.entries(files).map(([name, content]) => [join(folder, name), content]));
}

/**
 * Looks at a folder that is to be filled with files of names that are not known yet.
 * @param overwrite `never`: the command does not offer it
 * @throws UserFacingError as {@link mustBeFree}; `usage` where something lies in it, unless that may be replaced
 */
export function mustBeFreeFolder(folder: string, { overwrite }: { overwrite?: boolean | 'never' }): void {
  const status = looked(folder, statSync);
  if (status && !status.isDirectory()) throw refused(folder, 'is no folder');
  if (status && readdirSync(folder).length > 0 && overwrite !== true) {
    const replacing = overwrite === 'never' ? '' : ', or add --overwrite to replace what it holds';
    throw refused(folder, 'is not empty', `Choose another folder${replacing}.`);
  }
}
