import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sha256 } from '../base/sha256.ts';
import { networkFiles, readModel, writeModel } from '../detector/store.ts';
import { babble, tinyCard, tinyMember, tinyNetwork, wav16 } from '../detector/testing.ts';
import { startingWeights } from '../detector/network.ts';
import { Random } from '../base/random.ts';
import { calibrateModel } from './calibrate-model.ts';
import type { CalibrationRequest } from './calibrate-model.ts';

let folder: string;
let request: CalibrationRequest;
let firstHash: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-calibrate-'));
  process.env['EARWITNESS_HOME'] = join(folder, 'home');
  mkdirSync(join(folder, 'audio'));
  const lines = ['path,label,split,source,speaker'];
  for (let i = 0; i < 20; i++) {
    const label = i % 2 === 0 ? 'bonafide' : 'spoof';
    const bytes = wav16(babble(1.5, i, { noise: i % 2 === 0 ? 0.001 : 0.4 }));
    if (i === 0) firstHash = sha256(bytes);
    writeFileSync(join(folder, 'audio', `${i}.wav`), bytes);
    lines.push(`audio/${i}.wav,${label},ours,${label}-${i % 6},${label}-${i % 6}`);
  }
  writeFileSync(join(folder, 'manifest.csv'), lines.join('\n'));
  await writeModelTrainedOn([]);
  request = {
    folder: join(folder, 'model'),
    dataset: `manifest:${join(folder, 'manifest.csv')}`,
    split: 'ours',
    out: join(folder, 'calibrated'),
    name: 'ours',
    maximumErrorRate: 0.05,
    seed: 1,
    notes: ['A note.'],
  };
});
afterAll(() => {
  delete process.env['EARWITNESS_HOME'];
  rmSync(folder, { recursive: true, force: true });
});

async function writeModelTrainedOn(hashes: string[]): Promise<void> {
  const weights = startingWeights(tinyNetwork, 1);
  const random = new Random(2);
  for (const values of weights.values()) for (let i = 0; i < values.length; i++) values[i] += 0.5 * random.normal();
  const training = { ...tinyCard.training, fileSha256: hashes };
  await writeModel(join(folder, 'model'), { ...tinyCard, training }, networkFiles(tinyMember, tinyNetwork, weights));
}

it('keeps the network, and adds the figures', async () => {
  const done: number[] = [];
  // As a person writes it; the card names the place.
  const written = `manifest:${relative(process.cwd(), join(folder, 'manifest.csv'))}`;
  await calibrateModel({ ...request, dataset: written }, 'a test', { onProgress: (count) => done.push(count) });
  const [before, after] = [await readModel(request.folder), await readModel(request.out)];
  expect(after.onnxSha256).toBe(before.onnxSha256);
  expect(after.card).toMatchObject({ name: 'ours', status: 'screening', application: 'a test' });
  expect(after.card.calibration.dataset).toBe(request.dataset);
  expect(after.card.calibration).toMatchObject({ split: 'ours', countedUnits: { unit: 'sources' } });
  expect(after.card.localisation?.bonafideHours).toBeCloseTo((10 * 1.5) / 3600, 5);
  expect(after.card.figures.at(-1)).toMatchObject({ split: 'ours', bonafide: 10, spoof: 10 });
  // Its own findings on these recordings, under its own calibration, and no older ones.
  expect(after.card.records).toMatchObject([
    {
      dataset: request.dataset,
      split: 'ours',
      calibratedOn: true,
      notAssessable: { of: 20, unit: 'sources', units: 6 },
    },
  ]);
  const [{ bonafide }] = after.card.records;
  expect(Object.values(bonafide).reduce((sum, count) => sum + count, 0)).toBe(10);
  expect(after.card.notes).toContain('A note.');
  expect(done.length).toBeGreaterThanOrEqual(20);
});

it('refuses recordings that the model was trained on', async () => {
  await writeModelTrainedOn([firstHash]);
  await expect(calibrateModel({ ...request, out: join(folder, 'refused') }, 'a test')).rejects.toThrow(
    /trained on 1 of the 20 recordings/,
  );
});
