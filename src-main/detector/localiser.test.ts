import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Detector } from './detector.ts';
import { Localiser, frameScores } from './localiser.ts';
import { babble, wav16, writeTinyModel } from './testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'earwitness-localiser-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('scores windows of the detector’s length as the detector does, shorter ones as short recordings', async () => {
  const model = await writeTinyModel(join(folder, 'tiny'));
  const source = { path: 'babble.wav', bytes: wav16(babble(2.5, 3)) };
  const detector = await Detector.create(model, 1);
  const { windows } = await detector.analyse(source);
  const same = await Localiser.create(model, model.card.window, 1);
  expect(await same.windows(source)).toEqual(windows);
  const short = await Localiser.create(model, { seconds: 0.4, hopSeconds: 0.1 }, 1);
  const scored = await short.windows(source);
  expect(scored.length).toBeGreaterThan(18);
  for (const { startSeconds, endSeconds, score } of scored) {
    expect(endSeconds - startSeconds).toBeCloseTo(0.4, 9);
    expect(Number.isFinite(score)).toBe(true);
  }
  expect(scored[1].startSeconds - scored[0].startSeconds).toBeCloseTo(0.1, 9);
  await Promise.all([detector.dispose(), same.dispose(), short.dispose()]);
});

it('gives each frame the mean of the windows over it, and those between windows the nearest', () => {
  const frames = frameScores(
    [
      { startSeconds: 0.1, endSeconds: 0.3, score: 1 },
      { startSeconds: 0.2, endSeconds: 0.4, score: 3 },
      { startSeconds: 0.8, endSeconds: 1, score: -1 },
    ],
    1.2,
  );
  expect(frames).toHaveLength(60);
  expect([frames[0], frames[6]]).toEqual([1, 1]);
  // Nearer to the first window's middle, then to the second's.
  expect(frames[10]).toBeGreaterThan(1);
  expect(frames[10]).toBeLessThan(2);
  expect(frames[14]).toBeGreaterThan(2);
  expect(frames[16]).toBe(3);
  // Between 0.4 and 0.8 s: half each.
  expect([frames[28], frames[32]]).toEqual([3, -1]);
  expect([frames[45], frames[59]]).toEqual([-1, -1]);
  expect(frameScores([], 1)).toHaveLength(0);
});
