import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeArchive } from './zip.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-zip-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Files below the folder that this process holds open. */
function heldOpen(): string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const file = readlinkSync(join('/proc/self/fd', descriptor));
      return file.startsWith(folder) ? [file] : [];
    } catch {
      return [];
    }
  });
}

it.runIf(existsSync('/proc/self/fd'))(
  'leaves no file open where one that it packs is gone, or it is stopped',
  async () => {
    const kept = join(folder, 'kept');
    writeFileSync(kept, Buffer.alloc(4_000_000, 1));
    const files = [
      { name: 'kept', path: kept },
      { name: 'gone', path: join(folder, 'gone') },
    ];
    await expect(writeArchive(join(folder, 'a.zip'), files)).rejects.toThrow(/a\.zip/);
    await expect.poll(heldOpen).toEqual([]);
    const stopped = writeArchive(join(folder, 'b.zip'), files.slice(0, 1), AbortSignal.abort(new Error('stopped')));
    await expect(stopped).rejects.toThrow('stopped');
    await expect.poll(heldOpen).toEqual([]);
  },
);
