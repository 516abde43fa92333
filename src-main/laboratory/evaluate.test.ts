import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from '../audio/testing.ts';
import { overTelephone, plainLine } from '../audio/telephone.ts';
import { wavBytes } from '../audio/wav-writer.ts';
import type { DatasetItem } from '../datasets/types.ts';
import { nameCompanion } from '../detector/store.ts';
import type { StoredModel } from '../detector/store.ts';
import { babble, wav16, writeTinyModel } from '../detector/testing.ts';
import {
  companionSentence,
  evaluateTrials,
  findingRecord,
  ratioOf,
  recordingsOf,
  scoreItems,
  spokenTrials,
} from './evaluate.ts';
import type { ScoredItem } from './evaluate.ts';

const folder = temporaryFolder();
let model: StoredModel;
let items: DatasetItem[];
let together: ScoredItem[];
const slow = 300_000;

beforeAll(async () => {
  const { folder: place } = await writeTinyModel(join(folder, 'model'));
  await writeTinyModel(join(place, 'telephone'), 3);
  model = await nameCompanion(place, 'telephone', { maximumSampleRateHz: 12_000, maximumBandwidthHz: 300 });
  items = [0, 1, 2, 3, 4, 5].map((seed) => {
    const path = join(folder, `${seed}.wav`);
    const speech = babble(2.2, seed);
    writeFileSync(
      path,
      seed % 3 === 0 ? wavBytes(overTelephone(speech, 16_000, plainLine('a-law')), 8000) : wav16(speech),
    );
    const label = seed % 2 === 0 ? 'bonafide' : 'spoof';
    return { path, id: String(seed), label, split: 'test', generator: null, speaker: null, source: null };
  });
  together = await scoreItems(model, items, { jobs: 1, companions: true });
}, slow);

it('measures a model with its companions on likelihood ratios, each under its own calibration', () => {
  const { trials, areRatios, companions } = spokenTrials(model, together);
  expect(areRatios).toBe(true);
  const [companion] = model.companions ?? [];
  expect(companions).toEqual([{ name: 'telephone', sha256: companion.model.onnxSha256, recordings: 2 }]);
  for (const [index, { score, speechSeconds }] of trials.entries()) {
    const card = index % 3 === 0 ? companion.model.card : model.card;
    const raw = together[index].result.analysis?.score ?? NaN;
    expect(score).toBeCloseTo(ratioOf(card, raw, speechSeconds), 9);
  }
  const evaluation = evaluateTrials(model.card, trials, { areRatios });
  expect(evaluation.threshold).toBe(0);
  expect(evaluation.calibratedTrials).toBe(trials);
  expect(companionSentence({ trials, companions })).toContain('the companion telephone of 2 spoke');
  const findings = findingRecord(model.card, recordingsOf(together, model), { dataset: 'd', split: 'test' });
  const counted = together.map(({ result }) => result.analysis?.finding);
  expect(findings.bonafide.notAssessable + findings.spoof.notAssessable).toBe(
    counted.filter((finding) => finding === 'not assessable').length,
  );
});

it('measures the model by itself as its card does, unless they are asked for', { timeout: slow }, async () => {
  const apart = await scoreItems(model, items, { jobs: 1 });
  const { trials, areRatios, companions } = spokenTrials(model, apart);
  expect([areRatios, companions]).toEqual([false, []]);
  expect(trials.map(({ score }) => score)).toEqual(apart.map(({ result }) => result.analysis?.score));
  expect(companionSentence({ trials, companions })).toBeNull();
  expect(evaluateTrials(model.card, trials).threshold).toBe(model.card.thresholds.score);
});
