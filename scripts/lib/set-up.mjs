import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { provideFfmpeg } from './ffmpeg.mjs';
import { chooseElectron } from './electron.mjs';
import { say } from './messages.mjs';
import { findUsableNode, noUsableNode } from './node-choice.mjs';
import { installPackages, packagesKey, packagesMissing, stampPath } from './packages.mjs';
import { readStamp, writeStamp } from './stamps.mjs';
import { isLinked, nvidiaDriverPresent, relink } from './tensorflow-link.mjs';
import { root } from './tools.mjs';

/**
 * Installs and builds what is missing. Asks nothing; takes well under a second where nothing is missing.
 * @param {{ whole?: boolean, building?: boolean }} [options] `whole`: say what there is, and try again what failed
 *   before; `building`: build, too
 * @returns {Promise<string>} the Node that runs the program
 */
export async function setUp({ whole = false, building = true } = {}) {
  const installing = packagesMissing();
  if (installing) await installPackages();
  const node = findUsableNode(root);
  if (!node) throw noUsableNode();
  const stamp = installing ? {} : readStamp(stampPath);
  if (installing) writeStamp(stampPath, packagesKey());

  const triedFfmpeg = await provideFfmpeg(node, { triedDownload: stamp.triedFfmpeg === true, again: whole });
  if (installing || triedFfmpeg !== stamp.triedFfmpeg) writeStamp(stampPath, { ...packagesKey(), triedFfmpeg });

  relink();
  if ((whole || installing) && nvidiaDriverPresent() && !isLinked()) {
    say(
      'There is an NVIDIA driver: `npm run setup:tensorflow -- --gpu` installs TensorFlow for it (optional, 2.2 GB).',
    );
  }
  if (building) await build(node);
  if (whole) {
    const electron = await chooseElectron(node, { again: true });
    say('path' in electron ? `Electron: ${electron.path}.` : `The window opens in the browser: ${electron.reason}.`);
  }
  if (whole || installing) {
    const from = node === process.execPath && !node.startsWith(join(root, 'node_modules')) ? 'yours' : 'from npm';
    say(`Set-up is complete. Node: ${from}. ${existsSync(join(root, 'out')) ? 'Start with: npm start' : ''}`);
  }
  return node;
}
