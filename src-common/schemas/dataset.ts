import { z } from 'zod';

export const datasetReportSchema = z.object({
  spec: z.string(),
  layout: z.string(),
  files: z.int(),
  bonafide: z.int(),
  spoof: z.int(),
  totalSeconds: z.number().nullable(),
  splits: z.array(
    z.object({
      split: z.string().nullable(),
      label: z.enum(['bonafide', 'spoof']),
      files: z.int(),
      speakers: z.int().nullable(),
      sources: z.int().nullable(),
      generators: z.int().nullable(),
    }),
  ),
  generators: z.array(z.object({ value: z.string().nullable(), files: z.int() })),
  sources: z.array(z.object({ value: z.string().nullable(), files: z.int() })),
  /** Plain sentences, the gravest first. */
  warnings: z.array(z.string()),
  shortcuts: z.array(
    z.object({ split: z.string().nullable(), property: z.string(), auc: z.number(), sentence: z.string() }),
  ),
  notes: z.array(z.string()),
  problems: z.array(z.object({ path: z.string(), reason: z.string() })),
});
export type DatasetReport = z.infer<typeof datasetReportSchema>;
