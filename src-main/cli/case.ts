/** `earwitness case`: makes, shows, verifies, shares and accepts cases. */
import { resolve } from 'node:path';
import { visibleName } from '../../src-common/visible-text.ts';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { reasonWords } from '../../src-common/reason-words.ts';
import { alarmWords } from '../../src-common/alarms.ts';
import { findingWords } from '../../src-common/findings.ts';
import type { CaseView } from '../../src-common/schemas/case.ts';
import type { EvidenceRow } from '../../src-common/schemas/evidence.ts';
import { UserFacingError } from '../base/errors.ts';
import { colour, exitStatus, interruptible, positiveInteger, withStatus } from './context.ts';
import { registerAnchor } from './case-anchor.ts';
import { registerCountersign } from './case-countersign.ts';
import { registerSignReport } from './case-sign-report.ts';
import { registerKey } from './case-key.ts';
import { registerLabels } from './case-labels.ts';
import { registerMarks } from './case-marks.ts';
import { registerReviews } from './case-reviews.ts';
import { withCase, withSession, withSigning, writeFailures, writeHead } from './case-session.ts';
import { addFilterOptions, filterOf, matching } from './item-filter.ts';
import type { FilterOptions } from './item-filter.ts';
import { mustBeFree, overwriteOption } from './outputs.ts';
import { modelLine } from './present.ts';
import { fastOption, modelOption, modelToScoreWith } from './model-option.ts';
import type { ModelOptions } from './model-option.ts';
import { addQueueOptions, queueOf } from './queue-option.ts';
import type { QueueOptions } from './queue-option.ts';
import { addReadingOptions } from './reading.ts';
import type { ReadingOptions } from './reading.ts';

interface NewOptions {
  number: string;
  title: string;
  examiner?: string;
  customer?: string;
  contact?: string;
  question?: string;
  notes?: string;
}

interface AddOptions {
  copy?: boolean;
  senderHash: SenderHash[];
  from?: string;
  received?: string;
  condition?: string;
  recursive: boolean;
}

interface ScanOptions extends ReadingOptions, ModelOptions, FilterOptions, QueueOptions {
  which: 'new' | 'failed' | 'all';
  despiteControls?: boolean;
}

interface ImportOptions {
  to?: string;
  older?: boolean;
  signer?: string;
}

interface SenderHash {
  name: string | null;
  hash: string;
}

const pageRows = 1000;
/** `case show` hashes no more than this of what looks changed. */
const mostHashedBytes = 2 ** 28;

function senderHash(text: string, before: SenderHash[]): SenderHash[] {
  const match = /^(?:(.+)=)?([0-9a-f]{64}|[0-9a-f]{32})$/i.exec(text);
  if (!match) throw new InvalidArgumentError('It must be a SHA-256 or MD5, or NAME=HASH.');
  return [...before, { name: match[1] ?? null, hash: match[2].toLowerCase() }];
}

export function register(program: Command): void {
  const command = program
    .command('case')
    .description('Keep recordings in cases: evidence with its hashes, results, and a custody log of everything done.');
  registerNew(command);
  registerAdd(command);
  registerScan(command);
  registerList(command);
  registerShow(command);
  registerExport(command);
  registerImport(command);
  registerAccept(command);
  registerMarks(command);
  registerLabels(command);
  registerReviews(command);
  registerAnchor(command);
  registerCountersign(command);
  registerSignReport(command);
  registerKey(command);
  registerShare(command);
  registerDelete(command);
}

