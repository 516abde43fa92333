import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { resources } from '../../src-preload/contract/sound.ts';
import { decode } from '../audio/decode.ts';
import { chunk, formatChunk, interleaved, pcm16, riff, temporaryFolder, tone, wav16 } from '../audio/testing.ts';
import { defaultAnalysis } from '../../src-common/analysis-windows.ts';
import { UserFacingError } from '../base/errors.ts';
import { SoundPool } from '../sound/sound-pool.ts';
import type { EngineContext } from './context.ts';
import { OutputPlaces } from './outputs.ts';
import { byteRange, handleResource } from './resources.ts';
import { prepareSoundOf } from './sound.ts';

const folder = temporaryFolder();
const caseId = randomUUID();
const path = join(folder, 'evidence.wav');
const file = Buffer.from(wav16(tone(1000, 16_000, 40), 16_000));
const sides = [tone(300, 16_000, 2), tone(2000, 16_000, 2, 0.25)];
const callPath = join(folder, 'call.wav');
const callFile = Buffer.from(riff(formatChunk(1, 2, 16_000, 16), chunk('data', pcm16(interleaved(sides)))));
const sound = new SoundPool();
const outputs = new OutputPlaces(join(folder, 'outputs'));
const store = {
  folder,
  evidence: {
    intake: (id: number) => {
      if (id !== 1 && id !== 7) throw new UserFacingError('not-found', 'There is no such item.');
      const [place, bytes] = id === 1 ? [path, file] : [callPath, callFile];
      return { path: place, nameBytes: null, sha256: createHash('sha256').update(bytes).digest('hex') };
    },
    get: () => ({ name: 'evidence.wav', sha256: 'ab'.repeat(32) }),
  },
  giveRights: () => undefined,
};
const item = { caseId, evidenceId: 1 };
const cases = {
  get: (id: string) => {
    if (id !== caseId) throw new UserFacingError('not-found', 'There is no such case.');
    return store;
  },
};
const settings = { get: () => ({ preparedSoundMegabytes: 500 }) };
const context = { cases, sound, outputs, settings, application: 'earwitness test' } as unknown as EngineContext;

beforeAll(async () => {
  writeFileSync(path, file);
  await prepareSoundOf(context, store as never, item);
});
afterAll(() => sound.close());

async function get(address: string, range: string | null = null) {
  const [place, query = ''] = address.split('?');
  const { signal } = new AbortController();
  const answer = await handleResource(context, { path: place, query: new URLSearchParams(query), range, signal });
  const parts: Uint8Array[] = [];
  if (answer.body instanceof Readable) for await (const part of answer.body) parts.push(part as Uint8Array);
  else if (answer.body !== null) parts.push(answer.body);
  const body = Buffer.concat(parts);
  if (answer.headers['content-length'] !== undefined)
    expect(body.length).toBe(Number(answer.headers['content-length']));
  return { ...answer, body };
}

async function code(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return error instanceof UserFacingError ? error.code : String(error);
}

