/** Some rounds of `npm run soak`. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { runSoak } from '../scripts/soak.ts';

const built = existsSync(join(resolve(import.meta.dirname, '..'), 'out', 'main', 'cli.js'));

it.skipIf(!built)('kills, full disks, torn logs and forgeries lose nothing and end in words', async () => {
  const { failures, rounds, skipped, statuses } = await runSoak({ turns: 2 }, 12);
  for (const [name, why] of Object.entries(skipped)) console.warn(`Soak, ${name}: skipped, ${why}.`);
  console.log(JSON.stringify({ rounds, statuses }));
  expect(failures).toEqual([]);
  // Forgeries were refused, and the program was killed: the rounds did what they are for.
  expect(statuses['archives forged']['1']).toBeGreaterThan(0);
  expect(statuses['models forged']['1']).toBeGreaterThan(0);
  expect(statuses['program killed']['null']).toBeGreaterThan(0);
  expect(statuses['validation killed']['null']).toBeGreaterThan(0);
});
