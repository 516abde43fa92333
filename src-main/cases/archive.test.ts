import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import yazl from 'yazl';
import { exportCase } from './export.ts';
import { caseFolderName } from './folders.ts';
import { importCase } from './import.ts';
import type { Session } from './session.ts';
import { CaseStore } from './store.ts';
import { addFiles, analysisFor, evidenceFor, testCase, testFolder, testSession } from './testing.ts';
import { verifyRecords } from './verify-records.ts';
import { withFiles } from './verify.ts';

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** A case with an item in place and a copy, scored, closed after it was exported. */
async function exported(): Promise<{ archive: string; session: Session; folder: string; sha256: string }> {
  const { store, session, folder } = testCase();
  const { ids, paths } = addFiles(store, 1);
  const copyPath = 'evidence/0123456789abcdef-Stimme ü.wav';
  mkdirSync(join(folder, 'evidence'));
  writeFileSync(join(folder, copyPath), readFileSync(paths[0]));
  const [copied] = store.evidence.add([evidenceFor(paths[0], { copyPath })]);
  for (const id of [...ids, copied]) store.analyses.add(analysisFor(store, id));
  const archive = join(testFolder(), 'case.zip');
  const out = await exportCase(store, archive);
  expect(readdirSync(dirname(archive))).toEqual(['case.zip']);
  expect(out.sha256).toBe(sha256(readFileSync(archive)));
  expect(store.log.rows({ offset: 0, limit: 1 }).rows[0]).toMatchObject({
    action: 'exported',
    details: { sha256: out.sha256, head: out.head },
  });
  store.close();
  return { archive, session, folder, sha256: out.sha256 };
}

async function zipOf(
  files: Record<string, Uint8Array | string>,
  change: (zip: yazl.ZipFile) => void = () => undefined,
): Promise<string> {
  const path = join(testFolder(), 'hostile.zip');
  const zip = new yazl.ZipFile();
  for (const [name, bytes] of Object.entries(files)) zip.addBuffer(Buffer.from(bytes), name);
  change(zip);
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(path));
  return path;
}

function manifestFor(files: Record<string, Uint8Array | string>, changes: object = {}): string {
  return JSON.stringify({
    archive: 'earwitness case',
    format: 1,
    application: 'earwitness 0.0.0',
    time: '2026-01-01T00:00:00.000Z',
    caseId: '3b241101-e2bb-4255-8caf-4136c566a962',
    number: '1',
    head: { rows: 1, hash: 'a'.repeat(64) },
    files: Object.entries(files).map(([path, bytes]) => ({ path, sizeBytes: bytes.length, sha256: sha256(bytes) })),
    ...changes,
  });
}

describe('an exported case', () => {
  it('is taken in elsewhere, whole and verified, and says where it came from', async () => {
    const { archive, session, sha256: archiveSha256 } = await exported();
    const other = testSession(undefined, 'Ben Other');
    const cases = join(testFolder(), 'cases');
    const seen: number[] = [];
    const store = await importCase(archive, cases, other, { onProgress: (done) => seen.push(done) });
    expect(seen.length).toBeGreaterThan(1);
    expect(readdirSync(cases)).toEqual(['2026-1']);
    expect(store.evidence.get(2)).toMatchObject({ name: 'voice-0.wav', copied: true, finding: 'supports spoof' });
    expect(readFileSync(store.evidence.intake(2).path, 'utf8')).toBe('recording 0');
    const actions = store.log.rows({ offset: 0, limit: 3 }).rows;
    expect(actions.map(({ action }) => action)).toEqual(['imported', 'opened', 'signer-changed']);
    expect(actions[0].details['sha256']).toBe(archiveSha256);
    expect(other.library.list()).toMatchObject([{ number: '2026/1', items: 2, analysed: 2 }]);
    store.close();
    const { intact } = await withFiles(verifyRecords({ folder: store.folder, home: other.library.home }));
    expect(intact).toBe(true);
    await expect(importCase(archive, cases, other)).rejects.toMatchObject({ code: 'exists' });
    await expect(importCase(archive, cases, session)).rejects.toMatchObject({ code: 'exists' });
    expect(readdirSync(cases)).toEqual(['2026-1']);
  });

  it('is not written where a copy of evidence is not what was taken in', async () => {
    const { session, folder } = await exported();
    const store = CaseStore.open(folder, session);
    const out = join(testFolder(), 'out.zip');
    writeFileSync(store.evidence.intake(2).path, 'something else');
    await expect(exportCase(store, out)).rejects.toMatchObject({ code: 'changed' });
    const { rmSync } = await import('node:fs');
    rmSync(store.evidence.intake(2).path);
    await expect(exportCase(store, out)).rejects.toMatchObject({ code: 'missing' });
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(dirname(out))).toEqual([]);
    store.close();
  });

  it('that was tampered with does not appear', async () => {
    const { folder } = await exported();
    const path = join(folder, 'case.sqlite');
    const db = new Database(path);
    db.exec(`UPDATE case_details SET question = 'Another one?'`);
    db.pragma('wal_checkpoint(TRUNCATE)');
    db.close();
    const store = CaseStore.read(folder);
    const { id, head } = store;
    store.close();
    const copy = 'evidence/0123456789abcdef-Stimme ü.wav';
    const files = { 'case.sqlite': readFileSync(path), [copy]: readFileSync(join(folder, copy)) };
    const manifest = manifestFor(files, { caseId: id, number: '2026/1', head });
    const cases = join(testFolder(), 'cases');
    const attempt = importCase(await zipOf({ 'manifest.json': manifest, ...files }), cases, testSession());
    await expect(attempt).rejects.toMatchObject({
      code: 'not-intact',
      message: expect.stringContaining('changed past the log') as string,
    });
    expect(existsSync(cases)).toBe(false);
  });
});

