/** `earwitness evaluate`: figures of models on a dataset. */
import { intervalRule } from '../../src-common/interval-rule.ts';
import { join, resolve } from 'node:path';
import { visibleName } from '../../src-common/visible-text.ts';
import type { Command } from 'commander';
import { UserFacingError } from '../base/errors.ts';
import { filesIn, mustBeFree, overwriteOption, writeOutputs } from './outputs.ts';
import type { StoredModel } from '../detector/store.ts';
import { findingTableText } from '../reports/finding-table.ts';
import type { EvaluationReport } from '../reports/evaluation.ts';
import { colour, exitStatus, formatSeconds, interruptible, positiveInteger, withStatus } from './context.ts';
import { usedSpec } from './dataset-option.ts';
import { addFigureOptions, collect, costsOf, tooFewForIntervals } from './figure-options.ts';
import type { FigureOptions } from './figure-options.ts';
import { fastOption, modelToScoreWith, withoutCompanionOption } from './model-option.ts';
import type { ModelOptions } from './model-option.ts';
import { provenance } from '../reports/scan-results.ts';
import { modelLine } from './present.ts';

interface EvaluateOptions extends FigureOptions {
  withoutCompanion?: boolean;
  dataset: string;
  bonafide?: string;
  split: string;
  model?: string[];
  fast?: boolean;
  asvScores?: string;
  jobs?: number;
  record?: boolean;
  out: string;
  overwrite?: boolean;
}

/** Failed recordings named one by one. */
const namedFailures = 20;

export function register(program: Command): void {
  const command = program
    .command('evaluate')
    .description('Measure a model on a labelled dataset: figures, scores and plots.')
    .requiredOption(
      '--dataset <spec>',
      'what to measure on, for instance asvspoof2019:DIR (see: dataset inspect --help)',
    )
    .option('--bonafide <spec>', 'bona fide recordings from elsewhere (a folder or a spec), for a dataset of spoofs')
    .requiredOption('--split <name>', 'train, dev, test or another of its splits; all for everything')
    .requiredOption('--out <folder>', 'where metrics.json, scores.csv and the plots go')
    .addOption(overwriteOption())
    .option(
      '--model <model>',
      "a model's folder or name (default: the model that ships); several times to set models side by side",
      collect,
    )
    .addOption(fastOption())
    .addOption(withoutCompanionOption())
    .option('--record', "write into the models' cards their figures on this split, and how often findings were right")
    .option('--asv-scores <file>', 'scores of a speaker verification system, for min t-DCF')
    .option('--jobs <n>', 'files at a time (default: one for each core)', positiveInteger);
  addFigureOptions(command)
    .addHelpText(
      'after',
      `
Accuracy and the confusion matrix are taken at the threshold that the model's card fixes on dev. For ASVspoof layouts
scores.txt holds the scores in the organisers' form (file, attack, key, score). generators.csv sets each generator
against all bona fide speech, and against that of the same source where there is any. groups.csv does so by source, by
whether the model was trained on the source or the generator (by name, where it was trained on this dataset), and by year, kind,
language and codec where the dataset names them. findings.csv counts the model's
findings by what the recordings are; metrics.json says how often they were right, with intervals over sources.
${intervalRule}
Intervals: sources, speakers and files are drawn anew, as far as the dataset names them.
A companion of the model (that for telephone speech, with the model that ships) speaks of the recordings that are its, as in a scan;
where one does, the figures are of likelihood ratios, and it is said. --without-companion measures the model by itself, as the figures in
its card do; so does --record, since companions have cards of their own.
Several models: a folder for each inside the output folder, and beside them their plots one over the other.
Exit status: 0 all recordings scored, 2 wrong usage, 3 some could not be (named; the figures leave them out),
130 interrupted.`,
    )
    .action(withStatus(evaluate));
}

