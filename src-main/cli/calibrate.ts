import { resolve } from 'node:path';
import type { Command } from 'commander';
import { applicationName, exitStatus, interruptible, withStatus } from './context.ts';
import { usedSpec } from './dataset-option.ts';
import { errorRateOption, fastOption, modelFolder, modelOption, noteOption } from './model-option.ts';
import type { ModelOptions } from './model-option.ts';
import { mustBeFreeForModel } from './outputs.ts';

interface CalibrateOptions extends ModelOptions {
  dataset: string;
  bonafide?: string;
  split: string;
  out: string;
  name?: string;
  errorRate: number;
  overwrite?: boolean;
  note: string[];
}

export function register(program: Command): void {
  program
    .command('calibrate')
    .description('Calibrate and measure a model on labelled recordings of your own; the network stays as it is.')
    .requiredOption('--dataset <spec>', 'recordings that the model was not trained on (see: dataset inspect --help)')
    .option('--bonafide <spec>', 'bona fide recordings from elsewhere, for a dataset of spoofs')
    .requiredOption('--split <name>', 'train, dev, test or another of its splits; all for everything')
    .requiredOption('--out <folder>', 'where the model with its new calibration goes')
    .addOption(modelOption())
    .addOption(fastOption())
    .option('--name <name>', "the new model's name (default: that of the model)")
    .addOption(errorRateOption())
    .option('--overwrite', 'replace the model that stands in the folder')
    .addOption(noteOption())
    .addHelpText(
      'after',
      `
The model is for screening then; "validate" makes one that gives likelihood ratios in cases and reports. Where speakers are named, recordings of one speaker are put together to calibrate by length of speech.
Exit status: 0 done, 1 it could not be done, 2 wrong usage, 130 interrupted.`,
    )
    .action(withStatus(calibrate));
}

async function calibrate(options: CalibrateOptions): Promise<number> {
  const folder = resolve(options.out);
  await mustBeFreeForModel(folder, { overwrite: options.overwrite });
  const { calibrateModel } = await import('../laboratory/calibrate-model.ts');
  const { validatedRange } = await import('../evaluation/calibration.ts');
  const of = await modelFolder(options);
  const { readCard } = await import('../detector/store.ts');
  const { companions = [] } = await readCard(of);
  return interruptible(async (signal, progress) => {
    const { card } = await calibrateModel(
      {
        folder: of,
        dataset: await usedSpec(options.dataset, options.bonafide),
        split: options.split,
        out: folder,
        ...(options.name === undefined ? {} : { name: options.name }),
        maximumErrorRate: options.errorRate,
        seed: 1,
        notes: options.note,
      },
      applicationName(),
      { signal, onProgress: (done, total) => progress.show(`${done} of ${total} recordings`) },
    );
    progress.clear();
    const { calibration, status } = card;
    const figures = card.figures.at(-1);
    if (figures) {
      const { eer, auc, cllrBits, bonafide, spoof } = figures;
      process.stdout.write(
        `EER ${(100 * eer).toFixed(1)} %, AUC ${auc.toFixed(3)}, Cllr ${cllrBits.toFixed(2)} bits (${bonafide} bona fide, ${spoof} spoof)\n`,
      );
    }
    if (calibration.bandReason !== null) process.stdout.write(`${calibration.bandReason}\n`);
    const lengths = calibration.lengths.map(({ seconds }) => `${seconds} s`);
    const range = validatedRange(calibration);
    const limits = range
      ? ` What has less than ${range.fromSeconds.toFixed(1)} s of speech or more than ${range.toSeconds.toFixed(1)} s is not validated.`
      : '';
    process.stdout.write(
      lengths.length > 0
        ? `Calibrated for ${lengths.join(', ')} of speech.${limits}\n`
        : `Calibrated for all lengths alike: too few speakers are named to tell lengths apart.${limits}\n`,
    );
    if (companions.length > 0) {
      const names = companions.map(({ name }) => name).join(', ');
      process.stdout.write(
        `It was calibrated by itself, on all recordings, and has no companion (the model had: ${names}). Calibrate a companion by its own folder, ${companions.map(({ name }) => resolve(of, name)).join(', ')}.\n`,
      );
    }
    process.stdout.write(`Model written to ${folder}, ${status}.\n`);
    return exitStatus.done;
  }, 'Stopped; nothing was written.');
}
