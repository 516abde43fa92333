import { join } from 'node:path';
import { fingerprintOf, keyName, keyState, unlockKey } from '../cases/keys.ts';
import type { EngineContext } from './context.ts';
import { os } from './implementer.ts';

/** The installation's key, as far as a window has to do with it. */
export function keyProcedures({ cases: { library } }: EngineContext) {
  const path = join(library.home, keyName);
  return {
    state: os.key.state.handler(() => ({ fingerprint: fingerprintOf(library.publicKey), ...keyState(path) })),
    unlock: os.key.unlock.handler(({ input }) => {
      unlockKey(path, input.passphrase);
      return {};
    }),
    change: os.key.change.handler(({ input }) => {
      library.changePassphrase(input.current, input.next);
      return {};
    }),
  };
}
