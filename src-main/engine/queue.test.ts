/** The window's side of scans over a queue: where it is, who works for it, scans that pause, go on in another engine, and are cancelled. */
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call } from '@orpc/server';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { babble, wav16, writeTinyModel } from '../detector/testing.ts';
import type { Confirmation } from '../host/host-messages.ts';
import { JobQueue } from '../jobs/queue.ts';
import { madeHere } from '../scanning/queue/facts.ts';
import type { Made } from '../scanning/queue/facts.ts';
import { TestServer, serverIsThere, until } from '../scanning/queue/testing.ts';
import { queueAddress } from '../scanning/queue/address.ts';
import { workForQueue } from '../scanning/queue/work.ts';
import { analysesProcedures } from './analyses.ts';
import { casesProcedures } from './cases.ts';
import type { EngineContext } from './context.ts';
import { evidenceProcedures } from './evidence.ts';
import { jobsProcedures } from './jobs.ts';
import { OpenCases } from './open-cases.ts';
import { queueProcedures } from './queue.ts';
import { resumeScans } from './resume.ts';
import { settingsProcedures } from './settings.ts';
import { testContext } from './testing.ts';

vi.hoisted(() => {
  process.env['EARWITNESS_QUEUE_HEARTBEAT_SECONDS'] = '10';
});

const files = 100;
let server: TestServer;
/** As people give it in Settings. */
let address: string;

/** An engine whose window a person answers with yes, and what was asked. */
async function bench(count = files): Promise<{ context: EngineContext; asked: Confirmation[]; caseId: string }> {
  const asked: Confirmation[] = [];
  const parts = { ...(await testContext()), confirm: async (what: Confirmation) => (asked.push(what), true) };
  const context: EngineContext = { ...parts, cases: new OpenCases(parts) };
  onTestFinished(async () => {
    await context.jobs.close();
    context.cases.close();
  });
  const recordings = join(realpathSync(context.home), 'recordings');
  mkdirSync(recordings);
  for (let seed = 0; seed < count; seed++) writeFileSync(join(recordings, `${seed}.wav`), wav16(babble(1.2, seed)));
  await writeTinyModel(join(context.home, 'models', 'tiny'));
  await context.settings.set({ defaultModel: 'tiny', roots: [recordings] });
  const { id: caseId } = await call(casesProcedures(context).create, { number: '1', title: 'Calls' });
  await call(evidenceProcedures(context).add, { caseId, paths: [recordings] });
  await context.jobs.idle();
  return { context, asked, caseId };
}

/** All jobs have ended, and have let go of their case. */
async function ended({ jobs }: EngineContext): Promise<void> {
  await jobs.idle();
  await new Promise((done) => setTimeout(done, 50));
}

/** A worker in this process, until the test ends. */
function work(name: string, made: Made, onProgress: (done: number) => void = () => undefined): void {
  const controller = new AbortController();
  const running = workForQueue(queueAddress(address), {
    ...{ name, made, threads: 1, models: [], signal: controller.signal, onProgress, onNotice: () => undefined },
  });
  onTestFinished(async () => {
    controller.abort();
    await running;
  });
}

