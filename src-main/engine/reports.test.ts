import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call } from '@orpc/server';
import { expect, it, onTestFinished } from 'vitest';
import { addFiles } from '../cases/testing.ts';
import { CaseStore } from '../cases/store.ts';
import type { EngineContext } from './context.ts';
import { OpenCases } from './open-cases.ts';
import { reportsProcedures } from './reports.ts';
import { testContext } from './testing.ts';

async function withCases(): Promise<EngineContext> {
  const parts = await testContext();
  const cases = new OpenCases(parts);
  onTestFinished(async () => {
    await parts.jobs.close();
    cases.close();
  });
  return Object.assign(parts, { cases });
}

/** A case on the list that is not open. @returns its id */
function made(context: EngineContext, name: string, items: number): string {
  const folder = join(context.home, name, 'case');
  mkdirSync(join(context.home, name));
  const store = CaseStore.create(folder, { number: '2026/7', title: name }, context.cases.session);
  addFiles(store, items);
  const { id } = store;
  store.close();
  return id;
}

it('a report of each case is issued into one archive; a case that cannot be is named', async () => {
  const context = await withCases();
  const { issueCases, list } = reportsProcedures(context);
  const [one, bare, other] = [made(context, 'one', 1), made(context, 'bare', 0), made(context, 'other', 2)];
  const gone = '00000000-0000-4000-8000-000000000000';
  const out = join(context.home, 'reports.zip');
  const asked = { form: 'short' as const, authorisedBy: 'A. Uthoriser' };
  const { jobId } = await call(issueCases, { ...asked, caseIds: [one, bare, gone, other], out });
  await context.jobs.idle();
  const job = context.jobs.get(jobId);
  expect(job).toMatchObject({ state: 'done', failed: 2, done: 4, total: 4, result: { path: out, reports: 2 } });
  expect(job.problems.map(({ subject, message }) => `${subject}: ${message}`)).toEqual([
    expect.stringMatching(/^2026\/7: There is nothing to report/) as string,
    expect.stringMatching(/^00000000-[^:]*: There is no such case/) as string,
  ]);
  // Cases of one number have files of two names.
  const archive = readFileSync(out).toString('latin1');
  expect([...new Set(archive.match(/report-[\w-]+\.pdf/g))]).toEqual(['report-2026-7.pdf', 'report-2026-7-2.pdf']);
  for (const caseId of [one, other]) {
    expect((await call(list, { caseId })).map(({ number }) => number)).toEqual(['2026/7/1']);
  }
});

it('nothing is issued where the archive may not be written', async () => {
  const context = await withCases();
  const { issueCases, list } = reportsProcedures(context);
  const caseId = made(context, 'one', 1);
  const out = join(context.home, 'reports.zip');
  writeFileSync(out, 'of a person');
  await expect(call(issueCases, { caseIds: [caseId], out })).rejects.toThrow('never written over it');
  expect(await call(list, { caseId })).toEqual([]);
  expect(readFileSync(out, 'utf8')).toBe('of a person');
});
