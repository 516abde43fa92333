/** `earwitness report`: a case as PDF, CSV and JSON. */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { visibleName } from '../../src-common/visible-text.ts';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import type { KeptTemplate } from '../../src-common/schemas/report-template.ts';
import type { ReportRequest } from '../../src-common/schemas/report.ts';
import { UserFacingError } from '../base/errors.ts';
import type { FinishedReport, ReportProgress, ReportSurroundings } from '../casework/issue-report.ts';
import type { CaseStore } from '../cases/store.ts';
import { applicationName, exitStatus, interruptible, withStatus } from './context.ts';
import { fastOption, modelFolder } from './model-option.ts';
import { addFilterOptions, filterOf, matching } from './item-filter.ts';
import type { FilterOptions } from './item-filter.ts';
import { mustBeFree, overwriteOption, writeOutputs } from './outputs.ts';
import type { OutputFiles } from './outputs.ts';

const help = `
WHAT is the folder or the number of a case, or recordings and folders with recordings. A report of a case is kept in the
case and logged; a report of recordings is neither, and says so. With --draft a case's report is made as it would be issued now, marked
DRAFT on every page, and nothing is kept or logged; where --out ends in .docx the draft is a document that can be edited, it says so on every
page, and the log notes that it was saved. A report names the examiner, whoever authorises it, and the technical reviewers whose
sign-off the log has since the report before (earwitness case review). Laboratory, address and verbal scale come from the settings.
Up to 100 items have a section each, with figures; more are listed in a table, and with --short all are: what the sections would say is then in
the attached report.json. With --saliency the latest result of each item and of
each stretch has a map by occlusion with its test, which takes some seconds each; where a map does no better than chance it is not
shown, and the report says so.
With --each item, every item (or those of --items) has a report of its own, and with --each case every case that is named; --out is then the
folder that takes them (report-NUMBER-item-3.pdf, report-NUMBER.pdf). One that fails is named, and the others are made.

Examples:
  earwitness report cases/2026-014 --out report.pdf --authorised-by "A. Smith" --json report.json
  earwitness report cases/2026-014 --draft --template court.json --out draft.pdf
  earwitness report cases/2026-014 --draft --out draft.docx
  earwitness report cases/2026-014 --items 3,7 --amends 2026-014/1 --amendment "Item 7 added." --amendment-reason "It came late." --out report.pdf
  earwitness report cases/2026-014 --again 2026-014/1 --out report.pdf
  earwitness report call.wav --out report.pdf
  earwitness report cases/2026-014 --each item --items 3,7 --short --out reports
  earwitness report cases/2026-014 --tag caller --min-length 3 --draft --out draft.pdf
  earwitness report cases/2026-014 cases/2026-015 --each case --draft --out drafts
Exit status: 0 done, 1 failed, 2 wrong usage, 3 some recordings could not be read, or some reports of several not made.`;

interface Options extends FilterOptions {
  out: string;
  each?: 'item' | 'case';
  json?: string;
  csv?: string;
  overwrite?: boolean;
  again?: string;
  draft?: boolean;
  items?: number[];
  model?: string;
  fast?: boolean;
  authorisedBy: string;
  authoriserQualification?: string;
  examinerQualification?: string;
  method: string;
  departures: string;
  opinions: string;
  amends?: string;
  amendment: string;
  amendmentReason?: string;
  saliency?: boolean;
  traces?: boolean;
  short?: boolean;
  template?: string;
}

