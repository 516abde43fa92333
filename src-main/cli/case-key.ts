/** `earwitness case key`: the installation's key, and its passphrase. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { UserFacingError } from '../base/errors.ts';
import type { Library } from '../cases/library.ts';
import { withSession } from './case-session.ts';

interface KeyOptions {
  replace?: boolean;
  setPassphrase?: boolean;
  removePassphrase?: boolean;
}

export function registerKey(command: Command): void {
  command
    .command('key')
    .description('The key with which this installation signs the logs of its cases, in short; its passphrase.')
    .option('--replace', 'go on with the key that lies in the data folder now, or with a new one where there is none')
    .option('--set-passphrase', 'give it a passphrase, or another one')
    .option('--remove-passphrase', 'it has none from now on')
    .addHelpText(
      'after',
      `
A passphrase is asked for on the terminal by every command that signs. Where nobody can be asked, it is taken from EARWITNESS_KEY_PASSPHRASE, or read
from the file descriptor that EARWITNESS_KEY_PASSPHRASE_FD names; a new one from EARWITNESS_NEW_KEY_PASSPHRASE. One that is lost cannot be had back.
"verify" needs neither key nor passphrase.`,
    )
    .action(async (options: KeyOptions) => {
      const { fingerprintOf } = await import('../cases/keys.ts');
      await withSession(async ({ library }) => {
        if (options.setPassphrase || options.removePassphrase) await changePassphrase(library, options);
        const publicKey = options.replace ? library.replaceKey().publicKey : library.publicKey;
        process.stdout.write(`${fingerprintOf(publicKey)}\n`);
      });
    });
}

async function changePassphrase(library: Library, { setPassphrase, removePassphrase }: KeyOptions): Promise<void> {
  if (setPassphrase && removePassphrase) {
    throw new UserFacingError('usage', 'Say one of --set-passphrase and --remove-passphrase.');
  }
  const keys = await import('../cases/keys.ts');
  const { givenPassphrase } = await import('../base/passphrase.ts');
  const { askHidden, askNew, canAsk } = await import('./ask-passphrase.ts');
  const { sealed } = keys.keyState(join(library.home, keys.keyName));
  if (!sealed && removePassphrase) throw new UserFacingError('usage', 'The key has no passphrase.');
  const ask = async (question: () => Promise<string>, variable: string): Promise<string> => {
    if (canAsk()) return question();
    throw new UserFacingError('usage', `Nobody can be asked for a passphrase here: give it by ${variable}.`);
  };
  const current = sealed
    ? (givenPassphrase() ?? (await ask(() => askHidden('Passphrase so far: '), 'EARWITNESS_KEY_PASSPHRASE')))
    : null;
  const given = process.env['EARWITNESS_NEW_KEY_PASSPHRASE'];
  const next = removePassphrase ? null : (given ?? (await ask(askNew, 'EARWITNESS_NEW_KEY_PASSPHRASE')));
  library.changePassphrase(current, next);
  process.stdout.write(
    next === null
      ? 'The key has no passphrase now.\n'
      : 'The key has this passphrase now; copies made before have not.\n',
  );
}
