/** `earwitness scan`: scores files and folders. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { basename, dirname, resolve, sep } from 'node:path';
import { visibleName } from '../../src-common/visible-text.ts';
import { Option } from 'commander';
import type { Command } from 'commander';
import { UserFacingError } from '../base/errors.ts';
import { writeFileWhole } from '../base/files.ts';
import type { Companion, StoredModel } from '../detector/store.ts';
import type { ScanKey } from '../scanning/scan-key.ts';
import type { ScanJournal } from '../scanning/scan-journal.ts';
import type { ScanResult } from '../scanning/scan-files.ts';
import type { KnownFile, ScoreRequest } from '../scanning/score.ts';
import type { QueueAddress } from '../scanning/queue/address.ts';
import { findingTableJson, findingTableText } from '../reports/finding-table.ts';
import { provenance, scanCsvHeader, scanCsvLine, scanJson, scanRows } from '../reports/scan-results.ts';
import type { ScanProvenance } from '../reports/scan-results.ts';
import {
  ProgressLine,
  colour,
  exitStatus,
  formatSeconds,
  interruption,
  positiveInteger,
  withStatus,
} from './context.ts';
import { mustBeFree, overwriteOption } from './outputs.ts';
import { addQueueOptions, queueOf } from './queue-option.ts';
import type { QueueOptions } from './queue-option.ts';
import { fastOption, modelOption, modelToScoreWith } from './model-option.ts';
import type { ModelOptions } from './model-option.ts';
import { addReadingOptions, readingOf } from './reading.ts';
import type { ReadingOptions } from './reading.ts';
import { modelLine, screeningCaution, showLlrOption, showsRatios, tableHeader, tableLine } from './present.ts';

interface ScanOptions extends ReadingOptions, ModelOptions, QueueOptions {
  recursive?: boolean;
  timeLimit?: number;
  format: 'table' | 'json' | 'csv';
  out?: string;
  resume?: boolean;
  overwrite?: boolean;
  showLlr?: boolean;
  key?: string;
}

/** Failed files named one by one at the end of a scan. */
const namedFailures = 20;

export function register(program: Command): void {
  const command = program
    .command('scan')
    .description('Score recordings, and all recordings in folders.')
    .argument('<path...>', 'files and folders; after -- also those that begin with a dash')
    .addOption(modelOption())
    .addOption(fastOption())
    .option('-r, --recursive', 'folders below the folders, too')
    .option('--jobs <n>', 'files at a time (default: one for each core)', positiveInteger)
    .option(
      '--time-limit <seconds>',
      'give a file up after this long (default: ten minutes and more for large ones)',
      positiveInteger,
    )
    .addOption(new Option('--format <format>', 'form of the output').choices(['table', 'json', 'csv']).default('table'))
    .addOption(showLlrOption())
    .option(
      '--key <file>',
      'labels of the files: says how often the findings were right (columns path and label, or a dataset’s spec)',
    )
    .option('--out <file>', 'write the output here instead of the terminal; whole or not at all')
    .option('--resume', 'go on with a scan to --out that was interrupted')
    .addOption(overwriteOption('replace the file that stands there; begin anew where a scan to it was interrupted'))
    .addHelpText(
      'after',
      `
Exit status: 0 every recording has its result, 2 wrong usage, 3 some failed (named; the others are done),
130 interrupted. A score is high for bona fide speech; in JSON and CSV llr is the natural logarithm of the likelihood ratio,
bona fide over spoof. Scores of single windows are uncalibrated. In a folder, files that are no recordings (by content) are counted
and passed over. With --out, results are written as they come to a journal beside it (<file>.partial), which
--resume goes on from: only what is missing or has changed since is scored. With --key, the end says how often the
findings were right (on standard error, and in JSON). Passwords of a queue belong into PGPASSWORD or ~/.pgpass.`,
    )
    .action(withStatus(scan));
  addReadingOptions(command);
  addQueueOptions(command, '; with --out');
}

