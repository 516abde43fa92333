/** The options of commands that can look at a stretch of a recording alone. */
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { UserFacingError } from '../base/errors.ts';

export interface StretchOptions {
  start?: number;
  end?: number;
}

/** Adds `--start` and `--end` in seconds. */
export function addStretchOptions(command: Command): Command {
  return command
    .option('--start <seconds>', 'look at the stretch from here on its own (with --end)', seconds)
    .option('--end <seconds>', 'to here', seconds);
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < Infinity)) {
    throw new InvalidArgumentError('It must be a time in seconds.');
  }
  return value;
}

/** The stretch that is asked for; null for the whole recording. @throws UserFacingError `usage` */
export function stretchOf({ start, end }: StretchOptions): { startSeconds: number; endSeconds: number } | null {
  if (start === undefined && end === undefined) return null;
  if (start === undefined || end === undefined || !(start < end)) {
    throw new UserFacingError('usage', '--start and --end go together, and --start lies before --end.');
  }
  return { startSeconds: start, endSeconds: end };
}
