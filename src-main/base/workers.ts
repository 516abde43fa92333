import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The file of a worker: below the built entry (`out/main/detector/NAME.js`), or its TypeScript source when the
 * program runs from source, as under the test runner.
 * @param sourcePath the worker's path below `src-main`, without its extension, as in `scanning/score-worker`.
 */
export function workerFile(sourcePath: string): URL {
  const here = import.meta.url;
  if (here.endsWith('.ts')) return new URL(`../${sourcePath}.ts`, here);
  return new URL(`./${sourcePath}.js`, here);
}

/**
 * The project's folder, or that of the engine in a package: it holds `out`, `resources`, `node_modules` and `package.json`. In a package
 * the shell lies in an archive beside it, which the engine's Node could not read.
 */
export function applicationRoot(): string {
  // src-main/base/workers.ts and out/main/chunk.js lie equally deep below it.
  const root = fileURLToPath(new URL('../..', import.meta.url));
  return basename(root) === 'app.asar' ? join(root, '..', 'engine') : root;
}
