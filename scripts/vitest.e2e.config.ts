import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

// The built program as a person drives it: one file at a time, since each may keep all cores busy.
export default defineConfig({
  root: resolve(import.meta.dirname, '..'),
  test: {
    include: ['e2e/**/*.e2e.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
