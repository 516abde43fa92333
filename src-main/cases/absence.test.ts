import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { UserFacingError } from '../base/errors.ts';
import { absence } from './absence.ts';
import { testFolder } from './testing.ts';

const missing = new UserFacingError('missing', 'It does not exist.');

it('tells a drive that is away from a file that is gone', async () => {
  const folder = testFolder();
  const file = (path: string) => ({ path, nameBytes: null, name: 'voice.wav' });
  expect(await absence(file(join(folder, 'voice.wav')), missing)).toBe(
    `voice.wav is no longer in ${folder}: it was deleted, moved or renamed.`,
  );
  const drive = join(folder, 'stick');
  expect(await absence(file(join(drive, 'deep', 'er', 'voice.wav')), missing)).toBe(
    `voice.wav cannot be reached, since ${drive} is not there (is its drive connected?): it cannot be told whether it is what was taken in.`,
  );
  mkdirSync(drive);
  expect(await absence(file(join(drive, 'voice.wav')), missing)).toContain('no longer in');
  const denied = new UserFacingError('unreadable', 'It cannot be read: permission is denied.');
  expect(await absence(file('/x'), denied)).toBe(
    'It cannot be read: permission is denied: it cannot be told whether it is what was taken in.',
  );
});
