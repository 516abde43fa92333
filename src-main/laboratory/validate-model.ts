/**
 * A laboratory measures a model on its own labelled recordings, under conditions and against criteria that it stated beforehand. Only what
 * meets them makes the model `validated`, and the record of it is signed.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { validationPlanSchema, validationRecordSchema } from '../../src-common/schemas/validation.ts';
import type { UnsignedValidationRecord, ValidationRecord } from '../../src-common/schemas/validation.ts';
import { UserFacingError } from '../base/errors.ts';
import { writeFileWhole } from '../base/files.ts';
import { dataFolder } from '../base/home.ts';
import { sha256 } from '../base/sha256.ts';
import { fingerprintOf } from '../cases/keys.ts';
import { ownKey } from '../cases/library.ts';
import { absoluteSpec, loadDataset, selectSplit } from '../datasets/load.ts';
import type { DatasetItem } from '../datasets/types.ts';
import type { Card } from '../detector/card.ts';
import { findingUnder } from '../detector/finding.ts';
import { sealCard } from '../detector/seal.ts';
import { readFiles, readModel, validationRecordName, writeModel } from '../detector/store.ts';
import type { StoredModel } from '../detector/store.ts';
import { unmetConditions } from '../detector/validation-conditions.ts';
import { calibrate } from '../evaluation/calibration.ts';
import { findingTable } from '../evaluation/finding-table.ts';
import { plottedFigures } from '../evaluation/plotted-figures.ts';
import type { EvaluatedTrials } from '../evaluation/plotted-figures.ts';
import type { Trial } from '../evaluation/trials.ts';
import { countUnits } from '../evaluation/units.ts';
import type { CountedUnits, UnitName } from '../evaluation/units.ts';
import { validationReport } from '../reports/validation-report.ts';
import { mustBeUnheard, readToCalibrate, recalibratedCard } from './calibrate-model.ts';
import { calibrationMaterial } from './calibration-material.ts';
import type { CalibrationMaterial } from './calibration-material.ts';
import { evaluateTrials, sameDataset, splitFigures, withFigures } from './evaluate.ts';
import { RecordStore } from './record-store.ts';
import { sourceFolds } from './source-folds.ts';
import { statedOtherwise } from './stated-conditions.ts';
import type { StatedPlan } from './validation-plan.ts';
import { judgeCriteria, signRecord } from './validation-record.ts';

export interface ValidationRequest {
  /** Of the model that is to be validated. */
  folder: string;
  dataset: string;
  split: string;
  stated: StatedPlan;
  examiner: string;
  /** Where the validated model goes. */
  out: string;
  /** Defaults to that of the model. */
  name?: string;
  notes: string[];
  seed: number;
  /** Of the bootstrap. */
  replicates: number;
}

export interface Validation {
  record: ValidationRecord;
  /** Null where a criterion was not met. */
  model: StoredModel | null;
  /** The record as a PDF, in the data folder. */
  report: string;
}

/** A validation as the data folder keeps it, from when its plan was stated. */
const storedSchema = z.object({
  format: z.literal(1),
  id: z.string(),
  statedAt: z.string(),
  plan: validationPlanSchema,
  planSha256: z.string(),
  model: z.object({ name: z.string(), sha256: z.string() }),
  dataset: z.string(),
  split: z.string(),
  /** Null until it ended; for good where it was stopped or failed. */
  record: validationRecordSchema.nullable(),
});
export type StoredValidation = z.infer<typeof storedSchema>;

/** The record as a PDF, in its folder. */
const reportName = 'validation.pdf';

function openStore(home: string): Promise<RecordStore<StoredValidation>> {
  return RecordStore.open({
    home,
    kind: 'validation',
    schema: storedSchema,
    about: ({ id, statedAt }) => ({ id, since: statedAt }),
  });
}

/** Where the record of a validation lies as a PDF. */
export async function validationReportPath(home: string, id: string): Promise<string> {
  return join((await openStore(home)).place(id), reportName);
}

