import { expect, it } from 'vitest';
import { findFfmpeg } from '../audio/ffmpeg.ts';
import { checkTraining } from './check-training.ts';

const ffmpeg = await findFfmpeg().catch(() => null);

it.runIf(ffmpeg)('a codec that is misjudged must be one that recordings are said to have', async () => {
  await checkTraining({ folds: null, misjudgedCodecs: ['opus', 'mp3', 'pcm_s16le', 'adpcm_ima_wav', 'amr_nb'] });
  for (const wrong of ['ogg', 'libopus', 'Opus', 'h264']) {
    const checked = checkTraining({ folds: null, misjudgedCodecs: ['opus', wrong] });
    await expect(checked, wrong).rejects.toMatchObject({
      code: 'usage',
      message: `ffmpeg knows no audio codec "${wrong}".`,
    });
  }
});
