/** The side of a queue that scores: takes batches of files from scans that suit it, and replies. */
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sha256File } from '../../audio/hash.ts';
import { describeError } from '../../base/errors.ts';
import { dataFolder } from '../../base/home.ts';
import { withOpenablePath } from '../../base/openable-path.ts';
import { identityOf, readCard, readModel, shippedModelFolder, shippedModels } from '../../detector/store.ts';
import type { StoredModel } from '../../detector/store.ts';
import { Scorer, requestsAhead } from '../scan-files.ts';
import type { ScoreRequest } from '../score.ts';
import type { QueueAddress } from './address.ts';
import { Queue, touchMilliseconds } from './connection.ts';
import type { Taken } from './connection.ts';
import { cardSha256, differences, scanSchema, scoredBy } from './facts.ts';
import type { Made, ScanFacts, ScoredBy, WorkerFacts } from './facts.ts';
import { batchSchema, packAnswers, unpackFiles } from './message.ts';
import type { Answer, SentFile } from './message.ts';

export interface WorkOptions {
  /** What this machine is called in results. */
  name: string;
  made: Made;
  /** Files at a time. */
  threads: number;
  /** Folders of models to score with, besides those that ship and those of the data folder. */
  models: readonly string[];
  /** Ends after so long without work; else never. */
  idleSeconds?: number;
  signal: AbortSignal;
  onNotice: (text: string) => void;
  onProgress: (done: number) => void;
}

/** A scan whose coordinator has not been heard of for so long gets nothing more. */
const scanSeconds = 30;
const pollMilliseconds = 100;
const idleMilliseconds = 1000;
/** What a scan was refused for may have changed by then: a drive that is there now. */
const refusalMilliseconds = 2 * touchMilliseconds;

interface Scan {
  id: string;
  facts: ScanFacts;
}

/**
 * Works for the scans of a queue until the signal fires (what is in hand is given back then) or there was nothing to do for long enough.
 * @returns how many files it has answered
 * @throws UserFacingError `queue`; bugs
 */
export async function workForQueue(address: QueueAddress, options: WorkOptions): Promise<number> {
  const queue = await Queue.open(address, { supervises: false, ...options });
  const worker = new QueueWorker(queue, options);
  try {
    return await worker.run();
  } finally {
    await worker.close();
  }
}

class QueueWorker {
  readonly #id = randomUUID();
  readonly #queue: Queue;
  readonly #options: WorkOptions;
  readonly #by: ScoredBy;
  readonly #refused = new Map<string, { why: string; at: number }>();
  readonly #inHand = new Map<string, Taken>();
  #scorer: { key: string; scorer: Scorer } | null = null;
  #model: { key: string; model: StoredModel } | null = null;
  #scan: string | null = null;
  #files = 0;
  #done = 0;
  #beat: NodeJS.Timeout | undefined;

  constructor(queue: Queue, options: WorkOptions) {
    this.#queue = queue;
    this.#options = options;
    this.#by = scoredBy(options.name, options.made);
  }

