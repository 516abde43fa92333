import { expect, test } from 'vitest';
import { generatorRows, orderedGenerators, tooFew } from './generators.ts';

const figures = (generator: string, spoofs: number, eer: number, sameSourceEer: number | null = null) => ({
  generator,
  spoofs,
  accepted: 1,
  tooFew: spoofs < 5,
  eer,
  interval: null,
  auc: 1 - eer,
  sameSourceEer,
  sameSourceInterval: null,
});
const rows = generatorRows([
  { generators: [figures('VITS', 20, 0.3, 0.2), figures('Bark', 8, 0.1), figures('A10', 9, 0.2)] },
  { generators: [figures('Bark', 9, 0.4), figures('A9', 9, 0.25, 0.3)] },
]);
const names = (list: { generator: string }[]): string[] => list.map(({ generator }) => generator);

test('a row for every generator of any model', () => {
  expect(new Set(names(rows))).toEqual(new Set(['VITS', 'Bark', 'A10', 'A9']));
  const bark = rows.find(({ generator }) => generator === 'Bark');
  expect(bark?.spoofs).toBe(9);
  expect(bark?.figures.map((each) => each?.eer)).toEqual([0.1, 0.4]);
  expect(rows.find(({ generator }) => generator === 'VITS')?.figures[1]).toBeNull();
});

test('ordered by any column; what has no figure is last either way', () => {
  expect(names(orderedGenerators(rows, { by: 'generator', descending: false }, ''))).toEqual([
    'A9',
    'A10',
    'Bark',
    'VITS',
  ]);
  expect(names(orderedGenerators(rows, { by: 'spoofs', descending: true }, ''))).toEqual(['VITS', 'A9', 'A10', 'Bark']);
  expect(names(orderedGenerators(rows, { by: 'eer', model: 0, descending: true }, ''))).toEqual([
    'VITS',
    'A10',
    'Bark',
    'A9',
  ]);
  expect(names(orderedGenerators(rows, { by: 'eer', model: 0, descending: false }, ''))).toEqual([
    'Bark',
    'A10',
    'VITS',
    'A9',
  ]);
  expect(names(orderedGenerators(rows, { by: 'sameSourceEer', model: 1, descending: true }, ''))[0]).toBe('A9');
});

test('too few recordings show counts, and come after the others whatever their rate', () => {
  const few = generatorRows([{ generators: [figures('few', 2, 0.5, 0.9), figures('many', 20, 0.1, 0.2)] }]);
  for (const by of ['eer', 'sameSourceEer', 'auc'] as const) {
    for (const descending of [true, false]) {
      expect(names(orderedGenerators(few, { by, model: 0, descending }, ''))).toEqual(['many', 'few']);
    }
  }
  const earlier = { ...figures('before', 9, 0.2), tooFew: undefined };
  expect([tooFew(earlier), tooFew({ ...earlier, spoofs: 10 })]).toEqual([true, false]);
});

test('filtered by name, whatever its case', () => {
  expect(names(orderedGenerators(rows, { by: 'generator', descending: true }, ' a1'))).toEqual(['A10']);
});
