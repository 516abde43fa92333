/**
 * Label tracks of Audacity (https://manual.audacityteam.org/man/importing_and_exporting_labels.html): a line for each label, its times in seconds
 * and its text between tabs; a line that begins with a backslash has the frequencies of the label before it, which are passed over.
 *
 * They know neither channels nor categories: these stand in brackets before the text, as in `[channel 2] [category Caller] a cough`.
 */
import { channelOf, checked, decimal, secondsOf } from './written-mark.ts';
import { malformed } from './written-mark.ts';
import type { ReadMark, ReadingDefaults, WrittenMark } from './written-mark.ts';

/** Tabs and line breaks cannot be in a label. */
const inOneLine = (text: string): string => text.replaceAll(/[\t\r\n\v\f\u0085\u2028\u2029]+/g, ' ');
/** Brackets in a category, which its own brackets would be taken for. */
const inBrackets = (text: string): string => inOneLine(text).replaceAll('[', '(').replaceAll(']', ')');

export function audacityLabels(marks: readonly WrittenMark[]): string {
  return marks
    .map(({ startSeconds, endSeconds, text, category, channel }) => {
      const before = [
        ...(channel === null ? [] : [`[channel ${channel}]`]),
        ...(category === '' ? [] : [`[category ${inBrackets(category)}]`]),
      ];
      // A text of its own that begins so is kept apart by empty brackets.
      const own = inOneLine(text);
      const parts = [...before, ...(/^\[(?:channel |category |\])/.test(own) ? ['[]'] : []), own];
      return `${decimal(startSeconds)}\t${decimal(endSeconds ?? startSeconds)}\t${parts.join(' ').trimEnd()}\n`;
    })
    .join('');
}

/** @throws UserFacingError `malformed` */
export function readAudacityLabels(text: string, name: string, defaults: ReadingDefaults): ReadMark[] {
  const marks: ReadMark[] = [];
  for (const [index, content] of text.split(/\r\n|\n|\r/).entries()) {
    const line = index + 1;
    if (content.trim() === '') continue;
    if (content.startsWith('\\')) {
      if (marks.length === 0) throw malformed(name, line, 'it has frequencies, and no label stands before them');
      continue;
    }
    const [start, end, ...rest] = content.split('\t');
    if (end === undefined) {
      throw malformed(name, line, 'a label is two times in seconds and a text, with tabs between them');
    }
    const at = { name, line };
    const startSeconds = secondsOf(start.trim(), 'its beginning', at);
    const endSeconds = secondsOf(end.trim(), 'its end', at);
    const label = labelOf(rest.join(' '));
    marks.push(checked({ startSeconds, endSeconds, ...label, colour: null, ...defaults }, name, line));
  }
  return marks;
}

function labelOf(label: string): Pick<WrittenMark, 'text' | 'category' | 'channel'> {
  let rest = label;
  let channel: number | null = null;
  let category = '';
  const first = /^\[channel ([^\]]*)\] ?/.exec(rest);
  if (first && channelOf(first[1]) !== null) {
    channel = channelOf(first[1]);
    rest = rest.slice(first[0].length);
  }
  const second = /^\[category ([^\]]+)\] ?/.exec(rest);
  if (second) {
    category = second[1];
    rest = rest.slice(second[0].length);
  }
  return { text: rest.replace(/^\[\] ?/, ''), category, channel };
}
