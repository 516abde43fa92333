import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { visibleName } from '../../src-common/visible-text.ts';
import { UserFacingError } from '../base/errors.ts';
import { dataFolder } from '../base/home.ts';
import { registerAccepted } from './accepted.ts';
import { exitStatus, withStatus } from './context.ts';

export function register(program: Command): void {
  const laboratory = program
    .command('laboratory')
    .description(
      'Other laboratories whose validated models are validated here, too: by their keys, accepted by a person.',
    );
  laboratory
    .command('accept')
    .description('Accept the key that signed the record of a validation.')
    .argument('<record>', 'validation.json, or the folder of a model that holds it')
    .requiredOption('--name <name>', 'whose key it is')
    .requiredOption('--fingerprint <digits>', 'of the key, as that laboratory gave it by another way than the file')
    .addHelpText(
      'after',
      `
A laboratory sees the fingerprint of its own key by "case key". What the key signed keeps its status when it is imported from then on; "withdraw"
makes all of it a matter of screening again.`,
    )
    .action(withStatus(accept));
  registerAccepted(laboratory, 'Accept no longer what a key signed.', async () => {
    const { laboratories } = await import('../detector/laboratories.ts');
    const { fingerprintOf } = await import('../cases/keys.ts');
    return {
      kind: laboratories,
      fingerprintOf: ({ publicKey }) => fingerprintOf(publicKey),
      effect: 'Models that it validated are for screening here.',
    };
  });
}

/** @throws UserFacingError `validation-record` */
async function readRecord(place: string) {
  const { validationRecordSchema } = await import('../../src-common/schemas/validation.ts');
  const { recordHolds } = await import('../laboratory/validation-record.ts');
  const { validationRecordName } = await import('../detector/store.ts');
  const isFolder = await stat(place).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const path = isFolder ? join(place, validationRecordName) : place;
  const wrong = (what: string, cause?: unknown): UserFacingError =>
    new UserFacingError('validation-record', `${path} ${what}.`, {
      path,
      advice: 'Take validation.json as it lies beside the card of a validated model.',
      cause,
    });
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw wrong('cannot be read', error);
  });
  let json: unknown = null;
  try {
    json = JSON.parse(text);
  } catch {
    // Said below.
  }
  const { success, data, error } = validationRecordSchema.safeParse(json);
  if (!success) throw wrong('is no record of a validation', error);
  if (!recordHolds(data)) throw wrong('is not as its key signed it');
  return data;
}

async function accept(place: string, { name, fingerprint }: { name: string; fingerprint: string }): Promise<number> {
  const { laboratories } = await import('../detector/laboratories.ts');
  const accepted = await import('../base/accepted.ts');
  const { fingerprintOf, isFingerprintOf } = await import('../cases/keys.ts');
  const { systemActor } = await import('../cases/session.ts');
  const { signature, plan, endedAt } = await readRecord(resolve(place));
  const { publicKey } = signature;
  if (!isFingerprintOf(fingerprint, publicKey)) {
    throw new UserFacingError('usage', `The record is signed by ${fingerprintOf(publicKey)}, not by ${fingerprint}.`, {
      advice: 'Ask the laboratory for the fingerprint of its key; accept nothing by what the file itself says.',
    });
  }
  await accepted.accept(resolve(dataFolder()), laboratories, { name, publicKey, acceptedBy: systemActor() });
  process.stdout.write(
    `Accepted: ${visibleName(name)}, ${fingerprintOf(publicKey)}. The record is of ${endedAt}, by ${visibleName(plan.laboratory)}.\n`,
  );
  return exitStatus.done;
}
