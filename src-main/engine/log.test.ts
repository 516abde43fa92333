import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { log, logFolder, openLog } from './log.ts';

const home = mkdtempSync(join(tmpdir(), 'earwitness-log-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

it('keeps the latest few megabytes, with stacks, for nobody else', () => {
  openLog(home);
  const folder = logFolder(home);
  log('error', 'It broke', new Error('outer', { cause: new Error('inner') }));
  const text = readFileSync(join(folder, 'engine.log'), 'utf8');
  expect(text).toMatch(/^\d{4}-\d\d-\d\dT\S+Z error \[\d+\] It broke: Error: outer\n {2} +at /);
  expect(text).toContain('caused by Error: inner');
  for (let line = 0; line < 700; line += 1) log('info', `${line} ${'x'.repeat(9990)}`);
  expect(readdirSync(folder).sort()).toEqual([
    'engine.1.log',
    'engine.2.log',
    'engine.3.log',
    'engine.4.log',
    'engine.log',
  ]);
  for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(1024 * 1024);
  expect(readFileSync(join(folder, 'engine.log'), 'utf8')).toContain(' 699 x');
  if (process.platform !== 'win32') expect(statSync(join(folder, 'engine.log')).mode & 0o777).toBe(0o600);
});
