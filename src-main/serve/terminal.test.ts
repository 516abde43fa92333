import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { Terminal } from './terminal.ts';

function terminal(): { input: PassThrough; said: () => string; pressed: () => number; terminal: Terminal } {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let [text, presses] = ['', 0];
  output.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const made = new Terminal(input, output, () => (presses += 1));
  return { input, said: () => text, pressed: () => presses, terminal: made };
}

it('takes Enter for the wish for an address, and for a refusal where something is asked', async () => {
  const { input, said, pressed, terminal: person } = terminal();
  input.write('\n');
  await expect.poll(pressed).toBe(1);
  const answers = Promise.all([
    person.confirm({ kind: 'root', path: '/evidence' }),
    person.confirm({ kind: 'ffmpeg', path: '/opt/ffmpeg' }),
    person.confirm({ kind: 'root', path: '/other' }),
  ]);
  input.write('y\n');
  input.write('\n');
  input.write('YES\n');
  expect(await answers).toEqual([true, false, true]);
  expect(said()).toMatch(/folder "\/evidence".*run "\/opt\/ffmpeg" as ffmpeg.*folder "\/other"/s);
  expect(pressed()).toBe(1);
});

it('shows a path as what it is', async () => {
  const { said, terminal: person } = terminal();
  const answer = person.confirm({ kind: 'root', path: '/a\u001b[2K\u202egnp\n' });
  await expect.poll(said).toContain('"/a\\u001b[2K\\u202egnp\\n"');
  person.close();
  expect(await answer).toBe(false);
});
