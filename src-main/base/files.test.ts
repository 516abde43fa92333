import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeFileWhole } from './files.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-files-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('writeFileWhole', () => {
  it('writes, makes folders, and replaces', async () => {
    const path = join(folder, 'a', 'b', 'file.txt');
    await writeFileWhole(path, 'one');
    await writeFileWhole(path, 'two');
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(readdirSync(join(folder, 'a', 'b'))).toEqual(['file.txt']);
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
