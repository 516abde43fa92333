import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** What is measured in seconds, which others beside it would spoil. */
const timed = 'e2e/restart.e2e.ts';

/** The soak sleeps most of the time: begun first, it is over beside the others instead of after them. */
class SoakFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isSoak = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith('soak.e2e.ts');
    return [...sorted.filter(isSoak), ...sorted.filter((file) => !isSoak(file))];
  }
}

// The built program as a person drives it: two files at a time, since each waits as often as it works.
export default defineConfig({
  root: resolve(import.meta.dirname, '..'),
  test: {
    pool: 'forks',
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // A loaded machine is slow, not wrong.
    expect: { poll: { timeout: 120_000, interval: 100 } },
    sequence: { sequencer: SoakFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['e2e/**/*.e2e.ts'],
          exclude: [timed],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'alone', include: [timed], maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});
