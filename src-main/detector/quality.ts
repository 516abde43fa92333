import type { Quality } from '../../src-common/schemas/recording.ts';
import { frameSeconds } from '../audio/condition.ts';
import type { ConditionedRecording } from './windows.ts';
import { speechSeconds } from './windows.ts';
import { isSpeech, speechFrameLength } from './speech.ts';

/** Below this a frame is digital silence with a filter's last tremor, not noise. */
const digitalSilence = 1e-12;
/** Frames of 20 ms without speech from which noise can be told. */
const enoughNoiseFrames = 10;
/** Speech is less likely than this where noise is measured. */
const noSpeech = 0.2;
/** Where speech never pauses, noise is at most what the quietest frames hold. */
const quietestShare = 0.05;
/** Sound that varies by less, and never pauses, may be anything. */
const leastUnpausedDb = 6;

function sortedLevel(powers: number[], share: number): number {
  return Float64Array.from(powers).sort()[Math.floor(share * (powers.length - 1))];
}

/**
 * Signal-to-noise ratio from the powers of frames: the mean with speech, less the noise, over the median without (which a
 * cough or a door does not move); where speech never pauses, over the quietest frames (after R. Martin, "Noise power spectral
 * density estimation based on optimal smoothing and minimum statistics", 2001). Without voice activity detection,
 * active sound counts as speech, and the quietest frames as noise.
 * @param powers mean power of each frame of `frameLength` samples
 * @param probabilities of speech, for frames from sample `startSample` on; null for none
 * @returns decibels, or null where there is no noise or no speech to measure.
 */
export function signalToNoiseDb(
  powers: Float32Array,
  frameLength: number,
  active: Uint8Array,
  startSample: number,
  probabilities: Float32Array | null,
): number | null {
  const quiet: number[] = [];
  const sounding: number[] = [];
  let sum = 0;
  let count = 0;
  for (let frame = 0; frame < powers.length; frame++) {
    const power = powers[frame];
    if (power < digitalSilence) continue;
    sounding.push(power);
    const place = Math.floor(((frame + 0.5) * frameLength - startSample) / speechFrameLength);
    const probability = probabilities?.at(Math.max(place, 0)) ?? 0;
    const within = probabilities !== null && place >= 0 && place < probabilities.length;
    if (probabilities === null ? active[frame] === 1 : within && isSpeech(probability)) {
      sum += power;
      count++;
    } else if (probabilities !== null && (!within || probability < noSpeech)) quiet.push(power);
  }
  if (count === 0) return null;
  const paused = quiet.length >= enoughNoiseFrames;
  const noise = paused ? sortedLevel(quiet, 0.5) : sortedLevel(sounding, quietestShare);
  const ratioDb = 10 * Math.log10(Math.max(sum / count - noise, 1e-3 * noise) / noise);
  return paused || ratioDb >= leastUnpausedDb ? ratioDb : null;
}

/** The quality of a recording whose windows were walked through. */
export function qualityOf(
  recording: ConditionedRecording,
  sampleRateHz: number,
  probabilities: Float32Array | null,
): Quality {
  const { activity, statistics, powers, spectrum, durationSeconds, timeline } = recording;
  const { silent, startSample, endSample } = activity;
  // What is missing is no silence.
  const soundSeconds = timeline.soundBefore(durationSeconds);
  return {
    speechSeconds: probabilities === null ? null : speechSeconds(probabilities),
    levelDbfs: silent ? null : activity.activeLevelDbfs,
    clippedFraction: statistics.clippedFraction,
    snrDb: silent
      ? null
      : signalToNoiseDb(powers, Math.round(frameSeconds * sampleRateHz), activity.active, startSample, probabilities),
    ...spectrum,
    leadingSilenceSeconds: silent ? soundSeconds : startSample / sampleRateHz,
    trailingSilenceSeconds: silent ? soundSeconds : Math.max(0, soundSeconds - endSample / sampleRateHz),
  };
}
