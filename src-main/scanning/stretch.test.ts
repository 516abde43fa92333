import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decode } from '../audio/decode.ts';
import { findFfmpeg } from '../audio/ffmpeg.ts';
import { chunk, formatChunk, pcm16, riff, runFfmpeg, temporaryFolder } from '../audio/testing.ts';
import { UserFacingError } from '../base/errors.ts';
import { Detector } from '../detector/detector.ts';
import { babble, wav16, writeTinyModel } from '../detector/testing.ts';
import { nameCompanion } from '../detector/store.ts';
import type { StoredModel } from '../detector/store.ts';
import { analyseStretchWith, withStretchPool } from './stretch.ts';

const folder = temporaryFolder();
const ffmpeg = await findFfmpeg().then(
  (found) => found.path,
  () => null,
);
let model: StoredModel;
let detector: Detector;
beforeAll(async () => {
  model = await writeTinyModel(join(folder, 'model'));
  detector = await Detector.create(model, 1);
});
afterAll(() => detector.dispose());

/** Six seconds of babble, 16 bits. */
function recording(name: string): { path: string; samples: Float32Array } {
  const path = join(folder, name);
  const samples = babble(6, 4);
  writeFileSync(path, wav16(samples));
  return { path, samples };
}

async function code(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return error instanceof UserFacingError ? error.code : String(error);
}