/** Adds `earwitness report`. */
export function register(program: Command): void {
  const command = program
    .command('report')
    .description('Report on a case or on recordings as a PDF, with the machine-readable report attached.')
    .argument('<what...>', 'a case (its folder or number), or recordings; with --each, cases')
    .requiredOption('--out <file.pdf>', 'the document, of a draft also file.docx; with --each, the folder')
    .addOption(new Option('--each <what>', 'a report of each item, or of each case').choices(['item', 'case']))
    .option('--json <file.json>', 'the machine-readable report beside it')
    .option('--csv <file.csv>', 'the results as a table beside it')
    .addOption(overwriteOption())
    .option('--again <number>', 'give out once more, byte for byte, a report that the case issued')
    .option('--draft', 'only look at it, or edit it (DOCX): marked DRAFT on every page, never a report of the case')
    .option('--items <ids>', 'of the case only the items with these ids, as in 1,4,7', itemIds)
    .option('--model <model>', "for recordings: a model's folder or name (default: the model that ships)")
    .addOption(fastOption())
    .option('--authorised-by <name>', 'who authorises the report', '')
    .option('--authoriser-qualification <text>', 'what qualifies whoever authorises it')
    .option('--examiner-qualification <text>', 'what qualifies the examiner (default: as the settings say)')
    .option('--method <text>', 'the method in your own words', '')
    .option('--departures <text>', 'departures from the method', '')
    .option('--opinions <text>', 'opinions and interpretations, marked as such', '')
    .option('--amends <number>', 'number of the report that this one amends')
    .option('--amendment <text>', 'what was changed', '')
    .option('--amendment-reason <text>', 'why it was changed')
    .option('--template <file.json>', "the laboratory's template, as Settings export it: who it is, in which words")
    .option('--short', 'a table of the items in place of sections and figures; all else is in the attached data')
    .option('--traces', 'also what recording and editing left in each file (docs/traces.md)')
    .option('--saliency', 'also which parts of the sound each score rests on, tested against chance; no evidence')
    .addHelpText('after', help)
    .action(withStatus(report));
  addFilterOptions(command);
}

function itemIds(text: string): number[] {
  const ids = text.split(',').map(Number);
  if (!ids.every((id) => Number.isSafeInteger(id) && id > 0)) {
    throw new InvalidArgumentError('It must be ids of items, with commas between them.');
  }
  return ids;
}

function wrongUsage(message: string): UserFacingError {
  return new UserFacingError('usage', message);
}

/** Whether a document that can be edited is asked for. */
function isDocx({ out, each }: Options): boolean {
  return each === undefined && extname(out).toLowerCase() === '.docx';
}

function checkOptions(options: Options): void {
  if (options.each !== undefined) {
    const ofOne = {
      json: '--json',
      csv: '--csv',
      again: '--again',
      amends: '--amends',
      model: '--model',
      fast: '--fast',
    } as const;
    for (const [key, option] of Object.entries(ofOne)) {
      if (options[key as keyof typeof ofOne] !== undefined) {
        throw wrongUsage(`${option} is of one report, not of several: --each has none.`);
      }
    }
    if (options.each === 'case' && options.items) throw wrongUsage('--items are of one case: use --each item.');
  }
  if (isDocx(options) && !options.draft) {
    throw new UserFacingError('usage', `--out ${options.out}: a report is issued as PDF only.`, {
      advice: 'A document that can be edited is a draft: add --draft, or name a file that ends in .pdf.',
    });
  }
  const ofDocument = options.each === undefined && !isDocx(options) ? options.out : undefined;
  for (const [option, path, extension] of [
    ['--out', ofDocument, options.draft ? '.pdf or .docx' : '.pdf'],
    ['--json', options.json, '.json'],
    ['--csv', options.csv, '.csv'],
  ] as const) {
    if (path !== undefined && !extension.split(' or ').includes(extname(path).toLowerCase())) {
      throw wrongUsage(`${option} ${path} does not end in ${extension}.`);
    }
  }
  if (options.amends !== undefined && options.amendment.trim() === '') {
    throw wrongUsage('--amends needs --amendment: what was changed.');
  }
  if (options.short && options.saliency) throw wrongUsage('--short has no figures: --saliency is for the full form.');
  if (options.short && options.traces) throw wrongUsage('--short has no figures: --traces is for the full form.');
  if (options.again !== undefined && options.draft)
    throw wrongUsage('--again is of a report that was issued: it is no draft.');
  if (options.amends === undefined && options.amendment !== '') throw wrongUsage('--amendment needs --amends.');
  if (options.amends === undefined && options.amendmentReason !== undefined) {
    throw wrongUsage('--amendment-reason needs --amends.');
  }
}

