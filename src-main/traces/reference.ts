/** A laboratory's own record of the mains frequency, and where in it a recording's hum lies. */
import { basename } from 'node:path';
import { readFile, stat } from 'node:fs/promises';
import type { HumTrace, TraceCurve } from '../../src-common/schemas/traces.ts';
import { unreadable } from '../audio/input.ts';
import { UserFacingError } from '../base/errors.ts';

/** Frequencies of the mains at even steps of a second; NaN where none are known. */
export interface MainsReference {
  name: string;
  /** Of the first value: as in the file, or of its first row's date and time. */
  startSeconds: number;
  frequencies: Float64Array;
}

const mostBytes = 256 * 1024 ** 2;
const mostSeconds = 400 * 86_400;
/** Between rows further apart nothing is known. */
const longestStep = 10;
/** A minute or two alone resembles many others. */
const leastOverlap = 60;
/** Shifts are first tried with so many values of the track. */
const coarseValues = 300;
const bestKept = 50;
/** The next best match is another one only so far away. */
const apartSeconds = 60;

/**
 * Reads a CSV file of two columns, time and frequency in Hz; a heading and further columns may stand there. Times are seconds, or dates with
 * times (ISO 8601; without a zone they are UTC), ascending.
 * @throws UserFacingError `missing`, `unreadable`, `reference` where a row is none
 */
export async function readReference(path: string): Promise<MainsReference> {
  let text: string;
  try {
    if ((await stat(path)).size > mostBytes) throw wrong(path, 'it is larger than 256 MiB');
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw unreadable(path, error);
  }
  return parseReference(text, path);
}

/** @throws UserFacingError as `readReference` */
export function parseReference(text: string, path: string): MainsReference {
  const times: number[] = [];
  const values: number[] = [];
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (line.trim() === '') continue;
    const [time = '', frequency = ''] = line.split(/[,;\t]/).map((cell) => cell.trim().replace(/^"|"$/g, ''));
    const seconds = secondsOf(time);
    const hz = frequency === '' ? NaN : Number(frequency);
    if (seconds === null || !(hz > 40 && hz < 70)) {
      if (index === 0) continue;
      throw wrong(path, `line ${index + 1} is not a time and a frequency from 40 to 70 Hz`);
    }
    if (seconds <= (times.at(-1) ?? -Infinity)) throw wrong(path, `line ${index + 1} is not later than the one before`);
    times.push(seconds);
    values.push(hz);
  }
  if (times.length < 2) throw wrong(path, 'it holds fewer than two rows');
  const [startSeconds] = times;
  const length = Math.floor(times[times.length - 1] - startSeconds) + 1;
  if (length > mostSeconds) throw wrong(path, 'it spans more than 400 days');
  const frequencies = new Float64Array(length).fill(NaN);
  for (let i = 1; i < times.length; i++) {
    const [from, to] = [times[i - 1] - startSeconds, times[i] - startSeconds];
    if (to - from > longestStep) continue;
    for (let second = Math.ceil(from); second <= to; second++) {
      frequencies[second] = values[i - 1] + ((second - from) / (to - from)) * (values[i] - values[i - 1]);
    }
  }
  return { name: basename(path), startSeconds, frequencies };
}

function secondsOf(text: string): number | null {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(text)) return null;
  const iso = text.replace(' ', 'T');
  const milliseconds = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(iso) ? iso : `${iso}Z`);
  return Number.isNaN(milliseconds) ? null : milliseconds / 1000;
}

function wrong(path: string, why: string): UserFacingError {
  return new UserFacingError('reference', `${path} is no record of the mains frequency: ${why}.`, {
    path,
    advice: 'Give a CSV file of two columns, time (seconds, or date and time) and frequency in Hz.',
  });
}

/**
 * Where in a reference a track resembles it most: the highest correlation over all shifts of whole seconds, as in Huijbregtse and
 * Geradts, "Using the ENF criterion for determining the time of recording of short digital audio recordings", IWCF 2009. The clocks of
 * recorders are off by some parts in a million, which the correlation does not see; the mean difference shows it.
 * @returns null where fewer than 60 values of both meet
 */
export function placeInReference(track: TraceCurve, reference: MainsReference): HumTrace['reference'] {
  const points = track.values.flatMap((hz, i) => (hz === null ? [] : [{ time: track.timesSeconds[i], hz }]));
  if (points.length < leastOverlap) return null;
  const { frequencies } = reference;
  const last = points[points.length - 1].time;
  const every = Math.max(1, Math.floor(points.length / coarseValues));
  const some = points.filter((_, i) => i % every === 0);
  const shifts: { shift: number; correlation: number }[] = [];
  for (let shift = -Math.ceil(last - leastOverlap); shift < frequencies.length - leastOverlap; shift++) {
    const correlation = correlationAt(some, frequencies, shift, leastOverlap / every);
    if (correlation !== null) shifts.push({ shift, correlation });
  }
  const fine = shifts
    .sort((one, other) => other.correlation - one.correlation)
    .slice(0, bestKept)
    .flatMap(({ shift }) => {
      const correlation = correlationAt(points, frequencies, shift, leastOverlap);
      return correlation === null ? [] : [{ shift, correlation }];
    })
    .sort((one, other) => other.correlation - one.correlation);
  const best = fine.at(0);
  if (!best) return null;
  const next = shifts.find(({ shift }) => Math.abs(shift - best.shift) > apartSeconds);
  const overlaid = track.timesSeconds.map((time) => valueAt(frequencies, time + best.shift));
  const differences = points.flatMap(({ time, hz }) => {
    const other = valueAt(frequencies, time + best.shift);
    return other === null ? [] : [hz - other];
  });
  return {
    name: reference.name,
    track: { timesSeconds: track.timesSeconds, values: overlaid },
    shiftSeconds: reference.startSeconds + best.shift,
    correlation: best.correlation,
    nextCorrelation: next?.correlation ?? null,
    differenceHz: differences.reduce((sum, difference) => sum + difference, 0) / differences.length,
  };
}

function valueAt(frequencies: Float64Array, time: number): number | null {
  const whole = Math.floor(time);
  if (whole < 0 || whole >= frequencies.length) return null;
  const part = time - whole;
  const value = part === 0 ? frequencies[whole] : (1 - part) * frequencies[whole] + part * frequencies[whole + 1];
  return Number.isFinite(value) ? value : null;
}

/** Pearson's; null where too few values meet, or one side does not vary. */
function correlationAt(
  points: readonly { time: number; hz: number }[],
  frequencies: Float64Array,
  shift: number,
  least: number,
): number | null {
  let [count, x, y, xx, yy, xy] = [0, 0, 0, 0, 0, 0];
  // Near zero, so that squares keep their digits.
  const origin = points[0].hz;
  for (const { time, hz } of points) {
    const other = valueAt(frequencies, time + shift);
    if (other === null) continue;
    const [a, b] = [hz - origin, other - origin];
    count++;
    x += a;
    y += b;
    xx += a * a;
    yy += b * b;
    xy += a * b;
  }
  if (count < least) return null;
  const spread = (xx - (x * x) / count) * (yy - (y * y) / count);
  return spread > 0 ? (xy - (x * y) / count) / Math.sqrt(spread) : null;
}