/** The files to scan but for what this scan writes itself. */
async function withoutOwnFiles(
  out: string,
  journal: string,
  requests: readonly ScoreRequest[],
  { overwrite, resume }: ScanOptions,
): Promise<ScoreRequest[]> {
  await mustBeFree([journal], { overwrite: true });
  const inHand = `${dirname(out)}${sep}.${basename(out)}.`;
  const own = (name: string): boolean => name === journal || (name.startsWith(inHand) && name.endsWith('.partial'));
  const recordings = requests.filter((request) => !own(request.path));
  const read = existsSync(out) ? recordings.map(({ path }) => path) : [];
  // What is gone on with says in its journal whether it may replace a file.
  await mustBeFree([out], { overwrite: overwrite ?? resume, recordings: read });
  return recordings;
}

/** A scan that is gone on with replaces a file only where its first run was reported so. @throws UserFacingError `usage` */
async function mayReplace(out: string, journal: ScanJournal): Promise<void> {
  if (journal.replaces || !existsSync(out)) return;
  await journal.close();
  throw new UserFacingError('usage', `${out} exists.`, {
    path: out,
    advice: 'Move it away and go on with --resume, or add --overwrite instead to begin anew and replace it.',
  });
}

/** What a scan has come to, for its last words. */
class Tally {
  done = 0;
  passedOver = 0;
  failed = 0;
  readonly named: { path: string; message: string }[] = [];

  fail(path: string, message: string): void {
    if (this.failed++ < namedFailures) this.named.push({ path, message });
  }

  report(began: number, leftOutFolders: number): number {
    const seconds = (performance.now() - began) / 1000;
    const scored = this.done - this.passedOver;
    const summary = [`${scored} ${scored === 1 ? 'recording' : 'recordings'} in ${formatSeconds(seconds)}`];
    if (this.passedOver > 0) {
      summary.push(`${this.passedOver} other ${this.passedOver === 1 ? 'file' : 'files'} passed over`);
    }
    if (leftOutFolders > 0) {
      const folders = `${leftOutFolders} ${leftOutFolders === 1 ? 'folder' : 'folders'}`;
      summary.push(`${folders} below left out (--recursive takes them, too)`);
    }
    if (this.failed > 0) summary.push(colour('red', `${this.failed} failed`, process.stderr));
    process.stderr.write(`${summary.join(', ')}.\n`);
    for (const { path, message } of this.named)
      process.stderr.write(`  ${visibleName(message.includes(path) ? message : `${path}: ${message}`)}\n`);
    if (this.failed > this.named.length) process.stderr.write(`  and ${this.failed - this.named.length} more\n`);
    return this.failed > 0 ? exitStatus.someFailed : exitStatus.done;
  }
}

