/** `earwitness dataset`: inspects, checks, splits and degrades datasets. */
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { visibleName } from '../../src-common/visible-text.ts';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { UserFacingError } from '../base/errors.ts';
import type { DatasetCheck } from '../datasets/check.ts';
import type { DatasetInspection, ValueCount } from '../datasets/inspect.ts';
import type { Measured } from '../datasets/measure-all.ts';
import type { SplitKey, SplitResult } from '../datasets/split.ts';
import type { DatasetItem } from '../datasets/types.ts';
import {
  applicationVersion,
  colour,
  exitStatus,
  formatSeconds,
  interruptible,
  wholeNumber,
  withStatus,
} from './context.ts';
import type { ProgressLine } from './context.ts';
import { usedSpec } from './dataset-option.ts';
import { mustBeFree, overwriteOption, writeOutputs } from './outputs.ts';
import { table } from './table.ts';

const rowsShown = 20;

const specHelp = `
SPEC is one of
  asvspoof2019:DIR   ASVspoof 2019 LA as published, in DIR or up to two folders below it
  asvspoof2021:DIR   ASVspoof 2021 LA and DF with the published keys: keys/LA/CM/trial_metadata.txt, keys/DF/..., beside
                     flac or ASVspoof2021_LA_eval and so on; splits test (the subset eval), progress and hidden
  asvspoof5:DIR      ASVspoof 5, track 1: ASVspoof5_protocols beside flac_T, flac_D and flac_E_eval
  for:DIR            one version of Fake-or-Real: training, validation, testing / real, fake
  in-the-wild:DIR    In-the-Wild: meta.csv beside its recordings; no splits
  wavefake:DIR       WaveFake: a folder for each voice and vocoder (ljspeech_melgan); spoofs only, without splits, unless
                     LJSpeech-1.1 or jsut_ver1.1 stands beside them
  mlaad:DIR          MLAAD: fake/LANGUAGE/MODEL with its meta.csv; spoofs only, without splits
  folder:DIR         folders bonafide, real, genuine or human, and spoof, fake or synthetic; train, dev and test folders
                     directly above or below them are its splits; the first folder below a spoof one names the generator
  bonafide:DIR       a folder all of whose recordings are bona fide; no splits
  manifest:FILE.csv  columns path and label, optionally split, generator, speaker, source, codec, language, year, kind, chain and
                     quality; paths relative to FILE's folder
  collection:NAME[@VERSION]  a collection (see: collection --help); ?expired behind it takes what is past retention too
or several of them joined by +, as in mlaad:DIR+bonafide:DIR. Each recording keeps its split; those of a part without
splits are in none, so that beside parts with splits only "all" takes them: deal them with "dataset split" first.
`;

const inspectHelp = `${specHelp}
Every recording is decoded (--quick reads headers only), and what would make training or figures worthless is said:
the same audio twice, also coded anew, resampled or at another level; speakers and sources in two splits; classes out of
balance; and shortcuts, properties such as duration or level that tell the classes apart without the voice.

Exit status: 0 every file could be read, 2 wrong usage, 3 some are missing or unreadable (named), 130 interrupted,
1 anything else.`;

const splitHelp = `${specHelp}
Splits that the dataset has are left aside. What shares a speaker or a source, or holds the same sound, also coded anew or
spoken again by a vocoder, goes to one split as a whole, and whatever hangs together through it; both classes come as
near to the shares as that allows. Files that cannot be read are left out.

Exit status: 0 written, 2 wrong usage, 3 written without some that cannot be read, 130 interrupted, 1 anything else.`;

const telephoneHelp = `${specHelp}
Each copy has 8 kHz and 16 bits, at another level (10 dB either way). Three of four go over a line: about 300 to 3,400 Hz,
the edges drawn for each, and eight bits by mu-law or A-law (ITU-T G.711). The rest has the lower rate alone. Splits,
labels, speakers and sources stay. "train --band telephone" trains on such copies.

Exit status: 0 written, 2 wrong usage, 3 written without some that cannot be read, 130 interrupted, 1 anything else.`;

const degradeHelp = `${specHelp}
For each copy a family of degradations is drawn (mp3, Opus, white noise, …), then one of the family; a recording's copies go through
unlike families. "earwitness robustness" measures through the same ones: what is to be measured as unheard must be left out here.
Labels, speakers and sources stay, so that copies can be trained on beside their originals:
  earwitness dataset degrade manifest:FILE --split train --with mp3-32,opus-16,white-20 --out copies
  earwitness train --dataset manifest:FILE+manifest:copies/manifest.csv --out DIR

Exit status: 0 written, 2 wrong usage, 3 written without some that cannot be read, 130 interrupted, 1 anything else.`;

