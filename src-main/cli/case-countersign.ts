/** `earwitness case countersign`: a second person's signature over the log's head. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { visibleName } from '../../src-common/visible-text.ts';
import { UserFacingError } from '../base/errors.ts';
import { writeFileWhole } from '../base/files.ts';
import type { CounterSignature } from '../cases/anchors/counter-signatures.ts';
import type { Session } from '../cases/session.ts';
import type { CaseStore } from '../cases/store.ts';
import { exitStatus, withStatus } from './context.ts';
import { personalKey, withCase, writeHead } from './case-session.ts';
import { mustBeFree, overwriteOption } from './outputs.ts';

interface CountersignOptions {
  request?: string;
  answer?: string;
  key?: string;
  overwrite?: boolean;
}

export function registerCountersign(command: Command): void {
  command
    .command('countersign')
    .description("Have the log's head signed by a second person, too.")
    .argument('<dir>', "the case's folder")
    .option('--request <file>', 'write what that person signs ("person sign") on another machine; changes nothing')
    .option('--answer <file>', 'take in what that person signed')
    .option('--key <file>', "sign here, with that person's key: installation-key.pem of their data folder")
    .addOption(overwriteOption('replace the request that stands there'))
    .addHelpText(
      'after',
      `
The signature is checked before it is taken in: that it is of a row of this log, by a key that was accepted ("person accept"), and not by one that
signed this log itself. It becomes a row of the log, with the person's name and role.
Exit status: 0 done, 1 not taken (why, is said), 2 wrong usage.`,
    )
    .action(withStatus(countersign));
}

async function countersign(folder: string, { request, answer, key, overwrite }: CountersignOptions): Promise<number> {
  if ([request, answer, key].filter((one) => one !== undefined).length !== 1) {
    throw new UserFacingError('usage', 'Say what is to be done: one of --request, --answer and --key.');
  }
  const { counterSign, readAnswer } = await import('../cases/anchors/counter-signatures.ts');
  if (request !== undefined) return writeRequest(folder, request, overwrite);
  if (key !== undefined) {
    const own = await personalKey(key);
    return withCase(folder, async (store, session) => {
      return take(store, session, counterSign(store.counterSignatures.request(), own), key);
    });
  }
  const path = answer as string;
  const { unreadable } = await import('../audio/input.ts');
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw unreadable(path, error);
  });
  return withCase(folder, async (store, session) => take(store, session, readAnswer(text, path), path));
}

async function take(store: CaseStore, { library }: Session, answer: CounterSignature, from: string): Promise<number> {
  const { acceptedNow } = await import('../base/accepted.ts');
  const { people } = await import('../cases/anchors/people.ts');
  const own = [library.key.publicKey, ...library.knownKeys(store.id).map(({ publicKey }) => publicKey)];
  const taken = store.counterSignatures.take(answer, from, acceptedNow(library.home, people), own);
  process.stdout.write(
    `${visibleName(`${taken.name} (${taken.role})`)} counter-signed the log up to row ${taken.rows}.\n`,
  );
  writeHead(store);
  return exitStatus.done;
}

async function writeRequest(folder: string, path: string, overwrite: boolean | undefined): Promise<number> {
  await mustBeFree([path], { overwrite, cases: [folder] });
  const { CaseStore } = await import('../cases/store.ts');
  const store = CaseStore.read(folder);
  try {
    const request = store.counterSignatures.request();
    await writeFileWhole(path, `${JSON.stringify(request, null, 1)}\n`, { replace: overwrite === true });
    process.stdout.write(`Wrote row ${request.head.rows}, to be signed, to ${visibleName(resolve(path))}.\n`);
    return exitStatus.done;
  } finally {
    store.close();
  }
}