/** @throws UserFacingError `usage` where a card is not to be written to. */
export function mayRecord(
  models: readonly StoredModel[],
  { model: named, fast }: Pick<EvaluateOptions, 'model' | 'fast'>,
): void {
  if (named === undefined && !fast) {
    throw new UserFacingError('usage', '--record writes to the cards of the models that --model names.', {
      advice: 'Name the model by its folder.',
    });
  }
  const instead = models.find(({ insteadOf }) => insteadOf !== undefined);
  if (instead) throw new UserFacingError('usage', instead.insteadOf ?? '', { path: instead.folder });
  const validated = models.find(({ card }) => card.status === 'validated');
  if (validated) {
    throw new UserFacingError('usage', `The card of ${validated.card.name} is what its laboratory vouches for.`, {
      path: validated.folder,
      advice: '“validate” measures its findings on the recordings that it is validated on.',
    });
  }
}

async function evaluate(options: EvaluateOptions): Promise<number> {
  const [store, load, jobs, familiarity, naming, writing, scoreFiles, plots] = await Promise.all([
    import('../detector/store.ts'),
    import('../datasets/load.ts'),
    import('../laboratory/evaluate.ts'),
    import('../laboratory/familiarity.ts'),
    import('../laboratory/evaluate-models.ts'),
    import('../reports/evaluation.ts'),
    import('../evaluation/score-files.ts'),
    import('../evaluation/plotted-figures.ts'),
  ]);
  const models: StoredModel[] = [];
  const asked: ModelOptions[] = (options.model ?? []).map((model) => ({ model }));
  if (options.fast) asked.push({ fast: true });
  for (const one of asked.length > 0 ? asked : [{}]) models.push(await modelToScoreWith(one));
  if (options.record) mayRecord(models, options);
  const names = naming.modelFolderNames(models);
  const asv = options.asvScores === undefined ? undefined : await scoreFiles.readAsvScoreFile(options.asvScores);
  const dataset = await load.loadDataset(await usedSpec(options.dataset, options.bonafide));
  const items = load.selectSplit(dataset, options.split);
  const folder = resolve(options.out);
  const folders = models.length === 1 ? [folder] : names.map((name) => join(folder, name));
  const outputs = { overwrite: options.overwrite };
  const wanted = folders.flatMap((own) => writing.evaluationFileNames.map((name) => join(own, name)));
  if (models.length > 1) wanted.push(...writing.comparisonFileNames.map((name) => join(folder, name)));
  await mustBeFree(wanted, outputs);

  return interruptible(async (signal, progress) => {
    const reports: EvaluationReport[] = [];
    const companions = !options.withoutCompanion && !options.record;
    if (options.record && models.some((model) => model.companions)) {
      process.stderr.write('What --record writes is of the model by itself: its companions are left out.\n');
    }
    for (const model of models) {
      process.stderr.write(`${modelLine(model)}\n`);
      const began = performance.now();
      const of = { dataset: dataset.spec, split: options.split };
      const scored = await jobs.scoreItems(model, items, {
        ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
        companions,
        signal,
        onProgress: (done) => {
          const perSecond = done / ((performance.now() - began) / 1000);
          const left = formatSeconds((items.length - done) / perSecond);
          progress.show(`${done} of ${items.length} recordings, ${perSecond.toFixed(1)} a second, ${left} left`);
        },
      });
      progress.clear();
      const spoken = jobs.spokenTrials(model, scored);
      const evaluated = jobs.evaluateTrials(model.card, spoken.trials, {
        areRatios: spoken.areRatios,
        ...(asv ? { asv } : {}),
        costs: costsOf(options),
        replicates: options.replicates,
      });
      reports.push({
        model,
        made: provenance(model),
        ...of,
        layout: dataset.layout,
        groups: familiarity.groupsFor(jobs.cardsThatSpeak(model, spoken.areRatios), dataset),
        findings: jobs.findingRecord(model.card, jobs.recordingsOf(scored, model), of),
        companions: spoken.companions,
        companionSentence: jobs.companionSentence(spoken),
        scored: scored.map(({ item, result }) => ({ item, ...result })),
        ...evaluated,
        plotted: plots.plottedFigures(evaluated),
      });
    }
    const own = reports.map((report) => writing.evaluationFiles(report));
    const compared =
      models.length === 1
        ? {}
        : writing.comparisonFiles(
            reports.map((report, i) => writing.comparedScores(report, names[i])),
            writing.shownData(reports[0]),
          );
    const files = own.flatMap((content, index) => [...filesIn(folders[index], content)]);
    await writeOutputs(new Map([...files, ...filesIn(folder, compared)]), outputs);
    for (const [index, report] of reports.entries()) {
      const written = `Written to ${folders[index]}: ${Object.keys(own[index]).join(', ')}\n`;
      process.stdout.write(`${models.length === 1 ? '' : `${names[index]}\n`}${summary(report)}${written}`);
    }
    if (options.record) {
      for (const { model, findings, ...evaluated } of reports) {
        const figures = jobs.splitFigures(dataset.spec, options.split, evaluated);
        await store.writeMeasured(model, {
          records: jobs.withRecord(model.card.records, findings),
          figures: jobs.withFigures(model.card.figures, figures),
        });
        process.stdout.write(
          `The card in ${model.folder} holds now the figures of this split, and how often findings were right.\n`,
        );
      }
    }
    if (models.length > 1) {
      process.stdout.write(`One over the other in ${folder}: ${Object.keys(compared).join(', ')}\n`);
    }
    return reports.map(nameFailures).some((failed) => failed) ? exitStatus.someFailed : exitStatus.done;
  }, 'Interrupted; nothing was written.');
}