function registerNew(command: Command): void {
  command
    .command('new')
    .description('Make a case in a folder that is empty or does not exist yet.')
    .argument('<dir>', "the case's folder")
    .requiredOption('--number <number>', 'number of the case')
    .requiredOption('--title <title>', 'what it is called')
    .option('--examiner <name>', 'who examines')
    .option('--customer <name>', 'for whom')
    .option('--contact <text>', 'how the customer is reached')
    .option('--question <text>', 'what the customer asks')
    .option('--notes <text>', 'notes')
    .action(async (folder: string, options: NewOptions) => {
      const { CaseStore } = await import('../cases/store.ts');
      await withSigning(async (session) => {
        const { contact, ...details } = options;
        const given = contact === undefined ? details : { ...details, customerContact: contact };
        const store = CaseStore.create(folder, given, session);
        process.stdout.write(`Made the case ${options.number} in ${store.folder}.\n`);
        writeHead(store);
        store.close();
      });
    });
}

function registerAdd(command: Command): void {
  command
    .command('add')
    .description('Take recordings into a case: files, and all recordings in folders and below.')
    .argument('<dir>', "the case's folder")
    .argument('<path...>', 'files and folders')
    .option('--copy', 'copy them into the case (default: they stay in place)')
    .option(
      '--sender-hash <hash>',
      'SHA-256 or MD5 as the sender gave it, or NAME=HASH; may be repeated',
      senderHash,
      [],
    )
    .option('--from <name>', 'from whom they were received')
    .option('--received <time>', 'when they were received')
    .option('--condition <text>', 'their condition on receipt')
    .option('--no-recursive', 'not the folders below folders')
    .addHelpText(
      'after',
      `
Exit status: 0 all were taken in, 2 wrong usage, 3 some were not, or have another hash than the sender's (named), 130 interrupted.
Files are opened for reading only. In a folder, files that are no recordings (by content) are counted and passed over; what
the case has from the same place already is left alone, so that an interrupted command can be repeated.`,
    )
    .action(withStatus(add));
}

function registerScan(command: Command): void {
  const scan = command
    .command('scan')
    .description('Score the recordings of a case and keep the results in it.')
    .argument('<dir>', "the case's folder")
    .addOption(modelOption())
    .addOption(fastOption())
    .addOption(
      new Option(
        '--which <items>',
        'new: never scored, changed, scored with another model, or failed for their drive or this machine; failed: all that failed',
      )
        .choices(['new', 'failed', 'all'])
        .default('new'),
    )
    .option('--jobs <n>', 'files at a time (default: one for each core)', positiveInteger)
    .option('--despite-controls', 'scan also where control recordings lie beyond their limits; the log says so')
    .addHelpText(
      'after',
      `
Where control recordings were chosen (see: control --help), they are scored first, on this machine. With --queue, workers score the rest;
the log says so, and each result which machine made it where that is not this one. Passwords of a queue belong into PGPASSWORD or ~/.pgpass.
Exit status: 0 every item has its result, 2 wrong usage, 3 some failed (named), 130 interrupted. What was interrupted goes on with
the next scan, in the window too. Filters choose among the items that --which names. A score is high for bona fide speech.`,
    )
    .action(withStatus(scanCase));
  addReadingOptions(scan);
  addFilterOptions(scan);
  addQueueOptions(scan);
}

function registerList(command: Command): void {
  command
    .command('list')
    .description('List the cases of this installation.')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      await withSession(async ({ library }) => {
        const entries = library.list();
        if (options.json) process.stdout.write(`${JSON.stringify(entries, null, 1)}\n`);
        else if (entries.length === 0)
          process.stderr.write('There are no cases yet: make one with `earwitness case new`.\n');
        else {
          for (const { number, title, state, items, folder } of entries) {
            const cells = [number, title, state, `${items} items`, folder];
            process.stdout.write(`${cells.map(visibleName).join('\t')}\n`);
          }
        }
      });
    });
}

function registerShow(command: Command): void {
  const showing = command
    .command('show')
    .description('Show a case: details, items with their findings, and the head of its log.')
    .argument('<dir>', "the case's folder")
    .option('--json', 'as JSON, with everything known of each item')
    .option('--log', 'the custody log instead of the items')
    .action(async (folder: string, options: ShowOptions) => {
      await show(folder, options);
    });
  addFilterOptions(showing);
}

