import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadDataset, selectSplit } from '../datasets/load.ts';
import type { DatasetItem } from '../datasets/types.ts';
import { chooseDegradations } from '../degradation/choose.ts';
import { writeTinyModel } from '../detector/testing.ts';
import { alone, nameCompanion } from '../detector/store.ts';
import type { StoredModel } from '../detector/store.ts';
import { robustnessFiles } from '../reports/robustness-files.ts';
import { companionNote, drawnAlike, robustnessIdentity, robustnessRows } from './robustness-rows.ts';
import { RobustnessJournal } from './robustness-journal.ts';
import { scoreDegraded } from './robustness-scoring.ts';
import type { DegradedSet } from './robustness-scoring.ts';
import { plantSpeech } from '../jobs/testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'earwitness-robustness-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let items: DatasetItem[];
let model: StoredModel;
// Each measurement starts workers with ONNX Runtime.
const slow = { timeout: 400_000 };
const wanted = chooseDegradations(['white-15', 'babble-15', 'room-0.4', 'mp3-32']);

beforeAll(async () => {
  items = selectSplit(await loadDataset(plantSpeech(folder, { test: 8 })), 'test');
  model = await writeTinyModel(join(folder, 'model'));
});

const journalAt = (name: string, resume = false, seed = 1): Promise<RobustnessJournal> =>
  RobustnessJournal.open(
    join(folder, name),
    robustnessIdentity('test', model, { dataset: 'd', split: 'test', items, seed }),
    resume,
  );

async function measured(name: string, degradations = wanted, resume = false): Promise<DegradedSet[]> {
  return scoreDegraded(model, degradations, { items, seed: 1, journal: await journalAt(name, resume), jobs: 1 });
}

it('measures each degradation against the recordings as they are', slow, async () => {
  const sets = await measured('first.journal');
  const rows = robustnessRows(model, items, sets, { replicates: 100, seed: 1 });
  expect(rows.map(({ name }) => name)).toEqual(['as-is', 'mp3-32', 'white-15', 'babble-15', 'room-0.4']);
  const [plain, mp3, white] = rows;
  expect(plain.figures).toMatchObject({ scored: 8, failed: 0, paired: { difference: 0, interval: null } });
  expect(white.figures?.paired?.before).toBe(plain.figures?.eer);
  expect(mp3.figures?.scored ?? 8).toBe(8);
  const scores = (index: number): (number | null)[] => sets[index].outcomes.map(({ score }) => score);
  for (const index of [2, 3, 4]) expect(scores(index)).not.toEqual(scores(0));
  // Of thrice as many there are enough for intervals.
  const thrice = items.flatMap((item) =>
    [1, 2, 3].map((each) => ({ ...item, id: `${each} ${item.id}`, source: null })),
  );
  const tripled = sets.map((set) => ({ ...set, outcomes: set.outcomes.flatMap((one) => [one, one, one]) }));
  const [again, , noisy] = robustnessRows(model, thrice, tripled, { replicates: 100, seed: 1 });
  expect(again.figures?.paired).toMatchObject({ difference: 0, interval: [0, 0], replicates: 100 });
  expect(noisy.figures?.eerInterval).not.toBeNull();
  const made = { application: 'test', model: { name: 'tiny', status: 'screening', onnxSha256: '' }, backend: '', platform: '', time: '' }; // prettier-ignore
  const files = robustnessFiles({
    made,
    modelName: 'tiny',
    dataset: 'd',
    split: 'test',
    seed: 1,
    rows,
    conditions: null,
    companionNote: null,
  });
  expect(files['robustness.csv'].trim().split('\r\n')).toHaveLength(6);
  expect(files['robustness.svg']).toContain('White noise');
  expect(JSON.parse(files['robustness.json'])).toMatchObject({ rows: [{ name: 'as-is' }, {}, {}, {}, {}] });
});

it('goes on where it was interrupted, also after a torn line, and ends with the same', slow, async () => {
  const pure = chooseDegradations(['babble-15']);
  const whole = await measured('whole.journal', pure);
  const path = join(folder, 'cut.journal');
  const controller = new AbortController();
  const journal = await journalAt('cut.journal');
  const stopped = scoreDegraded(model, pure, {
    items,
    seed: 1,
    journal,
    jobs: 1,
    signal: controller.signal,
    onProgress: () => controller.abort(new Error('enough')),
  });
  await expect(stopped).rejects.toThrow('enough');
  writeFileSync(path, readFileSync(path, 'utf8') + '{"in":"babble-15","id":"au');
  await expect(journalAt('cut.journal')).rejects.toThrow('was interrupted');
  await expect(journalAt('cut.journal', true, 2)).rejects.toThrow('differs from this one');
  expect(await measured('cut.journal', pure, true)).toEqual(whole);
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  // Each recording once in each set, and the header.
  expect(lines).toHaveLength(1 + 8 * (1 + pure.length));
  expect(readdirSync(folder).filter((name) => name.endsWith('.wav'))).toEqual([]);
});

