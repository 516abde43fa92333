import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Random } from '../base/random.ts';
import { setWorkerSettings } from '../base/worker-settings.ts';
import { BlockMemory } from './block-memory.ts';
import { decode, openAudio, probe } from './decode.ts';
import { findFfmpeg } from './ffmpeg.ts';
import type { AudioStream, Channel } from './types.ts';
import {
  bytesOf,
  chunk,
  correlation,
  floats,
  formatChunk,
  pcm16,
  riff,
  runFfmpeg,
  sharedFolder,
  temporaryFolder,
  timedSound,
  tone,
  wav16,
} from './testing.ts';

const folder = temporaryFolder();
const ffmpeg = await findFfmpeg().then(
  (found) => found.path,
  () => null,
);
const formats = sharedFolder('formats');

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const rate = 16000;
const speech = tone(440, rate, 0.5, 0.8);

/** Does something with a program of this path in ffmpeg's place. */
async function withFfmpeg(path: string, use: () => Promise<void>): Promise<void> {
  const before = process.env.EARWITNESS_FFMPEG;
  process.env.EARWITNESS_FFMPEG = path;
  try {
    await use();
  } finally {
    if (before === undefined) delete process.env.EARWITNESS_FFMPEG;
    else process.env.EARWITNESS_FFMPEG = before;
  }
}

/** Walks through a recording, calling after each block; how many samples there were. */
async function walk(stream: AudioStream, after: () => void): Promise<number> {
  let count = 0;
  for await (const block of stream.blocks()) {
    count += block.length;
    after();
  }
  return count;
}

/** Samples in one of the encodings of WAV. */
function encode(samples: Float32Array, tag: number, bits: number): Uint8Array {
  const bytes = bits / 8;
  const view = new DataView(new ArrayBuffer(samples.length * bytes));
  samples.forEach((x, i) => {
    const at = i * bytes;
    if (tag === 3) {
      if (bits === 32) view.setFloat32(at, x, true);
      else view.setFloat64(at, x, true);
      return;
    }
    const value = Math.round(x * 2 ** (bits - 1));
    if (bits === 8) view.setUint8(at, value + 128);
    else if (bits === 16) view.setInt16(at, value, true);
    else if (bits === 32) view.setInt32(at, value, true);
    else {
      view.setUint16(at, value & 0xffff, true);
      view.setInt8(at + 2, value >> 16);
    }
  });
  return new Uint8Array(view.buffer);
}

