/** What procedures of all domains are made of. */
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { caseId, evidenceId, path } from '../../src-common/schemas/primitives.ts';
import { userErrorSchema } from '../../src-common/schemas/user-error.ts';

export const procedure = oc.errors({ USER: { status: 422, data: userErrorSchema } });
export const jobStarted = z.object({ jobId: z.string() });

/** Where an output goes: a path on the engine's machine, or (null) a resource to download. */
export const out = path.nullable().default(null);

export const output = z.object({ path: path.nullable(), resource: z.string().nullable(), sizeBytes: z.number() });
export const inCase = z.object({ caseId });
export const inEvidence = z.object({ caseId, evidenceId });
export const nothing = z.object({});
