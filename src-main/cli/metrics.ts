/** `earwitness metrics`: figures and plots of score files. */
import { basename, join, resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { UserFacingError } from '../base/errors.ts';
import { filesIn, mustBeFree, overwriteOption, writeOutputs } from './outputs.ts';
import type { BootstrapResult, FigureName, Interval } from '../evaluation/bootstrap.ts';
import type { ConfusionCounts, DetectionMetrics } from '../evaluation/metrics.ts';
import type { ParsedScores } from '../evaluation/score-files.ts';
import { subsetNames } from '../evaluation/subsets.ts';
import type { SubsetName } from '../evaluation/subsets.ts';
import type { Trial } from '../evaluation/trials.ts';
import { colour } from './context.ts';
import { addFigureOptions, collect, costsOf, tooFewForIntervals } from './figure-options.ts';
import type { FigureOptions } from './figure-options.ts';

const help = `
Score files (plain or gzip; a score is high for bona fide speech; blanks or tabs between columns, where it is tabs alone
names may hold blanks; a first line may name the columns, as in ASVspoof 5: filename, cm-score, cm-label):
  speaker file - attack key score    key: bonafide or spoof; attack: "-" for bona fide
  file attack key score
  file score                         with --key PROTOCOL
ASV score file (for t-DCF):
  source key score                   key: target, nontarget or spoof
Protocols: speaker file - attack key (ASVspoof 2019); file attack key; file key; the ASVspoof 2021 and 5 key files.
Of an ASVspoof 2021 key the subset eval is measured, as in the published figures, if --subset does not say otherwise.

JSON keys (rates are fractions; bona fide is the positive class; equal scores move together):
  bonafide, spoof              numbers of trials
  eer, eer_threshold           equal error rate and its threshold as in the ASVspoof organisers' code: the highest
                               score that is rejected there
  eer_decision_threshold       just above it: deciding bona fide from it on gives the rates of the EER (--threshold)
  min_tdcf_2019, min_tdcf_v2   minimum t-DCF as in ASVspoof 2019, and in its revised form as in ASVspoof 2021,
                               both with the costs of ASVspoof 2019; null without --asv-scores
  auc, average_precision_bonafide, average_precision_spoof
                               as scikit-learn defines them
  cllr_bits_scores_as_log_lr   cost of the scores taken as natural-log likelihood ratios, in bits
  min_cllr_bits_pav            the same after the best monotonic mapping (pool adjacent violators)
  accuracy_at_eer_threshold    accuracy at the EER, deciding from eer_decision_threshold on
  at_eer_threshold             the decisions there, in the form of at_threshold
  eer_by_attack                each attack against all bona fide trials
  asv                          eer, threshold, p_fa, p_miss, p_miss_spoof, p_fa_spoof, targets, nontargets, spoofs;
                               null without --asv-scores
  min_dcf, min_dcf_threshold   minimum detection cost as in ASVspoof 5, over that of the better of accepting and
                               rejecting everything; its threshold as the organisers name it
  min_dcf_decision_threshold   just above it, to decide by
  act_dcf_scores_as_log_lr     the same cost at the Bayes threshold, the scores taken as natural-log likelihood ratios
  dcf                          p_spoof, c_miss, c_fa, bayes_threshold
  generators                   of each attack: spoofs, how many are accepted (at --threshold, else at the EER), eer,
                               eer_interval, auc, and under same_source the same against the bona fide trials of its
                               own sources; null where no source holds both. too_few_for_interval: below 10
                               independent recordings (fewer than there are where those of one speaker or source
                               score alike), the table shows counts and no interval is computed
  intervals                    95 % intervals [low, high] by the names above; null with --replicates 0, empty where a
                               class has fewer than 10 recordings or 5 independent ones
  resampled                    what was drawn anew (levels: sources, speakers, files, as far as the scores name them),
                               how many there are of each, replicates, confidence, seed
  at_threshold                 only with --threshold: threshold, accuracy, bonafide_accepted, bonafide_rejected,
                               spoof_accepted, spoof_rejected; and dcf_at_threshold, the detection cost of these decisions
Several score files: a column for each; as JSON, an object of the above for each under its name.`;

interface Options extends FigureOptions {
  cmScores: string[];
  asvScores?: string;
  key?: string;
  subset?: SubsetName;
  threshold?: string;
  out?: string;
  overwrite?: boolean;
  json?: boolean;
}

/** A score file, read and measured. */
interface Measured {
  name: string;
  trials: Trial[];
  metrics: DetectionMetrics;
  resampled: BootstrapResult | null;
}

/** Adds `earwitness metrics`: every figure of score files, as a table, as JSON, as plots. */
export function register(program: Command): void {
  const command = program
    .command('metrics')
    .description('Compute EER, min t-DCF, AUC, Cllr and more from files of scores.')
    .requiredOption(
      '--cm-scores <file>',
      "the detector's scores (forms below); several times to set files side by side",
      collect,
    )
    .option('--asv-scores <file>', 'scores of a speaker verification system, for min t-DCF')
    .option('--key <protocol>', 'which files are bona fide, for score files of two columns')
    .addOption(
      new Option('--subset <name>', 'of ASVspoof 2021 keys; eval, as published, if not given').choices(subsetNames),
    )
    .option('--threshold <score>', 'also decide at this score: bona fide from it on')
    .option('--out <folder>', 'write metrics.json, generators.csv and plots there, several files one over the other')
    .addOption(overwriteOption())
    .option('--json', 'print JSON');
  addFigureOptions(command)
    .addHelpText('after', help)
    .action(async (options: Options) => {
      const threshold = options.threshold === undefined ? undefined : parseThreshold(options.threshold);
      const { out, overwrite } = options;
      if (out !== undefined) await mustBeFree(await placesIn(resolve(out)), { overwrite });
      const measured = await measure(options, threshold);
      const documents = measured.map(({ name, document }) => [name, document] as const);
      const json = documents.length === 1 ? documents[0][1] : Object.fromEntries(documents);
      const text = `${JSON.stringify(json, null, 1)}\n`;
      if (out !== undefined) await writePlots(resolve(out), measured, text, threshold, overwrite);
      process.stdout.write(options.json ? text : metricsTable(measured));
    });
}

async function measure(
  options: Options,
  threshold: number | undefined,
): Promise<(Measured & { document: Record<string, unknown> })[]> {
  const [{ readScoreFile, readAsvScoreFile }, { confusionJson, detectionMetrics, metricsJson }, { bootstrap }] =
    await Promise.all([
      import('../evaluation/score-files.ts'),
      import('../evaluation/metrics.ts'),
      import('../evaluation/bootstrap.ts'),
    ]);
  const asv = options.asvScores === undefined ? undefined : await readAsvScoreFile(options.asvScores);
  const names = distinctNames(options.cmScores);
  const measured = [];
  for (const [index, path] of options.cmScores.entries()) {
    const { trials, repeatedFiles, subset } = await readScoreFile(path, options.key, options.subset);
    const name = names[index];
    if (subset !== null && index === 0) sayWhichSubset(subset, options.subset === undefined);
    if (repeatedFiles > 0) {
      const label = colour('yellow', 'warning:', process.stderr);
      const where = options.cmScores.length > 1 ? `${name}: ` : '';
      process.stderr.write(
        `${label} ${where}${repeatedFiles} lines name a file that was there before; each counts as a trial of its own.\n`,
      );
    }
    const costs = costsOf(options);
    const metrics = detectionMetrics(trials, { threshold, asv, costs });
    const { replicates } = options;
    const resampled =
      replicates === 0
        ? null
        : bootstrap(trials, {
            replicates,
            costs,
            ...(threshold === undefined ? {} : { threshold }),
            ...(metrics.asv ? { asv: metrics.asv } : {}),
          });
    const document = metricsJson(metrics, resampled ?? undefined);
    if (metrics.atThreshold) {
      document['at_threshold'] = confusionJson(metrics.atThreshold);
      document['dcf_at_threshold'] = metrics.dcf.atThreshold;
    }
    measured.push({ name, trials, metrics, resampled, document });
  }
  return measured;
}

function sayWhichSubset({ taken, trials }: NonNullable<ParsedScores['subset']>, byDefault: boolean): void {
  const there = Object.entries(trials).map(([name, count]) => `${name} (${count})`);
  const choice = byDefault ? ', as the published figures do; --subset chooses another, or all' : '';
  process.stderr.write(`The key names the subsets ${there.join(', ')}: these figures are of ${taken}${choice}.\n`);
}

/** The files' names; where two are alike, with as much of their folders as tells them apart. */
function distinctNames(paths: readonly string[]): string[] {
  const parts = paths.map((path) => resolve(path).split(/[\\/]/));
  const whole = parts.map((part) => part.join('/'));
  const twice = whole.find((path, index) => whole.indexOf(path) !== index);
  if (twice !== undefined) {
    throw new UserFacingError('usage', `--cm-scores names ${twice} twice.`, { advice: 'Name each file once.' });
  }
  return paths.map((path, index) => {
    const others = parts.filter((_, other) => other !== index);
    for (let taken = 1; taken <= parts[index].length; taken++) {
      const name = parts[index].slice(-taken).join('/');
      if (others.every((other) => other.slice(-taken).join('/') !== name)) return name;
    }
    return basename(path);
  });
}

/** Every file that may be written. */
async function placesIn(folder: string): Promise<string[]> {
  const { comparisonFileNames } = await import('../reports/evaluation.ts');
  const own = ['metrics.json', 'calibration.svg', 'scores.svg', 'confusion.svg'];
  return [...own, ...comparisonFileNames].map((name) => join(folder, name));
}

async function writePlots(
  folder: string,
  measured: readonly Measured[],
  json: string,
  threshold: number | undefined,
  overwrite: boolean | undefined,
): Promise<void> {
  const [{ comparisonFiles, singleFiles }, { plottedFigures }] = await Promise.all([
    import('../reports/evaluation.ts'),
    import('../evaluation/plotted-figures.ts'),
  ]);
  const compared = measured.map(({ name, trials, metrics, resampled }) => ({
    name,
    metrics,
    resampled,
    plotted: plottedFigures({
      trials,
      threshold: threshold ?? metrics.eerDecisionThreshold,
      metrics,
      calibratedTrials: trials,
      calibrated: metrics,
      resampled: resampled && { scores: resampled, likelihoodRatios: resampled },
    }),
  }));
  // Score files say nothing of calibration: their scores are taken as they are.
  const of = { data: '', ratios: 'scores as natural-log likelihood ratios' };
  const files: Record<string, string> = {
    'metrics.json': json,
    ...comparisonFiles(compared, of),
    ...(compared.length === 1 ? singleFiles(compared[0], of) : {}),
  };
  await writeOutputs(filesIn(folder, files), { overwrite });
  process.stderr.write(`Written to ${folder}: ${Object.keys(files).join(', ')}\n`);
}

function parseThreshold(text: string): number {
  const threshold = text.trim() === '' ? NaN : Number(text);
  if (Number.isFinite(threshold)) return threshold;
  throw new UserFacingError('usage', `--threshold ${text} is not a number.`, { advice: 'Give a score, as in 0.5.' });
}

/** The figures as aligned lines of text, a column for each file. */
function metricsTable(measured: readonly Measured[]): string {
  const columns = measured.map(
    (file) => new Map(figureRows(file).map(([label, value, of = '']) => [of + label, { label, value }])),
  );
  // In the order of the first column that has them.
  const names = [...new Set(columns.flatMap((column) => [...column.keys()]))];
  const cell = (name: string) => (column: (typeof columns)[number]) => column.get(name)?.value ?? '';
  const labelOf = (name: string): string => columns.find((column) => column.has(name))?.get(name)?.label ?? name;
  const attacks = names.filter((name) => name.startsWith('EER, '));
  const ordered = [...names.filter((name) => !attacks.includes(name)), ...attacks];
  const rows = ordered.map((name) => [labelOf(name), ...columns.map(cell(name))]);
  if (measured.length > 1) rows.unshift(['', ...measured.map(({ name }) => name)]);
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)) + 2);
  const table = rows.map(
    (row) =>
      `${row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('')
        .trimEnd()}\n`,
  );
  const resampled = measured.flatMap((file) => file.resampled ?? []);
  if (resampled.length > 0) {
    const [{ confidence, replicates }] = resampled;
    const levels = [...new Set(resampled.map(({ units }) => units.levels.join(', ')))].join('; ');
    if (resampled.some(({ tooFew }) => !tooFew)) {
      table.push(`[ ]: ${100 * confidence} % intervals, ${levels} resampled ${replicates} times\n`);
    }
    if (resampled.some(({ tooFew }) => tooFew)) table.push(`${tooFewForIntervals}\n`);
  }
  return table.join('');
}

