import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type { ChannelChoice, FileReading } from '../scanning/score.ts';

/** The options that say what of a file is scored. */
export interface ReadingOptions {
  stream?: number;
  channels?: ChannelChoice;
  readAll?: boolean;
}

function streamNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('It must be a whole number from 0 on.');
  }
  return value;
}

const namedChannels = ['auto', 'mix', 'left', 'right', 'each'] as const;

function channelChoice(text: string): ChannelChoice {
  const named = namedChannels.find((name) => name === text);
  if (named !== undefined) return named;
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`It must be one of ${namedChannels.join(', ')}, or a channel’s number from 1 on.`);
}

/** Adds `--stream`, `--channels` and `--read-all` to a command. */
export function addReadingOptions(command: Command): Command {
  return command
    .option('--stream <n>', 'which audio stream of a file that holds several, from 0 on (default: 0)', streamNumber)
    .option(
      '--channels <which>',
      'mix: their mean; left, right or a number: one of them; each: every one on its own, a row for each; auto: each, where two channels are the sides of a conversation, else the mix (default: auto)',
      channelChoice,
    )
    .option(
      '--read-all',
      'read also sound that lies in a file but that its headers do not count in: behind the declared length, in further parts, or hidden by an edit list',
    );
}

/** What the options ask for. What is left out is the first stream, the mix, without what headers do not count in. */
export function readingOf({ stream, channels = 'auto', readAll }: ReadingOptions): FileReading {
  return {
    ...(stream ? { stream } : {}),
    ...(channels === 'mix' ? {} : { channel: channels }),
    ...(readAll ? { readAll } : {}),
  };
}
