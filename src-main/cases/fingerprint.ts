import type { BigIntStats } from 'node:fs';

/** What tells without reading a file that it is probably the same as before. */
export function fileFingerprint(status: BigIntStats): string {
  return `${status.size}:${status.mtimeNs}:${status.ctimeNs}:${status.ino}`;
}
