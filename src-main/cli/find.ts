/** `earwitness find`: where a stretch of a recording occurs in others. */
import { basename } from 'node:path';
import type { Command } from 'commander';
import type { Found } from '../../src-common/schemas/traces.ts';
import { visibleName, visibleText } from '../../src-common/visible-text.ts';
import { UserFacingError } from '../base/errors.ts';
import { colour, exitStatus, formatSeconds, interruptible, positiveInteger, withStatus } from './context.ts';
import { addStretchOptions, stretchOf as askedFor } from './stretch.ts';
import type { StretchOptions } from './stretch.ts';

const help = `
The stretch is known by a fingerprint of its sound, and found again after coding, at another level or in moderate noise: the same
utterance, not the same words said again, nor another utterance of the same voice. docs/traces.md says how often it is found and
how often something else is. Recordings are read only.

Examples:
  earwitness find call.wav archive/*.mp3 --start 12.4 --end 16
  earwitness find call.wav broadcast.m4a --start 12.4 --end 16 --json

Exit status: 0 searched, 3 some could not be, 2 wrong usage, 130 interrupted, 1 anything else.`;

interface Options extends StretchOptions {
  channel?: number;
  readAll?: boolean;
  json?: boolean;
}

/** Adds `earwitness find`. */
export function register(program: Command): void {
  const command = program
    .command('find')
    .description('Find a stretch of a recording in others: the same utterance, coded anew, louder or in noise.')
    .argument('<file>', 'the recording of the stretch')
    .argument('<others...>', 'the recordings in which it is looked for');
  addStretchOptions(command)
    .option('--channel <n>', 'the channel of the stretch, counted from 1 (default: the mix of all)', positiveInteger)
    .option('--read-all', 'read also sound that lies in the files but that their headers do not count in')
    .option('--json', 'places and what they mean as JSON, a line for each recording')
    .addHelpText('after', help)
    .action(withStatus(find));
}

async function find(file: string, others: string[], options: Options): Promise<number> {
  const span = askedFor(options);
  if (span === null) throw new UserFacingError('usage', 'Say which stretch is looked for, with --start and --end.');
  const { findStretch, stretchOf } = await import('../traces/find.ts');
  const { channel, json } = options;
  const reading = options.readAll ? { readAll: true } : {};
  return interruptible(async (signal, progress) => {
    const of = { path: file, ...reading, ...(channel === undefined ? {} : { channel }) };
    const stretch = await stretchOf(of, span, signal);
    let failed = 0;
    let limits = '';
    for (const path of others) {
      const name = visibleName(basename(path));
      try {
        const found = await findStretch(
          stretch,
          { path, ...reading },
          {
            signal,
            onProgress: (done, total) =>
              progress.show(`${name}: ${formatSeconds(done)}${total === null ? '' : ` of ${formatSeconds(total)}`}`),
          },
        );
        progress.clear();
        process.stdout.write(json ? `${JSON.stringify({ file: path, ...found })}\n` : textOf(path, found));
        ({ limits } = found);
      } catch (error) {
        if (!(error instanceof UserFacingError)) throw error;
        progress.clear();
        process.stderr.write(`${colour('red', 'error:', process.stderr)} ${visibleText(error.sentence)}\n`);
        failed++;
      }
    }
    // Once: it is the same for all.
    if (!json && limits !== '') process.stdout.write(`${limits}\n`);
    return failed > 0 ? exitStatus.someFailed : exitStatus.done;
  });
}

function textOf(path: string, { sentence, places }: Found): string {
  const lines = places.map(
    ({ startSeconds, endSeconds, agreement, meaning }) =>
      `  ${startSeconds.toFixed(2)} to ${endSeconds.toFixed(2)} s: ${(100 * agreement).toFixed(0)} % (${meaning})`,
  );
  return `${visibleName(basename(path))}\n${[sentence, ...lines].map((line) => visibleText(line)).join('\n')}\n\n`;
}
