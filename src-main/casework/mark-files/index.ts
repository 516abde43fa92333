/** Files of marks: in the ways of Audacity and Praat, as CSV and JSON; written and read. */
import { UserFacingError } from '../../base/errors.ts';
import type { MarkFormat } from '../../../src-common/mark-formats.ts';
import { audacityLabels, readAudacityLabels } from './audacity.ts';
import { marksCsv, readMarksCsv } from './csv.ts';
import { marksJson, readMarksJson } from './json.ts';
import type { MarkedRecording } from './json.ts';
import { readTextGrid, textGrid } from './textgrid.ts';
import { decimal, malformed, mostMarks } from './written-mark.ts';
import type { ReadMark, ReadingDefaults, WrittenMark } from './written-mark.ts';

export type { MarkedRecording, WrittenMark };

/** Larger files hold no marks that a person made. */
export const mostFileBytes = 32 * 2 ** 20;

/** By a rounded last digit, a mark may end behind its recording. */
const toleranceSeconds = 0.05;

/** Marks of one recording as a file. */
export function writeMarks(format: MarkFormat, marks: readonly WrittenMark[], recording: MarkedRecording): string {
  if (format === 'audacity') return audacityLabels(marks);
  if (format === 'textgrid') return textGrid(marks, recording.durationSeconds);
  if (format === 'csv') return marksCsv(marks);
  return marksJson(marks, recording);
}

/** What a file says that it is. @throws UserFacingError `malformed` where nothing says so */
export function formatOf(name: string, text: string): MarkFormat {
  const end = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase();
  if (end === 'textgrid' || /^\s*File type = "ooTextFile/.test(text)) return 'textgrid';
  if (end === 'json') return 'json';
  if (end === 'csv') return 'csv';
  if (end === 'txt' || end === 'lbl') return 'audacity';
  throw new UserFacingError('malformed', `${name} does not say what it holds.`, {
    path: name,
    advice: 'Name it .txt (labels of Audacity), .TextGrid (Praat), .csv or .json, or say which it is.',
  });
}

/** UTF-8, or UTF-16 with its mark, as Praat writes it. @throws UserFacingError `malformed` */
function textOf(bytes: Uint8Array, name: string): string {
  if (bytes.length > mostFileBytes) throw malformed(name, null, `it is larger than ${mostFileBytes / 2 ** 20} MiB`);
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    const good = new TextDecoder(encoding).decode(bytes);
    const line = good.slice(0, Math.max(0, good.indexOf('\ufffd'))).split(/\r\n|\n|\r/).length;
    throw malformed(name, line, `it is no text in ${encoding.toUpperCase()}`);
  }
}

/**
 * Marks that a file holds.
 * @param file.format null: as its name and its beginning say
 * @param options.durationSeconds of the recording that they are for; null where it is not known: then ends are not looked at
 * @returns the marks in the order of the file, and the recording that it says they are of
 * @throws UserFacingError `malformed`, with the line and why
 */
export function readMarks(
  file: { name: string; bytes: Uint8Array; format: MarkFormat | null },
  options: ReadingDefaults & { durationSeconds: number | null; channels: number | null },
): { format: MarkFormat; marks: WrittenMark[]; sha256: string | null } {
  const { name } = file;
  const text = textOf(file.bytes, name);
  const format = file.format ?? formatOf(name, text);
  const defaults = { readAll: options.readAll, inReport: options.inReport };
  let read: ReadMark[];
  let sha256: string | null = null;
  if (format === 'audacity') read = readAudacityLabels(text, name, defaults);
  else if (format === 'textgrid') read = readTextGrid(text, name, defaults);
  else if (format === 'csv') read = readMarksCsv(text, name, defaults);
  else ({ marks: read, sha256 } = readMarksJson(text, name, defaults));
  if (read.length > mostMarks) throw malformed(name, null, `it holds ${read.length} marks, more than ${mostMarks}`);
  for (const { mark, line } of read) mustBeWithin(mark, line, name, options);
  return { format, marks: read.map(({ mark }) => mark), sha256 };
}

function mustBeWithin(
  { startSeconds, endSeconds, readAll, channel }: WrittenMark,
  line: number | null,
  name: string,
  { durationSeconds, channels }: { durationSeconds: number | null; channels: number | null },
): void {
  const last = endSeconds ?? startSeconds;
  // With all sound in its file, a recording may be longer than is known.
  if (!readAll && durationSeconds !== null && last > durationSeconds + toleranceSeconds) {
    const what = `a mark lies at ${decimal(last)} s, behind the end of the recording (${decimal(durationSeconds)} s)`;
    throw malformed(name, line, what);
  }
  if (channel !== null && channels !== null && channel > channels) {
    const has = channels === 1 ? '1 channel' : `${channels} channels`;
    throw malformed(name, line, `a mark is of channel ${channel}, and the recording has ${has}`);
  }
}
