import { Option } from 'commander';
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
