import { UserFacingError } from '../base/errors.ts';
import type { Trial } from './trials.ts';

/** An affine map from scores to natural-log likelihood ratios: `llr = a * score + b - logit(prior)`. */
export interface AffineCalibration {
  a: number;
  b: number;
  /** The prior of bona fide speech that the fit assumed. */
  prior: number;
}

/** `ln(1 + e^x)` without overflow, for any x from -Infinity to Infinity. */
export function logOnePlusExp(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/**
 * Fits the map by prior-weighted logistic regression (Brümmer and du Preez, 2006): the bona fide trials weigh `prior`
 * in total and the spoofs `1 - prior`. Newton's method on standardised scores; the ridge keeps the slope finite where
 * the classes do not overlap, and otherwise hardly matters.
 *
 * A negative slope means that the scores rank worse than chance; it is returned as it is.
 * @param options.prior of bona fide, inside (0, 1); one half if not given.
 * @param options.ridge penalty `ridge / 2 * slope²`, slope per standard deviation of the scores, on the mean cost
 *   per trial; 0.01 over the number of trials if not given (a standard deviation of ten for the slope).
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
  if (!(deviation > Number.EPSILON * Math.abs(mean))) return { a: 0, b: logitPrior, prior };

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
  return { a: slope / deviation, b: offset - (slope * mean) / deviation, prior };
}

/** The natural-log likelihood ratio, bona fide over spoof, of a score. */
export function applyCalibration(calibration: AffineCalibration, score: number): number {
  const { a, b, prior } = calibration;
  return a * score + b - Math.log(prior / (1 - prior));
}
