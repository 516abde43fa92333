import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { afterAll } from 'vitest';

/** Where the parts of a packed folder lie. */
export interface Packaged {
  readonly folder: string;
  readonly resources: string;
  readonly engine: string;
  /** Electron's executable. */
  readonly workstation: string;
  readonly commandLine: readonly [string, ...string[]];
}

/** Where they would lie in a folder. */
export function partsOf(folder: string): Packaged {
  const onMac = process.platform === 'darwin';
  const resources = join(folder, onMac ? 'Earwitness.app/Contents/Resources' : 'resources');
  const engine = join(resources, 'engine');
  const parts = { folder, resources, engine };
  if (onMac) {
    const commandLine: [string] = [join(resources, 'bin/earwitness')];
    return { ...parts, workstation: join(folder, 'Earwitness.app/Contents/MacOS/Earwitness'), commandLine };
  }
  if (process.platform === 'win32') {
    // What bin/earwitness.cmd does, which Node starts in a shell only.
    const commandLine: [string, string] = [join(resources, 'node/node.exe'), join(engine, 'scripts/packaged.mjs')];
    return { ...parts, workstation: join(folder, 'Earwitness.exe'), commandLine };
  }
  return { ...parts, workstation: join(folder, 'earwitness-workstation'), commandLine: [join(folder, 'earwitness')] };
}

/** The packed folder that is driven; null where it is the build of this folder. */
export const packaged: Packaged | null = process.env['EARWITNESS_PACKAGED']
  ? partsOf(resolve(process.env['EARWITNESS_PACKAGED']))
  : null;

const ofNode = /^(?:node|nodejs|npm|npx|corepack)(?:\.[a-z0-9]+)?$/i;
let path: string | null = null;
const linked: string[] = [];

function forget(): void {
  for (const folder of linked.splice(0)) rmSync(folder, { recursive: true, force: true });
  path = null;
}
// Vitest's workers end without an exit of their own; benchmarks know of nothing else.
if (process.env['VITEST']) afterAll(forget);
else process.once('exit', forget);

/** PATH without Node: folders that hold it stand in it without it (Linux), or not at all. */
export function pathWithoutNode(): string {
  if (path !== null) return path;
  const kept: string[] = [];
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (folder === '' || !existsSync(folder)) continue;
    const names = readdirSync(folder);
    if (!names.some((name) => ofNode.test(name))) kept.push(folder);
    else if (process.platform === 'linux') {
      const links = mkdtempSync(join(tmpdir(), 'earwitness-path-'));
      linked.push(links);
      for (const name of names) if (!ofNode.test(name)) symlinkSync(join(folder, name), join(links, name));
      kept.push(links);
    }
  }
  path = kept.join(delimiter);
  return path;
}
