/** `earwitness train`: makes a model from a dataset. */
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { frontEndNames } from '../../src-common/front-ends.ts';
import type { TrainModelEvent } from '../laboratory/train-model.ts';
import type { TrainingOptions } from '../laboratory/training-options.ts';
import {
  applicationName,
  exitStatus,
  formatSeconds,
  interruptible,
  positiveInteger,
  wholeNumber,
  withStatus,
} from './context.ts';
import type { ProgressLine } from './context.ts';
import { usedSpec } from './dataset-option.ts';
import { errorRateOption, noteOption } from './model-option.ts';
import { filesIn, mustBeFreeFolder, mustBeFreeForModel, writeOutputs } from './outputs.ts';

type Derived = 'resume' | 'notes' | 'folds' | 'maximumErrorRate' | 'misjudgedCodecs' | 'leastBandwidthHz';

interface TrainOptions extends Omit<TrainingOptions, Derived> {
  bonafide?: string;
  folds?: 'source';
  foldCount: number;
  leastBandwidth?: number;
  errorRate: number;
  misjudges: string[];
  resume?: boolean;
  overwrite?: boolean;
  plots?: string;
  note: string[];
}

function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Infinity)) throw new InvalidArgumentError('It must be a number above zero.');
  return value;
}

function nonNegativeNumber(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value < Infinity)) throw new InvalidArgumentError('It must be a number from 0 up.');
  return value;
}

function evenInteger(text: string): number {
  const value = positiveInteger(text);
  if (value % 2 !== 0) throw new InvalidArgumentError('It must be even: both classes are drawn equally often.');
  return value;
}

export function register(program: Command): void {
  program
    .command('train')
    .description('Train a model on a labelled dataset.')
    .requiredOption('--dataset <spec>', 'what to train on, for instance asvspoof2019:DIR (see: dataset inspect --help)')
    .option('--bonafide <spec>', 'bona fide recordings from elsewhere, for a dataset of spoofs')
    .requiredOption('--out <folder>', "the model's folder: network, weights, card; checkpoints while it trains")
    .addOption(new Option('--network <name>', 'what is trained').choices(['residual', 'mel-cnn']).default('residual'))
    .option(
      '--members <names>',
      'a model of several members instead, joined: linear, mel and phase (residual networks, more seeds as linear-2), encoder, periodicity (trees on how phases are kept at engines’ rates), encoder:NAME of one that was added',
      (text: string) => text.split(',').map((name) => name.trim()),
    )
    .addOption(
      new Option(
        '--front-end <name>',
        'what it looks at: log-Mel or linear spectrogram, how phases move, or cepstral coefficients (default: linear for residual, mel for mel-cnn)',
      ).choices([...frontEndNames]),
    )
    .addOption(
      new Option(
        '--augmentation <how>',
        'auto: masked for residual, full for mel-cnn; full: channels (room, noise, band, codec, level) and masked stripes; channel: without the stripes; light: cuts, level and stripes; masked: cuts and two wide stripes; none: cuts',
      )
        .choices(['auto', 'full', 'channel', 'light', 'masked', 'none'])
        .default('auto'),
    )
    .addOption(
      new Option(
        '--band <name>',
        'what it is made for; telephone: recordings of 8 kHz, of which 300 to 3,400 Hz count ("dataset telephone" makes copies to train on)',
      )
        .choices(['full', 'telephone'])
        .default('full'),
    )
    .option('--name <name>', "the model's name (default: that of its folder)")
    .addOption(
      new Option('--backend <name>', 'what trains')
        .choices(['auto', 'tensorflow', 'webgpu', 'wasm', 'cpu'])
        .default('auto'),
    )
    .option('--epochs <n>', 'epochs: residual takes all (default: 8), mel-cnn at most so many (30)', positiveInteger)
    .option('--batch-size <n>', 'clips in a step (default: 32)', evenInteger)
    .option(
      '--learning-rate <x>',
      'of Adam: residual rises to it and falls to zero (default: 0.002), mel-cnn falls from it (0.001)',
      positiveNumber,
    )
    .option('--weight-decay <x>', 'decoupled, as a share of the learning rate (default: 0.02)', nonNegativeNumber)
    .option(
      '--averaged-steps <n>',
      'keep a running average of the weights over about so many steps; 0: none (default: 0 for residual, 200 for mel-cnn)',
      wholeNumber,
    )
    .addOption(
      new Option('--folds <by>', 'calibrate on scores of models that were trained without the source').choices([
        'source',
      ]),
    )
    .option('--fold-count <n>', 'folds of sources; with as many as sources, each is left out once', positiveInteger, 5)
    .option(
      '--copies <spec>',
      'copies of what is trained on ("dataset degrade"): heads of encoders learn from them, too; networks do not',
    )
    .option(
      '--calibrate-on <spec>',
      'with --folds: other copies of the same sources, on which scores are joined and calibrated (train) and the model measured (dev, test)',
    )
    .option(
      '--least-bandwidth <hz>',
      'what has sound up to there only, or less, is not assessable (default: as the front ends ask)',
      positiveNumber,
    )
    .addOption(errorRateOption())
    .option(
      '--misjudges <codec>',
      "what is coded so (ffmpeg's name of the codec) is not assessable, since the model was seen to misjudge it (repeatable)",
      (codec: string, codecs: string[]) => [...codecs, codec],
      [] as string[],
    )
    .option(
      '--patience <n>',
      'mel-cnn: stop after so many epochs without a better AUC on dev (default: 8)',
      positiveInteger,
    )
    .option('--seed <n>', 'same seed, data and backend: same model', wholeNumber, 1)
    .option('--from <model>', 'train on from this model, with its network, front end, conditioning and augmentation')
    .option('--resume', 'go on from the checkpoint in the folder, if there is one')
    .option(
      '--keep-checkpoints',
      'of a model of several members: leave their checkpoints and those of folds, for a model of some of them',
    )
    .option('--overwrite', 'replace the model that stands in the folder')
    .option(
      '--plots <folder>',
      'draw loss, and EER and AUC on dev, of its networks into this folder (SVG); of this run alone',
    )
    .addOption(noteOption())
    .addHelpText(
      'after',
      `
Ctrl-C saves a checkpoint and stops; the same command with --resume goes on, as it does after a crash.
mel-cnn's epoch is chosen on the dataset's dev split, and the model calibrated there; its test split, if there is one,
is only measured for the card.`,
    )
    .action(withStatus(train));
}