function registerExport(command: Command): void {
  command
    .command('export')
    .description('Write a case to one file: database and copies of evidence, but not what stays in place.')
    .argument('<dir>', "the case's folder")
    .requiredOption('--out <file>', 'the file to write; whole or not at all')
    .addOption(overwriteOption('replace the file that stands there'))
    .action(async (folder: string, options: { out: string; overwrite?: boolean }) => {
      process.exitCode = await exportTo(folder, options.out, options.overwrite === true);
    });
}

function registerImport(command: Command): void {
  command
    .command('import')
    .description('Take in a case from one file. It is verified as a whole before it appears.')
    .argument('<file>', 'the exported case')
    .option('--to <dir>', 'the folder that it is put below (default: cases in the data folder)')
    .option(
      '--signer <fingerprint>',
      'accept that this key went on with the case since it was seen here; the log says so',
    )
    .option('--older', 'also where a later state of its log was seen here, as when the case itself is lost')
    .action(withStatus(importFrom));
}

function registerAccept(command: Command): void {
  command
    .command('accept')
    .description('Go on with a case that another installation went on with, whose key is not known here.')
    .argument('<dir>', "the case's folder")
    .option('--signer <fingerprint>', 'the key, as whoever worked on the case names it (`case key` there)')
    .addHelpText(
      'after',
      `
Without --signer, says who signed and what was done since, and changes nothing. A key that nobody confirms may be that of someone who wrote the
log anew: ask for its fingerprint by another way than the case came. The log notes that it was accepted.
Exit status: 0 accepted, 1 it cannot be, 2 wrong usage, 4 to be accepted.`,
    )
    .action(async (folder: string, options: { signer?: string }) => {
      process.exitCode = await accept(folder, options.signer);
    });
}

function registerShare(command: Command): void {
  command
    .command('share')
    .description("Mark a case's folder as shared: files in it take the folder's group and its rights, never more.")
    .argument('<dir>', "the case's folder")
    .option('--private', "files in it are their owners' alone again")
    .addHelpText(
      'after',
      `
Files of a case are for their owner's eyes alone unless the owner of its folder marks it as shared, which its log notes. Give the folder its
group and rights first (chgrp GROUP DIR; chmod 2770 DIR); what changes of them later holds from the next opening on. The key, the settings
and the list of cases are never shared.`,
    )
    .action(async (folder: string, options: { private?: boolean }) => {
      await withCase(folder, async (store) => {
        const rights = store.share(options.private !== true);
        process.stdout.write(
          rights
            ? `${store.folder} is shared: group ${rights.group}, rights ${rights.mode}.\n`
            : `What lies in ${store.folder} is for its owner alone.\n`,
        );
        writeHead(store);
      });
    });
}

function registerDelete(command: Command): void {
  command
    .command('delete')
    .description(
      'Delete a case with its results and copies of evidence. Evidence in place stays; a trace stays in the data folder.',
    )
    .argument('<dir>', "the case's folder")
    .requiredOption('--confirm <number>', 'the number of the case, to confirm')
    .requiredOption('--reason <text>', 'why; it stays in the trace')
    .action(async (folder: string, options: { confirm: string; reason: string }) => {
      const { deleteCase } = await import('../cases/delete.ts');
      await withCase(folder, async (store, session) => {
        await deleteCase(store, session, { confirmNumber: options.confirm, reason: options.reason });
      });
      process.stdout.write(`Deleted the case ${options.confirm}.\n`);
    });
}

function hashesByName(given: readonly SenderHash[], paths: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map(({ name, hash }) => {
      if (name !== null) return [name, hash];
      if (paths.length === 1) return [resolve(paths[0]), hash];
      throw new UserFacingError('usage', 'With several paths, say of which file a hash is: --sender-hash NAME=HASH.');
    }),
  );
}

