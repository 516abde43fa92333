import { expect, it } from 'vitest';
import type { EvidenceRow } from '../../src-common/schemas/evidence.ts';
import type { Change } from '../../src-preload/contract/system.ts';
import { ChangeFeed } from './change-feed.ts';

const caseId = '6f2a7a5e-4c4a-4c3e-9d57-0a9c8a4f1b11';
const row = (id: number, name: string): EvidenceRow => ({ id, name }) as EvidenceRow;
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Gathers what a subscriber is reported until it is stopped. */
function listen(feed: ChangeFeed): { published: Change[]; stop: () => Promise<void> } {
  const controller = new AbortController();
  const published: Change[] = [];
  const done = (async () => {
    for await (const change of feed.subscribe(controller.signal)) published.push(change);
  })();
  return {
    published,
    stop: async () => {
      controller.abort();
      await done;
    },
  };
}

it('says first which engine this is, and ends when nobody listens any more', async () => {
  const feed = new ChangeFeed({ startedAt: '2026-01-01T00:00:00.000Z', recovered: true });
  const one = listen(feed);
  await pause(1);
  feed.publish({ type: 'models' });
  await pause(1);
  await one.stop();
  feed.publish({ type: 'cases' });
  expect(one.published).toEqual([
    { type: 'engine', startedAt: '2026-01-01T00:00:00.000Z', recovered: true },
    { type: 'models' },
  ]);
});

it('joins what changes fast: rows of evidence by their id, ten times a second at most, everyone alike', async () => {
  const feed = new ChangeFeed({ startedAt: '', recovered: false });
  const [one, other] = [listen(feed), listen(feed)];
  const began = performance.now();
  await pause(1);
  for (let i = 0; i < 50; i++) {
    feed.publish({ type: 'evidence', caseId, rows: [row(i % 3, `state ${i}`)] });
    feed.publish({
      type: 'head',
      caseId,
      head: { rows: i, hash: 'f'.repeat(64) },
      history: { undo: null, redo: null },
    });
    await pause(1);
  }
  await pause(250);
  const tenths = (performance.now() - began) / 100;
  await Promise.all([one.stop(), other.stop()]);
  expect(other.published).toEqual(one.published);
  const evidence = one.published.filter((change) => change.type === 'evidence');
  expect(evidence.length).toBeGreaterThan(1);
  expect(evidence.length).toBeLessThanOrEqual(Math.ceil(tenths) + 1);
  const latest = new Map(evidence.flatMap(({ rows }) => rows ?? []).map(({ id, name }) => [id, name]));
  expect(latest).toEqual(
    new Map([
      [0, 'state 48'],
      [1, 'state 49'],
      [2, 'state 47'],
    ]),
  );
  expect(one.published.filter((change) => change.type === 'head').at(-1)).toMatchObject({ head: { rows: 49 } });
});

it('keeps no more than the latest of each for a subscriber who does not take them', async () => {
  const feed = new ChangeFeed({ startedAt: '', recovered: false });
  const controller = new AbortController();
  const slow = feed.subscribe(controller.signal);
  expect((await slow.next()).value).toMatchObject({ type: 'engine' });
  const waiting = slow.next();
  feed.publish({ type: 'evidence', caseId, rows: [row(1, 'first')] });
  expect((await waiting).value).toMatchObject({ rows: [{ id: 1 }] });
  for (let i = 0; i < 3; i++) {
    feed.publish({ type: 'evidence', caseId, rows: i === 1 ? null : [row(i, 'x')] });
    await pause(110);
  }
  feed.publish({ type: 'settings' });
  expect((await slow.next()).value).toEqual({ type: 'evidence', caseId, rows: null });
  expect((await slow.next()).value).toEqual({ type: 'settings' });
  controller.abort();
  expect((await slow.next()).done).toBe(true);
});
