import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UserFacingError } from '../base/errors.ts';
import type { DatasetReport } from '../datasets/inspect.ts';
import { plant } from '../datasets/testing.ts';
import { register } from './dataset.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'earwitness-dataset-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  rmSync(root, { recursive: true, force: true });
});

/** Runs `earwitness dataset …` in this process; gives what it wrote and its exit status. */
async function run(...words: string[]): Promise<{ out: string; status: typeof process.exitCode }> {
  let out = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  register(program);
  for (const command of program.commands) {
    command.exitOverride().configureOutput({ writeErr: () => undefined });
    for (const inner of command.commands) inner.exitOverride().configureOutput({ writeErr: () => undefined });
  }
  try {
    await program.parseAsync(['node', 'earwitness', 'dataset', ...words]);
    return { out, status: process.exitCode };
  } finally {
    process.exitCode = undefined;
  }
}

describe('earwitness dataset inspect', () => {
  it('prints counts and formats, with status 0', async () => {
    plant(root, ['train/real/a.wav', 'train/fake/VITS/b.wav', 'train/fake/VITS/c.wav', 'test/real/d.wav']);
    plant(root, { 'train/real/notes.txt': 'x' });
    const { out, status } = await run('inspect', `folder:${root}`);
    expect(status).toBeUndefined();
    expect(out).toMatch(/^train +bona fide +1 +- +- +- +0 s +0\.10 +0\.10 +0\.10$/m);
    expect(out).toMatch(/^train +spoof +2 +1 /m);
    expect(out).toMatch(/^test +bona fide +1 /m);
    expect(out).toMatch(/^all +2 bona fide, 2 spoof +4 /m);
    expect(out).toMatch(/^VITS +2 {2}train 2$/m);
    expect(out).toMatch(/^16000 +4 +2 +2 {2}train 3, test 1$/m);
    expect(out).toContain('.txt: 1');
    expect(out).not.toContain('\u001b');
  });

  it('names the first twenty files that cannot be read, then counts, with status 3', async () => {
    plant(root, ['real/a.wav']);
    plant(root, Object.fromEntries(Array.from({ length: 23 }, (_, index) => [`fake/${100 + index}.wav`, 'none'])));
    const { out, status } = await run('inspect', `folder:${root}`);
    expect(status).toBe(3);
    expect(out).toContain('Missing: 0, unreadable: 23');
    expect(out).toContain(join(root, 'fake/119.wav'));
    expect(out).not.toContain(join(root, 'fake/120.wav'));
    expect(out).toContain('and 3 more');
    const json = await run('inspect', `folder:${root}`, '--json', '--jobs', '2');
    expect(json.status).toBe(3);
    const report = JSON.parse(json.out) as DatasetReport;
    expect(report.problems).toHaveLength(23);
    expect([report.bonafide, report.spoof]).toEqual([1, 23]);
  });

  it.skipIf(process.platform === 'win32')('shows names that would steer a terminal as escapes', async () => {
    plant(root, ['real/a.wav', 'fake/\u001b[31mG\n/b.wav']);
    const { out } = await run('inspect', `folder:${root}`);
    expect(out).toContain('\\u001b[31mG\\u000a');
    expect(out).not.toContain('\u001b');
  });

  it('stops at Ctrl-C with status 130', async () => {
    plant(
      root,
      Array.from({ length: 40 }, (_, index) => `real/${index}.wav`),
    );
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const before = process.listenerCount('SIGINT');
    const running = run('inspect', `folder:${root}`, '--jobs', '1');
    expect(process.listenerCount('SIGINT')).toBe(before);
    await vi.waitUntil(() => process.listenerCount('SIGINT') > before, { interval: 0 });
    process.emit('SIGINT');
    const { out, status } = await running;
    expect(status).toBe(130);
    expect(out).toBe('');
    expect(said).toHaveBeenCalledWith('Interrupted.\n');
    expect(process.listenerCount('SIGINT')).toBe(before);
  });

  it('refuses wrong usage', async () => {
    await expect(run('inspect')).rejects.toThrow(CommanderError);
    for (const jobs of ['0', '-1', 'x', '1.5', '1000']) {
      await expect(run('inspect', `folder:${root}`, '--jobs', jobs)).rejects.toThrow(CommanderError);
    }
    await expect(run('inspect', 'nope:x')).rejects.toThrow(UserFacingError);
  });
});