async function add(folder: string, paths: string[], options: AddOptions): Promise<number> {
  const { intakeSummary, takeIn } = await import('../casework/case-intake.ts');
  const senderHashes = hashesByName(options.senderHash, paths);
  return withCase(folder, (store, { library }) =>
    interruptible(async (signal, progress) => {
      const failures: { subject: string; message: string }[] = [];
      const outcome = await takeIn(
        store,
        {
          paths: paths.map((path) => resolve(path)),
          recursive: options.recursive,
          copy: options.copy === true,
          conditionOnReceipt: options.condition ?? '',
          receivedAt: options.received ?? '',
          receivedFrom: options.from ?? '',
          senderHashes,
        },
        {
          home: library.home,
          signal,
          onProgress: ({ done, total }) =>
            progress.show(total === null ? 'looking for files' : `${done} of ${total} files`),
          onProblem: (subject, message) => failures.push({ subject, message }),
        },
      );
      progress.clear();
      process.stderr.write(`${intakeSummary(outcome)}\n`);
      writeFailures(failures);
      writeHead(store);
      return failures.length > 0 ? exitStatus.someFailed : exitStatus.done;
    }),
  );
}

/** What became of items that failed before. */
function failedLine(failed: readonly number[], taken: readonly number[]): string {
  const again = failed.filter((id) => taken.includes(id)).length;
  const left = failed.length - again;
  const kept = left === 0 ? '' : `; ${left} failed for what they are (\`--which failed\` scans them all the same)`;
  return `${failed.length} ${failed.length === 1 ? 'item' : 'items'} failed before: ${again} scanned again${kept}.`;
}

async function scanCase(folder: string, options: ScanOptions): Promise<number> {
  const filter = filterOf(options);
  const address = queueOf(options);
  const { allow = [], nameWorkers = false } = options;
  const { runCaseScan } = await import('../casework/case-scan.ts');
  const { controlsFirst } = await import('../casework/controls-first.ts');
  const model = await modelToScoreWith(options);
  return withCase(folder, (store, { library, actor, program }) =>
    interruptible(async (signal, progress) => {
      process.stderr.write(`${modelLine(model)}\n`);
      // What another scan left is taken up first; it may have been with another model.
      const scans: number[] = [];
      for (const open of store.scans.unfinished()) {
        if (open.modelSha256 === model.onnxSha256) scans.push(open.id);
        else store.scans.end(open.id, 'cancelled', 'A scan with another model was begun.');
      }
      const chosen = filter === null ? null : new Set(await matching(store, filter));
      const ids = store.scans.idsToScan(options.which, model.onnxSha256).filter((id) => chosen?.has(id) ?? true);
      const failedBefore = store.scans.idsToScan('failed', model.onnxSha256).filter((id) => chosen?.has(id) ?? true);
      if (failedBefore.length > 0) process.stderr.write(`${failedLine(failedBefore, ids)}\n`);
      const { scanId } = store.scans.begin(
        {
          model: options.fast ? 'fast' : (options.model ?? null),
          modelName: model.card.name,
          modelSha256: model.onnxSha256,
          channel: options.channels ?? 'auto',
          stream: options.stream ?? null,
          readAll: options.readAll ?? false,
          queue: address && { address: address.kept, allow, nameWorkers },
        },
        ids,
      );
      scans.push(scanId);
      const failures: { subject: string; message: string }[] = [];
      const onNotice = (text: string): void => {
        progress.clear();
        process.stderr.write(`${visibleName(text)}\n`);
      };
      let scored = 0;
      const controls = await controlsFirst(store, scans, model, {
        ...{ home: library.home, application: program, by: actor(), signal },
        goesOn: options.despiteControls ?? false,
      });
      if (controls !== null) process.stderr.write(`${controls}\n`);
      for (const scan of scans) {
        const outcome = await runCaseScan(store, scan, model, program, {
          ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
          signal,
          onProgress: (done, total) => progress.show(`${done} of ${total} files`),
          onProblem: (subject, message) => failures.push({ subject, message }),
          goesOnLater: () => true,
          ...(address && { queue: { address, allow, nameWorkers, onNotice } }),
        });
        scored += outcome.scored;
      }
      progress.clear();
      const failed = failures.length > 0 ? `, ${colour('red', `${failures.length} failed`, process.stderr)}` : '';
      process.stderr.write(`${scored} ${scored === 1 ? 'recording' : 'recordings'} scored${failed}.\n`);
      writeFailures(failures);
      writeHead(store);
      return failures.length > 0 ? exitStatus.someFailed : exitStatus.done;
    }),
  );
}

