/** Marks as JSON, with the recording that they are of. */
import { z } from 'zod';
import { sha256Schema } from '../../../src-common/hashes.ts';
import { markSchema } from '../../../src-common/schemas/evidence.ts';
import { checked, malformed } from './written-mark.ts';
import type { ReadMark, ReadingDefaults, WrittenMark } from './written-mark.ts';

const format = 'earwitness marks';

export interface MarkedRecording {
  name: string;
  sha256: string;
  durationSeconds: number | null;
}

export function marksJson(marks: readonly WrittenMark[], recording: MarkedRecording): string {
  return `${JSON.stringify({ format, version: 1, recording, marks }, null, 1)}\n`;
}

const fileSchema = z.object({
  format: z.literal(format, { error: `must be "${format}"` }),
  version: z.literal(1, { error: 'must be 1: it was written by a newer version' }),
  recording: z.object({ sha256: sha256Schema.optional() }).default({}),
  marks: z.array(
    markSchema.omit({ id: true, createdAt: true }).partial({ inReport: true, endSeconds: true, text: true }),
  ),
});

/**
 * @returns the marks, and the hash of the recording that the file says they are of
 * @throws UserFacingError `malformed`
 */
export function readMarksJson(
  text: string,
  name: string,
  defaults: ReadingDefaults,
): { marks: ReadMark[]; sha256: string | null } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    const { message } = error as SyntaxError;
    throw malformed(name, lineOf(text), `it is no JSON: ${message}`);
  }
  const result = fileSchema.safeParse(parsed);
  if (!result.success) {
    const [{ path, message }] = result.error.issues;
    const [list, index, member] = path;
    const where =
      list === 'marks' && typeof index === 'number'
        ? `mark ${index + 1}${member === undefined ? '' : `, ${String(member)}`}`
        : path.join('.') || 'the file';
    throw malformed(name, null, `${where}: ${message}`);
  }
  const { marks, recording } = result.data;
  return {
    marks: marks.map(({ inReport = defaults.inReport, endSeconds = null, text: written = '', ...mark }, index) =>
      checked({ ...mark, text: written, endSeconds, inReport }, `${name}, mark ${index + 1}`, null),
    ),
    sha256: recording.sha256 ?? null,
  };
}

/** Where a text stops being JSON: V8 does not say so of every fault. */
function lineOf(text: string): number {
  let [good, bad] = [0, text.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (mayGoOn(text.slice(0, middle))) good = middle;
    else bad = middle;
  }
  return text.slice(0, bad).split('\n').length;
}

/** Whether nothing is wrong with the beginning of a JSON text but that it ends. */
function mayGoOn(beginning: string): boolean {
  try {
    JSON.parse(beginning);
    return true;
  } catch (error) {
    const { message } = error as SyntaxError;
    const position = /position (\d+)/.exec(message)?.[1];
    return /end of JSON|Unterminated/.test(message) || (position !== undefined && Number(position) >= beginning.length);
  }
}