describe('a stretch on its own', () => {
  it('scores as a file that holds nothing else, with times of the recording', async () => {
    const { path, samples } = recording('whole.wav');
    const alone = join(folder, 'alone.wav');
    writeFileSync(alone, wav16(samples.subarray(2 * 16_000, 5 * 16_000)));
    const expected = await detector.analyse(alone);
    const { analysis, fileSha256, settings } = await analyseStretchWith(detector, path, {
      startSeconds: 2,
      endSeconds: 5,
    });
    expect(analysis.score).toBe(expected.score);
    expect(analysis.quality).toEqual(expected.quality);
    expect(analysis.finding).toBe(expected.finding);
    expect(analysis.reasons).toEqual(expected.reasons);
    expect(analysis.durationSeconds).toBe(3);
    expect(analysis.audio).toMatchObject({ durationSeconds: 6, codec: 'pcm_s16le' });
    expect(analysis.windows.map(({ startSeconds }) => startSeconds)).toEqual(
      expected.windows.map(({ startSeconds }) => startSeconds + 2),
    );
    expect(fileSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(settings).toMatchObject({
      cutFirstSample: 32_000,
      cutSamples: 48_000,
      cutStartSeconds: 2,
      cutEndSeconds: 5,
    });
  });

  it.skipIf(!ffmpeg)('lies where its times are, whatever is missing before it or in it', async () => {
    const [whole, path] = [join(folder, 'nine.wav'), join(folder, 'gap.mka')];
    writeFileSync(whole, wav16(babble(9, 4)));
    const filter = "asetnsamples=160,aselect='lt(t,2)+gte(t,5)'";
    runFfmpeg(ffmpeg!, '-i', whole, '-af', filter, '-c:a', 'pcm_s16le', path);
    const after = await analyseStretchWith(detector, path, { startSeconds: 6, endSeconds: 8 });
    const same = await analyseStretchWith(detector, whole, { startSeconds: 6, endSeconds: 8 });
    const near = (value: unknown, expected: number): void =>
      expect(Math.abs(Number(value) - expected)).toBeLessThan(0.02);
    near(after.settings['cutStartSeconds'], 6);
    near(after.settings['cutEndSeconds'], 8);
    expect(after.settings).toMatchObject({ cutSamples: 32_000 });
    near(after.analysis.windows[0].startSeconds, same.analysis.windows[0].startSeconds);
    expect(after.analysis.reasons.map(({ code: word }) => word)).not.toContain('gaps');

    const across = await analyseStretchWith(detector, path, { startSeconds: 1, endSeconds: 6 });
    const told = across.analysis.reasons.find(({ code: word }) => word === 'gaps');
    expect(told?.sentence).toMatch(/^Of the stretch (2\.9\d|3\.0\d) s are missing/);
    expect(across.analysis.reasons.filter(({ code: word }) => word === 'gaps').length).toBe(1);
    near(Number(across.settings['cutSamples']) / 16_000, 2);
    near(across.settings['cutEndSeconds'], 6);
    near(across.analysis.windows.at(-1)?.endSeconds, 6);
    near(across.analysis.durationSeconds, 5);
    // The two sides are never joined in one window.
    expect(across.analysis.windows.length).toBeGreaterThan(0);
    for (const { startSeconds, endSeconds } of across.analysis.windows) {
      expect([startSeconds, endSeconds, endSeconds < 2.03 || startSeconds > 4.97]).toEqual([
        startSeconds,
        endSeconds,
        true,
      ]);
    }
    expect(await code(analyseStretchWith(detector, path, { startSeconds: 3, endSeconds: 4 }))).toBe('no-stretch');
  });

  it('can lie in sound that the header does not count in, and says of which reading it is', async () => {
    const { samples } = recording('declared.wav');
    const path = join(folder, 'tail.wav');
    const [declared, behind] = [wav16(samples.subarray(0, 2 * 16_000)), wav16(samples.subarray(2 * 16_000))];
    writeFileSync(path, Buffer.concat([declared, behind.subarray(44)]));
    const request = { startSeconds: 3, endSeconds: 5 };
    expect(await code(analyseStretchWith(detector, path, request))).toBe('no-stretch');
    const { analysis, settings } = await analyseStretchWith(detector, path, { ...request, readAll: true });
    const alone = join(folder, 'tail-alone.wav');
    writeFileSync(alone, wav16(samples.subarray(3 * 16_000, 5 * 16_000)));
    expect(analysis.score).toBe((await detector.analyse(alone)).score);
    expect(analysis.windows[0].startSeconds).toBeGreaterThanOrEqual(3);
    expect(settings).toMatchObject({ readAll: true, cutFirstSample: 48_000, cutSamples: 32_000 });
    expect(analysis.reasons).toContainEqual({
      code: 'all-read',
      blocking: false,
      sentence: expect.stringContaining('all sound in its file read') as string,
    });
  });

  it('ends where the recording ends, and says where there is nothing', async () => {
    const { path } = recording('ends.wav');
    const { settings } = await analyseStretchWith(detector, path, { startSeconds: 4, endSeconds: 100 });
    expect(settings).toMatchObject({ cutSamples: 32_000, cutEndSeconds: 6 });
    expect(await code(analyseStretchWith(detector, path, { startSeconds: 7, endSeconds: 8 }))).toBe('no-stretch');
    expect(await code(analyseStretchWith(detector, path, { startSeconds: 3, endSeconds: 3 }))).toBe('no-stretch');
    expect(await code(analyseStretchWith(detector, path, { startSeconds: 0, endSeconds: 1e6 }))).toBe('too-long');
  });

  it('that is too short is not assessable, with the reason', async () => {
    const { path } = recording('short.wav');
    for (const endSeconds of [2.0001, 2.02, 2.2]) {
      const { analysis } = await analyseStretchWith(detector, path, { startSeconds: 2, endSeconds });
      expect(analysis.finding).toBe('not assessable');
      expect(analysis.llr).toBeNull();
      expect(analysis.reasons.some(({ code: why }) => ['too-short', 'silent'].includes(why))).toBe(true);
    }
  });

  it('takes the channels asked for', async () => {
    const left = babble(4, 7);
    const right = babble(4, 8);
    const both = Float32Array.from({ length: 2 * left.length }, (_, i) => (i % 2 ? right : left)[i >> 1]);
    const path = join(folder, 'both.wav');
    writeFileSync(path, riff(formatChunk(1, 2, 16_000, 16), chunk('data', pcm16(both))));
    const of = async (channel: 'mix' | 'left' | 2): Promise<number | null> => {
      const { analysis } = await analyseStretchWith(detector, path, { startSeconds: 0, endSeconds: 4, channel });
      const whole = await detector.analyse(path, undefined, { channel });
      expect(analysis.score).toBe(whole.score);
      expect(analysis.channel).toBe(channel);
      return analysis.score;
    };
    expect(new Set([await of('mix'), await of('left'), await of(2)]).size).toBe(3);
    expect(await code(analyseStretchWith(detector, path, { startSeconds: 0, endSeconds: 4, channel: 3 }))).toBe(
      'no-channel',
    );
  });

  it('with what is no number, or from a file that the model was trained on, is not assessable', async () => {
    const samples = babble(4, 4);
    samples[40_000] = NaN;
    const path = join(folder, 'nan.wav');
    writeFileSync(path, riff(formatChunk(3, 1, 16_000, 32), chunk('data', new Uint8Array(samples.slice().buffer))));
    const { analysis } = await analyseStretchWith(detector, path, { startSeconds: 1, endSeconds: 4 });
    expect(analysis).toMatchObject({ finding: 'not assessable', nonFiniteSamples: 1 });
    expect(analysis.reasons[0].code).toBe('non-finite-samples');
    const { path: known } = recording('known.wav');
    const { fileSha256 } = await analyseStretchWith(detector, known, { startSeconds: 0, endSeconds: 2 });
    const trained = { ...detector.card, training: { ...detector.card.training, fileSha256: [fileSha256] } };
    const by = { cardOf: () => trained, analyse: detector.analyse.bind(detector) };
    const outcome = await analyseStretchWith(by, known, { startSeconds: 0, endSeconds: 2 });
    expect(outcome.analysis.reasons[0].code).toBe('trained-on');
  });

  it('is judged as what the recording is coded in, by the same companion or not at all', async () => {
    const place = join(folder, 'coded');
    const { card } = await writeTinyModel(place);
    await writeTinyModel(join(place, 'companion'), 3);
    const samples = Float64Array.from(babble(4, 4));
    const path = join(folder, 'coded.wav');
    writeFileSync(path, riff(formatChunk(3, 1, 16_000, 64), chunk('data', new Uint8Array(samples.buffer))));
    const stretch = { startSeconds: 1, endSeconds: 4 };
    const withCompanion = await Detector.create(await nameCompanion(place, 'companion', { codecs: ['pcm_f64le'] }), 1);
    const { analysis } = await analyseStretchWith(withCompanion, path, stretch);
    await withCompanion.dispose();
    expect(analysis.companion?.name).toBe('companion');
    expect(analysis.reasons.at(-1)?.sentence).toMatch(/^It is coded in pcm_f64le: /);

    const wary = { ...model, card: { ...card, thresholds: { ...card.thresholds, misjudgedCodecs: ['pcm_f64le'] } } };
    const alone = await Detector.create(wary, 1);
    const outcome = await analyseStretchWith(alone, path, stretch);
    await alone.dispose();
    expect(outcome.analysis.finding).toBe('not assessable');
    expect(outcome.analysis.reasons.map(({ code: word }) => word)).toContain('codec');
  });

  it('of a file that changes meanwhile is refused', async () => {
    const { path } = recording('changes.wav');
    const by = {
      cardOf: () => detector.card,
      analyse: async (...given: Parameters<Detector['analyse']>) => {
        writeFileSync(path, wav16(babble(5, 9)));
        return detector.analyse(...given);
      },
    };
    expect(await code(analyseStretchWith(by, path, { startSeconds: 0, endSeconds: 2 }))).toBe('changed');
  });

  it('is the same in a thread of its own, which can be stopped', async () => {
    const { path } = recording('thread.wav');
    const request = { startSeconds: 1, endSeconds: 4 };
    const here = await analyseStretchWith(detector, path, request);
    const there = (signal?: AbortSignal) => withStretchPool(model, signal, (pool) => pool.run({ path, ...request }));
    expect(await there()).toEqual(here);
    const controller = new AbortController();
    const stopped = there(controller.signal);
    controller.abort();
    await expect(stopped).rejects.toThrow('abort');
    expect(existsSync(path)).toBe(true);
  });
});

describe('what is cut', () => {
  it('is the samples of the recording', async () => {
    const { path, samples } = recording('exact.wav');
    let cut: Float32Array | null = null;
    const by = {
      cardOf: () => detector.card,
      analyse: async (...given: Parameters<Detector['analyse']>) => {
        cut = (await decode(given[0], { sampleRateHz: 16_000 })).samples;
        return detector.analyse(...given);
      },
    };
    await analyseStretchWith(by, path, { startSeconds: 1.5, endSeconds: 3.25 });
    const stored = (await decode(path, { sampleRateHz: 16_000 })).samples;
    expect(stored.length).toBe(samples.length);
    expect(cut).toEqual(stored.slice(24_000, 52_000));
  });
});
