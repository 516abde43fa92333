import type { Provenance } from '../../src-common/schemas/analysis.ts';
import type { Card } from '../detector/card.ts';
import type { DetectorAnalysis } from '../detector/detector.ts';
import { pointedOut, summaryOf } from '../../src-common/low-stretches.ts';
import type { LowStretch } from '../../src-common/low-stretches.ts';
import { localisationShown, localisationStatement } from '../detector/localisation.ts';
import type { StoredModel } from '../detector/store.ts';
import { csvLine } from './csv.ts';

/** A scanned file with what became of it. */
export interface ScannedFile {
  path: string;
  sha256: string | null;
  analysis: DetectorAnalysis | null;
  error: { code: string; message: string } | null;
}

/** A row for each analysis: one, or one for each channel that was scored on its own. */
export function scanRows<T extends ScannedFile & { further?: DetectorAnalysis[] }>(file: T): T[] {
  return [file, ...(file.further ?? []).map((analysis) => ({ ...file, analysis }))];
}

/** What made a result: enough to make it again. */
export type ScanProvenance = Omit<Provenance, 'ffmpeg'>;

export function provenance(model: StoredModel, applicationVersion: string, onnxRuntimeVersion: string): ScanProvenance {
  return {
    application: `earwitness ${applicationVersion}`,
    model: { name: model.card.name, status: model.card.status, onnxSha256: model.onnxSha256 },
    backend: `onnxruntime-node ${onnxRuntimeVersion}, CPU`,
    platform: `${process.platform} ${process.arch}, Node ${process.versions.node}`,
    time: new Date().toISOString(),
  };
}

const columns = [
  'path',
  'sha256',
  'duration_seconds',
  'finding',
  'score',
  'llr',
  'lowest_window_score',
  'reasons',
  'error',
  'low_stretches',
  'longest_low_stretch_seconds',
  'low_stretch_times',
];

export const scanCsvHeader = csvLine(columns);

/** The lowest of the windows' scores, uncalibrated; null where there is none. */
function lowestWindowScore(analysis: DetectorAnalysis): number | null {
  return analysis.windows.reduce<number | null>(
    (lowest, { score }) => (lowest === null || score < lowest ? score : lowest),
    null,
  );
}

/** Scores and ratios with the digits that other machines agree on, and a little more. */
function rounded(value: number | null, digits: number): number | null {
  return value === null ? null : Number(value.toFixed(digits));
}

/** `12.000-16.500`, one after the other. */
function stretchTimes(stretches: readonly LowStretch[]): string {
  return stretches
    .map(({ startSeconds, endSeconds }) => `${startSeconds.toFixed(3)}-${endSeconds.toFixed(3)}`)
    .join('; ');
}

/** @param card of the model that spoke */
export function scanCsvLine({ path, sha256, analysis, error }: ScannedFile, card: Card): string {
  const stretches = analysis && stretchesOf(analysis, card);
  const summary = stretches && summaryOf(stretches);
  return csvLine([
    path,
    sha256,
    rounded(analysis?.durationSeconds ?? null, 3),
    analysis?.finding ?? null,
    rounded(analysis?.score ?? null, 6),
    rounded(analysis?.llr ?? null, 6),
    analysis && rounded(lowestWindowScore(analysis), 6),
    analysis?.reasons.map((reason) => reason.code).join('; ') ?? null,
    error?.message ?? null,
    summary && summary.count,
    summary && rounded(summary.longestSeconds, 3),
    stretches && stretchTimes(stretches),
  ]);
}

/** The stretches that a model points out of what it scored; null where it gives no times. */
export function stretchesOf(analysis: DetectorAnalysis, card: Card): LowStretch[] | null {
  const { shown } = localisationShown(card, card.window);
  return pointedOut({ ...analysis, thresholds: { localisation: shown?.threshold ?? null } });
}

/** Where a recording's windows score low, with what that is worth; or why no times are given; null of a model without a threshold. */
function localisedJson(analysis: DetectorAnalysis, card: Card): Record<string, unknown> | null {
  const { shown, withheld } = localisationShown(card, card.window);
  if (shown === null) return withheld === null ? null : { statement: withheld };
  return { statement: localisationStatement(shown), ...shown, stretches: stretchesOf(analysis, card) };
}

/** One file's part of a scan's JSON. */
export function scanJson({ path, sha256, analysis, error }: ScannedFile, card: Card): Record<string, unknown> {
  return {
    path,
    sha256,
    error,
    ...(analysis && {
      finding: analysis.finding,
      score: analysis.score,
      ...(analysis.companion ? { companion: analysis.companion } : {}),
      llr: analysis.llr,
      lowestWindowScore: lowestWindowScore(analysis),
      reasons: analysis.reasons,
      durationSeconds: analysis.durationSeconds,
      timeline: analysis.timeline,
      activeSeconds: analysis.activeSeconds,
      activeLevelDbfs: analysis.activeLevelDbfs,
      clippedFraction: analysis.clippedFraction,
      nonFiniteSamples: analysis.nonFiniteSamples,
      quality: analysis.quality,
      ...(analysis.distances ? { distances: analysis.distances } : {}),
      audio: analysis.audio,
      channel: analysis.channel,
      windowScores: 'uncalibrated',
      windows: analysis.windows,
      localisation: localisedJson(analysis, card),
    }),
  };
}
