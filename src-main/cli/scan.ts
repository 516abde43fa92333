import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Option } from 'commander';
import type { Command } from 'commander';
import { UserFacingError } from '../base/errors.ts';
import { writeFileWhole } from '../base/files.ts';
import type { ScanResult } from '../jobs/scan.ts';
import { scanCsvHeader, scanCsvLine, scanJson } from '../reports/scan.ts';
import type { Provenance } from '../reports/scan.ts';
import { ProgressLine, colour, exitStatus, formatSeconds, interruption, positiveInteger } from './context.ts';
import { modelLine, runProvenance, tableHeader, tableLine } from './present.ts';

interface ScanOptions {
  model?: string;
  recursive?: boolean;
  jobs?: number;
  format: 'table' | 'json' | 'csv';
  out?: string;
}

/** Failed files named one by one at the end of a scan. */
const namedFailures = 20;

export function register(program: Command): void {
  program
    .command('scan')
    .description('Score recordings, and all recordings in folders.')
    .argument('<path...>', 'files and folders; after -- also those that begin with a dash')
    .option('--model <model>', "a model's folder or name (default: the model that ships)")
    .option('-r, --recursive', 'folders below the folders, too')
    .option('--jobs <n>', 'files at a time (default: one for each core)', positiveInteger)
    .addOption(new Option('--format <format>', 'form of the output').choices(['table', 'json', 'csv']).default('table'))
    .option('--out <file>', 'write the output here instead of the terminal; whole or not at all')
    .addHelpText(
      'after',
      `
Exit status: 0 every recording has its result, 2 wrong usage, 3 some failed (named; the others are done),
130 interrupted. A score is high for bona fide speech; llr is the natural logarithm of the likelihood ratio,
bona fide over spoof. In a folder, files that are no recordings (by content) are counted and passed over.`,
    )
    .action(async (paths: string[], options: ScanOptions) => {
      process.exitCode = await scan(paths, options);
    });
}

function refuseOverwriting(out: string, requests: readonly { path: string }[]): void {
  const path = resolve(out);
  if (existsSync(path) && requests.some((request) => request.path === path)) {
    throw new UserFacingError('usage', `--out names ${path}, which is one of the files to scan.`, { path });
  }
}

async function scan(paths: string[], options: ScanOptions): Promise<number> {
  const { findModel, readModel } = await import('../detector/store.ts');
  const { listFiles, scanFiles } = await import('../jobs/scan.ts');
  const model = await readModel(await findModel(options.model));
  const listing = await listFiles(paths, options.recursive === true);
  if (options.out !== undefined) refuseOverwriting(options.out, listing.requests);

  const output = new ScanOutput(options, runProvenance(model));
  const progress = new ProgressLine();
  const began = performance.now();
  let done = 0;
  let passedOver = 0;
  const failures: { path: string; message: string }[] = listing.unreadable.map(({ path, why }) => ({
    path,
    message: why,
  }));
  const { signal, dispose } = interruption();
  try {
    if (options.format === 'table' && options.out === undefined) process.stderr.write(`${modelLine(model)}\n`);
    const results = scanFiles(model, listing.requests, {
      ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
      signal,
      onDone: () => {
        done++;
        const perSecond = done / ((performance.now() - began) / 1000);
        const left = (listing.requests.length - done) / perSecond;
        progress.show(
          `${done} of ${listing.requests.length} files, ${perSecond.toFixed(1)} files/s, ${formatSeconds(left)} left`,
        );
      },
    });
    for await (const result of results) {
      if (result.passedOver) {
        passedOver++;
        continue;
      }
      if (result.error) failures.push({ path: result.path, message: result.error.message });
      progress.clear();
      output.add(result);
    }
    progress.clear();
    await output.finish({ passedOver, unreadableFolders: listing.unreadable });
  } catch (error) {
    progress.clear();
    if (!signal.aborted) throw error;
    process.stderr.write(`Interrupted after ${done} of ${listing.requests.length} files.\n`);
    if (options.out !== undefined) process.stderr.write(`${options.out} was not written.\n`);
    return exitStatus.interrupted;
  } finally {
    dispose();
  }
  const seconds = (performance.now() - began) / 1000;
  const scored = done - passedOver;
  const summary = [`${scored} ${scored === 1 ? 'recording' : 'recordings'} in ${formatSeconds(seconds)}`];
  if (passedOver > 0) summary.push(`${passedOver} other ${passedOver === 1 ? 'file' : 'files'} passed over`);
  if (failures.length > 0) summary.push(colour('red', `${failures.length} failed`, process.stderr));
  process.stderr.write(`${summary.join(', ')}.\n`);
  for (const { path, message } of failures.slice(0, namedFailures)) process.stderr.write(`  ${path}: ${message}\n`);
  if (failures.length > namedFailures) process.stderr.write(`  and ${failures.length - namedFailures} more\n`);
  return failures.length > 0 ? exitStatus.someFailed : exitStatus.done;
}

/** Writes results as they come to the terminal, or all together to a file. */
class ScanOutput {
  readonly #options: ScanOptions;
  readonly #lines: string[] = [];
  #count = 0;

  constructor(options: ScanOptions, made: Provenance) {
    this.#options = options;
    if (options.format === 'csv') this.#write(scanCsvHeader);
    if (options.format === 'json') this.#write(`{\n "made": ${JSON.stringify(made)},\n "results": [`);
    if (options.format === 'table') this.#write(`${tableHeader()}\n`);
  }

  #write(text: string): void {
    if (this.#options.out === undefined) process.stdout.write(text);
    else this.#lines.push(text);
  }

  add(result: ScanResult): void {
    switch (this.#options.format) {
      case 'csv':
        this.#write(scanCsvLine(result));
        break;
      case 'json':
        this.#write(`${this.#count > 0 ? ',' : ''}\n  ${JSON.stringify(scanJson(result))}`);
        break;
      case 'table':
        this.#write(`${tableLine(result, this.#options.out === undefined)}\n`);
    }
    this.#count++;
  }

  async finish(rest: Record<string, unknown>): Promise<void> {
    if (this.#options.format === 'json') {
      const members = Object.entries(rest).map(
        ([name, value]) => `,\n ${JSON.stringify(name)}: ${JSON.stringify(value)}`,
      );
      this.#write(`\n ]${members.join('')}\n}\n`);
    }
    if (this.#options.out !== undefined) await writeFileWhole(resolve(this.#options.out), this.#lines.join(''));
  }
}
