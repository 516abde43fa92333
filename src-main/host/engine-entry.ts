import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { applicationRoot } from '../base/workers.ts';

/** The engine's entry: as it was built, or its source where the host runs from source. */
export function engineEntry(): string {
  const here = import.meta.url;
  if (here.endsWith('.ts')) return fileURLToPath(new URL('../engine/main.ts', here));
  return join(applicationRoot(), 'out', 'main', 'engine.js');
}
