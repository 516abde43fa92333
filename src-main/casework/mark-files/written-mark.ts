/** What the formats of marks share. */
import { UserFacingError } from '../../base/errors.ts';
import type { Mark } from '../../../src-common/schemas/evidence.ts';

/** A mark as a file holds it. */
export type WrittenMark = Omit<Mark, 'id' | 'createdAt'>;

/** One that a file holds, and where, counted from 1; null where the format has no lines of its own. */
export interface ReadMark {
  mark: WrittenMark;
  line: number | null;
}

/** What of a mark a format does not hold is taken from here. */
export interface ReadingDefaults {
  readAll: boolean;
  inReport: boolean;
}

export const mostMarks = 10_000;
const mostTextCharacters = 10_000;
const mostCategoryCharacters = 200;
const mostChannel = 256;

/** A file of marks that cannot be read: what is wrong, and in which line. */
export function malformed(name: string, line: number | null, reason: string): UserFacingError {
  const where = line === null ? '' : `, line ${line}`;
  return new UserFacingError('malformed', `${name}${where}: ${reason}.`, {
    path: name,
    advice: 'Nothing was taken from it. Mend it, or export it again from the program that wrote it.',
  });
}

/** A number that is written as a decimal, to the last digit that tells it from its neighbours. */
export function decimal(value: number): string {
  const text = String(value);
  return text.includes('e') ? value.toFixed(12) : text;
}

/** A time in seconds, as a file has it. @throws UserFacingError `malformed` */
export function secondsOf(text: string, what: string, at: { name: string; line: number }): number {
  if (!/^[+]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) {
    const found = text.trim() === '' ? 'nothing' : `“${text.slice(0, 40)}”`;
    throw malformed(at.name, at.line, `${what} must be a time in seconds, such as 12.5, and is ${found}`);
  }
  return Number(text);
}

/** @throws UserFacingError `malformed` where a mark cannot be one */
export function checked(mark: WrittenMark, name: string, line: number | null): ReadMark {
  const { startSeconds, endSeconds, text, category, channel } = mark;
  if (endSeconds !== null && endSeconds < startSeconds) {
    throw malformed(name, line, `it ends at ${decimal(endSeconds)} s, before it begins at ${decimal(startSeconds)} s`);
  }
  if (text.length > mostTextCharacters) {
    throw malformed(name, line, `its text has more than ${mostTextCharacters} characters`);
  }
  if (category.length > mostCategoryCharacters) {
    throw malformed(name, line, `its category has more than ${mostCategoryCharacters} characters`);
  }
  if (channel !== null && !(Number.isInteger(channel) && channel >= 1 && channel <= mostChannel)) {
    throw malformed(name, line, `its channel must be a number from 1 to ${mostChannel}`);
  }
  return { mark: endSeconds === startSeconds ? { ...mark, endSeconds: null } : mark, line };
}

/** The channel that a text names, which holds nothing but its number. */
export function channelOf(text: string): number | null {
  return /^[1-9]\d{0,2}$/.test(text) ? Number(text) : null;
}
