import { chmodSync, mkdtempSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { publicKeyOf, signatureHolds } from '../base/signatures.ts';
import { installationPublicKey, keyName, keyState, unlockKey } from './keys.ts';
import { Library } from './library.ts';
import { CaseStore } from './store.ts';
import { testFolder, testSession, thrown } from './testing.ts';

describe('the key of the installation', () => {
  it('is for its owner alone, and stays the same', () => {
    const home = join(testFolder(), 'deep', 'home');
    const publicKey = installationPublicKey(home, { make: true });
    const path = join(home, keyName);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    chmodSync(path, 0o644);
    expect(installationPublicKey(home, { make: true })).toBe(publicKey);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    writeFileSync(path, 'nonsense');
    expect(thrown(() => installationPublicKey(home, { make: true })).code).toBe('key');
  });
});

describe('a passphrase', () => {
  afterEach(() => vi.unstubAllEnvs());

  /** Another process' view of a data folder: nothing is unsealed there yet. @returns what it says, or the code of its error */
  function signedElsewhere(home: string, env: Record<string, string>, stdio: number[] = []): string {
    const script = `
      import { Library } from ${JSON.stringify(join(import.meta.dirname, 'library.ts'))};
      try { process.stdout.write(Library.open(process.argv[1]).key.sign('x')); } catch (error) { process.stdout.write(error.code); }`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script, home], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit', ...stdio],
    });
    return stdout.toString();
  }

  it('is set, given, changed and removed; the key stays the same', () => {
    const { library } = testSession();
    const { home } = library;
    const path = join(home, keyName);
    const { publicKey } = library.key;
    expect(keyState(path)).toEqual({ sealed: false, locked: false });
    expect(thrown(() => library.changePassphrase(null, 'short')).message).toMatch(/at least 8 characters/);

    library.changePassphrase(null, 'correct horse');
    expect(readFileSync(path, 'utf8')).not.toContain('PRIVATE');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(keyState(path).sealed).toBe(true);
    expect(publicKeyOf(home)).toBe(publicKey);
    expect(library.publicKey).toBe(publicKey);

    expect(signedElsewhere(home, {})).toBe('key-locked');
    expect(signedElsewhere(home, { EARWITNESS_KEY_PASSPHRASE: 'wrong horse' })).toBe('passphrase');
    expect(signatureHolds(publicKey, 'x', signedElsewhere(home, { EARWITNESS_KEY_PASSPHRASE: 'correct horse' }))).toBe(
      true,
    );
    const file = join(mkdtempSync(join(home, 'fd-')), 'passphrase');
    writeFileSync(file, 'correct horse\nand a second line\n');
    const byDescriptor = signedElsewhere(home, { EARWITNESS_KEY_PASSPHRASE_FD: '3' }, [openSync(file, 'r')]);
    expect(signatureHolds(publicKey, 'x', byDescriptor)).toBe(true);

    expect(thrown(() => library.changePassphrase('wrong horse', 'battery staple')).code).toBe('passphrase');
    expect(thrown(() => library.changePassphrase(null, 'battery staple')).code).toBe('key-locked');
    library.changePassphrase('correct horse', 'bättery staple');
    expect(signedElsewhere(home, { EARWITNESS_KEY_PASSPHRASE: 'correct horse' })).toBe('passphrase');
    // However the keyboard makes its letters.
    const typed = 'bättery staple'.normalize('NFD');
    expect(signatureHolds(publicKey, 'x', signedElsewhere(home, { EARWITNESS_KEY_PASSPHRASE: typed }))).toBe(true);

    library.changePassphrase('bättery staple', null);
    expect(readFileSync(path, 'utf8')).toContain('BEGIN PRIVATE KEY');
    expect(signatureHolds(publicKey, 'x', signedElsewhere(home, {}))).toBe(true);
  });

  it('is needed to write to a case, and not to read it; a file that was changed is seen', () => {
    const folder = join(testFolder(), 'case');
    const home = join(testFolder(), 'home');
    const session = testSession(home);
    CaseStore.create(folder, { number: '1', title: 'x' }, session).close();
    session.library.changePassphrase(null, 'correct horse');
    const script = `
      import { CaseStore } from ${JSON.stringify(join(import.meta.dirname, 'store.ts'))};
      import { Library } from ${JSON.stringify(join(import.meta.dirname, 'library.ts'))};
      const [folder, home] = process.argv.slice(1);
      process.stdout.write(CaseStore.read(folder).details().number);
      const library = Library.open(home);
      try { CaseStore.open(folder, { library, actor: () => 'x', program: 'x' }); } catch (error) { process.stdout.write(error.code); }`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script, folder, home]);
    expect(stdout.toString()).toBe('1key-locked');

    const path = join(home, keyName);
    const sealed = readFileSync(path, 'utf8');
    const body = JSON.parse(Buffer.from(sealed.split('\n').slice(1, -2).join(''), 'base64').toString()) as Record<
      string,
      unknown
    >;
    const altered = { ...body, publicKey: installationPublicKey(join(home, 'other'), { make: true }) };
    const lines = Buffer.from(JSON.stringify(altered)).toString('base64');
    writeFileSync(path, `-----BEGIN EARWITNESS SEALED KEY-----\n${lines}\n-----END EARWITNESS SEALED KEY-----\n`);
    expect(thrown(() => unlockKey(path, 'correct horse')).code).toBe('passphrase');
    const again = Library.open(home);
    expect(thrown(() => again.key).message).toMatch(/is another key/);
    again.close();
  });
});
