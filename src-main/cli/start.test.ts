import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { requireNode } from './context.ts';

/** Of a module's source, what is imported as it loads. */
const imports = /^(?:import|export)(?! type)(?: [^;'=(]+ from)? '([^']+)';$/gm;

/** What a module and those that it imports take from elsewhere, by the module that asks; what is loaded later is left out. */
function packagesOf(entry: string): Map<string, string> {
  const found = new Map<string, string>();
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const [, name] of readFileSync(path, 'utf8').matchAll(imports)) {
      if (name.startsWith('.')) visit(join(dirname(path), name));
      else found.set(name, path);
    }
  };
  visit(entry);
  return found;
}

it('starts with nothing that takes long to load', () => {
  const packages = packagesOf(join(import.meta.dirname, 'main.ts'));
  expect([...packages].filter(([name]) => !name.startsWith('node:')).map(([name]) => name)).toEqual(['commander']);
  // The two load a good part of Node with them.
  expect(packages.get('node:crypto')).toBeUndefined();
  expect(packages.get('node:util')).toBeUndefined();
});

it('says of a Node that is too old what to do', () => {
  expect(() => requireNode('22.0.0')).not.toThrow();
  expect(() => requireNode('20.20.2')).toThrow('Earwitness needs Node 22 or newer; this is Node 20.20.2.');
});