  async run(): Promise<number> {
    const { signal, idleSeconds = Infinity } = this.#options;
    await this.#queue.lasting(() => this.#announce());
    this.#beat = setInterval(() => void this.#keepUp().catch(() => undefined), touchMilliseconds);
    let idleSince = performance.now();
    try {
      while (performance.now() - idleSince < 1000 * idleSeconds) {
        let took = false;
        for (const scan of await this.#queue.lasting(() => this.#scans())) {
          if (await this.#suits(scan)) took = (await this.#serve(scan)) || took;
        }
        if (took) idleSince = performance.now();
        else await delay(idleMilliseconds, undefined, { signal });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    return this.#done;
  }

  async close(): Promise<void> {
    clearInterval(this.#beat);
    await this.#scorer?.scorer.close();
    const leave = async (): Promise<void> => {
      if (this.#scan !== null) await this.#queue.release(this.#scan, [...this.#inHand.values()]);
      await this.#queue.leave(this.#id);
    };
    await Promise.race([leave().catch(() => undefined), delay(5000, undefined, { ref: false })]);
    await this.#queue.close();
  }

  /** The scans that are run now, the first first. */
  async #scans(): Promise<Scan[]> {
    const scans: Scan[] = [];
    for (const { id, about } of await this.#queue.present('scan', scanSeconds)) {
      const facts = scanSchema.safeParse(about);
      if (facts.success) scans.push({ id, facts: facts.data });
      else this.#refuse(id, 'it is run by another version of Earwitness');
    }
    return scans.sort((one, other) => one.facts.begun.localeCompare(other.facts.begun));
  }

  async #suits({ id, facts }: Scan): Promise<boolean> {
    const refused = this.#refused.get(id);
    if (refused && performance.now() - refused.at < refusalMilliseconds) return false;
    if (facts.probe === null) return false;
    const why = await this.#refusal(facts);
    if (why === null) this.#refused.delete(id);
    else this.#refuse(id, why, facts.host);
    return why === null;
  }

  /** Why this worker cannot work for a scan; null where it can. */
  async #refusal(facts: ScanFacts): Promise<string | null> {
    const differ = differences(facts, this.#options.made);
    if (differ.length > 0) return `${differ.join(', ')}.`;
    try {
      const model = await this.#modelFor(facts);
      if (model === null) {
        return `it has no model ${facts.model.name} (${facts.model.onnxSha256.slice(0, 12)}): import it here, or name its folder with --model.`;
      }
      if (cardSha256(model.card) !== facts.model.cardSha256) {
        return `the card of its model ${facts.model.name} differs from the one there (calibration, thresholds or status).`;
      }
    } catch (error) {
      return describeError(error);
    }
    const { path, name, sha256 } = facts.probe as NonNullable<ScanFacts['probe']>;
    const seen = await seenSha256({ path, nameBytes: bytesOf(name) });
    if (typeof seen !== 'string') return `it does not reach the evidence: ${describeError(seen.error)}`;
    return seen === sha256
      ? null
      : `${path} is another file there: the evidence has to lie at the same path everywhere.`;
  }

  #refuse(id: string, why: string, host = 'elsewhere'): void {
    if (this.#refused.get(id)?.why !== why) this.#options.onNotice(`Takes no part in the scan from ${host}: ${why}`);
    this.#refused.set(id, { why, at: performance.now() });
  }

  /** The model of a scan, read once. */
  async #modelFor({ model: { onnxSha256, insteadOf } }: ScanFacts): Promise<StoredModel | null> {
    const key = `${onnxSha256} ${insteadOf}`;
    if (this.#model?.key === key) return this.#model.model;
    for (const folder of await modelFolders(this.#options.models)) {
      const card = await readCard(folder).catch(() => null);
      if (card === null || identityOf(card) !== onnxSha256) continue;
      const model = { ...(await readModel(folder)), ...(insteadOf === null ? {} : { insteadOf }) };
      this.#model = { key, model };
      return model;
    }
    return null;
  }

  async #scorerFor(facts: ScanFacts): Promise<Scorer> {
    const { threads: jobs } = this.#options;
    const key = JSON.stringify([facts.model, facts.limitSeconds]);
    if (this.#scorer?.key === key) return this.#scorer.scorer;
    await this.#scorer?.scorer.close();
    const limit = facts.limitSeconds === null ? {} : { limitSeconds: facts.limitSeconds };
    const scorer = new Scorer((await this.#modelFor(facts)) as StoredModel, jobs, { jobs, ...limit });
    this.#scorer = { key, scorer };
    return scorer;
  }

  /** Takes what a scan has for it. @returns whether there was anything */
  async #serve({ id, facts }: Scan): Promise<boolean> {
    const { signal, threads, onNotice } = this.#options;
    let took = false;
    this.#scan = id;
    const pending = new Set<Promise<void>>();
    let failure: unknown = null;
    while (failure === null) {
      if (this.#files < requestsAhead * threads) {
        const [job] = await this.#queue.lasting(() => this.#queue.take(id));
        if (job) {
          if (!took) {
            onNotice(`Works for the scan from ${facts.host}.`);
            this.#queue.lasting(() => this.#announce()).catch(() => undefined);
          }
          took = true;
          const answered = this.#answer(id, job, await this.#scorerFor(facts))
            .catch((error: unknown) => (failure ??= error))
            .then(() => void pending.delete(answered));
          pending.add(answered);
          continue;
        }
        if (pending.size === 0) break;
      }
      await Promise.race([...pending, delay(pollMilliseconds, undefined, { signal })]);
    }
    await Promise.all(pending);
    if (failure !== null) throw failure as Error;
    this.#scan = null;
    return took;
  }

  /** Scores a batch and replies. */
  async #answer(scan: string, job: Taken, scorer: Scorer): Promise<void> {
    const { batch, packed } = batchSchema.parse(job.data);
    const files = unpackFiles(packed);
    this.#inHand.set(job.id, job);
    this.#files += files.length;
    const answers = await Promise.all(
      files.map(async (file) => {
        const answer = await answerOf(scorer, file);
        this.#files--;
        return answer;
      }),
    );
    const data = { batch, by: this.#by, packed: packAnswers(answers) };
    const counts = await this.#queue.lasting(() => this.#queue.reply(scan, job, data));
    this.#inHand.delete(job.id);
    if (!counts) return;
    this.#done += files.length;
    this.#options.onProgress(this.#done);
  }

  async #keepUp(): Promise<void> {
    if (this.#scan !== null) await this.#queue.touch(this.#scan, [...this.#inHand.values()]);
    await this.#announce();
  }

  #announce(): Promise<void> {
    const { name, threads } = this.#options;
    const refuses = Object.fromEntries([...this.#refused].map(([id, { why }]) => [id, why]));
    const about: WorkerFacts = {
      ...{ name, host: hostname(), pid: process.pid, threads, description: this.#by.worker },
      ...{ done: this.#done, scan: this.#scan, refuses },
    };
    return this.#queue.announce(this.#id, 'worker', about);
  }
}

function bytesOf(name: string | null): Uint8Array | null {
  return name === null ? null : Buffer.from(name, 'base64');
}

/** Folders in which a model may lie. */
async function modelFolders(named: readonly string[]): Promise<string[]> {
  const own = join(dataFolder(), 'models');
  const kept = await readdir(own).catch(() => []);
  return [...named, ...shippedModels.map(shippedModelFolder), ...kept.map((name) => join(own, name))];
}

/** A file's hash as it is read here, or what stands in the way. */
async function seenSha256(file: Pick<ScoreRequest, 'path' | 'nameBytes'>): Promise<string | { error: unknown }> {
  return withOpenablePath(file, (path) => sha256File(path)).catch((error: unknown) => ({ error }));
}

/** Scores a file, if it is the one that was sent. */
async function answerOf(scorer: Scorer, { path, name, found, reading, sha256 }: SentFile): Promise<Answer> {
  const request: ScoreRequest = { path, nameBytes: bytesOf(name), found, reading };
  const result = await scorer.score(request);
  // An error says no hash: it may be of another file, or of none.
  const seen = result.sha256 ?? (await seenSha256(request));
  if (seen === sha256) return result;
  if (typeof seen !== 'string') return { differs: true, sha256: null, why: describeError(seen.error) };
  return {
    differs: true,
    sha256: seen,
    why: `its SHA-256 is ${seen.slice(0, 12)} there, ${sha256.slice(0, 12)} here.`,
  };
}
