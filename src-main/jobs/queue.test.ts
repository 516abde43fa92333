import { afterEach, expect, it } from 'vitest';
import type { Job } from '../../src-common/schemas/job.ts';
import { UserFacingError } from '../base/errors.ts';
import { JobQueue } from './queue.ts';
import type { JobHandle } from './queue.ts';
import { jobThat } from './testing.ts';

const queues: JobQueue[] = [];
afterEach(async () => {
  for (const queue of queues.splice(0)) await queue.close();
});

function newQueue(options: ConstructorParameters<typeof JobQueue>[0] = {}): JobQueue {
  const queue = new JobQueue(options);
  queues.push(queue);
  return queue;
}

/** A job that goes on until it is let go or stopped. */
function held(): { run: (job: JobHandle) => Promise<Record<string, unknown>>; letGo: () => void } {
  let letGo = (): void => undefined;
  const free = new Promise<void>((resolve) => (letGo = resolve));
  return {
    letGo: () => letGo(),
    run: async ({ signal }) => {
      await Promise.race([
        free,
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
      ]);
      return { made: 1 };
    },
  };
}

const scan = { kind: 'scan', title: 'A scan', unit: 'files' } as const;

it('runs one scan at a time in the order of their start, and a training beside it', async () => {
  const queue = newQueue();
  const [first, second, training] = [held(), held(), held()];
  const ids = [
    queue.start(scan, first.run),
    queue.start(scan, second.run),
    queue.start({ ...scan, kind: 'train' }, training.run),
  ];
  expect(ids.map((id) => queue.get(id).state)).toEqual(['running', 'queued', 'running']);
  first.letGo();
  expect(await jobThat(queue, ids[0], ({ state }) => state === 'done')).toMatchObject({
    result: { made: 1 },
    error: null,
  });
  expect(queue.get(ids[1]).state).toBe('running');
  expect(queue.list().map(({ id }) => id)).toEqual([...ids].reverse());
  second.letGo();
  training.letGo();
  await queue.idle();
  queue.dismiss(ids[0]);
  expect(() => queue.get(ids[0])).toThrow(UserFacingError);
});

it('lets others pass a paused job, which goes on when they are done', async () => {
  const queue = newQueue();
  let steps = 0;
  const stopped = held();
  const paused = queue.start({ ...scan, canPause: true, total: 1e9 }, async (job) => {
    for (;;) {
      await job.waitWhilePaused();
      job.progress({ done: ++steps });
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  });
  await jobThat(queue, paused, ({ done }) => done > 2);
  const other = queue.start(scan, stopped.run);
  expect(queue.get(other).state).toBe('queued');
  expect(queue.pause(paused)).toMatchObject({ state: 'paused' });
  await jobThat(queue, other, ({ state }) => state === 'running');
  await new Promise((resolve) => setTimeout(resolve, 10));
  const before = steps;
  expect(queue.resume(paused)).toMatchObject({ state: 'queued' });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(steps).toBe(before);
  stopped.letGo();
  await jobThat(queue, paused, ({ state, done }) => state === 'running' && done > before + 2);
  queue.pause(paused);
  queue.cancel(paused);
  expect(await jobThat(queue, paused, ({ endedAt }) => endedAt !== null)).toMatchObject({ state: 'cancelled' });
  expect(() => queue.pause(other)).toThrow(/cannot be paused/);
});

it('tells what failed: users errors as such, bugs besides to whoever logs them', async () => {
  const bugs: unknown[] = [];
  const queue = newQueue({ onBug: (error) => bugs.push(error) });
  const user = queue.start({ ...scan, kind: 'export' }, async (job) => {
    for (let i = 0; i < 150; i++) job.problem(`file ${i}`, 'is broken');
    throw new UserFacingError('disk-full', 'The disk is full.', { path: '/x', advice: 'Make room.' });
  });
  const bug = queue.start({ ...scan, kind: 'export' }, async () => {
    throw new TypeError('undefined is not a function');
  });
  await queue.idle();
  expect(queue.get(user)).toMatchObject({
    state: 'failed',
    failed: 150,
    error: { code: 'disk-full', message: 'The disk is full.', path: '/x', advice: 'Make room.' },
  });
  expect(queue.get(user).problems).toHaveLength(100);
  expect(queue.get(bug).error?.code).toBe('internal');
  expect(bugs).toHaveLength(1);
});

it('tells of each job at most ten times a second, the end included', async () => {
  const reports: { at: number; job: Job }[] = [];
  const queue = newQueue({ onChange: (job) => reports.push({ at: performance.now(), job }) });
  const id = queue.start({ ...scan, total: 1000 }, async (job) => {
    for (let done = 1; done <= 1000; done++) {
      job.progress({ done, doing: `file ${done}` });
      if (done % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 8));
    }
  });
  await queue.idle();
  await new Promise((resolve) => setTimeout(resolve, 120));
  const last = reports.at(-1)?.job;
  expect(last).toMatchObject({ id, state: 'done', done: 1000, secondsLeft: null });
  for (let i = 1; i < reports.length; i++) expect(reports[i].at - reports[i - 1].at).toBeGreaterThan(95);
  const rates = reports.map(({ job }) => job.ratePerSecond).filter((rate) => rate !== null);
  expect(rates.length).toBeGreaterThan(0);
  expect(reports.find(({ job }) => job.ratePerSecond !== null)?.job.secondsLeft).toBeGreaterThan(0);
});

it('drops what has not begun when it closes, and stops what runs', async () => {
  const queue = newQueue();
  const dropped: string[] = [];
  const running = queue.start(scan, held().run);
  const waiting = queue.start({ ...scan, onDropped: async () => void dropped.push('waiting') }, held().run);
  await queue.close();
  expect([running, waiting].map((id) => queue.get(id).state)).toEqual(['cancelled', 'cancelled']);
  expect(dropped).toEqual(['waiting']);
  expect(() => queue.start(scan, held().run)).toThrow(/closing/);
});

it('takes a job of the same id again only when it has ended', async () => {
  const queue = newQueue();
  const first = held();
  const id = queue.start({ ...scan, id: 'same' }, first.run);
  expect(() => queue.start({ ...scan, id: 'same' }, held().run)).toThrow(/is running/);
  first.letGo();
  await queue.idle();
  queue.start({ ...scan, id: 'same' }, held().run);
  expect(queue.get(id).state).toBe('running');
  expect(queue.list()).toHaveLength(1);
});
