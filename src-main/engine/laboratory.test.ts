import { mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call } from '@orpc/server';
import { expect, it } from 'vitest';
import { writeTinyModel } from '../detector/testing.ts';
import { encoderDeclaration, encoderGraph, jobThat, plantSpeech } from '../jobs/testing.ts';
import type { Inputs } from '../../src-preload/contract.ts';
import type { EngineContext } from './context.ts';
import { datasetsProcedures } from './datasets.ts';
import { encodersProcedures } from './encoders.ts';
import { evaluationProcedures } from './evaluation.ts';
import { jobsProcedures } from './jobs.ts';
import { modelsProcedures } from './models.ts';
import { settingsProcedures } from './settings.ts';
import { testContext } from './testing.ts';
import { trainingProcedures } from './training.ts';

const refusal = (code: string): unknown =>
  expect.objectContaining({ code: 'USER', data: expect.objectContaining({ code }) as unknown });

/** A context with a dataset in its only root, and a model `tiny`. */
async function laboratory(): Promise<{ context: EngineContext; spec: string; root: string }> {
  const context = await testContext();
  const root = join(realpathSync(context.home), 'data');
  mkdirSync(root);
  await context.settings.set({ roots: [root] });
  await writeTinyModel(join(context.home, 'models', 'tiny'));
  return { context, root, spec: plantSpeech(join(root, 'set'), { train: 16, dev: 8, test: 8 }, 1.1) };
}

it('looks at datasets below the roots only, and remembers the specs that were used', async () => {
  const { context, spec, root } = await laboratory();
  const { recent, recognise, inspect } = datasetsProcedures(context);
  expect(await call(recognise, { path: join(root, 'set') })).toMatchObject([{ spec, layout: 'manifest' }]);
  const events = [];
  for await (const event of await call(inspect, { spec })) events.push(event);
  expect(events.at(-1)).toMatchObject({ type: 'report', report: { files: 32 } });
  expect(events.slice(0, -1).every(({ type }) => type === 'progress')).toBe(true);
  expect(await call(recent, undefined)).toEqual([spec]);

  await expect(call(recognise, { path: '/etc' })).rejects.toEqual(refusal('not-allowed'));
  const { start } = trainingProcedures(context);
  for (const dataset of ['folder:/etc', `${spec}+folder:${root}/../..`, `${spec}+bonafide:~/..`]) {
    await expect(call(start, { dataset, name: 'x' }), dataset).rejects.toEqual(refusal('not-allowed'));
  }
  await expect(call(start, { dataset: spec, bonafide: '/etc', name: 'x' })).rejects.toEqual(refusal('not-allowed'));
  await expect(call(start, { dataset: 'nonsense', name: 'x' })).rejects.toEqual(refusal('dataset'));
  expect(context.jobs.list()).toEqual([]);
});

it('trains and evaluates, holds on to models in use, and makes another one the default', async () => {
  const { context, spec } = await laboratory();
  const training = trainingProcedures(context);
  const evaluation = evaluationProcedures(context);
  const models = modelsProcedures(context);
  const jobs = jobsProcedures(context);
  const asked = { dataset: spec, name: 'Own', from: 'tiny', backend: 'cpu', epochs: 1, batchSize: 4 } as const;
  const { jobId } = await call(training.start, asked);
  await expect(call(models.delete, { modelId: 'tiny' })).rejects.toEqual(refusal('model-in-use'));
  await jobThat(context.jobs, jobId, ({ state }) => state === 'done');
  expect(await call(training.get, { jobId })).toMatchObject({ state: 'done', modelId: 'Own' });
  expect(await call(training.list, undefined)).toHaveLength(1);
  await call(jobs.dismiss, { jobId });
  expect(await call(jobs.list, undefined)).toEqual([]);

  const started = await call(evaluation.start, { modelIds: ['Own', 'tiny'], dataset: spec, replicates: 20 });
  await expect(call(models.delete, { modelId: 'Own' })).rejects.toEqual(refusal('model-in-use'));
  await jobThat(context.jobs, started.jobId, ({ state }) => state === 'done');
  const [summary] = await call(evaluation.list, undefined);
  expect(await call(evaluation.get, { id: summary.id })).toMatchObject({ split: 'test', models: ['Own', 'tiny'] });
  const exported = await call(evaluation.export, { id: summary.id, out: null });
  expect(context.outputs.take(exported.resource?.split('/').at(-1) ?? '')?.name).toMatch(/\.zip$/);
  await call(evaluation.delete, { id: summary.id });

  await call(models.setDefault, { modelId: 'Own' });
  expect(context.settings.get().defaultModel).toBe('Own');
  await expect(call(models.delete, { modelId: 'Own' })).rejects.toEqual(refusal('model-in-use'));
  expect((await call(models.rename, { modelId: 'Own', name: 'Anders' })).name).toBe('Anders');
  const file = await call(models.export, { modelId: 'Own', out: join(context.home, 'data', 'own.zip') });
  await call(models.setDefault, { modelId: 'default' });
  await call(models.delete, { modelId: 'Own' });
  const imported = await call(models.import, { path: file.path ?? '' });
  expect(imported).toMatchObject({ id: 'Anders', isDefault: false, problem: null });
  await call(training.discard, { jobId });
  expect(await call(training.list, undefined)).toEqual([]);
});

