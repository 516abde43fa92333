import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { builtProgram } from './build.mjs';
import { chooseElectron, endedForSandbox, sandboxAdvice } from './electron.mjs';
import { say } from './messages.mjs';
import { runShown } from './processes.mjs';
import { root } from './tools.mjs';

const shell = join(root, 'out', 'main', 'shell.js');
/** An Electron that ended later than this had its sandbox. */
const startMs = 10_000;

/** Runs Electron until its window is closed; `sandbox` where it ended for want of one. */
async function runElectron(path, node) {
  const env = { ...process.env, EARWITNESS_NODE: node };
  delete env.ELECTRON_RUN_AS_NODE;
  const started = Date.now();
  let output = '';
  const child = spawn(path, [shell], { stdio: ['inherit', 'inherit', 'pipe'], env });
  child.stderr.on('data', (chunk) => {
    output = (output + String(chunk)).slice(-20_000);
    process.stderr.write(chunk);
  });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const pass = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, pass);
  try {
    const status = await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGTRAP' || signal === 'SIGABRT' ? 133 : 0)));
    });
    return { status, sandbox: Date.now() - started < startMs && endedForSandbox(status, output) };
  } finally {
    for (const signal of signals) process.off(signal, pass);
  }
}

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
  let { reason, advice } = 'path' in electron ? {} : electron;
  if ('path' in electron) {
    say('Earwitness opens in a window of its own (Electron).');
    const { status, sandbox } = await runElectron(electron.path, node);
    if (!sandbox) return status;
    reason = "Electron's sandbox does not work here";
    advice = sandboxAdvice(electron.path);
  }
  say(`Earwitness opens in the browser: ${reason}.`);
  if (advice) say(advice);
  return runShown(node, [builtProgram, 'serve']);
}
