/** The long-term average spectrum of a stretch of sound: the mean power of its frames, half overlapping (Welch, 1967). */
import { fullScaleSineDb } from '../../src-common/analysis-windows.ts';
import type { AverageSpectrum } from '../../src-common/schemas/sound.ts';
import type { SpectrumAnalysis } from '../../src-common/schemas/spectrogram.ts';
import { createFrontEnd } from '../features/front-end.ts';
import { tileGeometry } from './tiles.ts';

const floorPower = 1e-14;
/** Frames computed at a time. */
const chunkFrames = 256;

/**
 * @param blocks mono sound in blocks of any length
 * @param analysis window and its length; the overlap is half of it
 */
export async function averageSpectrum(
  blocks: AsyncIterable<Float32Array>,
  sampleRateHz: number,
  analysis: SpectrumAnalysis,
): Promise<AverageSpectrum> {
  const { window, winLength, nFft } = tileGeometry(sampleRateHz, analysis);
  const hopLength = winLength / 2;
  const frontEnd = createFrontEnd({
    ...{ type: 'linear', sampleRateHz, nFft, winLength, hopLength, window, center: false, floorPower },
    fMin: 0,
    fMax: sampleRateHz / 2,
  });
  // Of a transform's frame, what lies before its window.
  const lead = Math.floor((nFft - winLength) / 2);
  const buffer = new Float32Array((chunkFrames - 1) * hopLength + nFft);
  const levels = new Float32Array(frontEnd.bins * chunkFrames);
  const powers = new Float64Array(frontEnd.bins);
  let filled = lead;
  let frames = 0;
  const take = (): void => {
    const count = 1 + Math.floor((filled - lead - winLength) / hopLength);
    if (count < 1) return;
    // What lies behind the last window weighs nothing.
    buffer.fill(0, filled);
    frontEnd.compute(buffer, levels);
    for (let bin = 0; bin < powers.length; bin++) {
      for (let frame = 0; frame < count; frame++) powers[bin] += 10 ** (levels[bin * chunkFrames + frame] / 10);
    }
    frames += count;
    buffer.copyWithin(0, count * hopLength, filled);
    filled -= count * hopLength;
  };
  const most = lead + (chunkFrames - 1) * hopLength + winLength;
  for await (const block of blocks) {
    for (let taken = 0; taken < block.length;) {
      const some = block.subarray(taken, taken + most - filled);
      buffer.set(some, filled);
      filled += some.length;
      taken += some.length;
      if (filled === most) take();
    }
  }
  take();
  const whole = frames;
  if (frames === 0) {
    buffer.fill(0, filled);
    filled = lead + winLength;
    take();
  }
  const full = fullScaleSineDb(window, winLength);
  return {
    hzPerBin: sampleRateHz / nFft,
    levelsDbfs: Array.from(powers, (power) => 10 * Math.log10(power / frames) - full),
    frames: whole,
  };
}