export function register(program: Command): void {
  const dataset = program.command('dataset').description('Look at labelled recordings for training and evaluation.');
  dataset
    .command('inspect')
    .description(
      'Count recordings by split, label and generator, and warn of what makes them unfit to train or measure on.',
    )
    .argument('<spec>', 'the dataset, as KIND:PATH')
    .option('--bonafide <spec>', 'bona fide recordings from elsewhere (a folder or a spec), for a dataset of spoofs')
    .option('--quick', 'read headers only: no search for repeated audio and shortcuts')
    .option('--html <file>', 'write it as a page with plots')
    .addOption(overwriteOption('replace the page that stands there'))
    .option('--json', 'everything as JSON: every speaker, generator and file that cannot be read')
    .option('--jobs <n>', 'files to look at at the same time (default: one for each core)', parseJobs)
    .addHelpText('after', inspectHelp)
    .action(withStatus(inspect));
  dataset
    .command('split')
    .description('Deal recordings to train, dev and test, disjoint by speaker and source, and write a manifest.')
    .argument('<spec>', 'the dataset, as KIND:PATH')
    .requiredOption('--out <file>', 'the manifest (CSV), to be used as manifest:FILE')
    .option('--bonafide <spec>', 'bona fide recordings from elsewhere (a folder or a spec), for a dataset of spoofs')
    .addOption(sharesOption())
    .addOption(keysOption())
    .option('--seed <n>', 'same seed and dataset: same splits', wholeNumber, 1)
    .option('--quick', 'do not listen: the same sound may come to stand in two splits')
    .addOption(overwriteOption('replace the manifest that stands there'))
    .option('--jobs <n>', 'files to look at at the same time (default: one for each core)', parseJobs)
    .addHelpText('after', splitHelp)
    .action(withStatus(split));
  dataset
    .command('telephone')
    .description('Write copies of the recordings as a telephone line leaves them, and a manifest of the copies.')
    .argument('<spec>', 'the dataset, as KIND:PATH')
    .requiredOption('--out <folder>', 'where copies and manifest.csv go, to be used as manifest:FOLDER/manifest.csv')
    .option('--bonafide <spec>', 'bona fide recordings from elsewhere (a folder or a spec), for a dataset of spoofs')
    .option('--seed <n>', 'same seed and dataset: same copies', wholeNumber, 1)
    .addOption(overwriteOption('replace the copies that stand there'))
    .addHelpText('after', telephoneHelp)
    .action(withStatus(telephone));
  dataset
    .command('degrade')
    .description('Write copies of the recordings as codecs, noise and rooms leave them, and a manifest of the copies.')
    .argument('<spec>', 'the dataset, as KIND:PATH')
    .requiredOption('--out <folder>', 'where copies and manifest.csv go, to be used as manifest:FOLDER/manifest.csv')
    .option('--bonafide <spec>', 'bona fide recordings from elsewhere (a folder or a spec), for a dataset of spoofs')
    .option('--split <name>', 'only the recordings of that split')
    .option('--with <list>', 'degradations to draw from, separated by commas (default: all)', (list) => list.split(','))
    .option('--copies <n>', 'of each recording', parseJobs, 1)
    .option('--seed <n>', 'same seed and dataset: same copies', wholeNumber, 1)
    .addOption(overwriteOption('replace the copies that stand there'))
    .addHelpText('after', degradeHelp)
    .action(withStatus(degrade));
}

interface DegradeOptions {
  out: string;
  bonafide?: string;
  split?: string;
  with?: string[];
  copies: number;
  seed: number;
  overwrite?: boolean;
}

interface TelephoneOptions {
  out: string;
  bonafide?: string;
  seed: number;
  overwrite?: boolean;
}

interface InspectOptions {
  bonafide?: string;
  quick?: boolean;
  html?: string;
  overwrite?: boolean;
  json?: boolean;
  jobs?: number;
}

interface SplitOptions {
  out: string;
  bonafide?: string;
  shares: number[];
  by: SplitKey[];
  seed: number;
  quick?: boolean;
  overwrite?: boolean;
  jobs?: number;
}

