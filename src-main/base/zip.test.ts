import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Hashing } from './hashing.ts';
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
    const signal = AbortSignal.abort(new Error('stopped'));
    const stopped = writeArchive(join(folder, 'b.zip'), files.slice(0, 1), { signal });
    await expect(stopped).rejects.toThrow('stopped');
    await expect.poll(heldOpen).toEqual([]);
    const torn = { name: 'torn', stream: { sizeBytes: 8_000_000, open: () => createReadStream(kept) } };
    await expect(writeArchive(join(folder, 'c.zip'), [torn])).rejects.toThrow(/number of bytes/);
    await expect.poll(heldOpen).toEqual([]);
  },
);

it('hashes what it writes, and takes streams whose errors are its own', async () => {
  const path = join(folder, 'a.zip');
  const stream = { sizeBytes: 3, open: () => Readable.from([Buffer.from('abc')]) };
  const { sha256, sizeBytes } = await writeArchive(path, [{ name: 'abc', stream }]);
  const written = readFileSync(path);
  expect(sizeBytes).toBe(written.length);
  expect(sha256).toBe(createHash('sha256').update(written).digest('hex'));
  const refused = { sizeBytes: 3, open: () => stream.open().pipe(new Hashing({ check: () => new Error('refused') })) };
  await expect(writeArchive(join(folder, 'b.zip'), [{ name: 'abc', stream: refused }])).rejects.toThrow('refused');
});
