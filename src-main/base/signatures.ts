import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { publicKeyIn } from './sealed-key.ts';

/** The file of the installation's private key in the data folder. */
export const keyName = 'installation-key.pem';

/** Whether a key (Ed25519, SPKI, DER, base64) signed a message. */
export function signatureHolds(publicKey: string, message: string, signature: string): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
    if (key.asymmetricKeyType !== 'ed25519') return false;
    return verify(null, Buffer.from(message), key, Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}

/** The public key (SPKI, DER, base64) of an installation by its data folder; null where it has none yet. Makes none. */
export function publicKeyOf(home: string): string | null {
  try {
    return publicKeyIn(readFileSync(join(home, keyName), 'utf8'));
  } catch {
    return null;
  }
}
