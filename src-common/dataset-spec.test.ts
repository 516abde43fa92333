import { expect, test } from 'vitest';
import {
  collectionReference,
  collectionText,
  datasetName,
  partOf,
  specParts,
  withoutPart,
  withPart,
} from './dataset-spec.ts';

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
  expect(datasetName(`collection:Mobile 2026@2#${'a'.repeat(64)}`)).toBe('Mobile 2026@2');
});

test('what is said of a collection: its place, a version, what is past its retention, the hash of the list', () => {
  const sha256 = '0123456789abcdef'.repeat(4);
  expect(collectionReference('mobile')).toEqual({ place: 'mobile', version: null, expired: false, sha256: null });
  const whole = { place: '/lab@home/mobile.sqlite', version: 'final-2', expired: true, sha256 };
  expect(collectionReference(`/lab@home/mobile.sqlite@final-2?expired#${sha256}`)).toEqual(whole);
  expect(collectionText(whole)).toBe(`/lab@home/mobile.sqlite@final-2?expired#${sha256}`);
  expect(collectionReference('/lab@home/mobile.sqlite').version).toBeNull();
});
