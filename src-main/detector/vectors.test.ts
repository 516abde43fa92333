import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { ValidationDistanceRecord } from '../../src-common/validation-distance.ts';
import { spreadOf } from '../evaluation/mahalanobis.ts';
import { Detector } from './detector.ts';
import { packSpread } from './distance.ts';
import { readModel, readWeights, writeMeasured } from './store.ts';
import { babble, tinyMember, tinyNetwork, wav16, writeTinyModel } from './testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'earwitness-vectors-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const source = { path: 'babble.wav', bytes: wav16(babble(3, 1)) };

/** Of vectors around one, to whichever distance as the limit. */
function recordAround(vector: readonly number[], limit: number): ValidationDistanceRecord {
  const width = vector.length;
  const points = vector.flatMap((_, i) => [0.1, -0.1].map((step) => vector.map((value, k) => value + (i === k ? step : 0)))); // prettier-ignore
  const { shrinkage, ...spread } = spreadOf(Float64Array.from(points.flat()), width);
  return {
    dataset: 'd',
    split: 'dev',
    seed: 1,
    recordings: 100,
    sources: 20,
    copies: 100,
    kinds: [
      {
        of: 'network',
        width,
        shrinkage,
        spread: packSpread({ ...spread, shrinkage }),
        percentiles: Array.from({ length: 101 }, (_, percent) => percent / 10),
        limit,
        growth: [],
        beyond: { recordings: 10, sources: 6, difference: 0.2, interval: [0.1, 0.3] },
        forbids: true,
        shrinking: null,
      },
    ],
  };
}

it('tells what the head judged by, and scores as before', async () => {
  const { folder: place } = await writeTinyModel(join(folder, 'telling'));
  const plain = await Detector.create(await readModel(place), 1);
  const telling = await Detector.create(await readModel(place, { vectors: true }), 1);
  const before = await plain.analyseWithVectors(source);
  const { analysis, vectors } = await telling.analyseWithVectors(source);
  expect(before.vectors.size).toBe(0);
  expect(analysis.windows.length).toBeGreaterThan(1);
  analysis.windows.forEach(({ score }, i) => expect(score).toBeCloseTo(before.analysis.windows[i].score, 5));
  const weights = await readWeights(await readModel(place), tinyMember);
  const [kernel, bias] = ['kernel', 'bias'].map((part) =>
    weights.get(`${tinyNetwork.layers.length - 1}.dense.${part}`),
  );
  const vector = [...(vectors.get('network') ?? [])];
  const head = vector.reduce((sum, value, i) => sum + value * (kernel?.[i] ?? NaN), bias?.[0] ?? NaN);
  expect(head).toBeCloseTo(analysis.score ?? NaN, 4);
  await plain.dispose();
  await telling.dispose();
});

it('does not assess what lies too far from what the card was measured on', async () => {
  const { folder: place } = await writeTinyModel(join(folder, 'far'));
  const open = async () => Detector.create(await readModel(place), 1);
  const first = await Detector.create(await readModel(place, { vectors: true }), 1);
  const { analysis: before, vectors } = await first.analyseWithVectors(source);
  await first.dispose();
  expect(before.distances).toBeUndefined();
  const vector = [...(vectors.get('network') ?? [])];

  await writeMeasured({ folder: place }, { distance: recordAround(vector, 3) });
  const near = await open();
  const { distances, reasons, finding } = await near.analyse(source);
  await near.dispose();
  expect(distances?.[0]).toMatchObject({ of: 'network' });
  expect(distances?.[0].nearer).toBeLessThan(0.001);
  expect(distances?.[0].distance).toBeLessThan(0.01);
  expect(reasons.map(({ code }) => code)).not.toContain('outside-validation');
  expect(finding).toBe(before.finding);

  await writeMeasured({ folder: place }, { distance: recordAround(vector.map((value) => value + 5), 3) }); // prettier-ignore
  const far = await open();
  const analysis = await far.analyse(source);
  await far.dispose();
  expect(analysis).toMatchObject({ finding: 'not assessable', llr: null });
  expect(analysis.reasons.find(({ blocking }) => blocking)).toMatchObject({ code: 'outside-validation' });
  expect(analysis.score).toBeCloseTo(before.score ?? NaN, 5);
});