export function parseJobs(text: string): number {
  const jobs = Number(text);
  if (!/^\d+$/.test(text) || jobs < 1 || jobs > 256)
    throw new InvalidArgumentError('Expected is a number from 1 to 256.');
  return jobs;
}

/** How splits are dealt. */
export function sharesOption(): Option {
  const option = new Option('--shares <list>', 'per cent of train, dev and test; 0 leaves one out');
  return option.argParser(parseShares).default([70, 15, 15]);
}

/** What keeps them disjoint. */
export function keysOption(): Option {
  const what = 'what stands in one split only: speaker, source, generator, separated by commas';
  return new Option('--by <list>', what).argParser(parseKeys).default(['speaker', 'source']);
}

function parseShares(text: string): number[] {
  const shares = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (shares.length !== 3 || shares.some((share) => !(share >= 0 && share < Infinity)) || !(shares[0] > 0)) {
    throw new InvalidArgumentError('Expected are three numbers, for train, dev and test, as in 70,15,15.');
  }
  return shares;
}

function parseKeys(text: string): SplitKey[] {
  return text.split(',').map((part) => {
    const key = part.trim();
    if (key !== 'speaker' && key !== 'source' && key !== 'generator') {
      throw new InvalidArgumentError('Expected are speaker, source or generator, separated by commas.');
    }
    return key;
  });
}

/** Says how far a pass over all files is. */
export function passing(progress: ProgressLine, what: string): (done: number, total: number) => void {
  const began = Date.now();
  return (done, total) => {
    const leftSeconds = ((Date.now() - began) / 1000 / done) * (total - done);
    progress.show(`${what}: ${done} of ${total}, ${formatSeconds(leftSeconds)} left`);
  };
}

export async function listen(
  items: readonly DatasetItem[],
  jobs: number | undefined,
  signal: AbortSignal,
  progress: ProgressLine,
): Promise<Measured[]> {
  const { measureAll } = await import('../datasets/measure-all.ts');
  const measured = await measureAll(items, {
    signal,
    ...(jobs === undefined ? {} : { jobs }),
    onProgress: passing(progress, 'Listening'),
  });
  progress.show('Comparing', true);
  return measured;
}

async function inspect(spec: string, options: InspectOptions): Promise<number> {
  const html = options.html === undefined ? null : resolve(options.html);
  if (html !== null) await mustBeFree([html], { overwrite: options.overwrite });
  const { loadDataset } = await import('../datasets/load.ts');
  const { inspectDataset } = await import('../datasets/inspect.ts');
  return interruptible(async (signal, progress) => {
    const dataset = await loadDataset(await usedSpec(spec, options.bonafide));
    signal.throwIfAborted();
    const measured = options.quick ? null : await listen(dataset.items, options.jobs, signal, progress);
    const report = await inspectDataset(dataset, {
      ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
      ...(measured ? { measured } : { onProgress: passing(progress, 'Reading headers') }),
      signal,
    });
    let check: DatasetCheck | null = null;
    if (measured) check = (await import('../datasets/check.ts')).checkDataset(dataset.items, measured);
    if (html !== null) {
      const { datasetPage } = await import('../reports/dataset-page.ts');
      const application = `Earwitness ${applicationVersion()}`;
      const { items } = dataset;
      const page = datasetPage({ report, check, items, measured: measured ?? [], application, madeAt: new Date() });
      await writeOutputs(new Map([[html, page]]), { overwrite: options.overwrite });
    }
    progress.clear();
    process.stdout.write(
      options.json ? `${JSON.stringify({ ...report, ...check }, null, 2)}\n` : describe(report) + describeCheck(check),
    );
    if (html !== null) process.stderr.write(`Page written to ${html}.\n`);
    return report.problems.length > 0 ? exitStatus.someFailed : exitStatus.done;
  }, 'Interrupted.');
}

/** Where copies of a dataset go. */
interface CopyOptions {
  out: string;
  bonafide?: string;
  overwrite?: boolean;
}

/** How copies are made, each job in its own way. */
type Copying = (
  items: DatasetItem[],
  folder: string,
  options: {
    signal: AbortSignal;
    onProgress: (done: number, total: number) => void;
    onProblem: (path: string, why: string) => void;
  },
) => Promise<DatasetItem[]>;

/**
 * Writes copies and their manifest.
 * @param choose those of the dataset's recordings that are copied
 * @param copies of each recording
 */
