import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findFfmpeg } from '../audio/ffmpeg.ts';
import { runFfmpeg, temporaryFolder } from '../audio/testing.ts';
import { recordingFigures } from './report-figures.ts';

const folder = temporaryFolder();
const ffmpeg = await findFfmpeg().catch(() => null);

test.skipIf(!ffmpeg)('a report’s pictures keep the recording’s time, gaps and all', async () => {
  const path = join(folder, 'gap.mka');
  // Two seconds of sound, six of nothing, two of sound.
  const filter = "asetnsamples=160,asetpts='PTS+6*gte(T\\,2)/TB'";
  const input = ['-f', 'lavfi', '-i', 'sine=f=500:d=4:r=16000'];
  runFfmpeg(ffmpeg!.path, ...input, '-af', `volume=6,${filter}`, '-c:a', 'pcm_s16le', path);
  const { durationSeconds, missing, peaks } = await recordingFigures(path, 0);
  expect(durationSeconds).toBeCloseTo(10, 1);
  const rounded = missing?.map((gap) => [gap.fromSeconds, gap.toSeconds].map(Math.round));
  expect(rounded).toEqual([[2, 8]]);
  const values = new Int8Array(Buffer.from(peaks, 'base64'));
  const heights = Array.from({ length: 10 }, (_, second) => {
    const column = Math.round(((second + 0.5) / 10) * (values.length / 2));
    return values[2 * column + 1] - values[2 * column];
  });
  expect(heights.map((height) => height > 20)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((s) => s < 2 || s >= 8));
});
