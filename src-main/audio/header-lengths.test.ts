import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decode } from './decode.ts';
import { findFfmpeg } from './ffmpeg.ts';
import { bytesOf, runFfmpeg, sharedFolder, temporaryFolder } from './testing.ts';

const folder = temporaryFolder();
const reports = sharedFolder('reports');
const ffmpeg = await findFfmpeg().then(
  (found) => found.path,
  () => null,
);

describe.skipIf(ffmpeg === null)('exact lengths in headers of what ffmpeg decodes', () => {
  test.each([
    ['au', 'pcm_mulaw', 1],
    ['au', 'pcm_s16be', 2],
    ['w64', 'pcm_s16le', 2],
    ['w64', 'pcm_f32le', 4],
    ['aiff', 'pcm_s16be', 2],
    ['aiff', 'pcm_s24be', 3],
    ['aiff', 'pcm_s16le', 2],
    ['aiff', 'pcm_f64be', 8],
    ['aiff', 'pcm_mulaw', 1],
    ['caf', 'pcm_s16le', 2],
    ['caf', 'pcm_f32be', 4],
    ['caf', 'pcm_alaw', 1],
  ])('%s, %s: what is missing is told to the sample', async (container, codec, bytes) => {
    const path = join(folder, `whole.${container}`);
    runFfmpeg(ffmpeg!, '-f', 'lavfi', '-i', 'sine=d=20:r=8000', '-c:a', codec, '-f', container, path);
    const whole = await decode(path);
    expect(whole.statistics).toMatchObject({ frames: 160_000, truncated: false, missingSeconds: null });
    const cut = join(folder, `cut.${container}`);
    writeFileSync(cut, bytesOf(path).slice(0, -80 * bytes));
    expect((await decode(cut)).statistics).toMatchObject({ truncated: true, missingSeconds: 0.01 });
  });

  test.skipIf(reports === null).each([
    ['half.w64', 4.0],
    ['lost_0.47s_of_22s.au', 0.475],
  ])('%s: %d s', async (name, seconds) => {
    const { statistics } = await decode(join(reports!, 'truncated-untold', name));
    expect(statistics.truncated).toBe(true);
    expect(statistics.missingSeconds).toBeCloseTo(seconds, 1);
  });
});
