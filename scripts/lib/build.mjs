import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { say, SetupError } from './messages.mjs';
import { lastLines, runQuietly } from './processes.mjs';
import { hashFiles, readStamp, writeStamp } from './stamps.mjs';
import { packageCommand, root } from './tools.mjs';

const sources = [
  'src-common',
  'src-main',
  'src-preload',
  'src-renderer',
  'electron.vite.config.ts',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
];
const stampPath = join(root, 'out', '.build.json');

/** The built command line. */
export const builtProgram = join(root, 'out', 'main', 'cli.js');

/**
 * Builds where a source has changed since the last build.
 * @param {string} node
 */
export async function build(node) {
  const hash = hashFiles(root, sources);
  if (readStamp(stampPath).sources === hash && existsSync(builtProgram)) return;
  say('Building.');
  rmSync(join(root, 'out'), { recursive: true, force: true });
  const { status, output } = await runQuietly(node, [packageCommand('electron-vite'), 'build'], {
    cwd: root,
    // Nothing is started with it: electron-vite only wants to know that there is an Electron.
    env: { ...process.env, ELECTRON_EXEC_PATH: node },
  });
  if (status !== 0 || !existsSync(builtProgram)) {
    throw new SetupError(`The build failed:\n${lastLines(output, 40)}`);
  }
  writeStamp(stampPath, { sources: hash });
}
