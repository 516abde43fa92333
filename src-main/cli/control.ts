/** `earwitness control`: control recordings, their runs, and the chart of their scores. */
import { extname, resolve } from 'node:path';
import type { Command } from 'commander';
import { runSentence } from '../../src-common/control-limits.ts';
import type { JudgedRun } from '../../src-common/control-limits.ts';
import { visibleName } from '../../src-common/visible-text.ts';
import { UserFacingError } from '../base/errors.ts';
import { dataFolder } from '../base/home.ts';
import { unlockOwnKey } from './ask-passphrase.ts';
import { applicationName, colour, exitStatus, interruptible, positiveInteger, withStatus } from './context.ts';
import { usedSpec } from './dataset-option.ts';
import { fastOption, modelOption, modelToScoreWith } from './model-option.ts';
import type { ModelOptions } from './model-option.ts';
import { overwriteOption, writeOutputs } from './outputs.ts';

export function register(program: Command): void {
  const control = program
    .command('control')
    .description('Control recordings of known label, scored before every scan of a case; a chart of their scores.');
  control
    .command('set')
    .description('Choose the control recordings from a labelled dataset; they are copied into the data folder.')
    .requiredOption('--dataset <spec>', 'the recordings (see: dataset inspect --help)')
    .requiredOption('--split <name>', 'train, dev, test or another of its splits; all for everything')
    .option('--count <n>', 'so many of each class', positiveInteger, 6)
    .option('--seed <n>', 'by which they are drawn, from all sources alike', positiveInteger, 1)
    .addOption(overwriteOption('choose anew: charts begin anew with other recordings'))
    .action(withStatus(set));
  control
    .command('run')
    .description('Score the control recordings, compare them with their baseline, and keep the run.')
    .addOption(modelOption())
    .addOption(fastOption())
    .option('--baseline', 'what later runs are compared with; five or more in a row give limits of their own')
    .option('--reason <text>', 'why a new baseline takes the place of another')
    .addHelpText(
      'after',
      `
Limits are those of Shewhart's charts: a warning beyond two standard deviations of the baseline, action beyond three. The program scores
alike each time, so with fewer than five baseline runs a difference of 0.0001 stands for the standard deviation.
Exit status: 0 within the action limits, 1 beyond, 2 wrong usage, 130 interrupted.`,
    )
    .action(withStatus(run));
  control.command('list').description('The control recordings, and the runs of each model.').action(withStatus(list));
  control
    .command('chart')
    .description('The control chart of a model.')
    .requiredOption('--out <file>', 'an .svg, or a .csv of the figures')
    .addOption(modelOption())
    .addOption(fastOption())
    .addOption(overwriteOption())
    .action(withStatus(chart));
}

const notChosen = (): UserFacingError =>
  new UserFacingError('controls', 'No control recordings were chosen here.', {
    advice: 'Choose them with `earwitness control set --dataset SPEC --split NAME`.',
  });

interface SetOptions {
  dataset: string;
  split: string;
  count: number;
  seed: number;
  overwrite?: boolean;
}

async function set({ overwrite, ...asked }: SetOptions): Promise<number> {
  const [{ chooseControls, readControlSet }, { systemActor }] = await Promise.all([
    import('../laboratory/controls.ts'),
    import('../cases/session.ts'),
  ]);
  const home = dataFolder();
  if (!overwrite && (await readControlSet(home)) !== null) {
    throw new UserFacingError('usage', 'Control recordings were chosen already.', {
      advice: 'Add --overwrite to choose anew. The runs of the old ones stay in the book.',
    });
  }
  const { recordings } = await chooseControls(home, {
    ...asked,
    dataset: await usedSpec(asked.dataset),
    by: systemActor(),
  });
  const bonafide = recordings.filter(({ label }) => label === 'bonafide').length;
  process.stdout.write(
    `${bonafide} bona fide and ${recordings.length - bonafide} synthetic control recordings. Begin the baseline of each model that you use: \`earwitness control run --baseline\`.\n`,
  );
  return exitStatus.done;
}