/** The validations that this installation began, the latest first. */
export async function listValidations(home: string): Promise<StoredValidation[]> {
  return (await openStore(home)).list();
}

/**
 * Validates a model. The plan is kept before anything is scored; recordings outside its conditions are left out; of the others each fold is
 * measured under a calibration that was fitted on the rest, so that no figure is of what it was fitted on. Where all criteria are met, the
 * model gets the calibration of all of them and becomes `validated` for the plan's conditions.
 * @throws UserFacingError `dataset` where the model was trained on some of the recordings or they are too few to be divided, `key`, and as
 * `calibrate`; the signal's reason when it fires.
 */
export async function validateModel(
  asked: ValidationRequest,
  application: string,
  options: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void } = {},
): Promise<Validation> {
  const request = { ...asked, dataset: absoluteSpec(asked.dataset) };
  const home = dataFolder();
  // A key that is lost is said before hours of work.
  const key = ownKey(home);
  const model = await readToCalibrate(request.folder);
  const files = await readFiles(model);
  const items = selectSplit(await loadDataset(request.dataset), request.split);
  const store = await openStore(home);
  const { entry, earlier } = await begin(store, model, request);
  const within = await withinConditions(model, items, request, options);
  const measured = measure(model.card, within.material, request);
  const unsigned = {
    ...recordOf(entry, within, measured, { ...request, application, files: model.card.files }),
    earlier,
  };
  const record = signRecord(unsigned, key);
  const bytes = Buffer.from(`${JSON.stringify(record, null, 1)}\n`);
  const report = join(store.place(entry.id), reportName);
  const plotted = plottedFigures(measured.evaluated);
  const fingerprint = fingerprintOf(key.publicKey);
  await writeFileWhole(report, await validationReport({ record, recordBytes: bytes, plotted, fingerprint }));
  entry.record = record;
  await store.save(entry);
  if (!record.met) return { record, model: null, report };

  const card = validatedCard(model.card, within.material, measured, { ...request, application, record, bytes });
  await writeModel(request.out, card, files.set(validationRecordName, bytes));
  await sealCard(request.out, key);
  return { record, model: await readModel(request.out), report };
}

/** Keeps the plan. @returns with how many validations of the model on the same recordings were begun before */
async function begin(
  store: RecordStore<StoredValidation>,
  { card, onnxSha256 }: StoredModel,
  { dataset, split, stated }: ValidationRequest,
): Promise<{ entry: StoredValidation; earlier: number }> {
  const entry: StoredValidation = {
    format: 1,
    id: randomUUID(),
    statedAt: new Date().toISOString(),
    plan: stated.plan,
    planSha256: stated.sha256,
    model: { name: card.name, sha256: onnxSha256 },
    dataset,
    split,
    record: null,
  };
  const earlier = store
    .list()
    .filter((one) => one.model.sha256 === onnxSha256 && one.split === split && sameDataset(one.dataset, dataset));
  await store.add(entry);
  return { entry, earlier: earlier.length };
}

/** The recordings that are within the conditions, with scores, and how many are not. */
interface Within {
  material: CalibrationMaterial;
  /** By the condition that is not met. */
  outside: Map<string, number>;
  outsideRecordings: number;
}

async function withinConditions(
  model: StoredModel,
  items: readonly DatasetItem[],
  { seed, stated: { plan } }: ValidationRequest,
  options: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void },
): Promise<Within> {
  const outside = new Map<string, number>();
  let outsideRecordings = 0;
  const material = await calibrationMaterial(model, items, seed, {
    ...options,
    keep: ({ item, result: { analysis } }) => {
      const measured = analysis === null ? [] : unmetConditions(plan.conditions, { ...analysis, ...analysis.audio });
      const unmet = [...measured.map(({ condition }) => condition), ...statedOtherwise(plan.conditions, item)];
      for (const condition of unmet) outside.set(condition, (outside.get(condition) ?? 0) + 1);
      if (unmet.length > 0) outsideRecordings++;
      return unmet.length === 0;
    },
  });
  mustBeUnheard(model.card, material);
  return { material, outside, outsideRecordings };
}

