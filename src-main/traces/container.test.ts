import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFfmpeg } from '../audio/ffmpeg.ts';
import { chunk, formatChunk, riff, temporaryFolder, tone, wav16 } from '../audio/testing.ts';
import { Random } from '../base/random.ts';
import { containerAnswer } from './answers.ts';
import { containerHistory } from './container.ts';
import { knownRecorders, recordersLike } from './recorders.ts';

const folder = temporaryFolder();
const home = mkdtempSync(join(tmpdir(), 'earwitness-recorders-'));
const homeBefore = process.env['EARWITNESS_HOME'];
let ffmpeg = '';
let written = 0;

beforeAll(async () => {
  process.env['EARWITNESS_HOME'] = home;
  ({ path: ffmpeg } = await findFfmpeg());
  writeFileSync(join(folder, 'in.wav'), wav16(tone(300, 16_000, 1), 16_000));
});
afterAll(() => {
  if (homeBefore === undefined) delete process.env['EARWITNESS_HOME'];
  else process.env['EARWITNESS_HOME'] = homeBefore;
  rmSync(home, { recursive: true });
});

function file(bytes: Uint8Array): string {
  const path = join(folder, `file-${written++}`);
  writeFileSync(path, bytes);
  return path;
}

function coded(ending: string, ...how: string[]): string {
  const path = join(folder, `coded-${written++}.${ending}`);
  execFileSync(ffmpeg, ['-v', 'error', '-nostdin', '-y', '-i', join(folder, 'in.wav'), ...how, path]);
  return path;
}

const names = async (path: string): Promise<string[]> =>
  recordersLike(await containerHistory(path), await knownRecorders()).map(({ name }) => name);

