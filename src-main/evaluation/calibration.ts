/** From scores to likelihood ratios, by length of speech, no stronger than the data support. */
import { z } from 'zod';
import { UserFacingError } from '../base/errors.ts';
import { type BandSettings, boundedRateSchema, inconclusiveBand, supportOf } from './band.ts';
import { empiricalBounds, limitLlr } from './bounds.ts';
import { calibrationSeconds, nearestLength } from './lengths.ts';
import { Resampler } from './resampling.ts';
import type { Trial } from './trials.ts';
import { countUnits, type UnitName, unitNames } from './units.ts';

/** From scores to likelihood ratios, what they are limited to, and what may be concluded from them. */
const mapSchema = z.object({
  /** llr = a·score + b - logit(prior): natural logarithm, bona fide over spoof. */
  a: z.number(),
  b: z.number(),
  /** The prior of bona fide speech that the fit assumed. */
  prior: z.number().gt(0).lt(1),
  /** Penalty of the fit; null where a card of an older version does not say it. */
  ridge: z.number().nullable().default(null),
  /** LLRs are limited to what the validation data can support; null: to nothing. */
  bounds: z
    .object({ lowerLlr: z.number().max(0), upperLlr: z.number().min(0) })
    .nullable()
    .default(null),
  /** Between its thresholds a finding is inconclusive; null where there is none, for which `bandReason` says why. */
  band: z
    .object({
      lowerLlr: z.number().nullable(),
      upperLlr: z.number().nullable(),
      maximumRate: z.number(),
      confidence: z.number(),
      falseSpoof: boundedRateSchema.nullable(),
      falseBonafide: boundedRateSchema.nullable(),
      inconclusiveBonafide: z.number(),
      inconclusiveSpoof: z.number(),
    })
    .nullable()
    .default(null),
  /** Why there is no band, or only one side of it; null with a whole band and where none was looked for. */
  bandReason: z.string().nullable().default(null),
  /** What counts as one observation for the bounds, and how many there are. */
  countedUnits: z
    .object({ unit: z.enum(unitNames), bonafide: z.int(), spoof: z.int() })
    .nullable()
    .default(null),
  /** `a` and `b` fitted on trials drawn anew, for the interval of a likelihood ratio; empty in cards of an older version. */
  replicates: z.array(z.tuple([z.number(), z.number()])).default([]),
});

/** A calibration as it stands in a model's card. */
export const calibrationSchema = mapSchema.extend({
  /** Net speech of the recordings that it was fitted on; null in cards of an older version. */
  validated: z
    .object({ fromSeconds: z.number().min(0), toSeconds: z.number() })
    .nullable()
    .default(null),
  /** Longer ones put together, by net speech, ascending; empty: one map for all. What lies outside all is not validated. */
  lengths: z
    .array(
      mapSchema.extend({
        seconds: z.number().positive(),
        fromSeconds: z.number().min(0),
        toSeconds: z.number().positive(),
        bonafide: z.int(),
        spoof: z.int(),
      }),
    )
    .default([]),
  dataset: z.string(),
  split: z.string(),
  /** Folds whose out-of-fold scores it was fitted on; null where the scores are of data that were not trained on. */
  folds: z.int().nullable().default(null),
});
export type Calibration = z.infer<typeof calibrationSchema>;
type CalibrationMap = z.infer<typeof mapSchema>;

/** An affine map from scores to natural-log likelihood ratios: `llr = a * score + b - logit(prior)`. */
interface AffineMap {
  a: number;
  b: number;
  prior: number;
}

/** A fitted map, with the penalty that it was fitted with. */
export interface AffineCalibration extends AffineMap {
  ridge: number;
}