describe('WAV', () => {
  test.each([
    [1, 8],
    [1, 16],
    [1, 24],
    [1, 32],
    [3, 32],
    [3, 64],
  ])('format %i of %i bits, plain and extensible, from disk and memory', async (tag, bits) => {
    const data = chunk('data', encode(speech, tag, bits));
    for (const format of [formatChunk(tag, 1, rate, bits), formatChunk(0xfffe, 1, rate, bits, tag)]) {
      const path = file('any.wav', riff(format, data));
      for (const source of [path, { path, bytes: bytesOf(path) }]) {
        const { info, samples, statistics } = await decode(source);
        expect(info).toMatchObject({ container: 'wav', decoder: 'wav', bitsPerSample: bits, durationSeconds: 0.5 });
        expect(info.codec).toBe(tag === 3 ? `pcm_f${bits}le` : bits === 8 ? 'pcm_u8' : `pcm_s${bits}le`);
        expect(samples.length).toBe(speech.length);
        const step = tag === 3 ? 0 : 2 ** -bits;
        expect(samples.every((x, i) => Math.abs(x - speech[i]) <= step + 1e-9)).toBe(true);
        expect(statistics.peak).toBeCloseTo(0.8, 1);
        expect(statistics).toMatchObject({ frames: 8000, clippedFraction: 0, nonFiniteSamples: 0, truncated: false });
      }
    }
  });

  test('20 bits lie at the top of three bytes', async () => {
    const format = formatChunk(1, 1, rate, 20);
    const samples = new Float32Array([0.5, -0.5, 0.25]);
    const { info, samples: out } = await decode(file('20.wav', riff(format, chunk('data', encode(samples, 1, 24)))));
    expect([...out]).toEqual([0.5, -0.5, 0.25]);
    expect(info.bitsPerSample).toBe(20);
  });

  test('chunks may stand in any order, of odd length, with others between', async () => {
    const junk = chunk('JUNK', new Uint8Array(301).fill(7));
    const format = formatChunk(1, 1, rate, 16);
    const data = chunk('data', pcm16(speech));
    const wanted = (await decode(file('plain.wav', riff(format, data)))).samples;
    for (const chunks of [
      [junk, format, junk, data, junk],
      [data, junk, format],
      [chunk('bext', new Uint8Array(600_001)), data, format, junk],
    ]) {
      const path = file('order.wav', riff(...chunks));
      expect((await decode(path)).samples).toEqual(wanted);
      expect((await decode({ path, bytes: bytesOf(path) })).samples).toEqual(wanted);
    }
  });

  test('channels are mixed with equal weight', async () => {
    const samples = new Float32Array([0.5, 0.25, 0, -0.5, -0.25, 0]);
    const stereo = riff(formatChunk(1, 2, rate, 16), chunk('data', pcm16(samples)));
    expect([...(await decode(file('2.wav', stereo))).samples]).toEqual([0.375, -0.25, -0.125]);
    const three = riff(formatChunk(1, 3, rate, 16), chunk('data', pcm16(samples)));
    expect([...(await decode(file('3.wav', three))).samples]).toEqual([0.25, -0.25]);
  });

  test('one that ends early, or claims more than there is, gives what is there', async () => {
    const whole = wav16(speech, rate);
    const early = await decode(file('early.wav', whole.slice(0, 44 + 5001)));
    expect(early.samples.length).toBe(2500);
    expect(early.statistics.truncated).toBe(true);
    const claims = riff(formatChunk(1, 1, rate, 16), chunk('data', pcm16(speech), 4_000_000_000));
    const lying = await decode(file('lying.wav', claims));
    expect(lying.samples.length).toBe(speech.length);
    expect(lying.info.durationSeconds).toBe(0.5);
    expect(lying.statistics.truncated).toBe(true);
  });

  test.each([0, 0xffffffff])('a data chunk that claims %i bytes reaches to the end', async (claimed) => {
    const bytes = riff(formatChunk(1, 1, rate, 16), chunk('data', pcm16(speech), claimed));
    new DataView(bytes.buffer).setUint32(4, claimed, true);
    const { samples, statistics } = await decode(file('open.wav', bytes));
    expect(samples.length).toBe(speech.length);
    expect(statistics.truncated).toBe(false);
  });

  test.each([
    ['pcm_alaw', 6],
    ['pcm_mulaw', 7],
  ])('%s: every byte as ITU-T G.711 says', async (codec, tag) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const path = file('law.wav', riff(formatChunk(tag, 1, rate, 8), chunk('data', bytes)));
    const { info, samples } = await decode(path);
    expect(info).toMatchObject({ codec, decoder: 'wav', bitsPerSample: 8 });
    // The published extremes, and the codes of zero or the least step.
    const sixteen = Array.from(samples, (x) => x * 32768);
    const wanted = tag === 6 ? [-32256, 32256, -8, 8] : [-32124, 32124, 0, 0];
    expect((tag === 6 ? [0x2a, 0xaa, 0x55, 0xd5] : [0x00, 0x80, 0x7f, 0xff]).map((byte) => sixteen[byte] + 0)).toEqual(
      wanted,
    );
    if (ffmpeg === null) return;
    expect(samples).toEqual(floats(runFfmpeg(ffmpeg, '-i', path, '-f', 'f32le', '-')));
  });

  test('RF64 says its length in 64 bits', async () => {
    const sizes = new DataView(new ArrayBuffer(28));
    const data = pcm16(speech);
    sizes.setBigUint64(8, BigInt(data.length), true);
    const parts = [chunk('ds64', new Uint8Array(sizes.buffer)), formatChunk(1, 1, rate, 16)];
    const bytes = riff(...parts, chunk('data', data, 0xffffffff), chunk('LIST', new Uint8Array(400).fill(77)));
    for (const name of ['RF64', 'BW64']) {
      for (let i = 0; i < 4; i++) bytes[i] = name.charCodeAt(i);
      new DataView(bytes.buffer).setUint32(4, 0xffffffff, true);
      const { info, samples, statistics } = await decode(file('rf64.wav', bytes));
      expect(info).toMatchObject({ container: 'wav', decoder: 'wav', durationSeconds: 0.5 });
      expect(samples.length).toBe(speech.length);
      expect(statistics.truncated).toBe(false);
    }
  });

  test('a channel can be chosen, and one that is not there is named', async () => {
    const samples = new Float32Array([0.5, 0.25, 0.5, -1, 0.5, -1, 0, -1]);
    const stereo = file('lr.wav', riff(formatChunk(1, 2, rate, 16), chunk('data', pcm16(samples))));
    const chosen = async (channel: Channel) => Array.from((await decode(stereo, { channel })).samples);
    expect(await chosen('left')).toEqual([0.5, 0.5, 0.5, 0]);
    expect(await chosen('right')).toEqual([0.25, -1, -1, -1]);
    expect(await chosen(2)).toEqual(await chosen('right'));
    // What is measured is of that channel alone.
    expect((await decode(stereo, { channel: 'left' })).statistics.clippedFraction).toBe(0);
    expect((await decode(stereo, { channel: 'right' })).statistics.clippedFraction).toBe(0.75);
    await expect(chosen(3)).rejects.toMatchObject({
      code: 'no-channel',
      message: expect.stringContaining('2 channels') as string,
    });
    const mono = file('mono.wav', wav16(speech, rate));
    await expect(decode(mono, { channel: 'left' })).rejects.toMatchObject({ code: 'no-channel', path: mono });
    expect((await decode(mono, { channel: 1 })).samples.length).toBe(speech.length);
    await expect(decode(mono, { stream: 1 })).rejects.toMatchObject({ code: 'no-stream', path: mono });
  });

  test('an empty recording is one without samples', async () => {
    const bytes = riff(
      formatChunk(1, 1, rate, 16),
      chunk('data', new Uint8Array(0)),
      chunk('LIST', new Uint8Array(40)),
    );
    expect((await decode(file('none.wav', bytes))).samples.length).toBe(0);
  });

  test.each([
    ['a header alone', riff(formatChunk(1, 1, rate, 16))],
    ['no format', riff(chunk('data', pcm16(speech)))],
    ['a format cut short', riff(chunk('fmt ', new Uint8Array(6)), chunk('data', pcm16(speech)))],
    ['no channel', riff(formatChunk(1, 0, rate, 16), chunk('data', pcm16(speech)))],
    ['65535 channels', riff(formatChunk(1, 65535, rate, 8), chunk('data', pcm16(speech)))],
    ['a rate of 0', riff(formatChunk(1, 1, 0, 16), chunk('data', pcm16(speech)))],
    ['a rate of 4 GHz', riff(formatChunk(1, 1, 4_000_000_000, 16), chunk('data', pcm16(speech)))],
    ['four bytes', Buffer.from('RIFF')],
  ])('%s cannot be decoded', async (name, bytes) => {
    await expect(decode(file(`${name}.wav`, bytes))).rejects.toMatchObject({ code: 'undecodable' });
  });

  test('a long one is the same in whatever pieces it is read', async () => {
    const long = tone(333, 44100, 20);
    const path = file('long.wav', wav16(long, 44100));
    const fromDisk = (await decode(path)).samples;
    expect(fromDisk.length).toBe(320_000);
    const { samples } = await decode({ path, bytes: bytesOf(path) });
    expect(Buffer.from(fromDisk.buffer).equals(Buffer.from(samples.buffer))).toBe(true);
    expect((await decode(path, { sampleRateHz: 44100 })).samples.length).toBe(882_000);
  });
});

