import { serveRequests } from '../base/pool.ts';
import { overviewOf } from './overview.ts';
import { prepareSound, usePrepared } from './sound.ts';
import type { PreparedSound } from './sound.ts';
import type { SoundRequest, SoundResponse } from './sound-pool.ts';
import { drawSpectrogram, plotSize } from './spectrogram-image.ts';

serveRequests<SoundRequest, SoundResponse>(async (request, closing) => {
  if (request.kind === 'prepare') {
    // Seconds done, total (negative while unknown), and what the other side sets to stop it.
    const shared = new Float64Array(request.shared);
    const controller = new AbortController();
    closing.addEventListener('abort', () => controller.abort());
    const summary = await prepareSound(request, {
      signal: controller.signal,
      onProgress(done, total) {
        shared[0] = done;
        shared[1] = total ?? -1;
        if (shared[2] !== 0) controller.abort();
      },
    });
    return { response: { summary } };
  }
  return { response: await usePrepared(request, (sound) => answer(sound, request, closing)) };
});

async function answer(
  sound: PreparedSound,
  request: Exclude<SoundRequest, { kind: 'prepare' }>,
  closing: AbortSignal,
): Promise<SoundResponse> {
  switch (request.kind) {
    case 'summary':
      return { summary: sound.summary };
    case 'peaks': {
      const peaks = await sound.peaks(request.level, request.from, request.count);
      return { bytes: new Uint8Array(peaks.buffer, peaks.byteOffset, peaks.byteLength) };
    }
    case 'tile':
      return { bytes: await sound.tile(request.level, request.tile, request.axis, request.analysis) };
    case 'columns': {
      await sound.makeColumns(request.analysis, closing);
      return { bytes: null };
    }
    case 'pcm':
      return { bytes: await sound.pcm(request.from, request.count, request.as) };
    case 'measure': {
      const { startSeconds, endSeconds, measured } = request;
      return { measures: await sound.measure(startSeconds, endSeconds, measured, closing) };
    }
    case 'spectrum': {
      const { startSeconds, endSeconds, analysis } = request;
      return { spectrum: await sound.averageSpectrum(startSeconds, endSeconds, analysis) };
    }
    case 'pitch': {
      const { startSeconds, endSeconds, range } = request;
      return { pitch: await sound.pitch(startSeconds, endSeconds, range) };
    }
    case 'image': {
      const { width, height, startSeconds, topHz, scale, analysis } = request;
      const endSeconds = Math.min(request.endSeconds, sound.summary.durationSeconds);
      const sampleRateHz = Math.round(Math.min(sound.summary.sampleRateHz, 2 * topHz));
      const { columns, rows } = plotSize(width, height);
      const overview = await overviewOf(sound.blocks(startSeconds, endSeconds, sampleRateHz), {
        sampleRateHz,
        scale,
        ...(analysis === undefined ? {} : { analysis }),
        columns,
        rows,
        expectedSamples: Math.round((endSeconds - startSeconds) * sampleRateHz),
      });
      return { bytes: new Uint8Array(drawSpectrogram(overview, request)) };
    }
  }
}
