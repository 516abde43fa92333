import { createHash } from 'node:crypto';

export { canonicalJson } from '../base/canonical.ts';

/** SHA-256 in lower-case hexadecimal. */
export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
