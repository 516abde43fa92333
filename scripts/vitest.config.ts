import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

const root = resolve(import.meta.dirname, '..');

/** These compute and leave their process as it was. */
const together = [
  'src-common/**/*.test.ts',
  'src-main/{evaluation,features,datasets,reports}/**/*.test.ts',
  'src-renderer/!(charts)/**/*.test.ts',
];

export default defineConfig({
  root,
  test: {
    pool: 'forks',
    // Workers and children run the sources: what Node makes of them is kept, else each of them would make it anew.
    env: { NODE_COMPILE_CACHE: resolve(root, 'node_modules', '.cache', 'sources') },
    maxWorkers: availableParallelism(),
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      // A process for each of them would spend a quarter of its time to load the same modules.
      { extends: true, test: { name: 'together', include: together, isolate: false } },
      {
        extends: true,
        test: { name: 'alone', include: ['src-*/**/*.test.ts', 'scripts/**/*.test.ts'], exclude: together },
      },
    ],
  },
});
