import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import yauzl from 'yauzl';
import { evaluationSchema } from '../../src-common/schemas/evaluation.ts';
import { robustnessEvaluationSchema } from '../../src-common/schemas/robustness.ts';
import { writeTinyModel } from '../detector/testing.ts';
import { detectionMetrics } from '../evaluation/metrics.ts';
import { EvaluationStore } from './evaluation-store.ts';
import type { NewEvaluation, NewRobustnessEvaluation } from './evaluation-store.ts';
import { ModelStore } from '../models/model-store.ts';
import { JobQueue } from '../jobs/queue.ts';
import { jobThat, plantSpeech } from '../jobs/testing.ts';

let home: string;
let asked: NewEvaluation;
let robustness: NewRobustnessEvaluation;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'earwitness-evaluation-'));
  const dataset = plantSpeech(join(home, 'data'), { test: 40 });
  writeFileSync(join(home, 'data', 'audio', 'test-3.wav'), 'no sound');
  await writeTinyModel(join(home, 'models', 'one'), 2);
  await writeTinyModel(join(home, 'models', 'other'), 5);
  asked = { modelIds: ['one', 'other'], dataset, split: 'test', replicates: 100 };
  const { modelIds, ...common } = asked;
  robustness = { ...common, modelId: modelIds[0], degradations: ['white-15', 'white-5'], limit: null, seed: 1 };
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const queues: JobQueue[] = [];
afterEach(async () => {
  for (const queue of queues.splice(0)) await queue.close();
});

async function engine(): Promise<{ jobs: JobQueue; store: EvaluationStore }> {
  const jobs = new JobQueue();
  queues.push(jobs);
  const store = await EvaluationStore.open({ home, jobs, models: new ModelStore(home), scanJobs: () => 2 });
  return { jobs, store };
}

async function namesIn(path: string): Promise<string[]> {
  const zip = await promisify<string, yauzl.ZipFile>(yauzl.open)(path);
  const names: string[] = [];
  await new Promise((resolve) =>
    zip.on('entry', ({ fileName }: yauzl.Entry) => names.push(fileName)).on('end', resolve),
  );
  return names;
}

it('sets models side by side: figures with intervals, thinned curves, files to export; keeps them for later engines', async () => {
  const { jobs, store } = await engine();
  const id = await store.start(asked);
  expect(store.usersOf('one')).toHaveLength(1);
  const job = await jobThat(jobs, id, ({ endedAt }) => endedAt !== null);
  expect(job).toMatchObject({ state: 'done', done: 80, total: 80, failed: 2, result: { evaluationId: id } });
  expect(job.problems[0].subject).toBe(join(home, 'data', 'audio', 'test-3.wav'));
  expect(store.usersOf('one')).toEqual([]);

  const again = (await engine()).store;
  expect(again.list()).toMatchObject([{ id, dataset: asked.dataset, split: 'test', models: ['tiny', 'tiny (2)'] }]);
  const evaluation = evaluationSchema.parse(await again.get(id));
  expect(evaluation.results.map(({ modelId }) => modelId)).toEqual(['one', 'other']);
  const [result] = evaluation.results;
  expect(result).toMatchObject({ bonafide: 20, spoof: 19, withoutScore: 1 });
  // The curves say what the scores say.
  const trials = (['bonafide', 'spoof'] as const).flatMap((label) =>
    result.scores[label].map((score, index) => ({
      file: `${label}${index}`,
      bonafide: label === 'bonafide',
      score,
      attack: null,
    })),
  );
  const { eer, auc, eerDecisionThreshold } = detectionMetrics(trials);
  const figure = (name: string) => result.figures.find((one) => one.name === name);
  expect(figure('eer')?.value).toBe(eer);
  expect(figure('auc')?.value).toBe(auc);
  expect(result.eerThreshold).toBe(eerDecisionThreshold);
  for (const { name, value, interval } of result.figures) {
    expect(interval, name).not.toBeNull();
    if (name === 'eer') expect(value >= interval![0] && value <= interval![1]).toBe(true);
  }
  expect(result.roc[0]).toEqual([0, 0]);
  expect(result.roc.at(-1)).toEqual([1, 1]);
  const area = result.roc
    .slice(1)
    .reduce((sum, [x, y], i) => sum + ((x - result.roc[i][0]) * (y + result.roc[i][1])) / 2, 0);
  expect(area).toBeCloseTo(auc, 9);
  expect(result.det).toContainEqual([0, 1]);
  for (const [x, low, high] of [...result.rocBand, ...result.detBand, ...result.precisionBand]) {
    expect(x >= 0 && x <= 1 && low >= 0 && low <= high && high <= 1).toBe(true);
  }
  expect(result.detBand.length).toBeGreaterThan(10);
  expect(result.histogram.bonafide.reduce((sum, count) => sum + count, 0)).toBe(20);
  expect(result.tippett.spoof[0][1]).toBe(1);
  expect(result.tippett.spoof.at(-1)?.[1]).toBe(0);
  expect(result.calibration).toHaveLength(10);
  expect(result.generators.map(({ generator }) => generator)).toEqual(['vocoder-0', 'vocoder-1', 'vocoder-2']);

  const archive = join(home, 'evaluation.zip');
  await again.export(id, archive);
  const names = await namesIn(archive);
  expect(names).toEqual(
    expect.arrayContaining(['tiny/metrics.json', 'tiny/scores.csv', 'tiny (2)/roc.svg', 'roc.svg', 'det.svg']),
  );
  expect(readdirSync(join(home, 'evaluations', id)).sort()).toEqual(['evaluation.json', 'files', 'results.json']);
  await again.delete(id);
  await expect(again.get(id)).rejects.toMatchObject({ code: 'not-found' });
  expect(existsSync(join(home, 'evaluations', id))).toBe(false);
});