async function scan(paths: string[], options: ScanOptions): Promise<number> {
  const { ScanJournal, journalPath } = await import('../scanning/scan-journal.ts');
  const { listFiles, scanAsDone, scanFiles } = await import('../scanning/scan-files.ts');
  const { out } = options;
  if (out === undefined && (options.resume || options.overwrite)) {
    throw new UserFacingError('usage', '--resume and --overwrite need --out: only a file has a journal.');
  }
  if (options.resume && options.overwrite) {
    throw new UserFacingError('usage', 'Choose between --resume and --overwrite.');
  }
  const address = queueOf(options);
  if (address !== null && out === undefined) {
    throw new UserFacingError('usage', '--queue needs --out: its journal is what a scan goes on from.');
  }
  const key = options.key === undefined ? null : await readKey(options.key, options);
  const model = await modelToScoreWith(options);
  const ratios = showsRatios(model, options);
  const listing = await listFiles(paths, options.recursive === true);
  // A key counts recordings: of each, one result.
  const reading = readingOf(key === null ? options : { channels: 'mix', ...options });
  const listed =
    out === undefined
      ? listing.requests
      : await withoutOwnFiles(resolve(out), journalPath(resolve(out)), listing.requests, options);
  const requests = listed.map((request) => ({ ...request, reading }));
  const made = provenance(model);
  const journal =
    out === undefined
      ? null
      : await ScanJournal.open(
          journalPath(resolve(out)),
          { made, card: model.card, settings: { ...reading } },
          { resume: options.resume === true, overwrite: options.overwrite === true },
        );
  if (options.resume && journal) {
    await mayReplace(resolve(options.out as string), journal);
    const count = journal.reusable;
    process.stderr.write(
      count > 0 ? `Going on: ${count} of ${requests.length} files are done.\n` : 'There is nothing to go on from.\n',
    );
  }

  const progress = new ProgressLine();
  const began = performance.now();
  const tally = new Tally();
  for (const { path, why } of listing.unreadable) tally.fail(path, why);
  const count = (result: ScanResult): void => {
    tally.done++;
    if (result.passedOver) tally.passedOver++;
    const perSecond = tally.done / ((performance.now() - began) / 1000);
    const left = (requests.length - tally.done) / perSecond;
    progress.show(
      `${tally.done} of ${requests.length} files, ${perSecond.toFixed(1)} files/s, ${formatSeconds(left)} left`,
    );
  };
  const { signal, dispose } = interruption();
  const settings = {
    ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
    ...(options.timeLimit === undefined ? {} : { limitSeconds: options.timeLimit }),
    signal,
  };
  try {
    const rest = () => ({
      passedOver: tally.passedOver,
      unreadableFolders: listing.unreadable,
      records: model.card.records,
      ...(model.companions ? { companions: companionsJson(model.companions) } : {}),
      ...(model.card.status === 'screening' ? { llrCaution: screeningCaution } : {}),
      ...(key ? { findings: findingTableJson(key.table()), unlabelled: key.unlabelled } : {}),
    });
    const counted = (result: ScanResult): ScanResult => {
      key?.add(result);
      if (result.error) tally.fail(result.path, result.error.message);
      return result;
    };
    if (out === undefined || journal === null) {
      if (options.format === 'table') {
        const caution = ratios && model.card.status === 'screening' ? ` Likelihood ratio ${screeningCaution}.` : '';
        process.stderr.write(`${modelLine(model)}${caution}\n`);
      }
      const results = async function* (): AsyncGenerator<ScanResult> {
        for await (const result of scanFiles(model, requests, { ...settings, onDone: count })) {
          progress.clear();
          if (!result.passedOver) yield counted(result);
        }
      };
      for await (const part of formatted(options.format, made, model, results(), rest, {
        ratios,
        onTerminal: true,
        workers: false,
      })) {
        if (!process.stdout.write(part)) await once(process.stdout, 'drain');
      }
    } else {
      const onResult = async (request: ScoreRequest, result: ScanResult): Promise<void> => {
        await journal.add(request, result);
        count(result);
      };
      const known = (request: ScoreRequest) => journal.known(request);
      if (address === null) await scanAsDone(model, requests, onResult, { ...settings, known });
      else await overQueue(address, model, requests, onResult, { ...settings, known, options, progress });
      const results = async function* (): AsyncGenerator<ScanResult> {
        for await (const result of journal.results(requests)) yield counted(result);
      };
      const workers = address !== null && (await namesWorkers(journal, options));
      const text = formatted(options.format, journal.made, model, results(), rest, {
        ratios,
        onTerminal: false,
        workers,
      });
      await writeFileWhole(resolve(out), text, { replace: journal.replaces });
      await journal.remove();
    }
    progress.clear();
  } catch (error) {
    progress.clear();
    await journal?.close();
    if (!signal.aborted) throw error;
    process.stderr.write(`Interrupted after ${tally.done} of ${requests.length} files.\n`);
    if (out !== undefined) {
      process.stderr.write(`${out} was not written; the same command with --resume goes on from here.\n`);
    }
    return exitStatus.interrupted;
  } finally {
    dispose();
  }
  if (key) tellFindings(key);
  return tally.report(began, listing.leftOutFolders);
}