/** The figures in a few lines, with intervals where there are any. */
function summary({ metrics, calibrated, resampled, findings, companionSentence }: EvaluationReport): string {
  const scores = resampled?.scores.intervals ?? {};
  const ratios = resampled?.likelihoodRatios.intervals ?? {};
  const number = (value: number, interval: [number, number] | undefined, digits = 3): string =>
    value.toFixed(digits) + (interval ? ` [${interval.map((end) => end.toFixed(digits)).join(', ')}]` : '');
  const percent = (value: number, interval: [number, number] | undefined): string =>
    `${(100 * value).toFixed(1)} %${interval ? ` [${interval.map((end) => (100 * end).toFixed(1)).join(', ')}]` : ''}`;
  const at = metrics.atThreshold ?? metrics.atEerThreshold;
  const lines = [
    ...(companionSentence ? [companionSentence] : []),
    `${metrics.bonafide} bona fide, ${metrics.spoof} spoof`,
    `EER ${percent(metrics.eer, scores.eer)}, AUC ${number(metrics.auc, scores.auc)}`,
    `average precision ${number(metrics.averagePrecisionBonafide, scores.averagePrecisionBonafide)} (bona fide) and ${number(metrics.averagePrecisionSpoof, scores.averagePrecisionSpoof)} (spoof)`,
    `accuracy at ${companionSentence ? 'a ratio of one' : 'the dev threshold'} ${percent(at.accuracy, scores.accuracyAtThreshold)}`,
    `Cllr ${number(calibrated.cllrBits, ratios.cllrBits)} bits, at best ${number(calibrated.minCllrBits, ratios.minCllrBits)}`,
    `actual DCF ${number(calibrated.dcf.actual, ratios.actDcf)}, min DCF ${number(metrics.dcf.min, scores.minDcf)}`,
  ];
  if (metrics.minTdcf2019 !== null && metrics.minTdcfRevised !== null) {
    lines.push(
      `min t-DCF ${number(metrics.minTdcf2019, scores.minTdcf2019, 4)} (2019), ${number(metrics.minTdcfRevised, scores.minTdcfRevised, 4)} (revised)`,
    );
  }
  if (resampled) {
    const { confidence, units, replicates, tooFew } = resampled.scores;
    const made = `${100 * confidence} % intervals, ${units.levels.join(', ')} resampled ${replicates} times`;
    lines.push(tooFew ? tooFewForIntervals : `[ ]: ${made}`);
  }
  return lines.map((line) => `${line}\n`).join('') + findingTableText(findings);
}

/** Says which recordings have no score. @returns whether there are any. */
function nameFailures({ scored }: EvaluationReport): boolean {
  const failed = scored.filter(({ analysis }) => analysis?.score === undefined || analysis.score === null);
  if (failed.length === 0) return false;
  process.stderr.write(`${colour('red', `${failed.length} recordings have no score`, process.stderr)}:\n`);
  for (const { path, error } of failed.slice(0, namedFailures)) {
    process.stderr.write(`  ${visibleName(`${path}: ${error?.message ?? 'it holds no sound'}`)}\n`);
  }
  if (failed.length > namedFailures) process.stderr.write(`  and ${failed.length - namedFailures} more\n`);
  return true;
}
