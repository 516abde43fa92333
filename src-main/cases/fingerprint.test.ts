import { expect, it } from 'vitest';
import { isSameFile } from './fingerprint.ts';

const file = { dev: 1n, ino: 2n, size: 3n, mtimeNs: 4n, birthtimeNs: 5n };

it('tells a file that was replaced from one that its drive numbers anew', () => {
  expect(isSameFile(file, { ...file, size: 9n, mtimeNs: 9n })).toBe(true);
  expect(isSameFile(file, { ...file, ino: 9n, size: 9n, mtimeNs: 9n })).toBe(true);
  expect(isSameFile(file, { ...file, dev: 9n, ino: 9n })).toBe(true);
  expect(isSameFile(file, { ...file, ino: 9n, birthtimeNs: 9n })).toBe(false);
  // Where nothing tells when a file came to be, it has to be as it was.
  const unborn = { ...file, birthtimeNs: 0n };
  expect(isSameFile(unborn, { ...unborn, ino: 9n })).toBe(true);
  expect(isSameFile(unborn, { ...unborn, ino: 9n, mtimeNs: 9n })).toBe(false);
  expect(isSameFile(unborn, { ...unborn, ino: 9n, size: 9n })).toBe(false);
});
