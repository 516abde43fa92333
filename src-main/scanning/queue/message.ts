/** What travels through the queue: batches of files, and what became of them. */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { z } from 'zod';
import { sha256Schema } from '../../../src-common/hashes.ts';

import type { ScanResult } from '../scan-files.ts';
import type { FileReading } from '../score.ts';
import { scoredBySchema } from './facts.ts';

/** More than any batch comes to. */
const mostBytes = 512 * 1024 ** 2;

const readingSchema = z.object({
  stream: z.int().nonnegative().optional(),
  channel: z.union([z.enum(['mix', 'left', 'right', 'each', 'auto']), z.int().positive()]).optional(),
  readAll: z.boolean().optional(),
});

const fileSchema = z.object({
  path: z.string(),
  /** Its name as base64 where it is not UTF-8. */
  name: z.base64().nullable(),
  found: z.boolean(),
  reading: readingSchema,
  /** As it was when it was sent. */
  sha256: sha256Schema,
});
export type SentFile = z.infer<typeof fileSchema>;

const resultSchema = z.object({
  path: z.string(),
  sha256: sha256Schema.nullable(),
  // Made by the same version of the same program, as the rest of it is.
  analysis: z.record(z.string(), z.unknown()).nullable(),
  further: z.array(z.record(z.string(), z.unknown())).optional(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  passedOver: z.boolean(),
  file: z.object({ size: z.number(), mtimeMs: z.number() }).nullable(),
  unchanged: z.boolean(),
});

/** A file that is not at the worker what it was when it was sent. */
const differsSchema = z.object({ differs: z.literal(true), sha256: sha256Schema.nullable(), why: z.string() });

const answerSchema = z.union([differsSchema, resultSchema]);
/** What became of a file: its result, or that it is another one there. */
export type Answer = z.infer<typeof differsSchema> | ScanResult;

export const batchSchema = z.object({ batch: z.uuid(), packed: z.string() });
export const replySchema = batchSchema.extend({ by: scoredBySchema });

/** JSON in a column of JSON would come back with its members in another order, and cannot hold every name of a file. */
function packed(value: unknown): string {
  return deflateRawSync(JSON.stringify(value), { level: 1 }).toString('base64');
}

function unpacked(text: string): unknown {
  return JSON.parse(inflateRawSync(Buffer.from(text, 'base64'), { maxOutputLength: mostBytes }).toString('utf8'));
}

export function packFiles(files: readonly SentFile[]): string {
  return packed(files);
}

/** @throws ZodError, SyntaxError, RangeError for what is no batch. */
export function unpackFiles(text: string): (Omit<SentFile, 'reading'> & { reading: FileReading })[] {
  return z.array(fileSchema).max(10_000).parse(unpacked(text));
}

export function packAnswers(answers: readonly Answer[]): string {
  return packed(answers);
}

/** @throws ZodError, SyntaxError, RangeError for what is no reply, or not to so many files. */
export function unpackAnswers(text: string, count: number): Answer[] {
  return z.array(answerSchema).length(count).parse(unpacked(text)) as Answer[];
}
