import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { clearUploads, presentUploads, removeUploads } from './uploads.ts';

/** A data folder with uploads; their paths. */
function uploaded(count: number): { home: string; paths: string[] } {
  const home = mkdtempSync(join(tmpdir(), 'uploads-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const paths = Array.from({ length: count }, (_, index) => {
    const folder = join(home, 'uploads', String(index).repeat(32));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'voice.wav'), 'a recording');
    return join(folder, 'voice.wav');
  });
  return { home, paths };
}

it('go by any path that leads to them, and nothing else goes', async () => {
  const { home, paths } = uploaded(3);
  writeFileSync(join(home, 'key'), 'precious');
  mkdirSync(join(home, 'uploads', 'mine'));
  symlinkSync(home, `${home}-link`);
  onTestFinished(() => rmSync(`${home}-link`, { force: true }));
  await removeUploads(home, [
    paths[0],
    join(home, 'key'),
    join(home, 'uploads'),
    join(home, 'uploads', 'mine'),
    '/',
    home,
  ]);
  expect(readdirSync(join(home, 'uploads')).sort()).toEqual(['1'.repeat(32), '2'.repeat(32), 'mine']);
  // The data folder was named by a link.
  await removeUploads(`${home}-link`, [paths[1]]);
  expect(readdirSync(join(home, 'uploads')).sort()).toEqual(['2'.repeat(32), 'mine']);
  expect(readdirSync(home).sort()).toEqual(['key', 'uploads']);
});

it('that nothing takes in any more go when an engine starts', async () => {
  const { home, paths } = uploaded(4);
  const present = await presentUploads(home);
  mkdirSync(join(home, 'uploads', 'f'.repeat(32)));
  writeFileSync(join(home, 'recent-datasets.json'), JSON.stringify([`manifest:${paths[3]}`]));
  await clearUploads(home, present, [{ request: { paths: [paths[1]] } }]);
  expect((await presentUploads(home)).sort()).toEqual(['1', '3', 'f'].map((digit) => digit.repeat(32)));
});
