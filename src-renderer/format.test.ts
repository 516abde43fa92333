import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatDate,
  formatDone,
  formatDuration,
  formatKilohertz,
  formatLog10Lr,
  formatNumber,
  formatPercent,
  formatRate,
  formatTime,
  formatTimeLeft,
  plural,
  shortHash,
} from './format.ts';

describe('numbers', () => {
  it('have a true minus, separated thousands and a sign where asked', () => {
    expect(formatNumber(-1234.5, 1)).toBe('−1,234.5');
    expect(formatNumber(2, 1, true)).toBe('+2.0');
    expect(formatNumber(-2, 1, true)).toBe('−2.0');
  });

  it('never show a negative zero', () => {
    expect(formatNumber(-0.001, 2)).toBe('0.00');
    expect(formatNumber(-0.001, 2, true)).toBe('0.00');
    expect(formatDuration(-0.01)).toBe('0:00.0');
  });

  it('say that there is none', () => {
    expect([formatNumber(null), formatNumber(Number.NaN), formatBytes(null), formatPercent(null)]).toEqual([
      '–',
      '–',
      '–',
      '–',
    ]);
    expect([formatNumber(Infinity), formatNumber(-Infinity)]).toEqual(['∞', '−∞']);
  });

  it('count things', () => {
    expect(plural(1, 'item')).toBe('1\u00a0item');
    expect(plural(50_000, 'item')).toBe('50,000\u00a0items');
    expect(plural(2, 'hash', 'hashes')).toBe('2\u00a0hashes');
  });
});

describe('durations', () => {
  it('carry rounding into minutes and hours', () => {
    expect(formatDuration(59.96)).toBe('1:00.0');
    expect(formatDuration(3599.96)).toBe('1:00:00.0');
    expect(formatDuration(16.42, 2)).toBe('0:16.42');
    expect(formatDuration(2890.3)).toBe('48:10.3');
    expect(formatDuration(21_600, 0)).toBe('6:00:00');
    expect(formatDuration(-1.25, 2)).toBe('−0:01.25');
  });

  it('estimate with the digits that an estimate deserves', () => {
    expect([0.2, 8.4, 59.4, 61, 3500, 7800, 400_000].map(formatTimeLeft)).toEqual([
      '1\u00a0s',
      '8\u00a0s',
      '59\u00a0s',
      '1\u00a0min',
      '58\u00a0min',
      '2\u00a0h 10\u00a0min',
      '5\u00a0days',
    ]);
  });
});

describe('sizes and rates', () => {
  it('change the unit before the number has four digits', () => {
    expect([0, 999, 1000, 81_234, 999_499, 999_500, 12_345_678].map((bytes) => formatBytes(bytes))).toEqual([
      '0\u00a0B',
      '999\u00a0B',
      '1.0\u00a0kB',
      '81.2\u00a0kB',
      '999\u00a0kB',
      '1.0\u00a0MB',
      '12.3\u00a0MB',
    ]);
  });

  it('count slow work by the minute', () => {
    expect(formatRate(41.2, 'files')).toBe('41\u00a0files/s');
    expect(formatRate(3.26, 'files')).toBe('3.3\u00a0files/s');
    expect(formatRate(0.05, 'files')).toBe('3.0\u00a0files/min');
    expect(formatRate(2_500_000, 'bytes')).toBe('2.5\u00a0MB/s');
  });

  it('say how far a job is', () => {
    expect(formatDone(41, 1000, 'files')).toBe('41 of 1,000\u00a0files, 4\u00a0%');
    expect(formatDone(41, null, 'files')).toBe('41\u00a0files');
    expect(formatDone(500_000, 2_000_000, 'bytes')).toBe('500\u00a0kB of 2.0\u00a0MB, 25\u00a0%');
  });
});

describe('log10 likelihood ratios', () => {
  it('come from natural logarithms, with a sign and one digit, two below 1', () => {
    expect(formatLog10Lr(Math.log(200))).toBe('+2.3');
    expect(formatLog10Lr(Math.log(0.4))).toBe('−0.40');
    expect(formatLog10Lr(0)).toBe('0.00');
    expect(formatLog10Lr(Math.log(0.1))).toBe('−1.0');
    expect(formatLog10Lr(null)).toBe('–');
  });
});

describe('times', () => {
  it('are UTC whatever offset they came with', () => {
    expect(formatTime('2026-11-23T10:14:05+01:00')).toBe('23 Nov 2026, 09:14\u00a0UTC');
    expect(formatTime('2026-11-23T10:14:05+01:00', true)).toBe('23 Nov 2026, 09:14:05\u00a0UTC');
    expect(formatDate('2026-12-31T23:30:00-02:00')).toBe('1 Jan 2027');
  });

  it('leave alone what is not a time', () => {
    expect(formatTime('about noon')).toBe('about noon');
    expect(formatTime('')).toBe('–');
  });
});

it('sample rates have the digits that they need', () => {
  expect([8000, 11_025, 22_050, 44_100, 192_000].map(formatKilohertz)).toEqual(
    ['8', '11.025', '22.05', '44.1', '192'].map((kilo) => `${kilo}\u00a0kHz`),
  );
});

describe('names', () => {
  it('show the ends of a hash', () => {
    expect(shortHash(`9f3a1c${'0'.repeat(52)}e07b42`)).toBe('9f3a1c…e07b42');
    expect(shortHash('short')).toBe('short');
  });
});

it('a day without a time stays a day', () => {
  expect(formatTime('2026-11-18')).toBe('18 Nov 2026');
  expect(formatTime('2026-11-18', true)).toBe('18 Nov 2026');
  expect(formatTime('2026-11-18T00:00:00Z')).toBe('18 Nov 2026, 00:00\u00a0UTC');
});
