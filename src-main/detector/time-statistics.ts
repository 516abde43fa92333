/*
 * What a spectrogram does over time, bin by bin, as numbers that do not depend on its level or colouring: shapes of
 * distributions, how fast it moves, how bins move together, and the same of its fine structure. Of words little is left.
 */

/** The operations that the statistics are made of, on values [N, bins, frames] or, after `mean`, [N, bins, 1]. */
export interface Algebra<Value> {
  add(x: Value, constant: number): Value;
  subtract(x: Value, y: Value): Value;
  multiply(x: Value, y: Value): Value;
  divide(x: Value, y: Value): Value;
  squareRoot(x: Value): Value;
  absolute(x: Value): Value;
  logarithm(x: Value): Value;
  /** Over time, [N, bins, 1]. */
  mean(x: Value): Value;
  /** Frames (or bins) `from` to `to`, `to` left out. */
  frames(x: Value, from: number, to: number): Value;
  bins(x: Value, from: number, to: number): Value;
  /** A matrix [bins, bins], row-major, times each frame. */
  transform(matrix: Float32Array, x: Value): Value;
  /** One after the other along the bins. */
  join(parts: Value[]): Value;
}

const lags = [2, 4, 8, 16] as const;
const fineLags = [1, 2, 4] as const;
const binDistances = [1, 2, 4] as const;
/** Bins whose mean is taken off to leave the fine structure (harmonics, mostly). */
const smoothedBins = 9;
/** Keeps silent bins from dividing by zero: variances in dB², differences in dB, variances of differences. */
const leastVariance = 0.05;
const leastDifference = 0.1;
const leastRelativeVariance = 1e-4;

/** Statistics that each bin has: skewness, kurtosis and so on, in the order in which `timeStatistics` joins them. */
const perBin = 2 + 1 + 2 + 1 + lags.length + 2 + fineLags.length + 1;

/** How many numbers `timeStatistics` makes. */
export function timeStatisticsCount(bins: number): number {
  return perBin * bins + (bins - 1) + binDistances.reduce((sum, distance) => sum + bins - distance, 0);
}

/** Least size that has all statistics. */
export const leastStatistics = { bins: Math.max(...binDistances) + 1, frames: Math.max(...lags) + 1 } as const;

/** Identity less a moving average over `smoothedBins`, the outermost bins repeated at the edges. */
function fineStructure(bins: number): Float32Array {
  const matrix = new Float32Array(bins * bins);
  const half = smoothedBins >> 1;
  for (let row = 0; row < bins; row++) {
    matrix[row * bins + row] += 1;
    for (let offset = -half; offset <= half; offset++) {
      const column = Math.min(bins - 1, Math.max(0, row + offset));
      matrix[row * bins + column] -= 1 / smoothedBins;
    }
  }
  return matrix;
}

/**
 * Statistics over time of log-spectrograms in dB, joined to [N, timeStatisticsCount(bins), 1].
 * With z, a bin less its mean over its standard deviation: skewness and kurtosis of z; of its differences from frame to
 * frame the log of their mean size in dB, kurtosis and skewness; kurtosis of the second differences; autocorrelations at
 * several lags; then of the fine structure (each bin less the mean of its neighbours) skewness, kurtosis,
 * autocorrelations and share of the whole; the log deviation of differences between neighbouring bins in dB; correlations
 * of bins at several distances.
 */
export function timeStatistics<Value>(ops: Algebra<Value>, x: Value, bins: number, frames: number): Value {
  const square = (value: Value): Value => ops.multiply(value, value);
  const meanSquare = (value: Value): Value => ops.mean(square(value));
  const standardise = (value: Value, least: number): { unit: Value; deviation: Value } => {
    const deviation = ops.squareRoot(ops.add(meanSquare(value), least));
    return { unit: ops.divide(value, deviation), deviation };
  };
  const skewness = (unit: Value): Value => ops.mean(ops.multiply(square(unit), unit));
  const kurtosis = (unit: Value): Value => meanSquare(square(unit));
  const difference = (value: Value, length: number): Value =>
    ops.subtract(ops.frames(value, 1, length), ops.frames(value, 0, length - 1));
  const autocorrelation = (unit: Value, lag: number): Value =>
    ops.mean(ops.multiply(ops.frames(unit, lag, frames), ops.frames(unit, 0, frames - lag)));

  const centred = ops.subtract(x, ops.mean(x));
  const { unit, deviation } = standardise(centred, leastVariance);
  const moves = difference(unit, frames);
  const moveUnit = standardise(moves, leastRelativeVariance).unit;
  const turnUnit = standardise(difference(moves, frames - 1), leastRelativeVariance).unit;
  const moveSize = ops.multiply(ops.mean(ops.absolute(moves)), deviation);

  const fine = standardise(ops.transform(fineStructure(bins), centred), leastVariance);
  const slopes = ops.subtract(ops.bins(centred, 1, bins), ops.bins(centred, 0, bins - 1));

  return ops.join([
    skewness(unit),
    kurtosis(unit),
    ops.logarithm(ops.add(moveSize, leastDifference)),
    kurtosis(moveUnit),
    skewness(moveUnit),
    kurtosis(turnUnit),
    ...lags.map((lag) => autocorrelation(unit, lag)),
    skewness(fine.unit),
    kurtosis(fine.unit),
    ...fineLags.map((lag) => autocorrelation(fine.unit, lag)),
    ops.logarithm(ops.divide(fine.deviation, deviation)),
    ops.logarithm(ops.squareRoot(ops.add(meanSquare(slopes), leastVariance))),
    ...binDistances.map((distance) =>
      ops.mean(ops.multiply(ops.bins(unit, distance, bins), ops.bins(unit, 0, bins - distance))),
    ),
  ]);
}