/** Has the files scored by the workers of a queue. */
async function overQueue(
  address: QueueAddress,
  model: StoredModel,
  requests: readonly ScoreRequest[],
  onResult: (request: ScoreRequest, result: ScanResult) => Promise<void>,
  given: {
    options: ScanOptions;
    progress: ProgressLine;
    limitSeconds?: number;
    signal: AbortSignal;
    known: (request: ScoreRequest) => KnownFile | null;
  },
): Promise<void> {
  const { options, progress, ...settings } = given;
  const { scanOverQueue } = await import('../scanning/queue/spread.ts');
  const { madeHere } = await import('../scanning/queue/facts.ts');
  await scanOverQueue(address, model, requests, onResult, {
    ...settings,
    made: await madeHere(),
    allow: options.allow ?? [],
    onNotice: (text) => {
      progress.clear();
      process.stderr.write(`${visibleName(text)}\n`);
    },
  });
}

/** Whether rows name who scored them: on request, and where that was another machine, several, or one that may differ. */
async function namesWorkers(journal: ScanJournal, options: ScanOptions): Promise<boolean> {
  const { describeWorker, machineName, madeHere } = await import('../scanning/queue/facts.ts');
  const here = describeWorker(machineName(), await madeHere());
  return options.nameWorkers === true || [...journal.workers].some((worker) => worker !== here);
}

/** @throws UserFacingError `usage` where channels are scored one by one, `dataset` for a key that cannot be read. */
async function readKey(key: string, { channels }: ScanOptions): Promise<ScanKey> {
  if (channels === 'each' || channels === 'auto') {
    throw new UserFacingError(
      'usage',
      `--key counts recordings, and --channels ${channels} scores several parts of one.`,
      {
        advice: 'Choose one channel or the mix.',
      },
    );
  }
  const { ScanKey } = await import('../scanning/scan-key.ts');
  return ScanKey.read(key);
}

/** How often the findings were right, by the labels of the key. */
function tellFindings(key: ScanKey): void {
  const lines = [findingTableText(key.table())];
  if (key.unlabelled > 0)
    lines.push(`Scanned files without a label in the key, which are left out: ${key.unlabelled}.\n`);
  if (key.notScanned > 0) lines.push(`Recordings of the key that were not among the files: ${key.notScanned}.\n`);
  process.stderr.write(lines.join(''));
}

/** Those that may have spoken in the model's place, with what is known of each. */
function companionsJson(companions: readonly Companion[]): unknown[] {
  return companions.map(({ name, condition, model: { card, onnxSha256 } }) => ({
    name,
    model: { name: card.name, status: card.status, onnxSha256 },
    condition,
    records: card.records,
  }));
}

/** The parts of a scan's output, as the results come. */
async function* formatted(
  format: ScanOptions['format'],
  made: ScanProvenance,
  model: StoredModel,
  results: AsyncIterable<ScanResult>,
  rest: () => Record<string, unknown>,
  { ratios, onTerminal, workers }: { ratios: boolean; onTerminal: boolean; workers: boolean },
): AsyncGenerator<string> {
  const { speakerOf } = await import('../detector/store.ts');
  if (format === 'csv') yield scanCsvHeader(workers);
  if (format === 'json') yield `{\n "made": ${JSON.stringify(made)},\n "results": [`;
  if (format === 'table') yield `${tableHeader(ratios)}\n`;
  let first = true;
  for await (const result of results) {
    for (const row of scanRows(result)) {
      const { card } = speakerOf(model, row.analysis);
      if (format === 'csv') yield scanCsvLine(row, card, workers);
      if (format === 'json') yield `${first ? '' : ','}\n  ${JSON.stringify(scanJson(row, card, workers))}`;
      if (format === 'table') {
        const by = workers && row.worker !== undefined ? `  [${visibleName(row.worker)}]` : '';
        yield `${tableLine(row, onTerminal, ratios)}${by}\n`;
      }
      first = false;
    }
  }
  if (format === 'json') {
    const members = Object.entries(rest()).map(
      ([name, value]) => `,\n ${JSON.stringify(name)}: ${JSON.stringify(value)}`,
    );
    yield `\n ]${members.join('')}\n}\n`;
  }
}
