import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs', 'architecture.md'), 'utf8');

it("the page's diagram, the layer rule and the folders say the same", () => {
  const rule = /const layers = \[([^\]]*)\]/.exec(readFileSync(join(root, 'scripts', 'layers.cjs'), 'utf8'));
  const layers = [...(rule?.[1] ?? '').matchAll(/'([a-z]+)'/g)].map(([, name]) => name);
  const diagram = /```mermaid\n([^`]*)```/.exec(page)?.[1] ?? '';
  const chain = diagram.split('\n').findLast((line) => line.includes('-->')) ?? '';
  expect(chain.trim().split(' --> ')).toEqual(layers);
  const explained = [...diagram.matchAll(/^ +([a-z]+)\["\1: /gm)].map(([, name]) => name);
  expect(explained).toEqual(layers);
  const folders = readdirSync(join(root, 'src-main'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).sort()).toEqual([...layers].sort());
});

it('every file that the page names is there', () => {
  const named = [...page.matchAll(/`((?:[a-z-]+\/)+[a-z-]+\.ts)`/g)].map(([, path]) => path);
  expect(named.length).toBeGreaterThan(20);
  const files = new Set(readdirSync(root + '/src-main', { recursive: true, encoding: 'utf8' }));
  expect(named.filter((path) => !files.has(path))).toEqual([]);
});
