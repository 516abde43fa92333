import { chmodSync, mkdtempSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { UserFacingError } from '../base/errors.ts';
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

  /** As in another process: nothing is unsealed there yet. @returns what it signs, or the code of its error */
  async function signedElsewhere(home: string, env: Record<string, string>): Promise<string> {
    vi.resetModules();
    vi.unstubAllEnvs();
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    const { Library: Fresh } = await import('./library.ts');
    const library = Fresh.open(home);
    try {
      return library.key.sign('x');
    } catch (error) {
      return (error as UserFacingError).code;
    } finally {
      library.close();
      vi.unstubAllEnvs();
    }
  }

  it('is set, given, changed and removed; the key stays the same', async () => {
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

    expect(await signedElsewhere(home, {})).toBe('key-locked');
    expect(await signedElsewhere(home, { EARWITNESS_KEY_PASSPHRASE: 'wrong horse' })).toBe('passphrase');
    expect(
      signatureHolds(publicKey, 'x', await signedElsewhere(home, { EARWITNESS_KEY_PASSPHRASE: 'correct horse' })),
    ).toBe(true);
    const file = join(mkdtempSync(join(home, 'fd-')), 'passphrase');
    writeFileSync(file, 'correct horse\nand a second line\n');
    const descriptor = String(openSync(file, 'r'));
    const byDescriptor = await signedElsewhere(home, { EARWITNESS_KEY_PASSPHRASE_FD: descriptor });
    expect(signatureHolds(publicKey, 'x', byDescriptor)).toBe(true);

    expect(thrown(() => library.changePassphrase('wrong horse', 'battery staple')).code).toBe('passphrase');
    expect(thrown(() => library.changePassphrase(null, 'battery staple')).code).toBe('key-locked');
    library.changePassphrase('correct horse', 'bättery staple');
    expect(await signedElsewhere(home, { EARWITNESS_KEY_PASSPHRASE: 'correct horse' })).toBe('passphrase');
    // However the keyboard makes its letters.
    const typed = 'bättery staple'.normalize('NFD');
    expect(signatureHolds(publicKey, 'x', await signedElsewhere(home, { EARWITNESS_KEY_PASSPHRASE: typed }))).toBe(
      true,
    );

    library.changePassphrase('bättery staple', null);
    expect(readFileSync(path, 'utf8')).toContain('BEGIN PRIVATE KEY');
    expect(signatureHolds(publicKey, 'x', await signedElsewhere(home, {}))).toBe(true);
  });

  it('is needed to write to a case, and not to read it; a file that was changed is seen', async () => {
    const folder = join(testFolder(), 'case');
    const home = join(testFolder(), 'home');
    const session = testSession(home);
    CaseStore.create(folder, { number: '1', title: 'x' }, session).close();
    session.library.changePassphrase(null, 'correct horse');
    vi.resetModules();
    const fresh = await import('./store.ts');
    const { Library: Fresh } = await import('./library.ts');
    const read = fresh.CaseStore.read(folder);
    expect(read.details().number).toBe('1');
    read.close();
    const library = Fresh.open(home);
    const opening = thrown(() => fresh.CaseStore.open(folder, { library, actor: () => 'x', program: 'x' }));
    library.close();
    expect(opening.code).toBe('key-locked');

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
