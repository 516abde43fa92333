/** How numbers are written in window and plots. Minus is U+2212; spaces between number and unit do not break. */

export const minus = '−';
export const noBreak = '\u00a0';
/** Stands where there is no value. */
export const none = '–';

/** A number with `digits` after the point and a true minus; `sign` writes a plus too. `None` for what is not a number. */
export function formatNumber(value: number | null | undefined, digits = 2, sign = false): string {
  if (value === null || value === undefined || Number.isNaN(value)) {
    return none;
  }
  if (!Number.isFinite(value)) {
    return value > 0 ? '∞' : `${minus}∞`;
  }
  const text = Math.abs(value).toLocaleString('en-GB', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  const isZero = /^[0.,]*$/.test(text);
  return value < 0 && !isZero ? minus + text : sign && !isZero ? `+${text}` : text;
}

/** A count with thousands separated: `50,000`. */
export function formatCount(value: number): string {
  return formatNumber(value, 0);
}

/** A rate as per cent: 0.317 is `31.7 %`. */
export function formatPercent(fraction: number | null | undefined, digits = 1): string {
  return fraction === null || fraction === undefined ? none : `${formatNumber(fraction * 100, digits)}${noBreak}%`;
}

/** A value along an axis: at most four digits, a true minus. */
export function axisNumber(value: number): string {
  if (!Number.isFinite(value)) return formatNumber(value);
  const text = Math.abs(value) >= 1e6 ? value.toExponential() : String(Number(value.toPrecision(4)));
  return text.replaceAll('-', minus);
}

/** A fraction along an axis in per cent, without the sign. */
export function axisPercent(fraction: number): string {
  return axisNumber(100 * fraction);
}
