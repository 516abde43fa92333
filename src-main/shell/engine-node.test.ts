import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { engineNode } from './engine-node.ts';

const folder = mkdtempSync(join(tmpdir(), 'earwitness-node-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("takes the launcher's Node, then the packaged one, then that of the packages", () => {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const system = process.platform === 'win32' ? 'win' : process.platform;
  const [resources, root] = [join(folder, 'resources'), join(folder, 'root')];
  const make = (path: string): string => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
    return path;
  };
  expect(engineNode({}, resources, root)).toBeNull();
  const brought = make(join(root, 'node_modules', `node-${system}-${process.arch}`, 'bin', name));
  expect(engineNode({ EARWITNESS_NODE: '' }, resources, root)).toBe(brought);
  const packaged = make(join(resources, 'node', name));
  expect(engineNode({ EARWITNESS_NODE: join(folder, 'gone') }, resources, root)).toBe(packaged);
  const named = make(join(folder, 'named'));
  expect(engineNode({ EARWITNESS_NODE: named }, resources, root)).toBe(named);
});