/** Says on standard error what training does: a line an epoch, and in between one that is written over. */
function reporter(progress: ProgressLine): (event: TrainModelEvent) => void {
  const say = (line: string): void => {
    progress.clear();
    process.stderr.write(`${line}\n`);
  };
  return (event) => {
    switch (event.type) {
      case 'data':
        say(`${event.train} recordings to train on, ${event.dev} dev, ${event.test} test.`);
        if (event.note) say(event.note);
        break;
      case 'backend':
        say(`Backend ${event.choice.name} (${event.choice.device}): ${event.choice.reason}`);
        break;
      case 'fold':
        say(`Fold ${event.fold} of ${event.folds}: without ${event.recordings} recordings of some sources.`);
        break;
      case 'member':
        if (event.members > 1) say(`Member ${event.name}, ${event.member} of ${event.members}.`);
        break;
      case 'embed':
        progress.show(`embeddings ${event.done} of ${event.total} recordings`);
        break;
      case 'join':
        progress.show('joining the members');
        break;
      case 'joined':
        for (const { name, weight, eer, auc } of event.members) {
          say(
            `${name}: weight ${weight.toFixed(3)}, alone on dev EER ${(100 * eer).toFixed(1)} %, AUC ${auc.toFixed(3)}`,
          );
        }
        break;
      case 'calibrate':
        progress.show('calibrating');
        break;
      case 'whole':
        say('What is kept, on all recordings.');
        break;
      case 'prepare':
        progress.show(`reading ${event.done} of ${event.total} recordings`);
        break;
      case 'excluded':
        say(`Left out ${event.path}: ${event.why}`);
        break;
      case 'resumed':
        say(`Going on after epoch ${event.epoch}, step ${event.step}.`);
        break;
      case 'step': {
        const { epoch, epochs, step, steps, loss, clipsPerSecond, secondsLeft } = event;
        progress.show(
          `epoch ${epoch}/${epochs}, step ${step}/${steps}, loss ${loss.toFixed(4)}, ${clipsPerSecond.toFixed(0)} clips/s, ${formatSeconds(secondsLeft)} left`,
        );
        break;
      }
      case 'epoch': {
        const { epoch, epochs, loss, devEer, devAuc, best } = event;
        say(
          `epoch ${epoch}/${epochs}  loss ${loss.toFixed(4)}  dev EER ${(100 * devEer).toFixed(1)} %  dev AUC ${devAuc.toFixed(3)}${best ? '  best so far' : ''}  ${event.clipsPerSecond.toFixed(0)} clips/s  ${formatSeconds(event.secondsLeft)} left`,
        );
        break;
      }
      case 'score':
        progress.show(`measuring on ${event.split}: ${event.done} of ${event.total}`);
    }
  };
}