describe('statistics', () => {
  test('samples that are no numbers become 0 and are counted', async () => {
    const samples = new Float32Array([0.5, NaN, Infinity, -Infinity, 3e38, -0.25]);
    const bytes = riff(formatChunk(3, 1, rate, 32), chunk('data', encode(samples, 3, 32)));
    const { samples: out, statistics } = await decode(file('nan.wav', bytes));
    expect([...out]).toEqual([0.5, 0, 0, 0, 0, -0.25]);
    expect(statistics).toMatchObject({ nonFiniteSamples: 4, peak: 0.5 });
  });

  test('runs of three at full scale or above count as clipped, on any channel', async () => {
    const left = [1, 1, 0, 1, 1, 1, 1, 0, 0, 0];
    const right = [0, 0, 0, -1, -1, -1, 0, 0, 1.5, 0];
    const samples = new Float32Array(left.flatMap((x, i) => [x, right[i]]));
    const bytes = riff(formatChunk(3, 2, rate, 32), chunk('data', encode(samples, 3, 32)));
    const { statistics } = await decode(file('clipped.wav', bytes));
    expect(statistics.clippedFraction).toBeCloseTo(7 / 20, 12);
    expect(statistics.peak).toBe(1.5);
  });
});

describe('bad input', () => {
  test.each([
    ['missing', () => join(folder, 'nowhere.wav')],
    ['not-a-file', () => folder],
    ['empty', () => file('empty.wav', '')],
    ['no-audio', () => file('text.wav', 'Not a recording at all.\n'.repeat(50))],
  ])('%s', async (code, make) => {
    const path = make();
    for (const attempt of [decode, probe]) await expect(attempt(path)).rejects.toMatchObject({ code, path });
  });

  test.skipIf(process.platform === 'win32')('pipes, devices and circles of links are not waited for', async () => {
    const pipe = join(folder, 'pipe.wav');
    execFileSync('mkfifo', [pipe]);
    await expect(decode(pipe)).rejects.toMatchObject({ code: 'not-a-file' });
    symlinkSync('/dev/zero', join(folder, 'zero.wav'));
    await expect(decode(join(folder, 'zero.wav'))).rejects.toMatchObject({ code: 'not-a-file' });
    symlinkSync('circle', join(folder, 'circle'));
    await expect(decode(join(folder, 'circle'))).rejects.toMatchObject({ code: 'unreadable' });
  });

  // The superuser may read everything.
  test.skipIf(process.platform === 'win32' || process.getuid?.() === 0)('no permission', async () => {
    const path = file('secret.wav', wav16(speech, rate));
    execFileSync('chmod', ['000', path]);
    await expect(decode(path)).rejects.toMatchObject({ code: 'unreadable' });
  });

  test('a signal that is given stops it', async () => {
    const path = file('stop.wav', wav16(tone(440, rate, 20), rate));
    await expect(decode(path, { signal: AbortSignal.abort() })).rejects.toThrow('abort');
    const control = new AbortController();
    const stream = await openAudio(path, { signal: control.signal });
    await expect(walk(stream, () => control.abort())).rejects.toThrow('abort');
  });
});

