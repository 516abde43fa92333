import { UserFacingError } from '../base/errors.ts';
import { dataFolder } from '../base/home.ts';
import type { InstallationKey } from '../cases/keys.ts';
import { Library } from '../cases/library.ts';
import { loadDataset, selectSplit } from '../datasets/load.ts';
import type { Card } from '../detector/card.ts';
import { readFiles, readModel, writeModel } from '../detector/store.ts';
import type { StoredModel } from '../detector/store.ts';
import { sealCard } from '../detector/seal.ts';
import { unsealedNote } from '../detector/unsealed.ts';
import { calibrate } from '../evaluation/calibration.ts';
import { detectionMetrics } from '../evaluation/metrics.ts';
import { calibrationMaterial, localisationOf } from './calibration-material.ts';
import { evaluateTrials, findingRecord, splitFigures } from './evaluate.ts';

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
  /** Who answers for it, and under which conditions it holds: the model gets the status `validated`. */
  validation: { laboratory: string; conditions: string } | null;
  notes: string[];
}

/**
 * Calibrates a model on labelled recordings that it was not trained on, and measures it there: likelihood ratios with their
 * bounds and band, by length of speech where speakers are named, the threshold for localisation, and the figures. The
 * network stays as it is. A validated model is signed with this installation's key.
 * @throws UserFacingError `dataset` where the model was trained on some of the recordings, and as `calibrate`; the signal's
 * reason when it fires.
 */
export async function calibrateModel(
  request: CalibrationRequest,
  application: string,
  options: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void } = {},
): Promise<StoredModel> {
  // A key that is lost is said before hours of work.
  const key = request.validation ? ownKey() : null;
  const model = await readModel(request.folder);
  const files = await readFiles(model);
  const items = selectSplit(await loadDataset(request.dataset), request.split);
  const trainedOn = new Set(model.card.training.fileSha256);
  const material = await calibrationMaterial(model, items, request.seed, options);
  const known = material.sha256.filter((hash) => hash !== null && trainedOn.has(hash)).length;
  if (known > 0) {
    throw new UserFacingError(
      'dataset',
      `The model was trained on ${known} of the ${items.length} recordings: its scores of them mean nothing.`,
      { advice: 'Calibrate on recordings that it has not heard, or name another split.' },
    );
  }
  const date = new Date().toISOString();
  const { dataset, split } = request;
  const card: Card = {
    ...model.card,
    name: request.name ?? model.card.name,
    createdAt: date,
    application,
    status: request.validation ? 'validated' : 'screening',
    validation: request.validation && { ...request.validation, date, dataset, split },
    calibration: calibrate(material.trials, {
      dataset,
      split,
      concatenations: material.concatenations,
      maximumRate: request.maximumErrorRate,
    }),
    localisation: localisationOf(material),
    notes: [...model.card.notes.filter((note) => note !== unsealedNote), ...request.notes],
    seal: undefined,
    uncalibrated: undefined,
    thresholds: model.card.uncalibrated
      ? { ...model.card.thresholds, score: detectionMetrics(material.trials).eerDecisionThreshold }
      : model.card.thresholds,
    // Measured under the calibration before, on other recordings; the thresholds that followed stay.
    conditions: undefined,
    distance: undefined,
    // It was calibrated without them, and they without it.
    companions: undefined,
  };
  const figures = splitFigures(dataset, split, evaluateTrials(card, material.trials));
  card.figures = [...card.figures.filter((one) => one.dataset !== dataset || one.split !== split), figures];
  // What was found under the calibration before says nothing of this one.
  card.records = [findingRecord(card, material.recordings, { dataset, split })];
  await writeModel(request.out, card, files);
  if (key) await sealCard(request.out, key);
  return readModel(request.out);
}

/** @throws UserFacingError `key` */
function ownKey(): InstallationKey {
  const library = Library.open(dataFolder());
  try {
    return library.key;
  } finally {
    library.close();
  }
}