it('goes on in the next engine, without scoring anew what was scored; one that is cancelled leaves nothing', async () => {
  const first = await engine();
  const id = await first.store.start(asked);
  await jobThat(first.jobs, id, ({ doing }) => doing === 'Scoring with tiny (2)');
  await first.jobs.close();
  const scored = join(home, 'evaluations', id, 'scored-1.json');
  // Told by a score that no model gives.
  const kept = JSON.parse(readFileSync(scored, 'utf8')) as { results: { analysis: { score: number } }[] };
  kept.results[0].analysis.score = 12345;
  writeFileSync(scored, JSON.stringify(kept));

  const second = await engine();
  expect(second.store.list()).toEqual([]);
  await second.store.recover();
  await jobThat(second.jobs, id, ({ state }) => state === 'done');
  const { results } = evaluationSchema.parse(await second.store.get(id));
  expect(results[0].scores.bonafide).toContain(12345);
  expect(results[1].scores.bonafide).not.toContain(12345);
  await second.store.delete(id);

  const cancelled = await second.store.start({ ...asked, modelIds: ['one'] });
  await jobThat(second.jobs, cancelled, ({ done }) => done > 0);
  second.jobs.cancel(cancelled);
  await jobThat(second.jobs, cancelled, ({ state }) => state === 'cancelled');
  expect(readdirSync(join(home, 'evaluations'))).toEqual([]);
});

it('measures a model through degradations: a row for each, progress in steps, files to export; keeps no copies', async () => {
  const { jobs, store } = await engine();
  const id = await store.startRobustness(robustness);
  const reports = new Set<string>();
  const job = await jobThat(jobs, id, ({ doing, done, endedAt }) => {
    if (done > 0 && done < 120) reports.add(`${done} ${doing}`);
    return endedAt !== null;
  });
  expect(job).toMatchObject({ state: 'done', done: 120, total: 120, failed: 3, result: { evaluationId: id } });
  expect(job.problems.map(({ subject }) => subject)).toEqual(Array(3).fill(join(home, 'data', 'audio', 'test-3.wav')));
  // Not only at the end of each degradation.
  expect([...reports].some((one) => Number.parseInt(one, 10) % 40 !== 0)).toBe(true);
  expect([...reports].some((one) => one.endsWith('Scoring White noise, 15 dB SNR'))).toBe(true);

  const again = (await engine()).store;
  expect(again.list()).toMatchObject([{ id, kind: 'robustness', split: 'test', models: ['tiny'] }]);
  const { result } = robustnessEvaluationSchema.parse(await again.get(id));
  expect(result).toMatchObject({ modelId: 'one', bonafide: 20, spoof: 20, outOf: 40, seed: 1, companionNote: null });
  expect(result.rows.map(({ name, family, value }) => [name, family, value])).toEqual([
    ['as-is', null, null],
    ['white-15', 'White noise', 15],
    ['white-5', 'White noise', 5],
  ]);
  const [plain, some, most] = result.rows.map(({ figures }) => figures);
  expect(plain).toMatchObject({ recordings: 40, scored: 39, failed: 1, paired: { recordings: 39, difference: 0 } });
  for (const figures of [some, most]) {
    expect(figures?.paired?.difference).toBeCloseTo(figures!.eer! - plain!.eer!, 12);
    expect(figures!.decidedShare + figures!.notAssessableShare).toBeLessThanOrEqual(1);
  }
  const archive = join(home, 'robustness.zip');
  await again.export(id, archive);
  const names = await namesIn(archive);
  expect(names).toEqual(expect.arrayContaining(['robustness.json', 'robustness.csv', 'robustness.svg']));
  expect(readdirSync(join(home, 'evaluations', id)).sort()).toEqual(['evaluation.json', 'files', 'results.json']);
  await again.delete(id);
  expect(existsSync(join(home, 'evaluations', id))).toBe(false);
});

