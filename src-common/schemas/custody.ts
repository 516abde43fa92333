import { z } from 'zod';
import { sha256Schema as sha256 } from '../hashes.ts';
import { evidenceId, time } from './primitives.ts';

export const custodyHeadSchema = z.object({ rows: z.int(), hash: sha256 });
export type CustodyHead = z.infer<typeof custodyHeadSchema>;

export const custodyRowSchema = z.object({
  position: z.int().positive(),
  time,
  actor: z.string(),
  /** `case-created`, `opened`, `evidence-added`, `scanned`, `examined`, `exported`, `report-issued`, `deleted` … */
  action: z.string(),
  evidenceId: evidenceId.nullable(),
  /** One plain sentence. */
  summary: z.string(),
  details: z.record(z.string(), z.unknown()),
  hash: sha256,
});
export type CustodyRow = z.infer<typeof custodyRowSchema>;

/** Who went on with a case elsewhere, and with which rows: for a person to accept or not. */
export const continuationSchema = z.object({
  number: z.string(),
  /** Of the key that signed the head. */
  fingerprint: z.string(),
  /** Rows of the log that this installation has seen, and all. */
  seen: z.int(),
  rows: z.int(),
  /** The latest that it has not seen, the latest first. */
  since: z.array(custodyRowSchema),
});
export type Continuation = z.infer<typeof continuationSchema>;

/** A time stamp of a log by an authority that is accepted here. */
export const anchorSchema = z.object({
  /** The row up to which it reaches. */
  rows: z.int().positive(),
  time,
  /** Under which name the authority was accepted. */
  by: z.string(),
});
export type Anchor = z.infer<typeof anchorSchema>;

export const verificationSchema = z.object({
  /** Both verdicts: the case is whole, and whose signature it bears is known. */
  intact: z.boolean(),
  /** Whether log, files, results and reports are what they were. */
  integrity: z.boolean(),
  /**
   * Whose signature the head bears: `known` here (this installation's among them), `unknown` here, `replaced`: by another key than this
   * case was signed with so far, or than was expected; `unsigned` where no signature holds.
   */
  signer: z.object({
    verdict: z.enum(['known', 'unknown', 'replaced', 'unsigned']),
    /** Of the key, in short. */
    fingerprint: z.string().nullable(),
    sentence: z.string(),
  }),
  time,
  head: custodyHeadSchema,
  /** The time stamp that holds and reaches farthest; null where nothing of the log is stamped by an authority that is accepted here. */
  anchored: anchorSchema.nullable(),
  /** Each thing that was checked, whether it holds, and what is wrong where it does not. */
  checks: z.array(
    z.object({
      subject: z.enum(['chain', 'signature', 'head', 'evidence', 'result', 'report', 'database', 'time', 'anchor']),
      name: z.string(),
      holds: z.boolean(),
      /** True where it holds, and is to be known all the same. */
      remark: z.boolean().optional(),
      sentence: z.string(),
    }),
  ),
});
export type Verification = z.infer<typeof verificationSchema>;