/** The folder of the case that is meant; null where recordings are. */
async function caseFolder(what: readonly string[], home: string): Promise<string | null> {
  const { databasePath } = await import('../cases/database.ts');
  const exists = (path: string): Promise<boolean> =>
    stat(path).then(
      () => true,
      () => false,
    );
  if (await exists(databasePath(resolve(what[0])))) {
    if (what.length > 1) throw wrongUsage('A report is of one case: --each case makes one of each.');
    return resolve(what[0]);
  }
  if (what.length > 1 || (await exists(what[0])) || !(await exists(home))) return null;
  const { Library } = await import('../cases/library.ts');
  const library = Library.open(home);
  try {
    const named = library.list().filter(({ number, id }) => number === what[0] || id === what[0]);
    if (named.length > 1) throw wrongUsage(`Several cases have the number ${what[0]}: name the folder of one.`);
    return named[0]?.folder ?? null;
  } finally {
    library.close();
  }
}

/** The folders of several cases. @throws UserFacingError `usage` for what is none */
async function caseFolders(what: readonly string[], home: string): Promise<string[]> {
  const folders: string[] = [];
  for (const one of what) {
    const folder = await caseFolder([one], home);
    if (folder === null) throw wrongUsage(`${one} is no case: --each makes reports of cases.`);
    if (!folders.includes(folder)) folders.push(folder);
  }
  return folders;
}

/** The files that are asked for. */
function placesOf({ out, json, csv }: Options): string[] {
  return [out, json, csv].filter((path) => path !== undefined);
}

/** The recordings that are meant; only where something stands that must be none of them. */
async function recordingsIn(what: readonly string[], options: Options): Promise<string[]> {
  if (!placesOf(options).some((path) => existsSync(path))) return [];
  const { listFiles } = await import('../scanning/scan-files.ts');
  return (await listFiles([...what], true)).requests.map(({ path }) => path);
}

type Written = Pick<FinishedReport, 'json' | 'csv'> & ({ pdf: Uint8Array } | { docx: Uint8Array });

async function write(options: Options, outputs: OutputFiles, { json, csv, ...made }: Written): Promise<void> {
  const files = new Map([[options.out, 'pdf' in made ? made.pdf : made.docx]]);
  if (options.json !== undefined) files.set(options.json, json);
  if (options.csv !== undefined) files.set(options.csv, csv);
  await writeOutputs(files, outputs);
}

/** The template that is asked for. @throws UserFacingError `template`, `not-found`, `unreadable` */
async function templateOf({ template }: Options): Promise<{ template?: KeptTemplate }> {
  if (template === undefined) return {};
  const { kept, readTemplate } = await import('../reports/template-store.ts');
  return { template: kept(await readTemplate(template)) };
}

/** What is asked for, with what it is made of. */
interface Order {
  options: Options;
  filter: ReturnType<typeof filterOf>;
  surroundings: ReportSurroundings;
  asked: Omit<ReportRequest, 'caseId' | 'evidenceIds' | 'amends' | 'amendment'>;
}

/** How it goes on, for who waits at the terminal. */
interface Progress extends Required<ReportProgress> {
  clear: () => void;
}