function writeDetails(view: CaseView): void {
  const lines: [string, string][] = [
    ['Case', `${view.number}: ${view.title}`],
    ['State', view.state],
    ['Examiner', view.examiner],
    ['Customer', [view.customer, view.customerContact].filter(Boolean).join(', ')],
    ['Question', view.question],
    ['Items', `${view.items}, of which ${view.analysed} analysed`],
    ['Look at', view.counts.flagged === 0 ? '' : `${view.counts.flagged} of them first: marked in capitals below`],
  ];
  for (const [label, text] of lines) if (text !== '') process.stdout.write(`${label.padEnd(10)}${visibleName(text)}\n`);
}

function rowLine(row: EvidenceRow): string {
  const { id, name, finding, scan, error, score, flags, stale, alarms, tags, reviewedAt, knownIn } = row;
  const result =
    error !== null
      ? `failed: ${error}`
      : finding === null
        ? scan === 'none'
          ? 'not scanned'
          : scan
        : findingWords[finding];
  const warnings = alarms.filter((alarm) => alarm !== 'scan-failed').map((alarm) => alarmWords[alarm].toUpperCase());
  const words = flags.map(reasonWords).filter((word) => !warnings.includes(word.toUpperCase()));
  const labels = [
    ...tags.map((tag) => `#${visibleName(tag)}`),
    ...(reviewedAt === null ? [] : ['reviewed']),
    ...knownIn.map((list) => `known in ${visibleName(list)}`),
  ];
  const remarks = [...warnings, ...words, ...(stale ? ['stale'] : []), ...labels];
  const cells = [
    String(id),
    visibleName(name),
    visibleName(result),
    score === null ? '' : score.toFixed(3),
    remarks.join('; '),
  ];
  return cells.join('\t').trimEnd();
}

interface ShowOptions extends FilterOptions {
  json?: boolean;
  log?: boolean;
}

async function show(folder: string, options: ShowOptions): Promise<void> {
  const asked = filterOf(options);
  if (asked !== null && options.log) throw new UserFacingError('usage', 'Filters are for items: the log has none.');
  const { CaseStore } = await import('../cases/store.ts');
  const { evidenceList } = await import('../cases/evidence-list.ts');
  const { checkQuickly } = await import('../cases/states.ts');
  const { readHead } = await import('../cases/custody.ts');
  const { fingerprintOf } = await import('../cases/keys.ts');
  const store = CaseStore.read(folder);
  try {
    if (options.log) {
      const { total } = store.log.rows({ offset: 0, limit: 1 });
      for (let left = total; left > 0; left -= pageRows) {
        const limit = Math.min(left, pageRows);
        // The first row first.
        for (const row of store.log.rows({ offset: left - limit, limit }).rows.reverse()) {
          if (options.json) process.stdout.write(`${JSON.stringify(row)}\n`);
          else
            process.stdout.write(
              `${row.position}\t${visibleName(row.time)}\t${visibleName(row.actor)}\t${visibleName(row.action)}\t${visibleName(row.summary)}\n`,
            );
        }
      }
      return;
    }
    // Only a look, so that a large case shows at once: what looks alike may still differ, which `verify` tells.
    await checkQuickly(store, store.evidence.allIds(), mostHashedBytes);
    const ids = asked === null ? store.evidence.allIds() : await matching(store, asked);
    if (options.json) {
      for await (const part of evidenceList(store, ids, 'json')) process.stdout.write(part);
      return;
    }
    writeDetails(store.view());
    if (asked !== null) process.stdout.write(`${'Shown'.padEnd(10)}${ids.length} that match\n`);
    const signer = readHead(store.database);
    if (signer) process.stdout.write(`${'Key'.padEnd(10)}${fingerprintOf(signer.publicKey)}\n`);
    if (store.shared) process.stdout.write(`${'Shared'.padEnd(10)}with whom its folder's rights name\n`);
    writeHead(store);
    process.stdout.write('\n');
    for (let offset = 0; offset < ids.length; offset += pageRows) {
      const rows = store.evidence.rowsOf(ids.slice(offset, offset + pageRows));
      for (const row of rows) process.stdout.write(`${rowLine(row)}\n`);
    }
  } finally {
    store.close();
  }
}

