import { join } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import { CaseLock } from '../cases/lock.ts';

/**
 * The right to be the engine of a data folder, until this process ends: two would take each other's jobs, uploads and settings.
 * @throws UserFacingError `home-busy` naming who holds it; `unwritable`
 */
export function holdHome(home: string, program: string): CaseLock {
  return CaseLock.at(join(home, 'engine.lock'), program, (who) => {
    const advice =
      'Use that one (`earwitness serve --link` gives a fresh address of a browser workstation), end it, or name another data folder in EARWITNESS_HOME.';
    return new UserFacingError('home-busy', `The data folder ${home} is in use: ${who}.`, { path: home, advice });
  });
}
