import { cpSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { continuationOf } from './accept.ts';
import { exportCase } from './export.ts';
import { importCase } from './import.ts';
import { deleteCase } from './delete.ts';
import { fingerprintOf } from './keys.ts';
import { CaseStore } from './store.ts';
import type { Session } from './session.ts';
import { addFiles, testCase, testFolder, testSession } from './testing.ts';
import { verifyCase } from './verify.ts';

const fingerprint = ({ library }: Session): string => fingerprintOf(library.key.publicKey);
const actions = (store: CaseStore): string[] =>
  store.log.rows({ offset: 0, limit: 100 }).rows.map(({ action }) => action);

/** A case of one installation that another has gone on with, on a drive of both. */
function continued(): { folder: string; ours: Session; theirs: Session } {
  const { store, folder, session: ours } = testCase();
  addFiles(store, 1);
  store.close();
  const theirs = testSession(undefined, 'Ben Other');
  const other = CaseStore.open(folder, theirs);
  other.log.note('examined', 'Looked at it.', {});
  other.close();
  return { folder, ours, theirs };
}

it('goes on with a case that another installation went on with once its key was accepted, and says so', async () => {
  const { folder, ours, theirs } = continued();
  const { home } = ours.library;
  const closed = CaseStore.open(folder, ours);
  expect(closed.broken).toMatchObject({ code: 'unknown-signer', advice: /case accept/ });
  closed.close();
  const continuation = continuationOf(folder, ours.library);
  expect(continuation).toMatchObject({ number: '2026/1', fingerprint: fingerprint(theirs), seen: 2, rows: 6 });
  expect(continuation.since.map(({ actor, action }) => [actor, action])).toEqual([
    ['Ben Other', 'examined'],
    ['Ben Other', 'opened'],
    ['Ben Other', 'rebuilt'],
    ['Ben Other', 'signer-changed'],
  ]);
  const wrong = CaseStore.open(folder, ours, { signer: fingerprint(ours) });
  expect(wrong.broken?.message).toContain(fingerprint(theirs));
  wrong.close();
  const store = CaseStore.open(folder, ours, { signer: fingerprint(theirs).toUpperCase() });
  expect(store.broken).toBeNull();
  expect(actions(store).slice(0, 4)).toEqual(['opened', 'rebuilt', 'signer-accepted', 'signer-changed']);
  store.close();
  expect(await verifyCase({ folder, home })).toMatchObject({ integrity: true, signer: { verdict: 'known' } });
  // From now on each goes on where the other left off.
  for (const session of [theirs, ours, theirs]) {
    const again = CaseStore.open(folder, session, session === theirs ? { signer: fingerprint(ours) } : {});
    expect(again.broken).toBeNull();
    again.close();
  }
  expect(() => continuationOf(folder, ours.library)).toThrow(/nothing to accept|known here already/);
});

it('accepts neither a log that lacks our rows, nor one that does not hold', () => {
  const { folder, ours, theirs } = continued();
  const older = join(testFolder(), 'older');
  cpSync(folder, older, { recursive: true });
  const signer = fingerprint(theirs);
  CaseStore.open(folder, ours, { signer }).close();
  // Theirs went another way than ours, which has rows of its own now.
  const other = CaseStore.open(older, theirs);
  for (let row = 0; row < 5; row++) other.log.note('examined', 'Looked at it.', {});
  other.close();
  expect(() => continuationOf(older, ours.library)).toThrow(/went another way/);
  const fork = CaseStore.open(older, ours, { signer });
  expect(fork.broken?.code).toBe('custody-broken');
  fork.close();

  const forged = continued();
  const db = new Database(join(forged.folder, 'case.sqlite'));
  db.exec(`UPDATE evidence SET description = 'forged'`);
  db.close();
  expect(() => continuationOf(forged.folder, forged.ours.library)).toThrow(/not intact/);
  const refused = CaseStore.open(forged.folder, forged.ours, { signer: fingerprint(forged.theirs) });
  expect(refused.broken?.code).toBe('custody-broken');
  refused.close();
});

it('takes an export of it in only with the key that was accepted', async () => {
  const { folder, ours, theirs } = continued();
  const archive = join(testFolder(), 'theirs.zip');
  const other = CaseStore.open(folder, theirs);
  await exportCase(other, archive);
  other.close();
  // Ours is gone: what is known of it stays.
  const own = CaseStore.open(folder, ours);
  await deleteCase(own, ours, { confirmNumber: '2026/1', reason: 'a test' });
  const cases = join(testFolder(), 'cases');
  await expect(importCase(archive, cases, ours)).rejects.toMatchObject({ code: 'unknown-signer', advice: /--signer/ });
  await expect(importCase(archive, cases, ours, { signer: fingerprint(ours) })).rejects.toMatchObject({
    code: 'unknown-signer',
  });
  const store = await importCase(archive, cases, ours, { signer: fingerprint(theirs) });
  expect(actions(store).slice(0, 4)).toEqual(['imported', 'opened', 'signer-accepted', 'signer-changed']);
  store.close();
});