it('names what cannot be read, and goes on', slow, async () => {
  const missing = { ...items[0], path: join(folder, 'gone.wav'), id: 'gone.wav' };
  const all = [missing, ...items];
  const identity = robustnessIdentity('test', model, { dataset: 'd', split: 'test', items: all, seed: 1 });
  const journal = await RobustnessJournal.open(join(folder, 'missing.journal'), identity, false);
  const sets = await scoreDegraded(model, chooseDegradations(['mp3-32', 'gate']), {
    items: all,
    seed: 1,
    journal,
    jobs: 1,
  });
  for (const { skipped, outcomes } of sets) {
    if (skipped !== null) continue;
    expect(outcomes[0].error).toContain('gone.wav');
    expect(outcomes.slice(1).every(({ error }) => error === null)).toBe(true);
  }
  expect(robustnessRows(model, all, sets, { replicates: 10, seed: 1 })[0].figures?.failed).toBe(1);
});

it(
  'has companions speak of what is theirs, on the scale of likelihood ratios, unless they are left out',
  slow,
  async () => {
    const { folder: place } = await writeTinyModel(join(folder, 'accompanied'));
    await writeTinyModel(join(place, 'telephone'), 3);
    const accompanied = await nameCompanion(place, 'telephone', {
      maximumSampleRateHz: 12_000,
      maximumBandwidthHz: 300,
    });
    const line = chooseDegradations(['telephone']);
    const of = async (one: StoredModel, name: string) => {
      const identity = robustnessIdentity('test', one, { dataset: 'd', split: 'test', items, seed: 1 });
      const journal = await RobustnessJournal.open(join(folder, name), identity, false);
      const sets = await scoreDegraded(one, line, { items, seed: 1, journal, jobs: 1 });
      return { sets, rows: robustnessRows(one, items, sets, { replicates: 0, seed: 1 }) };
    };
    const { rows, sets } = await of(accompanied, 'accompanied.journal');
    expect(rows.map(({ figures }) => figures?.byCompanion)).toEqual([0, 8]);
    expect(companionNote(rows)).toContain('likelihood ratios');
    const apart = await of(alone(accompanied), 'apart.journal');
    expect(apart.rows.map(({ figures }) => figures?.byCompanion)).toEqual([0, 0]);
    expect(companionNote(apart.rows)).toBeNull();
    expect(sets[0].outcomes).toEqual(apart.sets[0].outcomes);
    expect(sets[1].outcomes.map(({ score }) => score)).not.toEqual(apart.sets[1].outcomes.map(({ score }) => score));
  },
);

it('tells a codec without an encoder by name', slow, async () => {
  const none = {
    name: 'none',
    label: 'None',
    family: 'None',
    value: 1,
    unit: '',
    how: { codec: { encoder: 'no_such_codec', arguments: [], container: 'x', rateHz: 8000 }, returnRateHz: 8000 },
  };
  const sets = await measured('none.journal', [none]);
  const rows = robustnessRows(model, items, sets, { replicates: 0, seed: 1 });
  expect(rows[1]).toMatchObject({ figures: null, skipped: expect.stringContaining('no_such_codec') as string });
});

it('draws some recordings from all sources and both classes alike', () => {
  const list = Array.from({ length: 40 }, (_, index) => ({
    ...items[0],
    id: String(index),
    label: index < 30 ? ('spoof' as const) : ('bonafide' as const),
    source: index < 25 ? 'large' : `small-${index % 3}`,
  }));
  const drawn = drawnAlike(list, 12, 1);
  expect(drawn).toHaveLength(12);
  expect(drawn.filter(({ label }) => label === 'bonafide')).toHaveLength(6);
  expect(drawn.filter(({ source }) => source === 'large').length).toBeLessThan(4);
  expect(drawnAlike(list, 12, 1)).toEqual(drawn);
  expect(drawnAlike(list, 100, 1)).toEqual(list);
});