it('measures robustness of models in use, below the roots only, through what the catalogue names', async () => {
  const { context, spec } = await laboratory();
  const evaluation = evaluationProcedures(context);
  const catalogue = await call(evaluation.degradations, undefined);
  expect(catalogue.filter(({ isChannel }) => isChannel)).toHaveLength(10);
  expect(catalogue.filter(({ family }) => family === 'White noise').every(({ missing }) => missing === null)).toBe(
    true,
  );
  const asked = { modelId: 'tiny', dataset: spec, split: 'test', replicates: 20, degradations: ['gate'] };
  await expect(call(evaluation.startRobustness, { ...asked, dataset: 'folder:/etc' })).rejects.toEqual(
    refusal('not-allowed'),
  );
  await expect(call(evaluation.startRobustness, { ...asked, degradations: ['x'] })).rejects.toEqual(refusal('usage'));
  const { jobId } = await call(evaluation.startRobustness, asked);
  await expect(call(modelsProcedures(context).delete, { modelId: 'tiny' })).rejects.toEqual(refusal('model-in-use'));
  await jobThat(context.jobs, jobId, ({ state }) => state === 'done');
  expect(await call(evaluation.list, undefined)).toMatchObject([{ id: jobId, kind: 'robustness' }]);
  expect(await call(evaluation.get, { id: jobId })).toMatchObject({
    kind: 'robustness',
    result: { modelId: 'tiny', rows: [{ name: 'as-is' }, { name: 'gate' }] },
  });
});

it('lists the members that can be had here, and refuses a model of several in the words of the command line', async () => {
  const { context, spec, root } = await laboratory();
  const { members, start } = trainingProcedures(context);
  const [path, card] = [join(root, 'graph.onnx'), join(root, 'graph.json')];
  writeFileSync(path, encoderGraph());
  writeFileSync(card, JSON.stringify({ ...encoderDeclaration, description: 'Of a test' }));
  await call(encodersProcedures(context).add, { path, card });
  expect(await call(members, undefined)).toEqual([
    { name: 'linear', kind: 'network', description: null, why: null },
    { name: 'linear-2', kind: 'network', description: null, why: null },
    { name: 'mel', kind: 'network', description: null, why: null },
    { name: 'phase', kind: 'network', description: null, why: null },
    { name: 'encoder', kind: 'encoder', description: null, why: null },
    { name: 'periodicity', kind: 'trees', description: null, why: null },
    { name: 'encoder:brought', kind: 'encoder', description: 'Of a test', why: null },
  ]);
  rmSync(join(context.home, 'encoders', 'brought', 'encoder.onnx'));
  const why = (await call(members, undefined)).at(-1)?.why;
  expect(why).toMatch(/encoder\.onnx cannot be read/);

  const asked = { dataset: spec, name: 'x' };
  const saying = (code: string, message: unknown): unknown =>
    expect.objectContaining({ code: 'USER', data: expect.objectContaining({ code, message }) as unknown });
  const refused: [Partial<Inputs['training']['start']>, string, unknown][] = [
    [{ members: ['encoder:brought'] }, 'model', why],
    [{ members: ['encoder:none'] }, 'model', 'The encoder none is not on this machine.'],
    [{ members: ['linear', 'quadratic'] }, 'usage', 'There is no member "quadratic".'],
    [{ members: ['mel', 'mel'] }, 'usage', 'The member "mel" is named twice.'],
    [{ members: ['mel'], copies: spec }, 'usage', expect.stringContaining('no member learns from copies')],
    [{ copies: spec }, 'usage', expect.stringContaining('no member learns from copies')],
    [{ members: ['mel'], from: 'tiny' }, 'usage', expect.stringContaining('trained from scratch')],
    [{ members: ['encoder'], copies: 'folder:/etc' }, 'not-allowed', expect.any(String)],
  ];
  for (const [more, code, message] of refused) {
    await expect(call(start, { ...asked, ...more }), String(message)).rejects.toEqual(saying(code, message));
  }
  await expect(call(start, { ...asked, maximumErrorRate: 0.5 })).rejects.toThrow();
  expect(context.jobs.list()).toEqual([]);
}, 120_000);

it('refuses settings that lead nowhere', async () => {
  const { context, root } = await laboratory();
  const { get, set } = settingsProcedures(context);
  for (const patch of [{ ffmpeg: '/nowhere' }, { roots: [join(root, 'nowhere')] }, { roots: ['.'] }]) {
    await expect(call(set, patch)).rejects.toEqual(refusal('settings'));
  }
  await expect(call(set, { defaultModel: 'nothing' })).rejects.toEqual(refusal('not-found'));
  expect(await call(set, { theme: 'dark' })).toMatchObject({ theme: 'dark', roots: [root] });
  expect(await call(get, undefined)).toMatchObject({ theme: 'dark', defaultModel: 'default' });
});

it('takes an encoder in from below the roots, lists it beside the one that ships, and says what is wrong with another', async () => {
  const { context, root } = await laboratory();
  const encoders = encodersProcedures(context);
  const [path, card] = [join(root, 'graph.onnx'), join(root, 'graph.json')];
  writeFileSync(path, encoderGraph());
  writeFileSync(card, JSON.stringify({ ...encoderDeclaration, description: 'Of a test' }));
  const taken = await call(encoders.add, { path, card });
  expect(taken.name).toBe('brought');
  expect(taken.secondsPerWindow).toBeGreaterThan(0);
  expect(await call(encoders.list, undefined)).toMatchObject([
    { name: 'whisper-tiny-en', ships: true },
    { name: 'brought', description: 'Of a test', values: 16, ships: false },
  ]);
  await expect(call(encoders.add, { path, card })).rejects.toEqual(refusal('exists'));
  writeFileSync(card, JSON.stringify({ ...encoderDeclaration, name: 'other', width: 5 }));
  await expect(call(encoders.add, { path, card })).rejects.toEqual(refusal('graph'));
  await expect(call(encoders.add, { path: '/etc/hosts', card })).rejects.toEqual(refusal('not-allowed'));
  expect(await call(encoders.list, undefined)).toHaveLength(2);
}, 120_000);
