import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryPrefix } from './temporary.ts';
import { clearUnfinished, whileUnfinished } from './unfinished.ts';

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), 'unfinished-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

it('removes what a killed process left, and nothing of one that lives', async () => {
  const home = place();
  const cases = join(home, 'cases');
  const out = place();
  const import1 = join(cases, `.import-${'1'.repeat(12)}`);
  const orphan = join(cases, `.import-${'2'.repeat(12)}`);
  const export1 = join(out, '.case.zip.0123abcd.partial');
  const temporary = `${temporaryPrefix('read')}Ab1`;
  const program = `
    import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
    import { whileUnfinished } from ${JSON.stringify(new URL('./unfinished.ts', import.meta.url).href)};
    import { temporaryPrefix } from ${JSON.stringify(new URL('./temporary.ts', import.meta.url).href)};
    const paths = ${JSON.stringify([import1, export1, `${export1}.sqlite`])};
    await whileUnfinished(${JSON.stringify(home)}, paths, async () => {
      mkdirSync(paths[0], { recursive: true });
      for (const path of [paths[0] + '/case.sqlite', paths[1], paths[2]]) writeFileSync(path, 'half');
      console.log(mkdtempSync(temporaryPrefix('read')));
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program]);
  const ended = new Promise((resolve) => child.on('exit', resolve));
  const copy = await new Promise<string>((resolve) => child.stdout.on('data', (text) => resolve(String(text).trim())));
  mkdirSync(orphan);
  mkdirSync(temporary);
  onTestFinished(() => rmSync(temporary, { recursive: true, force: true }));
  await clearUnfinished(home, { casesFolder: cases });
  expect([import1, export1, copy, orphan].map((path) => existsSync(path))).toEqual([true, true, true, false]);
  child.kill('SIGKILL');
  await ended;
  writeFileSync(join(out, 'another.partial'), '');
  await clearUnfinished(home, { casesFolder: cases });
  expect([readdirSync(out), readdirSync(cases), readdirSync(join(home, 'unfinished'))]).toEqual([
    ['another.partial'],
    [],
    [],
  ]);
  expect([copy, temporary].map((path) => existsSync(path))).toEqual([false, true]);
});

it('removes nothing that does not bear the name of something unfinished', async () => {
  const home = place();
  const precious = [join(place(), 'evidence.wav'), join(place(), '.hidden.partial'), join(place(), '.import-none')];
  for (const path of precious) writeFileSync(path, 'precious');
  mkdirSync(join(home, 'unfinished'));
  writeFileSync(
    join(home, 'unfinished', 'a.json'),
    JSON.stringify({ pid: 2 ** 22 + 1, started: null, paths: precious }),
  );
  writeFileSync(join(home, 'unfinished', 'b.json'), 'torn');
  await clearUnfinished(home);
  expect(precious.every((path) => existsSync(path))).toBe(true);
  expect(readdirSync(join(home, 'unfinished'))).toEqual([]);
});

it('notes nothing any more once work has ended, well or not', async () => {
  const home = place();
  expect(await whileUnfinished(home, [], async () => readdirSync(join(home, 'unfinished')).length)).toBe(1);
  const failing = whileUnfinished(home, [], () => Promise.reject(new Error('it failed')));
  await expect(failing).rejects.toThrow('it failed');
  expect(readdirSync(join(home, 'unfinished'))).toEqual([]);
});