async function copy(
  spec: string,
  options: CopyOptions,
  make: Copying,
  { choose = (items) => items, copies = 1 }: { choose?: (items: DatasetItem[]) => DatasetItem[]; copies?: number } = {},
): Promise<number> {
  const folder = resolve(options.out);
  const manifest = join(folder, 'manifest.csv');
  const { loadDataset, specPaths } = await import('../datasets/load.ts');
  if (specPaths(spec, options.bonafide).includes(manifest)) {
    throw new UserFacingError('usage', `${manifest} is the table of the recordings that are copied.`, {
      path: manifest,
      advice: 'Choose another folder.',
    });
  }
  const { manifestText } = await import('../datasets/manifest.ts');
  const { plural } = await import('../datasets/words.ts');
  const { copyPath } = await import('../laboratory/telephone-copies.ts');
  return interruptible(async (signal, progress) => {
    const { items: all } = await loadDataset(await usedSpec(spec, options.bonafide));
    const items = choose(all);
    const outputs = { overwrite: options.overwrite, recordings: all.map(({ path }) => path) };
    const paths = Array.from({ length: items.length * copies }, (_, index) => copyPath(join(folder, 'audio'), index));
    await mustBeFree([manifest, ...paths], outputs);
    const problems: string[] = [];
    // Where this is stopped, the labels of the copies before must not stand beside copies of other recordings.
    if (options.overwrite) await rm(manifest, { force: true });
    const made = await make(items, join(folder, 'audio'), {
      signal,
      onProgress: passing(progress, 'Copying'),
      onProblem: (path, why) => problems.push(why.includes(path) ? why : `${path}: ${why}`),
    });
    if (made.length === 0) throw new UserFacingError('dataset', `No recording of ${spec} can be read.`);
    await writeOutputs(new Map([[manifest, manifestText(manifest, made)]]), outputs);
    progress.clear();
    process.stdout.write(`${plural(made.length, 'copy', 'copies')} and ${manifest} written.\n`);
    if (problems.length === 0) return exitStatus.done;
    process.stderr.write(`Left out ${plural(problems.length, 'recording')} that cannot be read:\n`);
    for (const problem of problems.slice(0, rowsShown)) process.stderr.write(`  ${visibleName(problem)}\n`);
    return exitStatus.someFailed;
  }, 'Interrupted.');
}

async function telephone(spec: string, options: TelephoneOptions): Promise<number> {
  const { makeTelephoneCopies } = await import('../laboratory/telephone-copies.ts');
  return copy(spec, options, (items, folder, rest) => makeTelephoneCopies(items, folder, options.seed, rest));
}

async function degrade(spec: string, options: DegradeOptions): Promise<number> {
  const { seed, copies, split: wanted } = options;
  const { chooseDegradations } = await import('../degradation/choose.ts');
  const { makeDegradedCopies } = await import('../laboratory/degraded-copies.ts');
  const degradations = chooseDegradations(options.with);
  const skipped: string[] = [];
  const status = await copy(
    spec,
    options,
    (items, folder, rest) =>
      makeDegradedCopies(items, folder, degradations, {
        ...rest,
        seed,
        copies,
        onSkipped: ({ name }, why) => skipped.push(`${name}: ${why}`),
      }),
    { copies, choose: (items) => chosenSplit(spec, items, wanted) },
  );
  for (const why of skipped) process.stderr.write(`Not drawn: ${why}.\n`);
  return status;
}

/** @throws UserFacingError `dataset` where no recording is in that split. */
function chosenSplit(spec: string, items: DatasetItem[], split: string | undefined): DatasetItem[] {
  const chosen = split === undefined ? items : items.filter((item) => item.split === split);
  if (chosen.length > 0) return chosen;
  const splits = [...new Set(items.flatMap((item) => item.split ?? []))];
  throw new UserFacingError('dataset', `${spec} has no split ${String(split)}.`, {
    advice: splits.length > 0 ? `It has ${splits.join(', ')}.` : 'It has none: leave --split out.',
  });
}

