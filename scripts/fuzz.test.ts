import { expect, it } from 'vitest';
import { sharedFolder } from '../src-main/audio/testing.ts';
import { runFuzz } from './fuzz.ts';

it('300 damaged files and copies: no crash, no hang, nothing else written, each copy its score', async () => {
  const { failures, damaged, good } = await runFuzz(300, 5, sharedFolder('formats') ?? undefined);
  expect(failures).toEqual([]);
  expect(damaged).toBeGreaterThan(200);
  expect(good).toBeGreaterThan(10);
});
