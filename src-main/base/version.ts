import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { applicationRoot } from './workers.ts';

/** The version in package.json. */
export function applicationVersion(): string {
  const path = join(applicationRoot(), 'package.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

/** What results, cards and logs name as what made them. */
export function applicationName(): string {
  return `earwitness ${applicationVersion()}`;
}
