import { expect, test } from 'vitest';
import { datasetName } from './dataset-name.ts';

test('datasets have short names that tell tables apart', () => {
  expect(datasetName('asvspoof2019:/data/LA+manifest:/data/voices/clips.csv')).toBe('LA + voices/clips.csv');
  expect(datasetName('folder:C:\\data\\my+set')).toBe('my+set');
});
