import { serveRequests } from '../base/pool.ts';
import { overviewOf } from './overview.ts';
import { PreparedSound, prepareSound } from './sound.ts';
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
  const sound = await PreparedSound.open(request);
  switch (request.kind) {
    case 'summary':
      return { response: { summary: sound.summary } };
    case 'peaks': {
      const peaks = await sound.peaks(request.level, request.from, request.count);
      return { response: { bytes: new Uint8Array(peaks.buffer, peaks.byteOffset, peaks.byteLength) } };
    }
    case 'tile':
      return { response: { bytes: await sound.tile(request.level, request.tile, request.axis, request.analysis) } };
    case 'columns': {
      await sound.makeColumns(request.analysis, closing);
      return { response: { bytes: null } };
    }
    case 'pcm':
      return { response: { bytes: await sound.pcm(request.from, request.count, request.as) } };
    case 'measure': {
      const { startSeconds, endSeconds, measured } = request;
      return { response: { measures: await sound.measure(startSeconds, endSeconds, measured, closing) } };
    }
    case 'spectrum': {
      const { startSeconds, endSeconds, analysis } = request;
      return { response: { spectrum: await sound.averageSpectrum(startSeconds, endSeconds, analysis) } };
    }
    case 'pitch': {
      const { startSeconds, endSeconds, range } = request;
      return { response: { pitch: await sound.pitch(startSeconds, endSeconds, range) } };
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
      return { response: { bytes: new Uint8Array(drawSpectrogram(overview, request)) } };
    }
  }
});
