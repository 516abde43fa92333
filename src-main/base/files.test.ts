import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeFileWhole } from './files.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-files-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.skipIf(process.platform === 'win32')('an entry writes for its owner alone, folders and databases too', () => {
  const place = join(folder, 'private');
  const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
  const program = `
    import ${module('./private-files.ts')};
    import { writeFileWhole } from ${module('./files.ts')};
    import Database from ${JSON.stringify(import.meta.resolve('better-sqlite3'))};
    await writeFileWhole(${JSON.stringify(join(place, 'report.pdf'))}, 'one');
    new Database(${JSON.stringify(join(place, 'case.sqlite'))}).exec('PRAGMA journal_mode = WAL; CREATE TABLE a (b)');`;
  execFileSync(process.execPath, ['--input-type=module', '--eval', program]);
  const modes = ['', 'report.pdf', 'case.sqlite'].map((name) => statSync(join(place, name)).mode & 0o777);
  expect(modes).toEqual([0o700, 0o600, 0o600]);
});

describe('writeFileWhole', () => {
  it('writes, makes folders, and replaces', async () => {
    const path = join(folder, 'a', 'b', 'file.txt');
    await writeFileWhole(path, 'one');
    await writeFileWhole(path, 'two');
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(readdirSync(join(folder, 'a', 'b'))).toEqual(['file.txt']);
  });

  it('replaces nothing where it must not, not even what comes there while it writes', async () => {
    const path = join(folder, 'free.txt');
    await writeFileWhole(path, 'one', { replace: false });
    await expect(writeFileWhole(path, 'two', { replace: false })).rejects.toMatchObject({ code: 'exists' });
    const late = join(folder, 'late.txt');
    async function* slowly(): AsyncGenerator<string> {
      yield 'half';
      writeFileSync(late, 'another');
    }
    await expect(writeFileWhole(late, slowly(), { replace: false })).rejects.toMatchObject({ code: 'exists' });
    expect([path, late].map((name) => readFileSync(name, 'utf8'))).toEqual(['one', 'another']);
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
  });

  it.skipIf(process.platform === 'win32')('takes the steps of a path as they are written', async () => {
    mkdirSync(join(folder, 'elsewhere', 'deep'), { recursive: true });
    writeFileSync(join(folder, 'elsewhere', 'kept.txt'), 'kept');
    symlinkSync(join(folder, 'elsewhere', 'deep'), join(folder, 'link'));
    await writeFileWhole(`${folder}/link/../kept.txt`, 'new');
    expect(readFileSync(join(folder, 'elsewhere', 'kept.txt'), 'utf8')).toBe('kept');
    expect(readFileSync(join(folder, 'kept.txt'), 'utf8')).toBe('new');
  });

  it('says why it cannot, and leaves nothing', async () => {
    writeFileSync(join(folder, 'plain'), '');
    await expect(writeFileWhole(join(folder, 'plain', 'x'), 'x')).rejects.toThrow(/is a file/);
    await expect(writeFileWhole(folder, 'x')).rejects.toThrow(/it is a folder/);
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
  });

  it.skipIf(process.platform !== 'linux')('does not hang where no folder can be made', async () => {
    await expect(writeFileWhole('/proc/earwitness/x', 'x')).rejects.toThrow(/cannot be made/);
  });
});
