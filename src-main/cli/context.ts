import { InvalidArgumentError } from 'commander';
import { UserFacingError } from '../base/errors.ts';

export { applicationName, applicationVersion } from '../base/version.ts';

/** Exit statuses of the command line. */
export const exitStatus = {
  done: 0,
  failure: 1,
  wrongUsage: 2,
  someFailed: 3,
  notIntact: 4,
  interrupted: 130,
} as const;

/** The oldest Node that has what this program is written in. */
const oldestNode = 22;

/** @throws UserFacingError `old-node` */
export function requireNode(version: string): void {
  if (Number.parseInt(version, 10) >= oldestNode) return;
  throw new UserFacingError('old-node', `Earwitness needs Node ${oldestNode} or newer; this is Node ${version}.`, {
    advice: 'Run `npx earwitness`, which takes the Node that set-up brought, or install Node 24.',
  });
}

/** How a terminal is asked for a style and to end it. (`styleText` would load half of Node with it.) */
const styles = { bold: [1, 22], red: [31, 39], yellow: [33, 39], blue: [34, 39], gray: [90, 39] } as const;

/** Colours a text where the stream is a terminal (and NO_COLOR is not set). */
export function colour(style: keyof typeof styles, text: string, stream: NodeJS.WriteStream): string {
  const [begin, end] = styles[style];
  return stream.isTTY && !process.env['NO_COLOR'] ? `\x1b[${begin}m${text}\x1b[${end}m` : text;
}

/** One line on standard error that is written over: only on a terminal, at most ten times a second. */
export class ProgressLine {
  #last = 0;
  #shown = false;

  get visible(): boolean {
    return process.stderr.isTTY;
  }

  /** Shows the text now, or drops it if the last one is younger than 100 ms. */
  show(text: string, force = false): void {
    const now = Date.now();
    if (!this.visible || (!force && now - this.#last < 100)) return;
    this.#last = now;
    this.#shown = true;
    const width = process.stderr.columns || 80;
    process.stderr.write(`\r\x1b[2K${text.slice(0, width - 1)}`);
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#shown) process.stderr.write('\r\x1b[2K');
    this.#shown = false;
  }
}

/** Seconds as `3 s`, `4 min 10 s` or `2 h 05 min`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`;
}

/** A signal that fires at the first Ctrl-C (or a request to end); the second ends the program at once. */
export function interruption(): { signal: AbortSignal; dispose: () => void } {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(exitStatus.interrupted);
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  const dispose = (): void => {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  };
  return { signal: controller.signal, dispose };
}

/** A command's action, whose result becomes the exit status. */
export function withStatus<Given extends unknown[]>(
  run: (...given: Given) => Promise<number>,
): (...given: Given) => Promise<void> {
  return async (...given) => {
    process.exitCode = await run(...given);
  };
}

/**
 * Runs long work that Ctrl-C stops.
 * @param stopped said where it was stopped
 * @returns the exit status; 130 where it was stopped
 */
export async function interruptible(
  work: (signal: AbortSignal, progress: ProgressLine) => Promise<number>,
  stopped?: string,
): Promise<number> {
  const progress = new ProgressLine();
  const { signal, dispose } = interruption();
  try {
    return await work(signal, progress);
  } catch (error) {
    progress.clear();
    if (!signal.aborted) throw error;
    if (stopped !== undefined) process.stderr.write(`${stopped}\n`);
    return exitStatus.interrupted;
  } finally {
    progress.clear();
    dispose();
  }
}

/** An option that may be repeated. */
export function collected(text: string, before: string[] = []): string[] {
  return [...before, text];
}

/** Reads an option that is a whole number above zero. @throws InvalidArgumentError, which says so. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a whole number above zero.');
  return value;
}

/** Reads an option that is a whole number, zero among them. @throws InvalidArgumentError, which says so. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('It must be a whole number from 0 up.');
  return value;
}
