/** `list` and `withdraw` of what a laboratory accepts by name. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { visibleName } from '../../src-common/visible-text.ts';
import type { AcceptedFields, AcceptedKind } from '../base/accepted.ts';
import { UserFacingError } from '../base/errors.ts';
import { dataFolder } from '../base/home.ts';
import { sameDigits } from '../base/same-digits.ts';
import { exitStatus, withStatus } from './context.ts';

interface Listed<T extends AcceptedFields> {
  kind: AcceptedKind<T>;
  fingerprintOf: (one: T) => string;
  /** Who it is, in a list. */
  nameOf?: (one: T) => string;
  /** What its withdrawal means. */
  effect: string;
}

/** @param load what is needed once one of them runs */
export function registerAccepted<T extends AcceptedFields>(
  command: Command,
  withdrawWords: string,
  load: () => Promise<Listed<T>>,
): void {
  const list = async (): Promise<number> => {
    const { kind, fingerprintOf, nameOf = ({ name }) => name } = await load();
    const { listAccepted } = await import('../base/accepted.ts');
    const all = listAccepted(resolve(dataFolder()), kind);
    if (all.length === 0) process.stdout.write(`No ${kind.words} were accepted.\n`);
    for (const one of all) {
      const withdrawn = one.withdrawnAt === null ? '' : `, withdrawn ${one.withdrawnAt}`;
      const who = `${visibleName(nameOf(one))}, accepted ${one.acceptedAt} by ${visibleName(one.acceptedBy)}`;
      process.stdout.write(`${fingerprintOf(one)}  ${who}${withdrawn}\n`);
    }
    return exitStatus.done;
  };
  const withdraw = async (fingerprint: string): Promise<number> => {
    const { kind, fingerprintOf, effect } = await load();
    const accepted = await import('../base/accepted.ts');
    const home = resolve(dataFolder());
    const found = accepted
      .listAccepted(home, kind)
      .find((one) => one.withdrawnAt === null && sameDigits(fingerprintOf(one), fingerprint));
    if (!found) {
      throw new UserFacingError('usage', `No ${kind.one} ${fingerprint} is accepted.`, {
        advice: `“${command.name()} list” shows all.`,
      });
    }
    await accepted.withdraw(home, kind, kind.idOf(found));
    process.stdout.write(`Withdrawn: ${visibleName(found.name)}. ${effect}\n`);
    return exitStatus.done;
  };
  command.command('list').description('All that were accepted, also those withdrawn.').action(withStatus(list));
  command.command('withdraw').description(withdrawWords).argument('<fingerprint>').action(withStatus(withdraw));
}