async function orderOf(options: Options, filter: Order['filter'], home: string): Promise<Order> {
  const { SettingsStore } = await import('../engine/settings-store.ts');
  const store = await SettingsStore.open(home);
  if (store.problem) process.stderr.write(`${store.problem.sentence}\n`);
  const chosen = await templateOf(options);
  const asked = {
    authorisedBy: options.authorisedBy,
    authoriserQualification: options.authoriserQualification,
    examinerQualification: options.examinerQualification,
    method: options.method,
    departures: options.departures,
    opinions: options.opinions,
    ...(chosen.template === undefined ? {} : { template: chosen.template.template.name }),
    ...(options.saliency ? { saliency: true } : {}),
    ...(options.traces ? { traces: true } : {}),
    ...(options.short ? { form: 'short' as const } : {}),
  };
  const surroundings = { application: applicationName(), home, settings: store.get(), ...chosen };
  return { options, filter, surroundings, asked };
}

async function report(what: string[], options: Options): Promise<number> {
  checkOptions(options);
  const { dataFolder } = await import('../base/home.ts');
  const home = resolve(dataFolder());
  const filter = filterOf(options);
  if (filter !== null && options.again !== undefined) throw wrongUsage('--again is of a report as it was issued.');
  if (filter !== null && options.items) throw wrongUsage('--items name the items: filters would choose others.');
  const folder = options.each === undefined ? await caseFolder(what, home) : null;
  if (options.again !== undefined) {
    if (folder === null) throw wrongUsage('--again needs the case that issued the report.');
    return again(folder, options.again, options);
  }
  const order = await orderOf(options, filter, home);
  if (options.each !== undefined) return ofEach(what, options.each, order);
  return interruptible((signal, line) => {
    const progress = {
      signal,
      onProgress: (done: number, total: number, doing: string) => line.show(`${done} of ${total}: ${doing}`),
      clear: () => line.clear(),
    };
    return folder === null ? ofRecordings(what, order, progress) : ofCase(folder, order, progress);
  });
}

/** Who examines, unless the settings say it. */
async function examiner({ surroundings: { settings } }: Order): Promise<() => string> {
  const { systemActor } = await import('../cases/session.ts');
  return () => settings.examiner || systemActor();
}

async function ofEach(what: string[], each: NonNullable<Options['each']>, order: Order): Promise<number> {
  const { options, filter, surroundings, asked } = order;
  const folders = await caseFolders(what, surroundings.home);
  if (options.items && folders.length > 1) throw wrongUsage('--items are of one case.');
  const { reportEach } = await import('./report-each.ts');
  return reportEach(
    {
      ...{ folders, each, items: options.items ?? [], filter, draft: options.draft === true, out: options.out },
      overwrite: options.overwrite === true,
      asked: { ...asked, amends: null, amendment: '' },
    },
    surroundings,
    await examiner(order),
  );
}

async function ofRecordings(what: string[], order: Order, progress: Progress): Promise<number> {
  const { options, filter, surroundings, asked } = order;
  if (options.items ?? options.amends ?? options.draft ?? filter) {
    throw wrongUsage('--items, filters of items, --amends and --draft are for reports of a case.');
  }
  const { reportFiles } = await import('../casework/report-files.ts');
  const outputs = { overwrite: options.overwrite, recordings: await recordingsIn(what, options) };
  await mustBeFree(placesOf(options), outputs);
  const request = { paths: what, report: asked, model: await modelFolder(options) };
  const finished = await reportFiles(request, surroundings, progress);
  await write(options, outputs, finished);
  progress.clear();
  for (const failure of finished.failed) process.stderr.write(`${visibleName(failure)}\n`);
  process.stdout.write(`${options.out}: report ${finished.number}, ${finished.pages} pages, of no case.\n`);
  return finished.failed.length > 0 ? exitStatus.someFailed : exitStatus.done;
}

async function ofCase(folder: string, order: Order, progress: Progress): Promise<number> {
  const { options } = order;
  if (options.model !== undefined || options.fast) {
    throw wrongUsage('--model and --fast are for reports of recordings; a case is scanned first.');
  }
  const outputs = { overwrite: options.overwrite, cases: [folder] };
  // Before anything is logged.
  await mustBeFree(placesOf(options), outputs);
  if (options.draft && !isDocx(options)) await draftOf(folder, order, outputs, progress);
  else await loggedOf(folder, order, outputs, progress);
  return exitStatus.done;
}