async function split(spec: string, options: SplitOptions): Promise<number> {
  const out = resolve(options.out);
  await mustBeFree([out], { overwrite: options.overwrite });
  const { loadDataset } = await import('../datasets/load.ts');
  const { splitItems, splitNames } = await import('../datasets/split.ts');
  const { manifestText } = await import('../datasets/manifest.ts');
  const { checkDataset } = await import('../datasets/check.ts');
  return interruptible(async (signal, progress) => {
    const { items } = await loadDataset(await usedSpec(spec, options.bonafide));
    signal.throwIfAborted();
    const measured = options.quick ? null : await listen(items, options.jobs, signal, progress);
    const isRead = (index: number): boolean => !(measured?.[index] instanceof UserFacingError);
    const kept = items.filter((_, index) => isRead(index));
    const repeated = measured
      ? checkDataset(
          kept,
          measured.filter((_, index) => isRead(index)),
        ).repeated
      : [];
    const result = splitItems(kept, { shares: options.shares, by: options.by, repeated, seed: options.seed });
    const wanted = splitNames.filter((_, index) => options.shares[index] > 0);
    const reached = new Set(result.items.map((item) => item.split));
    const lacking = wanted.filter((name) => !reached.has(name));
    if (lacking.length > 0) {
      throw new UserFacingError(
        'dataset',
        `${spec} cannot be dealt to ${wanted.join(', ')}: by ${options.by.join(' and ')} and sound its recordings hang together in ${result.components} ${result.components === 1 ? 'set' : 'sets'}, the largest with ${result.largest} of ${kept.length}.`,
        { advice: 'Hold less together with --by, for instance --by speaker, or leave a split out with --shares.' },
      );
    }
    await writeOutputs(new Map([[out, manifestText(out, result.items)]]), { overwrite: options.overwrite });
    progress.clear();
    process.stdout.write(describeSplit(result, options, out));
    const leftOut = items.length - kept.length;
    if (leftOut === 0) return exitStatus.done;
    process.stderr.write(`Left out, since they cannot be read: ${leftOut} ("dataset inspect" names them).\n`);
    return exitStatus.someFailed;
  }, 'Interrupted.');
}

/** What came out of a split. */
function describeSplit({ items, components, largest }: SplitResult, options: SplitOptions, out: string): string {
  const rows = [];
  const whole = options.shares.reduce((sum, share) => sum + share, 0);
  const notes: string[] = [];
  for (const [index, name] of ['train', 'dev', 'test'].entries()) {
    const members = items.filter((item) => item.split === name);
    if (members.length === 0) continue;
    const of = (label: DatasetItem['label']) => members.filter((item) => item.label === label).length;
    const names = (key: 'speaker' | 'source' | 'generator') =>
      String(new Set(members.map((item) => item[key]).filter((value) => value !== null)).size || '-');
    const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
    rows.push([
      name,
      String(of('bonafide')),
      String(of('spoof')),
      percent(members.length / items.length),
      percent(options.shares[index] / whole),
      names('speaker'),
      names('source'),
      names('generator'),
    ]);
    if (of('bonafide') === 0) notes.push(`${name} holds no bona fide speech.\n`);
    if (of('spoof') === 0) notes.push(`${name} holds no spoofs.\n`);
  }
  const header = ['split', 'bona fide', 'spoof', 'share', 'wanted', 'speakers', 'sources', 'generators'];
  const sets = components === 1 ? 'set' : 'sets';
  return (
    table(header, rows, 1) +
    `${components} ${sets} of recordings that belong together, the largest with ${largest} of ${items.length}.\n` +
    notes.map((note) => colour('yellow', note, process.stdout)).join('') +
    `Written to ${visibleName(out)}; use it as manifest:${visibleName(out)}\n`
  );
}

/** Warnings, and how far each property tells the classes apart. */
function describeCheck(check: DatasetCheck | null): string {
  if (check === null) return '';
  const heading = (text: string) => `\n${colour('bold', text, process.stdout)}\n`;
  const { warnings, shortcuts, repeated, silent, truncated } = check;
  const out: string[] = [];
  if (shortcuts.length > 0) {
    out.push(heading('What tells the classes apart without the voice'));
    const rows = shortcuts
      .slice(0, rowsShown)
      .map(({ split: name, property, auc, spoofsAre }) => [name ?? '-', property, auc.toFixed(2), spoofsAre ?? '']);
    out.push(table(['split', 'property', 'AUC', 'spoofs are'], rows, 2, 3));
    if (shortcuts.length > rowsShown) out.push(`and ${shortcuts.length - rowsShown} more (--json lists all)\n`);
  }
  const counts = (['file', 'audio', 'utterance'] as const).map((same) => {
    const groups = repeated.filter((group) => group.same === same);
    const across = groups.filter(({ acrossSplits }) => acrossSplits).length;
    return [sameWords[same], String(groups.length), String(across)];
  });
  if (repeated.length > 0) {
    out.push(heading('The same sound more than once'), table(['', 'groups', 'in two splits'], counts, 1));
  }
  if (silent.length > 0)
    out.push(`Nothing but silence: ${silent.length} (${visibleName(silent.slice(0, 3).join(', '))})\n`);
  if (truncated.length > 0) {
    out.push(
      `Shorter than their headers say: ${truncated.length} (${visibleName(truncated.slice(0, 3).join(', '))})\n`,
    );
  }
  out.push(heading('Warnings'));
  out.push(warnings.length === 0 ? 'None.\n' : warnings.map((warning) => `- ${visibleName(warning)}\n`).join(''));
  return out.join('');
}

