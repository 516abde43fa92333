import { availableParallelism } from 'node:os';
import { UserFacingError } from '../base/errors.ts';
import { saliencyCaution, subjectName } from '../detector/saliency/subjects.ts';
import type { StoredModel } from '../detector/store.ts';
import { overlaidPixels } from '../sound/spectrogram-image.ts';
import { saliencyOpacity, spectrogramSize } from '../reports/case-report/figures.ts';
import type { ReportSaliency } from '../reports/case-report/snapshot.ts';
import { saliencyMissing } from './explain.ts';
import { SaliencyMaker, explainable } from '../laboratory/saliency.ts';
import type { SaliencyRequest } from '../laboratory/saliency.ts';
import { saliencyOverview } from './saliency-picture.ts';

/** What of a result is needed to explain it. */
export interface SaliencyOfResult {
  /** That spoke, without companions. */
  model: StoredModel;
  path: string;
  reading: Omit<SaliencyRequest, 'method' | 'member'>;
}

/** What a report explains of every model alike: its own score, by occlusion. */
const subject = { method: 'occlusion', member: null } as const;

/** The map of a result for a report, with its test; what a person can cause stands in it. @throws the signal's reason */
export async function reportSaliency(
  { model, path, reading }: SaliencyOfResult,
  signal: AbortSignal,
): Promise<ReportSaliency> {
  const { name } = model.card;
  const maker = await SaliencyMaker.create(await explainable(model), availableParallelism());
  try {
    const saliency = await maker.explain(path, { ...subject, ...reading }, { signal });
    const { columns, edgesHz, faithfulness, statement } = saliency;
    return {
      by: `${subjectName(subject)} of the model ${name}`,
      caution: saliencyCaution,
      statement,
      faithfulness,
      map: columns && { edgesHz, columns },
      figure: columns && (await figureOf(path, reading, { columns, edgesHz, opacity: saliencyOpacity }, signal)),
    };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof UserFacingError)) throw error;
    return saliencyMissing(name, error);
  } finally {
    await maker.dispose();
  }
}

async function figureOf(
  path: string,
  reading: SaliencyOfResult['reading'],
  overlay: Parameters<typeof overlaidPixels>[2],
  signal: AbortSignal,
): Promise<NonNullable<ReportSaliency['figure']>> {
  const { width, height } = spectrogramSize;
  const overview = await saliencyOverview(path, reading, { columns: width, rows: height }, signal);
  const startSeconds = reading.stretch?.startSeconds ?? 0;
  const { png, ...drawn } = overlaidPixels(overview, startSeconds, overlay, spectrogramSize);
  const seconds = overview.samples / overview.parameters.sampleRateHz;
  return { ...drawn, startSeconds, endSeconds: startSeconds + seconds, pngBase64: png.toString('base64') };
}
