import { createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { shortestPassphrase } from '../../src-common/passphrase.ts';
import { UserFacingError } from '../base/errors.ts';
import { unwritable } from '../base/files.ts';
import { givenPassphrase } from '../base/passphrase.ts';
import { sameDigits } from '../base/same-digits.ts';
import { publicKeyIn, seal, sealedKey, unseal } from '../base/sealed-key.ts';
import { keyName } from '../base/signatures.ts';
import { ensureFolderNow } from './folders.ts';

type Sealed = NonNullable<ReturnType<typeof sealedKey>>;

export { keyName, signatureHolds } from '../base/signatures.ts';

/** The installation's Ed25519 key, kept in the data folder and never in a case. */
export interface InstallationKey {
  /** SPKI, DER, base64. */
  readonly publicKey: string;
  /** @returns the signature, base64 */
  sign(message: string): string;
}

/** What a signature of a log's head says. */
export function headMessage(caseId: string, head: { rows: number; hash: string }): string {
  return `earwitness custody head\n${caseId}\n${head.rows}\n${head.hash}\n`;
}

/** What the signature at a milestone says: another text, so that it cannot stand for a head when the rows after it are cut off. */
export function milestoneMessage(caseId: string, { rows, hash }: { rows: number; hash: string }): string {
  return `earwitness custody milestone\n${caseId}\n${rows}\n${hash}\n`;
}

/** A public key in short, for people: the first 16 digits of its SHA-256 in groups of four. */
export function fingerprintOf(publicKey: string): string {
  const digits = createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex').slice(0, 16);
  return digits.replace(/(.{4})(?=.)/g, '$1-');
}

/** Whether a fingerprint, as people write it, is that of a public key. */
export function isFingerprintOf(text: string, publicKey: string): boolean {
  return sameDigits(text, fingerprintOf(publicKey));
}

/** Keys that were unsealed in this process, by their public key. */
const unsealed = new Map<string, KeyObject>();

/**
 * The public part of the installation's key.
 * @param options.make whether the key is made where there is none
 * @throws UserFacingError `unwritable`, or `key` where the file holds none, or there is none and none is to be made
 */
export function installationPublicKey(home: string, { make }: { make: boolean }): string {
  const path = join(home, keyName);
  return publicKeyOfFile(path, readKey(path) ?? (make ? makeKey(home, path) : ''));
}

/**
 * The installation's key, readable by its owner alone.
 * @throws UserFacingError `key` where there is none; `key-locked` where it has a passphrase that nobody gave, `passphrase` where another one was
 * given.
 */
export function installationKey(home: string): InstallationKey {
  return keyOfFile(join(home, keyName));
}

/** A key by its file. @throws UserFacingError as {@link installationKey} */
export function keyOfFile(path: string): InstallationKey {
  const pem = readKey(path) ?? '';
  const key = privateKeyIn(path, pem);
  return {
    publicKey: publicKeyOfFile(path, pem),
    sign: (message) => sign(null, Buffer.from(message), key).toString('base64'),
  };
}

function holdsNone(path: string, pem: string, cause: unknown): UserFacingError {
  if (pem === '') {
    return new UserFacingError('key', `The key of this installation, ${path}, is gone.`, {
      path,
      advice:
        'Restore it from a backup. Where there is none, `earwitness case key --replace` makes another one, and cases signed with the old one say so. `verify` needs no key.',
    });
  }
  return new UserFacingError('key', `${path} does not hold the key of this installation.`, {
    path,
    advice:
      'Restore it from a backup. Where there is none, move it away; `earwitness case key --replace` makes another one, and cases signed with the old one say so.',
    cause,
  });
}

function publicKeyOfFile(path: string, pem: string): string {
  try {
    return publicKeyIn(pem);
  } catch (error) {
    throw holdsNone(path, pem, error);
  }
}

function privateKeyIn(path: string, pem: string): KeyObject {
  try {
    const sealed = sealedKey(pem);
    if (sealed) return unsealed.get(sealed.publicKey) ?? unsealedBy(path, sealed, givenPassphrase());
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('it is of another kind');
    return key;
  } catch (error) {
    if (error instanceof UserFacingError) throw error;
    throw holdsNone(path, pem, error);
  }
}

function unsealedBy(path: string, sealed: Sealed, passphrase: string | null): KeyObject {
  if (passphrase === null) {
    throw new UserFacingError('key-locked', `The key in ${path} has a passphrase, which nobody has given yet.`, {
      path,
      advice: 'Give it where it is asked for, or by EARWITNESS_KEY_PASSPHRASE or EARWITNESS_KEY_PASSPHRASE_FD.',
    });
  }
  const key = unseal(sealed, passphrase);
  if (key === null) {
    throw new UserFacingError(
      'passphrase',
      `That is not the passphrase of the key in ${path}, or the file was changed.`,
      {
        path,
        advice:
          'Type it again. A passphrase that is lost cannot be had back: restore the key from a backup, or go on with another one (`case key --replace`).',
      },
    );
  }
  unsealed.set(sealed.publicKey, key);
  return key;
}

/**
 * The installation's key for a child of this process that signs: PKCS #8, DER; null where the child can read it by itself.
 * @throws UserFacingError as {@link installationKey}
 */
export function openedKey(home: string): Uint8Array | null {
  const path = join(home, keyName);
  const pem = readKey(path) ?? '';
  const key = privateKeyIn(path, pem);
  return sealedKey(pem) ? key.export({ format: 'der', type: 'pkcs8' }) : null;
}

/** Opens in a child what its parent gave of {@link openedKey}. */
export function takeOpenedKey(der: Uint8Array): void {
  const key = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
  unsealed.set(publicKeyIn(key.export({ format: 'pem', type: 'pkcs8' }).toString()), key);
}

/** Whether a key has a passphrase, and whether that has yet to be given. */
export function keyState(path: string): { sealed: boolean; locked: boolean } {
  const pem = readKey(path);
  const sealed = pem === null ? null : sealedKey(pem);
  return { sealed: sealed !== null, locked: sealed !== null && !unsealed.has(sealed.publicKey) };
}

/** Opens a key for this process. @throws UserFacingError `passphrase` */
export function unlockKey(path: string, passphrase: string): void {
  const pem = readKey(path);
  const sealed = pem === null ? null : sealedKey(pem);
  if (sealed) unsealedBy(path, sealed, passphrase);
}

/**
 * Gives a key a passphrase, another one, or none.
 * @param current null where it has none
 * @throws UserFacingError `passphrase` where `current` is not its, or `next` is too short; as {@link installationKey}
 */
export function changePassphrase(home: string, current: string | null, next: string | null): void {
  const path = join(home, keyName);
  if (next !== null && next.length < shortestPassphrase) {
    throw new UserFacingError('passphrase', `A passphrase has at least ${shortestPassphrase} characters.`, {
      advice: 'Several words that do not belong together are hard to guess and easy to type.',
    });
  }
  const pem = readKey(path) ?? '';
  const sealed = sealedKey(pem);
  const key = sealed ? unsealedBy(path, sealed, current) : privateKeyIn(path, pem);
  const written = next === null ? key.export({ format: 'pem', type: 'pkcs8' }).toString() : seal(key, next);
  replaceKey(path, written);
  unsealed.set(publicKeyIn(pem), key);
}

/** Restored from a backup, it may have become readable to others. On a drive without rights nothing can be done. */
function keepFromOthers(path: string): void {
  try {
    chmodSync(path, 0o600);
  } catch (error) {
    if (!['EPERM', 'EROFS', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

function readKey(path: string): string | null {
  try {
    const pem = readFileSync(path, 'utf8');
    keepFromOthers(path);
    return pem;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new UserFacingError('key', `The key of this installation, ${path}, cannot be read.`, {
      path,
      advice: 'Only the user who installed Earwitness may read it.',
      cause: error,
    });
  }
}

/** Beside its place, flushed. @returns where */
function writeBeside(path: string, pem: string): string {
  const beside = `${path}.${process.pid}.partial`;
  rmSync(beside, { force: true });
  const file = openSync(beside, 'wx', 0o600);
  try {
    writeSync(file, pem);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return beside;
}

function replaceKey(path: string, pem: string): void {
  try {
    renameSync(writeBeside(path, pem), path);
  } catch (error) {
    throw unwritable(path, error);
  }
}

function makeKey(home: string, path: string): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  let beside = '';
  try {
    ensureFolderNow(home, 0o700);
    beside = writeBeside(path, pem);
    // Of two processes that make one at the same time, one wins.
    linkSync(beside, path);
    return pem;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return readFileSync(path, 'utf8');
    // A file system without links: there it has to do without the race being decided.
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'ENOSYS') {
      renameSync(beside, path);
      return pem;
    }
    throw unwritable(path, error);
  } finally {
    if (beside !== '') rmSync(beside, { force: true });
  }
}
