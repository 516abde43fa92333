/** A laboratory's validation of a model: its plan (conditions and criteria, stated beforehand), and the signed record of what came out. */
import { z } from 'zod';
import { sha256Schema } from '../hashes.ts';
import { findingTableSchema } from './finding-record.ts';

const rangeSchema = z
  .strictObject({ from: z.number().optional(), to: z.number().optional() })
  .refine(({ from, to }) => from !== undefined || to !== undefined, 'needs "from", "to" or both')
  .refine(({ from = -Infinity, to = Infinity }) => from <= to, '"from" lies above "to"');
export type ConditionRange = z.infer<typeof rangeSchema>;

export const validationConditionsSchema = z.strictObject({
  /** In a sentence, as reports say it. */
  description: z.string().trim().min(1),
  /** What nothing in a recording tells for certain; stated, and for the examiner to check. */
  recordingChain: z.string().trim().min(1).optional(),
  languages: z.array(z.string().trim().min(1)).min(1).optional(),
  /** ffmpeg's names. */
  codecs: z.array(z.string().trim().min(1)).min(1).optional(),
  /** Of the file. */
  sampleRateHz: rangeSchema.optional(),
  /** Up to where its sound reaches. */
  bandwidthHz: rangeSchema.optional(),
  /** Net. */
  speechSeconds: rangeSchema.optional(),
  snrDb: rangeSchema.optional(),
  /** Share of the samples, 0 to 1. */
  clippedFraction: rangeSchema.optional(),
});
export type ValidationConditions = z.infer<typeof validationConditionsSchema>;

const share = z.number().min(0).max(1);
const atMost = (value: z.ZodNumber) => z.strictObject({ atMost: value });
const atLeast = (value: z.ZodNumber) => z.strictObject({ atLeast: value });

const acceptanceSchema = z
  .strictObject({
    eer: atMost(share).optional(),
    auc: atLeast(share).optional(),
    /** Of the likelihood ratios, in bits. */
    cllrBits: atMost(z.number().min(0)).optional(),
    /** Of the bona fide recordings that were assessed, those found synthetic; of such spoofs, those found bona fide. */
    falseSpoof: atMost(share).optional(),
    falseBonafide: atMost(share).optional(),
    /** Of all that were assessed. */
    inconclusive: atMost(share).optional(),
    /** Recordings within the conditions, of each class. */
    recordings: atLeast(z.number().int().min(1)).optional(),
  })
  .refine((criteria) => Object.values(criteria).some((one) => one !== undefined), 'states no criterion');
export type Acceptance = z.infer<typeof acceptanceSchema>;

export const validationPlanSchema = z.strictObject({
  format: z.literal(1),
  laboratory: z.string().trim().min(1),
  title: z.string().trim().min(1),
  /** Number of the laboratory's procedure. */
  procedure: z.string().trim().min(1).optional(),
  conditions: validationConditionsSchema,
  acceptance: acceptanceSchema,
  /** A finding may be wrong in at most this share of recordings of either class (upper 95 % bound); else it is inconclusive. */
  errorRate: z.number().gt(0).lt(0.5).default(0.05),
  /** Parts, by source or speaker, each measured under a calibration that was fitted on the others. */
  folds: z.int().min(2).max(20).default(5),
});
export type ValidationPlan = z.infer<typeof validationPlanSchema>;

const figureSchema = z.object({
  value: z.number(),
  /** 95 %; null where there are too few independent recordings for one. */
  interval: z.tuple([z.number(), z.number()]).nullable(),
});
export type ValidationFigure = z.infer<typeof figureSchema>;

export const criterionSchema = z.object({
  name: z.enum(['eer', 'auc', 'cllrBits', 'falseSpoof', 'falseBonafide', 'inconclusive', 'recordings']),
  asked: z.union([z.object({ atMost: z.number() }), z.object({ atLeast: z.number() })]),
  /** Null where there is nothing that it could be worked out from. */
  value: z.number().nullable(),
  /** The end of its interval that decides; null where there is none, and then it is not met. */
  bound: z.number().nullable(),
  met: z.boolean(),
});
export type Criterion = z.infer<typeof criterionSchema>;

export const unsignedRecordSchema = z.object({
  format: z.literal(1),
  id: z.string(),
  plan: validationPlanSchema,
  /** Of the file that stated it. */
  planSha256: sha256Schema,
  /** ISO 8601; the plan was kept before any recording was scored. */
  statedAt: z.string(),
  endedAt: z.string(),
  examiner: z.string(),
  application: z.string(),
  model: z.object({
    name: z.string(),
    /** What it is known by in results. */
    sha256: sha256Schema,
    files: z.record(z.string(), sha256Schema),
  }),
  data: z.object({
    dataset: z.string(),
    split: z.string(),
    /** Within the conditions. */
    bonafide: z.int(),
    spoof: z.int(),
    unit: z.enum(['sources', 'speakers', 'files']),
    bonafideUnits: z.int(),
    spoofUnits: z.int(),
    /** SHA-256 over the sorted lines `sha256 label` of those. */
    manifestSha256: sha256Schema,
    /** Recordings left out, by the condition that they do not meet; one may lack several. */
    outside: z.array(z.object({ condition: z.string(), recordings: z.int() })),
    outsideRecordings: z.int(),
    /** Could not be read. */
    failed: z.int(),
  }),
  /** Parts that were each measured under the calibration of the others. */
  folds: z.int(),
  figures: z.object({
    eer: figureSchema,
    auc: figureSchema,
    cllrBits: figureSchema,
    minCllrBits: figureSchema,
    expectedCalibrationError: figureSchema,
  }),
  findings: findingTableSchema,
  criteria: z.array(criterionSchema).min(1),
  met: z.boolean(),
  /** Validations of this model on this data that this installation began before, whatever came of them. */
  earlier: z.int().min(0),
});

export const validationRecordSchema = unsignedRecordSchema.extend({
  signature: z.object({ publicKey: z.string(), signature: z.string() }),
});
export type ValidationRecord = z.infer<typeof validationRecordSchema>;
export type UnsignedValidationRecord = z.infer<typeof unsignedRecordSchema>;
