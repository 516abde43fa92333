/** Other laboratories whose validations this installation accepts: their keys, by name, kept in the data folder; withdrawn ones stay listed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserFacingError } from '../base/errors.ts';
import { writeFileWhole } from '../base/files.ts';

const fileName = 'laboratories.json';

const laboratorySchema = z.strictObject({
  name: z.string().min(1),
  /** Ed25519, SPKI, DER, base64. */
  publicKey: z.string().min(1),
  /** ISO 8601. */
  acceptedAt: z.string(),
  acceptedBy: z.string(),
  withdrawnAt: z.string().nullable(),
});
export type Laboratory = z.infer<typeof laboratorySchema>;

/** All that were ever accepted, the first first. @throws UserFacingError `damaged` */
export function listLaboratories(home: string): Laboratory[] {
  const path = join(home, fileName);
  try {
    return z.array(laboratorySchema).parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new UserFacingError('damaged', `${path} is no list of accepted laboratories.`, {
      path,
      advice: 'Restore it from a backup, or move it away and accept them again; until then none is accepted.',
      cause: error,
    });
  }
}

/** Whether a key is of a laboratory that is accepted now. Where the list cannot be read, none is. */
export function isAccepted(home: string, publicKey: string): boolean {
  try {
    return listLaboratories(home).some((one) => one.publicKey === publicKey && one.withdrawnAt === null);
  } catch {
    return false;
  }
}

async function write(home: string, laboratories: readonly Laboratory[]): Promise<void> {
  await writeFileWhole(join(home, fileName), `${JSON.stringify(laboratories, null, 1)}\n`);
}

/** @throws UserFacingError `usage` where its key, or another of that name, is accepted already; `damaged`, `unwritable` */
export async function acceptLaboratory(
  home: string,
  { name, publicKey, acceptedBy }: Pick<Laboratory, 'name' | 'publicKey' | 'acceptedBy'>,
): Promise<void> {
  const before = listLaboratories(home);
  const same = before.find((one) => one.withdrawnAt === null && (one.publicKey === publicKey || one.name === name));
  if (same) {
    const what = same.publicKey === publicKey ? 'This key' : `Another key of ${name}`;
    throw new UserFacingError('usage', `${what} is accepted already, as ${same.name}.`, {
      advice: 'Withdraw that one first.',
    });
  }
  await write(home, [
    ...before,
    { name, publicKey, acceptedBy, acceptedAt: new Date().toISOString(), withdrawnAt: null },
  ]);
}

/** From now on what the key signed is for screening again. @throws UserFacingError `damaged`, `unwritable` */
export async function withdrawLaboratory(home: string, publicKey: string): Promise<void> {
  const withdrawnAt = new Date().toISOString();
  const withdrawn = (one: Laboratory): Laboratory =>
    one.publicKey === publicKey && one.withdrawnAt === null ? { ...one, withdrawnAt } : one;
  await write(home, listLaboratories(home).map(withdrawn));
}