const sameWords = {
  file: 'the same file',
  audio: 'the same audio, coded anew',
  utterance: 'the same words and melody, another waveform',
};

/** The report as text for a terminal. */
function describe(report: DatasetInspection): string {
  const heading = (text: string) => `\n${colour('bold', text, process.stdout)}\n`;
  const out: string[] = [`${visibleName(report.spec)} (${report.layout}) in ${visibleName(report.root)}\n`];

  const cells = (
    split: string,
    label: string,
    group: Pick<DatasetInspection['splits'][number], 'files' | 'durations'>,
    names: (number | null)[],
  ) => {
    const { durations } = group;
    const seconds = (value: number | undefined) => (value === undefined ? '-' : value.toFixed(2));
    return [
      split,
      label,
      String(group.files),
      ...names.map((count) => (count === null ? '-' : String(count))),
      durations ? formatSeconds(durations.totalSeconds) : '-',
      ...[durations?.minSeconds, durations?.medianSeconds, durations?.maxSeconds].map(seconds),
    ];
  };
  out.push(
    heading('Recordings'),
    table(
      ['split', 'label', 'files', 'generators', 'speakers', 'sources', 'duration', 'min s', 'median s', 'max s'],
      [
        ...report.splits.map((group) =>
          cells(group.split ?? '-', labelName(group.label), group, [group.generators, group.speakers, group.sources]),
        ),
        cells('all', `${report.bonafide} bona fide, ${report.spoof} spoof`, report, [
          namedIn(report.generators),
          namedIn(report.speakers),
          namedIn(report.sources),
        ]),
      ],
      2,
    ),
  );

  if (report.withoutDuration > 0) out.push(`Headers that state no length: ${report.withoutDuration}\n`);

  const byValue = (title: string, column: string, values: ValueCount<string | number>[], labels = true) => {
    if (values.length === 0) return;
    const rows = values
      .slice(0, rowsShown)
      .map(({ value, files, bonafide, spoof, splits }) => [
        value === null ? '(unknown)' : String(value),
        String(files),
        ...(labels ? [String(bonafide), String(spoof)] : []),
        splits.map(({ split, files: count }) => `${split ?? '-'} ${count}`).join(', '),
      ]);
    const header = [column, 'files', ...(labels ? ['bona fide', 'spoof'] : []), 'splits'];
    out.push(heading(title), table(header, rows, 1, header.length - 1));
    if (values.length > rowsShown) out.push(`and ${values.length - rowsShown} more (--json lists all)\n`);
  };
  byValue('Generators or attacks', 'generator', report.generators, false);
  byValue('Sources', 'source', report.sources);
  byValue('Sample rates', 'Hz', report.sampleRatesHz);
  byValue('Channels', 'channels', report.channels);
  byValue('Formats', 'format', report.formats);

  if (report.notes.length > 0) out.push(heading('Notes'), ...report.notes.map((note) => `${visibleName(note)}\n`));
  if (report.problems.length > 0) {
    const missing = report.problems.filter(({ kind }) => kind === 'missing').length;
    out.push(
      heading(`Missing: ${missing}, unreadable: ${report.problems.length - missing}`),
      ...report.problems
        .slice(0, rowsShown)
        .map(
          ({ kind, path, reason }) =>
            `${kind}  ${visibleName(reason.includes(path) ? reason : `${path}: ${reason}`)}\n`,
        ),
    );
    if (report.problems.length > rowsShown) {
      out.push(`and ${report.problems.length - rowsShown} more (--json lists all)\n`);
    }
  }
  return out.join('');
}

const labelName = (label: 'bonafide' | 'spoof') => (label === 'bonafide' ? 'bona fide' : label);

function namedIn(values: ValueCount<string>[]): number | null {
  return values.filter(({ value }) => value !== null).length || null;
}
