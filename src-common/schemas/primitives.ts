// Times are ISO 8601 in UTC.
import { z } from 'zod';

export const time = z.string();
export const seconds = z.number().nonnegative();
export const caseId = z.uuid();
export const evidenceId = z.int().positive();
export const text = z.string().max(100_000);
export const name = z.string().trim().min(1).max(500);
export const path = z.string().min(1).max(32_768);