describe('files of ffmpeg', () => {
  it.each([
    ['m4a', ['ffmpeg: MP4, M4A, 3GP and 3G2']],
    ['mov', ['ffmpeg: QuickTime']],
    ['flac', ['ffmpeg: FLAC']],
    ['ogg', ['ffmpeg: Ogg']],
    ['opus', ['ffmpeg: Ogg']],
    ['mp3', ['ffmpeg: MP3']],
    ['wav', ['ffmpeg: WAV']],
  ])('as %s are told', async (ending, expected) => {
    expect(await names(coded(ending))).toEqual(expected);
  });

  // FFmpeg leaves its name in none of them: findings/encoder-tag-3gp.sh.
  it.each(['3gp', '3g2'])('as %s are told by their structure, without an encoder’s name', async (ending) => {
    const path = coded(ending, '-c:a', 'aac');
    expect((await containerHistory(path)).facts.filter(({ value }) => value.includes('Lavf'))).toEqual([]);
    expect(await names(path)).toEqual(['ffmpeg: MP4, M4A, 3GP and 3G2']);
  });

  it('have their creation time, edit list and tags read', async () => {
    const { facts, structure } = await containerHistory(
      coded('m4a', '-metadata', 'creation_time=2026-03-01T12:00:00Z', '-metadata', 'title=Ein Gespräch'),
    );
    expect(structure).toMatch(/^ftyp free mdat moov\(mvhd trak\(tkhd edts\(elst\) mdia\(mdhd hdlr minf\(/);
    expect(facts).toContainEqual({
      name: 'mvhd: created, modified',
      value: '2026-03-01T12:00:00Z, 2026-03-01T12:00:00Z',
    });
    expect(facts).toContainEqual({ name: 'Tag ©nam', value: 'Ein Gespräch' });
    expect(facts.find(({ name }) => name.startsWith('Edit list'))?.value).toMatch(/^1: 1000 from 1024$/);
  });
});

/** A box of ISO media. */
function box(type: string, ...content: Uint8Array[]): Uint8Array {
  const body = Buffer.concat(content);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + body.length);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, body]);
}
const words = (...numbers: number[]): Buffer => {
  const buffer = Buffer.alloc(4 * numbers.length);
  numbers.forEach((number, i) => buffer.writeUInt32BE(number, 4 * i));
  return buffer;
};
const data = (text: string): Uint8Array => box('data', words(1, 0), Buffer.from(text));

it('a telephone’s tags are read: of names of its own, by keys, and of makers’ boxes', async () => {
  const list = box(
    'ilst',
    box('\u00a9too', data('com.apple.VoiceMemos (iPhone Version 18.5 (Build 22F76))')),
    box('----', box('mean', words(0), Buffer.from('com.apple.iTunes')), box('name', words(0), Buffer.from('voice-memo-uuid')), data('981D')), // prettier-ignore
  );
  const keyed = box(
    'meta',
    box('hdlr', Buffer.alloc(24)),
    box('keys', words(0, 1, 8 + 19), Buffer.from('mdta'), Buffer.from('com.android.version')),
    box('ilst', box('\0\0\0\x01', data('16'))),
  );
  const user = box(
    'udta',
    box('meta', words(0), box('hdlr', Buffer.alloc(25)), list),
    box('SDLN', Buffer.from('PLAY')),
  );
  const path = file(Buffer.concat([box('ftyp', Buffer.from('M4A \0\0\0\0M4A isommp42')), box('mdat', Buffer.alloc(9)), box('moov', user, keyed)])); // prettier-ignore
  const history = await containerHistory(path);
  expect(history.structure).toBe('ftyp mdat moov(udta(meta(hdlr ilst(©too ----)) SDLN) meta(hdlr keys ilst(#1)))');
  expect(history.facts).toEqual([
    { name: 'Brand', value: 'M4A , version 0, compatible: M4A , isom, mp42' },
    { name: 'Tag ©too', value: 'com.apple.VoiceMemos (iPhone Version 18.5 (Build 22F76))' },
    { name: 'Tag voice-memo-uuid', value: '981D' },
    { name: 'User data SDLN', value: '4 bytes: PLAY' },
    { name: 'Tag com.android.version', value: '16' },
  ]);
  expect(await names(path)).toEqual(['Apple Voice Memos', 'Android’s own recorder of media (MediaRecorder)']);
});

describe('WAV', () => {
  const bext = Buffer.alloc(602 + 16);
  bext.write('Interview', 0, 'latin1');
  bext.write('Sound Dev: 702T S#GR1112089007', 256, 'latin1');
  bext.write('2018-12-3112:40:00', 320, 'latin1');
  bext.writeBigUInt64LE(2_190_940_753n, 338);
  bext.write('A=PCM,F=48000', 602, 'latin1');
  const sound = chunk('data', new Uint8Array(3200));

  it('of a recorder has its broadcast extension and iXML read', async () => {
    const ixml = Buffer.from('<BWFXML><PROJECT>BMH</PROJECT><NOTE></NOTE><TAPE>18Y12M31</TAPE></BWFXML>');
    const path = file(riff(chunk('bext', bext), chunk('iXML', ixml), formatChunk(1, 1, 16_000, 16), sound, chunk('olym', new Uint8Array(6)))); // prettier-ignore
    const history = await containerHistory(path);
    expect(history.structure).toBe('RIFF(bext iXML fmt(16) data olym)');
    expect(history.facts).toEqual(
      expect.arrayContaining([
        { name: 'BWF originator', value: 'Sound Dev: 702T S#GR1112089007' },
        { name: 'BWF origination', value: '2018-12-31 12:40:00' },
        { name: 'BWF time reference (samples since midnight)', value: '2190940753' },
        { name: 'BWF coding history', value: 'A=PCM,F=48000' },
        { name: 'iXML PROJECT', value: 'BMH' },
        { name: 'iXML TAPE', value: '18Y12M31' },
        { name: 'Chunk olym', value: '6 bytes' },
      ]),
    );
    expect(await names(path)).toEqual(['Sound Devices (7 series)']);
  });

  it('that is plain fits nothing, and says what its lengths do', async () => {
    const plain = riff(formatChunk(1, 1, 16_000, 16), sound);
    const history = await containerHistory(file(plain));
    expect(history).toEqual({ format: 'wav', structure: 'RIFF(fmt(16) data)', facts: [] });
    expect(containerAnswer(history, []).sentence).toBe(
      'The structure of the file (wav) fits no entry of the table of recorders.',
    );
    const cut = await containerHistory(file(plain.subarray(0, 1000)));
    expect(cut.facts).toContainEqual({ name: 'Chunk data', value: 'reaches 2244 bytes beyond the end' });
    const longer = await containerHistory(file(Buffer.concat([plain, Buffer.alloc(10)])));
    expect(longer.facts).toContainEqual({ name: 'Declared length', value: '3244 bytes; the file has 3254' });
  });
});

describe('a laboratory’s own table', () => {
  const table = join(home, 'recorders.json');
  const entry = {
    name: 'Our recorder',
    source: 'Two files of it',
    format: 'wav',
    structure: 'RIFF\\(fmt\\(16\\) data\\)',
  };

  it('is asked first', async () => {
    mkdirSync(home, { recursive: true });
    writeFileSync(table, JSON.stringify({ recorders: [entry] }));
    expect(await names(file(riff(formatChunk(1, 1, 16_000, 16), chunk('data', new Uint8Array(100)))))).toEqual([
      'Our recorder',
    ]);
    rmSync(table);
  });

  it.each([
    ['{', /JSON/],
    [JSON.stringify({ recorders: [{ ...entry, structure: '(' }] }), /recorders\.0\.structure: no regular expression/],
    [JSON.stringify({ recorders: [{ ...entry, source: '' }] }), /recorders\.0\.source/],
  ])('that is none is refused: %s', async (text, why) => {
    writeFileSync(table, text);
    await expect(knownRecorders()).rejects.toThrow(why);
    rmSync(table);
  });
});

it('what is no such file, empty, or broken anywhere ends, without a structure or with what there is', async () => {
  expect(await containerHistory(file(Buffer.from('#!AMR\n\0\0\0\0\0\0')))).toEqual({
    format: null,
    structure: '',
    facts: [],
  });
  expect((await containerHistory(file(Buffer.alloc(0)))).format).toBeNull();
  expect((await containerHistory(coded('aac'))).format).toBeNull();
  const random = new Random(41);
  for (const ending of ['m4a', 'mov', 'flac', 'ogg', 'mp3', 'wav']) {
    const whole = readFileSync(coded(ending));
    for (let k = 0; k < 40; k++) {
      const broken = Buffer.from(whole.subarray(0, k % 2 === 0 ? whole.length : random.below(whole.length)));
      for (let i = 0; i < 8 && broken.length > 12; i++)
        broken[12 + random.below(Math.min(2000, broken.length - 12))] = random.below(256);
      const { facts } = await containerHistory(file(broken));
      expect(facts.length).toBeLessThanOrEqual(200);
    }
  }
});
