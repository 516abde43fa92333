#!/usr/bin/env node
// `npx earwitness`: the built command line, in this process where its Node is new enough, else under the one that
// set-up brought. Written for Node 18; loads as little as possible.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findUsableNode, noUsableNode } from './lib/node-choice.mjs';

const program = new URL('../out/main/cli.js', import.meta.url);
const node = findUsableNode(fileURLToPath(new URL('..', import.meta.url)));

if (!existsSync(program)) {
  process.stderr.write('Earwitness is not set up yet: run `npm run setup` in its folder.\n');
  process.exitCode = 1;
} else if (!node) {
  process.stderr.write(`${noUsableNode().message}\n`);
  process.exitCode = 1;
} else if (node === process.execPath) {
  await import(program.href);
} else {
  const { runShown } = await import('./lib/processes.mjs');
  const status = await runShown(node, [fileURLToPath(program), ...process.argv.slice(2)]);
  process.exitCode = status;
}
