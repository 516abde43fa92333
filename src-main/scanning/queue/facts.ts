/** What a scan asks of those who score for it, and what a worker is. */
import { arch, hostname, platform } from 'node:os';
import { z } from 'zod';
import { allowable } from '../../../src-common/queue.ts';
import type { Allowable } from '../../../src-common/queue.ts';
import { usedFfmpeg } from '../../audio/used-ffmpeg.ts';
import { processorName } from '../../base/processor.ts';
import { sha256 } from '../../base/sha256.ts';
import { applicationName } from '../../base/version.ts';
import type { Card } from '../../detector/card.ts';
import type { StoredModel } from '../../detector/store.ts';
import { backendHere, platformHere } from '../../reports/scan-results.ts';

const madeSchema = z.object({
  application: z.string(),
  backend: z.string(),
  ffmpeg: z.object({ version: z.string(), sha256: z.string() }).nullable(),
});
/** What makes results besides the model. */
export type Made = z.infer<typeof madeSchema>;

/** What made a worker's results. */
export const scoredBySchema = madeSchema.extend({
  platform: z.string().max(1000),
  /** Its machine in a line, as `describeWorker` gives it. */
  worker: z.string().max(4000),
});
export type ScoredBy = z.infer<typeof scoredBySchema>;

/** `insteadOf`: as a model's; every result says it. */
const modelSchema = z.object({
  name: z.string(),
  onnxSha256: z.string(),
  cardSha256: z.string(),
  insteadOf: z.string().nullable(),
});
type ModelFacts = z.infer<typeof modelSchema>;

/** What a running scan says of itself to workers. */
export const scanSchema = z.object({
  /** The machine that it is run from. */
  host: z.string(),
  begun: z.string(),
  made: madeSchema,
  model: modelSchema,
  allow: z.array(z.enum(allowable)),
  limitSeconds: z.number().nullable(),
  /** A file of its evidence, which a worker has to see as it is seen there. */
  probe: z.object({ path: z.string(), name: z.string().nullable(), sha256: z.string() }).nullable(),
});
export type ScanFacts = z.infer<typeof scanSchema>;

/** What a worker says of itself. */
export const workerSchema = z.object({
  name: z.string(),
  host: z.string(),
  pid: z.number(),
  threads: z.number(),
  description: z.string(),
  done: z.number(),
  scan: z.uuid().nullable(),
  /** Scans that it does not take part in, with why. */
  refuses: z.record(z.string(), z.string()),
});
export type WorkerFacts = z.infer<typeof workerSchema>;

export function cardSha256(card: Card): string {
  return sha256(JSON.stringify(card));
}

export function modelFacts({ card, onnxSha256, insteadOf }: StoredModel): ModelFacts {
  return { name: card.name, onnxSha256, cardSha256: cardSha256(card), insteadOf: insteadOf ?? null };
}

/** What would make results here. */
export async function madeHere(): Promise<Made> {
  return { application: applicationName(), backend: backendHere(), ffmpeg: await usedFfmpeg() };
}

function ffmpegWords(ffmpeg: Made['ffmpeg']): string {
  return ffmpeg === null ? 'none' : `${ffmpeg.version} (${ffmpeg.sha256.slice(0, 12)})`;
}

/** One machine's way to make results, in a line that rows can name: all processes of it that differ in nothing say the same. */
export function describeWorker(name: string, { application, backend, ffmpeg }: Made): string {
  const system = `${platform()} ${arch()}, ${processorName()}, Node ${process.versions.node}`;
  return `${name}: ${system}; ${application}; ${backend}; ffmpeg ${ffmpegWords(ffmpeg)}`;
}

/** What makes results here, by the name that this machine has in them. */
export function scoredBy(name: string, made: Made): ScoredBy {
  return { ...made, platform: platformHere(), worker: describeWorker(name, made) };
}

/** What this machine calls itself where no other name is given. */
export function machineName(): string {
  return hostname();
}

/** In what a worker differs from what a scan asks for, in words; what is allowed to differ left out. */
export function differences({ made, allow }: Pick<ScanFacts, 'made' | 'allow'>, here: Made): string[] {
  const found: string[] = [];
  const compare = (what: Allowable, name: string, there: string, own: string): void => {
    if (there !== own && !allow.includes(what)) found.push(`${name} is ${own} here and ${there} there`);
  };
  compare('application', 'the application', made.application, here.application);
  compare('backend', 'the backend', made.backend, here.backend);
  compare('ffmpeg', 'ffmpeg', ffmpegWords(made.ffmpeg), ffmpegWords(here.ffmpeg));
  return found;
}