it('draws some recordings, and says by name through what it could not measure', async () => {
  const { jobs, store } = await engine();
  const before = process.env['EARWITNESS_FFMPEG'];
  process.env['EARWITNESS_FFMPEG'] = join(home, 'no ffmpeg');
  try {
    const id = await store.startRobustness({ ...robustness, degradations: ['opus-16', 'floor'], limit: 12, seed: 2 });
    const { problems } = await jobThat(jobs, id, ({ endedAt }) => endedAt !== null);
    expect(problems).toContainEqual({
      subject: 'Opus, 16 kbit/s',
      message: expect.stringMatching(/^Skipped: no encoder at hand.*libopus/) as string,
    });
    const { result } = robustnessEvaluationSchema.parse(await store.get(id));
    expect(result).toMatchObject({ bonafide: 6, spoof: 6, outOf: 40, seed: 2 });
    expect(result.rows[1]).toMatchObject({ name: 'opus-16', figures: null, skipped: expect.any(String) as string });
    expect(result.rows[2]).toMatchObject({ name: 'floor', skipped: null, figures: { recordings: 12 } });
    await store.delete(id);
  } finally {
    if (before === undefined) delete process.env['EARWITNESS_FFMPEG'];
    else process.env['EARWITNESS_FFMPEG'] = before;
  }
});

it('goes on through degradations in the next engine, begins anew where the model is another; cancelled, it leaves nothing', async () => {
  const first = await engine();
  const id = await first.store.startRobustness(robustness);
  await jobThat(first.jobs, id, ({ done }) => done > 40);
  await first.jobs.close();
  const path = join(home, 'evaluations', id, 'robustness.journal');
  // Told by a score that no model gives.
  const lines = readFileSync(path, 'utf8').split('\n');
  const line = JSON.parse(lines[1]) as { outcome: { score: number } };
  line.outcome.score = 12345;
  lines[1] = JSON.stringify(line);
  const marked = lines.join('\n');
  writeFileSync(path, marked);

  const second = await engine();
  await second.store.recover();
  await jobThat(second.jobs, id, ({ doing }) => doing.startsWith('Scoring White noise, 5'));
  await second.jobs.close();
  const kept = readFileSync(path, 'utf8');
  expect(kept.startsWith(marked)).toBe(true);
  writeFileSync(path, kept.replace(/"modelSha256":"[0-9a-f]/, '"modelSha256":"x'));

  const third = await engine();
  await third.store.recover();
  await jobThat(third.jobs, id, ({ done }) => done > 40);
  expect(readFileSync(path, 'utf8')).not.toContain('12345');
  third.jobs.cancel(id);
  await jobThat(third.jobs, id, ({ state }) => state === 'cancelled');
  expect(readdirSync(join(home, 'evaluations'))).toEqual([]);
});

it('keeps what was scored of a measurement that failed: the same one, asked for again, goes on', async () => {
  const { jobs, store } = await engine();
  const id = await store.startRobustness(robustness);
  const place = join(home, 'evaluations', id);
  // Where the folder of its files belongs.
  writeFileSync(join(place, 'files'), '');
  const { error, state } = await jobThat(jobs, id, ({ endedAt }) => endedAt !== null);
  expect([state, error?.code]).toEqual(['failed', 'unwritable']);
  rmSync(join(place, 'files'));
  const path = join(place, 'robustness.journal');
  const [header, first, ...lines] = readFileSync(path, 'utf8').split('\n');
  expect(lines).toHaveLength(120);
  // Told by a failure that there was not.
  const outcome = { ...(JSON.parse(first) as { outcome: object }).outcome, score: null, error: 'made up' };
  writeFileSync(path, [header, JSON.stringify({ ...(JSON.parse(first) as object), outcome }), ...lines].join('\n'));

  const later = await engine();
  await later.store.recover();
  expect([later.jobs.list(), later.store.list(), later.store.usersOf('one')]).toEqual([[], [], []]);
  expect(await later.store.startRobustness(robustness)).toBe(id);
  await jobThat(later.jobs, id, ({ endedAt }) => endedAt !== null);
  const { result } = robustnessEvaluationSchema.parse(await later.store.get(id));
  expect(result.rows.map(({ figures }) => figures?.failed)).toEqual([2, 1, 1]);
  await later.store.delete(id);
});

it('says what is wrong with what it is asked for', async () => {
  const { jobs, store } = await engine();
  await expect(store.start({ ...asked, modelIds: ['nothing'] })).rejects.toMatchObject({ code: 'not-found' });
  const id = await store.start({ ...asked, split: 'nothing' });
  const { error } = await jobThat(jobs, id, ({ state }) => state === 'failed');
  expect(error).toMatchObject({ code: 'dataset', advice: expect.stringContaining('Its splits are test') as string });
  await expect(store.startRobustness({ ...robustness, modelId: 'nothing' })).rejects.toMatchObject({
    code: 'not-found',
  });
  const unknown = store.startRobustness({ ...robustness, degradations: ['wax-cylinder'] });
  await expect(unknown).rejects.toMatchObject({ code: 'usage', advice: expect.stringContaining('mp3-32') as string });
  const measured = await store.startRobustness({ ...robustness, split: 'nothing' });
  const ended = await jobThat(jobs, measured, ({ state }) => state === 'failed');
  expect(ended.error).toMatchObject({ code: 'dataset' });
  expect(store.list()).toEqual([]);
});
