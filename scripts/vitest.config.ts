import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

const root = resolve(import.meta.dirname, '..');

export default defineConfig({
  root,
  test: {
    include: ['src-*/**/*.test.ts', 'scripts/**/*.test.ts'],
    pool: 'forks',
    // Workers and children run the sources: what Node makes of them is kept, else each of them would make it anew.
    env: { NODE_COMPILE_CACHE: resolve(root, 'node_modules', '.cache', 'sources') },
    maxWorkers: availableParallelism(),
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
