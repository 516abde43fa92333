/** Another calibration for a model whose members stay as they are. */
import { UserFacingError } from '../base/errors.ts';
import { absoluteSpec, loadDataset, selectSplit } from '../datasets/load.ts';
import type { Card } from '../detector/card.ts';
import { readFiles, readModel, writeModel } from '../detector/store.ts';
import type { StoredModel } from '../detector/store.ts';
import { isStatusNote } from '../detector/unsealed.ts';
import { calibrate } from '../evaluation/calibration.ts';
import { detectionMetrics } from '../evaluation/metrics.ts';
import { calibrationMaterial, localisationOf } from './calibration-material.ts';
import type { CalibrationMaterial } from './calibration-material.ts';
import { evaluateTrials, findingRecord, splitFigures, withFigures } from './evaluate.ts';

export interface CalibrationRequest {
  /** Of the model whose network is kept. */
  folder: string;
  dataset: string;
  split: string;
  /** Where the model with the new calibration goes. */
  out: string;
  /** Defaults to that of the model. */
  name?: string;
  /** Findings may be wrong in at most this share of recordings of either class (see `calibrate`). */
  maximumErrorRate: number;
  seed: number;
  notes: string[];
}

/**
 * Calibrates a model on labelled recordings that it was not trained on, and measures it there: likelihood ratios with their
 * bounds and band, by length of speech where speakers are named, the threshold for localisation, and the figures. The
 * network stays as it is, and the model is for screening.
 * @throws UserFacingError `dataset` where the model was trained on some of the recordings, and as `calibrate`; the signal's
 * reason when it fires.
 */
export async function calibrateModel(
  asked: CalibrationRequest,
  application: string,
  options: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void } = {},
): Promise<StoredModel> {
  const request = { ...asked, dataset: absoluteSpec(asked.dataset) };
  const model = await readToCalibrate(request.folder);
  const files = await readFiles(model);
  const items = selectSplit(await loadDataset(request.dataset), request.split);
  const material = await calibrationMaterial(model, items, request.seed, options);
  mustBeUnheard(model.card, material);
  const card = recalibratedCard(model.card, material, { ...request, application });
  card.records = [findingRecord(card, material.recordings, request)];
  const figures = splitFigures(request.dataset, request.split, evaluateTrials(card, material.trials));
  card.figures = withFigures(card.figures, figures);
  return writeModel(request.out, card, files);
}

/** A model as it is before it is calibrated anew: what it was validated for is no limit then, and that record not of the new calibration. */
export async function readToCalibrate(folder: string): Promise<StoredModel> {
  const model = await readModel(folder);
  return { ...model, card: { ...model.card, validation: null } };
}

/** @throws UserFacingError `dataset` where a model was trained on some of the recordings */
export function mustBeUnheard({ training }: Card, { sha256 }: Pick<CalibrationMaterial, 'sha256'>): void {
  const trainedOn = new Set(training.fileSha256);
  const known = sha256.filter((hash) => hash !== null && trainedOn.has(hash)).length;
  if (known === 0) return;
  throw new UserFacingError(
    'dataset',
    `The model was trained on ${known} of the ${sha256.length} recordings: its scores of them mean nothing.`,
    { advice: 'Take recordings that it has not heard, or name another split.' },
  );
}

/** The card with the calibration that the material gives, without what was found under the one before. */
export function recalibratedCard(
  card: Card,
  material: CalibrationMaterial,
  request: Pick<CalibrationRequest, 'dataset' | 'split' | 'name' | 'maximumErrorRate' | 'notes'> & {
    application: string;
  },
): Card {
  const { dataset, split, application } = request;
  return {
    ...card,
    name: request.name ?? card.name,
    createdAt: new Date().toISOString(),
    application,
    status: 'screening',
    validation: null,
    calibration: calibrate(material.trials, {
      dataset,
      split,
      concatenations: material.concatenations,
      maximumRate: request.maximumErrorRate,
    }),
    localisation: localisationOf(material),
    notes: [...card.notes.filter((note) => !isStatusNote(note)), ...request.notes],
    seal: undefined,
    uncalibrated: undefined,
    thresholds: card.uncalibrated
      ? { ...card.thresholds, score: detectionMetrics(material.trials).eerDecisionThreshold }
      : card.thresholds,
    records: [],
    // Measured under the calibration before, on other recordings; the thresholds that followed stay.
    conditions: undefined,
    distance: undefined,
    // It was calibrated without them, and they without it.
    companions: undefined,
  };
}
