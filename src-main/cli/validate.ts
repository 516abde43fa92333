import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { visibleName } from '../../src-common/visible-text.ts';
import { conditionName, criterionWords } from '../../src-common/validation-words.ts';
import { dataFolder } from '../base/home.ts';
import type { Criterion, ValidationRecord } from '../../src-common/schemas/validation.ts';
import { unlockOwnKey } from './ask-passphrase.ts';
import { applicationName, colour, exitStatus, interruptible, positiveInteger, withStatus } from './context.ts';
import { usedSpec } from './dataset-option.ts';
import { fastOption, modelFolder, modelOption, noteOption } from './model-option.ts';
import type { ModelOptions } from './model-option.ts';
import { mustBeFree, mustBeFreeForModel, writeOutputs } from './outputs.ts';

interface ValidateOptions extends ModelOptions {
  dataset: string;
  bonafide?: string;
  split: string;
  conditions: string;
  out: string;
  name?: string;
  examiner?: string;
  replicates: number;
  report?: string;
  overwrite?: boolean;
  note: string[];
}

export function register(program: Command): void {
  program
    .command('validate')
    .description(
      "Validate a model on a laboratory's own labelled recordings, under conditions and against criteria stated beforehand.",
    )
    .requiredOption('--dataset <spec>', 'recordings that the model was not trained on (see: dataset inspect --help)')
    .option('--bonafide <spec>', 'bona fide recordings from elsewhere, for a dataset of spoofs')
    .requiredOption('--split <name>', 'train, dev, test or another of its splits; all for everything')
    .requiredOption('--conditions <file>', 'the plan: conditions and criteria, as JSON (docs/validation.md)')
    .requiredOption('--out <folder>', 'where the validated model goes')
    .addOption(modelOption())
    .addOption(fastOption())
    .option('--name <name>', "the new model's name (default: that of the model)")
    .option('--examiner <name>', 'who validates (default: who is logged in)')
    .option('--replicates <n>', 'draws of the bootstrap, for intervals', positiveInteger, 1000)
    .option('--report <file>', 'where the record goes as a PDF (it is kept in the data folder in any case)')
    .option('--overwrite', 'replace the model, and the PDF, that stand there')
    .addOption(noteOption())
    .addHelpText(
      'after',
      `
The plan is kept before anything is scored. Recordings outside its conditions are left out and counted. The others are divided by source or
speaker, and each part is measured under a calibration that was fitted on the others. A criterion is met where the less favourable end of
its 95 % interval meets it. Where all are met, the model is written, "validated" for these conditions: recordings outside of them are
not assessable then. The signed record is kept in the data folder in any case, and beside the model's card.
Exit status: 0 all criteria met, 1 one was not, or it could not be done, 2 wrong usage, 130 interrupted.`,
    )
    .action(withStatus(run));
  program
    .command('validations')
    .description('The validations that were begun here, whatever came of them.')
    .action(withStatus(list));
}

/** "EER: at most 10 %; 5.2 %, up to 8.1 %: met". */
function criterionLine(criterion: Criterion): string {
  const { name, asked, found, bound } = criterionWords(criterion);
  const verdict = criterion.met ? colour('blue', 'met', process.stdout) : colour('red', 'not met', process.stdout);
  return `  ${name}: ${asked}; ${found === bound ? found : `${found}, ${bound}`}: ${verdict}\n`;
}

function summary({ data, folds, criteria, earlier }: ValidationRecord): string {
  const left = data.outside.map(({ condition, recordings }) => `${conditionName(condition)} ${recordings}`).join(', ');
  const lines = [
    `${data.bonafide} bona fide and ${data.spoof} spoof within the conditions, of ${data.bonafideUnits} and ${data.spoofUnits} ${data.unit}; ${folds} folds.`,
    ...(data.outsideRecordings > 0 ? [`${data.outsideRecordings} outside of them (${left}) are left out.`] : []),
    ...(data.failed > 0 ? [`${data.failed} could not be read.`] : []),
    ...(earlier > 0
      ? [
          `The model was validated on these recordings ${earlier} ${earlier === 1 ? 'time' : 'times'} before here: the record says so.`,
        ]
      : []),
  ];
  return lines.map((line) => `${line}\n`).join('') + criteria.map(criterionLine).join('');
}

async function run(options: ValidateOptions): Promise<number> {
  await unlockOwnKey();
  const folder = resolve(options.out);
  await mustBeFreeForModel(folder, { overwrite: options.overwrite });
  if (options.report !== undefined) await mustBeFree([resolve(options.report)], { overwrite: options.overwrite });
  const [{ validateModel }, { readValidationPlan }, { systemActor }] = await Promise.all([
    import('../laboratory/validate-model.ts'),
    import('../laboratory/validation-plan.ts'),
    import('../cases/session.ts'),
  ]);
  const stated = await readValidationPlan(options.conditions);
  const of = await modelFolder(options);
  return interruptible(async (signal, progress) => {
    const { record, model, report } = await validateModel(
      {
        folder: of,
        dataset: await usedSpec(options.dataset, options.bonafide),
        split: options.split,
        stated,
        examiner: options.examiner ?? systemActor(),
        out: folder,
        ...(options.name === undefined ? {} : { name: options.name }),
        notes: options.note,
        seed: 1,
        replicates: options.replicates,
      },
      applicationName(),
      { signal, onProgress: (done, total) => progress.show(`${done} of ${total} recordings`) },
    );
    progress.clear();
    process.stdout.write(summary(record));
    if (options.report !== undefined) {
      await writeOutputs(new Map([[resolve(options.report), await readFile(report)]]), {
        overwrite: options.overwrite,
      });
    }
    process.stdout.write(`The record as a PDF: ${options.report === undefined ? report : resolve(options.report)}\n`);
    if (model === null) {
      process.stdout.write('Not all criteria are met: no model was written.\n');
      return exitStatus.failure;
    }
    process.stdout.write(
      `Model written to ${folder}, validated by ${record.plan.laboratory}. Its record: validation.json.\n`,
    );
    return exitStatus.done;
  }, 'Stopped; no model was written. That it was begun stays in the list.');
}

async function list(): Promise<number> {
  const { listValidations } = await import('../laboratory/validate-model.ts');
  const all = await listValidations(dataFolder());
  if (all.length === 0) process.stdout.write('No validation was begun here.\n');
  for (const { statedAt, plan, model, split, dataset, record } of all) {
    const outcome = record === null ? 'not ended' : record.met ? 'met' : 'not met';
    const about = `${plan.title}; ${model.name} (${model.sha256.slice(0, 12)}) on ${split} of ${dataset}`;
    process.stdout.write(`${statedAt}  ${outcome.padEnd(9)}  ${visibleName(about)}\n`);
  }
  return exitStatus.done;
}
