import { join } from 'node:path';
import { builtProgram } from './build.mjs';
import { chooseElectron } from './electron.mjs';
import { runShown } from './processes.mjs';
import { root } from './tools.mjs';
import { openWindow } from './window.mjs';

const shell = join(root, 'out', 'main', 'shell.js');

/**
 * Opens the workstation: in Electron, else in the browser, and says which and why.
 * @param {string} node
 * @param {string[]} options of `earwitness serve`; with any it is the browser that is meant
 * @returns {Promise<number>} exit status
 */
export async function startWorkstation(node, options = []) {
  if (options.length > 0) {
    // `--help` and `--version` are of the command line.
    const whole = options.every((option) => option === '--help' || option === '--version');
    return runShown(node, [builtProgram, ...(whole ? [] : ['serve']), ...options]);
  }
  const electron = await chooseElectron(node);
  return openWindow('path' in electron ? { ...electron, args: [shell] } : electron, node, builtProgram);
}
