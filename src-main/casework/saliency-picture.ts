/** The spectrogram over which a saliency map is laid. */
import { openAudio } from '../audio/decode.ts';
import type { Channel } from '../audio/types.ts';
import { overviewOf } from '../sound/overview.ts';
import type { SpectrogramOverview } from '../sound/overview.ts';
import { placedBlocks } from '../sound/placed.ts';

/** As the detector hears it. */
const sampleRateHz = 16_000;

interface Part {
  stretch: { startSeconds: number; endSeconds: number } | null;
  stream?: number;
  channel?: Channel;
  readAll?: boolean;
}

/**
 * Of a recording, or of a stretch of it at its place in time, on a Mel scale.
 * @throws UserFacingError as `openAudio`; the signal's reason when aborted
 */
export async function saliencyOverview(
  path: string,
  { stretch, ...reading }: Part,
  size: { columns: number; rows: number },
  signal?: AbortSignal,
): Promise<SpectrogramOverview> {
  const audio = await openAudio(path, { sampleRateHz, ...reading, ...(signal ? { signal } : {}) });
  const first = Math.round((stretch?.startSeconds ?? 0) * sampleRateHz);
  const end = stretch === null ? Infinity : Math.round(stretch.endSeconds * sampleRateHz);
  async function* section(): AsyncGenerator<Float32Array> {
    let seen = 0;
    for await (const block of placedBlocks(audio, sampleRateHz)) {
      const from = Math.min(block.length, Math.max(0, first - seen));
      const to = Math.min(block.length, Math.max(0, end - seen));
      seen += block.length;
      if (to > from) yield block.subarray(from, to);
      if (seen >= end) return;
    }
  }
  return overviewOf(section(), { sampleRateHz, scale: 'mel', ...size });
}