/** `ln(1 + e^x)` without overflow, for any x from -Infinity to Infinity. */
export function logOnePlusExp(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/**
 * Fits the map by prior-weighted logistic regression (Brümmer and du Preez, 2006): the bona fide trials weigh `prior`
 * in total and the spoofs `1 - prior`, so that every trial weighs `prior / N` or `(1 - prior) / N` of its class. Newton's
 * method on standardised scores; the ridge keeps the slope finite where the classes do not overlap, and otherwise
 * hardly matters.
 *
 * A negative slope means that the scores rank worse than chance; it is returned as it is.
 * @param options.prior of bona fide, inside (0, 1); one half if not given.
 * @param options.ridge penalty `ridge / 2 * slope²` added to the weighted mean cost in nats, the slope being that per
 *   (weighted) standard deviation of the scores; 0.01 over the number of trials if not given, which is a normal prior
 *   of standard deviation ten on that slope.
 * @throws UserFacingError `one-class` when bona fide or spoofs are missing, `not-finite` naming the file.
 */
export function fitAffineCalibration(
  trials: readonly Trial[],
  options: { prior?: number; ridge?: number } = {},
): AffineCalibration {
  const prior = options.prior ?? 0.5;
  if (!(prior > 0 && prior < 1)) throw new RangeError(`The prior ${prior} is not inside (0, 1).`);
  const ridge = options.ridge ?? 0.01 / trials.length;
  const bonafideCount = trials.reduce((count, trial) => count + (trial.bonafide ? 1 : 0), 0);
  if (bonafideCount === 0 || bonafideCount === trials.length) {
    throw new UserFacingError('one-class', 'Calibration needs bona fide and spoof trials; one class is missing.', {
      advice: 'Calibrate on trials of both classes.',
    });
  }
  const unusable = trials.find((trial) => !Number.isFinite(trial.score));
  if (unusable) {
    throw new UserFacingError('not-finite', `The score of ${unusable.file} is not a finite number.`, {
      path: unusable.file,
      advice: 'Leave the file out or score it again.',
    });
  }
  const weights = Float64Array.from(trials, (trial) =>
    trial.bonafide ? prior / bonafideCount : (1 - prior) / (trials.length - bonafideCount),
  );
  // The weights sum to one.
  const mean = trials.reduce((sum, trial, i) => sum + weights[i] * trial.score, 0);
  const deviation = Math.sqrt(trials.reduce((sum, trial, i) => sum + weights[i] * (trial.score - mean) ** 2, 0));
  const logitPrior = Math.log(prior / (1 - prior));
  if (!(deviation > Number.EPSILON * Math.abs(mean))) return { a: 0, b: logitPrior, prior, ridge };

  const standardised = Float64Array.from(trials, (trial) => (trial.score - mean) / deviation);
  const costOf = (slope: number, offset: number): number => {
    let sum = (ridge / 2) * slope * slope;
    for (let i = 0; i < standardised.length; i++) {
      const logOdds = slope * standardised[i] + offset;
      sum += weights[i] * logOnePlusExp(trials[i].bonafide ? -logOdds : logOdds);
    }
    return sum;
  };
  let slope = 0;
  let offset = logitPrior;
  let cost = costOf(slope, offset);
  for (let iteration = 0; iteration < 200; iteration++) {
    let slopeGradient = ridge * slope;
    let offsetGradient = 0;
    let slopeSlope = ridge;
    let slopeOffset = 0;
    let offsetOffset = 0;
    for (let i = 0; i < standardised.length; i++) {
      const probability = 1 / (1 + Math.exp(-(slope * standardised[i] + offset)));
      const residual = weights[i] * (probability - (trials[i].bonafide ? 1 : 0));
      const curvature = weights[i] * probability * (1 - probability);
      slopeGradient += residual * standardised[i];
      offsetGradient += residual;
      slopeSlope += curvature * standardised[i] * standardised[i];
      slopeOffset += curvature * standardised[i];
      offsetOffset += curvature;
    }
    const determinant = slopeSlope * offsetOffset - slopeOffset * slopeOffset;
    if (!(determinant > 0)) break;
    const slopeStep = (slopeGradient * offsetOffset - offsetGradient * slopeOffset) / determinant;
    const offsetStep = (offsetGradient * slopeSlope - slopeGradient * slopeOffset) / determinant;
    // Halved until the cost falls: far from the minimum a full Newton step may overshoot.
    let size = 1;
    let next = costOf(slope - slopeStep, offset - offsetStep);
    while (!(next <= cost) && size > 1e-6) {
      size /= 2;
      next = costOf(slope - size * slopeStep, offset - size * offsetStep);
    }
    if (!(next <= cost)) break;
    slope -= size * slopeStep;
    offset -= size * offsetStep;
    cost = next;
    if (Math.abs(size * slopeStep) + Math.abs(size * offsetStep) < 1e-10) break;
  }
  return { a: slope / deviation, b: offset - (slope * mean) / deviation, prior, ridge };
}

/** The natural-log likelihood ratio, bona fide over spoof, of a score: neither limited nor judged. */
export function affineLlr({ a, b, prior }: AffineMap, score: number): number {
  return a * score + b - Math.log(prior / (1 - prior));
}

export interface CalibrateOptions extends BandSettings {
  dataset: string;
  split: string;
  folds?: number | null;
  prior?: number;
  ridge?: number;
  /** What counts as one observation; what the trials name ({@link countUnits}) if not given. */
  unit?: UnitName;
  /** Concatenations of clips with their net speech, for calibration by length. */
  concatenations?: readonly Trial[];
}

/** Fewer trials of either class than this give no calibration of a length. */
const leastTrialsOfLength = 20;

/**
 * Everything that a card says of likelihood ratios: the map ({@link fitAffineCalibration}), the bounds
 * ({@link empiricalBounds}) and the band of inconclusive findings ({@link inconclusiveBand}), all from the same trials,
 * which the model must not have been trained on. Scores that rank no better than chance give a map to an LLR of zero.
 *
 * With `concatenations`, the same for each length of {@link calibrationSeconds} to which at least twenty trials of
 * either class, of two counted units at least, are nearest by ratio. What has less speech than the shortest of `trials`
 * and these concatenations, or more than the longest, is not validated.
 * @throws UserFacingError as {@link fitAffineCalibration}.
 */
export function calibrate(trials: readonly Trial[], options: CalibrateOptions): Calibration {
  const { dataset, split, folds = null, concatenations = [] } = options;
  const lengths = calibrationSeconds.flatMap((seconds) => {
    const members = concatenations.filter(
      ({ speechSeconds }) =>
        typeof speechSeconds === 'number' &&
        speechSeconds > 0 &&
        nearestLength(
          calibrationSeconds.map((value) => ({ seconds: value })),
          speechSeconds,
        ).seconds === seconds,
    );
    const bonafide = members.filter((trial) => trial.bonafide).length;
    const spoof = members.length - bonafide;
    if (Math.min(bonafide, spoof) < leastTrialsOfLength) return [];
    const map = calibrationMap(members, options);
    if (map.countedUnits && Math.min(map.countedUnits.bonafide, map.countedUnits.spoof) < 2) return [];
    const spoken = members.map(({ speechSeconds }) => speechSeconds ?? 0);
    const fromSeconds = spoken.reduce((least, value) => Math.min(least, value));
    const toSeconds = spoken.reduce((most, value) => Math.max(most, value));
    return [{ ...map, seconds, fromSeconds, toSeconds, bonafide, spoof }];
  });
  return { ...calibrationMap(trials, options), validated: speechRange(trials), lengths, dataset, split, folds };
}

/** The least and the most speech of trials; null where one does not say. */
function speechRange(trials: readonly Trial[]): { fromSeconds: number; toSeconds: number } | null {
  let [fromSeconds, toSeconds] = [Infinity, 0];
  for (const { speechSeconds } of trials) {
    if (typeof speechSeconds !== 'number') return null;
    fromSeconds = Math.min(fromSeconds, speechSeconds);
    toSeconds = Math.max(toSeconds, speechSeconds);
  }
  return { fromSeconds, toSeconds };
}

function calibrationMap(trials: readonly Trial[], options: CalibrateOptions): CalibrationMap {
  const fitted = fitAffineCalibration(trials, options);
  const units = countUnits(trials, options.unit);
  const countedUnits = { unit: units.unit, bonafide: units.bonafide, spoof: units.spoof };
  if (!(fitted.a > 0)) {
    return {
      ...fitted,
      a: 0,
      b: Math.log(fitted.prior / (1 - fitted.prior)),
      bounds: { lowerLlr: 0, upperLlr: 0 },
      band: null,
      bandReason: 'On the validation data the scores rank no better than chance: every likelihood ratio is one.',
      countedUnits,
      replicates: [],
    };
  }
  const calibrated = trials.map((trial) => ({ ...trial, score: affineLlr(fitted, trial.score) }));
  const { band, reason } = inconclusiveBand(calibrated, options);
  const bounds = empiricalBounds(
    calibrated.map(({ bonafide, score }) => ({ bonafide, llr: score })),
    units,
  );
  const replicates = replicatedMaps(trials, options);
  return { ...fitted, bounds, band, bandReason: reason, countedUnits, replicates };
}

const replicateCount = 200;
const replicateSeed = 1;

/** The map fitted on sources, speakers and files drawn anew, as far as the trials name them ({@link Resampler}). */
function replicatedMaps(trials: readonly Trial[], options: CalibrateOptions): [number, number][] {
  const resampler = new Resampler(trials, replicateSeed);
  const weights = new Uint16Array(trials.length);
  return Array.from({ length: replicateCount }, () => {
    resampler.draw(weights);
    const drawn = trials.flatMap((trial, index) => Array<Trial>(weights[index]).fill(trial));
    const { a, b } = fitAffineCalibration(drawn, options);
    return [Number(a.toPrecision(7)), Number(b.toPrecision(7))];
  });
}

/** What a calibration says of a score. */
export interface CalibratedScore {
  /** Natural-log likelihood ratio, bona fide over spoof, limited to the bounds. */
  llr: number;
  /** Which bound held it. */
  limited: 'lower' | 'upper' | null;
  /** By the band; null where the calibration looked for none (cards of an older version). */
  supports: 'bonafide' | 'spoof' | 'neither' | null;
  /** The map that was used: that of the nearest length, where there are lengths. */
  map: Pick<CalibrationMap, 'bounds' | 'band' | 'bandReason' | 'countedUnits'>;
  /** The speech is shorter or longer than anything that the calibration was measured on: this much. */
  notValidatedForLength: { fromSeconds: number; toSeconds: number } | null;
}

/** The least and the most speech that a calibration was measured on; null where it does not say. */
export function validatedRange({ lengths, validated }: Calibration): { fromSeconds: number; toSeconds: number } | null {
  const ranges = validated === null ? lengths : [validated, ...lengths];
  if (ranges.length === 0) return null;
  return {
    fromSeconds: Math.min(...ranges.map(({ fromSeconds }) => fromSeconds)),
    toSeconds: Math.max(...ranges.map(({ toSeconds }) => toSeconds)),
  };
}

/**
 * The map for so much speech: that of the nearest length. What is shorter than any of these, but not than the recordings
 * themselves, has the map that was fitted on these.
 */
export function mapForSpeech(calibration: Calibration, speechSeconds: number | null): CalibrationMap {
  const { lengths, validated } = calibration;
  if (speechSeconds === null || speechSeconds <= 0 || lengths.length === 0) return calibration;
  const short = speechSeconds < lengths[0].fromSeconds;
  return short && validated !== null && speechSeconds >= validated.fromSeconds
    ? calibration
    : nearestLength(lengths, speechSeconds);
}

/**
 * The limited likelihood ratio of a score and what may be concluded from it. The band judges the ratio before it is
 * limited, since its error rates are those of the scores; a ratio that is limited to one supports nothing.
 * @param speechSeconds net speech; without it, or without lengths in the calibration, the one map for all is used.
 */
export function applyCalibration(
  calibration: Calibration,
  score: number,
  speechSeconds: number | null = null,
): CalibratedScore {
  const range = validatedRange(calibration);
  const outside =
    speechSeconds !== null &&
    speechSeconds > 0 &&
    range !== null &&
    (speechSeconds < range.fromSeconds || speechSeconds > range.toSeconds);
  const map = mapForSpeech(calibration, speechSeconds);
  const unlimited = affineLlr(map, score);
  const { llr, limited } = limitLlr(unlimited, map.bounds);
  const { band, bandReason } = map;
  const judged = band ? supportOf(unlimited, band.lowerLlr, band.upperLlr) : bandReason === null ? null : 'neither';
  return {
    llr,
    limited,
    supports: judged !== null && llr === 0 ? 'neither' : judged,
    map,
    notValidatedForLength: outside ? range : null,
  };
}

/**
 * The 95 % interval of the likelihood ratio of a score: what it is by maps that were fitted on trials drawn anew. It says how
 * well the validation data fix the ratio, not how well the score describes the recording.
 * @returns natural logarithms, limited as the ratio itself; null where the calibration has no replicates.
 */
export function llrInterval(
  calibration: Calibration,
  score: number,
  speechSeconds: number | null = null,
): [number, number] | null {
  const map = mapForSpeech(calibration, speechSeconds);
  if (map.replicates.length === 0) return null;
  const values = map.replicates
    .map(([a, b]) => limitLlr(affineLlr({ a, b, prior: map.prior }, score), map.bounds).llr)
    .sort((one, other) => one - other);
  const at = (share: number): number => values[Math.round(share * (values.length - 1))];
  return [at(0.025), at(0.975)];
}
