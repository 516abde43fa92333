import { appendFileSync, chmodSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { visibleText } from '../../src-common/visible-text.ts';

const maxBytes = 1024 * 1024;
const kept = 4;

let file: string | null = null;

/** Where the logs of a data folder lie: `engine.log`, and older ones as `engine.1.log` to `engine.4.log`. */
export function logFolder(home: string): string {
  return join(home, 'logs');
}

/** From now on `log` writes to the data folder. */
export function openLog(home: string): void {
  const folder = logFolder(home);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  file = join(folder, 'engine.log');
}

function rotate(path: string): void {
  const numbered = (index: number): string => path.replace(/\.log$/, index === 0 ? '.log' : `.${index}.log`);
  rmSync(numbered(kept), { force: true });
  for (let index = kept - 1; index >= 0; index -= 1) {
    if (statSync(numbered(index), { throwIfNoEntry: false })) renameSync(numbered(index), numbered(index + 1));
  }
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

/**
 * Writes what happened to the log: versions, procedures, stacks; never what evidence holds. Synchronous, since the last words
 * before the end matter most; a log that cannot be written stops nothing.
 */
export function log(level: 'info' | 'warning' | 'error', sentence: string, error?: unknown): void {
  const text = error === undefined ? sentence : `${sentence}: ${stackOf(error)}`;
  const line = `${new Date().toISOString()} ${level} [${process.pid}] ${visibleText(text.slice(0, 16_384)).replace(/\n/g, '\n  ')}\n`;
  if (file === null) {
    if (level === 'error') process.stderr.write(line);
    return;
  }
  try {
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) + line.length > maxBytes) rotate(file);
    appendFileSync(file, line, { mode: 0o600 });
    if (process.platform !== 'win32') chmodSync(file, 0o600);
  } catch {
    process.stderr.write(line);
  }
}
