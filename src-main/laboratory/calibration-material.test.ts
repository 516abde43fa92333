import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { DatasetItem } from '../datasets/types.ts';
import { babble, wav16, writeTinyModel } from '../detector/testing.ts';
import { calibrate } from '../evaluation/calibration.ts';
import { calibrationMaterial, localisationOf, pooledMaterial } from './calibration-material.ts';
import type { CalibrationMaterial } from './calibration-material.ts';

let folder: string;
let items: DatasetItem[];
let material: CalibrationMaterial;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-material-'));
  const model = await writeTinyModel(join(folder, 'model'));
  mkdirSync(join(folder, 'audio'));
  items = Array.from({ length: 24 }, (_, index): DatasetItem => {
    const label = index % 2 === 0 ? 'bonafide' : 'spoof';
    const path = join(folder, 'audio', `${index}.wav`);
    writeFileSync(path, wav16(babble(1.4, index)));
    const speaker = `${label} ${index % 4}`;
    return { path, id: String(index), label, split: 'dev', generator: null, speaker, source: speaker };
  });
  const temporary = join(folder, 'temporary');
  mkdirSync(temporary);
  for (const name of ['TMPDIR', 'TEMP', 'TMP']) vi.stubEnv(name, temporary);
  material = await calibrationMaterial(model, items, 1);
  vi.unstubAllEnvs();
  expect(readdirSync(temporary)).toEqual([]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('scores every recording, and concatenations of one speaker that are as long as they were asked for', () => {
  expect(material.trials.map(({ file }) => file)).toEqual(items.map(({ id }) => id));
  const seconds = material.concatenations.map(({ speechSeconds }) => speechSeconds ?? 0);
  // Six clips of 1.4 s a speaker: two of 3 s, one of 5 s, and no more than 8.4 s in all.
  expect(seconds.filter((value) => value > 2.3 && value < 4.6).length).toBeGreaterThanOrEqual(8);
  expect(Math.max(...seconds)).toBeGreaterThan(4);
  expect(Math.max(...seconds)).toBeLessThan(15);
  for (const { bonafide, speaker, score } of material.concatenations) {
    expect(speaker?.startsWith(bonafide ? 'bonafide' : 'spoof')).toBe(true);
    expect(Number.isFinite(score)).toBe(true);
  }
  expect(new Set(material.concatenations.map(({ score }) => score)).size).toBeGreaterThan(4);
});

it('gives a threshold for localisation whose false alarms are counted on the bona fide clips', () => {
  expect(material.bonafideClips).toHaveLength(12);
  const localisation = localisationOf(material);
  expect(localisation?.bonafideHours).toBeCloseTo((12 * 1.4) / 3600, 6);
  const lowest = Math.min(...material.bonafideClips.flatMap(({ windowScores }) => windowScores));
  // So little audio supports no alarm at all.
  expect(localisation).toMatchObject({ threshold: lowest, falseAlarms: 0 });
});

it('pools what folds say', () => {
  const pooled = pooledMaterial([material, material]);
  expect(pooled.trials).toHaveLength(48);
  expect(pooled.concatenations).toHaveLength(2 * material.concatenations.length);
  const calibration = calibrate(pooled.trials, { dataset: 'a test', split: 'train, 2 folds by source', folds: 2 });
  expect(calibration.folds).toBe(2);
});