describe('resources', () => {
  it('are peaks, tiles and pictures, which no browser keeps', async () => {
    const peaks = await get(resources.peaks(item, 4, 10, 100));
    expect(peaks.body).toHaveLength(800);
    expect(peaks.headers['cache-control']).toBe('no-store');
    const tile = await get(resources.tile(item, 4, 0, { scale: 'linear', topHz: 8000 }, defaultAnalysis));
    expect(tile.body).toHaveLength(256 * 128);
    // A sine of amplitude 0.5 at 1 kHz: row 32 is the loudest, at -6 dB.
    const column = Array.from({ length: 256 }, (_, row) => tile.body[row * 128 + 60]);
    expect(column.indexOf(Math.max(...column))).toBe(32);
    expect(-120 + (Math.max(...column) * 120) / 255).toBeCloseTo(-6, 0);
    const other = { window: 'rectangular', windowMs: 8, overlap: 0.5 } as const;
    const blurred = await get(resources.tile(item, 4, 0, { scale: 'linear', topHz: 8000 }, other));
    const loud = (bytes: Buffer): number =>
      Array.from({ length: 256 }, (_, row) => bytes[row * 128 + 60]).filter((byte) => byte > 160).length;
    expect(loud(blurred.body)).toBeGreaterThan(2 * loud(tile.body));
    const bad = resources.tile(
      item,
      4,
      0,
      { scale: 'linear', topHz: 8000 },
      { ...defaultAnalysis, windowMs: 33 as 32 },
    );
    expect(await code(get(bad))).toBe('not-found');
    const picture = await get(
      resources.image(item, {
        from: '1.5',
        to: '3',
        scale: 'mel',
        top: '4000',
        map: 'grey',
        floor: '-80',
        ceiling: '0',
        width: '640',
        height: '320',
      }),
    );
    expect(picture.headers['content-type']).toBe('image/png');
    expect(picture.body.subarray(1, 4).toString('latin1')).toBe('PNG');
  });

  it('are the whole recording as a WAV file that any player reads', async () => {
    const { status, headers, body } = await get(resources.audio(item));
    expect([status, headers['content-type'], headers['accept-ranges']]).toEqual([200, 'audio/wav', 'bytes']);
    expect(body.subarray(44).equals(file.subarray(44))).toBe(true);
    const played = join(folder, 'played.wav');
    writeFileSync(played, body);
    expect((await decode(played)).info).toMatchObject({ codec: 'pcm_s16le', channels: 1, durationSeconds: 40 });
  });

  it.each([
    ['bytes=0-43', 0, 44],
    ['bytes=20-99', 20, 100],
    ['bytes=101-', 101, null],
    ['bytes=700001-700004', 700_001, 700_005],
    ['bytes=-7', -7, null],
    ['bytes=1279000-99999999', 1_279_000, null],
  ])('are any part of it: %s', async (range, from, to) => {
    const whole = (await get(resources.audio(item))).body;
    const { status, headers, body } = await get(resources.audio(item), range);
    expect(status).toBe(206);
    expect(body.equals(whole.subarray(from, to ?? undefined))).toBe(true);
    expect(headers['content-range']).toMatch(new RegExp(`^bytes \\d+-\\d+/${whole.length}$`));
  });

  it('are a band of it alone, louder or softer, whichever part is asked for', async () => {
    const heardAs = async (band: { lowHz: number; highHz: number } | null, gainDb: number): Promise<Int16Array> => {
      const { body } = await get(resources.audio(item, null, { band, gainDb }), 'bytes=320044-384043');
      return new Int16Array(new Uint8Array(body).buffer);
    };
    const loudest = (samples: Int16Array): number => Math.max(...samples) / 32_768;
    expect(loudest(await heardAs({ lowHz: 900, highHz: 1100 }, 0))).toBeCloseTo(0.5, 3);
    expect(loudest(await heardAs({ lowHz: 1200, highHz: 2000 }, 0))).toBeLessThan(0.001);
    expect(loudest(await heardAs(null, -6))).toBeCloseTo(0.25, 2);
    expect(loudest(await heardAs(null, 12))).toBeGreaterThan(0.999);
    const band = { lowHz: 2000, highHz: 1000 };
    expect(await code(get(resources.audio(item, null, { band, gainDb: 0 })))).toBe('not-found');
    expect(await code(get(resources.audio(item, null, { band: null, gainDb: 99 })))).toBe('not-found');
  });

  it('are of one channel, or the mean of those that are heard', async () => {
    writeFileSync(callPath, callFile);
    const call = { caseId, evidenceId: 7 };
    await prepareSoundOf(context, store as never, call);
    expect(await code(get(resources.audio(call, [1])))).toBe('not-prepared');
    for (const channel of [1, 2]) await prepareSoundOf(context, store as never, { ...call, channel });
    const played = async (channels: number[] | null): Promise<Int16Array> =>
      new Int16Array(new Uint8Array((await get(resources.audio(call, channels))).body.subarray(44)).buffer);
    const [first, second] = [await played([1]), await played([2])];
    const exact = sides.map((side) => new Int16Array(pcm16(side).slice().buffer));
    expect([first, second]).toEqual(exact);
    // What is played does not hang on the channel that is worked on.
    const worked = { ...call, channel: 2 };
    expect(resources.audio(worked)).toBe(resources.audio(call));
    const [both, mix] = [await played([1, 2]), await played(null)];
    expect(both.every((value, i) => Math.abs(value - (first[i] + second[i]) / 2) <= 1)).toBe(true);
    expect(both.every((value, i) => Math.abs(value - mix[i]) <= 1)).toBe(true);
    const [low, high] = await Promise.all(
      [1, 2].map(async (channel) => {
        const { body } = await get(
          resources.tile({ ...call, channel }, 4, 0, { scale: 'linear', topHz: 8000 }, defaultAnalysis),
        );
        const column = Array.from({ length: 256 }, (_, row) => body[row * 128 + 60]);
        return column.indexOf(Math.max(...column));
      }),
    );
    expect(high).toBeGreaterThan(5 * low);
    const part = await get(resources.audio(call, [1, 2]), 'bytes=101-1000');
    const whole = await get(resources.audio(call, [1, 2]));
    expect(part.body.equals(whole.body.subarray(101, 1001))).toBe(true);
    for (const nonsense of ['', '1,,2', 'mix', '1;2']) {
      expect(await code(get(`sound/${caseId}/7/audio.wav?channels=${nonsense}`))).toBe('not-found');
    }
  });

  it('outside the recording are none, and a Range that is not understood is ignored', async () => {
    expect((await get(resources.audio(item), 'bytes=99999999-')).status).toBe(416);
    expect((await get(resources.audio(item), 'lines=1-2')).status).toBe(200);
    expect(byteRange('bytes=5-2', 10)).toBe('none');
    expect(byteRange('bytes=-', 10)).toBeNull();
    expect(byteRange('bytes=-50', 10)).toEqual({ first: 0, last: 9 });
  });

  it('at addresses of nothing, or of nonsense, are not found', async () => {
    const item = `sound/${caseId}/1`;
    for (const address of [
      '',
      'sound',
      `sound/${caseId}`,
      `${item}/nothing`,
      `${item}/peaks/99?from=0&count=5`,
      `${item}/peaks/1?from=-1&count=5`,
      `${item}/peaks/1?from=0&count=99999999`,
      `${item}/peaks/1e1?from=0&count=5`,
      `${item}/spectrogram/0/99999?scale=mel&top=8000`,
      `${item}/spectrogram/0/0?scale=bark`,
      `${item}/spectrogram/0/0?scale=mel&top=0`,
      `sound/${caseId}/2/audio.wav`,
      `sound/${randomUUID()}/1/audio.wav`,
      'sound/../../etc/passwd/1/audio.wav',
      `spectrogram/${caseId}/1.png?from=50&to=60`,
      `spectrogram/${caseId}/1.png?width=99999999`,
      'file/unknown',
    ]) {
      expect([address, await code(get(address))]).toEqual([address, 'not-found']);
    }
  });

  it('that were not prepared say so', async () => {
    const other = { ...store, folder: join(folder, 'other') };
    mkdirSync(other.folder);
    const elsewhere = { ...context, cases: { get: () => other } } as unknown as EngineContext;
    const request = { path: `sound/${caseId}/1/audio.wav`, query: new URLSearchParams(), range: null };
    expect(await code(handleResource(elsewhere, { ...request, signal: new AbortController().signal }))).toBe(
      'not-prepared',
    );
    rmSync(other.folder, { recursive: true });
  });

  it('are finished exports, once, under their own name', async () => {
    const held = outputs.offer({ bytes: Buffer.from('a,b\n'), name: 'Fälle (1)\r\n.csv', type: 'text/csv' }).resource;
    const { body, headers } = await get(held);
    expect(body.toString()).toBe('a,b\n');
    expect(headers['content-disposition']).toBe("attachment; filename*=UTF-8''F%C3%A4lle%20%281%29%0D%0A.csv");
    expect(await code(get(held))).toBe('not-found');
    const place = await outputs.place('report.pdf');
    writeFileSync(place, '%PDF');
    const { body: pdf } = await get(
      outputs.offer({ path: place, name: 'report.pdf', type: 'application/pdf' }).resource,
    );
    expect(pdf.toString()).toBe('%PDF');
    await vi.waitFor(() => expect(existsSync(place)).toBe(false), 20_000);
  });
});
