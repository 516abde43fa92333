import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { PartialRecord } from '../detector/localisation-card.ts';
import { exitStatus, interruptible, positiveInteger, withStatus } from './context.ts';
import { usedSpec } from './dataset-option.ts';
import { mayRecord } from './evaluate.ts';
import { mustBeFreeFolder, overwriteOption } from './outputs.ts';
import { modelLine } from './present.ts';

const help = `
Each set is three recordings of 6 to 12 s: bona fide clips of one speaker (of one source, where none is named) into which 0.5 to 3 s
are put, of a spoof, of the same voice and of another one, at the same place and with the same joins, hard ones or cross-fades.
A splice is no spoof: what has to be told is what was put in. Recordings are made from the seed and not kept, unless --out says where.

Measured, for the windows that scans use and for short ones: the EER of segments of 20 and 160 ms; regions pointed out at the threshold of
that EER, found where their intersection over union with the part is at least a half; false regions an hour of bona fide speech (95 %
interval of a Poisson count); and the EER of recordings by how far their lowest score lies below their median, against that by
their mean (paired 95 % interval over sources). With --record it goes into the model's card: only where that interval lies below
zero do results give times.

Exit status: 0 measured, 2 wrong usage, 130 interrupted, 1 anything else.`;

interface SplicesOptions {
  dataset: string;
  split: string;
  sets: number;
  seed: number;
  out?: string;
  overwrite?: boolean;
  model?: string;
  record?: boolean;
}

/** Adds `earwitness splices`: whether scores along a recording tell where a spoof was put in. */
export function register(program: Command): void {
  program
    .command('splices')
    .description('Measure whether a model tells where a spoof was put into a recording.')
    .requiredOption('--dataset <spec>', 'whose clips are spliced (see: dataset inspect --help)')
    .requiredOption('--split <name>', 'dev, test, or another that the model was not trained on')
    .option('--sets <n>', 'sets of three recordings', positiveInteger, 100)
    .option('--seed <n>', 'another one makes other recordings', positiveInteger, 1)
    .option('--out <folder>', 'keep the recordings here, with splices.csv')
    .addOption(overwriteOption())
    .option('--model <model>', "a model's folder or name (default: the model that ships)")
    .option('--record', "write what was measured into the model's card")
    .addHelpText('after', help)
    .action(withStatus(splices));
}

async function splices(options: SplicesOptions): Promise<number> {
  const { split, sets, seed, out } = options;
  const [store, load, jobs] = await Promise.all([
    import('../detector/store.ts'),
    import('../datasets/load.ts'),
    import('../laboratory/partial-spoofs.ts'),
  ]);
  const model = await store.readModel(await store.findModel(options.model));
  if (options.record) mayRecord([model], options.model === undefined ? {} : { model: [options.model] });
  const dataset = await load.loadDataset(await usedSpec(options.dataset));
  const items = load.selectSplit(dataset, split);
  const folder = out === undefined ? undefined : resolve(out);
  if (folder !== undefined) mustBeFreeFolder(folder, options);
  process.stderr.write(`${modelLine(model)}\n`);
  return interruptible(async (signal, progress) => {
    const records = await jobs.measurePartialSpoofs(
      model,
      items,
      { dataset: dataset.spec, split, sets, seed },
      {
        signal,
        ...(folder === undefined ? {} : { folder }),
        onRecording: (done, total) => progress.show(`${done} of ${total} recordings`),
      },
    );
    progress.clear();
    process.stdout.write(records.map(recordText).join('\n'));
    if (options.record) {
      const others =
        model.card.partialSpoofs?.filter((one) => one.dataset !== dataset.spec || one.split !== split) ?? [];
      await store.writeMeasured(model, { partialSpoofs: [...others, ...records] });
    }
    return exitStatus.done;
  });
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function recordText(record: PartialRecord): string {
  const { window, recordings, sources, split, regions, files } = record;
  const boundary = regions.boundarySeconds === null ? '' : `, ends off by ${regions.boundarySeconds.toFixed(2)} s`;
  const [low, high] = regions.falsePerHourInterval.map((rate) => rate.toFixed(0));
  const better = files.interval[1] < 0 ? 'better than' : 'no better than';
  return [
    `Windows of ${window.seconds} s every ${window.hopSeconds} s, ${recordings} recordings of ${split}, ${sources} sources`,
    `  segments    EER ${percent(record.segmentEer20)} at 20 ms, ${percent(record.segmentEer160)} at 160 ms`,
    `  regions     ${regions.found} of ${regions.parts} parts found${boundary}; ${regions.falsePerHour.toFixed(0)} false ones an hour (${low} to ${high})`,
    `  recordings  EER ${percent(files.eer)}, by the mean ${percent(files.meanEer)}; difference ${percent(files.interval[0])} to ${percent(files.interval[1])}: ${better} the mean`,
    '',
  ].join('\n');
}
