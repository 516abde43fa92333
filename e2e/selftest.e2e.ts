/** The equipment check of a laboratory, as it is run: the built program in a data folder of its own. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTinyModel } from '../src-main/detector/testing.ts';

const program = join(resolve(import.meta.dirname, '..'), 'scripts/earwitness.mjs');
let folder: string;

function selftest(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'selftest', ...args], {
    encoding: 'utf8',
    env: { ...process.env, EARWITNESS_HOME: join(folder, 'home') },
  });
  return { status, stdout, stderr };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-selftest-'));
  await writeTinyModel(join(folder, 'home', 'models', 'tiny'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('selftest', () => {
  it('stores scores with a model, passes against them, and keeps a record of each run', () => {
    const stored = selftest('--store', '--model', 'tiny');
    expect(stored.status).toBe(0);
    expect(stored.stdout).toContain(join(folder, 'home', 'models', 'tiny', 'selftest.json'));
    const text = selftest('--model', 'tiny');
    expect(text.status).toBe(0);
    expect(text.stdout).toMatch(/passed {2}model tiny on cpu: Scores differ by at most 0\.0e\+0/);
    const { passed, checks } = JSON.parse(selftest('--model', 'tiny', '--json').stdout) as {
      passed: boolean;
      checks: unknown[];
    };
    expect(passed).toBe(true);
    expect(checks.length).toBeGreaterThanOrEqual(3);
    expect(readdirSync(join(folder, 'home', 'selftests')).length).toBe(2);
  });

  it('ends with 1 where a score has moved, and with 2 on wrong usage', () => {
    const path = join(folder, 'home', 'models', 'tiny', 'selftest.json');
    const moved = readFileSync(path, 'utf8').replace(/"score": (-?\d+\.\d)/, '"score": 7.5, "was": $1');
    writeFileSync(path, moved);
    const { status, stdout } = selftest('--model', 'tiny');
    expect(status).toBe(1);
    expect(stdout).toMatch(/FAILED {2}model tiny on cpu/);
    expect(selftest('--store', '--json').status).toBe(2);
  });
});
