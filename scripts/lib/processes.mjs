import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { SetupError } from './messages.mjs';

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Passes on the signals that reach only this process. Ctrl-C on a terminal reaches the child by itself, so it is only
 * kept from ending this process first.
 * @param {import('node:child_process').ChildProcess} child
 * @returns {() => void} ends it
 */
function passSignals(child) {
  const onTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  const listeners = forwarded.map((signal) => {
    const listener = () => {
      if (!(signal === 'SIGINT' && onTerminal)) child.kill(signal);
    };
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  return () => listeners.forEach((remove) => remove());
}

/** Exit status in the way of shells: 128 and the signal's number where one ended the process. */
function statusOf(code, signal) {
  return code ?? 128 + (constants.signals[signal] ?? 0);
}

/**
 * Runs a program on our own terminal and waits.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<number>} its exit status
 */
export async function runShown(command, args, options = {}) {
  const child = spawn(command, args, { stdio: 'inherit', ...options });
  const endPassing = passSignals(child);
  try {
    return await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code, signal) => resolve(statusOf(code, signal)));
    });
  } finally {
    endPassing();
  }
}

/**
 * Runs a program without showing what it says.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, shell?: boolean, stallSeconds?: number, measure?: () => number,
 *   onTick?: (measured: number, seconds: number) => void }} [options] `measure` gives a figure, the bytes that have
 *   arrived for instance: when neither it nor the output has changed for `stallSeconds`, the program is ended
 * @returns {Promise<{ status: number, output: string, stalled: boolean }>} the last 200 kB of its output;
 *   throws once the program has ended where a signal interrupted us
 */
export async function runQuietly(command, args, options = {}) {
  const { stallSeconds = Infinity, measure = () => 0, onTick = () => {}, ...spawnOptions } = options;
  // Its own process group, so that ending it ends what it started; then a terminal's Ctrl-C must be passed on, too.
  const grouped = process.platform !== 'win32';
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: grouped, ...spawnOptions });
  const end = (signal) => {
    try {
      if (grouped && child.pid) process.kill(-child.pid, signal);
      else child.kill(signal);
    } catch {
      // It has ended meanwhile.
    }
  };
  let interruptedBy;
  const listeners = forwarded.map((signal) => {
    const listener = () => {
      interruptedBy = signal;
      end(signal);
    };
    process.on(signal, listener);
    return [signal, listener];
  });
  let output = '';
  let stalled = false;
  let lastChange = Date.now();
  let lastMeasured = measure();
  const started = lastChange;
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      lastChange = Date.now();
      output = (output + text).slice(-200_000);
    });
  }
  const timer = setInterval(() => {
    const measured = measure();
    if (measured !== lastMeasured) lastChange = Date.now();
    lastMeasured = measured;
    onTick(measured, (Date.now() - started) / 1000);
    if (Date.now() - lastChange > stallSeconds * 1000) {
      stalled = true;
      end('SIGKILL');
    }
  }, 500);
  try {
    const status = await new Promise((resolve) => {
      child.on('error', (error) => {
        output += `${error.message}\n`;
        resolve(127);
      });
      child.on('close', (code, signal) => resolve(statusOf(code, signal)));
    });
    if (interruptedBy) throw new SetupError('Interrupted.', undefined, statusOf(null, interruptedBy));
    return { status, output, stalled };
  } finally {
    clearInterval(timer);
    for (const [signal, listener] of listeners) process.off(signal, listener);
  }
}

/**
 * The last lines of an output, empty ones left out.
 * @param {string} output
 * @param {number} [count]
 */
export function lastLines(output, count = 15) {
  return output
    .split(/\r?\n/)
    .filter((line) => line.trim())
    .slice(-count)
    .map((line) => `  ${line}`)
    .join('\n');
}
