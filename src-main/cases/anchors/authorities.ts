/** Time-stamping authorities that this installation accepts: the root certificates that their chains end in, by name. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { acceptedFields } from '../../base/accepted.ts';
import type { AcceptedKind } from '../../base/accepted.ts';
import { UserFacingError } from '../../base/errors.ts';
import { sameDigits } from '../../base/same-digits.ts';

const authoritySchema = z.strictObject({
  ...acceptedFields,
  /** DER, base64. */
  certificate: z.string().min(1),
});
export type Authority = z.infer<typeof authoritySchema>;

export const authorities: AcceptedKind<Authority> = {
  fileName: 'authorities.json',
  schema: authoritySchema,
  words: 'time-stamping authorities',
  one: 'certificate',
  idOf: ({ certificate }) => certificate,
};

/** Whether a fingerprint, as people write it, is that of a certificate. */
export function isCertificateFingerprint(text: string, certificate: X509Certificate): boolean {
  return sameDigits(text, certificate.fingerprint256);
}

/** Reads a certificate, PEM or DER. @throws UserFacingError `certificate` */
export function readCertificate(path: string): X509Certificate {
  try {
    return new X509Certificate(readFileSync(path));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new UserFacingError('certificate', `${path} ${missing ? 'does not exist' : 'holds no certificate'}.`, {
      path,
      advice: 'Take the root certificate of the authority, PEM or DER, as it publishes it.',
      cause: error,
    });
  }
}

/** An authority's root. */
export function certificateOf({ certificate }: Pick<Authority, 'certificate'>): X509Certificate {
  return new X509Certificate(Buffer.from(certificate, 'base64'));
}
