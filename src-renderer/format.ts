/** How numbers, times and names are written in the window. Minus is U+2212; spaces between number and unit do not break. */
import { findingWords, type Finding } from '../src-common/findings.ts';
import { formatCount, formatNumber, formatPercent, minus, noBreak, none } from '../src-common/numbers.ts';
import type { Evidence, EvidenceRow } from '../src-common/schemas/evidence.ts';

export { formatCount, formatNumber, formatPercent, none };

/** `3 items`, `1 item`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)}${noBreak}${count === 1 ? one : many}`;
}

/** Seconds as `m:ss.d` or `h:mm:ss.d`; `digits` of the second's fraction, 0 to 3. */
export function formatDuration(seconds: number | null | undefined, digits = 1): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) {
    return none;
  }
  const unit = 10 ** digits;
  const units = Math.round(Math.abs(seconds) * unit);
  const whole = Math.floor(units / unit);
  const fraction = digits === 0 ? '' : `.${String(units % unit).padStart(digits, '0')}`;
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = String(whole % 60).padStart(2, '0');
  const sign = seconds < 0 && units > 0 ? minus : '';
  return hours > 0
    ? `${sign}${hours}:${String(minutes).padStart(2, '0')}:${rest}${fraction}`
    : `${sign}${minutes}:${rest}${fraction}`;
}

/** How long something will still take, in words with the digits that an estimate deserves: `8 s`, `3 min`, `2 h 10 min`. */
export function formatTimeLeft(seconds: number): string {
  if (seconds < 60) {
    return `${Math.max(1, Math.round(seconds))}${noBreak}s`;
  }
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) {
    return `${minutes}${noBreak}min`;
  }
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}${noBreak}h ${minutes % 60}${noBreak}min` : `${Math.round(hours / 24)}${noBreak}days`;
}

/** Bytes in decimal units: `914 B`, `3.2 MB`. */
export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) {
    return none;
  }
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (unit < units.length - 1 && value >= (unit === 0 ? 1000 : 999.5)) {
    value /= 1000;
    unit += 1;
  }
  return `${formatNumber(value, unit === 0 || value >= 99.95 ? 0 : 1)}${noBreak}${units[unit]}`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (value: number): string => String(value).padStart(2, '0');

/**
 * A time as `23 Nov 2026, 09:14 UTC`; with seconds where `seconds`. A day without a time stays one, and what cannot be read
 * as a time is given back as it is.
 */
export function formatTime(time: string | null | undefined, seconds = false): string {
  if (time === null || time === undefined || time === '') {
    return none;
  }
  if (/^\d{4}-\d\d-\d\d$/.test(time)) {
    return formatDate(time);
  }
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) {
    return time;
  }
  const clock = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}${seconds ? `:${two(date.getUTCSeconds())}` : ''}`;
  return `${formatDate(time)}, ${clock}${noBreak}UTC`;
}

/** The day in UTC: `23 Nov 2026`. */
export function formatDate(time: string | null | undefined): string {
  const date = new Date(time ?? '');
  return Number.isNaN(date.getTime())
    ? (time ?? none)
    : `${date.getUTCDate()} ${months[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
}

/** log10 of the likelihood ratio from its natural logarithm, signed, one digit (two below 1): `+2.3`, `−0.41`. */
export function formatLog10Lr(llr: number | null | undefined): string {
  if (llr === null || llr === undefined) {
    return none;
  }
  const value = llr / Math.LN10;
  return formatNumber(value, Math.abs(value) < 0.995 ? 2 : 1, true);
}

/** A sample rate or another frequency, with the digits that it has: `16 kHz`, `44.1 kHz`, `11.025 kHz`. */
export function formatKilohertz(hz: number): string {
  return `${Number((hz / 1000).toFixed(3))}${noBreak}kHz`;
}

/** A raw score: two digits, true minus. */
export function formatScore(score: number | null | undefined): string {
  return formatNumber(score, 2);
}

/** Items per second with two significant digits: `41 files/s`. */
export function formatRate(perSecond: number, unit: string): string {
  if (unit === 'bytes') {
    return `${formatBytes(perSecond)}/s`;
  }
  return perSecond >= 0.095
    ? `${formatNumber(perSecond, perSecond < 9.5 ? 1 : 0)}${noBreak}${unit}/s`
    : `${formatNumber(perSecond * 60, 1)}${noBreak}${unit}/min`;
}

/** How far a job is: `41 of 1,000 files, 4 %`; bytes as such. */
export function formatDone(done: number, total: number | null, unit: string): string {
  const amount = (value: number): string => (unit === 'bytes' ? formatBytes(value) : formatCount(Math.floor(value)));
  const suffix = unit === 'bytes' ? '' : `${noBreak}${unit}`;
  return total === null || total === 0
    ? `${amount(done)}${suffix}`
    : `${amount(done)} of ${amount(total)}${suffix}, ${formatPercent(done / total, 0)}`;
}

/** First and last digits of a hash: `9f3a1c…e07b42`. */
export function shortHash(hash: string): string {
  return hash.length > 16 ? `${hash.slice(0, 6)}…${hash.slice(-6)}` : hash;
}

/** A finding with a capital. */
export function findingTitle(finding: Finding): string {
  const words = findingWords[finding];
  return words[0].toUpperCase() + words.slice(1);
}

const stateWords: Record<Evidence['state'], string> = {
  unchanged: 'unchanged since intake',
  changed: 'changed since intake',
  missing: 'missing',
  unreadable: 'cannot be read',
  unchecked: 'not yet checked',
};

/** What has become of a file since its intake. */
export function evidenceStateWords(state: EvidenceRow['state']): string {
  return stateWords[state];
}
