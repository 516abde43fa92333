import { userInfo } from 'node:os';
import type { ClockWatch } from './clock.ts';
import type { Library } from './library.ts';

/** Who works with cases, and where the installation keeps its own. */
export interface Session {
  library: Library;
  /** The name that rows of the log bear: the examiner's, else the one that the system knows. */
  actor: () => string;
  /** `earwitness 0.1.0`. */
  program: string;
  /** The clocks of this run; those of the machine where none are handed in. */
  clock?: ClockWatch;
  /** The case is for a look only and goes when it is closed. */
  passing?: boolean;
}

/** The user's name as the system knows it. */
export function systemActor(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown user';
  }
}
