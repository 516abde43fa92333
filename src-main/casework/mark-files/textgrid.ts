/**
 * TextGrids of Praat (https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html): the long text format is written, the long and the short
 * one are read. A tier holds the marks of one category and channel; in a tier of intervals none overlaps another, so that marks that do get
 * a further tier. An interval without text is what lies between marks.
 */
import { channelOf, checked, decimal, malformed } from './written-mark.ts';
import type { ReadMark, ReadingDefaults, WrittenMark } from './written-mark.ts';

/** The tier of what has no category. */
const plainTier = 'marks';
/** An interval that is empty is none in Praat; so is the text of a mark that has none. */
const noText = '(no text)';
const ending = /^(.*?)(?: \[channel ([1-9]\d{0,2})\])?(?: #[1-9]\d*)?$/s;

type Interval = WrittenMark & { endSeconds: number };
interface Tier {
  name: string;
  intervals: Interval[] | null;
  points: WrittenMark[] | null;
}

/** @param durationSeconds of the recording; null where it is not known */
export function textGrid(marks: readonly WrittenMark[], durationSeconds: number | null): string {
  const last = marks.reduce((end, mark) => Math.max(end, mark.endSeconds ?? mark.startSeconds), 0);
  // Praat knows no recording of no length.
  const end = Math.max(durationSeconds ?? 0, last) || 1;
  const tiers = tiersOf(marks);
  const lines = [
    'File type = "ooTextFile"',
    'Object class = "TextGrid"',
    '',
    'xmin = 0',
    `xmax = ${decimal(end)}`,
    'tiers? <exists>',
    `size = ${tiers.length}`,
    'item []:',
  ];
  for (const [index, { name, intervals, points }] of tiers.entries()) {
    lines.push(`    item [${index + 1}]:`);
    lines.push(`        class = "${intervals ? 'IntervalTier' : 'TextTier'}"`, `        name = ${quoted(name)}`);
    lines.push('        xmin = 0', `        xmax = ${decimal(end)}`);
    if (intervals) lines.push(...intervalLines(intervals, end));
    else lines.push(...pointLines(points ?? []));
  }
  return `${lines.join('\n')}\n`;
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** Without a name that would be read as that of another tier. */
function tierName({ category, channel }: Pick<WrittenMark, 'category' | 'channel'>, copy: number): string {
  const base = category === '' ? plainTier : category.replaceAll(/ \[channel (\d+)\]/g, ' (channel $1)');
  const ofChannel = channel === null ? '' : ` [channel ${channel}]`;
  return `${base}${ofChannel}${copy > 1 || / #\d+$/.test(base) ? ` #${copy}` : ''}`;
}

function tiersOf(marks: readonly WrittenMark[]): Tier[] {
  const groups = Map.groupBy(marks, ({ category, channel, endSeconds }) =>
    JSON.stringify([channel ?? 0, category, endSeconds === null]),
  );
  const tiers: Tier[] = [];
  const copies = new Map<string, number>();
  for (const [, group] of [...groups].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const sorted = [...group].sort((one, other) => one.startSeconds - other.startSeconds);
    const key = JSON.stringify([sorted[0].category, sorted[0].channel]);
    const next = (): string => {
      copies.set(key, (copies.get(key) ?? 0) + 1);
      return tierName(sorted[0], copies.get(key) ?? 1);
    };
    if (sorted[0].endSeconds === null) {
      // Two points of a tier are not at one place.
      for (const points of apart(sorted, (before, mark) => before.startSeconds < mark.startSeconds)) {
        tiers.push({ name: next(), intervals: null, points });
      }
    } else {
      const spans = sorted.filter((mark): mark is Interval => mark.endSeconds !== null);
      for (const intervals of apart(spans, (before, mark) => before.endSeconds <= mark.startSeconds)) {
        tiers.push({ name: next(), intervals, points: null });
      }
    }
  }
  return tiers;
}

/** Marks in as few rows as it takes for each to follow the one before it. */
function apart<M extends WrittenMark>(sorted: readonly M[], follows: (before: M, mark: M) => boolean): M[][] {
  const rows: M[][] = [];
  for (const mark of sorted) {
    const row = rows.find((marks) => follows(marks[marks.length - 1], mark));
    if (row) row.push(mark);
    else rows.push([mark]);
  }
  return rows;
}

function intervalLines(intervals: readonly Interval[], end: number): string[] {
  const pieces: { from: number; to: number; text: string }[] = [];
  let at = 0;
  for (const { startSeconds, endSeconds, text } of intervals) {
    if (startSeconds > at) pieces.push({ from: at, to: startSeconds, text: '' });
    pieces.push({ from: startSeconds, to: endSeconds, text: text.trim() === '' ? noText : text });
    at = endSeconds;
  }
  if (end > at) pieces.push({ from: at, to: end, text: '' });
  return [
    `        intervals: size = ${pieces.length}`,
    ...pieces.flatMap(({ from, to, text }, index) => [
      `        intervals [${index + 1}]:`,
      `            xmin = ${decimal(from)}`,
      `            xmax = ${decimal(to)}`,
      `            text = ${quoted(text)}`,
    ]),
  ];
}

function pointLines(points: readonly WrittenMark[]): string[] {
  return [
    `        points: size = ${points.length}`,
    ...points.flatMap(({ startSeconds, text }, index) => [
      `        points [${index + 1}]:`,
      `            number = ${decimal(startSeconds)}`,
      `            mark = ${quoted(text.trim() === '' ? noText : text)}`,
    ]),
  ];
}

interface Token {
  value: string | number;
  line: number;
}

/** What Praat reads of a text file: texts in quotes, free-standing numbers and flags; all else explains them to people. */
function* tokens(text: string, name: string): Generator<Token> {
  const pattern = /"([^"]*(?:""[^"]*)*)"|!.*|<exists>|<absent>|([^\s"<]+)|"|</g;
  let line = 1;
  let counted = 0;
  for (const match of text.matchAll(pattern)) {
    line += breaksIn(text.slice(counted, match.index));
    counted = match.index;
    const [whole, quotedText, word] = match;
    if (quotedText !== undefined) yield { value: quotedText.replaceAll('""', '"'), line };
    else if (whole === '<exists>' || whole === '<absent>') yield { value: whole, line };
    else if (whole === '"') throw malformed(name, line, 'a text in quotes has no end');
    else if (word !== undefined && /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(word)) {
      yield { value: Number(word), line };
    }
  }
}

function breaksIn(text: string): number {
  return text.match(/\r\n|\n|\r/g)?.length ?? 0;
}

class Reader {
  readonly #tokens: Generator<Token>;
  readonly #name: string;
  line = 1;

  constructor(text: string, name: string) {
    this.#tokens = tokens(text, name);
    this.#name = name;
  }

  #next(what: string): Token {
    const next = this.#tokens.next();
    if (next.done === true) throw malformed(this.#name, this.line, `it ends where ${what} should follow`);
    this.line = next.value.line;
    return next.value;
  }

  text(what: string): string {
    const { value } = this.#next(what);
    if (typeof value === 'string') return value;
    throw malformed(this.#name, this.line, `${what} should be a text in quotes, and is ${value}`);
  }

  number(what: string): number {
    const { value } = this.#next(what);
    if (typeof value === 'number' && value >= 0) return value;
    throw malformed(
      this.#name,
      this.line,
      `${what} should be a number of at least 0, and is “${String(value).slice(0, 40)}”`,
    );
  }

  count(what: string): number {
    const value = this.number(what);
    if (Number.isInteger(value) && value <= 1_000_000) return value;
    throw malformed(this.#name, this.line, `${what} should be a whole number, and is ${value}`);
  }
}

/** @throws UserFacingError `malformed` */
export function readTextGrid(text: string, name: string, defaults: ReadingDefaults): ReadMark[] {
  const reader = new Reader(text, name);
  if (reader.text('“ooTextFile”') !== 'ooTextFile' || reader.text('“TextGrid”') !== 'TextGrid') {
    throw malformed(name, reader.line, 'this is no TextGrid of Praat in its text format');
  }
  reader.number('the beginning of the file (xmin)');
  reader.number('the end of the file (xmax)');
  if (reader.text('“<exists>”') !== '<exists>') return [];
  const marks: ReadMark[] = [];
  const tiers = reader.count('the number of tiers');
  for (let tier = 0; tier < tiers; tier++) {
    const kind = reader.text('the class of a tier');
    if (kind !== 'IntervalTier' && kind !== 'TextTier') {
      throw malformed(
        name,
        reader.line,
        `a tier is an IntervalTier or a TextTier, and this one is “${kind.slice(0, 40)}”`,
      );
    }
    const place = placeOf(reader.text('the name of a tier'));
    reader.number('the beginning of a tier (xmin)');
    reader.number('the end of a tier (xmax)');
    const count = reader.count('the number of intervals or points of a tier');
    for (let index = 0; index < count; index++) {
      const startSeconds = reader.number('the beginning of an interval or the time of a point');
      const { line } = reader;
      const endSeconds = kind === 'TextTier' ? null : reader.number('the end of an interval');
      const written = reader.text('the text of an interval or a point');
      if (kind === 'IntervalTier' && written.trim() === '') continue;
      const mark = { startSeconds, endSeconds, text: written === noText ? '' : written, ...place };
      marks.push(checked({ ...mark, colour: null, ...defaults }, name, line));
    }
  }
  return marks;
}

function placeOf(tier: string): Pick<WrittenMark, 'category' | 'channel'> {
  const [, base = tier, channel] = ending.exec(tier) ?? [];
  return { category: base === plainTier ? '' : base, channel: channel === undefined ? null : channelOf(channel) };
}
