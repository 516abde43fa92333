import { InvalidArgumentError, type Command } from 'commander';
import type { DatasetReport, ValueCount } from '../datasets/inspect.ts';
import { colour, exitStatus, formatSeconds, ProgressLine } from './context.ts';

const rowsShown = 20;

const help = `
SPEC is one of
  asvspoof2019:DIR   ASVspoof 2019 LA as published, in DIR or up to two folders below it
  for:DIR            one version of Fake-or-Real: training, validation, testing / real, fake
  folder:DIR         folders bonafide, real, genuine or human, and spoof, fake or synthetic; train, dev and test folders
                     directly above or below them are its splits; the first folder below a spoof one names the generator
  manifest:FILE.csv  columns path and label, optionally split, generator, speaker and source; paths relative to FILE's folder

Exit status: 0 every file could be read, 2 wrong usage, 3 some are missing or unreadable (named), 130 interrupted,
1 anything else.`;

export function register(program: Command): void {
  const dataset = program.command('dataset').description('Look at labelled recordings for training and evaluation.');
  dataset
    .command('inspect')
    .description(
      'Count recordings by split, label and generator, with durations and formats; name what cannot be read.',
    )
    .argument('<spec>', 'the dataset, as KIND:PATH')
    .option('--json', 'everything as JSON: every speaker, generator and file that cannot be read')
    .option('--jobs <n>', 'files to look at at the same time (default: one for each core, at least 4)', parseJobs)
    .addHelpText('after', help)
    .action(inspect);
}

function parseJobs(text: string): number {
  const jobs = Number(text);
  if (!/^\d+$/.test(text) || jobs < 1 || jobs > 256)
    throw new InvalidArgumentError('Expected is a number from 1 to 256.');
  return jobs;
}

async function inspect(spec: string, options: { json?: boolean; jobs?: number }): Promise<void> {
  const { loadDataset } = await import('../datasets/load.ts');
  const { inspectDataset } = await import('../datasets/inspect.ts');
  const abort = new AbortController();
  const interrupt = () => abort.abort();
  const progress = new ProgressLine();
  process.once('SIGINT', interrupt);
  try {
    const dataset = await loadDataset(spec);
    const began = Date.now();
    const report = await inspectDataset(dataset, {
      jobs: options.jobs,
      signal: abort.signal,
      onProgress: (done, total) => {
        const leftSeconds = ((Date.now() - began) / 1000 / done) * (total - done);
        progress.show(`Reading headers: ${done} of ${total}, ${formatSeconds(leftSeconds)} left`);
      },
    });
    progress.clear();
    process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : describe(report));
    if (report.problems.length > 0) process.exitCode = exitStatus.someFailed;
  } catch (error) {
    progress.clear();
    if (!abort.signal.aborted) throw error;
    process.stderr.write('Interrupted.\n');
    process.exitCode = exitStatus.interrupted;
  } finally {
    process.removeListener('SIGINT', interrupt);
  }
}

/** The report as text for a terminal. */
function describe(report: DatasetReport): string {
  const heading = (text: string) => `\n${colour('bold', text, process.stdout)}\n`;
  const out: string[] = [`${printable(report.spec)} (${report.layout}) in ${printable(report.root)}\n`];

  const cells = (
    split: string,
    label: string,
    group: Pick<DatasetReport['splits'][number], 'files' | 'durations'>,
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

  if (report.notes.length > 0) out.push(heading('Notes'), ...report.notes.map((note) => `${printable(note)}\n`));
  if (report.problems.length > 0) {
    const missing = report.problems.filter(({ kind }) => kind === 'missing').length;
    out.push(
      heading(`Missing: ${missing}, unreadable: ${report.problems.length - missing}`),
      ...report.problems
        .slice(0, rowsShown)
        .map(
          ({ kind, path, reason }) => `${kind}  ${printable(reason.includes(path) ? reason : `${path}: ${reason}`)}\n`,
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

/** Columns from `firstNumber` up to `afterNumbers` stand flush right. */
function table(header: string[], rows: string[][], firstNumber: number, afterNumbers = header.length): string {
  const lines = [header, ...rows].map((row) => row.map(printable));
  const widths = header.map((_, column) => Math.max(...lines.map((row) => row[column].length)));
  return lines
    .map((row) =>
      row
        .map((cell, column) =>
          column >= firstNumber && column < afterNumbers ? cell.padStart(widths[column]) : cell.padEnd(widths[column]),
        )
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** Names come from other people's files: what would steer a terminal is shown as an escape. */
function printable(text: string): string {
  return text.replace(
    // eslint-disable-next-line no-control-regex
    /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
