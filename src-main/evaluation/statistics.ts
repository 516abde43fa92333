/** Natural logarithm of the gamma function for x > 0 (Lanczos, g = 7; relative error below 1e-14). */
function logGamma(x: number): number {
  const coefficients = [
    676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
    -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ];
  const sum = coefficients.reduce((value, c, k) => value + c / (x + k), 0.99999999999980993);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

/** Distribution function of the beta distribution (regularised incomplete beta; continued fraction by Lentz). */
export function betaCdf(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast below the mean only.
  if (x > (a + 1) / (a + b + 2)) return 1 - betaCdf(1 - x, b, a);
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x) - Math.log(a),
  );
  const tiny = 1e-300;
  let c = 1;
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonZero(1 + even * d);
    c = nonZero(1 + even / c);
    fraction *= c * d;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonZero(1 + odd * d);
    c = nonZero(1 + odd / c);
    fraction *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return front * fraction;

  function nonZero(value: number): number {
    return Math.abs(value) < tiny ? tiny : value;
  }
}

/**
 * One-sided upper confidence bound of a rate (Clopper and Pearson, 1934); counts need not be whole.
 * @param errors from 0 to `count`. @param count above 0. @param confidence for instance 0.95.
 */
export function upperRateBound(errors: number, count: number, confidence: number): number {
  if (errors >= count) return 1;
  let low = errors / count;
  let high = 1;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (betaCdf(middle, errors + 1, count - errors) < confidence) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * Two-sided confidence interval of a rate (Clopper and Pearson, 1934); counts need not be whole.
 * @param hits from 0 to `count`. @param count above 0. @param confidence for instance 0.95.
 */
export function rateInterval(hits: number, count: number, confidence: number): [number, number] {
  const oneSided = (1 + confidence) / 2;
  return [1 - upperRateBound(count - hits, count, oneSided), upperRateBound(hits, count, oneSided)];
}

/** Quantile of Student's t distribution. @param share above one half. @param degrees of freedom, above 0. */
export function studentQuantile(share: number, degrees: number): number {
  let low = 0;
  let high = 1;
  const below = (t: number): number => 1 - betaCdf(degrees / (degrees + t * t), degrees / 2, 0.5) / 2;
  while (below(high) < share) high *= 2;
  for (let step = 0; step < 80; step++) {
    const middle = (low + high) / 2;
    if (below(middle) < share) low = middle;
    else high = middle;
  }
  return high;
}
