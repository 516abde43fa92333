/** The marks of an item, written to a file and read from one. */
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { MarkFormat } from '../../src-common/mark-formats.ts';
import { markFormatEnds } from '../../src-common/mark-formats.ts';
import { unreadable } from '../audio/input.ts';
import { UserFacingError } from '../base/errors.ts';
import { sha256Hex } from '../cases/canonical.ts';
import type { CaseStore } from '../cases/store.ts';
import { mostFileBytes, readMarks, writeMarks } from './mark-files/index.ts';

/** Formats that have no place for which reading of a file a time is of. */
const ofOneReading: readonly MarkFormat[] = ['audacity', 'textgrid'];

/**
 * @param options.readAll of formats that do not say it of each mark: those of the recording with all sound in its file, else those without
 * @returns the file, and how many marks it holds
 * @throws UserFacingError `not-found`
 */
export function marksAsFile(
  store: CaseStore,
  evidenceId: number,
  { format, readAll }: { format: MarkFormat; readAll: boolean },
): { name: string; text: string; count: number } {
  const { name, sha256, durationSeconds, marks } = store.evidence.get(evidenceId);
  const written = marks
    .filter((mark) => !ofOneReading.includes(format) || mark.readAll === readAll)
    .map(({ id: _, createdAt: __, ...mark }) => mark);
  return {
    name: `${name}.${markFormatEnds[format]}`,
    text: writeMarks(format, written, { name, sha256, durationSeconds: readAll ? null : durationSeconds }),
    count: written.length,
  };
}

/** What was read from a file of marks. */
export interface MarksRead {
  added: number;
  format: MarkFormat;
  /** The file says that its marks are of another recording than this. */
  ofAnother: boolean;
}

/**
 * Adds the marks that a file holds to an item, all or none.
 * @param options.format null: as the file's name and beginning say
 * @param options.readAll of formats that do not say it: its times are of the recording with all sound in its file
 * @param options.inReport of formats that do not say it: whether marks stand in the report
 * @throws UserFacingError `malformed` with the line and why, `not-found`, `missing`, `unreadable`
 */
export async function marksFromFile(
  store: CaseStore,
  evidenceId: number,
  path: string,
  { format, readAll, inReport }: { format: MarkFormat | null; readAll: boolean; inReport: boolean },
): Promise<MarksRead> {
  const { sha256, durationSeconds, audio } = store.evidence.get(evidenceId);
  const bytes = await bytesOf(path);
  const name = basename(path);
  const channels = audio?.channels ?? null;
  const read = readMarks({ name, bytes, format }, { readAll, inReport, durationSeconds, channels });
  if (read.marks.length === 0) {
    throw new UserFacingError('malformed', `${name} holds no marks.`, { path, advice: 'Choose another file.' });
  }
  store.marks.addAll(evidenceId, read.marks, { name, sha256: sha256Hex(bytes), format: read.format });
  const ofAnother = read.sha256 !== null && read.sha256 !== sha256;
  return { added: read.marks.length, format: read.format, ofAnother };
}

async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size <= mostFileBytes) return await readFile(path);
  } catch (error) {
    throw unreadable(path, error);
  }
  throw new UserFacingError('malformed', `${path} is larger than a file of marks may be.`, {
    path,
    advice: `Files of up to ${mostFileBytes / 2 ** 20} MiB are read.`,
  });
}
