import { InvalidArgumentError, Option } from 'commander';
import { UserFacingError } from '../base/errors.ts';
import type { StoredModel } from '../detector/store.ts';

/** The options that say which model scores. */
export interface ModelOptions {
  model?: string;
  fast?: boolean;
}

/** `--model`. */
export function modelOption(): Option {
  return new Option('--model <model>', "a model's folder or name (default: the model that ships)");
}

/** `--fast`. */
export function fastOption(): Option {
  return new Option('--fast', 'the model that ships without an encoder, under its own name: faster, less accurate');
}

/** `--without-companion`, of commands that measure. */
export function withoutCompanionOption(): Option {
  return new Option(
    '--without-companion',
    'the model by itself, also of recordings of which a companion of it speaks in scans',
  );
}

function errorShare(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 0.5)) throw new InvalidArgumentError('It must lie between 0 and 0.5.');
  return value;
}

/** `--error-rate`, of commands that calibrate. */
export function errorRateOption(): Option {
  const what = 'a finding may be wrong in at most this share of recordings (upper 95 % bound); else it is inconclusive';
  return new Option('--error-rate <x>', what).argParser(errorShare).default(0.05);
}

/** `--note`, of commands that write a card. */
export function noteOption(): Option {
  return new Option('--note <sentence>', "put this in the model's card (repeatable)")
    .argParser((note, notes: string[]) => [...notes, note])
    .default([]);
}

/** The folder of the model that is asked for. @throws UserFacingError `usage`, and as `findModel` */
export async function modelFolder({ model, fast }: ModelOptions): Promise<string> {
  if (fast && model !== undefined) {
    throw new UserFacingError('usage', '--fast is a model of its own: it does not go with --model.');
  }
  const { findModel, shippedModelFolder } = await import('../detector/store.ts');
  return fast ? shippedModelFolder('fast') : findModel(model);
}

/** The model that is asked for, or that which speaks in its place. @throws UserFacingError as {@link modelFolder} and `readModel` */
export async function modelToScoreWith(options: ModelOptions): Promise<StoredModel> {
  const { readSpeakingModel } = await import('../detector/store.ts');
  return readSpeakingModel(await modelFolder(options));
}
