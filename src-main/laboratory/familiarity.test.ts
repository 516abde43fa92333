import { expect, it } from 'vitest';
import type { DatasetItem } from '../datasets/types.ts';
import { tinyCard } from '../detector/testing.ts';
import type { Card } from '../detector/card.ts';
import { groupsFor } from './familiarity.ts';

const item = (of: Partial<DatasetItem>): DatasetItem => ({
  path: '/x.wav',
  id: 'x.wav',
  label: 'spoof',
  split: 'test',
  generator: null,
  speaker: null,
  source: null,
  ...of,
});
const training = { ...tinyCard.training, dataset: 'folder:/data', sources: ['one'] };
const card: Card = { ...tinyCard, training, files: {} };
const items = [item({ split: 'train', generator: 'HiFi-GAN' }), item({ generator: 'New' })];

it('knows a generator by its name however it is written, and sources', () => {
  const groups = groupsFor([card], { spec: 'folder:/data', items });
  expect(groups(item({ generator: 'hifigan', source: 'one', year: '2024' }))).toMatchObject({
    'known generator': 'in training',
    'known source': 'in training',
    source: 'one',
    year: '2024',
    kind: null,
  });
  expect(groups(items[1])).toMatchObject({ 'known generator': 'not in training', 'known source': null });
  expect(groups(item({ label: 'bonafide', source: 'two' }))).toMatchObject({
    'known generator': null,
    'known source': 'not in training',
  });
});

it('knows what a companion of the model was trained on', () => {
  const companion: Card = { ...card, training: { ...training, sources: ['two'] } };
  const groups = groupsFor([card, companion], { spec: 'folder:/data', items });
  expect(groups(item({ source: 'two' }))).toMatchObject({ 'known source': 'in training' });
});

it('does not tell of generators where the model was trained on something else', () => {
  const groups = groupsFor([card], { spec: 'folder:/other', items });
  expect(groups(item({ generator: 'hifigan' }))).toMatchObject({ 'known generator': null });
});
