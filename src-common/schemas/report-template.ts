/** A laboratory's template for reports: who it is, under which accreditation and procedure it works, and in which words. */
import { z } from 'zod';
import { sha256Schema as sha256 } from '../hashes.ts';
import { settingsSchema } from './settings.ts';

/** A picture with what it is, in base64. */
const imageSchema = z.strictObject({
  type: z.enum(['image/png', 'image/jpeg']),
  base64: z.base64().max(1_400_000),
});
export type TemplateImage = z.infer<typeof imageSchema>;

const line = z.string().trim().max(500);
const words = z.string().trim().max(10_000);

export const reportTemplateSchema = z.strictObject({
  format: z.literal('earwitness report template'),
  version: z.literal(1),
  /** By which it is chosen, and named in reports. */
  name: z.string().trim().min(1).max(80),
  /** Empty: as the settings say. */
  laboratory: line.default(''),
  laboratoryAddress: words.default(''),
  logo: imageSchema.nullable().default(null),
  /** By whom and under which number; the mark stands with it. */
  accreditation: line.default(''),
  accreditationMark: imageSchema.nullable().default(null),
  /** Number of the procedure by which the laboratory works. */
  procedure: line.default(''),
  /** Stands where no other method is given with the report. */
  method: words.default(''),
  /** Below the title, and before the signature. */
  opening: words.default(''),
  closing: words.default(''),
  statementOfTruth: words.default(''),
  /** On every page. */
  footer: line.default(''),
  /** What technical reviewers go through; absent: the program's own points. */
  reviewChecklist: z.array(line.min(1)).min(1).max(40).optional(),
  /** Null: as the settings say. */
  verbalScale: settingsSchema.shape.verbalScale.unwrap().min(1).nullable().default(null),
  font: z.enum(['sans', 'serif']).default('sans'),
});
export type ReportTemplate = z.infer<typeof reportTemplateSchema>;

/** A template that is kept, with the SHA-256 of its canonical JSON, as reports name it. */
export const keptTemplateSchema = z.object({ template: reportTemplateSchema, sha256 });
export type KeptTemplate = z.infer<typeof keptTemplateSchema>;
