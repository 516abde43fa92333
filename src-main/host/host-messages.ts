import type { UserError } from '../../src-common/schemas/user-error.ts';

/**
 * What the engine and its host (serve, shell) say to each other over the child process's IPC. `data` is a frame of oRPC's peer
 * protocol: text, or bytes where it carries a file.
 */
export type ToEngine =
  | { type: 'open'; connection: number }
  | { type: 'frame'; connection: number; data: string | Uint8Array }
  | { type: 'close'; connection: number }
  /** What a person said to a question of the engine's. */
  | { type: 'confirmed'; question: number; yes: boolean }
  /** Put away what is under way, then end. */
  | { type: 'stop' };

export type FromEngine =
  /** `socket`: where resources are served over HTTP, to requests that bear the key. */
  | { type: 'ready'; startedAt: string; socket: string; key: string }
  /** It cannot start, for a reason that a person can mend; it ends then. */
  | { type: 'failed'; error: UserError }
  /** A person has to say yes where no page reaches: on the terminal of `serve`, in a dialog of the shell. */
  | { type: 'confirm'; question: number; what: Confirmation }
  | { type: 'frame'; connection: number; data: string | Uint8Array }
  | { type: 'close'; connection: number };

/** What widens what the window reaches: a folder to look into, a program to run, a server that gets names of files and findings. */
export interface Confirmation {
  kind: 'root' | 'ffmpeg' | 'queue';
  path: string;
}

/** Name of the request header that bears the resource server's key. */
export const keyHeader = 'earwitness-key';

/** Frames beyond this are not read; the connection that they came by is closed. */
export const maxFrameBytes = 32 * 1024 * 1024;
