import type { BigIntStats } from 'node:fs';

type Status = Pick<BigIntStats, 'dev' | 'ino' | 'size' | 'mtimeNs' | 'birthtimeNs'>;

/** What tells without reading a file that it is probably the same as before. */
export function fileFingerprint(status: BigIntStats): string {
  return `${status.size}:${status.mtimeNs}:${status.ctimeNs}:${status.ino}`;
}

/**
 * Whether a path still leads to the file that it led to. Some drives number files anew while they are connected: there the time at which a
 * file came to be tells it, which nobody can choose; else that nothing was written to it.
 */
export function isSameFile(before: Status, now: Status): boolean {
  if (before.dev === now.dev && before.ino === now.ino) return true;
  if (before.birthtimeNs > 0n && now.birthtimeNs > 0n) return before.birthtimeNs === now.birthtimeNs;
  return before.size === now.size && before.mtimeNs === now.mtimeNs;
}
