import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exportCase } from './export.ts';
import { importCase } from './import.ts';
import { CaseLock } from './lock.ts';
import { CaseStore, peekCase } from './store.ts';
import { evidenceFor, testCase, testFolder, testSession } from './testing.ts';
import { verifyCase } from './verify.ts';

/** Every file and folder of a case with its rights. */
function rightsIn(folder: string): Record<string, string> {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    all.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(folder, path), (statSync(path).mode & 0o7777).toString(8)];
    }),
  );
}

/** A case with a copy of evidence and something derived. */
function furnished(): ReturnType<typeof testCase> {
  const made = testCase();
  const { store, folder } = made;
  const recording = join(testFolder(), 'voice.wav');
  writeFileSync(recording, 'a recording');
  mkdirSync(join(folder, 'evidence'), { mode: 0o700 });
  const copyPath = 'evidence/0123456789abcdef-voice.wav';
  copyFileSync(recording, join(folder, copyPath));
  chmodSync(join(folder, copyPath), 0o400);
  store.evidence.add([evidenceFor(recording, { copyPath })]);
  mkdirSync(join(folder, 'derived', 'sound', 'a'), { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, 'derived', 'sound', 'a', 'sound.json'), '{}', { mode: 0o600 });
  return made;
}

const isRoot = process.geteuid?.() === 0;

