/** What a laboratory accepts by name (keys, certificates), each kind in a file of the data folder; what was withdrawn stays listed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserFacingError } from './errors.ts';
import { writeFileWhole } from './files.ts';

/** What each kind has besides its own. */
export const acceptedFields = {
  name: z.string().min(1),
  /** ISO 8601. */
  acceptedAt: z.string(),
  acceptedBy: z.string(),
  withdrawnAt: z.string().nullable(),
};
export interface AcceptedFields {
  name: string;
  acceptedAt: string;
  acceptedBy: string;
  withdrawnAt: string | null;
}

/** One kind of what is accepted. */
export interface AcceptedKind<T extends AcceptedFields> {
  fileName: string;
  schema: z.ZodType<T>;
  /** `laboratories` */
  words: string;
  /** `key` */
  one: string;
  /** What tells one from another, whatever its name. */
  idOf: (accepted: T) => string;
}

/** All that were ever accepted, the first first. @throws UserFacingError `damaged` */
export function listAccepted<T extends AcceptedFields>(
  home: string,
  { fileName, schema, words }: AcceptedKind<T>,
): T[] {
  const path = join(home, fileName);
  try {
    return z.array(schema).parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new UserFacingError('damaged', `${path} is no list of accepted ${words}.`, {
      path,
      advice: 'Restore it from a backup, or move it away and accept them again; until then none is accepted.',
      cause: error,
    });
  }
}

/** Those that are accepted now. Where the list cannot be read, none is. */
export function acceptedNow<T extends AcceptedFields>(home: string, kind: AcceptedKind<T>): T[] {
  try {
    return listAccepted(home, kind).filter(({ withdrawnAt }) => withdrawnAt === null);
  } catch {
    return [];
  }
}

async function write<T>(home: string, { fileName }: { fileName: string }, all: readonly T[]): Promise<void> {
  await writeFileWhole(join(home, fileName), `${JSON.stringify(all, null, 1)}\n`);
}

/** @throws UserFacingError `usage` where it, or another of that name, is accepted already; `damaged`, `unwritable` */
export async function accept<T extends AcceptedFields>(
  home: string,
  kind: AcceptedKind<T>,
  accepted: Omit<T, 'acceptedAt' | 'withdrawnAt'>,
): Promise<void> {
  const before = listAccepted(home, kind);
  const whole = { ...accepted, acceptedAt: new Date().toISOString(), withdrawnAt: null } as unknown as T;
  const same = before.find(
    (one) => one.withdrawnAt === null && (kind.idOf(one) === kind.idOf(whole) || one.name === whole.name),
  );
  if (same) {
    const what = kind.idOf(same) === kind.idOf(whole) ? `This ${kind.one}` : `Another ${kind.one} of ${whole.name}`;
    throw new UserFacingError('usage', `${what} is accepted already, as ${same.name}.`, {
      advice: 'Withdraw that one first.',
    });
  }
  await write(home, kind, [...before, whole]);
}

/** From now on it is accepted no longer. @throws UserFacingError `damaged`, `unwritable` */
export async function withdraw<T extends AcceptedFields>(
  home: string,
  kind: AcceptedKind<T>,
  id: string,
): Promise<void> {
  const withdrawnAt = new Date().toISOString();
  const withdrawn = (one: T): T => (kind.idOf(one) === id && one.withdrawnAt === null ? { ...one, withdrawnAt } : one);
  await write(home, kind, listAccepted(home, kind).map(withdrawn));
}