async function requestFor({ options, filter, asked }: Order, store: CaseStore): Promise<ReportRequest> {
  return {
    ...asked,
    caseId: store.id,
    evidenceIds: filter === null ? (options.items ?? []) : await matching(store, filter),
    amends: options.amends ?? null,
    amendment: options.amendment,
    amendmentReason: options.amendmentReason,
  };
}

function say({ out }: Options, what: string): void {
  process.stdout.write(`${visibleName(`${out}: ${what}`)}\n`);
}

/** For reading: nothing is logged, and whoever has the case open goes on. */
async function draftOf(folder: string, order: Order, outputs: OutputFiles, progress: Progress): Promise<void> {
  const { options, surroundings } = order;
  const [{ CaseStore }, { draftReport }] = await Promise.all([
    import('../cases/store.ts'),
    import('../casework/issue-report.ts'),
  ]);
  const store = CaseStore.read(folder);
  try {
    const request = await requestFor(order, store);
    const { pages, ...finished } = await draftReport(store, request, surroundings, progress);
    progress.clear();
    await write(options, outputs, finished);
    say(options, `a draft, ${pages} pages; nothing was issued.`);
  } finally {
    store.close();
  }
}

/** A report that the case issues, or a draft that can be edited: the log has a row of either. */
async function loggedOf(folder: string, order: Order, outputs: OutputFiles, progress: Progress): Promise<void> {
  const { options, surroundings } = order;
  const [{ CaseStore }, { Library }, reports] = await Promise.all([
    import('../cases/store.ts'),
    import('../cases/library.ts'),
    import('../casework/issue-report.ts'),
  ]);
  const actor = await examiner(order);
  const library = Library.open(surroundings.home);
  try {
    const store = CaseStore.open(folder, { library, actor, program: surroundings.application });
    try {
      const request = await requestFor(order, store);
      if (isDocx(options)) {
        const made = await reports.editableDraft(store, request, surroundings, progress);
        progress.clear();
        await write(options, outputs, made);
        reports.noteEditableDraft(store, made, resolve(options.out));
        say(options, 'a draft that can be edited; nothing was issued, and the log notes that it was saved.');
        return;
      }
      const { issued, ...finished } = await reports.issueReport(store, request, surroundings, progress);
      progress.clear();
      await write(options, outputs, finished).catch((error: unknown) => {
        throw notWritten(error, issued.number, folder);
      });
      say(options, `report ${issued.number}, ${issued.pages} pages, SHA-256 ${issued.sha256}.`);
    } finally {
      store.close();
    }
  } finally {
    library.close();
  }
}

/** Why a report that was issued is not where it was wanted. */
function notWritten(error: unknown, number: string, folder: string): unknown {
  if (!(error instanceof UserFacingError)) return error;
  return new UserFacingError(error.code, `The report ${number} was issued, but: ${error.message}`, {
    ...(error.path === undefined ? {} : { path: error.path }),
    advice: `Choose another place: earwitness report ${folder} --again ${number} --out FILE.pdf`,
    cause: error,
  });
}

/** Beside whoever has the case open. */
async function again(folder: string, number: string, options: Options): Promise<number> {
  const [{ CaseStore }, { reportAgain }] = await Promise.all([
    import('../cases/store.ts'),
    import('../casework/issue-report.ts'),
  ]);
  const outputs = { overwrite: options.overwrite, cases: [folder] };
  await mustBeFree(placesOf(options), outputs);
  const store = CaseStore.read(folder);
  try {
    const { issued, ...finished } = await reportAgain(store, number);
    await write(options, outputs, finished);
    process.stdout.write(
      `${options.out}: report ${issued.number}, issued ${issued.issuedAt}, SHA-256 ${issued.sha256}.\n`,
    );
    return exitStatus.done;
  } finally {
    store.close();
  }
}
