import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
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
import { UserFacingError } from '../base/errors.ts';
import { unwritable } from '../base/files.ts';
import { keyName } from '../base/signatures.ts';
import { ensureFolderNow } from './folders.ts';

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

/** A public key in short, for people: the first 16 digits of its SHA-256 in groups of four. */
export function fingerprintOf(publicKey: string): string {
  const digits = createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex').slice(0, 16);
  return digits.replace(/(.{4})(?=.)/g, '$1-');
}

/** Whether a fingerprint, as people write it, is that of a public key. */
export function isFingerprintOf(text: string, publicKey: string): boolean {
  const plain = (one: string): string => one.toLowerCase().replace(/[^0-9a-f]/g, '');
  return plain(text) === plain(fingerprintOf(publicKey));
}

/**
 * The installation's key, readable by its owner alone.
 * @param options.make whether it is made where there is none
 * @throws UserFacingError `unwritable`, or `key` where the file holds none, or there is none and none is to be made.
 */
export function installationKey(home: string, { make }: { make: boolean }): InstallationKey {
  const path = join(home, keyName);
  const pem = readKey(path) ?? (make ? makeKey(home, path) : null);
  if (pem === null) {
    throw new UserFacingError('key', `The key of this installation, ${path}, is gone.`, {
      path,
      advice:
        'Restore it from a backup. Where there is none, `earwitness case key --replace` makes another one, and cases signed with the old one say so. `verify` needs no key.',
    });
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
    if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('it is of another kind');
  } catch (error) {
    throw new UserFacingError('key', `${path} does not hold the key of this installation.`, {
      path,
      advice:
        'Restore it from a backup. Where there is none, move it away; `earwitness case key --replace` makes another one, and cases signed with the old one say so.',
      cause: error,
    });
  }
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64');
  return { publicKey, sign: (message) => sign(null, Buffer.from(message), key).toString('base64') };
}

function readKey(path: string): string | null {
  try {
    const pem = readFileSync(path, 'utf8');
    // Restored from a backup, it may have become readable to others.
    chmodSync(path, 0o600);
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

function makeKey(home: string, path: string): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const beside = `${path}.${process.pid}.partial`;
  try {
    ensureFolderNow(home, 0o700);
    rmSync(beside, { force: true });
    const file = openSync(beside, 'wx', 0o600);
    writeSync(file, pem);
    fsyncSync(file);
    closeSync(file);
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
    rmSync(beside, { force: true });
  }
}
