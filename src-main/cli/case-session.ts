/** What every command of `earwitness case` needs: the data folder's list, a case that is open, what is said of both. */
import { resolve } from 'node:path';
import { visibleName } from '../../src-common/visible-text.ts';
import { dataFolder } from '../base/home.ts';
import type { InstallationKey } from '../cases/keys.ts';
import type { CaseStore } from '../cases/store.ts';
import type { Session } from '../cases/session.ts';
import { applicationName, colour } from './context.ts';

const namedFailures = 20;

/** Opens the data folder's list for a command, and what the command opened of cases is closed after it. */
export async function withSession<T>(use: (session: Session) => Promise<T>): Promise<T> {
  const { Library } = await import('../cases/library.ts');
  const { systemActor } = await import('../cases/session.ts');
  const { clearUnfinished } = await import('../base/unfinished.ts');
  const library = Library.open(resolve(dataFolder()));
  try {
    await clearUnfinished(library.home);
    return await use({ library, actor: systemActor, program: applicationName() });
  } finally {
    library.close();
  }
}

/** The same for a command that signs: a passphrase is asked for where the key has one. */
export async function withSigning<T>(use: (session: Session) => Promise<T>): Promise<T> {
  const { unlockOwnKey } = await import('./ask-passphrase.ts');
  await unlockOwnKey();
  return withSession(use);
}

/** The key that a person signs with: that of a file, else this installation's. @throws UserFacingError as `keyOfFile` */
export async function personalKey(file: string | undefined): Promise<InstallationKey> {
  if (file === undefined) return withSigning(async ({ library }) => library.key);
  const { keyOfFile } = await import('../cases/keys.ts');
  const { unlockByTerminal } = await import('./ask-passphrase.ts');
  await unlockByTerminal(file);
  return keyOfFile(file);
}

/** A case that is open for a command, and closed after it. */
export async function withCase<T>(folder: string, use: (store: CaseStore, session: Session) => Promise<T>): Promise<T> {
  const { CaseStore } = await import('../cases/store.ts');
  return withSigning(async (session) => {
    const store = CaseStore.open(folder, session);
    if (store.broken)
      process.stderr.write(`${colour('red', 'warning:', process.stderr)} ${visibleName(store.broken.sentence)}\n`);
    try {
      return await use(store, session);
    } finally {
      store.close();
    }
  });
}

export function writeHead(store: CaseStore): void {
  const { rows, hash } = store.head;
  process.stdout.write(`Custody log: ${rows} ${rows === 1 ? 'row' : 'rows'}, head ${hash}\n`);
}

export function writeFailures(failures: readonly { subject: string; message: string }[]): void {
  for (const { subject, message } of failures.slice(0, namedFailures))
    process.stderr.write(`  ${visibleName(subject)}: ${visibleName(message)}\n`);
  if (failures.length > namedFailures) process.stderr.write(`  and ${failures.length - namedFailures} more\n`);
}
