/** People whose counter-signatures this installation accepts: name, role and key. */
import { z } from 'zod';
import { acceptedFields } from '../../base/accepted.ts';
import type { AcceptedKind } from '../../base/accepted.ts';

const personSchema = z.strictObject({
  ...acceptedFields,
  role: z.string().min(1),
  /** Ed25519, SPKI, DER, base64. */
  publicKey: z.string().min(1),
});
export type Person = z.infer<typeof personSchema>;

export const people: AcceptedKind<Person> = {
  fileName: 'people.json',
  schema: personSchema,
  words: 'people',
  one: 'key',
  idOf: ({ publicKey }) => publicKey,
};
