import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { throttled } from './throttled.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('runs at once, then once for all that was asked for meanwhile, and never side by side', async () => {
  const load = vi.fn(() => new Promise<void>((done) => setTimeout(done, 50)));
  const ask = throttled(200, load);
  ask();
  expect(load).toHaveBeenCalledTimes(1);
  ask();
  ask();
  // 50 ms of its own, and 200 from there on.
  await vi.advanceTimersByTimeAsync(249);
  expect(load).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(load).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(load).toHaveBeenCalledTimes(2);
  ask();
  expect(load).toHaveBeenCalledTimes(3);
});
