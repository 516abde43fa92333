/** What killed processes leave in the folder of a case. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { copiesFolder } from './copies.ts';
import { derivedFolder } from './database.ts';

const unfinished: [folder: string[], name: RegExp][] = [
  [[], /^case\.sqlite\.format-\d+\.backup\.partial$|^\.rebuilt-[0-9a-f]+$/],
  [[copiesFolder], /^\.[0-9a-f]{16}\.partial$/],
  [[derivedFolder, 'sound'], /^[0-9a-f]{64}(-all)?(-channel-\d+)?\.[0-9a-f]{8}\.partial$/],
];

/** Removes copies, working copies and databases that were begun and never finished. Called by whoever holds the case's lock. Never fails. */
export function clearLeftovers(folder: string): void {
  for (const [below, ours] of unfinished) {
    const place = join(folder, ...below);
    for (const name of namesIn(place)) {
      if (!ours.test(name)) continue;
      try {
        rmSync(join(place, name), { recursive: true, force: true });
      } catch {
        // Another user's, or a drive that cannot be written to: it stays.
      }
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
