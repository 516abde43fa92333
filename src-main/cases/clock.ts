/** Whether the computer's clock can be relied on: leaps of it are reported in the log. */
import { uptime } from 'node:os';

/** The row that tells that the clock leapt. */
export const clockLeap = 'clock-leap';
/** A row that lies no more than this before the latest one is no leap: two processes, or a correction over the network. */
export const toleratedSetBackMilliseconds = 2000;
const toleratedDriftSeconds = 60;

/** The clocks of the machine; others are handed in by tests. */
export interface Clocks {
  /** The wall clock, milliseconds since 1970. */
  wall: () => number;
  /**
   * Seconds that only ever grow, sleep included. Node's own `hrtime` stands still while Linux sleeps; the time since the machine was started
   * does not: /proc/uptime (CLOCK_BOOTTIME) on Linux, GetTickCount64 on Windows, and on macOS the wall clock less the time of the start,
   * which the system moves along when the clock is set.
   */
  steady: () => number;
}

export const systemClocks: Clocks = { wall: () => Date.now(), steady: uptime };

/** A leap, as the log tells it. */
export interface ClockLeap {
  summary: string;
  details: Record<string, unknown>;
}

function lasting(seconds: number): string {
  const whole = Math.round(Math.abs(seconds));
  if (whole < 120) return `${whole} s`;
  if (whole < 7200) return `${Math.round(whole / 60)} min`;
  return whole < 172_800 ? `${Math.round(whole / 3600)} h` : `${Math.round(whole / 86_400)} days`;
}

/** Compares the wall clock with the other one within one run. Sleep, and pauses between runs, are no leap. */
export class ClockWatch {
  readonly clocks: Clocks;
  #wall: number;
  #steady: number;

  constructor(clocks: Clocks = systemClocks) {
    this.clocks = clocks;
    this.#wall = clocks.wall();
    this.#steady = clocks.steady();
  }

  /** What was found was reported; from now on, only more is. */
  told(): void {
    this.#wall = this.clocks.wall();
    this.#steady = this.clocks.steady();
  }

  /** By how much the wall clock went off since the start, or since it was last told, if by more than a minute. */
  drift(): ClockLeap | null {
    const wall = this.clocks.wall();
    const steady = this.clocks.steady();
    const driftSeconds = (wall - this.#wall) / 1000 - (steady - this.#steady);
    if (Math.abs(driftSeconds) <= toleratedDriftSeconds) return null;
    const before = this.#wall;
    const how = driftSeconds > 0 ? 'forward' : 'back';
    return {
      summary: `The clock of this computer was set ${how} by ${lasting(driftSeconds)} while Earwitness ran.`,
      details: { kind: 'drift', driftSeconds: Math.round(driftSeconds), wallBefore: new Date(before).toISOString() },
    };
  }
}

/**
 * Whether a time lies before the latest row of the case, or of any log that this installation wrote.
 * @param latest of each, ISO 8601; null where there is none
 */
export function setBack(
  time: number,
  latest: { ofCase: string | null; ofInstallation: string | null },
): ClockLeap | null {
  const before = (row: string | null): number => (row === null ? 0 : Date.parse(row) - time);
  const ofCase = before(latest.ofCase);
  const ofInstallation = before(latest.ofInstallation);
  if (!(Math.max(ofCase, ofInstallation) > toleratedSetBackMilliseconds)) return null;
  const which = ofCase >= ofInstallation ? 'of this case' : 'that this installation wrote';
  const by = lasting(Math.max(ofCase, ofInstallation) / 1000);
  return {
    summary: `The clock of this computer stands ${by} before the latest row ${which}: it was set back, or was ahead then.`,
    details: { kind: 'before-latest', latestOfCase: latest.ofCase, latestOfInstallation: latest.ofInstallation },
  };
}
