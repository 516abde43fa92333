import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import type { Card } from '../detector/card.ts';
import type { DetectorAnalysis } from '../detector/detector.ts';
import type { PartialRecord } from '../detector/localisation-card.ts';
import { tinyCard } from '../detector/testing.ts';
import { scanCsvHeader, scanCsvLine, scanJson } from './scan-results.ts';

const window = (startSeconds: number, score: number) => ({ startSeconds, endSeconds: startSeconds + 1, score });
const analysis = {
  finding: 'inconclusive',
  score: 0.2,
  llr: 0.1,
  durationSeconds: 9,
  reasons: [],
  windows: [window(0, 1), window(0.5, -3), window(1, -4), window(6, -2.5), window(7, 2)],
} as unknown as DetectorAnalysis;
const scanned = { path: '/a.wav', sha256: 'a'.repeat(64), analysis, error: null };

const localisation = {
  threshold: -2,
  falseAlarms: 8,
  bonafideHours: 2,
  falseAlarmsPerHour: 4,
  falseAlarmsPerHourAtMost: 7,
};
const passed = { window: tinyCard.window, files: { eer: 0.2, meanEer: 0.4, difference: -0.2, interval: [-0.3, -0.1] } };
const silent = { ...tinyCard, files: {}, localisation } as Card;
const locating = { ...silent, partialSpoofs: [passed as unknown as PartialRecord] } as Card;

const row = (card: Card, file = scanned): Record<string, string> =>
  parse<Record<string, string>>(scanCsvHeader() + scanCsvLine(file, card), { columns: true })[0];

describe('the stretches of a scan', () => {
  it('are counted in CSV and listed in JSON, with the false alarms that the card states', () => {
    expect(row(locating)).toMatchObject({
      low_stretches: '2',
      longest_low_stretch_seconds: '1.5',
      low_stretch_times: '0.500-2.000; 6.000-7.000',
    });
    expect(scanJson(scanned, locating)).toMatchObject({
      localisation: {
        falseAlarmsPerHour: 4,
        falseAlarmsPerHourAtMost: 7,
        stretches: [{ startSeconds: 0.5, endSeconds: 2, windows: 2, lowestScore: -4 }, { startSeconds: 6 }],
      },
    });
  });

  it('are not given where the card does not show that they are of use, nor of what cannot be assessed', () => {
    expect(row(silent)).toMatchObject({ low_stretches: '', longest_low_stretch_seconds: '', low_stretch_times: '' });
    expect(scanJson(scanned, silent)).toMatchObject({
      localisation: { statement: expect.stringMatching(/^No times/) as unknown },
    });
    const noisy = { ...analysis, reasons: [{ code: 'noisy', sentence: '', blocking: true }] };
    expect(row(locating, { ...scanned, analysis: noisy }).low_stretches).toBe('');
    expect(scanJson({ ...scanned, analysis: noisy }, locating)).toMatchObject({ localisation: { stretches: null } });
  });
});
