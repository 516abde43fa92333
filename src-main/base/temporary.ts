/** Folders for what is worked with for a while; their names say whose they are, so that those of killed processes are found. */
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from './processes.ts';

const ours = /^earwitness-(?:read|report|calibration|cut|look)-(\d+)-\w+$/;

/** What the path of a folder begins with that `mkdtemp` makes, for its owner's eyes only. */
export function temporaryPrefix(what: 'read' | 'report' | 'calibration' | 'cut' | 'look'): string {
  return join(tmpdir(), `earwitness-${what}-${process.pid}-`);
}

/** Removes those of processes that are no more. Never fails. */
export async function clearTemporary(): Promise<void> {
  for (const name of await readdir(tmpdir()).catch(() => [])) {
    const pid = Number(ours.exec(name)?.[1]);
    if (!ours.test(name) || isAlive(pid)) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
}