describe('findFfmpeg', () => {
  test.skipIf(process.platform === 'win32')(
    'follows the settings at once, and a program that took the place of another',
    async () => {
      const program = (name: string, version: string): string => {
        const path = join(folder, name);
        writeFileSync(path, `#!/bin/sh\necho ffmpeg version ${version}`, { mode: 0o755 });
        return path;
      };
      const environment = { EARWITNESS_FFMPEG: program('named', 'n1'), PATH: '' };
      try {
        expect((await findFfmpeg(environment, null)).version).toBe('n1');
        setWorkerSettings({ ffmpeg: join(folder, 'nothing') });
        await expect(findFfmpeg(environment, null)).rejects.toMatchObject({
          code: 'ffmpeg-missing',
          advice: expect.stringContaining('settings') as string,
        });
        setWorkerSettings({ ffmpeg: program('chosen', 'c1') });
        expect((await findFfmpeg(environment, null)).version).toBe('c1');
        program('chosen', 'later-2');
        expect((await findFfmpeg(environment, null)).version).toBe('later-2');
      } finally {
        setWorkerSettings({ ffmpeg: '' });
      }
      expect((await findFfmpeg(environment, null)).version).toBe('n1');
    },
  );

  test('says what to do where there is none', async () => {
    await expect(findFfmpeg({ PATH: folder }, null)).rejects.toMatchObject({
      code: 'ffmpeg-missing',
      advice: expect.stringContaining('npm run setup') as string,
    });
    await expect(findFfmpeg({ EARWITNESS_FFMPEG: join(folder, 'none') }, null)).rejects.toMatchObject({
      code: 'ffmpeg-missing',
      message: expect.stringContaining('EARWITNESS_FFMPEG') as string,
    });
  });

  test.skipIf(process.platform === 'win32')('what is no ffmpeg is named', async () => {
    const path = file('not-ffmpeg', '#!/bin/sh\necho hello\n');
    execFileSync('chmod', ['755', path]);
    await expect(findFfmpeg({ EARWITNESS_FFMPEG: path }, null)).rejects.toMatchObject({ code: 'ffmpeg-missing', path });
  });
});

