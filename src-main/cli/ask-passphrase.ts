/** Asks for passphrases on the terminal; what is typed is not shown. */
import { emitKeypressEvents } from 'node:readline';
import type { Key } from 'node:readline';
import { join, resolve } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import { dataFolder } from '../base/home.ts';

const tries = 3;

/** Whether somebody can be asked. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** @returns what was typed before Enter @throws UserFacingError `cancelled` at Ctrl-C or Ctrl-D */
export function askHidden(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  emitKeypressEvents(stdin);
  stdin.setRawMode(true);
  stdin.resume();
  return new Promise((answer, reject) => {
    let typed = '';
    const end = (): void => {
      stdin.off('keypress', onKey);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write('\n');
    };
    const onKey = (text: string | undefined, { name, ctrl }: Key): void => {
      if (ctrl && (name === 'c' || name === 'd')) {
        end();
        reject(new UserFacingError('cancelled', 'No passphrase was given.'));
      } else if (name === 'return' || name === 'enter') {
        end();
        answer(typed);
      } else if (name === 'backspace') typed = [...typed].slice(0, -1).join('');
      else if (text !== undefined && !ctrl && text >= ' ') typed += text;
    };
    stdin.on('keypress', onKey);
  });
}

/** A new passphrase, typed twice. @throws UserFacingError `passphrase` where the two differ */
export async function askNew(): Promise<string> {
  const first = await askHidden('New passphrase: ');
  if ((await askHidden('Once more: ')) === first) return first;
  throw new UserFacingError('passphrase', 'The two were not the same: nothing was changed.');
}

/** The same of this installation's key. */
export async function unlockOwnKey(): Promise<void> {
  const { keyName } = await import('../cases/keys.ts');
  await unlockByTerminal(join(dataFolder(), keyName));
}

/** Opens the key that a command is going to sign with, where it has a passphrase. @throws UserFacingError `passphrase` after three tries */
export async function unlockByTerminal(path: string): Promise<void> {
  const { keyState, unlockKey } = await import('../cases/keys.ts');
  const { givenPassphrase } = await import('../base/passphrase.ts');
  if (givenPassphrase() !== null || !canAsk() || !keyState(path).locked) return;
  for (let left = tries; ; left--) {
    try {
      unlockKey(path, await askHidden(`Passphrase of the key in ${resolve(path)}: `));
      return;
    } catch (error) {
      if (!(error instanceof UserFacingError && error.code === 'passphrase') || left === 1) throw error;
      process.stderr.write(`${error.message}\n`);
    }
  }
}
