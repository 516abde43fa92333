import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { FileReading } from '../scanning/score.ts';

/** The options that say what of a file is scored. */
export interface ReadingOptions {
  stream?: number;
  channels?: 'mix' | 'left' | 'right' | 'each';
  readAll?: boolean;
}

function streamNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('It must be a whole number from 0 on.');
  }
  return value;
}

/** Adds `--stream`, `--channels` and `--read-all` to a command. */
export function addReadingOptions(command: Command): Command {
  return command
    .option('--stream <n>', 'which audio stream of a file that holds several, from 0 on (default: 0)', streamNumber)
    .addOption(
      new Option(
        '--channels <which>',
        'their mean, one of them, or each on its own, a row for each (default: mix)',
      ).choices(['mix', 'left', 'right', 'each']),
    )
    .option(
      '--read-all',
      'read also sound that lies in a file but that its headers do not count in: behind the declared length, in further parts, or hidden by an edit list',
    );
}

/** What the options ask for; empty for the usual, so that it equals a scan without them. */
export function readingOf({ stream, channels, readAll }: ReadingOptions): FileReading {
  return {
    ...(stream ? { stream } : {}),
    ...(channels === undefined || channels === 'mix' ? {} : { channel: channels }),
    ...(readAll ? { readAll } : {}),
  };
}