describe.skipIf(ffmpeg === null)('by ffmpeg', () => {
  test('names with a dash, spaces, quotes, colons and newlines', async () => {
    for (const name of ['-i.x', 'a b \'"c".x', 'file:x', 'line\nDuration: 99\n.x', '%d.x', 'é語.x']) {
      if (process.platform === 'win32' && /["\n:]/.test(name)) continue;
      const path = join(folder, name);
      runFfmpeg(ffmpeg!, '-f', 'lavfi', '-i', 'sine=d=0.5:r=22050', '-f', 'ogg', '-c:a', 'flac', `file:${path}`);
      const { info, samples } = await decode(path);
      expect(samples.length).toBe(8000);
      expect(info).toMatchObject({ container: 'ogg', codec: 'flac', sampleRateHz: 22050, channels: 1 });
      expect(info.decoder).toBe('ffmpeg');
      expect(info.decoderVersion).not.toBe('');
    }
    const here = process.cwd();
    try {
      process.chdir(folder);
      expect((await decode('-i.x')).samples.length).toBe(8000);
    } finally {
      process.chdir(here);
    }
  });

  test('formats of WAV that are not read here', async () => {
    for (const [codec, muxer] of [
      ['adpcm_ms', 'wav'],
      ['adpcm_ima_qt', 'aiff'],
      ['pcm_s16be', 'nut'],
    ]) {
      const path = join(folder, 'foreign');
      runFfmpeg(ffmpeg!, '-f', 'lavfi', '-i', 'sine=d=1:r=16000', '-c:a', codec, '-f', muxer, path);
      const { info, samples } = await decode(path);
      expect(info).toMatchObject({ decoder: 'ffmpeg', codec, sampleRateHz: 16000 });
      expect(Math.abs(samples.length - 16000)).toBeLessThan(1100);
    }
  });

  test('far more sound than the header says is reported, and a header that is right is not accused', async () => {
    const path = join(folder, 'surplus.m4a');
    const source = 'sine=f=400:d=4:r=16000';
    runFfmpeg(ffmpeg!, '-f', 'lavfi', '-i', source, '-c:a', 'aac', '-use_editlist', '0', '-f', 'mp4', path);
    expect((await decode(path)).statistics.contradictions).toEqual([]);
    const bytes = readFileSync(path);
    const media = bytes.indexOf('mdhd', 0, 'latin1');
    // Behind the name: version and flags, two times, the scale, the duration.
    expect(bytes.readUInt32BE(media + 16)).toBe(16000);
    bytes.writeUInt32BE(8000, media + 20);
    writeFileSync(path, bytes);
    const { samples, statistics } = await decode(path);
    expect(samples.length / 16000).toBeGreaterThan(3.9);
    expect(statistics.contradictions).toEqual([expect.stringMatching(/says 0\.50 s of sound, but 4\.\d\d s .* aac/)]);
    expect(statistics.truncated).toBe(false);
  });

  const encoders = ffmpeg === null ? '' : runFfmpeg(ffmpeg, '-hide_banner', '-encoders').toString();
  // Name, encoder, muxer, rate, the codec as ffmpeg calls it.
  const further: [string, string, string, number, string][] = [
    ['AMR', 'libopencore_amrnb', 'amr', 8000, 'amr_nb'],
    ['AMR in 3GP', 'libopencore_amrnb', '3gp', 8000, 'amr_nb'],
    ['AMR wide-band', 'libvo_amrwbenc', 'amr', 16000, 'amr_wb'],
    ['AMR wide-band in 3GP', 'libvo_amrwbenc', '3gp', 16000, 'amr_wb'],
    ['AAC in 3GP', 'aac', '3gp', 16000, 'aac'],
    ['GSM in WAV', 'libgsm_ms', 'wav', 8000, 'gsm_ms'],
    ['GSM', 'libgsm', 'gsm', 8000, 'gsm'],
    ['ADPCM (Microsoft)', 'adpcm_ms', 'wav', 16000, 'adpcm_ms'],
    ['ADPCM (IMA)', 'adpcm_ima_wav', 'wav', 16000, 'adpcm_ima_wav'],
    ['WMA', 'wmav2', 'asf', 44100, 'wmav2'],
    ['WebM with Opus', 'libopus', 'webm', 48000, 'opus'],
    ['WebM with Vorbis', 'libvorbis', 'webm', 44100, 'vorbis'],
    ['A-law in VOC', 'pcm_alaw', 'voc', 8000, 'pcm_alaw'],
  ];
  for (const [name, encoder, muxer, rateHz, codec] of further) {
    const there = new RegExp(` ${encoder} `).test(encoders);
    test.skipIf(!there)(there ? name : `${name} (this ffmpeg has no encoder ${encoder})`, async () => {
      const path = join(folder, 'further.bin');
      const source = `aevalsrc=0.4*sin(2*PI*(300+200*t)*t)*(1+sin(7*t))/2:d=2:s=${rateHz}`;
      runFfmpeg(ffmpeg!, '-f', 'lavfi', '-i', source, '-strict', '-2', '-c:a', encoder, '-f', muxer, path);
      const decoder = codec === 'amr_nb' ? ['-c:a', encoder] : [];
      const target = ['-ac', '1', '-ar', '16000', '-f', 'f32le', '-'];
      const reference = floats(runFfmpeg(ffmpeg!, ...decoder, '-i', path, ...target));
      const { info, samples, statistics } = await decode(path);
      expect(Math.abs(samples.length / 16000 - 2)).toBeLessThan(0.1);
      expect(info).toMatchObject({ codec, channels: 1, decoder: 'ffmpeg', audioStreams: 1, stream: 0 });
      expect(Math.abs(samples.length - reference.length)).toBeLessThanOrEqual(320);
      expect(correlation(samples, reference)).toBeGreaterThan(0.999);
      expect(statistics).toMatchObject({ truncated: false, damaged: false });
    });
  }

  const amr = / libopencore_amrnb /.test(encoders);
  const pauses = 'pauses in transmission keep their length in AMR, or are said to be missing';
  test.skipIf(!amr)(amr ? pauses : `${pauses} (this ffmpeg has no encoder libopencore_amrnb)`, async () => {
    // A second of sound before and after two of silence, which the encoder says in a few bits.
    const source = 'aevalsrc=0.4*sin(2*PI*(300+200*t)*t)*(lt(t\\,1)+gt(t\\,3)):d=4:s=8000';
    for (const muxer of ['amr', '3gp']) {
      const path = join(folder, `pauses.${muxer}`);
      const encoder = ['-c:a', 'libopencore_amrnb', '-dtx', '1', '-f', muxer];
      runFfmpeg(ffmpeg!, '-f', 'lavfi', '-i', source, ...encoder, path);
      const { info, samples, statistics } = await decode(path);
      expect(info.decoderVersion).toContain('libopencore_amrnb');
      expect(Math.abs(samples.length / 16000 - 4)).toBeLessThan(0.1);
      expect(statistics).toMatchObject({ truncated: false, damaged: false });
      const level = (from: number, to: number) =>
        Math.max(...samples.subarray(16000 * from, 16000 * to).map((x) => Math.abs(x)));
      expect(level(0.2, 0.8)).toBeGreaterThan(0.2);
      expect(level(1.5, 2.8)).toBeLessThan(0.02);
      expect(level(3.2, 3.8)).toBeGreaterThan(0.2);
      if (process.platform === 'win32') continue;
      // Another ffmpeg, whose own decoder leaves pauses out.
      const script = `#!/bin/sh\ncase "$*" in *-decoders*) exit 0;; esac\nexec '${ffmpeg!}' "$@"\n`;
      const lacking = file('lacking-ffmpeg', script);
      execFileSync('chmod', ['755', lacking]);
      await withFfmpeg(lacking, async () => {
        const without = await decode(path);
        expect(without.info.decoderVersion).not.toContain('libopencore_amrnb');
        expect(without.samples.length).toBeLessThan(16000 * 3);
        expect(without.statistics.damaged).toBe(true);
      });
    }
  });

  test('packets that cannot be decoded are reported of', async () => {
    const path = join(folder, 'damaged.aac');
    runFfmpeg(ffmpeg!, '-f', 'lavfi', '-i', 'anoisesrc=d=4:r=16000:seed=1', '-c:a', 'aac', '-f', 'adts', path);
    expect((await decode(path)).statistics.damaged).toBe(false);
    const bytes = bytesOf(path);
    // The headers of packets stay as they are.
    for (let at = 0; at + 8 < bytes.length;) {
      const length = ((bytes[at + 3] & 3) << 11) | (bytes[at + 4] << 3) | (bytes[at + 5] >> 5);
      if (at > 8000 && at < 12_000) bytes.fill(0xff, at + 7, at + length);
      at += Math.max(length, 7);
    }
    const { statistics, samples } = await decode(file('damaged.aac', bytes));
    expect(statistics.damaged).toBe(true);
    expect(samples.length).toBeGreaterThan(16000);
  });

  test('the sound of a video, and each of its audio streams', async () => {
    const path = join(folder, 'two-tracks.mp4');
    runFfmpeg(
      ffmpeg!,
      ...['-f', 'lavfi', '-i', 'color=s=32x32:d=1', '-f', 'lavfi', '-i', 'sine=f=400:d=1:r=16000'],
      ...['-f', 'lavfi', '-i', 'sine=f=900:d=1:r=48000', '-map', '0', '-map', '1', '-map', '2'],
      ...['-c:v', 'mpeg4', '-c:a', 'aac', path],
    );
    for (const [stream, frequencyHz, rateHz] of [
      [0, 400, 16000],
      [1, 900, 48000],
    ]) {
      const { info, samples } = await decode(path, { stream });
      expect(info).toMatchObject({ codec: 'aac', sampleRateHz: rateHz, audioStreams: 2, stream });
      let crossings = 0;
      for (let i = 4001; i < 12000; i++) if (samples[i - 1] < 0 && samples[i] >= 0) crossings++;
      expect(Math.abs(crossings * 2 - frequencyHz)).toBeLessThan(8);
    }
    expect((await decode(path)).info.stream).toBe(0);
    await expect(decode(path, { stream: 2 })).rejects.toMatchObject({
      code: 'no-stream',
      message: expect.stringContaining('audio streams 0 to 1') as string,
    });
  });

  test('a codec that it lacks is named', async () => {
    const unknown = file(
      'unknown.wav',
      riff(formatChunk(0x1234, 1, rate, 8), chunk('data', new Uint8Array(4000).fill(9))),
    );
    await expect(decode(unknown)).rejects.toMatchObject({
      code: 'undecodable',
      message: expect.stringMatching(/no decoder for its codec, number 0x1234/) as string,
    });
  });

  test.skipIf(process.platform === 'win32')('a codec that newer ones lack is named, too', async () => {
    const script = [
      '#!/bin/sh',
      'case "$*" in *-version*) echo "ffmpeg version 7.1 Copyright"; exit 0;; esac',
      'echo "Input #0, nut, from x:" >&2',
      'echo "  Stream #0:0: Audio: smv, 8000 Hz, mono" >&2',
      'echo "[aist#0:0/smv @ 0x5] Decoding requested, but no decoder found for: smv" >&2',
      'exit 1',
    ];
    const program = file('newer-ffmpeg', `${script.join('\n')}\n`);
    execFileSync('chmod', ['755', program]);
    await withFfmpeg(program, async () => {
      const path = file('smv.nut', new Uint8Array(5000).fill(200));
      await expect(decode(path)).rejects.toMatchObject({
        message: expect.stringMatching(/ffmpeg 7\.1 has no decoder for its codec, smv\./) as string,
      });
    });
  });

  test.skipIf(process.platform === 'win32').each([
    ['[aist#0:0/mp3 @ 0x5] [dec:mp3 @ 0x6] Error submitting packet to decoder: Invalid data found', true],
    ['[aist#0:0/mp3 @ 0x5] Error submitting packet to decoder: Invalid data found', true],
    ['[mp3 @ 0x5] Estimating duration from bitrate, this may be inaccurate', false],
  ])('what newer ones say of packets: %s', async (line, damaged) => {
    const sound = file('sound.mka', timedSound([{ timeSeconds: 0, samples: speech }], rate));
    const script = [
      '#!/bin/sh',
      'case "$*" in *-version*) echo "ffmpeg version 7.1 Copyright"; exit 0;; esac',
      'echo "Input #0, mp3, from x:" >&2',
      'echo "  Stream #0:0: Audio: mp3, 16000 Hz, mono" >&2',
      'echo "Output #0, matroska, to pipe:" >&2',
      `echo "${line}" >&2`,
      `cat '${sound}'`,
    ];
    const program = file('telling-ffmpeg', `${script.join('\n')}\n`);
    execFileSync('chmod', ['755', program]);
    await withFfmpeg(program, async () => {
      const { statistics, samples } = await decode(file('some.bin', new Uint8Array(5000).fill(200)));
      expect(samples.length).toBe(speech.length);
      expect(statistics).toMatchObject({ damaged, truncated: false });
    });
  });

  test('WAV as a piped ffmpeg writes it, and its RF64', async () => {
    const sine = ['-f', 'lavfi', '-i', 'sine=d=1:r=16000', '-c:a', 'pcm_s16le', '-f', 'wav'];
    const piped = file('piped.wav', new Uint8Array(runFfmpeg(ffmpeg!, ...sine, '-')));
    const long = join(folder, 'always.wav');
    runFfmpeg(ffmpeg!, ...sine, '-rf64', 'always', long);
    for (const path of [piped, long]) {
      const { info, samples, statistics } = await decode(path);
      expect(info).toMatchObject({ decoder: 'wav', codec: 'pcm_s16le' });
      expect(samples.length).toBe(16000);
      expect(statistics.truncated).toBe(false);
    }
  });

  test('a video without sound, and bytes without sense', async () => {
    const video = join(folder, 'silent.mp4');
    runFfmpeg(ffmpeg!, '-f', 'lavfi', '-i', 'color=s=32x32:d=0.2', '-c:v', 'mpeg4', video);
    await expect(decode(video)).rejects.toMatchObject({ code: 'no-audio', path: video });
    const noise = file(
      'noise.mp3',
      new Uint8Array(5000).map((_, i) => (i * 7919) % 251),
    );
    await expect(decode(noise)).rejects.toMatchObject({ code: 'undecodable', path: noise });
  });

  test('a script with which it would open another file does not reach it', async () => {
    const target = file('target.wav', wav16(speech, rate));
    const playlist = `#EXTM3U\n#EXTINF:1,\nfile:${target}\n#EXT-X-ENDLIST\n`;
    await expect(decode(file('list.m3u8', playlist))).rejects.toMatchObject({ code: 'no-audio' });
    // Not even where the beginning hides it.
    const hidden = Buffer.concat([Buffer.from(`\n\0${playlist}`), Buffer.alloc(100)]);
    await expect(decode(file('hidden.m3u8', hidden))).rejects.toMatchObject({ code: 'undecodable' });
  });

  test('leaving early, aborting and running out of time end it', async () => {
    const path = join(folder, 'hour.ogg');
    runFfmpeg(ffmpeg!, '-f', 'lavfi', '-i', 'sine=d=600:r=16000', '-c:a', 'flac', '-f', 'ogg', path);
    const stream = await openAudio(path);
    for await (const block of stream.blocks()) {
      expect(block.length).toBeGreaterThan(0);
      break;
    }
    await (await openAudio(path)).close();
    const control = new AbortController();
    const aborted = await openAudio(path, { signal: control.signal });
    await expect(walk(aborted, () => control.abort())).rejects.toThrow('abort');
    await expect(decode(path, { timeLimitSeconds: 0.001 })).rejects.toMatchObject({ code: 'timeout', path });
    expect(children()).toEqual([]);
  });

  describe.skipIf(process.platform === 'win32')('an ffmpeg that dies', () => {
    /** In ffmpeg's place: the real one, but that a call to decode runs `fate` first, which knows how many there were before. */
    function mortal(name: string, fate: string): string {
      const path = join(folder, name);
      const real = `'${ffmpeg}'`;
      const script = [
        '#!/bin/bash',
        `case "$*" in *-version*|*-decoders*) exec ${real} "$@";; esac`,
        // Folders, since a caged program may write no byte.
        `mkdir -p '${path}.calls'; n=$(ls '${path}.calls' | wc -l); mkdir '${path}.calls/'$n`,
        `part() { ${real} "$@" 2> >(cat >&2) | head -c 400000; }`,
        fate,
        `exec ${real} "$@"`,
      ];
      writeFileSync(path, script.join('\n'), { mode: 0o755 });
      return path;
    }

    test.for([
      ['killed halfway', '[ $n = 0 ] && { part "$@"; kill -KILL $$; }'],
      ['killed at once', '[ $n = 0 ] && kill -SEGV $$'],
      ['killed inside another process', '[ $n = 0 ] && { part "$@"; exit 137; }'],
      ['asked to end', '[ $n = 0 ] && { part "$@"; echo "Exiting normally, received signal 15." >&2; exit 255; }'],
      [
        'without memory',
        '[ $n = 0 ] && { part "$@"; echo "Error while decoding stream #0:0: Cannot allocate memory" >&2; exit 0; }',
      ],
    ])('%s is started once more, and nothing is missing or twice there', async ([what, fate]) => {
      const path = join(folder, `dies ${what}.ogg`);
      runFfmpeg(ffmpeg!, '-f', 'lavfi', '-i', 'anoisesrc=d=20:r=16000:seed=3', '-c:a', 'flac', '-f', 'ogg', path);
      const whole = await decode(path);
      const stand = mortal(`ffmpeg ${what}`, fate);
      await withFfmpeg(stand, async () => {
        const again = await decode(path);
        expect(again.samples).toEqual(whole.samples);
        expect(again.statistics).toEqual(whole.statistics);
      });
      expect(readdirSync(`${stand}.calls`)).toEqual(['0', '1']);
    });

    test.for([
      ['halfway', 'part "$@"; kill -KILL $$', 'SIGKILL'],
      ['at once', 'kill -ABRT $$', 'SIGABRT'],
      ['on a full disk', 'part "$@"; echo "file:x: No space left on device" >&2; exit 228', 'No space left on device'],
    ])('twice, %s, is an error of its own and no truncated recording', async ([what, fate, how]) => {
      const path = join(folder, 'dies twice.ogg');
      runFfmpeg(ffmpeg!, '-f', 'lavfi', '-i', 'anoisesrc=d=20:r=16000:seed=3', '-c:a', 'flac', '-f', 'ogg', path);
      await withFfmpeg(mortal(`ffmpeg twice ${what}`, fate), () =>
        expect(decode(path)).rejects.toMatchObject({
          code: 'decoder-died',
          path,
          message: expect.stringContaining(how) as string,
        }),
      );
    });

    test('a recording that says so itself is decoded', async () => {
      const path = join(folder, 'title.ogg');
      const title = 'title=x: Cannot allocate memory';
      runFfmpeg(ffmpeg!, '-f', 'lavfi', '-i', 'sine=d=1:r=16000', '-metadata', title, '-c:a', 'flac', path);
      expect((await decode(path)).samples).toHaveLength(16000);
    });
  });

  test('an mp3 that is cut gives what is there', async () => {
    const path = join(folder, 'cut.mp3');
    runFfmpeg(ffmpeg!, '-f', 'lavfi', '-i', 'sine=d=4:r=16000', '-c:a', 'mp2', '-f', 'mp2', path);
    const { samples } = await decode(file('half.mp3', bytesOf(path).slice(0, 16000)));
    expect(samples.length).toBeGreaterThan(8000);
    expect(samples.length).toBeLessThan(40000);
  });
});

/** The processes that this one started and that still run, on Linux. */
function children(): string[] {
  if (process.platform !== 'linux') return [];
  const task = `/proc/${process.pid}/task`;
  return readdirSync(task)
    .flatMap((thread) =>
      Buffer.from(bytesOf(join(task, thread, 'children')))
        .toString()
        .split(' '),
    )
    .filter(
      (id) =>
        id !== '' &&
        Buffer.from(bytesOf(`/proc/${id}/comm`))
          .toString()
          .startsWith('ffmpeg'),
    );
}

describe.skipIf(formats === null || ffmpeg === null)('real recordings, against ffmpeg', () => {
  const names = formats === null ? [] : readdirSync(formats).filter((name) => !name.endsWith('.csv'));
  test.each(names)('%s', async (name) => {
    const path = join(formats!, name);
    const reference = floats(runFfmpeg(ffmpeg!, '-i', path, '-ac', '1', '-ar', '16000', '-f', 'f32le', '-'));
    const { samples, info, statistics } = await decode(path);
    expect(Math.abs(samples.length - reference.length)).toBeLessThanOrEqual(320);
    expect(correlation(samples, reference)).toBeGreaterThan(0.999);
    expect(statistics.truncated).toBe(false);
    // The names say codec, rate and channels; two extensions lie.
    const [codec, rateHz, channels] = name.split('-');
    expect(info).toMatchObject({ codec, sampleRateHz: Number(rateHz), channels: Number.parseInt(channels, 10) });
    expect(await probe(path)).toEqual(info);
  });
});

describe('memory for blocks', () => {
  test('changes no sample, whatever was decoded in it before', async () => {
    const memory = new BlockMemory();
    const recordings = [[speech], [tone(300, rate, 0.2, 0.5), tone(500, rate, 0.2, 0.5)], [tone(700, rate, 5, 0.3)]];
    for (const [index, channels] of recordings.entries()) {
      const interleaved = Float32Array.from(
        { length: channels.length * channels[0].length },
        (_, i) => channels[i % channels.length][Math.floor(i / channels.length)],
      );
      const path = file(
        `in-memory-${index}.wav`,
        riff(formatChunk(3, channels.length, rate, 32), chunk('data', encode(interleaved, 3, 32))),
      );
      const { samples } = await decode(path, { edgeFadeSeconds: 0.02 });
      let at = 0;
      for await (const block of (await openAudio(path, { edgeFadeSeconds: 0.02, memory })).blocks()) {
        expect(block).toEqual(samples.subarray(at, at + block.length));
        at += block.length;
      }
      expect(at).toBe(samples.length);
    }
  });
});

test('peak, clipping and numbers that are none are measured wherever they stand', async () => {
  const random = new Random(3);
  for (let round = 0; round < 20; round++) {
    const samples = Float32Array.from({ length: 500 + round }, () => random.between(-0.9, 0.9));
    for (let at = 0; at < samples.length; at += random.below(40)) {
      const odd = [1, -1, 0.9991, NaN, Infinity, 3][random.below(6)];
      samples.fill(odd, at, (at += 1 + random.below(7)));
    }
    // The definition, sample by sample.
    let [run, clipped, nonFinite, peak] = [0, 0, 0, 0];
    for (const sample of samples) {
      const finite = Number.isFinite(sample);
      if (!finite) nonFinite++;
      else peak = Math.max(peak, Math.abs(sample));
      run = finite && Math.abs(sample) >= 0.999 ? run + 1 : 0;
      if (run >= 3) clipped += run === 3 ? 3 : 1;
    }
    const path = file('odd.wav', riff(formatChunk(3, 1, rate, 32), chunk('data', encode(samples, 3, 32))));
    const { statistics } = await decode(path);
    expect(statistics).toMatchObject({ peak, nonFiniteSamples: nonFinite });
    expect(statistics.clippedFraction).toBeCloseTo(clipped / samples.length, 12);
  }
});