describe('a hostile archive', () => {
  async function refusal(archive: string): Promise<string> {
    const cases = join(testFolder(), 'cases');
    const session = testSession();
    const error = await importCase(archive, cases, session).then(
      () => null,
      (thrown: Error & { code?: string }) => thrown,
    );
    expect(error?.code).toMatch(/^(not-a-case|damaged|not-intact)$/);
    expect(existsSync(cases) ? readdirSync(cases) : []).toEqual([]);
    expect(session.library.list()).toEqual([]);
    return error?.message ?? '';
  }

  it('is refused that is no zip, or lacks or misuses its manifest', async () => {
    const path = join(testFolder(), 'case.zip');
    writeFileSync(path, 'no zip');
    await refusal(path);
    expect(await refusal(await zipOf({ 'case.sqlite': 'x' }))).toContain('no manifest');
    const files = { 'case.sqlite': 'x' };
    await refusal(await zipOf({ 'manifest.json': '{', ...files }));
    await refusal(await zipOf({ 'manifest.json': manifestFor({}), ...files }));
    expect(
      await refusal(await zipOf({ 'manifest.json': manifestFor({ ...files, 'evidence/a.wav': '1' }), ...files })),
    ).toContain('lacks');
    const other = manifestFor({ 'case.sqlite': 'y' });
    expect(await refusal(await zipOf({ 'manifest.json': other, ...files }))).toContain('SHA-256 differs');
    await refusal(await zipOf({ 'manifest.json': manifestFor(files), ...files }));
  });

  it.each([
    '../evil.wav',
    '/etc/evil.wav',
    'evidence/../../evil.wav',
    'evidence/below/evil.wav',
    'evidence/.evil',
    'evidence/evil.wav:stream',
    'evidence\\evil.wav',
    'case.sqlite-wal',
    'anything.txt',
  ])('is refused that holds %s', async (name) => {
    // Written under another name of that length, since the writer refuses it.
    const honest = `evidence/${'x'.repeat(200)}`.slice(0, name.length).padEnd(name.length, 'x');
    const files = { 'case.sqlite': 'x', [honest]: 'evil' };
    const path = await zipOf({ 'manifest.json': manifestFor(files), ...files });
    const bytes = readFileSync(path);
    const changed = Buffer.from(bytes.toString('latin1').replaceAll(honest, name), 'latin1');
    writeFileSync(path, changed);
    await refusal(path);
  });

  it('is refused that holds links, or the same name in another case', async () => {
    const link = await zipOf({}, (zip) => {
      zip.addBuffer(Buffer.from(manifestFor({ 'case.sqlite': '/etc/passwd' })), 'manifest.json');
      zip.addBuffer(Buffer.from('/etc/passwd'), 'case.sqlite', { mode: 0o120777 });
    });
    expect(await refusal(link)).toContain('is no file');
    const files = { 'case.sqlite': 'x', 'evidence/a.wav': '1', 'evidence/A.wav': '1' };
    expect(await refusal(await zipOf({ 'manifest.json': manifestFor(files), ...files }))).toContain('twice');
  });

  it('is refused that grows far beyond its size, before it is unpacked', async () => {
    const zeros = Buffer.alloc(100 * 1024 ** 2);
    const files = { 'case.sqlite': zeros };
    const bomb = await zipOf({ 'manifest.json': manifestFor(files), ...files });
    expect(readFileSync(bomb).length).toBeLessThan(200_000);
    expect(await refusal(bomb)).toContain('far more than it can');
  });
});

it('a case gets a folder that every file system takes', () => {
  expect(caseFolderName('2026/17 – Müller')).toBe('2026-17 - Müller');
  expect(caseFolderName('../..')).toBe('case-');
  expect(caseFolderName('CON')).toBe('case-CON');
  expect(caseFolderName('案件 1')).toBe('案件 1');
});
