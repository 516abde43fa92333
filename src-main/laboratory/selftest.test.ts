import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFfmpeg } from '../audio/ffmpeg.ts';
import { writeTinyModel } from '../detector/testing.ts';
import { selfTest, selfTestRecords, storeReference } from './selftest.ts';
import type { SelfTestCheck } from './selftest.ts';
import { referenceSignals } from './selftest-signals.ts';
import { wavBytes } from '../audio/wav-writer.ts';

let folder: string;
const homeBefore = process.env['EARWITNESS_HOME'];
const ffmpeg = await findFfmpeg().catch(() => null);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-selftest-'));
  process.env['EARWITNESS_HOME'] = join(folder, 'home');
  await writeTinyModel(join(folder, 'home', 'models', 'tiny'));
  await writeTinyModel(join(folder, 'model'));
});
afterAll(() => {
  if (homeBefore === undefined) delete process.env['EARWITNESS_HOME'];
  else process.env['EARWITNESS_HOME'] = homeBefore;
  rmSync(folder, { recursive: true, force: true });
});

async function modelCheck(models: string[]): Promise<SelfTestCheck> {
  const { record } = await selfTest('a test', { models });
  return record.checks.at(-1) as SelfTestCheck;
}

describe('the reference signals', () => {
  it('are the same everywhere', () => {
    const hash = createHash('sha256');
    for (const samples of referenceSignals().values()) hash.update(wavBytes(samples));
    // Stored scores of every model hang on these bytes.
    expect(hash.digest('hex')).toBe('1d3cffbf1582e2e09bf4dc7e2e9603409c5cf41658678260a7b41f58c1eac28c');
  });
});

describe('the self-test', () => {
  it('passes on every decoder and the models in the data folder, and keeps a record', async () => {
    const seen: string[] = [];
    const { record, path } = await selfTest('a test', { onCheck: (check) => seen.push(check.name) });
    expect(record.checks.filter((check) => !check.passed)).toEqual([]);
    expect(seen).toEqual(expect.arrayContaining(['decoder wav', 'decoder flac', 'model tiny on cpu']));
    expect(seen.includes('decoder ffmpeg')).toBe(ffmpeg !== null);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(JSON.parse(JSON.stringify(record)));
    expect(record.versions).toMatchObject({ application: 'a test', node: process.versions.node });
    expect(path.startsWith(join(folder, 'home', 'selftests'))).toBe(true);
    writeFileSync(join(folder, 'home', 'selftests', '0.json'), 'torn');
    expect(await selfTestRecords()).toEqual([JSON.parse(JSON.stringify(record))]);
  });

  it('stores the scores of a model that came without, and compares with them from then on', async () => {
    rmSync(join(folder, 'home', 'selftests'), { recursive: true, force: true });
    const first = await modelCheck(['tiny']);
    expect(first).toMatchObject({ passed: true });
    expect(first.detail).toMatch(/stored/);
    expect(first.comparison).toBeUndefined();
    const second = await modelCheck(['tiny']);
    expect(second).toMatchObject({ passed: true, comparison: { largestDifference: 0, tolerance: 1e-4 } });
  });

  it('fails where a score has moved, a file is spoilt or belongs to another model', async () => {
    const path = await storeReference('a test', join(folder, 'model'));
    expect(path).toBe(join(folder, 'model', 'selftest.json'));
    expect(await modelCheck([join(folder, 'model')])).toMatchObject({ passed: true });
    const stored = JSON.parse(readFileSync(path, 'utf8')) as {
      onnxSha256: string;
      signals: Record<string, { score: number; windows: number[] }>;
    };
    const attempt = async (change: (copy: typeof stored) => void): Promise<SelfTestCheck> => {
      const copy = structuredClone(stored);
      change(copy);
      writeFileSync(path, JSON.stringify(copy));
      return modelCheck([join(folder, 'model')]);
    };
    expect(await attempt((copy) => (copy.signals['low voice'].windows[0] += 5e-5))).toMatchObject({ passed: true });
    expect(await attempt((copy) => (copy.signals['low voice'].windows[0] += 2e-4))).toMatchObject({ passed: false });
    expect(await attempt((copy) => (copy.signals['gliding tone'].score -= 2e-4))).toMatchObject({ passed: false });
    expect(await attempt((copy) => copy.signals['long voice'].windows.pop())).toMatchObject({ passed: false });
    expect((await attempt((copy) => (copy.onnxSha256 = 'other'))).detail).toMatch(/another model/);
    writeFileSync(path, 'no JSON');
    expect((await modelCheck([join(folder, 'model')])).detail).toMatch(/--store/);
  });

  it('fails on a model whose file is not the one that its card describes, and goes on with others', async () => {
    await writeTinyModel(join(folder, 'spoilt'));
    const path = join(folder, 'spoilt', 'model.onnx');
    const bytes = readFileSync(path);
    bytes[bytes.length - 100] ^= 1;
    writeFileSync(path, bytes);
    const { record } = await selfTest('a test', { models: [join(folder, 'spoilt'), 'tiny'] });
    expect(record.passed).toBe(false);
    expect(record.checks.slice(-2).map((check) => check.passed)).toEqual([false, true]);
  });

  it('leaves nothing in the folder for temporary files', () => {
    // In a process of its own: ONNX Runtime decides at its first session.
    const temporary = mkdtempSync(join(folder, 'temporary-'));
    const script = `import { selfTest } from ${JSON.stringify(new URL('./selftest.ts', import.meta.url).href)};
      const { record } = await selfTest('a test', { models: ['tiny'] });
      console.log(record.checks.length);`;
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, TMPDIR: temporary, TEMP: temporary, TMP: temporary },
      encoding: 'utf8',
    });
    expect(Number(out)).toBeGreaterThan(2);
    expect(readdirSync(temporary)).toEqual([]);
  });

  it.skipIf(process.platform === 'win32')('makes the data folder for the user alone', async () => {
    process.env['EARWITNESS_HOME'] = join(folder, 'new home');
    await selfTest('a test', { models: [join(folder, 'home', 'models', 'tiny')] });
    process.env['EARWITNESS_HOME'] = join(folder, 'home');
    expect(statSync(join(folder, 'new home')).mode & 0o777).toBe(0o700);
  });
});
