import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { visibleName } from '../../src-common/visible-text.ts';
import { UserFacingError } from '../base/errors.ts';
import { writeFileWhole } from '../base/files.ts';
import { dataFolder } from '../base/home.ts';
import { registerAccepted } from './accepted.ts';
import { exitStatus, withStatus } from './context.ts';
import { personalKey } from './case-session.ts';
import { mustBeFree, overwriteOption } from './outputs.ts';

interface AcceptOptions {
  name: string;
  role: string;
  fingerprint: string;
}

interface SignOptions {
  out: string;
  key?: string;
  overwrite?: boolean;
}

export function register(program: Command): void {
  const person = program
    .command('person')
    .description('People who counter-sign the logs of cases: name, role and key, accepted by a person.');
  person
    .command('accept')
    .description('Accept the key that made a counter-signature, as that of a person.')
    .argument('<file>', 'what "person sign" wrote')
    .requiredOption('--name <name>', 'whose key it is')
    .requiredOption('--role <role>', 'what that person is to the laboratory, as it will stand in logs')
    .requiredOption('--fingerprint <digits>', 'of the key, as that person gave it by another way than the file')
    .addHelpText(
      'after',
      `
A person sees the fingerprint of the own key by "case key". "case countersign CASE --answer FILE" then takes the signature into a log.`,
    )
    .action(withStatus(accept));
  person
    .command('sign')
    .description("Counter-sign the head of a log, as a second person: with this installation's key, or another.")
    .argument('<request>', 'what "case countersign CASE --request" wrote')
    .requiredOption('--out <file>', 'the file to write, which goes back')
    .option('--key <file>', "the key to sign with (default: this installation's)")
    .addOption(overwriteOption('replace the file that stands there'))
    .action(withStatus(sign));
  registerAccepted(person, 'Accept no longer what a key signs.', async () => {
    const { people } = await import('../cases/anchors/people.ts');
    const { fingerprintOf } = await import('../cases/keys.ts');
    return {
      kind: people,
      fingerprintOf: ({ publicKey }) => fingerprintOf(publicKey),
      nameOf: ({ name, role }) => `${name} (${role})`,
      effect: '`verify` says of their counter-signatures that they are not accepted here.',
    };
  });
}

async function accept(file: string, { name, role, fingerprint }: AcceptOptions): Promise<number> {
  const { readAnswer } = await import('../cases/anchors/counter-signatures.ts');
  const { people } = await import('../cases/anchors/people.ts');
  const { fingerprintOf, isFingerprintOf } = await import('../cases/keys.ts');
  const { systemActor } = await import('../cases/session.ts');
  const accepted = await import('../base/accepted.ts');
  const { publicKey } = readAnswer(await readText(file), file);
  if (!isFingerprintOf(fingerprint, publicKey)) {
    throw new UserFacingError('usage', `${file} is signed by ${fingerprintOf(publicKey)}, not by ${fingerprint}.`, {
      advice: 'Ask the person for the fingerprint of the key; accept nothing by what the file itself says.',
    });
  }
  await accepted.accept(resolve(dataFolder()), people, { name, role, publicKey, acceptedBy: systemActor() });
  process.stdout.write(`Accepted: ${visibleName(`${name} (${role})`)}, ${fingerprintOf(publicKey)}.\n`);
  return exitStatus.done;
}

async function sign(file: string, { out, key, overwrite }: SignOptions): Promise<number> {
  const { counterSign, readRequest } = await import('../cases/anchors/counter-signatures.ts');
  const { fingerprintOf } = await import('../cases/keys.ts');
  await mustBeFree([out], { overwrite });
  const request = readRequest(await readText(file), file);
  const answer = counterSign(request, await personalKey(key));
  await writeFileWhole(out, `${JSON.stringify(answer, null, 1)}\n`, { replace: overwrite === true });
  const { number, head, publicKey } = request;
  process.stdout.write(
    `Signed row ${head.rows} of the log of ${visibleName(number)}, head ${head.hash}, which ${fingerprintOf(publicKey)} signed,\n` +
      `with the key ${fingerprintOf(answer.publicKey)}.\n`,
  );
  return exitStatus.done;
}

async function readText(path: string): Promise<string> {
  const { unreadable } = await import('../audio/input.ts');
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw unreadable(path, error);
  });
}