/** Figures of recordings under calibrations that were fitted without them, and what the plan's criteria say of them. */
function measure(card: Card, material: CalibrationMaterial, request: ValidationRequest) {
  const { plan } = request.stated;
  const { count, cardOf, units } = foldCalibrations(card, material, plan.folds, request);
  const evaluated = evaluateTrials(card, material.trials, {
    cardOf: ({ file }) => cardOf(file),
    replicates: request.replicates,
  });
  const findings = findingTable(
    material.recordings.map(({ judged, file, ...labelled }) => ({
      ...labelled,
      finding: judged && findingUnder(cardOf(file), judged),
    })),
  );
  // What could not be read was measured under no condition: it is counted by itself.
  const ofClass = (bonafide: boolean): number =>
    material.recordings.filter((one) => one.judged !== null && one.bonafide === bonafide).length;
  const [bonafide, spoof] = [ofClass(true), ofClass(false)];
  const figures = figuresOf(evaluated);
  const criteria = judgeCriteria(plan.acceptance, { figures, findings, recordings: Math.min(bonafide, spoof) });
  return { folds: count, units, evaluated, findings, bonafide, spoof, figures, criteria };
}

type Measured = ReturnType<typeof measure>;

function recordOf(
  { id, statedAt, plan, planSha256, model }: StoredValidation,
  { material, outside, outsideRecordings }: Within,
  { folds, units, findings, bonafide, spoof, figures, criteria }: Measured,
  asked: Pick<ValidationRequest, 'dataset' | 'split' | 'examiner'> & { application: string; files: Card['files'] },
): Omit<UnsignedValidationRecord, 'earlier'> {
  const { dataset, split, examiner, application, files } = asked;
  return {
    format: 1,
    id,
    plan,
    planSha256,
    statedAt,
    endedAt: new Date().toISOString(),
    examiner,
    application,
    model: { ...model, files },
    data: {
      dataset,
      split,
      bonafide,
      spoof,
      unit: units.unit,
      bonafideUnits: units.bonafide,
      spoofUnits: units.spoof,
      manifestSha256: manifestHash(material),
      outside: [...outside].map(([condition, recordings]) => ({ condition, recordings })),
      outsideRecordings,
      failed: material.recordings.filter(({ judged }) => judged === null).length,
    },
    folds,
    figures,
    findings,
    criteria,
    met: criteria.every((criterion) => criterion.met),
  };
}

/** The model's card, calibrated on all recordings and validated for the plan's conditions. */
function validatedCard(
  before: Card,
  material: CalibrationMaterial,
  { evaluated, findings }: Measured,
  asked: ValidationRequest & { application: string; record: ValidationRecord; bytes: Buffer },
): Card {
  const { dataset, split, application, notes, name, record, bytes, stated } = asked;
  const { plan } = stated;
  const made = { dataset, split, application, maximumErrorRate: plan.errorRate, notes };
  const recalibrated = recalibratedCard(before, material, { ...made, ...(name === undefined ? {} : { name }) });
  return {
    ...recalibrated,
    status: 'validated',
    validation: {
      laboratory: plan.laboratory,
      conditions: plan.conditions.description,
      date: record.endedAt,
      dataset,
      split,
      limits: plan.conditions,
      record: sha256(bytes),
    },
    // Out of fold, as the record has them.
    figures: withFigures(recalibrated.figures, splitFigures(dataset, split, evaluated)),
    records: [{ dataset, split, calibratedOn: false, ...findings }],
  };
}

interface Named {
  source?: string | null | undefined;
  speaker?: string | null | undefined;
}

