import { describe, expect, it } from 'vitest';
import type { UserFacingError } from '../../base/errors.ts';
import { markFormats } from '../../../src-common/mark-formats.ts';
import type { MarkFormat } from '../../../src-common/mark-formats.ts';
import { readMarks, writeMarks } from './index.ts';
import type { WrittenMark } from './index.ts';

const recording = { name: 'call.wav', sha256: 'a'.repeat(64), durationSeconds: 60 };
const plain = { text: '', inReport: true, readAll: false, channel: null, category: '', colour: null };
const options = { readAll: false, inReport: true, durationSeconds: 60, channels: 4 };

const read = (format: MarkFormat, text: string | Uint8Array, name = 'marks') =>
  readMarks({ name, bytes: typeof text === 'string' ? Buffer.from(text) : text, format }, options);

/** Marks of every kind: points and spans that overlap, of channels, with categories and texts that formats use for themselves. */
const marks: WrittenMark[] = [
  { ...plain, startSeconds: 0, endSeconds: 0.1 + 0.2, text: 'a “cough”, or "hm"', category: 'Caller' },
  { ...plain, startSeconds: 0.25, endSeconds: 2, text: 'overlaps the first', category: 'Caller' },
  { ...plain, startSeconds: 1 / 3, endSeconds: null, text: 'a click', channel: 2 },
  { ...plain, startSeconds: 1 / 3, endSeconds: null, text: 'another one there', channel: 2 },
  { ...plain, startSeconds: 2, endSeconds: 3, text: '', category: 'Caller', channel: 1 },
  { ...plain, startSeconds: 3, endSeconds: 4.5, text: '[channel 3] is what someone wrote', channel: 4 },
  { ...plain, startSeconds: 3, endSeconds: 4.5, text: '[] and [category x]', category: 'Callee #2' },
  { ...plain, startSeconds: 5, endSeconds: 60, text: '=SUM(A1)', category: '-1' },
  { ...plain, startSeconds: 12.000001, endSeconds: 12.000002, text: 'Ünïcödé 声' },
];
const full: WrittenMark[] = [
  ...marks,
  { ...plain, startSeconds: 7, endSeconds: 8, text: 'two\nlines', colour: 'orange', inReport: false },
  { ...plain, startSeconds: 70, endSeconds: 71, text: 'behind its length', readAll: true, colour: 'teal' },
];

const byPlace = (list: readonly WrittenMark[]): string[] =>
  list.map((mark) => JSON.stringify(mark, Object.keys(mark).sort())).sort();

