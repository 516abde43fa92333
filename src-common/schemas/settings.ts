import { z } from 'zod';
import { path, text } from './primitives.ts';
import { backendNameSchema } from './training.ts';

/** ENFSI Guideline for Evaluative Reporting in Forensic Science (2015), 2.4. */
export const enfsiScale: { upTo: number | null; words: string }[] = [
  { upTo: 10, words: 'weak support' },
  { upTo: 100, words: 'moderate support' },
  { upTo: 1000, words: 'moderately strong support' },
  { upTo: 10_000, words: 'strong support' },
  { upTo: 1_000_000, words: 'very strong support' },
  { upTo: null, words: 'extremely strong support' },
];

export const settingsSchema = z.object({
  version: z.literal(1).default(1),
  examiner: text.default(''),
  examinerQualification: text.default(''),
  laboratory: text.default(''),
  laboratoryAddress: text.default(''),
  placeOfWork: text.default(''),
  theme: z.enum(['system', 'light', 'dark']).default('system'),
  defaultModel: z.string().default('default'),
  backend: backendNameSchema.default('auto'),
  /** Files at a time in a scan; null: one for each core. */
  scanJobs: z.int().positive().max(256).nullable().default(null),
  /** Address of the database through which other machines score, without password; empty: none. */
  queue: z.string().max(2000).default(''),
  /** What a scan of a case does where control recordings lie beyond their action limits. */
  controlsBeyond: z.enum(['stop', 'go-on']).default('stop'),
  /** What a case keeps of prepared sound (waveforms, spectrograms, working copies), in megabytes (10^6 bytes). */
  preparedSoundMegabytes: z.int().min(50).max(1_000_000).default(500),
  /** Path of ffmpeg; empty: the one that set-up found. */
  ffmpeg: z.string().default(''),
  /** Where new cases go; empty: in the data folder. */
  casesFolder: z.string().default(''),
  /** Where the file browser may look; empty: the home folder. */
  roots: z.array(path).default([]),
  /** Verbal scale: upper limit of the likelihood ratio and word, ascending; the last has no limit. */
  verbalScale: z
    .array(z.object({ upTo: z.number().positive().nullable(), words: z.string().min(1) }))
    .default(enfsiScale),
  colourMap: z.enum(['magma', 'viridis', 'cividis', 'grey']).default('magma'),
});
export type Settings = z.infer<typeof settingsSchema>;