/** Names and values; where a name stands twice, what it belongs to. */
function figureRows({ metrics, resampled }: Measured): [string, string, string?][] {
  const percent = (rate: number): string => `${(100 * rate).toFixed(2)} %`;
  const bits = (value: number): string => (value >= 1000 ? value.toExponential(3) : value.toFixed(4));
  const plain = (value: number): string => value.toFixed(4);
  const within = (interval: Interval | null | undefined, format: (value: number) => string): string =>
    interval ? ` [${interval.map((end) => format(end).replace(' %', '')).join(', ')}]` : '';
  const of = (name: FigureName, format: (value: number) => string): string =>
    within(resampled?.intervals[name], format);
  const { dcf } = metrics;
  const rows: [string, string, string?][] = [
    ['Trials', `${metrics.bonafide} bona fide, ${metrics.spoof} spoof`],
    ['EER', `${percent(metrics.eer)}${of('eer', percent)} at a score of ${metrics.eerDecisionThreshold}`],
    ...accuracyRows('Accuracy at the EER threshold', metrics.atEerThreshold, 'accuracyAtEerThreshold'),
    ...(metrics.atThreshold
      ? accuracyRows(`Accuracy at ${metrics.atThreshold.threshold}`, metrics.atThreshold, 'accuracyAtThreshold')
      : []),
    ['AUC', `${plain(metrics.auc)}${of('auc', plain)}`],
    [
      'Average precision, bona fide',
      `${plain(metrics.averagePrecisionBonafide)}${of('averagePrecisionBonafide', plain)}`,
    ],
    ['Average precision, spoof', `${plain(metrics.averagePrecisionSpoof)}${of('averagePrecisionSpoof', plain)}`],
    ['Cllr, scores as natural-log LR', `${bits(metrics.cllrBits)}${of('cllrBits', bits)} bits`],
    ['min Cllr', `${bits(metrics.minCllrBits)}${of('minCllrBits', bits)} bits`],
    [
      'Expected calibration error',
      `${plain(metrics.calibration.expectedCalibrationError)}${of('expectedCalibrationError', plain)} (ten bins, classes weighed alike)`,
    ],
    ['min DCF', `${plain(dcf.min)}${of('minDcf', plain)} at a score of ${dcf.minDecisionThreshold}`],
    [
      'actual DCF, scores as natural-log LR',
      `${plain(dcf.actual)}${of('actDcf', plain)} at ${dcf.bayesThreshold} (Pspoof ${dcf.costs.priorSpoof}, Cmiss ${dcf.costs.costMiss}, Cfa ${dcf.costs.costFalseAccept})`,
    ],
    ...(metrics.atThreshold && dcf.atThreshold !== null
      ? ([[`DCF at ${metrics.atThreshold.threshold}`, plain(dcf.atThreshold)]] as [string, string][])
      : []),
  ];
  if (metrics.asv && metrics.minTdcf2019 !== null && metrics.minTdcfRevised !== null) {
    rows.push(
      ['min t-DCF, ASVspoof 2019', `${plain(metrics.minTdcf2019)}${of('minTdcf2019', plain)}`],
      ['min t-DCF, revised', `${plain(metrics.minTdcfRevised)}${of('minTdcfRevised', plain)}`],
      ['ASV trials', `${metrics.asv.targets} target, ${metrics.asv.nontargets} nontarget, ${metrics.asv.spoofs} spoof`],
      ['ASV EER', `${percent(metrics.asv.eer)} at a score of ${metrics.asv.threshold}`],
      ['ASV accepts of the spoofs', percent(metrics.asv.spoofFalseAcceptRate)],
    );
  }
  for (const { attack, spoofs, eer, tooFew, accepted } of metrics.eerByAttack) {
    const interval = within(resampled?.generators.get(attack)?.all, percent);
    const figure = tooFew
      ? `too few: ${accepted} of ${spoofs} accepted`
      : `${percent(eer)}${interval} (${spoofs} spoofs)`;
    rows.push([`EER, ${attack}`, figure]);
  }
  return rows;

  function accuracyRows(name: string, confusion: ConfusionCounts, figure: FigureName): [string, string, string?][] {
    const { bonafideAccepted, bonafideRejected, spoofAccepted, spoofRejected } = confusion;
    return [
      [name, `${percent(confusion.accuracy)}${of(figure, percent)}`],
      ['  bona fide', `${bonafideAccepted} accepted, ${bonafideRejected} rejected`, name],
      ['  spoof', `${spoofAccepted} accepted, ${spoofRejected} rejected`, name],
    ];
  }
}
