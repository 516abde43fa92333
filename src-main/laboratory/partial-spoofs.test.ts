import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DatasetItem } from '../datasets/types.ts';
import { localisationShown } from '../detector/localisation.ts';
import { readModel, writeMeasured } from '../detector/store.ts';
import { babble, wav16, writeTinyModel } from '../detector/testing.ts';
import { measurePartialSpoofs } from './partial-spoofs.ts';

const folder = mkdtempSync(join(tmpdir(), 'earwitness-partial-'));
const items: DatasetItem[] = [];
const request = { dataset: 'folder:x', split: 'dev', sets: 3, seed: 1 };

beforeAll(() => {
  for (const [source, label, count] of [
    ['a', 'bonafide', 4],
    ['b', 'bonafide', 4],
    ['a', 'spoof', 1],
    ['b', 'spoof', 1],
  ] as const) {
    for (let number = 0; number < count; number++) {
      const id = `${source}-${label}-${number}`;
      const path = join(folder, `${id}.wav`);
      writeFileSync(path, wav16(babble(3, items.length, { noise: label === 'spoof' ? 0.2 : 0.01 })));
      items.push({ path, id, label, split: 'dev', generator: null, speaker: null, source });
    }
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('measures both kinds of windows, keeps the recordings where asked, and the card then says whether times are given', async () => {
  const model = await writeTinyModel(join(folder, 'tiny'));
  const out = join(folder, 'out');
  mkdirSync(out);
  const records = await measurePartialSpoofs(model, items, request, { folder: out });
  expect(records.map(({ window }) => window.seconds)).toEqual([model.card.window.seconds, 1]);
  const made = readdirSync(out).filter((name) => name.endsWith('.wav'));
  expect(records[0]).toMatchObject({ recordings: made.length, sources: 2, split: 'dev', seed: 1 });
  expect(records[0].regions.parts).toBe(made.length / 3);
  for (const { segmentEer20, files } of records) {
    expect(segmentEer20).toBeGreaterThan(0);
    expect(segmentEer20).toBeLessThan(1);
    expect(files.interval[0]).toBeLessThanOrEqual(files.interval[1]);
  }
  const rows: Record<string, string>[] = parse(readFileSync(join(out, 'splices.csv')), { columns: true });
  expect(rows.map(({ path }) => path).sort()).toEqual(made.sort());
  for (const { label, kind, start_s, end_s } of rows) {
    expect(label === 'spoof').toBe(kind === 'spoof');
    expect(Number(end_s) - Number(start_s)).toBeGreaterThan(0.4);
  }
  expect(await measurePartialSpoofs(model, items, request)).toEqual(records);

  const localisation = {
    threshold: -1,
    falseAlarms: 1,
    bonafideHours: 1,
    falseAlarmsPerHour: 1,
    falseAlarmsPerHourAtMost: 5,
  };
  const { card } = model;
  expect(localisationShown(card, card.window)).toEqual({ shown: null, withheld: null });
  const unmeasured = { ...card, localisation };
  expect(localisationShown(unmeasured, card.window).withheld).toContain('was not measured');
  const withInterval = (interval: [number, number]) => ({
    ...unmeasured,
    partialSpoofs: [{ ...records[0], files: { ...records[0].files, interval } }],
  });
  expect(localisationShown(withInterval([-0.2, -0.01]), card.window)).toEqual({ shown: localisation, withheld: null });
  const failed = localisationShown(withInterval([-0.2, 0.01]), card.window);
  expect(failed.shown).toBeNull();
  expect(failed.withheld).toMatch(/no better than the mean/);
  // Of other windows nothing was shown.
  expect(localisationShown(withInterval([-0.2, -0.01]), { seconds: 9, hopSeconds: 1 }).shown).toBeNull();

  await writeMeasured(model, { partialSpoofs: records });
  expect((await readModel(model.folder)).card.partialSpoofs).toEqual(records);
});

it('refuses a split without sources that hold both classes', async () => {
  const model = await writeTinyModel(join(folder, 'other'));
  const bonafide = items.filter(({ label }) => label === 'bonafide');
  await expect(measurePartialSpoofs(model, bonafide, request)).rejects.toMatchObject({ code: 'usage' });
});
