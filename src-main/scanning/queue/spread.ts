/** The side of a queue that a scan is run from: sends files, gathers what became of them. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Allowable } from '../../../src-common/queue.ts';
import { displayPath } from '../../base/display-path.ts';
import type { StoredModel } from '../../detector/store.ts';
import { requestsAhead } from '../scan-files.ts';
import type { ScanResult } from '../scan-files.ts';
import { score } from '../score.ts';
import type { KnownFile, ScoreOutcome, ScoreRequest } from '../score.ts';
import type { QueueAddress } from './address.ts';
import { Queue, mostTries, presenceSeconds, touchMilliseconds } from './connection.ts';
import { modelFacts, workerSchema } from './facts.ts';
import type { Made, ScanFacts, ScoredBy } from './facts.ts';
import { batchSchema, packFiles, replySchema, unpackAnswers } from './message.ts';
import type { Answer, SentFile } from './message.ts';

export interface SpreadOptions {
  made: Made;
  /** In what workers may differ from this machine. */
  allow: readonly Allowable[];
  limitSeconds?: number;
  signal: AbortSignal;
  known?: (request: ScoreRequest) => KnownFile | null;
  /** Gets what a person should hear: workers that come, go or take no part, a queue that does not answer. */
  onNotice: (text: string) => void;
  /** Gets who is there, every few seconds. */
  onPresent?: (present: Present) => void;
}

/** `by`: the worker that scored it; absent where no worker did. */
type OnResult = (request: ScoreRequest, result: ScanResult, by?: ScoredBy) => Promise<void>;

/** Those who have been heard of lately. */
export interface Present {
  /** Workers that take part. */
  atWork: number;
  /** Those that do not, with why. */
  refused: { worker: string; why: string }[];
}

/** A file on its way. */
interface Sent {
  request: ScoreRequest;
  /** As it was when it was sent. */
  look: ScoreOutcome & { sha256: string };
  /** Times that a worker had another file in its place. */
  misses: number;
}

/** Batches are so small that the last ones do not keep one worker at it while the others are done. */
const batchFiles = 32;
const batchBytes = 8 * 1024 ** 2;
/** Sent and not yet answered, besides two for each worker. */
const jobsAhead = 4;
const repliesAtOnce = 16;
const pollMilliseconds = 50;
/** So long it is waited before it is said that there is no worker. */
const lonelyMilliseconds = 10_000;

/**
 * Has files scored by the workers of a queue and hands each result over as it comes, in whatever order, each file once. A worker that ends, a server
 * that is started anew, a connection that is cut: what was not answered is scored by another, or later.
 * @param onResult as of `scanAsDone`
 * @throws the signal's reason when it fires; UserFacingError `queue`; what `onResult` throws. What waits in the queue is removed.
 */
export async function scanOverQueue(
  address: QueueAddress,
  model: StoredModel,
  requests: readonly ScoreRequest[],
  onResult: OnResult,
  options: SpreadOptions,
): Promise<void> {
  const queue = await Queue.open(address, { supervises: true, ...options });
  try {
    await queue.lasting(() => queue.clear());
    await new Spread(queue, model, onResult, options).run(requests);
  } finally {
    await queue.close();
  }
}

class Spread {
  readonly #id = randomUUID();
  readonly #queue: Queue;
  readonly #facts: ScanFacts;
  readonly #onResult: OnResult;
  readonly #options: SpreadOptions;
  /** By the number of the batch. */
  readonly #sent = new Map<string, Sent[]>();
  /** What has to be sent once more. */
  readonly #again: Sent[][] = [];
  readonly #began = performance.now();
  #sentFiles = 0;
  /** Of the workers that take part. */
  #workers = 0;
  #threads = 0;
  #lonelySaid = false;
  readonly #heard = new Map<string, string>();

  constructor(queue: Queue, model: StoredModel, onResult: OnResult, options: SpreadOptions) {
    const { made, allow, limitSeconds = null } = options;
    this.#queue = queue;
    this.#onResult = onResult;
    this.#options = options;
    const host = hostname();
    const begun = new Date().toISOString();
    this.#facts = { host, begun, made, model: modelFacts(model), allow: [...allow], limitSeconds, probe: null };
  }

