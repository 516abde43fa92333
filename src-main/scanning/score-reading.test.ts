import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'csv-parse/sync';
import { call, chunk, formatChunk, interleaved, pcm16, riff } from '../audio/testing.ts';
import { Detector } from '../detector/detector.ts';
import { babble, wav16, writeTinyModel } from '../detector/testing.ts';
import { scanCsvLine, scanJson, scanRows } from '../reports/scan-results.ts';
import { score } from './score.ts';
import type { FileReading, ScoreOutcome } from './score.ts';

let folder: string;
let stereo: string;
let detector: Detector;
const { signal } = new AbortController();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-reading-'));
  detector = await Detector.create(await writeTinyModel(join(folder, 'model')), 1);
  const [left, right] = [babble(2, 1), babble(2, 2)];
  const bytes = wav16(Float32Array.from({ length: 2 * left.length }, (_, i) => (i % 2 ? right : left)[i >> 1]));
  bytes.writeUInt16LE(2, 22);
  bytes.writeUInt16LE(4, 32);
  stereo = join(folder, 'stereo.wav');
  writeFileSync(stereo, bytes);
  writeFileSync(join(folder, 'left.wav'), wav16(left));
  writeFileSync(join(folder, 'right.wav'), wav16(right));
});
afterAll(async () => {
  await detector.dispose();
  rmSync(folder, { recursive: true, force: true });
});

function scored(path: string, reading?: FileReading): Promise<ScoreOutcome> {
  return score(detector, { path, nameBytes: null, found: false, ...(reading ? { reading } : {}) }, signal);
}

describe('channels', () => {
  it('are mixed unless one is chosen', async () => {
    const [mix, left, right] = [
      await scored(stereo),
      await scored(stereo, { channel: 'left' }),
      await scored(stereo, { channel: 'right' }),
    ];
    expect(left.analysis?.score).toBe((await scored(join(folder, 'left.wav'))).analysis?.score);
    expect(right.analysis?.score).toBe((await scored(join(folder, 'right.wav'))).analysis?.score);
    expect(new Set([mix, left, right].map(({ analysis }) => analysis?.score)).size).toBe(3);
    expect([mix, left, right].map(({ analysis }) => analysis?.channel)).toEqual(['mix', 'left', 'right']);
    expect(scanRows({ path: stereo, ...mix })).toHaveLength(1);
  });

  it('that cancel one another are not called silent', async () => {
    const left = babble(2, 1);
    const bytes = wav16(Float32Array.from({ length: 2 * left.length }, (_, i) => (i % 2 ? -1 : 1) * left[i >> 1]));
    bytes.writeUInt16LE(2, 22);
    bytes.writeUInt16LE(4, 32);
    const path = join(folder, 'turned.wav');
    writeFileSync(path, bytes);
    const { analysis } = await scored(path);
    expect(analysis).toMatchObject({ finding: 'not assessable', score: null });
    expect(analysis?.reasons[0]).toMatchObject({
      code: 'silent',
      sentence: expect.stringContaining('Score each on its own') as string,
    });
    expect((await scored(path, { channel: 'left' })).analysis?.score).toEqual(expect.any(Number));
    const silence = join(folder, 'silence.wav');
    writeFileSync(silence, wav16(new Float32Array(32_000)));
    expect((await scored(silence)).analysis?.reasons[0].sentence).toBe('It holds no sound.');
  });

  it('are scored one by one by themselves where they are the sides of a conversation, which is said', async () => {
    const path = join(folder, 'call.wav');
    const sides = call(babble(12, 1), babble(12, 2), 16_000);
    writeFileSync(path, riff(formatChunk(1, 2, 16_000, 16), chunk('data', pcm16(interleaved(sides)))));
    const outcome = await scored(path, { channel: 'auto' });
    const rows = scanRows({ path, ...outcome });
    const each = scanRows({ path, ...(await scored(path, { channel: 'each' })) });
    expect(rows.map(({ analysis }) => [analysis?.channel, analysis?.score])).toEqual(
      each.map(({ analysis }) => [analysis?.channel, analysis?.score]),
    );
    for (const [index, { analysis }] of rows.entries()) {
      expect(analysis?.reasons.at(-1)?.sentence).toMatch(
        new RegExp(
          `^This is channel ${index + 1} of 2, scored on its own. The two channels are the sides of a conversation: 9\\d %`,
        ),
      );
    }
    // The columns are those of any other scan.
    const columns = (row: (typeof rows)[0]): number => parse(scanCsvLine(row, detector.card))[0].length;
    expect(rows.map(columns)).toEqual([columns(each[0]), columns(each[0])]);
    const mix = await scored(stereo, { channel: 'auto' });
    expect(mix.analysis).toEqual((await scored(stereo)).analysis);
    expect(mix.further).toBeUndefined();
    const mono = await scored(join(folder, 'left.wav'), { channel: 'auto' });
    expect(mono.analysis?.channel).toBe('mix');
  });

  it('are each scored on their own, a row for each', async () => {
    const outcome = await scored(stereo, { channel: 'each' });
    const rows = scanRows({ path: stereo, ...outcome });
    const alone = [await scored(stereo, { channel: 'left' }), await scored(stereo, { channel: 'right' })];
    expect(rows.map(({ analysis }) => analysis?.score)).toEqual(alone.map(({ analysis }) => analysis?.score));
    expect(rows.map((row) => scanJson(row, detector.card)['channel'])).toEqual([1, 2]);
    rows.forEach((row, index) => {
      expect(row.path).toBe(stereo);
      expect(row.analysis?.finding).toBe(alone[index].analysis?.finding);
      expect(scanCsvLine(row, detector.card)).toContain(`channel ${index + 1} of 2`);
    });
  });

  it('and streams that are not there are an error of that file', async () => {
    const mono = join(folder, 'left.wav');
    expect((await scored(mono, { channel: 'right' })).error?.code).toBe('no-channel');
    expect((await scored(mono, { stream: 3 })).error?.code).toBe('no-stream');
    expect(scanRows({ path: mono, ...(await scored(mono, { channel: 'each' })) })).toHaveLength(1);
  });
});
