import { mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../audio/testing.ts';
import { keepWithin, noteUse, preparedBytes, summaryFile } from './sound-cache.ts';

const nobody = (): boolean => false;
const nameOf = (letter: string, of = ''): string => letter.repeat(64) + of;

let folder: string;
let count = 0;
beforeEach(() => {
  folder = join(temporaryFolder(), String((count += 1)));
  mkdirSync(folder);
});

/** Prepared sound of 1000 bytes that was used at that hour. */
function prepared(name: string, hour: number): void {
  mkdirSync(join(folder, name, 'columns-of-hann'), { recursive: true });
  writeFileSync(join(folder, name, summaryFile), Buffer.alloc(100));
  writeFileSync(join(folder, name, 'peaks-0.f32'), Buffer.alloc(600));
  writeFileSync(join(folder, name, 'columns-of-hann', 'columns-0.u8'), Buffer.alloc(300));
  const time = new Date(Date.UTC(2026, 0, 1, hour));
  utimesSync(join(folder, name, summaryFile), time, time);
}

describe('keepWithin', () => {
  it('removes what was used longest ago, until the rest fits', async () => {
    prepared(nameOf('a'), 3);
    prepared(nameOf('b', '-channel-2'), 1);
    prepared(nameOf('c', '-all'), 2);
    expect(await preparedBytes(folder)).toBe(3000);
    expect(await keepWithin(folder, 3000, nobody)).toBe(3000);
    expect(await keepWithin(folder, 2999, nobody)).toBe(2000);
    expect(readdirSync(folder).sort()).toEqual([nameOf('a'), nameOf('c', '-all')]);
    expect(await keepWithin(folder, 500, nobody)).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('spares what is in use, whatever it takes, and what is not its own', async () => {
    prepared(nameOf('a'), 1);
    prepared(nameOf('b'), 2);
    mkdirSync(join(folder, 'notes'));
    writeFileSync(join(folder, 'notes', 'large'), Buffer.alloc(5000));
    expect(await keepWithin(folder, 0, (name) => name === nameOf('a'))).toBe(1000);
    expect(readdirSync(folder).sort()).toEqual([nameOf('a'), 'notes']);
  });

  it('goes by when sound was opened, not by when it was made', async () => {
    prepared(nameOf('a'), 1);
    prepared(nameOf('b'), 2);
    const opened = new Date(Date.UTC(2026, 0, 2));
    await noteUse(join(folder, nameOf('a')), opened);
    expect(statSync(join(folder, nameOf('a'), summaryFile)).mtime).toEqual(opened);
    await keepWithin(folder, 1000, nobody);
    expect(readdirSync(folder)).toEqual([nameOf('a')]);
  });

  it('finds nothing in a folder that is not there', async () => {
    expect(await keepWithin(join(folder, 'none'), 0, nobody)).toBe(0);
  });
});
