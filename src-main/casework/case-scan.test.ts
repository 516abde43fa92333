import { renameSync, writeFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { evidenceFor, testCase, testFolder } from '../cases/testing.ts';
import { CaseStore } from '../cases/store.ts';
import { verifyRecords } from '../cases/verify-records.ts';
import type { StoredModel } from '../detector/store.ts';
import { babble, wav16, writeTinyModel } from '../detector/testing.ts';
import { analysisSchema } from '../../src-common/schemas/analysis.ts';
import { findFfmpeg } from '../audio/ffmpeg.ts';
import { call, chunk, formatChunk, interleaved, pcm16, riff, runFfmpeg } from '../audio/testing.ts';
import { runCaseScan } from './case-scan.ts';
import type { CaseScanOutcome } from './case-scan.ts';

const ffmpeg = await findFfmpeg().then(
  (found) => found.path,
  () => null,
);

async function withRecordings(count: number) {
  const made = testCase();
  const model = await writeTinyModel(join(testFolder(), 'model'));
  const folder = testFolder();
  const paths = Array.from({ length: count }, (_, index) => join(folder, `voice-${index}.wav`));
  paths.forEach((path, index) => writeFileSync(path, wav16(babble(1.5, index))));
  const ids = made.store.evidence.add(paths.map((path) => evidenceFor(path)));
  return { ...made, model, paths, ids };
}

function begin(store: CaseStore, model: StoredModel, ids: number[], channel: 'mix' | 'each' | 'auto' = 'mix'): number {
  const { name } = model.card;
  const request = { model: null, modelName: name, modelSha256: model.onnxSha256, channel, stream: null };
  return store.scans.begin(request, ids).scanId;
}

describe('a scan of a case', () => {
  it('takes up what failed because its drive was away, and leaves what failed for what it is', async () => {
    const { store, model, ids, paths } = await withRecordings(3);
    writeFileSync(paths[2], 'OggS and nothing else of it');
    const away = `${paths[1]}.away`;
    renameSync(paths[1], away);
    const run = (id: number): Promise<CaseScanOutcome> =>
      runCaseScan(store, id, model, 'earwitness 1.2.3', { jobs: 1 });
    expect(await run(begin(store, model, ids))).toEqual({ scored: 1, failed: 2 });
    expect(store.scans.idsToScan('failed', model.onnxSha256)).toEqual([ids[1], ids[2]]);
    const again = store.scans.idsToScan('new', model.onnxSha256);
    expect(again).toEqual([ids[1]]);
    renameSync(away, paths[1]);
    expect(await run(begin(store, model, again))).toEqual({ scored: 1, failed: 0 });
    expect(store.scans.idsToScan('new', model.onnxSha256)).toEqual([]);
    expect(store.scans.idsToScan('failed', model.onnxSha256)).toEqual([ids[2]]);
    store.close();
  });

  it('keeps every result with what made it, without the ratio of a screening model, and logs it', async () => {
    const { store, session, folder, model, ids, paths } = await withRecordings(3);
    rmSync(paths[2]);
    const scanId = begin(store, model, ids);
    const progress: number[] = [];
    const problems: string[] = [];
    const outcome = await runCaseScan(store, scanId, model, 'earwitness 1.2.3', {
      jobs: 2,
      onProgress: (done) => progress.push(done),
      onProblem: (name) => problems.push(name),
    });
    expect(outcome).toEqual({ scored: 2, failed: 1 });
    expect(progress).toEqual([0, 1, 2, 3]);
    expect(problems).toEqual(['voice-2.wav']);
    expect(store.scans.unfinished()).toEqual([]);
    const [analysis] = store.analyses.of(ids[0]);
    expect(analysis).toMatchObject({
      evidenceId: ids[0],
      modelSha256: model.onnxSha256,
      modelStatus: 'screening',
      llr: null,
      llrInterval: null,
      stale: false,
      fileSha256: store.evidence.get(ids[0]).sha256,
      provenance: { application: 'earwitness 1.2.3', model: { onnxSha256: model.onnxSha256 }, ffmpeg: null },
      settings: { stream: 0, channel: 'mix', channels: 'mix' },
      thresholds: { score: 0 },
    });
    expect(analysis.score).not.toBeNull();
    expect(analysis.windows.length).toBeGreaterThan(0);
    // llr = 2 · score + 0.5; inconclusive where its magnitude is below ln 2.
    const [low, high] = analysis.thresholds.inconclusive ?? [NaN, NaN];
    expect(low).toBeCloseTo((-Math.LN2 - 0.5) / 2, 9);
    expect(high).toBeCloseTo((Math.LN2 - 0.5) / 2, 9);
    const rows = store.evidence.rowsOf(ids);
    expect(rows.map(({ scan, state }) => [scan, state])).toEqual([
      ['done', 'unchanged'],
      ['done', 'unchanged'],
      ['failed', 'missing'],
    ]);
    expect(rows[2].error).toMatch(/does not exist/);
    const logged = store.log.rows({ evidenceId: ids[0], offset: 0, limit: 1 }).rows[0];
    expect(logged).toMatchObject({
      action: 'scanned',
      details: { analysisId: analysis.id, resultSha256: analysis.resultSha256, model: { sha256: model.onnxSha256 } },
    });
    expect(JSON.stringify(logged.details)).not.toContain('llr');
    const { checks } = verifyRecords({ folder, home: session.library.home });
    expect(checks.filter(({ holds }) => !holds)).toEqual([]);
  });

  it.skipIf(!ffmpeg)('keeps every gap, and what its windows lack', async () => {
    const { store, model } = await withRecordings(0);
    const [speech, path] = ['speech.wav', 'gaps.mka'].map((name) => join(testFolder(), name));
    writeFileSync(speech, wav16(babble(9, 5)));
    runFfmpeg(
      ffmpeg!,
      '-i',
      speech,
      '-af',
      "asetnsamples=160,aselect='lt(t,2)+between(t,2.2,5)+gt(t,7)'",
      '-c:a',
      'libopus',
      path,
    );
    const [id] = store.evidence.add([evidenceFor(path)]);
    await runCaseScan(store, begin(store, model, [id]), model, 'earwitness 1.2.3', { jobs: 1 });
    const { timeline, windows } = store.analyses.get(store.evidence.get(id).analyses[0].id);
    const lengths = timeline?.gaps.map(({ fromSeconds, toSeconds }) => toSeconds - fromSeconds) ?? [];
    expect(lengths.map((seconds) => Math.round(10 * seconds) / 10)).toEqual([0.2, 2]);
    // What the window is sent.
    const lacking = windows.map((window) => ({ ...window, missingShare: 0.04 }));
    expect(analysisSchema.shape.windows.parse(lacking)).toMatchObject(lacking.map(() => ({ missingShare: 0.04 })));
    expect(analysisSchema.shape.timeline.parse(timeline)).toEqual(timeline);
  });

  it('keeps the ratio of a validated model', async () => {
    const { store, model, ids } = await withRecordings(1);
    const validated = { ...model, card: { ...model.card, status: 'validated' as const } };
    await runCaseScan(store, begin(store, validated, ids), validated, 'earwitness 1.2.3');
    const [{ llr, score, finding }] = store.analyses.of(ids[0]);
    expect(finding).not.toBe('not assessable');
    expect(llr).toBeCloseTo(2 * (score ?? NaN) + 0.5, 6);
  });

  it('goes on where it was interrupted, and says so of a model that is another one', async () => {
    const { store, session, folder, model, ids } = await withRecordings(8);
    const scanId = begin(store, model, ids);
    const controller = new AbortController();
    const interrupted = runCaseScan(store, scanId, model, 'x', {
      jobs: 1,
      signal: controller.signal,
      goesOnLater: () => true,
      onProgress: (done) => {
        if (done === 2) controller.abort(new DOMException('The engine ends.', 'AbortError'));
      },
    });
    await expect(interrupted).rejects.toThrow('The engine ends.');
    store.close();
    const again = CaseStore.open(folder, session);
    const done = again.evidence.allIds().filter((id) => again.analyses.of(id).length === 1);
    expect(done.length).toBeGreaterThanOrEqual(2);
    expect(again.scans.unfinished()).toMatchObject([{ id: scanId, total: 8, left: 8 - done.length }]);
    const outcome = await runCaseScan(again, scanId, model, 'x', { jobs: 2 });
    expect(outcome.scored).toBe(8 - done.length);
    expect(again.evidence.allIds().map((id) => again.analyses.of(id).length)).toEqual(Array(8).fill(1));
    const other = { ...model, onnxSha256: 'c'.repeat(64) };
    const second = begin(again, model, ids);
    await expect(runCaseScan(again, second, other, 'x')).rejects.toMatchObject({ code: 'model-changed' });
    expect(again.scans.unfinished()).toEqual([]);
    again.close();
  });

  it('is over when it is cancelled; what was not scored is as before', async () => {
    const { store, model, ids } = await withRecordings(6);
    const controller = new AbortController();
    const running = runCaseScan(store, begin(store, model, ids), model, 'x', {
      jobs: 1,
      signal: controller.signal,
      onProgress: (done) => {
        if (done === 1) controller.abort(new DOMException('Cancelled.', 'AbortError'));
      },
    });
    await expect(running).rejects.toThrow('Cancelled.');
    expect(store.scans.unfinished()).toEqual([]);
    const scans = store.evidence.rowsOf(ids).map(({ scan }) => scan);
    expect(scans.filter((scan) => scan === 'done').length).toBeGreaterThanOrEqual(1);
    expect(scans.filter((scan) => scan === 'none').length).toBeGreaterThanOrEqual(1);
    expect(store.log.rows({ offset: 0, limit: 1 }).rows[0]).toMatchObject({
      action: 'scan-ended',
      details: { state: 'cancelled' },
    });
  });

  it('holds while it is paused', async () => {
    const { store, model, ids } = await withRecordings(12);
    let open = (): void => undefined;
    let asked = 0;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const running = runCaseScan(store, begin(store, model, ids), model, 'x', {
      jobs: 1,
      waitWhilePaused: () => {
        asked++;
        return gate;
      },
    });
    while (asked === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const held = asked;
    expect(held).toBeLessThan(12);
    open();
    expect((await running).scored).toBe(12);
  });

  it('of a file that changed since intake says so', async () => {
    const { store, model, ids, paths } = await withRecordings(1);
    await runCaseScan(store, begin(store, model, ids), model, 'x');
    writeFileSync(paths[0], wav16(babble(1.5, 77)));
    expect(store.scans.idsToScan('new', model.onnxSha256)).toEqual([]);
    await runCaseScan(store, begin(store, model, ids), model, 'x');
    const [row] = store.evidence.rowsOf(ids);
    expect(row).toMatchObject({ state: 'changed', stale: false });
    expect(row.flags).toContain('changed-since-intake');
    expect(store.analyses.of(ids[0]).map(({ stale }) => stale)).toEqual([true, false]);
  });

  it('scores each channel on its own where that is wanted', async () => {
    const { store, model } = await withRecordings(0);
    const left = babble(1.5, 1);
    const right = babble(1.5, 2);
    const both = new Float32Array(2 * left.length);
    left.forEach((sample, index) => both.set([sample, right[index]], 2 * index));
    const path = join(testFolder(), 'stereo.wav');
    writeFileSync(path, riff(formatChunk(1, 2, 16_000, 16), chunk('data', pcm16(both))));
    const ids = store.evidence.add([evidenceFor(path)]);
    await runCaseScan(store, begin(store, model, ids, 'each'), model, 'x');
    const analyses = store.analyses.of(ids[0]);
    expect(analyses.map(({ channel }) => channel)).toEqual([1, 2]);
    expect(analyses[0].score).not.toBe(analyses[1].score);
    expect(store.evidence.rowsOf(ids)[0].flags.some((flag) => flag.startsWith('channel '))).toBe(true);
  });

  it('scores the sides of a call on their own says so, and anything else as the mix', async () => {
    const { store, model } = await withRecordings(1);
    const sides = call(babble(12, 1), babble(12, 2), 16_000);
    const path = join(testFolder(), 'call.wav');
    writeFileSync(path, riff(formatChunk(1, 2, 16_000, 16), chunk('data', pcm16(interleaved(sides)))));
    const [one] = store.evidence.add([evidenceFor(path)]);
    const ids = store.scans.idsToScan('all', model.onnxSha256);
    await runCaseScan(store, begin(store, model, ids, 'auto'), model, 'x');
    expect(store.analyses.of(one).map(({ channel, settings }) => [channel, settings.channels])).toEqual([
      [1, 'auto'],
      [2, 'auto'],
    ]);
    for (const { reasons } of store.analyses.of(one)) {
      expect(reasons.some(({ sentence }) => sentence.includes('the sides of a conversation'))).toBe(true);
    }
    const [other] = ids.filter((id) => id !== one);
    expect(store.analyses.of(other).map(({ channel }) => channel)).toEqual(['mix']);
  });
});
