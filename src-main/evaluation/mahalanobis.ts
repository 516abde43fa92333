/** How far a point lies from others, by a covariance that holds also where there are hardly more points than dimensions. */

/** Where points lie and how they spread. */
export interface Spread {
  /** [width] */
  mean: number[];
  /** Row-major [width, width]: the inverse of the lower Cholesky factor of the covariance, so that |whitening · (x - mean)| is the distance. */
  whitening: number[];
  /** Share of the multiple of the identity in the covariance, 0 to 1. */
  shrinkage: number;
}

/**
 * The covariance of points, shrunk towards a multiple of the identity by as much as is best in the mean square (Ledoit and Wolf, "A
 * well-conditioned estimator for large-dimensional covariance matrices", Journal of Multivariate Analysis 88, 2004, 365-411).
 * @param points row-major [count, width]
 * @returns row-major [width, width]
 * @throws RangeError for fewer than two points, or values that are not finite.
 */
export function shrunkCovariance(
  points: Float64Array,
  width: number,
): { mean: Float64Array; covariance: Float64Array; shrinkage: number } {
  const count = points.length / width;
  if (!Number.isInteger(count) || count < 2) throw new RangeError('at least two points are needed');
  if (!points.every(Number.isFinite)) throw new RangeError('a value is no finite number');
  const mean = new Float64Array(width);
  for (let i = 0; i < points.length; i++) mean[i % width] += points[i] / count;
  const centred = points.map((value, i) => value - mean[i % width]);
  const sample = new Float64Array(width * width);
  for (let row = 0; row < width; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = 0;
      for (let at = 0; at < centred.length; at += width) sum += centred[at + row] * centred[at + column];
      sample[row * width + column] = sample[column * width + row] = sum / count;
    }
  }
  let trace = 0;
  for (let row = 0; row < width; row++) trace += sample[row * width + row];
  const scale = trace / width;
  const squares = sample.reduce((sum, value) => sum + value * value, 0);
  // Both are over the width in the paper; their ratio is not.
  const dispersion = squares - width * scale * scale;
  // Σ |x xᵀ - S|² = Σ (|x|⁴ - 2 xᵀ S x + |S|²), and Σ xᵀ S x = count · |S|².
  let fourth = 0;
  for (let at = 0; at < centred.length; at += width) {
    let square = 0;
    for (let i = at; i < at + width; i++) square += centred[i] * centred[i];
    fourth += square * square;
  }
  const error = (fourth / count - squares) / count;
  const shrinkage = dispersion > 0 ? Math.min(1, Math.max(0, error / dispersion)) : 1;
  const covariance = sample.map((value) => (1 - shrinkage) * value);
  for (let row = 0; row < width; row++) covariance[row * width + row] += shrinkage * scale;
  return { mean, covariance, shrinkage };
}

/** The inverse of the lower Cholesky factor of a positive definite matrix. @throws RangeError for another. */
function inverseFactor(matrix: Float64Array, width: number): Float64Array {
  const factor = new Float64Array(width * width);
  for (let row = 0; row < width; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row * width + column];
      for (let k = 0; k < column; k++) sum -= factor[row * width + k] * factor[column * width + k];
      if (row === column && !(sum > 0)) throw new RangeError('the covariance is not positive definite');
      factor[row * width + column] = row === column ? Math.sqrt(sum) : sum / factor[column * width + column];
    }
  }
  const inverse = new Float64Array(width * width);
  for (let column = 0; column < width; column++) {
    for (let row = column; row < width; row++) {
      let sum = row === column ? 1 : 0;
      for (let k = column; k < row; k++) sum -= factor[row * width + k] * inverse[k * width + column];
      inverse[row * width + column] = sum / factor[row * width + row];
    }
  }
  return inverse;
}

/**
 * Where points lie and how they spread.
 * @param points row-major [count, width]
 * @throws RangeError as {@link shrunkCovariance}, and where all points are one.
 */
export function spreadOf(points: Float64Array, width: number): Spread {
  const { mean, covariance, shrinkage } = shrunkCovariance(points, width);
  return { mean: [...mean], whitening: [...inverseFactor(covariance, width)], shrinkage };
}

/** Mahalanobis's distance of a point from the mean, in standard deviations. */
export function distanceFrom({ mean, whitening }: Spread, point: ArrayLike<number>): number {
  const width = mean.length;
  let square = 0;
  for (let row = 0; row < width; row++) {
    let sum = 0;
    for (let k = 0; k <= row; k++) sum += whitening[row * width + k] * (point[k] - mean[k]);
    square += sum * sum;
  }
  return Math.sqrt(square);
}
