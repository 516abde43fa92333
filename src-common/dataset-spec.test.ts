import { expect, test } from 'vitest';
import { datasetName, partOf, specParts, withoutPart, withPart } from './dataset-spec.ts';

test('a plus belongs to a path unless a kind of dataset follows it', () => {
  expect(specParts('')).toEqual([]);
  expect(specParts('folder:/data/a+b')).toEqual(['folder:/data/a+b']);
  expect(specParts('folder:/data/a+b+asvspoof2019:/LA')).toEqual(['folder:/data/a+b', 'asvspoof2019:/LA']);
});

test('parts are added once and taken out', () => {
  const two = withPart('folder:/a', 'for:/b');
  expect(two).toBe('folder:/a+for:/b');
  expect(withPart(two, 'for:/b')).toBe(two);
  expect(withPart('', 'for:/b')).toBe('for:/b');
  expect(withoutPart(two, 'folder:/a')).toBe('for:/b');
});

test('kind and path of a part', () => {
  expect(partOf('manifest:C:\\x\\table.csv')).toEqual({ kind: 'manifest', path: 'C:\\x\\table.csv' });
  expect(partOf('C:\\x')).toEqual({ kind: null, path: 'C:\\x' });
});

test('datasets have short names that tell tables apart', () => {
  expect(datasetName('asvspoof2019:/data/LA+manifest:/data/voices/clips.csv')).toBe('LA + voices/clips.csv');
  expect(datasetName('folder:C:\\data\\my+set')).toBe('my+set');
  expect(datasetName('bonafide:for:/data/norm')).toBe('norm');
});
