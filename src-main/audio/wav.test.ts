import { execFileSync } from 'node:child_process';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decode } from './decode.ts';
import { findFfmpeg } from './ffmpeg.ts';
import { chunk, formatChunk, pcm16, riff, runFfmpeg, sharedFolder, temporaryFolder, tone, wav16 } from './testing.ts';

const folder = temporaryFolder();
const reports = sharedFolder('reports');
const ffmpeg = await findFfmpeg().then(
  (found) => found.path,
  () => null,
);
const sox = hasSox();
const rate = 8000;
const sound = tone(440, rate, 2, 0.8);
const format = formatChunk(1, 1, rate, 16);
const bytes = pcm16(sound);

function hasSox(): boolean {
  try {
    execFileSync('sox', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function file(name: string, content: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** Seconds that are decoded, and what is reported of them. */
async function readNotes(path: string, readAll = false) {
  const { statistics, info } = await decode(path, { readAll, sampleRateHz: rate });
  const { unread, furtherSeconds, truncated, missingSeconds, contradictions } = statistics;
  const seconds = statistics.frames / info.sampleRateHz;
  return { seconds, unread, furtherSeconds, truncated, missingSeconds, contradictions };
}

const whole = { unread: [], furtherSeconds: 0, truncated: false, missingSeconds: null, contradictions: [] };

describe('sound that a WAV file holds and its headers do not count in', () => {
  const half = bytes.slice(0, bytes.length / 4);
  const rest = bytes.slice(bytes.length / 4);
  const list = chunk('LIST', Buffer.from('INFOISFT\x06\0\0\0maker\0'));

  test.each([
    ['behind the declared length', riff(format, chunk('data', bytes, half.length)), 'after-length'],
    ['in a second chunk', riff(format, chunk('data', half), list, chunk('data', rest)), 'further-chunk'],
    [
      'behind a chunk that follows',
      new Uint8Array([...riff(format, chunk('data', half), list), ...rest]),
      'after-length',
    ],
    [
      'in a second file',
      new Uint8Array([...wav16(sound.subarray(0, 4000), rate), ...wav16(sound.subarray(4000), rate)]),
      'further-file',
    ],
  ])('%s: reported, and read when asked for', async (_, content, kind) => {
    const path = file('unread.wav', content);
    expect(await readNotes(path)).toEqual({ ...whole, seconds: 0.5, unread: [{ kind, seconds: 1.5 }] });
    expect(await readNotes(path, true)).toEqual({ ...whole, seconds: 2, furtherSeconds: 1.5 });
    const { samples } = await decode(path, { readAll: true, sampleRateHz: rate });
    expect(samples).toEqual((await decode(file('all.wav', wav16(sound, rate)), { sampleRateHz: rate })).samples);
  });

  test('a length that cuts a sample frame does not shift what follows', async () => {
    const path = file('cut-frame.wav', riff(format, chunk('data', bytes, half.length + 1)));
    const { samples } = await decode(path, { readAll: true, sampleRateHz: rate });
    expect(samples).toEqual((await decode(file('all.wav', wav16(sound, rate)), { sampleRateHz: rate })).samples);
  });

  test('a second file of another rate is reported and never mixed in', async () => {
    const path = file('other.wav', new Uint8Array([...wav16(sound, rate), ...wav16(tone(440, 16000, 1), 16000)]));
    const wanted = { ...whole, seconds: 2, unread: [{ kind: 'other-format', seconds: 1 }] };
    expect(await readNotes(path)).toEqual(wanted);
    expect(await readNotes(path, true)).toEqual(wanted);
  });

  test('an empty chunk before the sound', async () => {
    expect(
      await readNotes(file('empty-first.wav', riff(format, chunk('data', new Uint8Array(0)), chunk('data', bytes)))),
    ).toEqual({
      ...whole,
      seconds: 2,
    });
  });

  test.each([
    ['tags', riff(format, chunk('data', bytes), list, chunk('id3 ', new Uint8Array(301)))],
    ['the tag of mp3', new Uint8Array([...wav16(sound, rate), ...Buffer.from('TAG'.padEnd(128, 'x'))])],
    ['zeros that fill a block', new Uint8Array([...wav16(sound, rate), ...new Uint8Array(4096)])],
  ])('%s behind it are none', async (_, content) => {
    expect(await readNotes(file('tags.wav', content))).toEqual({ ...whole, seconds: 2 });
  });
});

describe('lengths of WAV', () => {
  test.each([0, 0xffffffff, 0xffffffdb, 0x7ffff000, 0x7fffffff, 0x80000000])(
    '%i was never brought up to date',
    async (claimed) => {
      for (const trailing of [[], [chunk('LIST', Buffer.from('INFOISFT\x06\0\0\0maker\0'))]]) {
        const path = file('open.wav', riff(format, chunk('data', bytes, claimed), ...trailing));
        expect(await readNotes(path)).toEqual({ ...whole, seconds: 2 });
      }
    },
  );

  test('any other that is too long says how much is missing, to the sample', async () => {
    for (const [lost, seconds] of [
      [2, 1 / rate],
      [1, 0.5 / rate],
      [16000, 1],
    ]) {
      const path = file('short.wav', riff(format, chunk('data', bytes)).slice(0, 44 + bytes.length - lost));
      expect(await readNotes(path)).toMatchObject({ truncated: true, missingSeconds: seconds });
    }
    // A byte that belongs to no sample.
    expect(await readNotes(file('odd.wav', riff(format, chunk('data', new Uint8Array([...bytes, 7])))))).toMatchObject({
      seconds: 2,
      truncated: false,
    });
  });

  test('short by a multiple of 2^32: read to the end', async () => {
    // 4 GiB of nothing on disk, and a second of 192 kHz in eight channels is more than 32 bits count in three minutes.
    const path = join(folder, 'wrapped.wav');
    const length = 2 ** 32 + 48_000;
    const header = riff(formatChunk(1, 8, 192_000, 32), chunk('data', new Uint8Array(0), 48_000));
    writeFileSync(path, header);
    const descriptor = openSync(path, 'r+');
    writeSync(descriptor, new Uint8Array([1]), 0, 1, 44 + length - 1);
    closeSync(descriptor);
    const { probe } = await import('./decode.ts');
    expect((await probe(path)).durationSeconds).toBeCloseTo(length / 32 / 192_000, 9);
  });

  test('RF64: of two lengths, the one that the file bears out', async () => {
    const sizes = (claimed: number): Uint8Array => {
      const view = new DataView(new ArrayBuffer(28));
      view.setBigUint64(8, BigInt(claimed), true);
      return chunk('ds64', new Uint8Array(view.buffer));
    };
    const long = (claimed: number, short: number, content = bytes): string => {
      const made = riff(sizes(claimed), format, chunk('data', content, short));
      made.set(Buffer.from('RF64'));
      new DataView(made.buffer).setUint32(4, 0xffffffff, true);
      return file('rf64.wav', made);
    };
    expect(await readNotes(long(bytes.length, 0xffffffff))).toEqual({ ...whole, seconds: 2 });
    for (const [claimed, short] of [
      [bytes.length, 8000],
      [8000, bytes.length],
      [99 * bytes.length, bytes.length],
    ]) {
      expect(await readNotes(long(claimed, short))).toMatchObject({
        seconds: 2,
        unread: [],
        truncated: false,
        contradictions: [expect.stringContaining('two lengths')],
      });
    }
    expect(await readNotes(long(2 * bytes.length, 0xffffffff))).toMatchObject({ seconds: 2, missingSeconds: 2 });
  });
});

describe('how samples lie in WAV', () => {
  /** A format chunk that says another number of bytes for a sample of all channels. */
  function claiming(frameBytes: number, channels: number, bits: number): Uint8Array {
    const made = formatChunk(1, channels, rate, bits);
    new DataView(made.buffer).setUint16(8 + 12, frameBytes, true);
    return made;
  }

  test.each([
    [4, 1],
    [3, 1],
    [1, 1],
    [0, 1],
    [8, 2],
    [65535, 2],
  ])('a block align of %i for %i channels of 16 bits is seen through', async (align, channels) => {
    const data = chunk('data', bytes);
    const wanted = await decode(file('right.wav', riff(formatChunk(1, channels, rate, 16), data)), {
      sampleRateHz: rate,
    });
    const { samples, statistics } = await decode(file('wrong.wav', riff(claiming(align, channels, 16), data)), {
      sampleRateHz: rate,
    });
    expect(samples).toEqual(wanted.samples);
    expect(statistics.contradictions).toEqual([expect.stringContaining(`takes ${align} bytes`)]);
  });

  test('24 bits at the top of four bytes are read as such, and in silence as they are', async () => {
    const wide = new DataView(new ArrayBuffer(4 * sound.length));
    // Silence first.
    sound.forEach((x, i) => wide.setInt32(4 * i, i < 9000 ? 0 : Math.round(x * 8388607) * 256, true));
    const path = file('24in32.wav', riff(claiming(4, 1, 24), chunk('data', new Uint8Array(wide.buffer))));
    const { samples, info, statistics } = await decode(path, { sampleRateHz: rate });
    expect(samples.length).toBe(sound.length);
    expect(samples.every((x, i) => Math.abs(x - (i < 9000 ? 0 : sound[i])) < 1e-6)).toBe(true);
    expect(info).toMatchObject({ codec: 'pcm_s32le', bitsPerSample: 24 });
    expect(statistics.contradictions).toEqual([]);
  });

  const encodings: [string, string[]][] = [
    ['8 bits', ['-e', 'unsigned-integer', '-b', '8']],
    ['16 bits', ['-e', 'signed-integer', '-b', '16']],
    ['24 bits', ['-e', 'signed-integer', '-b', '24']],
    ['32 bits', ['-e', 'signed-integer', '-b', '32']],
    ['floats', ['-e', 'floating-point', '-b', '32']],
    ['long floats', ['-e', 'floating-point', '-b', '64']],
    ['A-law', ['-e', 'a-law']],
    ['mu-law', ['-e', 'mu-law']],
  ];
  test.skipIf(!sox).each(encodings)('RIFX, %s: the samples of the same file in the usual order', async (_, options) => {
    const source = file('source.wav', wav16(sound, rate));
    for (const channels of ['1', '2', '3']) {
      const paths = ['-L', '-B'].map((order) => {
        const path = join(folder, `order${order}.wav`);
        execFileSync('sox', ['-R', '-D', source, ...options, order, '-c', channels, path], { stdio: 'ignore' });
        return path;
      });
      const [little, big] = await Promise.all(paths.map((path) => decode(path, { sampleRateHz: rate })));
      expect(big.samples).toEqual(little.samples);
      expect(big.samples.length).toBe(sound.length);
      expect(big.info).toMatchObject({ decoder: 'wav', bitsPerSample: little.info.bitsPerSample });
    }
  });

  test('RIFX, extensible, with its GUID in either order', async () => {
    const view = new DataView(bytes.slice().buffer);
    for (let at = 0; at < bytes.length; at += 2) view.setInt16(at, view.getInt16(at, true));
    for (const guid of ['00000001000000108000', '01000000000010008000']) {
      const header = Buffer.concat([
        Buffer.from('fmt \0\0\0\x28\xff\xfe\0\x01\0\0\x1f\x40\0\0\x3e\x80\0\x02\0\x10\0\x16\0\x10\0\0\0\x04', 'latin1'),
        Buffer.from(`${guid}00aa00389b71`, 'hex'),
      ]);
      const data = chunk('data', new Uint8Array(view.buffer));
      new DataView(data.buffer).setUint32(4, bytes.length);
      const made = riff(header, data);
      made.set(Buffer.from('RIFX'));
      new DataView(made.buffer).setUint32(4, made.length - 8);
      const { samples, info } = await decode(file('rifx.wav', made), { sampleRateHz: rate });
      expect(info.codec).toBe('pcm_s16be');
      expect(samples).toEqual((await decode(file('all.wav', wav16(sound, rate)), { sampleRateHz: rate })).samples);
    }
  });

  test.skipIf(ffmpeg === null).each(['ac3', 'dca'])('%s in it is seen', async (encoder) => {
    const coded = join(folder, 'coded.spdif');
    runFfmpeg(
      ffmpeg!,
      ...['-f', 'lavfi', '-i', 'sine=d=2:r=48000', '-ac', '2', '-c:a', encoder, '-strict', '-2', '-f', 'spdif', coded],
    );
    const { readFileSync } = await import('node:fs');
    const path = file('coded.wav', riff(formatChunk(1, 2, 48_000, 16), chunk('data', readFileSync(coded))));
    const { info } = await decode(path);
    expect(info).toMatchObject({ decoder: 'ffmpeg', codec: encoder === 'dca' ? 'dts' : encoder });
  });
});

describe.skipIf(reports === null)('WAV files that reports of faults led to', () => {
  test.each([
    ['unread-tail-wav/data0_true_riff.wav', 8, null],
    ['unread-tail-wav/data_says_2s_of_8s.wav', 2, 6],
    ['unread-tail-wav/two_data_chunks.wav', 2, 6],
    ['wav-blockalign/ee3_ba_wrong4.wav', 4, null],
    ['wav-blockalign/t2_ba3.wav', 4, null],
    ['rifx/q_rifx.wav', 4, null],
  ])('%s: %d s', async (name, seconds, unread) => {
    const found = await readNotes(join(reports!, name));
    expect(found).toMatchObject({ seconds, truncated: false });
    expect(found.unread.map((part) => part.seconds)).toEqual(unread === null ? [] : [unread]);
  });

  test.skipIf(ffmpeg === null)('AC-3 is not taken for samples', async () => {
    expect((await decode(join(reports!, 'coded-in-wav/ac3_spdif.wav'))).info.codec).toBe('ac3');
  });
});
