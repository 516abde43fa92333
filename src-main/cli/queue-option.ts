import { Option } from 'commander';
import type { Command } from 'commander';
import { allowable } from '../../src-common/queue.ts';
import type { Allowable } from '../../src-common/queue.ts';
import { UserFacingError } from '../base/errors.ts';
import { queueAddress } from '../scanning/queue/address.ts';
import type { QueueAddress } from '../scanning/queue/address.ts';

/** Says that others see a password that stands in an address. */
export function toldOfPassword(address: QueueAddress): QueueAddress {
  if (address.hasPassword) {
    process.stderr.write(
      'Others on this machine see the password in the address among its processes: leave it out there, and put it into PGPASSWORD or ~/.pgpass.\n',
    );
  }
  return address;
}

/** Options of what has its files scored by the workers of a queue. */
export interface QueueOptions {
  queue?: string;
  allow?: Allowable[];
  nameWorkers?: boolean;
  jobs?: number;
}

/** @param needs what `--queue` needs besides */
export function addQueueOptions(command: Command, needs = ''): void {
  command
    .option(
      '--queue <url>',
      `have the files scored by workers (\`earwitness worker\`) of this PostgreSQL database, which reach them at the same paths${needs}`,
    )
    .addOption(
      new Option('--allow <what...>', 'let workers differ in this; their results name them').choices(allowable),
    )
    .option(
      '--name-workers',
      'results name the machine that made them (they do of themselves where it is not this one)',
    );
}

/** @returns null where this machine scores @throws UserFacingError `usage` */
export function queueOf({ queue, jobs, allow, nameWorkers }: QueueOptions): QueueAddress | null {
  if (queue === undefined) {
    if (allow === undefined && nameWorkers === undefined) return null;
    throw new UserFacingError('usage', '--allow and --name-workers are of workers: they need --queue.');
  }
  if (jobs !== undefined) {
    throw new UserFacingError('usage', '--jobs is for `earwitness worker`: with --queue, this machine scores nothing.');
  }
  return toldOfPassword(queueAddress(queue));
}
