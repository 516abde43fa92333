/**
 * What the engine and its host (serve, shell) say to each other over the child process's IPC. `data` is a frame of oRPC's peer
 * protocol: text, or bytes where it carries a file.
 */
export type ToEngine =
  | { type: 'open'; connection: number }
  | { type: 'frame'; connection: number; data: string | Uint8Array }
  | { type: 'close'; connection: number }
  /** Put away what is under way, then end. */
  | { type: 'stop' };

export type FromEngine =
  /** `socket`: where resources are served over HTTP, to requests that bear the key. */
  | { type: 'ready'; startedAt: string; socket: string; key: string }
  | { type: 'frame'; connection: number; data: string | Uint8Array }
  | { type: 'close'; connection: number };

/** Name of the request header that bears the resource server's key. */
export const keyHeader = 'earwitness-key';

/** Frames beyond this are not read; the connection that they came by is closed. */
export const maxFrameBytes = 32 * 1024 * 1024;
