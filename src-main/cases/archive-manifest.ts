/** What an exported case says of itself: a zip of the database, the copies of evidence and this manifest with the hash of each. */
import { z } from 'zod';
import { sha256Schema as sha256 } from '../../src-common/hashes.ts';

export const manifestName = 'manifest.json';
export const manifestSchema = z.object({
  archive: z.literal('earwitness case'),
  format: z.literal(1),
  application: z.string().regex(/^[\x20-\x7e]{1,100}$/),
  time: z.iso.datetime(),
  caseId: z.uuid(),
  number: z.string(),
  head: z.object({ rows: z.int().positive(), hash: sha256 }),
  files: z.array(z.object({ path: z.string(), sizeBytes: z.int().nonnegative(), sha256 })),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** All that its files take, unpacked. */
export const unpackedBytes = ({ files }: Manifest): number => files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

/** What is reported while an archive is written or read. */
export interface ArchiveProgress {
  onProgress?: (doneBytes: number, totalBytes: number) => void;
  signal?: AbortSignal;
}
