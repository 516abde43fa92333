import type { UserError } from '../../src-common/schemas/user-error.ts';
import { UserFacingError } from '../base/errors.ts';

/** Anything thrown as the contract tells it; a bug keeps its stack to itself. */
export function userError(error: unknown): UserError {
  if (error instanceof UserFacingError) {
    const { code, message, path, advice } = error;
    return { code, message, ...(path === undefined ? {} : { path }), ...(advice === undefined ? {} : { advice }) };
  }
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    code: 'internal',
    message: `Something unexpected went wrong (${what.slice(0, 300)}).`,
    advice: 'This is a fault in Earwitness: please report it with a diagnostic bundle, from the settings.',
  };
}
