import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredModel } from '../detector/store.ts';
import { babble, wav16, writeTinyModel } from '../detector/testing.ts';
import { displayPath } from '../base/display-path.ts';
import { listFiles, scanFiles } from './scan-files.ts';
import type { ScanResult } from './scan-files.ts';

let folder: string;
let model: StoredModel;

async function scanned(paths: string[], jobs = 2): Promise<ScanResult[]> {
  const { requests } = await listFiles(paths, true);
  const results: ScanResult[] = [];
  for await (const result of scanFiles(model, requests, { jobs })) results.push(result);
  return results;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-scan-'));
  model = await writeTinyModel(join(folder, 'model'));
  mkdirSync(join(folder, 'audio', 'below'), { recursive: true });
  for (let i = 0; i < 6; i++) writeFileSync(join(folder, 'audio', `voice-${i}.wav`), wav16(babble(1 + i / 2, i)));
  writeFileSync(join(folder, 'audio', 'below', '=name, "quoted".bin'), wav16(babble(2, 9)));
  writeFileSync(join(folder, 'audio', 'notes.txt'), 'no recording');
  writeFileSync(join(folder, 'audio', 'text.wav'), 'no recording either');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a scan', () => {
  it('gives the same results in the same order for any number of workers', async () => {
    const one = await scanned([join(folder, 'audio')], 1);
    const three = await scanned([join(folder, 'audio')], 3);
    expect(three).toEqual(one);
    expect(one.map(({ path }) => path)).toEqual(one.map(({ path }) => path).sort());
    expect(one.filter(({ passedOver }) => passedOver).map(({ path }) => path.slice(folder.length + 7))).toEqual([
      'notes.txt',
      'text.wav',
    ]);
    const scores = one.flatMap(({ analysis }) => analysis?.score ?? []);
    expect(scores).toHaveLength(7);
    expect(new Set(scores).size).toBe(7);
  });

  it('scores a file alike alone and among others', async () => {
    const path = join(folder, 'audio', 'voice-3.wav');
    const [alone] = await scanned([path]);
    const among = (await scanned([join(folder, 'audio')])).find((result) => result.path === path);
    expect(alone.analysis?.score).toBe(among?.analysis?.score);
    expect(alone.sha256).toBe(createHash('sha256').update(readFileSync(path)).digest('hex'));
  });

  it.skipIf(process.platform !== 'linux')(
    'takes names that are no UTF-8 as a command line hands them over',
    async () => {
      const odd = Buffer.concat([Buffer.from(join(folder, 'odd-')), Buffer.from([0xff, 0x2f])]);
      mkdirSync(odd.subarray(0, -1));
      for (const byte of [0xe9, 0xe8]) {
        writeFileSync(Buffer.concat([odd, Buffer.from([byte]), Buffer.from('.wav')]), wav16(babble(1, byte)));
      }
      const named = join(folder, 'odd-\uFFFD', '\uFFFD.wav');
      // Both names read alike: a shell names them both.
      const results = await scanned([named, named]);
      expect(results.map(({ path }) => path.slice(folder.length)).sort()).toEqual([
        '/odd-\\xFF/\\xE8.wav',
        '/odd-\\xFF/\\xE9.wav',
      ]);
      expect(results.map(({ error }) => error)).toEqual([null, null]);
      expect(await scanned([join(folder, 'odd-\uFFFD')])).toHaveLength(2);
      const [missing] = await scanned([join(folder, '\uFFFD.wav')]);
      expect(missing.error?.code).toBe('missing');
    },
  );

  it('covers the whole recording with windows, and its score is their mean', async () => {
    const [{ analysis }] = await scanned([join(folder, 'audio', 'voice-5.wav')]);
    if (!analysis) throw new Error('no analysis');
    expect(analysis.durationSeconds).toBeCloseTo(3.5, 3);
    expect(analysis.windows[0].startSeconds).toBeLessThan(0.1);
    expect(analysis.windows.at(-1)?.endSeconds).toBeCloseTo(3.5, 1);
    const mean = analysis.windows.reduce((sum, { score }) => sum + score, 0) / analysis.windows.length;
    expect(analysis.score).toBeCloseTo(mean, 6);
  });

  it('says of a file named outright that is no recording what is wrong, and goes on', async () => {
    const paths = ['notes.txt', 'voice-0.wav', 'missing.wav'].map((name) => join(folder, 'audio', name));
    const [text, voice, missing] = await scanned(paths);
    expect(text.error?.message).toMatch(/notes\.txt/);
    expect(voice.error).toBeNull();
    expect(missing.error?.code).toBe('missing');
  });

  it('calls silence and a short sound not assessable, with a score where there is sound', async () => {
    const silent = join(folder, 'silent.wav');
    const short = join(folder, 'short.wav');
    writeFileSync(silent, wav16(new Float32Array(32_000)));
    writeFileSync(short, wav16(babble(0.2, 1)));
    const [quiet, brief] = await scanned([silent, short]);
    expect(quiet.analysis).toMatchObject({ finding: 'not assessable', score: null, llr: null });
    expect(brief.analysis).toMatchObject({ finding: 'not assessable', llr: null });
    expect(brief.analysis?.score).toEqual(expect.any(Number));
    expect(brief.analysis?.reasons.map(({ code }) => code)).toContain('too-short');
  });

  it('stops when told to', async () => {
    const { requests } = await listFiles([join(folder, 'audio')], true);
    const controller = new AbortController();
    const many = Array.from({ length: 200 }, (_, index) => requests[index % 3]);
    const seen: ScanResult[] = [];
    const run = async (): Promise<void> => {
      for await (const result of scanFiles(model, many, { jobs: 2, signal: controller.signal })) {
        seen.push(result);
        controller.abort();
      }
    };
    await expect(run()).rejects.toThrow(/abort/i);
    expect(seen.length).toBeLessThan(200);
  });
});

