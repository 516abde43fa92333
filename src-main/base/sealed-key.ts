/**
 * The installation's key as its file holds it: PKCS #8 as PEM, or sealed under a passphrase: scrypt (RFC 7914) makes a key of that, with which
 * AES-256-GCM seals the private key, and vouches for what stands beside it.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  randomBytes,
  scryptSync,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from './canonical.ts';

const armour = /^-----BEGIN EARWITNESS SEALED KEY-----\n([A-Za-z0-9+/=\n]+)\n-----END EARWITNESS SEALED KEY-----\n?$/;
/** 128 MiB and about half a second for each guess. */
const work = { N: 2 ** 17, r: 8, p: 1 };
const mostMemory = 2 ** 30;

const base64 = z.base64().min(1);
const sealedSchema = z.strictObject({
  format: z.literal(1),
  /** SPKI, DER: who it is, is known without the passphrase. */
  publicKey: base64,
  scrypt: z.strictObject({ N: z.int().max(2 ** 20), r: z.int().max(16), p: z.int().max(4), salt: base64 }),
  nonce: base64,
  tag: base64,
  data: base64,
});
type Sealed = z.infer<typeof sealedSchema>;

/** @returns null where a key's file is not sealed @throws Error where it is, and cannot be read */
export function sealedKey(pem: string): Sealed | null {
  const match = armour.exec(pem);
  return match ? sealedSchema.parse(JSON.parse(Buffer.from(match[1], 'base64').toString())) : null;
}

/** SPKI, DER, base64. @throws Error where the file holds no key */
export function publicKeyIn(pem: string): string {
  return sealedKey(pem)?.publicKey ?? spki(createPublicKey(pem));
}

function spki(key: KeyObject): string {
  return key.export({ format: 'der', type: 'spki' }).toString('base64');
}

/** The same passphrase, however it is typed. */
function keyOf(passphrase: string, { salt, ...cost }: Sealed['scrypt']): Buffer {
  const typed = Buffer.from(passphrase.normalize('NFKC'));
  return scryptSync(typed, Buffer.from(salt, 'base64'), 32, { ...cost, maxmem: mostMemory });
}

function vouchedFor({ format, publicKey, scrypt, nonce }: Omit<Sealed, 'tag' | 'data'>): Buffer {
  return Buffer.from(canonicalJson({ format, publicKey, scrypt, nonce }));
}

/** A private key's file under a passphrase. */
export function seal(key: KeyObject, passphrase: string): string {
  const nonce = randomBytes(12);
  const scrypt = { ...work, salt: randomBytes(16).toString('base64') };
  const publicKey = spki(createPublicKey(key));
  const beside = { format: 1 as const, publicKey, scrypt, nonce: nonce.toString('base64') };
  const cipher = createCipheriv('aes-256-gcm', keyOf(passphrase, scrypt), nonce).setAAD(vouchedFor(beside));
  const data = Buffer.concat([cipher.update(key.export({ format: 'der', type: 'pkcs8' })), cipher.final()]);
  const sealed: Sealed = { ...beside, tag: cipher.getAuthTag().toString('base64'), data: data.toString('base64') };
  const lines = Buffer.from(JSON.stringify(sealed))
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN EARWITNESS SEALED KEY-----\n${lines}\n-----END EARWITNESS SEALED KEY-----\n`;
}

/** @returns null where the passphrase is another, or the file was changed */
export function unseal(sealed: Sealed, passphrase: string): KeyObject | null {
  const key = keyOf(passphrase, sealed.scrypt);
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(sealed.nonce, 'base64'), { authTagLength: 16 });
  decipher.setAAD(vouchedFor(sealed)).setAuthTag(Buffer.from(sealed.tag, 'base64'));
  try {
    const der = Buffer.concat([decipher.update(Buffer.from(sealed.data, 'base64')), decipher.final()]);
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } catch {
    return null;
  }
}
