import { z } from 'zod';
import { findingRecordSchema } from './finding-record.ts';
import { sha256Schema as sha256 } from '../hashes.ts';
import { path, time } from './primitives.ts';
import { userErrorSchema } from './user-error.ts';

/** Figures of one split, at the threshold fixed on dev. */
export const splitFiguresSchema = z.object({
  dataset: z.string(),
  split: z.string(),
  bonafide: z.int(),
  spoof: z.int(),
  eer: z.number(),
  auc: z.number(),
  averagePrecisionBonafide: z.number(),
  averagePrecisionSpoof: z.number(),
  accuracy: z.number(),
  cllrBits: z.number(),
  minCllrBits: z.number(),
});

export const modelSummarySchema = z.object({
  /** Folder name in the data folder, or `default` or `fast` for those that ship. */
  id: z.string(),
  name: z.string(),
  status: z.enum(['screening', 'validated']),
  createdAt: time,
  network: z.string(),
  frontEnd: z.string(),
  onnxSha256: sha256,
  isDefault: z.boolean(),
  ships: z.boolean(),
  devEer: z.number().nullable(),
  testEer: z.number().nullable(),
  problem: userErrorSchema.nullable(),
  /** Why another model speaks in its place, as a sentence; null where it speaks itself. */
  otherSpeaks: z.string().nullable(),
});
export type ModelSummary = z.infer<typeof modelSummarySchema>;

export const modelSchema = modelSummarySchema.extend({
  folder: path,
  figures: z.array(splitFiguresSchema),
  /** How often its findings were right, by split. */
  records: z.array(findingRecordSchema),
  notes: z.array(z.string()),
  /** Models that speak in its place of recordings of a condition, which `condition` says in words: "recordings …". */
  companions: z.array(
    z.object({
      name: z.string(),
      sha256,
      condition: z.string(),
      figures: z.array(splitFiguresSchema),
      records: z.array(findingRecordSchema),
    }),
  ),
  /** The whole card, as it lies on disk. */
  card: z.record(z.string(), z.unknown()),
});
export type Model = z.infer<typeof modelSchema>;
