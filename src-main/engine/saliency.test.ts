import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call } from '@orpc/server';
import { expect, it, onTestFinished } from 'vitest';
import type { ContractOutputs } from '../../src-preload/contract.ts';
import { overTelephone, plainLine } from '../audio/telephone.ts';
import { wavBytes } from '../audio/wav-writer.ts';
import { nameCompanion } from '../detector/store.ts';
import { babble, wav16, writeTinyModel } from '../detector/testing.ts';
import { analysesProcedures } from './analyses.ts';
import { casesProcedures } from './cases.ts';
import type { EngineContext } from './context.ts';
import { evidenceProcedures } from './evidence.ts';
import { OpenCases } from './open-cases.ts';
import { saliencyProcedures } from './saliency.ts';
import { testContext } from './testing.ts';

type Event = ContractOutputs['saliency']['explain'] extends AsyncIterable<infer One> ? One : never;

/** A case with scanned recordings, by a tiny model with a companion for what is sampled at 8 kHz. */
async function bench(recordings: Record<string, Uint8Array>) {
  const parts = await testContext();
  const context: EngineContext = { ...parts, cases: new OpenCases(parts) };
  onTestFinished(async () => {
    await context.jobs.close();
    context.cases.close();
  });
  const folder = join(realpathSync(context.home), 'recordings');
  mkdirSync(folder);
  for (const [name, bytes] of Object.entries(recordings)) writeFileSync(join(folder, name), bytes);
  const { folder: model } = await writeTinyModel(join(context.home, 'models', 'tiny'));
  const companion = await writeTinyModel(join(model, 'telephone'), 3);
  await nameCompanion(model, 'telephone', { maximumSampleRateHz: 12_000, maximumBandwidthHz: 500 });
  await context.settings.set({ defaultModel: 'tiny', roots: [folder] });
  const { id: caseId } = await call(casesProcedures(context).create, { number: '1', title: 'Saliency' });
  const evidence = evidenceProcedures(context);
  await call(evidence.add, { caseId, paths: [folder] });
  await context.jobs.idle();
  await call(analysesProcedures(context).scan, { caseId, which: 'new' });
  await context.jobs.idle();
  const { rows } = await call(evidence.list, { caseId });
  const analysisOf = async (name: string): Promise<number> => {
    const { id: evidenceId } = rows.find((row) => row.name === name) as { id: number };
    return (await call(evidence.get, { caseId, evidenceId })).analyses[0].id;
  };
  return { context, caseId, folder, companion, analysisOf, procedures: saliencyProcedures(context) };
}

const speech = babble(2.2, 5);
const whole = { method: 'occlusion', member: null } as const;

it('explains the score of a result, says how far it is, and tests the map', async () => {
  const { caseId, analysisOf, procedures } = await bench({ 'voice.wav': wav16(speech) });
  const analysisId = await analysisOf('voice.wav');
  expect(await call(procedures.subjects, { caseId, analysisId })).toMatchObject({
    subjects: [whole, { method: 'grad-cam', member: null }],
  });
  const events: Event[] = [];
  for await (const event of await call(procedures.explain, { caseId, analysisId, ...whole })) events.push(event);
  const last = events.at(-1);
  if (last?.type !== 'ready') throw new Error('nothing came of it');
  const { columns, faithfulness, statement, caution } = last.saliency;
  expect(last.saliency).toMatchObject({ ...whole, analysisId });
  expect(caution).toContain('no evidence');
  expect(columns === null).toBe(!(faithfulness.both.interval[0] > 0));
  expect(statement).toContain('95 % interval');
  for (const event of events.slice(0, -1)) {
    if (event.type !== 'progress') throw new Error('progress comes first');
    expect(event.done).toBeLessThanOrEqual(event.total);
  }
  const part = { startSeconds: 0.5, endSeconds: 1.5 };
  for await (const event of await call(procedures.explain, { caseId, analysisId, ...whole, stretch: part })) {
    if (event.type !== 'ready') continue;
    for (const { startSeconds, endSeconds } of event.saliency.columns ?? []) {
      expect(startSeconds).toBeGreaterThan(0.49);
      expect(endSeconds).toBeLessThan(1.51);
    }
  }
});

it('explains the score of the companion where that one spoke', async () => {
  const { caseId, companion, analysisOf, procedures, context } = await bench({
    'call.wav': wavBytes(overTelephone(speech, 16_000, plainLine('a-law')), 8000),
  });
  const analysisId = await analysisOf('call.wav');
  const { score, provenance } = context.cases.get(caseId).analyses.get(analysisId);
  expect(provenance.model.onnxSha256).toBe(companion.onnxSha256);
  for await (const event of await call(procedures.explain, { caseId, analysisId, ...whole })) {
    if (event.type === 'ready') expect(event.saliency.score).toBeCloseTo(score ?? NaN, 4);
  }
});

it('stops when nobody listens, and refuses a file that is another by now, and a model that is gone', async () => {
  const { context, caseId, folder, analysisOf, procedures } = await bench({ 'voice.wav': wav16(speech) });
  const analysisId = await analysisOf('voice.wav');
  const stop = new AbortController();
  const events = await call(procedures.explain, { caseId, analysisId, ...whole }, { signal: stop.signal });
  const first = events.next();
  stop.abort();
  await expect(first).rejects.toThrow();

  writeFileSync(join(folder, 'voice.wav'), wav16(babble(2.2, 6)));
  const changed = await call(procedures.explain, { caseId, analysisId, ...whole });
  const code = (wanted: string): unknown => expect.objectContaining({ data: expect.objectContaining({ code: wanted }) as unknown }); // prettier-ignore
  await expect(changed.next()).rejects.toEqual(code('changed'));

  await context.settings.set({ defaultModel: 'default' });
  await context.models.delete('tiny');
  await expect(call(procedures.subjects, { caseId, analysisId })).rejects.toEqual(code('not-found'));
});