  async run(requests: readonly ScoreRequest[]): Promise<void> {
    const queue = this.#queue;
    await queue.lasting(() => queue.begin(this.#id));
    await queue.lasting(() => this.#announce());
    const beat = setInterval(() => void this.#beat().catch(() => undefined), touchMilliseconds);
    const files = requests[Symbol.iterator]();
    try {
      while (true) {
        await this.#fill(files);
        if (this.#sent.size === 0) return;
        if ((await this.#gather()) === 0) await delay(pollMilliseconds, undefined, { signal: this.#options.signal });
      }
    } finally {
      clearInterval(beat);
      // A queue that cannot be reached now is cleared by a later scan.
      await Promise.race([queue.end(this.#id).catch(() => undefined), delay(5000, undefined, { ref: false })]);
    }
  }

  /** Sends as much as keeps the workers busy. */
  async #fill(files: Iterator<ScoreRequest>): Promise<void> {
    for (let batch = this.#again.pop(); batch; batch = this.#again.pop()) await this.#send(batch);
    while (this.#sent.size < jobsAhead + 2 * this.#workers || this.#sentFiles < 2 * requestsAhead * this.#threads) {
      const batch = await this.#nextBatch(files);
      if (batch.length === 0) return;
      await this.#send(batch);
    }
  }

  /** The next files that are to be scored; of the others the result is there already. */
  async #nextBatch(files: Iterator<ScoreRequest>): Promise<Sent[]> {
    const batch: Sent[] = [];
    for (let bytes = 0; batch.length < batchFiles && bytes < batchBytes;) {
      const next = files.next();
      if (next.done) break;
      const request = next.value;
      const look = await this.#look(request);
      if (isToScore(look)) {
        batch.push({ request, look, misses: 0 });
        bytes += look.file?.size ?? 0;
      } else {
        await this.#onResult(request, { path: displayPath(request), ...look });
      }
    }
    return batch;
  }

  #look(request: ScoreRequest): Promise<ScoreOutcome> {
    const known = this.#options.known?.(request) ?? null;
    return score(null, known === null ? request : { ...request, known }, this.#options.signal);
  }

  async #send(files: Sent[]): Promise<void> {
    const batch = randomUUID();
    const sent = files.map(asSent);
    this.#sent.set(batch, files);
    this.#sentFiles += files.length;
    if (this.#facts.probe === null) {
      const [{ path, name, sha256 }] = sent;
      this.#facts.probe = { path, name, sha256 };
      await this.#queue.lasting(() => this.#announce());
    }
    await this.#queue.lasting(() => this.#queue.send(this.#id, [{ batch, packed: packFiles(sent) }]));
  }

  /** Takes the replies that are there. @returns how many */
  async #gather(): Promise<number> {
    const replies = await this.#queue.lasting(() => this.#queue.takeReplies(this.#id, repliesAtOnce));
    for (const { data } of replies) {
      const { batch } = batchSchema.parse(data);
      const files = this.#sent.get(batch);
      // Another has replied before.
      if (!files) continue;
      const reply = replySchema.safeParse(data);
      if (reply.success) {
        const answers = unpackAnswers(reply.data.packed, files.length);
        for (const [index, file] of files.entries()) await this.#take(file, answers[index], reply.data.by);
      } else {
        await this.#givenUp(files);
      }
      this.#sent.delete(batch);
      this.#sentFiles -= files.length;
    }
    await this.#queue.lasting(() => this.#queue.doneWith(this.#id, replies));
    return replies.length;
  }

  /** Takes what a worker says of a file; where it had another in its place, looks who is right. */
  async #take(file: Sent, answer: Answer, by: ScoredBy): Promise<void> {
    const { request, look } = file;
    const path = displayPath(request);
    if (!('differs' in answer)) {
      const result = { ...answer, path, file: answer.file && look.file, worker: by.worker };
      return this.#onResult(request, result, by);
    }
    const now = await score(null, { ...request, found: false }, this.#options.signal);
    if (now.error) return this.#onResult(request, { path, ...now });
    if (now.sha256 === look.sha256 && ++file.misses < mostTries) {
      this.#again.push([file]);
      return;
    }
    const message =
      now.sha256 === look.sha256
        ? `${path} is not the same file at the worker ${by.worker}: ${answer.why}`
        : `${path} changed between being hashed here and being scored (SHA-256 ${look.sha256.slice(0, 12)}, then ${now.sha256?.slice(0, 12)}). Scan it again when nothing writes to it.`;
    await this.#fail(file, 'changed', message);
  }

  /** What no worker lived to answer: a file may have ended them. */
  async #givenUp(files: Sent[]): Promise<void> {
    if (files.length > 1) {
      this.#again.push(...files.map((file) => [file]));
      return;
    }
    const path = displayPath(files[0].request);
    await this.#fail(files[0], 'internal', `${mostTries} workers ended while they were at ${path}. It was given up.`);
  }

  async #fail({ request, look }: Sent, code: string, message: string): Promise<void> {
    await this.#onResult(request, {
      ...look,
      sha256: null,
      file: null,
      path: displayPath(request),
      error: { code, message },
    });
  }

  #announce(): Promise<void> {
    return this.#queue.announce(this.#id, 'scan', this.#facts);
  }

  /** Says that this scan is still run, and looks who works for it. */
  async #beat(): Promise<void> {
    await this.#announce();
    const present = await this.#queue.present('worker', presenceSeconds);
    let [workers, threads] = [0, 0];
    const refused: Present['refused'] = [];
    const seen = new Set<string>();
    for (const { id, about } of present) {
      const worker = workerSchema.safeParse(about);
      if (!worker.success) continue;
      seen.add(id);
      const { name, pid, refuses, scan } = worker.data;
      const why = refuses[this.#id];
      if (why !== undefined) {
        refused.push({ worker: worker.data.description, why });
        this.#tell(id, why, `Worker ${name} (process ${pid}) takes no part: ${why}`);
      } else if (scan === this.#id) {
        workers++;
        threads += worker.data.threads;
        this.#tell(id, '', `Worker ${name} (process ${pid}) takes part.`);
      }
    }
    for (const [id, what] of this.#heard) {
      if (seen.has(id)) continue;
      this.#heard.delete(id);
      if (what === '') this.#options.onNotice('A worker is no longer heard of; what it had in hand goes to others.');
    }
    [this.#workers, this.#threads] = [workers, threads];
    this.#options.onPresent?.({ atWork: workers, refused });
    if (workers === 0 && !this.#lonelySaid && performance.now() - this.#began > lonelyMilliseconds) {
      this.#lonelySaid = true;
      this.#options.onNotice('No worker takes part yet: `earwitness worker --queue` with the same address starts one.');
    }
  }

  #tell(id: string, what: string, text: string): void {
    if (this.#heard.get(id) === what) return;
    this.#heard.set(id, what);
    this.#options.onNotice(text);
  }
}

function isToScore(look: ScoreOutcome): look is Sent['look'] {
  return look.sha256 !== null && look.error === null && !look.unchanged && !look.passedOver;
}

function asSent({ request: { path, nameBytes, found, reading = {} }, look: { sha256 } }: Sent): SentFile {
  return { path, name: nameBytes && Buffer.from(nameBytes).toString('base64'), found, reading, sha256 };
}
