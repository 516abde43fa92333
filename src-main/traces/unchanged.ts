import { sha256File } from '../audio/hash.ts';
import { UserFacingError } from '../base/errors.ts';

/** @throws UserFacingError `changed` where a file is not the one of that hash; the signal's reason */
export async function requireUnchanged(path: string, sha256: string, signal: AbortSignal): Promise<void> {
  if ((await sha256File(path, signal)) === sha256) return;
  throw new UserFacingError('changed', `${path} is no longer the file that was added.`, {
    path,
    advice: 'Verify the evidence of the case.',
  });
}
