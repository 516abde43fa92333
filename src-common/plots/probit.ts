/** The probit axis of DET plots, on which normally distributed scores give straight lines. */

/** Rates that get a tick. */
export const probitTicks: readonly number[] = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99,
];

/** Inverse of the standard normal distribution (Acklam's rational approximation, relative error below 1.2e-9). */
export function probit(p: number): number {
  if (p <= 0) return -Infinity;
  if (p >= 1) return Infinity;
  if (p > 0.5) return -probit(1 - p);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return (
      polynomial(
        q,
        [
          -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968,
          2.938163982698783,
        ],
      ) / polynomial(q, [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1])
    );
  }
  const q = p - 0.5;
  const square = q * q;
  return (
    (q *
      polynomial(
        square,
        [
          -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2, -3.066479806614716e1,
          2.506628277459239,
        ],
      )) /
    polynomial(
      square,
      [-5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1, 1],
    )
  );
}

/** The rate whose probit this is, by halving: it is asked once per movement of the pointer. */
export function rateOfProbit(z: number): number {
  let low = 0;
  let high = 1;
  for (let step = 0; step < 52; step++) {
    const middle = (low + high) / 2;
    if (probit(middle) < z) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * Where a rate lies on a probit axis, as a share of its length; what the axis does not reach lies a little outside.
 * @param from @param to the rates at its ends, above 0 and below 1.
 */
export function probitShare(rate: number, from: number, to: number): number {
  const low = probit(from);
  return Math.min(1.05, Math.max(-0.05, (probit(rate) - low) / (probit(to) - low)));
}

/** Highest power first. */
function polynomial(x: number, coefficients: readonly number[]): number {
  return coefficients.reduce((value, coefficient) => value * x + coefficient, 0);
}
