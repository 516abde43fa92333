import type { Command } from 'commander';
import { UserFacingError } from '../base/errors.ts';
import { applicationName, colour, exitStatus, interruptible, withStatus } from './context.ts';
import { overwriteOption } from './outputs.ts';

interface SelfTestOptions {
  model?: string[];
  json?: boolean;
  store?: boolean;
  log?: boolean;
  overwrite?: boolean;
}

export function register(program: Command): void {
  program
    .command('selftest')
    .description('check decoders and models on signals with known results, and keep a record')
    .option('--model <model...>', 'only these models, by folder or name (default: all that are installed)')
    .option('--json', 'the record as JSON')
    .option('--store', "store the model's scores beside it, for later self-tests (after training)")
    .option('--log', 'the equipment log: every self-test that was kept, with versions and what failed')
    .addOption(overwriteOption('with --store: replace scores that were stored before'))
    .addHelpText(
      'after',
      `
Signals made by the program itself are decoded and scored with every model, and the scores compared with those
stored with the model; for a model that came without, today's are stored and compared from then on. The record,
with date and versions, is saved in the data folder (EARWITNESS_HOME), below selftests.
Exit status: 0 all is well, 1 not, 130 interrupted.`,
    )
    .action(withStatus(run));
}

async function run(options: SelfTestOptions): Promise<number> {
  const { selfTest, storeReference } = await import('../laboratory/selftest.ts');
  if (options.log) return log(options);
  const application = applicationName();
  return interruptible(async (signal, progress) => {
    if (options.store) {
      if (options.json || (options.model?.length ?? 0) > 1) {
        throw new UserFacingError('usage', '--store goes with one --model at most, and without --json.');
      }
      const path = await storeReference(application, options.model?.[0], {
        overwrite: options.overwrite === true,
        signal,
      });
      process.stdout.write(`Scores stored in ${path}\n`);
      return exitStatus.done;
    }
    let done = 0;
    progress.show('checking decoders', true);
    const { record, path } = await selfTest(application, {
      ...(options.model ? { models: options.model } : {}),
      signal,
      onCheck: (check) => {
        progress.clear();
        if (!options.json) {
          const mark = check.passed ? 'passed' : colour('red', 'FAILED', process.stdout);
          process.stdout.write(`${mark}  ${check.name}: ${check.detail}\n`);
        }
        progress.show(`${++done} checks done`, true);
      },
    });
    progress.clear();
    if (options.json) process.stdout.write(`${JSON.stringify(record, null, 1)}\n`);
    process.stderr.write(`Record saved in ${path}\n`);
    return record.passed ? exitStatus.done : exitStatus.failure;
  });
}

/** Every self-test that was kept, the first first. */
async function log({ json }: SelfTestOptions): Promise<number> {
  const { selfTestRecords } = await import('../laboratory/selftest.ts');
  const records = await selfTestRecords();
  if (json) process.stdout.write(`${JSON.stringify(records, null, 1)}\n`);
  else if (records.length === 0) process.stdout.write('No self-test was kept here.\n');
  else {
    for (const { time, passed, versions, checks } of records) {
      const { application, onnxruntime, ffmpeg, node, platform, processor } = versions;
      const made = `${application}, ffmpeg ${ffmpeg?.version ?? 'none'}, ONNX Runtime ${onnxruntime}, Node ${node}, ${platform}, ${processor}`;
      process.stdout.write(`${time}  ${passed ? 'passed' : colour('red', 'FAILED', process.stdout)}  ${made}\n`);
      for (const { name, detail } of checks.filter((check) => !check.passed))
        process.stdout.write(`  ${name}: ${detail}\n`);
    }
  }
  return exitStatus.done;
}
