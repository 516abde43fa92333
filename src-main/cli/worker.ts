/** `earwitness worker`: scores for scans that are run elsewhere. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { visibleName } from '../../src-common/visible-text.ts';
import type { Command } from 'commander';
import { collected, exitStatus, interruption, ProgressLine, positiveInteger, withStatus } from './context.ts';
import { queueAddress } from '../scanning/queue/address.ts';
import { toldOfPassword } from './queue-option.ts';

interface WorkerOptions {
  queue: string;
  jobs?: number;
  model?: string[];
  name?: string;
  idle?: number;
}

export function register(program: Command): void {
  program
    .command('worker')
    .description('Score for scans that are run elsewhere (`earwitness scan --queue`), until it is ended.')
    .requiredOption(
      '--queue <url>',
      "the PostgreSQL database of the scans' queue: postgres://NAME@HOST/DATABASE?sslmode=verify-full",
    )
    .option('--jobs <n>', 'files at a time (default: one for each core)', positiveInteger)
    .option(
      '--model <folder>',
      'a model to score with, besides those that ship and those in the data folder (repeatable)',
      collected,
    )
    .option('--name <name>', 'what this machine is called in results (default: its host name)')
    .option('--idle <seconds>', 'end after so long without work (default: never)', positiveInteger)
    .addHelpText(
      'after',
      `
Takes part in scans whose model it has, whose application, backend and ffmpeg are the same (unless the scan allows others), and
whose evidence it sees at the same paths: each file's SHA-256 is taken at both ends. Of others it says why it does not.
What it has in hand when it ends, in whatever way, goes to another worker. Passwords belong into PGPASSWORD or ~/.pgpass.
Exit status: 0 ended by --idle, 1 it failed, 130 interrupted.`,
    )
    .action(withStatus(worker));
}

async function worker(options: WorkerOptions): Promise<number> {
  const { machineName, madeHere } = await import('../scanning/queue/facts.ts');
  const { workForQueue } = await import('../scanning/queue/work.ts');
  const address = toldOfPassword(queueAddress(options.queue));
  const { idle, jobs = availableParallelism(), model = [], name = machineName() } = options;
  const made = await madeHere();
  const progress = new ProgressLine();
  const { signal, dispose } = interruption();
  const onNotice = (text: string): void => {
    progress.clear();
    process.stderr.write(`${visibleName(text)}\n`);
  };
  onNotice(`Waits for work from ${address.shown}, ${jobs} ${jobs === 1 ? 'file' : 'files'} at a time.`);
  try {
    const done = await workForQueue(address, {
      ...{ name, made, threads: jobs, models: model.map((folder) => resolve(folder)), signal, onNotice },
      ...(idle === undefined ? {} : { idleSeconds: idle }),
      onProgress: (count) => progress.show(`${count} files scored`),
    });
    onNotice(`${done} ${done === 1 ? 'file' : 'files'} scored.`);
    return signal.aborted ? exitStatus.interrupted : exitStatus.done;
  } finally {
    progress.clear();
    dispose();
  }
}
