import { createHash } from 'node:crypto';
import { appendFile, readFile, rm, stat, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { UserFacingError } from '../base/errors.ts';
import { ensureFolder, unwritable, writeFileWhole } from '../base/files.ts';
import { findings } from '../../src-common/findings.ts';

/** What the model said of one recording in one degradation. */
const outcomeSchema = z.object({
  score: z.number().nullable(),
  members: z.array(z.number().nullable()).optional(),
  llr: z.number().nullable(),
  finding: z.enum(findings).nullable(),
  /** Codes of what forbids a finding. */
  reasons: z.array(z.string()),
  speechSeconds: z.number().nullable(),
  /** As measured on the copy; null where it could not be read. */
  quality: z
    .object({
      activeSeconds: z.number(),
      snrDb: z.number().nullable(),
      effectiveBandwidthHz: z.number().nullable(),
      clippedFraction: z.number(),
    })
    .nullable(),
  /** Of the model, where it spoke. */
  companion: z.object({ name: z.string(), sha256: z.string() }).optional(),
  /** What the heads of networks judged by, by member; where that was asked for. */
  embeddings: z.record(z.string(), z.array(z.number())).optional(),
  error: z.string().nullable(),
});
export type DegradedOutcome = z.infer<typeof outcomeSchema>;

const lineSchema = z.object({ in: z.string(), id: z.string(), outcome: outcomeSchema });

/** What must be the same for results from before to be taken over. */
export interface RobustnessIdentity {
  application: string;
  modelSha256: string;
  cardSha256: string;
  dataset: string;
  split: string;
  recordingsSha256: string;
  seed: number;
  /** Whether companions of the model speak of what is theirs. */
  companions: boolean;
}

/** Hash of anything that can be written as JSON. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

/** Results of an unfinished measurement, a line for each recording in each degradation, so that it can be gone on with. */
export class RobustnessJournal {
  readonly #path: string;
  readonly #known: Map<string, DegradedOutcome>;

  private constructor(path: string, known: Map<string, DegradedOutcome>) {
    this.#path = path;
    this.#known = known;
  }

  /**
   * @throws UserFacingError `usage` where one stands that is not to be gone on with, or is of another measurement;
   * `unwritable`.
   */
  static async open(path: string, identity: RobustnessIdentity, resume: boolean): Promise<RobustnessJournal> {
    const header = JSON.stringify({ journal: 'earwitness robustness', format: 2, ...identity });
    const text = await readFile(path, 'utf8').catch(() => null);
    if (text !== null && !resume) {
      throw new UserFacingError('usage', `${path} is left from a measurement that was interrupted.`, {
        path,
        advice: 'Go on with it by --resume, or remove it.',
      });
    }
    if (text === null) {
      await writeFileWhole(path, `${header}\n`);
      return new RobustnessJournal(path, new Map());
    }
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const [first, ...lines] = whole.split('\n').slice(0, -1);
    if (first !== header) {
      throw new UserFacingError('usage', `${path} is of a measurement that differs from this one.`, {
        path,
        advice: 'Measure with the model, dataset, split and seed that it was begun with, or remove it to begin anew.',
      });
    }
    const known = new Map<string, DegradedOutcome>();
    for (const line of lines) {
      const { in: name, id, outcome } = lineSchema.parse(JSON.parse(line));
      known.set(keyOf(name, id), outcome);
    }
    // A last line that was torn is cut off.
    if ((await stat(path)).size > Buffer.byteLength(whole)) await truncate(path, Buffer.byteLength(whole));
    return new RobustnessJournal(path, known);
  }

  /** Removes one that is not to be gone on with. */
  static async discard(path: string): Promise<void> {
    await rm(path, { force: true });
  }

  /** @param name of the degradation; empty for the recording as it is */
  get(name: string, id: string): DegradedOutcome | null {
    return this.#known.get(keyOf(name, id)) ?? null;
  }

  /** @throws UserFacingError `unwritable` */
  async add(name: string, outcomes: readonly (readonly [id: string, outcome: DegradedOutcome])[]): Promise<void> {
    const lines = outcomes.map(([id, outcome]) => `${JSON.stringify({ in: name, id, outcome })}\n`);
    try {
      await ensureFolder(dirname(this.#path));
      await appendFile(this.#path, lines.join(''), { flush: true });
    } catch (error) {
      throw unwritable(this.#path, error);
    }
    for (const [id, outcome] of outcomes) this.#known.set(keyOf(name, id), outcome);
  }

  /** Removes it: the measurement is finished. */
  async remove(): Promise<void> {
    await RobustnessJournal.discard(this.#path);
  }
}

/** Where a measurement into a folder keeps its journal. */
export function journalPath(folder: string): string {
  return join(folder, 'robustness.journal');
}

function keyOf(name: string, id: string): string {
  return `${name}\n${id}`;
}