describe.skipIf(!serverIsThere)('a queue in the window', { timeout: 120_000 }, () => {
  beforeAll(async () => {
    server = await TestServer.start();
    address = server.url.replace(`:${server.password}`, '');
    process.env['PGPASSWORD'] = server.password;
  });
  afterAll(async () => {
    delete process.env['PGPASSWORD'];
    await server.remove();
  });

  it('is kept without a password, and asked about where no page can answer', async () => {
    const { context, asked, caseId } = await bench(3);
    const { set } = settingsProcedures(context);
    const user = (code: string): object => ({ data: { code } });
    await expect(call(set, { queue: server.url })).rejects.toMatchObject(user('usage'));
    await expect(call(set, { queue: 'redis://host' })).rejects.toMatchObject(user('usage'));
    await expect(call(queueProcedures(context).workers, undefined)).rejects.toMatchObject(user('usage'));
    const scan = { caseId, which: 'all' as const, overQueue: true };
    await expect(call(analysesProcedures(context).scan, scan)).rejects.toMatchObject(user('usage'));
    expect(context.cases.get(caseId).scans.unfinished()).toEqual([]);
    expect(asked).toEqual([]);
    await call(set, { queue: address });
    expect(asked).toEqual([{ kind: 'queue', path: address }]);
    await call(set, { queue: 'postgres://nobody@127.0.0.1:1/none' });
    await expect(call(queueProcedures(context).workers, undefined)).rejects.toMatchObject(user('queue'));
  });

  it('has workers that are shown with what they do, and scans that pause, go on after a restart, and end', async () => {
    const { context, caseId } = await bench();
    await call(settingsProcedures(context).set, { queue: address });
    const { workers } = queueProcedures(context);
    expect(await call(workers, undefined)).toEqual({ scans: 0, workers: [] });

    const made = await madeHere();
    work('strange', { ...made, backend: 'an abacus' });
    const { jobId } = await call(analysesProcedures(context).scan, { caseId, which: 'all', overQueue: true });
    const job = () => context.jobs.get(jobId);
    expect(job().title).toMatch(/over the queue$/);
    await vi.waitUntil(() => /Waiting for workers; 1 worker not fit/.test(job().doing), { timeout: 20_000 });
    let done = 0;
    work('good', made, (count) => (done = count));
    await until(() => job().done > 0);
    await call(jobsProcedures(context).pause, { jobId });
    const paused = job().done;
    expect(paused).toBeLessThan(files);
    await vi.waitUntil(() => done > paused, { timeout: 20_000 });
    const seen = await call(workers, undefined);
    expect(seen).toMatchObject({
      scans: 1,
      workers: [
        { name: 'good', threads: 1, gone: false, refuses: [] },
        { name: 'strange', worksFor: null, done: 0, refuses: [{ why: /the backend is an abacus here/ }] },
      ],
    });
    expect(seen.workers[0].description).toContain(made.application);
    // At most the result that was being taken when it was paused.
    expect(job().done).toBeLessThanOrEqual(paused + 1);

    // The engine ends, and another goes on with it where it was begun to be done.
    await context.jobs.close();
    const store = context.cases.get(caseId);
    expect(store.scans.unfinished()).toMatchObject([{ queue: { address, allow: [], nameWorkers: false } }]);
    context.cases.close();
    const parts = { ...context, jobs: new JobQueue() };
    const next: EngineContext = { ...parts, cases: new OpenCases(parts) };
    onTestFinished(async () => {
      await next.jobs.close();
      next.cases.close();
    });
    await resumeScans(next);
    expect(next.jobs.get(jobId).title).toMatch(/over the queue$/);
    await ended(next);
    expect(next.jobs.get(jobId)).toMatchObject({ state: 'done', failed: 0 });
    let after = next.cases.get(caseId);
    expect(after.evidence.allIds().map((id) => after.analyses.of(id).length)).toEqual(Array(files).fill(1));
    // Another name is another machine.
    expect(after.analyses.of(1)[0].provenance.worker).toMatch(/^good: /);

    // Cancelled, it leaves nothing in the queue, and the case as it was.
    const again = await call(analysesProcedures(next).scan, { caseId, which: 'all', overQueue: true });
    await until(() => next.jobs.get(again.jobId).done > 0);
    await call(jobsProcedures(next).cancel, again);
    await ended(next);
    after = next.cases.get(caseId);
    expect(next.jobs.get(again.jobId).state).toBe('cancelled');
    expect(after.scans.unfinished()).toEqual([]);
    expect((await call(queueProcedures(next).workers, undefined)).scans).toBe(0);
    const { rows } = after.log.rows({ offset: 0, limit: 3 });
    expect(rows.map(({ action }) => action)).toContain('scan-spread');
    expect(JSON.stringify(after.log.rows({ offset: 0, limit: 1000 }))).not.toContain(server.password);
  });
});
