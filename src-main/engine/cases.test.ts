import { existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { call } from '@orpc/server';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { Job } from '../../src-common/schemas/job.ts';
import type { Change } from '../../src-preload/contract/system.ts';
import { exportCase } from '../cases/export.ts';
import { importCase } from '../cases/import.ts';
import { fingerprintOf } from '../cases/keys.ts';
import { CaseStore } from '../cases/store.ts';
import { testSession } from '../cases/testing.ts';
import { babble, wav16, writeTinyModel } from '../detector/testing.ts';
import { analysesProcedures } from './analyses.ts';
import { casesProcedures } from './cases.ts';
import { keyProcedures } from './key.ts';
import type { EngineContext } from './context.ts';
import { evidenceProcedures } from './evidence.ts';
import { marksProcedures } from './marks.ts';
import { OpenCases } from './open-cases.ts';
import { resumeScans } from './resume.ts';
import { testContext } from './testing.ts';

interface Bench {
  context: EngineContext;
  recordings: string;
  changes: Change[];
}

/** An engine with a tiny default model, and a folder of recordings within its roots. */
async function bench(count = 3): Promise<Bench> {
  const parts = await testContext();
  const context: EngineContext = { ...parts, cases: new OpenCases(parts) };
  onTestFinished(async () => {
    await context.jobs.close();
    context.cases.close();
  });
  const recordings = join(realpathSync(context.home), 'recordings');
  mkdirSync(recordings);
  for (let seed = 0; seed < count; seed++) {
    writeFileSync(join(recordings, `voice-${seed}.wav`), wav16(babble(1.5, seed)));
  }
  writeFileSync(join(recordings, 'notes.txt'), 'no recording');
  await writeTinyModel(join(context.home, 'models', 'tiny'));
  await context.settings.set({ defaultModel: 'tiny', examiner: 'Ada Examiner', roots: [recordings] });
  const changes: Change[] = [];
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  void (async () => {
    for await (const change of context.changes.subscribe(controller.signal)) changes.push(change);
  })();
  return { context, recordings, changes };
}

async function done({ jobs }: EngineContext, { jobId }: { jobId: string }): Promise<Job> {
  await jobs.idle();
  return jobs.get(jobId);
}

const code = (wanted: string): unknown =>
  expect.objectContaining({ code: 'USER', data: expect.objectContaining({ code: wanted }) as unknown });

const everything = { recursive: true, copy: false, conditionOnReceipt: '', receivedAt: '', receivedFrom: '' };

it('takes a case from its creation to its results, and tells of every change', async () => {
  const { context, recordings, changes } = await bench();
  const cases = casesProcedures(context);
  const evidence = evidenceProcedures(context);
  const analyses = analysesProcedures(context);
  const view = await call(cases.create, { number: '2026/1', title: 'A call' });
  expect(view).toMatchObject({ examiner: 'Ada Examiner', items: 0, state: 'open', head: { rows: 1 } });
  expect(basename(view.folder)).toBe('2026-1');
  const caseId = view.id;

  const intake = await done(context, await call(evidence.add, { ...everything, caseId, paths: [recordings] }));
  expect(intake).toMatchObject({ state: 'done', kind: 'intake', caseId, result: { added: 3, passedOver: 1 } });
  const page = await call(evidence.list, { caseId });
  expect(page).toMatchObject({ total: 3, rows: [{ name: 'voice-0.wav', state: 'unchanged', scan: 'none' }, {}, {}] });

  const scan = await done(context, await call(analyses.scan, { caseId, which: 'new' }));
  expect(scan).toMatchObject({ state: 'done', kind: 'scan', done: 3, total: 3, result: { scored: 3, failed: 0 } });
  const first = await call(evidence.get, { caseId, evidenceId: 1 });
  expect(first).toMatchObject({ scan: 'done', modelName: 'tiny', llr: null, analyses: [{ evidenceId: 1 }] });
  const analysis = await call(analyses.get, { caseId, analysisId: first.analyses[0].id });
  expect(analysis.provenance.application).toBe(context.application);
  expect(await call(evidence.ids, { caseId, filter: 'voice-1' })).toEqual([2]);

  const stretch = await call(analyses.stretch, {
    caseId,
    evidenceId: 1,
    startSeconds: 0.2,
    endSeconds: 1.3,
    label: 'the caller',
  });
  expect(stretch).toMatchObject({ label: 'the caller', stretch: { startSeconds: 0.2, endSeconds: 1.3 } });
  expect(stretch.settings['cutSamples']).toBe(Math.round(1.1 * 16_000));
  await expect(call(analyses.stretch, { caseId, evidenceId: 1, startSeconds: 1, endSeconds: 1 })).rejects.toEqual(
    code('usage'),
  );

  const marks = marksProcedures(context);
  const looks = { category: 'Caller', colour: 'teal' } as const;
  const mark = { startSeconds: 0.1, endSeconds: null, text: 'a click', inReport: true, ...looks };
  const { id: markId } = await call(marks.add, { caseId, evidenceId: 1, ...mark });
  expect(await call(marks.update, { caseId, evidenceId: 1, markId, text: 'a cough' })).toMatchObject({
    text: 'a cough',
    ...looks,
  });
  expect(await call(marks.updateAll, { caseId, evidenceId: 1, markIds: [markId], category: 'Clerk' })).toMatchObject([
    { text: 'a cough', category: 'Clerk', colour: 'teal' },
  ]);
  await call(marks.remove, { caseId, evidenceId: 1, markId });
  await call(evidence.update, { caseId, evidenceId: 1, description: 'the call' });

  const verification = await call(cases.verify, { caseId });
  expect(verification.checks.filter(({ holds }) => !holds)).toEqual([]);
  writeFileSync(join(recordings, 'voice-2.wav'), wav16(babble(1.5, 99)));
  expect((await call(evidence.list, { caseId })).rows[2]).toMatchObject({ state: 'changed', stale: true });
  expect(await call(cases.verify, { caseId })).toMatchObject({ intact: false });

  const log = await call(cases.log, { caseId, evidenceId: 1 });
  expect(log.rows.map(({ action }) => action)).toEqual([
    'evidence-updated',
    'mark-removed',
    'mark-updated',
    'mark-updated',
    'mark-added',
    'stretch-analysed',
    'scanned',
    'evidence-added',
  ]);
  const { head } = await call(cases.get, { caseId });
  await vi.waitFor(() => {
    const published = changes.filter((change) => change.type === 'evidence');
    const rows = published.flatMap(({ rows: some }) => some ?? []);
    expect(rows.some(({ id, finding }) => id === 1 && finding !== null)).toBe(true);
    const heads = changes.filter((change) => change.type === 'head');
    expect(heads.at(-1)).toMatchObject({ caseId, head });
  }, 20_000);
});

it('lists, searches, archives and deletes cases', async () => {
  const { context } = await bench(0);
  const cases = casesProcedures(context);
  const one = await call(cases.create, { number: '1', title: 'A call', customer: 'The court' });
  const two = await call(cases.create, { number: '2', title: 'A message' });
  const numbers = async (search = '', archived = false): Promise<string[]> =>
    (await call(cases.list, { search, archived })).map(({ number }) => number).sort();
  expect(await numbers()).toEqual(['1', '2']);
  expect(await numbers('COURT call')).toEqual(['1']);
  await call(cases.setState, { caseId: two.id, state: 'archived' });
  await call(cases.update, { caseId: one.id, details: { question: 'Whose voice?' } });
  expect(await numbers()).toEqual(['1']);
  expect(await numbers('', true)).toEqual(['1', '2']);
  await call(cases.close, { caseId: one.id });
  expect(await numbers('whose')).toEqual(['1']);
  await expect(call(cases.delete, { caseId: one.id, confirmNumber: '2', reason: '' })).rejects.toEqual(code('usage'));
  await call(cases.delete, { caseId: one.id, confirmNumber: '1', reason: 'a test' });
  expect(await numbers('', true)).toEqual(['2']);
  await expect(call(cases.get, { caseId: one.id })).rejects.toEqual(code('not-found'));
});

it('shows a case whose drive is gone, and takes it back from its folder', async () => {
  const { context } = await bench(0);
  const cases = casesProcedures(context);
  const { id: caseId, folder } = await call(cases.create, { number: '1', title: 'A call' });
  await call(cases.close, { caseId });
  const { renameSync } = await import('node:fs');
  renameSync(folder, `${folder}-moved`);
  expect(await call(cases.list, {})).toMatchObject([{ number: '1', problem: { code: 'missing' } }]);
  await expect(call(cases.open, { caseId })).rejects.toEqual(code('missing'));
  const opened = await call(cases.openFolder, { folder: `${folder}-moved` });
  expect(opened).toMatchObject({ id: caseId, folder: `${folder}-moved`, problem: null });
  expect(await call(cases.list, {})).toMatchObject([{ folder: `${folder}-moved`, problem: null }]);
});

it('exports a case and lists of its evidence, and takes it in again', async () => {
  const { context, recordings } = await bench(2);
  const cases = casesProcedures(context);
  const evidence = evidenceProcedures(context);
  const { id: caseId } = await call(cases.create, { number: '1', title: 'A call' });
  await done(context, await call(evidence.add, { ...everything, copy: true, caseId, paths: [recordings] }));
  const out = join(recordings, 'case.zip');
  const exported = await done(context, await call(cases.export, { caseId, out }));
  expect(exported).toMatchObject({ state: 'done', result: { path: out, resource: null } });
  expect(readFileSync(out).subarray(0, 2).toString()).toBe('PK');
  const list = await call(evidence.export, { caseId, format: 'csv', out: join(recordings, 'list.csv') });
  const lines = readFileSync(list.path ?? '', 'utf8')
    .trimEnd()
    .split('\r\n');
  expect(lines).toHaveLength(3);
  expect(lines[1]).toContain('voice-0.wav');
  const json = await call(evidence.export, { caseId, format: 'json', evidenceIds: [2], out: null });
  expect(json).toMatchObject({ path: null, resource: expect.stringMatching(/^file\//) as string });
  const offered = context.outputs.take((json.resource ?? '').slice('file/'.length));
  const parsed = JSON.parse(readFileSync(offered?.path ?? '', 'utf8')) as { case: object; items: object[] };
  expect(parsed).toMatchObject({ case: { number: '1' }, items: [{ id: 2, name: 'voice-1.wav' }] });
  await call(cases.delete, { caseId, confirmNumber: '1', reason: 'to take it in again' });
  const imported = await done(context, await call(cases.import, { path: out }));
  expect(imported).toMatchObject({ state: 'done', result: { caseId } });
  expect(await call(evidence.list, { caseId })).toMatchObject({ total: 2, rows: [{ copied: true }, {}] });
  expect(await call(cases.verify, { caseId })).toMatchObject({ intact: true });
});

it('goes on with a case that another installation went on with once a person accepted its key', async () => {
  const { context, recordings } = await bench(1);
  const cases = casesProcedures(context);
  const evidence = evidenceProcedures(context);
  const folder = join(recordings, 'case');
  const { id: caseId } = await call(cases.create, { number: '1', title: 'A call', folder });
  await done(context, await call(evidence.add, { ...everything, copy: true, caseId, paths: [recordings] }));
  const ours = join(recordings, 'ours.zip');
  await done(context, await call(cases.export, { caseId, out: ours }));
  await call(cases.close, { caseId });
  const theirs = testSession(undefined, 'Ben Other');
  const other = CaseStore.open(folder, theirs);
  other.log.note('examined', 'Looked at it.', {});
  const out = join(recordings, 'theirs.zip');
  await exportCase(other, out);
  other.close();
  const signer = fingerprintOf(theirs.library.key.publicKey);

  expect((await call(cases.open, { caseId })).problem).toMatchObject({ code: 'unknown-signer' });
  const continued = await call(cases.continuation, { caseId });
  expect(continued).toMatchObject({ number: '1', fingerprint: signer });
  expect(continued.since.map(({ actor }) => actor)).toContain('Ben Other');
  const wrong = fingerprintOf(context.cases.library.key.publicKey);
  await expect(call(cases.accept, { caseId, signer: wrong })).rejects.toEqual(code('unknown-signer'));
  // It can still be read.
  expect(await call(evidence.list, { caseId })).toMatchObject({ total: 1 });
  const accepted = await call(cases.accept, { caseId, signer });
  expect(accepted).toMatchObject({ id: caseId, problem: null });
  const { rows } = await call(cases.log, { caseId, limit: 5 });
  expect(rows.map(({ actor, action }) => `${actor}: ${action}`)).toContain('Ada Examiner: signer-accepted');
  expect(await call(cases.verify, { caseId })).toMatchObject({ intact: true });
  await expect(call(cases.continuation, { caseId })).rejects.toEqual(code('usage'));

  // An export of what they went on with is taken in on the same terms.
  await call(cases.delete, { caseId, confirmNumber: '1', reason: 'to take theirs in' });
  const again = testSession(undefined, 'Cy Third');
  const third = await importCase(out, join(recordings, 'third'), again);
  third.log.note('examined', 'Looked at it.', {});
  const thirds = join(recordings, 'thirds.zip');
  await exportCase(third, thirds);
  third.close();
  const refused = await done(context, await call(cases.import, { path: thirds }));
  expect(refused).toMatchObject({ state: 'failed', error: { code: 'unknown-signer' } });
  const key = fingerprintOf(again.library.key.publicKey);
  const taken = await done(context, await call(cases.import, { path: thirds, signer: key }));
  expect(taken).toMatchObject({ state: 'done', result: { caseId } });
});

it('keeps to the folders that may be looked into', async () => {
  const { context } = await bench(0);
  const cases = casesProcedures(context);
  const { id: caseId } = await call(cases.create, { number: '1', title: 'A call' });
  const evidence = evidenceProcedures(context);
  await expect(call(evidence.add, { ...everything, caseId, paths: ['/etc'] })).rejects.toEqual(code('not-allowed'));
  await expect(call(cases.import, { path: '/etc/passwd' })).rejects.toEqual(code('not-allowed'));
  await expect(call(cases.openFolder, { folder: '/etc' })).rejects.toEqual(code('not-allowed'));
  await expect(call(cases.create, { number: '2', title: 'x', folder: '/etc/case' })).rejects.toEqual(
    code('not-allowed'),
  );
});

it('goes on with the scans and intakes of an engine that ended', async () => {
  const { context, recordings } = await bench(6);
  const cases = casesProcedures(context);
  const { id: caseId } = await call(cases.create, { number: '1', title: 'A call' });
  const added = await call(evidenceProcedures(context).add, { ...everything, caseId, paths: [recordings] });
  await done(context, added);
  const { jobId } = await call(analysesProcedures(context).scan, { caseId, which: 'all' });
  const intake = { ...everything, paths: [recordings], senderHashes: {} };
  context.cases.get(caseId).intakes.begin(intake);
  while (context.jobs.get(jobId).done < 1) await new Promise((resolve) => setTimeout(resolve, 10));
  await context.jobs.close();
  context.cases.close();

  const parts = { ...context, jobs: new (await import('../jobs/queue.ts')).JobQueue() };
  const next: EngineContext = { ...parts, cases: new OpenCases(parts) };
  onTestFinished(async () => {
    await next.jobs.close();
    next.cases.close();
  });
  await resumeScans(next);
  expect(
    next.jobs
      .list()
      .map(({ kind }) => kind)
      .sort(),
  ).toEqual(['intake', 'scan']);
  expect(next.jobs.find(jobId)?.kind).toBe('scan');
  await next.jobs.idle();
  expect(next.jobs.list().map(({ state }) => state)).toEqual(['done', 'done']);
  const store = next.cases.get(caseId);
  expect(store.evidence.allIds().map((id) => store.analyses.of(id).length)).toEqual(Array(6).fill(1));
  expect(store.scans.unfinished()).toEqual([]);
  expect(store.intakes.unfinished()).toEqual([]);
});

it('removes uploads with the intake or the import that took them in', async () => {
  const { context, recordings } = await bench(1);
  const cases = casesProcedures(context);
  const uploads = join(context.home, 'uploads');
  const upload = (digit: string, from: string): string => {
    const folder = join(uploads, digit.repeat(32));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, basename(from)), readFileSync(from));
    return join(folder, basename(from));
  };
  const { id: caseId } = await call(cases.create, { number: '1', title: 'A call' });
  const paths = [upload('a', join(recordings, 'voice-0.wav')), upload('b', join(recordings, 'notes.txt'))];
  upload('c', join(recordings, 'voice-0.wav'));
  await done(context, await call(evidenceProcedures(context).add, { ...everything, caseId, paths }));
  expect(readdirSync(uploads)).toEqual(['c'.repeat(32)]);
  const store = context.cases.get(caseId);
  expect(readFileSync(store.evidence.file(1).path)).toEqual(readFileSync(join(recordings, 'voice-0.wav')));
  const out = join(recordings, 'case.zip');
  await done(context, await call(cases.export, { caseId, out }));
  const refused = await done(context, await call(cases.import, { path: upload('d', out) }));
  expect(refused).toMatchObject({ state: 'failed', error: { code: 'exists' } });
  expect(readdirSync(uploads)).toEqual(['c'.repeat(32)]);
});

it('ends a scan that is cancelled before it began', async () => {
  const { context, recordings } = await bench(4);
  const cases = casesProcedures(context);
  const { id: caseId } = await call(cases.create, { number: '1', title: 'A call' });
  await done(context, await call(evidenceProcedures(context).add, { ...everything, caseId, paths: [recordings] }));
  const { scan } = analysesProcedures(context);
  await call(scan, { caseId, which: [1, 2] });
  const { jobId } = await call(scan, { caseId, which: [3, 4] });
  context.jobs.cancel(jobId);
  await context.jobs.idle();
  const store = context.cases.get(caseId);
  expect(store.scans.unfinished()).toEqual([]);
  expect(store.evidence.rowsOf([1, 2, 3, 4]).map((row) => row.scan)).toEqual(['done', 'done', 'none', 'none']);
});

it('looks at a file that is in no case, scans it and leaves nothing behind, unless a case takes it in', async () => {
  const { context, recordings } = await bench(1);
  const cases = casesProcedures(context);
  const evidence = evidenceProcedures(context);
  const path = join(recordings, 'voice-0.wav');
  const look = async () => {
    const begun = await call(cases.quickLook, { paths: [path] });
    await context.jobs.idle();
    return begun.view;
  };
  const first = await look();
  expect(first).toMatchObject({ passing: true, items: 0 });
  const rows = (await call(evidence.list, { caseId: first.id })).rows;
  expect(rows).toMatchObject([{ name: 'voice-0.wav', path, scan: 'done', modelName: 'tiny' }]);
  expect(await call(cases.list, {})).toEqual([]);
  expect(existsSync(first.folder)).toBe(true);
  const list = readdirSync(join(context.home, 'library.sqlite', '..'));
  await call(cases.close, { caseId: first.id });
  expect(existsSync(join(first.folder, '..'))).toBe(false);
  await expect(call(cases.get, { caseId: first.id })).rejects.toEqual(code('not-found'));
  expect(readdirSync(context.home)).toEqual(list);

  const second = await look();
  const mark = { startSeconds: 0.2, endSeconds: 0.9, text: 'a click', inReport: true, category: 'noise' };
  await call(marksProcedures(context).add, { caseId: second.id, evidenceId: 1, ...mark });
  await call(evidence.update, { caseId: second.id, evidenceId: 1, notes: 'hum', tags: ['caller'] });
  const { id: into } = await call(cases.create, { number: '2026/1', title: 'A call' });
  await call(cases.takeLook, { caseId: second.id, into });
  await call(cases.close, { caseId: second.id });
  await context.jobs.idle();
  expect(await call(evidence.get, { caseId: into, evidenceId: 1 })).toMatchObject({
    ...{ path, notes: 'hum', tags: ['caller'], marks: [mark], scan: 'none' },
  });
  expect(existsSync(second.folder)).toBe(false);
  expect((await call(cases.verify, { caseId: into })).intact).toBe(true);
});

it('ends a look that is left while it is under way, and with the engine', async () => {
  const { context, recordings } = await bench(2);
  const cases = casesProcedures(context);
  const { view } = await call(cases.quickLook, { paths: [recordings] });
  await call(cases.close, { caseId: view.id });
  await context.jobs.idle();
  await vi.waitFor(() => expect(existsSync(view.folder)).toBe(false));
  const { view: open } = await call(cases.quickLook, { paths: [recordings] });
  await context.jobs.idle();
  await context.jobs.close();
  context.cases.close();
  expect(existsSync(open.folder)).toBe(false);
});

it('is asked for the passphrase of the key before anything is signed, and goes on once it was given', async () => {
  const { context } = await bench(0);
  const key = keyProcedures(context);
  const cases = casesProcedures(context);
  const before = await call(key.state, undefined);
  expect(before).toMatchObject({ sealed: false, locked: false });
  await call(key.change, { current: null, next: 'correct horse' });
  // This process has it; another one would have to be told.
  expect(await call(key.state, undefined)).toEqual({ ...before, sealed: true });
  await expect(call(key.unlock, { passphrase: 'wrong horse' })).rejects.toMatchObject({ data: { code: 'passphrase' } });
  await call(key.unlock, { passphrase: 'correct horse' });
  await expect(call(key.change, { current: 'correct horse', next: 'short' })).rejects.toMatchObject({
    data: { code: 'passphrase' },
  });
  expect((await call(cases.create, { number: '9', title: 'A call' })).problem).toBeNull();
  await call(key.change, { current: 'correct horse', next: null });
  expect(await call(key.state, undefined)).toEqual(before);
});
