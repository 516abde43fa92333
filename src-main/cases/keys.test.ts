import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { installationKey, keyName } from './keys.ts';
import { testFolder, thrown } from './testing.ts';

describe('the key of the installation', () => {
  it('is for its owner alone, and stays the same', () => {
    const home = join(testFolder(), 'deep', 'home');
    const { publicKey } = installationKey(home, { make: true });
    const path = join(home, keyName);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    chmodSync(path, 0o644);
    expect(installationKey(home, { make: true }).publicKey).toBe(publicKey);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    writeFileSync(path, 'nonsense');
    expect(thrown(() => installationKey(home, { make: true })).code).toBe('key');
  });
});
