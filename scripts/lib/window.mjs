// Opens the workstation's window in Electron, or says why it opens in the browser.
import { spawn } from 'node:child_process';
import { endedForSandbox, sandboxAdvice } from './electron.mjs';
import { say } from './messages.mjs';
import { runShown } from './processes.mjs';

/** An Electron that ended later than this had its sandbox. */
const startMs = 10_000;

/** Runs Electron until its window is closed; `fault` where it could not be. */
async function runElectron(path, args, node) {
  const env = { ...process.env, EARWITNESS_NODE: node };
  delete env.ELECTRON_RUN_AS_NODE;
  const started = Date.now();
  let output = '';
  const child = spawn(path, args, { stdio: ['inherit', 'inherit', 'pipe'], env });
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
    if (Date.now() - started > startMs) return { status };
    if (endedForSandbox(status, output)) {
      return { status, fault: { reason: "Electron's sandbox does not work here", advice: sandboxAdvice(path) } };
    }
    // The system's loader says so, and 127.
    const missing = status === 127 && /error while loading shared libraries: ([^:\s]+)/.exec(output);
    return missing
      ? { status, fault: { reason: `Electron does not run here (${missing[1]} is missing)` } }
      : { status };
  } finally {
    for (const signal of signals) process.off(signal, pass);
  }
}

/**
 * Opens the workstation: in Electron, else in the browser, and says which and why.
 * @param {{ path: string, args: string[] } | { reason: string, advice?: string }} electron how it is started, or why it is not
 * @param {string} node the engine's
 * @param {string} program the command line
 * @returns {Promise<number>} exit status
 */
export async function openWindow(electron, node, program) {
  let why = electron;
  if ('path' in electron) {
    say('Earwitness opens in a window of its own (Electron).');
    const { status, fault } = await runElectron(electron.path, electron.args, node);
    if (!fault) return status;
    why = fault;
  }
  say(`Earwitness opens in the browser: ${why.reason}.`);
  if (why.advice) say(why.advice);
  return runShown(node, [program, 'serve']);
}
