import type { Provenance } from '../../src-common/schemas/analysis.ts';
import { createRequire } from 'node:module';
import { applicationName } from '../base/version.ts';
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
  /** The machine that scored it, where rows name it. */
  worker?: string | undefined;
}

/** A row for each analysis: one, or one for each channel that was scored on its own. */
export function scanRows<T extends ScannedFile & { further?: DetectorAnalysis[] }>(file: T): T[] {
  return [file, ...(file.further ?? []).map((analysis) => ({ ...file, analysis }))];
}

/** What made a result: enough to make it again. */
export type ScanProvenance = Omit<Provenance, 'ffmpeg'>;

/** What runs the networks here. */
export function backendHere(): string {
  // Its package.json says the version without loading its native part.
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  return `onnxruntime-node ${version}, CPU`;
}

export function platformHere(): string {
  return `${process.platform} ${process.arch}, Node ${process.versions.node}`;
}

/** @param application `earwitness 0.1.0` */
export function provenance(model: StoredModel, application = applicationName()): ScanProvenance {
  return {
    application,
    model: { name: model.card.name, status: model.card.status, onnxSha256: model.onnxSha256 },
    backend: backendHere(),
    platform: platformHere(),
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

/** @param workers whether rows name who scored them */
export function scanCsvHeader(workers = false): string {
  return csvLine(workers ? [...columns, 'worker'] : columns);
}

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

/**
 * @param card of the model that spoke
 * @param workers whether rows name who scored them
 */
export function scanCsvLine(
  { path, sha256, analysis, error, worker }: ScannedFile,
  card: Card,
  workers = false,
): string {
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
    ...(workers ? [worker ?? null] : []),
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

/**
 * One file's part of a scan's JSON.
 * @param workers whether it names who scored it
 */
export function scanJson(
  { path, sha256, analysis, error, worker }: ScannedFile,
  card: Card,
  workers = false,
): Record<string, unknown> {
  return {
    path,
    sha256,
    error,
    ...(workers ? { worker: worker ?? null } : {}),
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
