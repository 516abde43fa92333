import { z } from 'zod';
import { sha256Schema as sha256 } from '../../src-common/hashes.ts';
import {
  caseDetailsSchema,
  caseStateSchema,
  caseSummarySchema,
  caseViewSchema,
} from '../../src-common/schemas/case.ts';
import { continuationSchema, custodyRowSchema, verificationSchema } from '../../src-common/schemas/custody.ts';
import { caseId, evidenceId, path, text } from '../../src-common/schemas/primitives.ts';
import { spectrogramSettingsSchema } from '../../src-common/schemas/spectrogram.ts';
import { inCase, jobStarted, nothing, out, procedure } from './procedure.ts';

/** Of a key, as a person writes it down. */
const fingerprint = z.string().trim().min(1).max(200);

/** Of the custody log, where an edit stands. */
const row = z.int().optional();
const edit = z.object({ row: z.int(), summary: z.string() }).nullable();

export const cases = {
  list: procedure
    .input(z.object({ search: z.string().max(1000).default(''), archived: z.boolean().default(false) }))
    .output(z.array(caseSummarySchema)),
  create: procedure
    .input(caseDetailsSchema.partial().required({ number: true, title: true }).extend({ folder: path.optional() }))
    .output(caseViewSchema),
  open: procedure.input(inCase).output(caseViewSchema),
  /** A look at files that are in no case, which is gone when it is left; they are scanned at once. */
  quickLook: procedure
    .input(z.object({ paths: z.array(path).min(1).max(1000) }))
    .output(z.object({ view: caseViewSchema, jobId: z.string() })),
  /** Has a case take in what is looked at, with its marks, notes and tags. */
  takeLook: procedure.input(inCase.extend({ into: caseId })).output(jobStarted),
  /** A case folder that is not in the list. */
  openFolder: procedure.input(z.object({ folder: path })).output(caseViewSchema),
  get: procedure.input(inCase).output(caseViewSchema),
  close: procedure.input(inCase).output(nothing),
  update: procedure.input(inCase.extend({ details: caseDetailsSchema.partial() })).output(caseViewSchema),
  /** The row of the log of the latest edit since the case was opened that is not undone. */
  latestEdit: procedure.input(inCase).output(z.object({ row: z.int().nullable() })),
  /** Takes back the latest edit since the case was opened, if it is that of the row; answers what it was, null where nothing is left. */
  undo: procedure.input(inCase.extend({ row })).output(z.object({ undone: edit })),
  /** Does again what was undone last. */
  redo: procedure.input(inCase.extend({ row })).output(z.object({ redone: edit })),
  setState: procedure.input(inCase.extend({ state: caseStateSchema })).output(caseViewSchema),
  /** Keeps how its spectrograms are made and shown; null: as everywhere. */
  setSpectrogram: procedure.input(inCase.extend({ settings: spectrogramSettingsSchema.nullable() })).output(nothing),
  /** Leaves a trace in the data folder: number, head, who, when and why. */
  delete: procedure.input(inCase.extend({ confirmNumber: z.string(), reason: text })).output(nothing),
  export: procedure.input(inCase.extend({ out })).output(jobStarted),
  /** @param signer fingerprint of the key that a person accepts as the one that went on with the case */
  import: procedure.input(z.object({ path, signer: fingerprint.optional() })).output(jobStarted),
  /** Of a case that another installation went on with, which is open for reading only. */
  continuation: procedure.input(inCase).output(continuationSchema),
  /** Goes on with such a case, which its log then notes; refused unless the fingerprint is that of the key that signed it. */
  accept: procedure.input(inCase.extend({ signer: fingerprint })).output(caseViewSchema),
  verify: procedure.input(inCase.extend({ expectHead: sha256.optional() })).output(verificationSchema),
  log: procedure
    .input(
      inCase.extend({
        evidenceId: evidenceId.optional(),
        offset: z.int().nonnegative().default(0),
        limit: z.int().positive().max(1000).default(200),
      }),
    )
    .output(z.object({ total: z.int(), rows: z.array(custodyRowSchema) })),
};
