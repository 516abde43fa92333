import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The plain Node that runs the engine: the one that the launcher names in `EARWITNESS_NODE`, else the one in the packaged
 * application, else the one among the project's packages. Electron's own will not do (design.md, Processes).
 * @param resources Electron's `process.resourcesPath`
 * @param root the application's folder
 */
export function engineNode(
  environment: Record<string, string | undefined>,
  resources: string,
  root: string,
): string | null {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const system = process.platform === 'win32' ? 'win' : process.platform;
  const candidates = [
    environment['EARWITNESS_NODE'],
    join(resources, 'node', name),
    join(root, 'node_modules', `node-${system}-${process.arch}`, 'bin', name),
  ];
  return candidates.find((path) => path !== undefined && path !== '' && existsSync(path)) ?? null;
}
