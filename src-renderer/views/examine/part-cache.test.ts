import { describe, expect, it } from 'vitest';
import { PartCache } from './part-cache.ts';

/** A cache whose loads are answered by hand. */
function cacheOf(limit: number, concurrency: number) {
  const loads = new Map<
    string,
    { answer: (part: string) => void; fail: (error: Error) => void; signal: AbortSignal }
  >();
  const asked: string[] = [];
  const failures: unknown[] = [];
  let arrivals = 0;
  const cache = new PartCache<string>({
    limit,
    concurrency,
    onArrival: () => (arrivals += 1),
    onFailure: (error) => failures.push(error),
    load: (key, signal) =>
      new Promise((answer, fail) => {
        asked.push(key);
        loads.set(key, { answer, fail, signal });
        signal.addEventListener('abort', () => fail(new DOMException('', 'AbortError')));
      }),
  });
  const answer = async (key: string): Promise<void> => {
    loads.get(key)?.answer(`part ${key}`);
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { cache, loads, asked, failures, answer, arrivals: () => arrivals };
}

describe('parts of the sound', () => {
  it('are fetched few at a time, in the order of their urgency', async () => {
    const { cache, asked, answer, arrivals } = cacheOf(10, 2);
    cache.want(['a', 'b', 'c']);
    expect(asked).toEqual(['a', 'b']);
    await answer('b');
    expect(asked).toEqual(['a', 'b', 'c']);
    expect([cache.get('b'), cache.get('a'), arrivals()]).toEqual(['part b', undefined, 1]);
    await answer('a');
    await answer('c');
    expect(cache.idle).toBe(true);
    cache.want(['a', 'b', 'c']);
    expect(asked).toHaveLength(3);
  });

  it('that nobody wants any more are stopped, and fetched again when they are wanted again', async () => {
    const { cache, asked, loads, answer, failures } = cacheOf(10, 1);
    cache.want(['a', 'b']);
    cache.want(['c']);
    expect(loads.get('a')?.signal.aborted).toBe(true);
    await new Promise((resolve) => setTimeout(resolve));
    expect(asked).toEqual(['a', 'c']);
    cache.want(['a']);
    await new Promise((resolve) => setTimeout(resolve));
    await answer('a');
    expect(cache.get('a')).toBe('part a');
    expect(failures).toEqual([]);
  });

  it('are kept up to a limit, the least lately used dropped first', async () => {
    const { cache, answer } = cacheOf(2, 5);
    cache.want(['a', 'b', 'c']);
    await answer('a');
    await answer('b');
    cache.get('a');
    await answer('c');
    expect([cache.get('a'), cache.get('b'), cache.get('c'), cache.size]).toEqual(['part a', undefined, 'part c', 2]);
  });

  it('that fail are reported of and not tried without end', async () => {
    const { cache, asked, loads, failures, answer } = cacheOf(2, 1);
    cache.want(['a']);
    loads.get('a')?.fail(new Error('broken'));
    await new Promise((resolve) => setTimeout(resolve));
    expect(failures).toHaveLength(1);
    cache.want(['a']);
    expect(asked).toEqual(['a']);
    cache.forgetFailures();
    cache.want(['a']);
    await answer('a');
    expect(cache.get('a')).toBe('part a');
  });

  it('arrive nowhere once it is closed', async () => {
    const { cache, loads, arrivals, answer } = cacheOf(2, 1);
    cache.want(['a', 'b']);
    cache.close();
    expect(loads.get('a')?.signal.aborted).toBe(true);
    await answer('a');
    expect([arrivals(), loads.has('b')]).toEqual([0, false]);
  });
});
