/** Ticks and labels of the axes of the Examine view. */
import { logBottomHz, placeOfHz } from '../../../src-common/frequency-axis.ts';
import type { FrequencyAxis } from '../../../src-common/frequency-axis.ts';
import { formatDuration, formatNumber } from '../../format.ts';
import type { Span } from './time-window.ts';

export interface Tick {
  value: number;
  label: string;
}

const timeSteps = [
  0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600,
  7200, 14_400, 21_600, 43_200,
];

/** Digits after the second that a step needs. */
const digitsFor = (step: number): number => (step >= 1 ? 0 : Math.ceil(-Math.log10(step) - 1e-9));

/** A time with `digits` after the second, up to 4; `0:17.09`. */
export function timeLabel(seconds: number, digits: number): string {
  if (digits <= 3) return formatDuration(seconds, digits);
  const whole = Math.floor(seconds * 10 ** digits + 1e-6);
  const base = formatDuration(Math.floor(whole / 10 ** digits), 0);
  return `${base}.${String(whole % 10 ** digits).padStart(digits, '0')}`;
}

/** How many digits after the second tell neighbouring pixels apart. */
export function timeDigits(secondsPerPixel: number): number {
  return Math.min(4, Math.max(1, Math.ceil(-Math.log10(Math.max(secondsPerPixel, 1e-9)))));
}

/** Round times within the window, at least `spacing` pixels apart. */
export function timeTicks({ start, end }: Span, width: number, spacing = 92): Tick[] {
  if (!(end > start) || width <= 0) return [];
  const least = ((end - start) / width) * spacing;
  const step = timeSteps.find((one) => one >= least) ?? timeSteps[timeSteps.length - 1];
  const digits = digitsFor(step);
  const ticks: Tick[] = [];
  for (let n = Math.ceil(start / step - 1e-9); n * step <= end + 1e-9; n++) {
    ticks.push({ value: n * step, label: timeLabel(n * step, digits) });
  }
  return ticks;
}

/** Labelled frequencies, in kHz, at least so many pixels apart. The top one carries the unit. */
export function frequencyTicks(axis: FrequencyAxis, height: number, spacing = 26): Tick[] {
  const { topHz, scale } = axis;
  const linearSteps = [250, 500, 1000, 2000, 4000, 5000];
  const step = linearSteps.find((one) => (one / topHz) * height >= spacing) ?? 5000;
  const values = {
    mel: () => [250, 500, 1000, 2000, 3000, 4000, 6000, 8000, 12_000, 16_000, 20_000, 32_000, 48_000, 64_000],
    log: () => [50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000],
    linear: () => Array.from({ length: Math.floor(topHz / step) + 1 }, (_, n) => n * step),
  }[scale]();
  const bottom = scale === 'log' ? logBottomHz : 0;
  const kept: number[] = [topHz];
  // From the top, so that the top keeps its label; the bottom before what is close to it.
  for (const value of [bottom, ...values.filter((one) => one > bottom && one < topHz).reverse()]) {
    const place = placeOfHz(axis, value) * height;
    if (kept.every((other) => Math.abs(placeOfHz(axis, other) * height - place) >= spacing)) kept.push(value);
  }
  return kept
    .sort((one, other) => one - other)
    .map((value) => {
      const kilo = formatNumber(value / 1000, Number.isInteger(value / 1000) ? 0 : value % 100 === 0 ? 1 : 2);
      return { value, label: value === topHz ? `${kilo} kHz` : kilo };
    });
}

/** Round numbers within a range, about `count` of them. */
export function numberTicks(low: number, high: number, count: number): Tick[] {
  if (!(high > low)) return [];
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough - 1e-12) ?? 10 * power;
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const ticks: Tick[] = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + 1e-9 * step; n++) {
    ticks.push({ value: n * step, label: formatNumber(n * step, digits) });
  }
  return ticks;
}
