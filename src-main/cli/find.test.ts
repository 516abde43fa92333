import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, it, vi } from 'vitest';
import type { Found } from '../../src-common/schemas/traces.ts';
import { temporaryFolder, wav16 } from '../audio/testing.ts';
import { Random } from '../base/random.ts';
import { voice } from '../traces/testing.ts';
import { register } from './find.ts';

const folder = temporaryFolder();
const rateHz = 8000;
const [one, other] = [71, 72].map((seed) => voice(new Random(seed), rateHz, 12, 0.05));
const holding = other.slice();
holding.set(one.subarray(2 * rateHz, 4.5 * rateHz), 6 * rateHz);
const paths = Object.entries({ one, other, holding }).map(([name, samples]) => {
  const path = join(folder, `${name}.wav`);
  writeFileSync(path, wav16(samples, rateHz));
  return path;
});

/** Runs the command in this process. */
async function run(...words: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const program = new Command('earwitness').exitOverride().configureOutput({ writeErr: () => undefined });
  register(program);
  const said = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      said[name] += String(text);
      return true;
    }),
  );
  try {
    process.exitCode = undefined;
    await program.parseAsync(['node', 'earwitness', 'find', ...words]);
    return { status: Number(process.exitCode ?? 0), ...said };
  } finally {
    process.exitCode = undefined;
    for (const spy of spies) spy.mockRestore();
  }
}
const span = ['--start', '2', '--end', '4.5'];

it('says of each recording where the stretch is, and once what that shows', async () => {
  const { status, stdout } = await run(...paths, ...span);
  expect(status).toBe(0);
  expect(stdout).toMatch(/other\.wav\nThe stretch was not found/);
  expect(stdout).toMatch(
    /holding\.wav\nThe stretch occurs at 0:06\.0 \(\d\d\s%\).*\n {2}(5\.9|6\.0)\d to 8\.\d\d s: 9\d %/,
  );
  expect(stdout.match(/The same words said again/g)).toHaveLength(1);
});

it('gives places as JSON, a line for each recording', async () => {
  const { stdout } = await run(...paths, ...span, '--json');
  const found = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Found & { file: string });
  expect(found.map(({ file, places }) => [file, places.length])).toEqual([
    [paths[1], 0],
    [paths[2], 1],
  ]);
  expect(found[1].places[0].startSeconds).toBeCloseTo(6, 1);
});

it('names a recording that cannot be read, and searches the others', async () => {
  const { status, stdout, stderr } = await run(paths[0], join(folder, 'none.wav'), paths[2], ...span);
  expect(status).toBe(3);
  expect(stderr).toContain('none.wav');
  expect(stdout).toMatch(/holding\.wav\nThe stretch occurs at/);
});

it('asks for a stretch', async () => {
  await expect(run(paths[0], paths[1])).rejects.toMatchObject({ code: 'usage' });
});
