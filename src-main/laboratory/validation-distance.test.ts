import { expect, it } from 'vitest';
import { distanceSentence, validationDistanceSchema } from '../../src-common/validation-distance.ts';
import { Random } from '../base/random.ts';
import type { DatasetItem } from '../datasets/types.ts';
import { chooseDegradations } from '../degradation/choose.ts';
import type { Card } from '../detector/card.ts';
import { ValidationDistance } from '../detector/distance.ts';
import { tinyCard } from '../detector/testing.ts';
import type { DegradedOutcome, DegradedSet } from './robustness-scoring.ts';
import { validationDistance } from './validation-distance.ts';

const card: Card = { ...tinyCard, files: {} };
// Forty sources of four recordings, both classes in each.
const items = Array.from({ length: 160 }, (_, index): DatasetItem => ({
  path: `/${index}.wav`,
  id: `${index}.wav`,
  label: index % 2 === 0 ? 'bonafide' : 'spoof',
  split: 'dev',
  generator: null,
  speaker: null,
  source: `source ${Math.floor(index / 4)}`,
}));

/** Outcomes whose embeddings are white noise around a place, scored right or, by a share, wrong. */
function outcomes(seed: number, place: number, wrong: number, snrDb = 40): DegradedOutcome[] {
  const random = new Random(seed);
  return items.map(({ label }) => {
    const right = (label === 'bonafide') === random.uniform() >= wrong;
    const score = (right ? 1 : -1) + 0.3 * random.normal();
    return {
      score,
      llr: null,
      finding: null,
      reasons: [],
      speechSeconds: 3,
      quality: { activeSeconds: 3, snrDb: snrDb + random.normal(), effectiveBandwidthHz: 7400, clippedFraction: 0 },
      embeddings: { network: [place + random.normal(), random.normal(), random.normal()] },
      error: null,
    };
  });
}

const set = (name: string | null, list: DegradedOutcome[]): DegradedSet => ({
  degradation: name === null ? null : chooseDegradations([name])[0],
  skipped: null,
  encoder: null,
  outcomes: list,
});
const of = { dataset: 'd', split: 'dev', seed: 1, replicates: 200 };
const measured = (far: DegradedOutcome[], within: Card = card) =>
  validationDistance(within, items, [set(null, outcomes(1, 0, 0.1)), set('white-20', far)], of)!;
const kindOf = (record: ReturnType<typeof measured>, name: string) => record.kinds.find((kind) => kind.of === name)!;

it('finds that error grows beyond what was measured, and forbids it', () => {
  const record = measured(outcomes(2, 12, 0.6));
  expect(validationDistanceSchema.parse(JSON.parse(JSON.stringify(record)))).toEqual(record);
  expect(record).toMatchObject({ recordings: 160, sources: 40, copies: 320 });
  const kind = kindOf(record, 'network');
  expect(kind.beyond.recordings).toBeGreaterThan(155);
  expect(kind.beyond.interval?.[0]).toBeGreaterThan(0);
  expect(kind.forbids).toBe(true);
  expect(kind.growth.at(-1)?.cllrBits).toBeGreaterThan(kind.growth[0].cllrBits!);
  expect(distanceSentence(kind)).toContain('is not assessable');
  expect(distanceSentence(kind)).toContain('bits higher than within (95 % interval of the difference ');
  const better = { ...kind, beyond: { ...kind.beyond, difference: -0.05 } };
  expect(distanceSentence(better)).toContain('Cllr is 0.05 bits lower than within');
  // Four in 160 are the farthest of other sources.
  expect(kind.limit).toBeLessThan(kind.percentiles[100]);
  // Three white values: a distance of √3 is about their median, 12 far beyond.
  const distance = new ValidationDistance(record);
  const [near, far] = [1.54, 12].map((x) => distance.of(new Map([['network', [x, 0, 0]]]))[0]);
  expect(near.nearer).toBeGreaterThan(0.35);
  expect(near.nearer).toBeLessThan(0.65);
  expect(far.distance).toBeGreaterThan(10);
});

it('forbids nothing where what lies beyond is judged as well as the rest', () => {
  const kind = kindOf(measured(outcomes(2, 12, 0.1)), 'network');
  expect(kind.beyond.recordings).toBeGreaterThan(155);
  expect(kind.forbids).toBe(false);
  expect(kind.beyond.interval?.[0]).toBeLessThan(0);
});

it('leaves it to the thresholds what quality forbids', () => {
  const kind = kindOf(measured(outcomes(2, 0, 0.6, 10)), 'quality');
  expect(kind.beyond.recordings).toBeGreaterThan(155);
  expect(kind.beyond.interval?.[0]).toBeGreaterThan(0);
  expect(kind.forbids).toBe(false);
});

it('looks only at copies that the thresholds let pass', () => {
  const strict = { ...card, thresholds: { ...card.thresholds, minimumSnrDb: 30 } };
  const kind = kindOf(measured(outcomes(2, 12, 0.6, 10), strict), 'network');
  expect(kind.beyond.recordings).toBeLessThan(20);
  expect(kind.forbids).toBe(false);
});

it('says whether likelihood ratios that shrink with the distance would cost less', () => {
  const kind = kindOf(measured(outcomes(2, 0, 0.1)), 'network');
  expect(kind.shrinking?.cllrBits).toBeGreaterThan(0.2);
  expect(kind.shrinking?.shrunkCllrBits).toBeGreaterThan(0.2);
  expect(distanceSentence(kind)).toContain('left as they are');
});

it('knows nothing of a single source', () => {
  const one = items.map((item) => ({ ...item, source: 'one' }));
  const sets = [set(null, outcomes(1, 0, 0.1))];
  expect(validationDistance(card, one, sets, of)).toBeNull();
});