describe.skipIf(process.platform === 'win32')('the rights of a case', () => {
  it('are its owner’s alone until its folder is marked as shared, then those of the folder, never more', async () => {
    const { store, folder, session } = furnished();
    chmodSync(join(folder, 'derived'), 0o700);
    chmodSync(join(folder, 'derived', 'sound'), 0o700);
    expect(rightsIn(folder)).toMatchObject({ 'case.sqlite': '600', 'case.lock': '600' });
    expect(() => store.share(true)).toThrow(/its owner's alone/);
    chmodSync(folder, 0o2750);
    if (isRoot) chownSync(folder, 0, 4711);
    store.share(true);
    const shared = {
      'case.sqlite': '640',
      'case.sqlite-wal': '640',
      'case.sqlite-shm': '640',
      'case.lock': '640',
      evidence: '2750',
      'evidence/0123456789abcdef-voice.wav': '440',
      derived: '2750',
      'derived/sound': '2750',
      'derived/sound/a': '2750',
      'derived/sound/a/sound.json': '640',
    };
    expect(rightsIn(folder)).toMatchObject(shared);
    if (isRoot) for (const name of Object.keys(shared)) expect(statSync(join(folder, name)).gid, name).toBe(4711);
    // What comes later, too.
    const other = join(testFolder(), 'other.wav');
    writeFileSync(other, 'another recording');
    const copyPath = 'evidence/fedcba9876543210-other.wav';
    copyFileSync(other, join(folder, copyPath));
    chmodSync(join(folder, copyPath), 0o400);
    store.evidence.add([evidenceFor(other, { copyPath })]);
    expect(rightsIn(folder)).toMatchObject({ [copyPath]: '440' });
    // With rights that changed since, from the next opening on.
    store.close();
    chmodSync(folder, 0o2770);
    const again = CaseStore.open(folder, session);
    expect(again.shared).toBe(true);
    expect(rightsIn(folder)).toMatchObject({ 'case.sqlite': '660', 'case.lock': '660', evidence: '2770' });
    const actions = again.log.rows({ offset: 0, limit: 100 }).rows.map(({ action }) => action);
    expect(actions).toContain('shared');
    again.share(false);
    expect(Object.values(rightsIn(folder)).every((mode) => /^[4-7]00$/.test(mode))).toBe(true);
    again.close();
    expect((await verifyCase({ folder, home: session.library.home })).intact).toBe(true);
    // An imported case is its owner's alone, whatever its log says.
    const store2 = CaseStore.open(folder, session);
    store2.share(true);
    const archive = join(testFolder(), 'case.zip');
    await exportCase(store2, archive);
    store2.close();
    const taken = await importCase(archive, join(testFolder(), 'cases'), testSession());
    expect(Object.values(rightsIn(taken.folder)).every((mode) => /^[4-7]00$/.test(mode))).toBe(true);
    taken.close();
  });

  /** Runs something with the module of rights as another user than root. @returns what it prints */
  function asUser(user: number, code: string): string {
    const program = `
      const { giveRights, sharedRights } = await import(${JSON.stringify(new URL('./rights.ts', import.meta.url).href)});
      process.setgroups([]); process.setegid(${user}); process.seteuid(${user});
      ${code}`;
    const text = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
    return text.trim();
  }

  /** An empty folder that everybody can reach. */
  function reachable(owner: number, group: number, mode: number): string {
    const above = testFolder();
    chmodSync(above, 0o755);
    const folder = join(above, 'case');
    mkdirSync(folder);
    chownSync(folder, owner, group);
    chmodSync(folder, mode);
    return folder;
  }

  it('never go to what a link leads to, nor let go of the lock on a database', () => {
    const { store, folder } = furnished();
    const secret = join(testFolder(), 'secret');
    writeFileSync(secret, 'of someone', { mode: 0o600 });
    symlinkSync(secret, join(folder, 'evidence', 'link.wav'));
    chmodSync(folder, 0o755);
    store.share(true);
    expect(statSync(secret).mode & 0o777).toBe(0o600);
    // Another process still finds the case locked.
    const program = `
      const { CaseLock } = await import(${JSON.stringify(new URL('./lock.ts', import.meta.url).href)});
      try { CaseLock.take(${JSON.stringify(folder)}, 'another'); console.log('taken'); } catch ({ code }) { console.log(code); }`;
    const words = ['--input-type=module', '--eval', program];
    expect(execFileSync(process.execPath, words, { encoding: 'utf8' }).trim()).toBe('case-busy');
  });

  it.skipIf(!isRoot)('give a group nothing where the group cannot be given to a file', () => {
    for (const [group, mode] of [
      [4711, 0o660],
      [4712, 0o600],
    ]) {
      const folder = reachable(4711, group, 0o770);
      const database = join(folder, 'case.sqlite');
      writeFileSync(database, '');
      chownSync(database, 4711, 4711);
      asUser(4711, `giveRights(${JSON.stringify(folder)}, true, { all: true });`);
      expect(statSync(database).mode & 0o777).toBe(mode);
    }
  });

  it.skipIf(!isRoot)('are set by the owner of the folder alone', () => {
    const folder = JSON.stringify(reachable(4712, 4712, 0o777));
    const tried = `try { sharedRights(${folder}); console.log('allowed'); } catch ({ code }) { console.log(code); }`;
    expect([4711, 4712].map((user) => asUser(user, tried))).toEqual(['not-allowed', 'allowed']);
  });

  it('of key, list and settings are never anybody else’s', () => {
    const { session, store } = testCase();
    const { home } = session.library;
    chmodSync(home, 0o777);
    const names = ['library.sqlite', 'library.sqlite-wal', 'library.sqlite-shm'];
    for (const name of names) chmodSync(join(home, name), 0o666);
    store.close();
    const again = testSession(home);
    for (const name of names) expect(statSync(join(home, name)).mode & 0o777, name).toBe(0o600);
    expect(readdirSync(home).filter((name) => name.endsWith('.pem')).length).toBe(1);
    for (const name of readdirSync(home)) expect(statSync(join(home, name)).mode & 0o077, name).toBe(0);
    again.library.close();
  });
});

describe('what lies in the folder of a case', () => {
  it('is cleared of what killed intakes and openings left', () => {
    const { store, folder, session } = furnished();
    store.close();
    const left = [
      'evidence/.0123456789abcdef.partial',
      'case.sqlite.format-1.backup.partial',
      `derived/sound/${'a'.repeat(64)}.01234567.partial`,
      `derived/sound/${'a'.repeat(64)}-all-channel-2.01234567.partial`,
      '.rebuilt-0123456789ab',
    ];
    const kept = ['evidence/.notes.partial', 'notes.partial', 'derived/sound/a/x.partial'];
    for (const name of [...left, ...kept]) writeFileSync(join(folder, name), 'half');
    CaseStore.open(folder, session).close();
    expect(left.filter((name) => existsSync(join(folder, name)))).toEqual([]);
    expect(kept.filter((name) => existsSync(join(folder, name)))).toEqual(kept);
  });

  it.skipIf(process.platform === 'win32')('is not opened where it leads elsewhere or is a pipe', () => {
    for (const name of ['case.lock', 'case.sqlite', 'case.sqlite-wal', 'evidence', 'derived']) {
      for (const kind of ['link', 'pipe']) {
        const { store, folder, session } = testCase();
        store.close();
        const elsewhere = session.library.home;
        const target = ['evidence', 'derived'].includes(name) ? elsewhere : join(elsewhere, 'library.sqlite');
        const before = readFileSync(join(elsewhere, 'library.sqlite'));
        execFileSync('rm', ['-rf', join(folder, name)]);
        if (kind === 'link') symlinkSync(target, join(folder, name));
        else execFileSync('mkfifo', [join(folder, name)]);
        expect(() => CaseStore.open(folder, session), `${name}, ${kind}`).toThrow(/leads elsewhere|no ordinary/);
        if (name !== 'case.lock') expect(() => peekCase(folder), name).toThrow(/leads elsewhere|no ordinary/);
        expect(readFileSync(join(elsewhere, 'library.sqlite')).equals(before)).toBe(true);
      }
    }
  });

  it('is locked also where the lock is torn, or a journal lies beside it', () => {
    const folder = testFolder();
    writeFileSync(join(folder, 'case.lock'), 'SQLite format 3\0 and then nothing of it');
    writeFileSync(
      join(folder, 'case.lock-journal'),
      Buffer.concat([Buffer.from('d9d505f920a163d7', 'hex'), Buffer.alloc(600)]),
    );
    const lock = CaseLock.take(folder, 'one');
    expect(() => CaseLock.take(folder, 'another')).toThrow(/open elsewhere: one/);
    expect(existsSync(join(folder, 'case.lock-journal'))).toBe(false);
    lock.release();
  });
});