describe('listFiles', () => {
  it('goes below folders only when asked', async () => {
    const flat = await listFiles([join(folder, 'audio')], false);
    const deep = await listFiles([join(folder, 'audio')], true);
    expect(deep.requests.length).toBe(flat.requests.length + 1);
    expect([flat.leftOutFolders, deep.leftOutFolders]).toEqual([1, 0]);
  });

  it.skipIf(process.platform === 'win32')('is not caught by a loop of links, and leaves pipes alone', async () => {
    const looped = join(folder, 'looped');
    mkdirSync(looped);
    symlinkSync(looped, join(looped, 'again'));
    execFileSync('mkfifo', [join(looped, 'pipe')]);
    writeFileSync(join(looped, 'voice.wav'), wav16(babble(1, 1)));
    symlinkSync('/dev/zero', join(looped, 'zero.wav'));
    const { requests } = await listFiles([looped], true);
    expect(requests.map(({ path }) => path)).toEqual([join(looped, 'voice.wav')]);
  });

  it.skipIf(process.platform !== 'linux')('finds and scores names that are not UTF-8', async () => {
    const odd = join(folder, 'odd');
    mkdirSync(odd);
    const name = Buffer.concat([Buffer.from(`${odd}/caf`), Buffer.from([0xe9]), Buffer.from('-ü.wav')]);
    writeFileSync(name, wav16(babble(1.5, 4)));
    const [result] = await scanned([odd]);
    expect(result.path).toBe(`${odd}/caf\\xE9-ü.wav`);
    expect(result.analysis?.score).toEqual(expect.any(Number));
  });
});

describe('a folder', () => {
  it('of 20,000 files is listed in order', async () => {
    const many = join(folder, 'many');
    mkdirSync(many);
    const first = join(many, '00000.wav');
    writeFileSync(first, wav16(babble(0.1, 1)));
    for (let i = 1; i < 20_000; i++) linkSync(first, join(many, `${String(i).padStart(5, '0')}.wav`));
    const { requests, unreadable } = await listFiles([many], false);
    expect(requests.length).toBe(20_000);
    expect(unreadable).toEqual([]);
    expect(requests.at(-1)?.path).toBe(join(many, '19999.wav'));
    expect(requests.every(({ path }, index) => index === 0 || requests[index - 1].path < path)).toBe(true);
    rmSync(many, { recursive: true });
  });

  it('that vanishes in the middle of a scan leaves a row with an error for each file that was left', async () => {
    const drive = join(folder, 'drive');
    mkdirSync(drive);
    for (let i = 0; i < 200; i++) writeFileSync(join(drive, `${String(i).padStart(3, '0')}.wav`), wav16(babble(1, i)));
    const { requests } = await listFiles([drive], true);
    const results: ScanResult[] = [];
    for await (const result of scanFiles(model, requests, { jobs: 2 })) {
      if (results.push(result) === 5) rmSync(drive, { recursive: true });
    }
    expect(results.map(({ path }) => path)).toEqual(requests.map(({ path }) => path));
    const scored = results.filter(({ analysis }) => analysis !== null).length;
    expect(scored).toBeGreaterThanOrEqual(5);
    expect(scored).toBeLessThan(200);
    const codes = new Set(results.flatMap(({ error }) => error?.code ?? []));
    expect([...codes]).toEqual(['missing']);
    expect(results.filter(({ error }) => error !== null).length).toBe(200 - scored);
  });
});

describe('a file that takes too long', () => {
  it('is given up', async () => {
    const { requests } = await listFiles([join(folder, 'audio', 'voice-0.wav')], false);
    // A worker cannot even start in that time.
    for await (const result of scanFiles(model, requests, { limitSeconds: 0.001 })) {
      expect(result).toMatchObject({ analysis: null, error: { code: 'timeout' } });
    }
  });
});

describe('displayPath', () => {
  it('leaves good names as they are', () => {
    expect(displayPath({ path: '/a/漢 🎙.wav', nameBytes: null })).toBe('/a/漢 🎙.wav');
  });
});
