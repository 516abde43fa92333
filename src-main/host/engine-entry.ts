import { fileURLToPath } from 'node:url';

/** The engine's entry: beside the built host (`out/main/engine.js`), or its source where the host runs from source. */
export function engineEntry(): string {
  const here = import.meta.url;
  return fileURLToPath(new URL(here.endsWith('.ts') ? '../engine/main.ts' : './engine.js', here));
}