async function accept(folder: string, signer: string | undefined): Promise<number> {
  const [{ continuationOf }, { CaseStore }] = await Promise.all([
    import('../cases/accept.ts'),
    import('../cases/store.ts'),
  ]);
  return withSigning(async (session) => {
    const { number, fingerprint, seen, rows, since } = continuationOf(resolve(folder), session.library);
    if (signer === undefined) {
      process.stdout.write(
        `${visibleName(number)} was gone on with by ${fingerprint}: of its ${rows} rows, ${seen} were seen here.\n`,
      );
      for (const { position, time, actor, action, summary } of since.reverse()) {
        process.stdout.write(
          `${position}\t${visibleName(time)}\t${visibleName(actor)}\t${visibleName(action)}\t${visibleName(summary)}\n`,
        );
      }
      process.stdout.write(
        `Nothing was changed. To go on with it: earwitness case accept ${folder} --signer ${fingerprint}\n`,
      );
      return exitStatus.notIntact;
    }
    const store = CaseStore.open(folder, session, { signer });
    try {
      if (store.broken) throw store.broken;
      process.stdout.write(`Accepted ${fingerprint}, which went on with ${visibleName(number)}.\n`);
      writeHead(store);
      return exitStatus.done;
    } finally {
      store.close();
    }
  });
}

async function exportTo(folder: string, out: string, replace: boolean): Promise<number> {
  const { exportCase } = await import('../cases/export.ts');
  await mustBeFree([out], { overwrite: replace, cases: [folder] });
  return withCase(folder, (store) =>
    interruptible(async (signal, progress) => {
      const onProgress = (done: number, total: number): void => progress.show(`${Math.floor((100 * done) / total)} %`);
      const { sha256, head } = await exportCase(store, out, { signal, onProgress, replace });
      progress.clear();
      process.stdout.write(`Exported to ${visibleName(resolve(out))}, SHA-256 ${sha256}\n`);
      process.stdout.write(`Its custody log: ${head.rows} rows, head ${head.hash}\n`);
      return exitStatus.done;
    }),
  );
}

async function importFrom(file: string, { to, older, signer }: ImportOptions): Promise<number> {
  const { importCase } = await import('../cases/import.ts');
  return withSigning((session) =>
    interruptible(async (signal, progress) => {
      const casesFolder = to ?? resolve(session.library.home, 'cases');
      const onProgress = (done: number, total: number): void => progress.show(`${Math.floor((100 * done) / total)} %`);
      const store = await importCase(file, casesFolder, session, {
        signal,
        onProgress,
        older: older === true,
        ...(signer === undefined ? {} : { signer }),
      });
      progress.clear();
      process.stdout.write(`Imported the case ${visibleName(`${store.details().number} to ${store.folder}`)}.\n`);
      writeHead(store);
      store.close();
      return exitStatus.done;
    }),
  );
}
