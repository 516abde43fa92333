import { resolve } from 'node:path';
import type { Command } from 'commander';
import { visibleText } from '../../src-common/visible-text.ts';
import { exitStatus, interruptible, withStatus } from './context.ts';

/** Adds `earwitness encoder`: frozen encoders that members of models can be fitted on. */
export function register(program: Command): void {
  const encoder = program.command('encoder').description('frozen encoders that models can be trained on');
  encoder
    .command('add')
    .description('take in an encoder: an ONNX graph, weights in files beside it included')
    .argument('<file>', 'the graph (.onnx)')
    .requiredOption(
      '--card <card>',
      'what goes in and what comes out: a JSON file, or a name such as xls-r-300m (docs/models.md)',
    )
    .addHelpText(
      'after',
      `
Then: earwitness train --members linear,mel,encoder:NAME …
Exit status: 0 done, 1 it could not be taken in, 2 wrong usage, 130 interrupted.`,
    )
    .action(withStatus(addEncoder));
  encoder
    .command('list')
    .description('print those of this machine')
    .action(async () => {
      const { listEncoders } = await import('../detector/encoders/encoder.ts');
      for (const { name, output, description } of await listEncoders()) {
        process.stdout.write(`${visibleText(`${name}\t${output.size} values\t${description}`)}\n`);
      }
    });
}

async function addEncoder(file: string, { card }: { card: string }): Promise<number> {
  const { encoderCardPath, takeInEncoder } = await import('../models/import-encoder.ts');
  return interruptible(async (signal) => {
    const { folder, card: taken, secondsPerWindow } = await takeInEncoder(resolve(file), encoderCardPath(card), signal);
    const times = taken.input.samples / taken.input.sampleRateHz / secondsPerWindow;
    process.stdout.write(
      `${visibleText(`Took in the encoder ${taken.name} (${taken.output.size} values a window), in ${folder}.`)}\n` +
        `One window takes ${secondsPerWindow.toFixed(2)} s on one core, ${times.toFixed(1)} times real time without overlap.\n` +
        `Train on it: earwitness train --members linear,mel,encoder:${taken.name} …\n`,
    );
    return exitStatus.done;
  }, 'Stopped; nothing was taken in.');
}
