import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { filesAmong, OpenedFiles } from './opened-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'earwitness-opened-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('finds the files that a command line names', () => {
  mkdirSync(join(folder, 'out'));
  for (const name of ['a b.wav', '--c.wav', 'out/shell.js']) writeFileSync(join(folder, name), '');
  const args = ['electron', '--no-sandbox', '-r', join(folder, 'out/shell.js'), 'out', 'a b.wav', 'missing.wav', ''];
  expect(filesAmong(args, folder, join(folder, 'out'))).toEqual([join(folder, 'a b.wav')]);
  // What looks like an option can be named by its path.
  expect(filesAmong(['e', './--c.wav'], folder, join(folder, 'out'))).toEqual([join(folder, '--c.wav')]);
});

it('holds files until somebody wants them', () => {
  const opened = new OpenedFiles(['one']);
  opened.add(['two']);
  const got: string[][] = [];
  opened.deliverTo((paths) => got.push(paths));
  opened.add(['three']);
  // A window that was loaded anew.
  opened.deliverTo((paths) => got.push(['anew', ...paths]));
  opened.add(['four']);
  expect(got).toEqual([['one', 'two'], ['three'], ['anew', 'four']]);
});