const outcomeColour = { within: 'blue', warning: 'yellow', action: 'red', 'no-baseline': 'yellow' } as const;

function lines(judged: JudgedRun): string {
  const far = judged.controls.filter(({ state }) => state !== 'within');
  const details = far.map(({ name, label, score, centre, deviation, state, problem }) => {
    const what =
      deviation === null
        ? (problem ?? '')
        : `${score?.toFixed(4)} in place of ${centre?.toFixed(4)} (${deviation.toFixed(1)})`;
    return `  ${state}: ${visibleName(name)} (${label}): ${visibleName(what)}\n`;
  });
  return `${colour(outcomeColour[judged.outcome], judged.outcome, process.stdout)}  ${runSentence(judged)}\n${details.join('')}`;
}

async function run({
  baseline,
  reason,
  ...options
}: ModelOptions & { baseline?: boolean; reason?: string }): Promise<number> {
  if (reason !== undefined && !baseline) throw new UserFacingError('usage', '--reason goes with --baseline.');
  await unlockOwnKey();
  const [{ runControls }, { systemActor }] = await Promise.all([
    import('../laboratory/controls.ts'),
    import('../cases/session.ts'),
  ]);
  const model = await modelToScoreWith(options);
  return interruptible(async (signal) => {
    const role = baseline ? 'baseline' : 'control';
    const judged = await runControls(dataFolder(), model, {
      application: applicationName(),
      by: systemActor(),
      role,
      reason,
      signal,
    });
    if (judged === null) throw notChosen();
    process.stdout.write(lines(judged));
    return judged.outcome === 'action' ? exitStatus.failure : exitStatus.done;
  });
}

async function list(): Promise<number> {
  const { controlHistory } = await import('../laboratory/controls.ts');
  const { set: chosen, models } = await controlHistory(dataFolder());
  if (chosen === null) throw notChosen();
  for (const { label, name, sha256 } of chosen.recordings) {
    process.stdout.write(`${label.padEnd(9)} ${visibleName(name)}  ${sha256.slice(0, 12)}\n`);
  }
  for (const judged of models) {
    const { model } = judged[0].run;
    process.stdout.write(`\n${visibleName(model.name)} (${model.sha256.slice(0, 12)}):\n`);
    for (const one of judged) {
      const { at, by, role, reason } = one.run;
      const because = reason === null ? '' : ` (${reason})`;
      process.stdout.write(`  ${at}  ${role}  ${visibleName(by)}  ${visibleName(`${runSentence(one)}${because}`)}\n`);
    }
  }
  return exitStatus.done;
}

async function chart({
  out,
  overwrite,
  ...options
}: ModelOptions & { out: string; overwrite?: boolean }): Promise<number> {
  const kind = extname(out).toLowerCase();
  if (kind !== '.svg' && kind !== '.csv') {
    throw new UserFacingError(
      'usage',
      `The chart is written as .svg or .csv, not as ${kind || 'a file without an extension'}.`,
    );
  }
  const { controlHistory } = await import('../laboratory/controls.ts');
  const model = await modelToScoreWith(options);
  const { set: chosen, models } = await controlHistory(dataFolder());
  if (chosen === null) throw notChosen();
  const judged = models.find(([{ run: of }]) => of.model.sha256 === model.onnxSha256);
  if (!judged) {
    throw new UserFacingError('controls', `The control recordings were not run with ${model.card.name}.`, {
      advice: 'Begin with `earwitness control run --baseline`.',
    });
  }
  const { controlsCsv } = await import('../reports/controls-csv.ts');
  const { controlChart } = await import('../../src-common/plots/controls.ts');
  const { plotSvg } = await import('../../src-common/plots/svg.ts');
  const content = kind === '.svg' ? plotSvg(controlChart(judged)) : controlsCsv(judged);
  await writeOutputs(new Map([[resolve(out), content]]), { overwrite });
  process.stdout.write(lines(judged[judged.length - 1]));
  return exitStatus.done;
}
