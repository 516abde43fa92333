import { visibleText } from '../../src-common/visible-text.ts';
import { Command, CommanderError } from 'commander';
import '../base/private-files.ts';
import { UserFacingError } from '../base/errors.ts';
import { unwritable } from '../base/files.ts';
import { register as registerAnalyze } from './analyze.ts';
import { register as registerAuthority } from './authority.ts';
import { register as registerCalibrate } from './calibrate.ts';
import { register as registerCase } from './case.ts';
import { applicationVersion, colour, exitStatus, requireNode } from './context.ts';
import { register as registerCollection } from './collection.ts';
import { register as registerCompetence } from './competence.ts';
import { register as registerControl } from './control.ts';
import { register as registerDataset } from './dataset.ts';
import { register as registerEncoder } from './encoder.ts';
import { register as registerEvaluate } from './evaluate.ts';
import { register as registerFind } from './find.ts';
import { register as registerLaboratory } from './laboratory.ts';
import { register as registerMetrics } from './metrics.ts';
import { register as registerModel } from './model.ts';
import { register as registerPerson } from './person.ts';
import { register as registerReport } from './report.ts';
import { register as registerRobustness } from './robustness.ts';
import { register as registerSaliency } from './saliency.ts';
import { register as registerScan } from './scan.ts';
import { register as registerSelfTest } from './selftest.ts';
import { register as registerServe } from './serve.ts';
import { register as registerSettings } from './settings.ts';
import { register as registerSpectrogram } from './spectrogram.ts';
import { register as registerSplices } from './splices.ts';
import { register as registerTraces } from './traces.ts';
import { register as registerTrain } from './train.ts';
import { register as registerValidate } from './validate.ts';
import { register as registerVerify } from './verify.ts';
import { register as registerWorker } from './worker.ts';

/** The whole command line; each command's module is loaded only when it runs, so that starting is quick. */
export function buildProgram(): Command {
  const program = new Command('earwitness')
    .description("Is recorded speech a human voice or a machine's? Train, evaluate and scan.")
    .version(applicationVersion())
    .showHelpAfterError('(add --help for the options)')
    .exitOverride();
  const commands = [
    registerAnalyze,
    registerScan,
    registerWorker,
    registerTrain,
    registerCalibrate,
    registerValidate,
    registerControl,
    registerCompetence,
    registerLaboratory,
    registerModel,
    registerEncoder,
    registerEvaluate,
    registerRobustness,
    registerMetrics,
    registerDataset,
    registerCollection,
    registerSpectrogram,
    registerSaliency,
    registerSplices,
    registerTraces,
    registerFind,
    registerSelfTest,
    registerServe,
    registerSettings,
    registerCase,
    registerAuthority,
    registerPerson,
    registerVerify,
    registerReport,
  ];
  for (const register of commands) register(program);

  return program;
}

async function main(): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitStatus.done);
    const known = unwritable('the output', error);
    if (!(known instanceof UserFacingError)) throw error;
    process.stderr.write(`${colour('red', 'error:', process.stderr)} ${visibleText(known.sentence)}\n`);
    process.exit(exitStatus.failure);
  });
  try {
    requireNode(process.versions.node);
    await buildProgram().parseAsync(process.argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has said what is wrong already.
      process.exitCode = error.exitCode === 0 ? exitStatus.done : exitStatus.wrongUsage;
      return;
    }
    const label = colour('red', 'error:', process.stderr);
    if (error instanceof UserFacingError) {
      process.stderr.write(`${label} ${visibleText(error.sentence)}\n`);
      process.exitCode = error.code === 'usage' ? exitStatus.wrongUsage : exitStatus.failure;
    } else {
      process.stderr.write(
        `${label} this is a bug in Earwitness, please report it:\n${(error as Error).stack ?? String(error)}\n`,
      );
      process.exitCode = exitStatus.failure;
    }
  }
}

await main();
