/** Short windows along a recording, and the places that they point out: only where that was shown to be of use. */
import { availableParallelism } from 'node:os';
import type { AudioSource } from '../audio/types.ts';
import { shortWindowsShown } from '../detector/localisation.ts';
import { Localiser, frameScores, frameSeconds, localisingWindows } from '../detector/localiser.ts';
import type { RunnableModel } from '../detector/store.ts';
import { regionsBelow } from '../evaluation/partial.ts';

export interface Places {
  /** Where all frames score below the threshold that was measured; null where no places are given. */
  regions: { startSeconds: number; endSeconds: number }[] | null;
  /** What they are worth, or why there are none. */
  statement: string;
}

/**
 * The pass of short windows over a recording. Where its measurement does not beat the mean over the recording, or there is none,
 * nothing is scored.
 * @throws UserFacingError as `openAudio`; the signal's reason
 */
export async function localise(model: RunnableModel, source: AudioSource, signal?: AbortSignal): Promise<Places> {
  const { record, withheld } = shortWindowsShown(model.card, localisingWindows);
  if (record === null) return { regions: null, statement: withheld };
  const localiser = await Localiser.create(model, localisingWindows, availableParallelism());
  try {
    const windows = await localiser.windows(source, signal);
    const seconds = Math.max(0, ...windows.map(({ endSeconds }) => endSeconds));
    const { threshold, found, parts, falsePerHour } = record.regions;
    const regions = regionsBelow(frameScores(windows, seconds), frameSeconds, threshold);
    return {
      regions,
      statement:
        `Places where windows of ${localisingWindows.seconds} s score below ${threshold.toFixed(3)} (uncalibrated). On spliced recordings of ${record.split} ` +
        `${found} of ${parts} spoofs that had been put in were found so, with ${falsePerHour.toPrecision(2)} false places an hour. They say where to listen, and are no evidence.`,
    };
  } finally {
    await localiser.dispose();
  }
}
