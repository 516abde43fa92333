import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { PartialRecord } from '../detector/localisation-card.ts';
import { babble, wav16, writeTinyModel } from '../detector/testing.ts';
import { localise } from './localise.ts';

const folder = mkdtempSync(join(tmpdir(), 'earwitness-localise-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const measured: PartialRecord = {
  ...{
    window: { seconds: 1, hopSeconds: 0.2 },
    dataset: 'folder:x',
    split: 'dev',
    seed: 1,
    recordings: 300,
    sources: 9,
  },
  ...{ segmentEer20: 0.2, segmentEer160: 0.2 },
  regions: {
    ...{ threshold: 1e6, parts: 100, found: 60, boundarySeconds: 0.3, falseRegions: 4, bonafideHours: 0.5 },
    ...{ falsePerHour: 8, falsePerHourInterval: [2, 20] },
  },
  files: { eer: 0.3, meanEer: 0.4, difference: -0.1, interval: [-0.15, -0.05] },
};

it('gives places only where the measurement of short windows beats the mean over the recording', async () => {
  const model = await writeTinyModel(join(folder, 'tiny'));
  const path = join(folder, 'speech.wav');
  writeFileSync(path, wav16(babble(4, 3)));
  const withRecords = (...partialSpoofs: PartialRecord[]) => ({ ...model, card: { ...model.card, partialSpoofs } });

  const unmeasured = await localise(withRecords(), path);
  expect(unmeasured).toMatchObject({ regions: null });
  expect(unmeasured.statement).toMatch(/windows of 1 s .* was not measured/);

  const others = { ...measured, window: { seconds: 3, hopSeconds: 1.5 } };
  expect((await localise(withRecords(others), path)).statement).toMatch(/was not measured/);

  const files = { ...measured.files, interval: [-0.15, 0.01] as [number, number] };
  const worse = await localise(withRecords(measured, { ...measured, split: 'test', files }), path);
  expect(worse.regions).toBeNull();
  expect(worse.statement).toMatch(/300 spliced recordings of test .* no better than the mean .* -15.0 % to 1.0 %/);

  // Everything lies below this threshold: one place, as long as the recording is scored.
  const all = await localise(withRecords(measured), path);
  expect(all.regions).toHaveLength(1);
  expect(all.regions?.[0].startSeconds).toBe(0);
  expect(all.regions?.[0].endSeconds).toBeGreaterThan(2);
  expect(all.statement).toMatch(/60 of 100 spoofs .* 8.0 false places an hour/);

  const none = { ...measured, regions: { ...measured.regions, threshold: -1e6 } };
  expect((await localise(withRecords(none), path)).regions).toEqual([]);
});
