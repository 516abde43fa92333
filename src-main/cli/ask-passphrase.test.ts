import { afterEach, expect, it, vi } from 'vitest';
import { askHidden, askNew } from './ask-passphrase.ts';

const { stdin } = process;
const raw: boolean[] = [];
Object.assign(stdin, {
  setRawMode: (mode: boolean) => {
    raw.push(mode);
    return stdin;
  },
});
const shown = vi.spyOn(process.stderr, 'write').mockReturnValue(true);

afterEach(() => {
  expect(raw.at(-1)).toBe(false);
  raw.length = 0;
  shown.mockClear();
});

/** Presses keys, a name in brackets for those that are no letters. */
function press(...keys: string[]): void {
  for (const key of keys) {
    const [, ctrl, name] = /^\[(ctrl-)?(\w+)\]$/.exec(key) ?? [];
    stdin.emit('keypress', name === undefined ? key : '\x03', { name, ctrl: ctrl !== undefined });
  }
}

it('shows nothing of what is typed, and takes back what is deleted', async () => {
  const answer = askHidden('Passphrase: ');
  press('a', '😀', '[backspace]', 'b', '[tab]', '[return]');
  expect(await answer).toBe('ab');
  expect(shown.mock.calls.map(([text]) => text)).toEqual(['Passphrase: ', '\n']);
});

it('ends where nothing is to be given, and has a new one typed twice', async () => {
  const cancelled = askHidden('Passphrase: ');
  press('a', '[ctrl-c]');
  await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
  const other = askNew();
  press('a', '[return]');
  await Promise.resolve();
  await Promise.resolve();
  press('b', '[return]');
  await expect(other).rejects.toThrow(/not the same/);
});
