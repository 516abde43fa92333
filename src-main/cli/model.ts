import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import { visibleText } from '../../src-common/visible-text.ts';
import { UserFacingError } from '../base/errors.ts';
import { applicationName, exitStatus, interruptible, withStatus } from './context.ts';

/** Adds `earwitness model`: the models of this installation. */
export function register(program: Command): void {
  const model = program.command('model').description('the models of this installation: list them, take one in');
  model
    .command('list')
    .description('print them: id, status, name')
    .action(async () => {
      const { store, settings } = await open();
      for (const { id, name, status, problem } of await store.list(settings.get().defaultModel)) {
        process.stdout.write(`${visibleText(`${id}\t${status}\t${name}${problem ? `\t${problem.message}` : ''}`)}\n`);
      }
    });
  model
    .command('import')
    .description('take in an exported model, or a detector that others trained')
    .argument('<file>', 'a model that was exported (.zip), or an ONNX graph (.onnx)')
    .option('--card <file>', 'of an ONNX graph: what goes in and what comes out, as JSON (docs/models.md)')
    .addHelpText(
      'after',
      `
A graph is looked at before anything runs it, then tried in a process of its own. It is not calibrated: it scores
recordings and finds nothing until "earwitness calibrate" has calibrated it on labelled recordings of your own.
Exit status: 0 done, 1 it could not be taken in, 2 wrong usage, 130 interrupted.`,
    )
    .action(withStatus(importModel));
}

/** The models of the data folder, and the settings. */
async function open() {
  const [{ SettingsStore }, { openHome }, { ModelStore }] = await Promise.all([
    import('../engine/settings-store.ts'),
    import('../engine/parts.ts'),
    import('../models/model-store.ts'),
  ]);
  const home = await openHome();
  return { store: new ModelStore(home), settings: await SettingsStore.open(home) };
}

async function importModel(file: string, { card }: { card?: string }): Promise<number> {
  const path = resolve(file);
  const isGraph = /\.onnx$/i.test(basename(path));
  if (isGraph !== (card !== undefined)) {
    throw new UserFacingError(
      'usage',
      isGraph
        ? `${path} is an ONNX graph: --card says what goes in and what comes out.`
        : '--card goes with an ONNX graph.',
      { path, advice: 'docs/models.md shows what a card holds.' },
    );
  }
  const { store } = await open();
  return interruptible(async (signal) => {
    const id =
      card === undefined
        ? await store.import(path, signal)
        : await store.importDetector(path, resolve(card), applicationName(), signal);
    const { name, onnxSha256, notes, folder } = await store.get(id, id);
    process.stdout.write(
      visibleText(`Took in the model ${name} as "${id}" (${onnxSha256.slice(0, 12)}), in ${folder}.`) + '\n',
    );
    const last = notes.findLast((note) => note.startsWith('Taken in') || note.startsWith('Imported'));
    if (last !== undefined) process.stdout.write(`${visibleText(last)}\n`);
    if (card !== undefined) {
      process.stdout.write(
        `It is not calibrated. Next: earwitness calibrate --model ${id} --dataset … --split … --out …\n`,
      );
    }
    return exitStatus.done;
  }, 'Stopped; nothing was taken in.');
}
