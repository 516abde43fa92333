/** `earwitness robustness`: a model through codecs, noise and rooms. */
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import {
  applicationVersion,
  exitStatus,
  formatSeconds,
  interruptible,
  positiveInteger,
  wholeNumber,
  withStatus,
} from './context.ts';
import { usedSpec } from './dataset-option.ts';
import { mayRecord } from './evaluate.ts';
import { collect } from './figure-options.ts';
import { filesIn, mustBeFree, overwriteOption, writeOutputs } from './outputs.ts';
import { modelOption, modelToScoreWith, withoutCompanionOption } from './model-option.ts';
import { provenance } from '../reports/scan-results.ts';
import { modelLine } from './present.ts';

interface RobustnessOptions {
  dataset: string;
  bonafide?: string;
  split: string[];
  model?: string;
  out: string;
  only?: string[];
  limit?: number;
  withoutCompanion?: boolean;
  seed: number;
  replicates: number;
  jobs?: number;
  resume?: boolean;
  overwrite?: boolean;
  record?: boolean;
}

export function register(program: Command): void {
  program
    .command('robustness')
    .description('Measure a model on a labelled dataset as it is and through codecs, noise, rooms and the like.')
    .requiredOption(
      '--dataset <spec>',
      'what to measure on, for instance manifest:FILE.csv (see: dataset inspect --help)',
    )
    .option('--bonafide <spec>', 'bona fide recordings from elsewhere (a folder or a spec), for a dataset of spoofs')
    .requiredOption(
      '--split <name>',
      'one of its splits, all for everything; several times for several together',
      collect,
    )
    .requiredOption(
      '--out <folder>',
      'where robustness.csv, robustness.json, robustness.svg, conditions.svg and, with --record, distance.svg go',
    )
    .addOption(modelOption())
    .addOption(withoutCompanionOption())
    .option(
      '--only <name>',
      'a degradation by name, channels for the ten of the lab book, or thresholds for those that --record needs; several times for several',
      collect,
    )
    .option(
      '--limit <n>',
      'so many recordings, drawn by the seed from all sources and both classes alike',
      positiveInteger,
    )
    .option('--seed <n>', 'of noise, rooms, draws', wholeNumber, 1)
    .option('--replicates <n>', 'bootstrap replicates for the 95 % intervals; 0 for none', wholeNumber, 1000)
    .option('--jobs <n>', 'files at a time (default: one for each core)', positiveInteger)
    .option('--resume', 'go on with a measurement that was interrupted')
    .addOption(overwriteOption())
    .option(
      '--record',
      "write down to which quality findings hold, the thresholds that follow, and how far is too far from what was measured, into the model's card",
    )
    .addHelpText(
      'after',
      `
Each recording is scored as it is and through each degradation; copies are made one after the other and never kept.
A companion of the model (that for telephone speech, with the model that ships) speaks of what is its, as in a scan; then all figures are
of likelihood ratios, and it is said. --without-companion measures the model by itself, and so does --record.
The EER is that of all scores, also of recordings whose finding is "not assessable", which the last
column counts. Of recordings that get shorter, noisier, narrower in band and more clipped step by step, conditions.svg shows how often
findings are wrong, whatever the thresholds in the card: --record sets these to where findings still hold, and keeps the curves. The difference is taken of recordings scored both ways, with an interval from draws of sources, speakers and files
that both have in common, unless they are too few for one. A codec without an encoder (in ffmpeg, or in sox for AMR-NB and GSM) is skipped, and named.
Interrupted by Ctrl-C, it keeps what it has in the output folder; --resume goes on.
Exit status: 0 done, 2 wrong usage, 3 some degradations were skipped or recordings could not be read, 130 interrupted.`,
    )
    .action(withStatus(robustness));
}

async function robustness(options: RobustnessOptions): Promise<number> {
  const [store, load, choosing, scoring, journals, jobs, measuring, curves, distances, writing] = await Promise.all([
    import('../detector/store.ts'),
    import('../datasets/load.ts'),
    import('../degradation/choose.ts'),
    import('../laboratory/robustness-scoring.ts'),
    import('../laboratory/robustness-journal.ts'),
    import('../laboratory/robustness-rows.ts'),
    import('../laboratory/measure-robustness.ts'),
    import('../laboratory/condition-curves.ts'),
    import('../laboratory/validation-distance.ts'),
    import('../reports/robustness-files.ts'),
  ]);
  const wanted = choosing.chooseDegradations(options.only ?? (options.record ? ['thresholds'] : undefined));
  const whole = await modelToScoreWith(options);
  if (options.record) mayRecord([whole], options.model === undefined ? {} : { model: [options.model] });
  const telling = options.record ? await store.readModel(whole.folder, { vectors: true }) : whole;
  const model = options.withoutCompanion || options.record ? store.alone(telling) : telling;
  const dataset = await load.loadDataset(await usedSpec(options.dataset, options.bonafide));
  const all = load.selectSplits(dataset, options.split);
  const { seed, replicates } = options;
  const items = options.limit === undefined ? all : jobs.drawnAlike(all, options.limit, seed);
  const folder = resolve(options.out);
  const outputs = { overwrite: options.overwrite, recordings: items.map(({ path }) => path) };
  await mustBeFree(writing.robustnessFileNames.map((name) => join(folder, name)), outputs); // prettier-ignore
  const split = options.split.join(' and ');
  const identity = jobs.robustnessIdentity(applicationVersion(), model, { dataset: dataset.spec, split, items, seed });
  const journal = await journals.RobustnessJournal.open(
    journals.journalPath(folder),
    identity,
    options.resume === true,
  );
  process.stderr.write(`${modelLine(model)}\n`);
  const began = performance.now();
  return interruptible(async (signal, progress) => {
    const sets = await scoring.scoreDegraded(model, wanted, {
      items,
      seed,
      journal,
      signal,
      ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
      onProgress: (done, total, label) => {
        const left = formatSeconds(((total - done) * (performance.now() - began)) / 1000 / done);
        progress.show(`${done} of ${total}, ${label}, ${left} left`);
      },
    });
    progress.clear();
    const measuredOn = { made: provenance(model), dataset: dataset.spec, split, seed, replicates };
    const report = measuring.robustnessReport(model, items, sets, measuredOn);
    const { rows, conditions, companionNote } = report;
    const recorded = options.record && conditions ? conditions : null;
    const thresholds = recorded && curves.thresholdsWith(model.card.thresholds, recorded);
    const of = { dataset: dataset.spec, split, seed, replicates };
    const distance = thresholds && distances.validationDistance({ ...model.card, thresholds }, items, sets, of);
    const files = writing.robustnessFiles(report, distance);
    await writeOutputs(filesIn(folder, files), outputs);
    if (recorded && thresholds) {
      await store.writeMeasured(model, { conditions: recorded, thresholds, ...(distance ? { distance } : {}) });
      if (distance) process.stdout.write(writing.distanceText(distance));
    }
    await journal.remove();
    process.stdout.write(writing.robustnessText(rows));
    if (companionNote !== null) process.stdout.write(`${companionNote}\n`);
    if (conditions) process.stdout.write(writing.conditionsText(conditions));
    process.stdout.write(`Written to ${folder}: ${Object.keys(files).join(', ')}\n`);
    if (recorded) process.stdout.write(`The card in ${model.folder} has these curves, thresholds and distances now.\n`);
    const lacking = rows.some(({ skipped, figures }) => skipped !== null || (figures?.failed ?? 0) > 0);
    return lacking ? exitStatus.someFailed : exitStatus.done;
  }, 'Interrupted; --resume goes on.');
}