describe('files of marks', () => {
  it.each(markFormats)('come back from %s as they were, those of channels too', (format) => {
    const wanted = format === 'csv' || format === 'json' ? full : marks;
    const text = writeMarks(format, wanted, recording);
    const back = read(format, text);
    expect(byPlace(back.marks)).toEqual(byPlace(wanted));
    expect(back.sha256).toBe(format === 'json' ? recording.sha256 : null);
    // What was read is written as it was.
    expect(byPlace(read(format, writeMarks(format, back.marks, recording)).marks)).toEqual(byPlace(wanted));
  });

  it('are empty where there are no marks', () => {
    for (const format of markFormats) expect(read(format, writeMarks(format, [], recording)).marks).toEqual([]);
  });

  it('of Audacity may have frequencies, and points', () => {
    const text = '0.500000\t1.500000\thello\r\n\\\t100.0\t2000.0\r\n2.0\t2.0\tpoint\twith a tab\r\n\r\n';
    expect(read('audacity', text).marks).toEqual([
      { ...plain, startSeconds: 0.5, endSeconds: 1.5, text: 'hello' },
      { ...plain, startSeconds: 2, endSeconds: null, text: 'point with a tab' },
    ]);
  });

  it('of Praat are read in the short format and in UTF-16, too', () => {
    const short = `File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n3\n<exists>\n2\n"IntervalTier"\n"words"\n0\n3\n3\n0\n1\n""\n1\n2.5\n"he said ""no"""\n2.5\n3\n""\n"TextTier"\n"clicks [channel 2]"\n0\n3\n1\n1.25\n"one"\n`;
    const wanted = [
      { ...plain, startSeconds: 1, endSeconds: 2.5, text: 'he said "no"', category: 'words' },
      { ...plain, startSeconds: 1.25, endSeconds: null, text: 'one', category: 'clicks', channel: 2 },
    ];
    expect(read('textgrid', short).marks).toEqual(wanted);
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(short, 'utf16le')]);
    expect(read('textgrid', utf16).marks).toEqual(wanted);
  });

  it('written for Praat have tiers without overlaps that fill their time', () => {
    const text = writeMarks('textgrid', marks, recording);
    expect([...text.matchAll(/name = "(.*)"/g)].map(([, name]) => name)).toEqual([
      'marks',
      '-1',
      'Callee #2 #1',
      'Caller',
      'Caller #2',
      'Caller [channel 1]',
      'marks [channel 2]',
      'marks [channel 2] #2',
      'marks [channel 4]',
    ]);
    for (const tier of text.split('class = "IntervalTier"').slice(1)) {
      const own = tier.split('class = ')[0];
      const spans = [...own.matchAll(/intervals \[\d+\]:\s+xmin = (\S+)\s+xmax = (\S+)/g)].map(([, from, to]) => [
        Number(from),
        Number(to),
      ]);
      expect(spans[0][0]).toBe(0);
      expect(spans.at(-1)?.[1]).toBe(60);
      spans.slice(1).forEach(([from], index) => expect(from).toBe(spans[index][1]));
    }
  });

  it.each<[string, MarkFormat, string, string]>([
    ['no tabs', 'audacity', '0.5\t1.5\tone\n2.5 3.5 two\n', 'marks, line 2: a label is two times'],
    [
      'a comma in a time',
      'audacity',
      '0,5\t1.5\tone\n',
      'line 1: its beginning must be a time in seconds, such as 12.5, and is “0,5”',
    ],
    [
      'an end before its beginning',
      'audacity',
      '0\t1\ta\n3\t2\tb\n',
      'line 2: it ends at 2 s, before it begins at 3 s',
    ],
    [
      'a time behind the end',
      'audacity',
      '59\t60.2\ta\n',
      'line 1: a mark lies at 60.2 s, behind the end of the recording (60 s)',
    ],
    [
      'a channel that is not there',
      'audacity',
      '1\t2\t[channel 9] a\n',
      'line 1: a mark is of channel 9, and the recording has 4 channels',
    ],
    ['frequencies of nothing', 'audacity', '\\\t1\t2\n', 'line 1: it has frequencies'],
    ['another file', 'textgrid', 'File type = "ooTextFile"\nObject class = "Pitch 1"\n', 'line 2: this is no TextGrid'],
    [
      'an end in the middle',
      'textgrid',
      'File type = "ooTextFile"\nObject class = "TextGrid"\n0 3 <exists> 1 "IntervalTier" "a" 0 3 2\n0 1 "x"\n',
      'line 4: it ends where the beginning',
    ],
    [
      'a text without an end',
      'textgrid',
      'File type = "ooTextFile"\nObject class = "TextGrid"\n0 3 <exists> 1 "IntervalTier" "a" 0 3 1\n0\n1\n"x\n',
      'line 6: a text in quotes has no end',
    ],
    ['no columns', 'csv', 'begin,end\n1,2\n', 'line 1: it has no column start_seconds'],
    [
      'cells that lack',
      'csv',
      'start_seconds,end_seconds\n1,2\n3\n',
      'line 3: it has 1 cells, and there are 2 columns',
    ],
    [
      'a line that follows a long cell',
      'csv',
      'start_seconds,text\n1,"a\nb"\nx,c\n',
      'line 4: start_seconds must be a time',
    ],
    ['quotes that do not end', 'csv', 'start_seconds,text\n1,"a\n', 'it is no CSV'],
    ['a colour of nobody', 'csv', 'start_seconds,colour\n1,red\n', 'line 2: there is no colour “red”'],
    ['a word that is neither', 'csv', 'start_seconds,in_report\n1,perhaps\n', 'line 2: in_report must be yes or no'],
    ['no JSON', 'json', '{\n"format": nothing', 'line 2: it is no JSON'],
    ['other JSON', 'json', '{"marks": []}', 'format: must be "earwitness marks"'],
    [
      'a mark that lacks its time',
      'json',
      '{"format": "earwitness marks", "version": 1, "marks": [{"startSeconds": 1}, {}]}',
      'mark 2, startSeconds',
    ],
  ])('are refused with the line and why: %s', (_, format, text, why) => {
    let error: UserFacingError | null = null;
    try {
      read(format, text);
    } catch (thrown) {
      error = thrown as UserFacingError;
    }
    expect(error?.code).toBe('malformed');
    expect(error?.message).toContain(why);
  });

  it('that are no text are refused', () => {
    expect(() => read('audacity', Buffer.from([0x31, 0x09, 0x0a, 0xff, 0xfe, 0x09]))).toThrow(
      'marks, line 2: it is no text in UTF-8',
    );
  });

  it('are known by their name or their beginning', () => {
    const name = (of: string, text = '') =>
      readMarks({ name: of, bytes: Buffer.from(text), format: null }, options).format;
    expect(name('a.txt')).toBe('audacity');
    expect(name('a.CSV', 'start_seconds\n')).toBe('csv');
    expect(name('a.txt', writeMarks('textgrid', [], recording))).toBe('textgrid');
    expect(() => name('a.doc')).toThrow('does not say what it holds');
  });
});
