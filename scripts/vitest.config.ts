import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

const root = resolve(import.meta.dirname, '..');

const all = ['src-*/**/*.test.ts', 'scripts/**/*.test.ts'];

/** These change what their process has one of: its folder, its mocks, a log, open files, TensorFlow's backends, what is printed. */
const alone = [
  'src-main/audio/{cage,decode}.test.ts',
  'src-main/base/zip.test.ts',
  'src-main/cases/keys.test.ts',
  'src-main/cli/*.test.ts',
  'src-main/detector/store.test.ts',
  'src-main/engine/{log,queue}.test.ts',
  'src-main/laboratory/{brought-encoder,calibration-material,train-model,train-store}.test.ts',
  'src-main/models/model-store.test.ts',
  'src-main/scanning/queue/queue.test.ts',
  'src-main/serve/serve.test.ts',
  'src-main/training/**/*.test.ts',
  'src-renderer/charts/*.test.ts',
  'scripts/**/*.test.ts',
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
    // A loaded machine is slow, not wrong.
    expect: { poll: { timeout: 60_000 } },
    projects: [
      { extends: true, test: { name: 'alone', include: alone } },
      // A process for each of them would spend more on loading the same modules than on most tests.
      { extends: true, test: { name: 'together', include: all, exclude: alone, isolate: false } },
    ],
  },
});