/** Follows a training for its curves. */
async function followCurves(
  dataset: string,
  name: string,
): Promise<{ hear: (event: TrainModelEvent) => void; pictures: () => Record<string, string> }> {
  const { TrainingFollower } = await import('../laboratory/train-progress.ts');
  const { newRecord } = await import('../laboratory/train-record.ts');
  const { trainingRequestSchema } = await import('../../src-common/schemas/training.ts');
  const { trainingPlots } = await import('../../src-common/plots/training.ts');
  const { plotSvg } = await import('../../src-common/plots/svg.ts');
  const record = newRecord('', trainingRequestSchema.parse({ dataset, name }));
  const follower = new TrainingFollower(record);
  return {
    hear: (event) => void follower.hear(event),
    pictures: () => Object.fromEntries(trainingPlots(record.training).map((plot) => [`${plot.id}.svg`, plotSvg(plot)])),
  };
}

async function train(options: TrainOptions): Promise<number> {
  const folder = resolve(options.out);
  const finished = existsSync(join(folder, 'card.json'));
  const begun = ['checkpoint.safetensors', 'checkpoint-folds', 'checkpoint-members'].some((name) =>
    existsSync(join(folder, name)),
  );
  if (options.resume && finished && !begun) {
    process.stderr.write(`The model in ${folder} is finished; there is nothing to resume.\n`);
    return exitStatus.done;
  }
  await mustBeFreeForModel(folder, { overwrite: options.overwrite, resume: options.resume === true });
  if (options.plots !== undefined) mustBeFreeFolder(resolve(options.plots), { overwrite: options.overwrite });
  const { trainModel } = await import('../laboratory/train-model.ts');
  return interruptible(async (signal, progress) => {
    const say = reporter(progress);
    const { note, plots, resume, folds, foldCount, bonafide, errorRate, misjudges, leastBandwidth, ...rest } = options;
    const dataset = await usedSpec(options.dataset, bonafide);
    if (options.copies !== undefined) rest.copies = await usedSpec(options.copies);
    if (options.calibrateOn !== undefined) rest.calibrateOn = await usedSpec(options.calibrateOn);
    const curves = plots === undefined ? null : await followCurves(dataset, options.name ?? basename(folder));
    const model = await trainModel(
      {
        ...rest,
        dataset,
        resume: resume === true,
        notes: note,
        folds: folds ? Math.max(2, foldCount) : null,
        maximumErrorRate: errorRate,
        misjudgedCodecs: misjudges,
        leastBandwidthHz: leastBandwidth,
      },
      applicationName(),
      {
        signal,
        onEvent: (event) => {
          curves?.hear(event);
          say(event);
        },
      },
    );
    progress.clear();
    for (const { split, eer, auc, bonafide, spoof } of model.card.figures) {
      process.stdout.write(
        `${split}: EER ${(100 * eer).toFixed(1)} %, AUC ${auc.toFixed(3)} (${bonafide} bona fide, ${spoof} spoof)\n`,
      );
    }
    process.stdout.write(`Model written to ${folder} (${model.onnxSha256.slice(0, 12)}).\n`);
    if (plots !== undefined && curves) {
      const drawn = curves.pictures();
      await writeOutputs(filesIn(resolve(plots), drawn), { overwrite: options.overwrite });
      process.stdout.write(
        Object.keys(drawn).length === 0
          ? 'There are no curves: no network was trained.\n'
          : `Curves written to ${plots}.\n`,
      );
    }
    return exitStatus.done;
  }, 'Stopped. The same command with --resume goes on from the last checkpoint.');
}
