import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  readFileSync,
  readSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256File } from './hash.ts';
import { sniff } from './sniff.ts';
import { InputBuffer, memorySource, openRegularFile, openRegularFileSync, padBytes } from './input.ts';
import { temporaryFolder } from './testing.ts';

describe('opening a regular file', () => {
  const folder = temporaryFolder();
  const file = join(folder, 'file');
  writeFileSync(file, 'content');
  mkdirSync(join(folder, 'folder'));
  const ways: [string, (path: string) => Promise<number>][] = [
    [
      'later',
      async (path) => {
        const { handle, size } = await openRegularFile(path);
        await handle.close();
        return size;
      },
    ],
    [
      'at once',
      async (path) => {
        const { descriptor, status } = openRegularFileSync(path);
        closeSync(descriptor);
        return status.size;
      },
    ],
  ];

  it.each(ways)('%s, refuses what is none, and says why', async (_, open) => {
    expect(await open(file)).toBe(7);
    await expect(open(join(folder, 'missing'))).rejects.toMatchObject({ code: 'missing' });
    await expect(open(join(folder, 'folder'))).rejects.toMatchObject({ code: 'not-a-file' });
  });

  // A file system may be mounted so that nothing is ever noted; then there is nothing to see.
  const old = new Date('2001-01-01T00:00:00Z');
  const noted = (path: string): boolean => statSync(path).atimeMs !== old.getTime();
  const control = join(folder, 'control');
  writeFileSync(control, 'content');
  utimesSync(control, old, new Date());
  readFileSync(control);

  it.skipIf(process.platform !== 'linux' || !noted(control)).each([
    ['async', async (path: string) => (await sha256File(path)).length],
    ['sniff', (path: string) => sniff(path)],
    [
      'sync',
      (path: string) => {
        const { descriptor } = openRegularFileSync(path);
        const count = readSync(descriptor, new Uint8Array(4));
        closeSync(descriptor);
        return Promise.resolve(count);
      },
    ],
  ] as const)('leaves no trace in the access time, where reading leaves one (%s)', async (name, read) => {
    const path = join(folder, `evidence ${name}`);
    writeFileSync(path, 'content');
    utimesSync(path, old, new Date());
    await read(path);
    expect(noted(path)).toBe(false);
  });

  it.skipIf(process.platform === 'win32').each(ways)('%s, never waits on a pipe or a device', async (way, open) => {
    const pipe = join(folder, `pipe ${way}`);
    execFileSync('mkfifo', [pipe]);
    await expect(open(pipe)).rejects.toMatchObject({ code: 'not-a-file' });
    const device = join(folder, `device ${way}`);
    symlinkSync('/dev/zero', device);
    await expect(open(device)).rejects.toMatchObject({ code: 'not-a-file' });
    const loop = join(folder, `loop ${way}`);
    symlinkSync(loop, loop);
    await expect(open(loop)).rejects.toMatchObject({ code: 'unreadable' });
  });
});

describe('InputBuffer over memory', () => {
  const content = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);

  /** The content somewhere in a buffer, with so many bytes of something else behind it. */
  function placed(offset: number, behind: number): Uint8Array {
    const buffer = new Uint8Array(offset + content.length + behind).fill(0xee);
    buffer.set(content, offset);
    return buffer.subarray(offset, offset + content.length);
  }

  it.each([0, padBytes - 1, padBytes, 100])(
    'reads the same with %i bytes behind it, and changes none',
    async (behind) => {
      const bytes = placed(5, behind);
      const input = new InputBuffer(memorySource(bytes));
      expect(await input.fill(10)).toBe(true);
      expect(input.view.getUint8(input.start + 9)).toBe(9);
      expect(await input.seek(990)).toBe(true);
      expect(await input.fill(10)).toBe(true);
      expect(await input.fill(11)).toBe(false);
      expect([...input.bytes.subarray(input.start, input.end)]).toEqual([...content.subarray(990)]);
      expect(input.ended).toBe(true);
      expect(await input.seek(1001)).toBe(false);
      expect(await input.fill(1)).toBe(false);
      expect(bytes).toEqual(content);
    },
  );

  it('does not copy what has room behind it', () => {
    const bytes = placed(5, padBytes);
    expect(new InputBuffer(memorySource(bytes)).bytes.buffer).toBe(bytes.buffer);
    const close = placed(5, padBytes - 1);
    expect(new InputBuffer(memorySource(close)).bytes.buffer).not.toBe(close.buffer);
  });
});
