import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SaliencyRecord } from '../detector/card.ts';
import { Detector } from '../detector/detector.ts';
import { readModel, writeMeasured } from '../detector/store.ts';
import type { StoredModel } from '../detector/store.ts';
import { babble, wav16, writeTinyModel } from '../detector/testing.ts';
import { SaliencyMaker, explainable, measureSaliency } from './saliency.ts';

let folder: string;
let recording: string;
let model: StoredModel;
const whole = { method: 'occlusion', member: null, stretch: null } as const;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-saliency-'));
  model = await writeTinyModel(join(folder, 'tiny'));
  recording = join(folder, 'babble.wav');
  writeFileSync(recording, wav16(babble(2.2, 5)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function makerOf(changed: StoredModel = model): Promise<SaliencyMaker> {
  return SaliencyMaker.create(await explainable(changed), 1);
}

/** A measurement of a method, as `measureSaliency` gives it. */
function measured(mean: number): SaliencyRecord {
  const advantage = { mean, interval: [mean - 0.1, mean + 0.1] as [number, number] };
  const of = { dataset: 'folder:x', split: 'dev', recordings: 50, sources: 9 };
  return { method: 'occlusion', member: null, ...of, deletion: advantage, insertion: advantage, both: advantage };
}

describe('SaliencyMaker', () => {
  it('explains the score that the detector gives, over the recording’s time', async () => {
    const maker = await makerOf();
    const saliency = await maker.explain(recording, whole);
    const detector = await Detector.create(model, 1);
    const analysis = await detector.analyse(recording);
    expect(saliency.score).toBeCloseTo(analysis.score ?? NaN, 5);
    expect(saliency.edgesHz).toHaveLength(9);
    // Only regions that move the score more than chance are shown.
    expect(saliency.faithfulness.both.interval[0] > 0).toBe(saliency.columns !== null);
    expect(saliency.columns).not.toBeNull();
    const columns = saliency.columns ?? [];
    expect(columns[0].startSeconds).toBeCloseTo(analysis.windows[0].startSeconds, 6);
    expect(columns.at(-1)?.endSeconds).toBeCloseTo(analysis.windows.at(-1)?.endSeconds ?? NaN, 1);
    columns.slice(1).forEach((column, index) => {
      expect(column.startSeconds).toBeCloseTo(columns[index].endSeconds, 9);
      expect(column.cells).toHaveLength(8);
    });
    expect(saliency.statement).toContain('was not measured');
    await detector.dispose();
    await maker.dispose();
  });

  it('gives no map, and says why, where such maps did no better than chance on dev', async () => {
    const [good, bad] = [0.5, 0].map((mean) => ({ ...model, card: { ...model.card, saliency: [measured(mean)] } }));
    const [shown, withheld] = [await makerOf(good), await makerOf(bad)];
    const one = await shown.explain(recording, whole);
    expect(one.columns).not.toBeNull();
    expect(one.statement).toContain('On 50 recordings of dev from 9 sources');
    const other = await withheld.explain(recording, whole);
    expect(other.columns).toBeNull();
    expect(other.statement).toMatch(/no more than others .* the map is not shown/);
    await shown.dispose();
    await withheld.dispose();
  });

  it('explains a stretch at its place in the recording', async () => {
    const maker = await makerOf();
    const { columns, faithfulness } = await maker.explain(recording, {
      ...whole,
      stretch: { startSeconds: 1.1, endSeconds: 2.15 },
    });
    if (columns) {
      expect(columns[0].startSeconds).toBeGreaterThanOrEqual(1.09);
      expect(columns.at(-1)?.endSeconds).toBeLessThan(2.17);
    } else {
      expect(faithfulness.both.interval[0]).toBeLessThanOrEqual(0);
    }
    await maker.dispose();
  });

  it('refuses what it cannot explain', async () => {
    const maker = await makerOf();
    await expect(maker.explain(recording, { ...whole, member: 'mel' })).rejects.toMatchObject({
      advice: 'It has occlusion, Grad-CAM.',
    });
    const long = join(folder, 'long.wav');
    writeFileSync(long, wav16(babble(12, 5)));
    await expect(maker.explain(long, whole)).rejects.toMatchObject({
      code: 'too-long',
      advice: 'Name a stretch of at most 10 s.',
    });
    const silent = join(folder, 'silent.wav');
    writeFileSync(silent, wav16(new Float32Array(16_000)));
    await expect(maker.explain(silent, whole)).rejects.toThrow(/no sound/);
    await maker.dispose();
  });
});

it('measureSaliency tests every kind of map on recordings of every source, for the card', async () => {
  const items = ['a', 'b', 'c'].flatMap((source, index) =>
    (['bonafide', 'spoof'] as const).map((label) => {
      const path = join(folder, `${source}-${label}.wav`);
      writeFileSync(path, wav16(babble(1.2, 10 + 2 * index + (label === 'spoof' ? 1 : 0))));
      return { path, id: path, label, split: 'dev', generator: null, speaker: null, source };
    }),
  );
  const maker = await makerOf();
  const seen: number[] = [];
  const records = await measureSaliency(
    maker,
    items,
    { dataset: 'folder:x', split: 'dev', recordings: 5 },
    {
      onRecording: (done) => seen.push(done),
    },
  );
  expect(records.map(({ method }) => method)).toEqual(['occlusion', 'grad-cam']);
  expect(records[0]).toMatchObject({ recordings: 5, sources: 3, split: 'dev' });
  expect(seen).toEqual([1, 2, 3, 4, 5]);
  await writeMeasured(model, { saliency: records });
  const again = await readModel(model.folder);
  expect(again.card.saliency).toEqual(records);
  expect(again.card.records).toEqual(model.card.records);
  await maker.dispose();
});
