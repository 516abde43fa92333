/** What a model met in its training of what it is measured on. */
import type { DatasetItem } from '../datasets/types.ts';
import type { Card } from '../detector/card.ts';
import type { GroupedTrial } from '../evaluation/breakdown.ts';
import { sameDataset } from './evaluate.ts';

/** Authors write one system's name in many ways: HiFi-GAN, hifigan, HiFiGAN. */
function plainName(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

/**
 * Tells of each recording what it is counted under: its source and whether training knew it, whether training knew the spoof's generator
 * by name, and year, kind,
 * language, codec, recording chain and quality as far as they are named.
 * @param cards of the model, and of its companions where they speak, too: what one of them met counts as known
 * @param dataset the whole of it: where the model was trained on it, its `train` split names the generators that were known
 */
export function groupsFor(
  cards: readonly Pick<Card, 'training'>[],
  dataset: { spec: string; items: readonly DatasetItem[] },
): (item: DatasetItem) => GroupedTrial['groups'] {
  const sources = new Set(cards.flatMap(({ training }) => training.sources));
  const known = cards.some(({ training }) => sameDataset(training.dataset, dataset.spec))
    ? new Set(
        dataset.items.flatMap(({ split, generator }) =>
          split === 'train' && generator !== null ? [plainName(generator)] : [],
        ),
      )
    : null;
  const seen = (is: boolean): string => (is ? 'in training' : 'not in training');
  return ({ label, source, generator, year, kind, language, codec, chain, quality }) => ({
    source,
    'known source': source === null || sources.size === 0 ? null : seen(sources.has(source)),
    'known generator':
      label === 'bonafide' || generator === null || known === null ? null : seen(known.has(plainName(generator))),
    year: year ?? null,
    kind: kind ?? null,
    language: language ?? null,
    codec: codec ?? null,
    'recording chain': chain ?? null,
    quality: quality ?? null,
  });
}
