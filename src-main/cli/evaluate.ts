import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { writeFileWhole } from '../base/files.ts';
import { ProgressLine, colour, exitStatus, formatSeconds, interruption, positiveInteger } from './context.ts';
import { modelLine, runProvenance } from './present.ts';

interface EvaluateOptions {
  dataset: string;
  split: string;
  model?: string;
  asvScores?: string;
  jobs?: number;
  out: string;
}

/** Failed recordings named one by one. */
const namedFailures = 20;

export function register(program: Command): void {
  program
    .command('evaluate')
    .description('Measure a model on a labelled dataset: figures, scores and plots.')
    .requiredOption(
      '--dataset <spec>',
      'what to measure on, for instance asvspoof2019:DIR (see: dataset inspect --help)',
    )
    .requiredOption('--split <name>', 'train, dev, test or another of its splits; all for everything')
    .requiredOption('--out <folder>', 'where metrics.json, scores.csv and the plots go')
    .option('--model <model>', "a model's folder or name (default: the model that ships)")
    .option('--asv-scores <file>', 'scores of a speaker verification system, for min t-DCF')
    .option('--jobs <n>', 'files at a time (default: one for each core)', positiveInteger)
    .addHelpText(
      'after',
      `
Accuracy and the confusion matrix are taken at the threshold that the model's card fixes on dev. For ASVspoof layouts
scores.txt holds the scores in the organisers' form (file, attack, key, score).
Exit status: 0 all recordings scored, 2 wrong usage, 3 some could not be (named; the figures leave them out),
130 interrupted.`,
    )
    .action(async (options: EvaluateOptions) => {
      process.exitCode = await evaluate(options);
    });
}

async function evaluate(options: EvaluateOptions): Promise<number> {
  const [store, load, jobs, writing, scoreFiles] = await Promise.all([
    import('../detector/store.ts'),
    import('../datasets/load.ts'),
    import('../jobs/evaluate.ts'),
    import('../reports/evaluation.ts'),
    import('../evaluation/score-files.ts'),
  ]);
  const model = await store.readModel(await store.findModel(options.model));
  const asv = options.asvScores === undefined ? undefined : await scoreFiles.readAsvScoreFile(options.asvScores);
  const dataset = await load.loadDataset(options.dataset);
  const items = load.selectSplit(dataset, options.split);
  process.stderr.write(`${modelLine(model)}\n`);

  const progress = new ProgressLine();
  const { signal, dispose } = interruption();
  const began = performance.now();
  try {
    const scored = await jobs.scoreItems(model, items, {
      ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
      signal,
      onProgress: (done) => {
        const perSecond = done / ((performance.now() - began) / 1000);
        const left = formatSeconds((items.length - done) / perSecond);
        progress.show(`${done} of ${items.length} recordings, ${perSecond.toFixed(1)} a second, ${left} left`);
      },
    });
    progress.clear();
    const trials = jobs.trialsOf(scored);
    const evaluation = jobs.evaluateTrials(model.card, trials, asv);
    const files = writing.evaluationFiles({
      model,
      made: runProvenance(model),
      dataset: options.dataset,
      layout: dataset.layout,
      split: options.split,
      scored: scored.map(({ item, result }) => ({ item, ...result })),
      ...evaluation,
    });
    const folder = resolve(options.out);
    for (const [name, content] of Object.entries(files)) await writeFileWhole(join(folder, name), content);

    const { metrics, calibrated } = evaluation;
    const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
    const at = metrics.atThreshold ?? metrics.atEerThreshold;
    process.stdout.write(
      `${metrics.bonafide} bona fide, ${metrics.spoof} spoof\n` +
        `EER ${percent(metrics.eer)}, AUC ${metrics.auc.toFixed(3)}, average precision ${metrics.averagePrecisionBonafide.toFixed(3)} (bona fide) and ${metrics.averagePrecisionSpoof.toFixed(3)} (spoof)\n` +
        `accuracy at the dev threshold ${percent(at.accuracy)}, Cllr ${calibrated.cllrBits.toFixed(3)} bits (at best ${calibrated.minCllrBits.toFixed(3)})\n` +
        (metrics.minTdcf2019 === null
          ? ''
          : `min t-DCF ${metrics.minTdcf2019.toFixed(4)} (2019), ${(metrics.minTdcfRevised ?? NaN).toFixed(4)} (revised)\n`) +
        `Written to ${folder}: ${Object.keys(files).join(', ')}\n`,
    );
    const failed = scored.filter(
      ({ result }) => result.analysis?.score === undefined || result.analysis.score === null,
    );
    if (failed.length === 0) return exitStatus.done;
    process.stderr.write(`${colour('red', `${failed.length} recordings have no score`, process.stderr)}:\n`);
    for (const { result } of failed.slice(0, namedFailures)) {
      process.stderr.write(`  ${result.path}: ${result.error?.message ?? 'it holds no sound'}\n`);
    }
    if (failed.length > namedFailures) process.stderr.write(`  and ${failed.length - namedFailures} more\n`);
    return exitStatus.someFailed;
  } catch (error) {
    progress.clear();
    if (!signal.aborted) throw error;
    process.stderr.write('Interrupted; nothing was written.\n');
    return exitStatus.interrupted;
  } finally {
    dispose();
  }
}
