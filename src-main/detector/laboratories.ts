/** Other laboratories whose validations this installation accepts: their keys, by name. */
import { z } from 'zod';
import { acceptedFields, acceptedNow } from '../base/accepted.ts';
import type { AcceptedKind } from '../base/accepted.ts';

const laboratorySchema = z.strictObject({
  ...acceptedFields,
  /** Ed25519, SPKI, DER, base64. */
  publicKey: z.string().min(1),
});

/** Once withdrawn, what the key signed is for screening again. */
export const laboratories: AcceptedKind<z.infer<typeof laboratorySchema>> = {
  fileName: 'laboratories.json',
  schema: laboratorySchema,
  words: 'laboratories',
  one: 'key',
  idOf: ({ publicKey }) => publicKey,
};

/** Whether a key is of a laboratory that is accepted now. */
export function isAccepted(home: string, publicKey: string): boolean {
  return acceptedNow(home, laboratories).some((one) => one.publicKey === publicKey);
}