/** By what recordings are kept in one fold: what counts as one observation. Those that do not name theirs stay together. */
function foldKeyOf(unit: UnitName): (named: Named & { file: string }) => string {
  return ({ file, source, speaker }) => {
    if (unit === 'files') return file;
    if (unit === 'sources') return source ?? '';
    return speaker ? JSON.stringify([source ?? null, speaker]) : '';
  };
}

/**
 * Calibrations of the recordings outside of each fold.
 * @returns of a recording, by its id, the card under which it is judged
 * @throws UserFacingError `dataset` where they cannot be divided so that both classes are in every calibration
 */
function foldCalibrations(
  card: Card,
  { trials, concatenations, recordings }: CalibrationMaterial,
  wanted: number,
  { dataset, split, seed, stated }: Pick<ValidationRequest, 'dataset' | 'split' | 'seed' | 'stated'>,
): { count: number; units: CountedUnits; cardOf: (file: string) => Card } {
  const units = countUnits(trials);
  const { unit } = units;
  const keyOf = foldKeyOf(unit);
  const items = recordings.map(({ file, bonafide, source, speaker }) => ({
    id: file,
    label: bonafide ? ('bonafide' as const) : ('spoof' as const),
    source,
    speaker,
  }));
  const folds = sourceFolds(items, wanted, seed, ({ id, ...named }) => keyOf({ file: id, ...named }));
  const foldOf = new Map(folds.flatMap((fold, index) => fold.map(({ id }) => [id, index])));
  const foldOfKey = new Map(recordings.map((one) => [keyOf(one), foldOf.get(one.file)]));
  const cards = folds.map((_, fold) => {
    const rest = trials.filter(({ file }) => foldOf.get(file) !== fold);
    if (folds.length < 2 || new Set(rest.map(({ bonafide }) => bonafide)).size < 2) {
      throw new UserFacingError(
        'dataset',
        `The ${recordings.length} recordings within the conditions cannot be divided by ${unit} so that each part leaves both classes to calibrate on.`,
        {
          advice: 'Add recordings of further speakers or sources, name these in the dataset, or widen the conditions.',
        },
      );
    }
    // Put together of several recordings, they stand in the fold of their speaker or source, and in several where files count.
    const others = concatenations.filter((one: Trial) => unit !== 'files' && foldOfKey.get(keyOf(one)) !== fold);
    const calibration = calibrate(rest, {
      dataset,
      split,
      concatenations: others,
      maximumRate: stated.plan.errorRate,
      folds: folds.length,
    });
    return { ...card, status: 'validated' as const, uncalibrated: undefined, calibration };
  });
  return { count: folds.length, units, cardOf: (file) => cards[foldOf.get(file) as number] };
}

function figuresOf({ metrics, calibrated, resampled }: EvaluatedTrials): UnsignedValidationRecord['figures'] {
  const scores = resampled?.scores.intervals ?? {};
  const ratios = resampled?.likelihoodRatios.intervals ?? {};
  const figure = (
    value: number,
    interval: [number, number] | undefined,
  ): UnsignedValidationRecord['figures']['eer'] => ({
    value,
    interval: interval && interval.every(Number.isFinite) ? interval : null,
  });
  return {
    eer: figure(metrics.eer, scores.eer),
    auc: figure(metrics.auc, scores.auc),
    cllrBits: figure(calibrated.cllrBits, ratios.cllrBits),
    minCllrBits: figure(calibrated.minCllrBits, ratios.minCllrBits),
    expectedCalibrationError: figure(calibrated.calibration.expectedCalibrationError, ratios.expectedCalibrationError),
  };
}

function manifestHash({ recordings, sha256: hashes }: CalibrationMaterial): string {
  const lines = recordings.map(({ bonafide }, index) => `${hashes[index] ?? ''} ${bonafide ? 'bonafide' : 'spoof'}\n`);
  return sha256(lines.sort().join(''));
}
