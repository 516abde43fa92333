/** `earwitness case anchor`: the log's head stamped by a time-stamping authority. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Anchor } from '../../src-common/schemas/custody.ts';
import { visibleName } from '../../src-common/visible-text.ts';
import { UserFacingError } from '../base/errors.ts';
import { writeFileWhole } from '../base/files.ts';
import type { Authority } from '../cases/anchors/authorities.ts';
import type { CaseStore } from '../cases/store.ts';
import { exitStatus, interruptible, positiveInteger, withStatus } from './context.ts';
import { withCase, writeHead } from './case-session.ts';
import { mustBeFree, mustBeFreeFolder, overwriteOption } from './outputs.ts';

interface AnchorOptions {
  tsa?: string;
  timeout: number;
  request?: string;
  answer?: string;
  save?: string;
  overwrite?: boolean;
}

export function registerAnchor(command: Command): void {
  command
    .command('anchor')
    .description("Have the log's head stamped by a time-stamping authority (RFC 3161).")
    .argument('<dir>', "the case's folder")
    .option('--tsa <url>', 'ask the authority there, by HTTP; nothing but a hash is sent')
    .option('--timeout <seconds>', 'how long to wait for its answer', positiveInteger, 30)
    .option(
      '--request <file>',
      'write the request to a file (.tsq) instead, for a machine with a network; changes nothing',
    )
    .option('--answer <file>', 'take in the answer to such a request (.tsr)')
    .option('--save <folder>', 'write the stamps that the log holds to a folder, for OpenSSL')
    .addOption(overwriteOption('replace the request that stands there'))
    .addHelpText(
      'after',
      `
The answer is checked before it is taken in: its signature, that it is of a row of this log, that its signer's certificate is for time stamps
alone and was valid then, and that its chain ends in a root that was accepted ("authority accept"). It becomes a row of the log. A request may be
sent by "curl -H 'Content-Type: application/timestamp-query' --data-binary @FILE.tsq URL -o FILE.tsr". Whether certificates were revoked is not looked at.
Exit status: 0 done, 1 not taken (why, is said), 2 wrong usage, 130 interrupted.`,
    )
    .action(withStatus(anchor));
}

async function anchor(folder: string, options: AnchorOptions): Promise<number> {
  const { tsa, request, answer, save } = options;
  if ([tsa, request, answer, save].filter((one) => one !== undefined).length !== 1) {
    throw new UserFacingError('usage', 'Say what is to be done: one of --tsa, --request, --answer and --save.');
  }
  if (request !== undefined) return writeRequest(folder, request, options.overwrite);
  if (save !== undefined) return saveStamps(folder, save);
  if (tsa !== undefined) return ask(folder, tsa, options.timeout);
  return takeAnswer(folder, answer as string);
}

async function ask(folder: string, url: string, timeoutSeconds: number): Promise<number> {
  const { anchorOverNetwork } = await import('../cases/anchors/ask-authority.ts');
  return withCase(folder, (store) =>
    interruptible(async (signal, progress) => {
      if (store.broken) throw store.broken;
      progress.show(`waiting for ${url}`);
      const accepted = await acceptedAuthorities(store);
      const anchor = await anchorOverNetwork(store.anchors, url, accepted, { timeoutSeconds, signal });
      progress.clear();
      return taken(store, anchor);
    }),
  );
}

async function takeAnswer(folder: string, path: string): Promise<number> {
  const { unreadable } = await import('../audio/input.ts');
  const answer = await readFile(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  return withCase(folder, async (store) =>
    taken(store, store.anchors.take(answer, path, await acceptedAuthorities(store))),
  );
}

async function acceptedAuthorities(store: CaseStore): Promise<Authority[]> {
  const { acceptedNow } = await import('../base/accepted.ts');
  const { authorities } = await import('../cases/anchors/authorities.ts');
  return acceptedNow(store.home as string, authorities);
}

function taken(store: CaseStore, { rows, time, by }: Anchor): number {
  process.stdout.write(`Anchored until row ${rows} by ${visibleName(by)}, ${time}.\n`);
  writeHead(store);
  return exitStatus.done;
}

async function writeRequest(folder: string, path: string, overwrite: boolean | undefined): Promise<number> {
  await mustBeFree([path], { overwrite, cases: [folder] });
  const { CaseStore } = await import('../cases/store.ts');
  const { timeStampRequest } = await import('../cases/anchors/time-stamp.ts');
  const store = CaseStore.read(folder);
  try {
    await writeFileWhole(path, timeStampRequest(store.anchors.message, null), { replace: overwrite === true });
    process.stdout.write(`Wrote the request for row ${store.head.rows} to ${visibleName(resolve(path))}.\n`);
    return exitStatus.done;
  } finally {
    store.close();
  }
}

async function saveStamps(folder: string, out: string): Promise<number> {
  mustBeFreeFolder(out, { overwrite: 'never' });
  const { CaseStore } = await import('../cases/store.ts');
  const { headMessage } = await import('../cases/keys.ts');
  const store = CaseStore.read(folder);
  try {
    const stamps = store.anchors.list();
    if (stamps.length === 0)
      throw new UserFacingError('not-found', 'The log of this case holds no time stamp yet.', { path: folder });
    for (const { rows, hash, token } of stamps) {
      const name = resolve(out, `row-${rows}`);
      await writeFileWhole(`${name}.txt`, headMessage(store.id, { rows, hash }), { replace: false });
      await writeFileWhole(`${name}.token.der`, Buffer.from(token, 'base64'), { replace: false });
      process.stdout.write(
        `Row ${rows}: openssl ts -verify -data row-${rows}.txt -in row-${rows}.token.der -token_in -CAfile ROOT.pem\n`,
      );
    }
    return exitStatus.done;
  } finally {
    store.close();
  }
}
