/** The connection to a queue: pg-boss on PostgreSQL, and who is at work on it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { PgBoss } from 'pg-boss';
import { z } from 'zod';
import { UserFacingError, describeError } from '../../base/errors.ts';
import type { QueueAddress } from './address.ts';

/** All that Earwitness keeps in the database. */
const schema = 'earwitness';
/** A statement that is not answered by then was lost with its connection. */
const statementMilliseconds = 30_000;
const longestWaitMilliseconds = 5000;
/** So long a server that does not answer is tried when a scan or worker begins: it may be starting itself. */
const usualOpeningMilliseconds = 20_000;
/**
 * Jobs of a worker that has not been heard of for so long go to another: `EARWITNESS_QUEUE_HEARTBEAT_SECONDS`, else 20; 10 is the least
 * that pg-boss takes.
 */
const heartbeatSeconds = Math.max(10, Math.round(Number(process.env['EARWITNESS_QUEUE_HEARTBEAT_SECONDS']) || 20));
/** Who is silent for so long is not counted among those at work. */
export const presenceSeconds = heartbeatSeconds;
/** So often jobs in hand, and who is at work, are said to be. */
export const touchMilliseconds = 250 * heartbeatSeconds;
/** So many workers in turn may end over a batch before its files are tried one by one, and over a file before it is given up. */
export const mostTries = 4;

const jobsOf = (scan: string): string => `scan-${scan}`;
const repliesOf = (scan: string): string => `replies-${scan}`;

/** A job as it was taken. */
export interface Taken {
  id: string;
  retryCount: number;
  data: unknown;
}

/** What pg-boss answers to such calls, and its types leave out. */
const affectedSchema = z.object({ affected: z.number() });

const passingCodes = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'],
  ...['ENETUNREACH', 'ENETDOWN', 'ENOENT'],
]);
const passingWords =
  /connection (terminated|timeout|timed out|ended)|timeout exceeded when trying to connect|query read timeout|client has encountered a connection error/i;

/** Whether a failure lies in the connection or the server's state, and may be over later. */
function passes(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(passes);
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  // SQLSTATE classes: connection, transaction rolled back, resources, operator's intervention.
  return passingCodes.has(String(code)) || /^(08|40|53|57)/.test(String(code)) || passingWords.test(error.message);
}

function words(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors.at(0) : error;
  return first instanceof Error ? first.message : describeError(error);
}

/** Tries until it works, fails for another reason than the connection, or the time is up. @throws the signal's reason when it fires */
async function lasting<T>(
  act: () => Promise<T>,
  {
    signal,
    onLost,
    untilMilliseconds,
  }: { signal: AbortSignal; onLost: (error: unknown) => void; untilMilliseconds: number },
): Promise<T> {
  const begun = performance.now();
  for (let wait = 200; ; wait = Math.min(2 * wait, longestWaitMilliseconds)) {
    signal.throwIfAborted();
    try {
      return await act();
    } catch (error) {
      signal.throwIfAborted();
      if (!passes(error) || performance.now() - begun > untilMilliseconds) throw error;
      onLost(error);
      await delay(wait, undefined, { signal });
    }
  }
}

export class Queue {
  readonly #boss: PgBoss;
  readonly #signal: AbortSignal;
  readonly #onNotice: (text: string) => void;
  readonly #shown: string;
  #lost = false;

  private constructor(boss: PgBoss, shown: string, signal: AbortSignal, onNotice: (text: string) => void) {
    this.#boss = boss;
    this.#shown = shown;
    this.#signal = signal;
    this.#onNotice = onNotice;
  }

  /**
   * @param supervises whether it looks after jobs whose worker is gone: one for each scan is enough
   * @throws UserFacingError `queue` where there is none, or it lets nobody in
   */
  static async open(
    address: QueueAddress,
    {
      supervises,
      signal,
      onNotice,
      openingMilliseconds = usualOpeningMilliseconds,
    }: {
      supervises: boolean;
      signal: AbortSignal;
      onNotice: (text: string) => void;
      openingMilliseconds?: number;
    },
  ): Promise<Queue> {
    const { PgBoss } = await import('pg-boss');
    const options = {
      connectionString: address.url,
      schema,
      application_name: 'earwitness',
      max: 3,
      query_timeout: statementMilliseconds,
      keepAlive: true,
      schedule: false,
      supervise: supervises,
      superviseIntervalSeconds: Math.ceil(heartbeatSeconds / 4),
      monitorIntervalSeconds: Math.ceil(heartbeatSeconds / 4),
      registerInstance: false,
      openTelemetry: { enabled: false },
    };
    const open = async (): Promise<Queue> => {
      const boss = new PgBoss(options);
      // What fails in the background fails again where it is asked for.
      boss.on('error', () => undefined);
      boss.on('warning', () => undefined);
      const queue = new Queue(boss, address.shown, signal, onNotice);
      try {
        await boss.start();
        await queue.#prepare();
        return queue;
      } catch (error) {
        await queue.close();
        throw error;
      }
    };
    let wasLost = false;
    const onLost = (error: unknown): void => {
      if (!wasLost)
        onNotice(
          `The queue ${address.shown} does not answer (${words(error)}); trying for ${openingMilliseconds / 1000} s.`,
        );
      wasLost = true;
    };
    try {
      return await lasting(open, { signal, onLost, untilMilliseconds: openingMilliseconds });
    } catch (error) {
      signal.throwIfAborted();
      throw new UserFacingError('queue', `The queue ${address.shown} cannot be used: ${words(error)}.`, {
        advice: 'Look whether the server runs, and whether this user may sign in and make tables in the database.',
        cause: error,
      });
    }
  }

  /** Who is at work stands in a table: jobs say nothing of it. */
  async #prepare(): Promise<void> {
    await this.#boss.getDb().executeSql(
      `SELECT pg_advisory_xact_lock(hashtext('${schema}'));
       CREATE TABLE IF NOT EXISTS ${schema}.presence (
         id uuid PRIMARY KEY, kind text NOT NULL, about text NOT NULL, seen timestamptz NOT NULL DEFAULT now())`,
    );
  }

  /** Tries until it works or fails for another reason than the connection. @throws the signal's reason when it fires */
  async lasting<T>(act: () => Promise<T>): Promise<T> {
    const onLost = (error: unknown): void => {
      if (!this.#lost) this.#onNotice(`The queue ${this.#shown} does not answer (${words(error)}); trying again.`);
      this.#lost = true;
    };
    const result = await lasting(act, { signal: this.#signal, onLost, untilMilliseconds: Infinity });
    if (this.#lost) this.#onNotice(`The queue ${this.#shown} answers again.`);
    this.#lost = false;
    return result;
  }

  /** Says that someone is at work. */
  async announce(id: string, kind: 'scan' | 'worker', about: unknown): Promise<void> {
    await this.#boss.getDb().executeSql(
      `INSERT INTO ${schema}.presence (id, kind, about) VALUES ($1, $2, $3)
       ON CONFLICT (id) DO UPDATE SET about = excluded.about, seen = now()`,
      [id, kind, JSON.stringify(about)],
    );
  }

  /** Those who have said so of late. */
  async present(
    kind: 'scan' | 'worker',
    withinSeconds: number,
  ): Promise<{ id: string; about: unknown; heardSecondsAgo: number }[]> {
    const { rows }: { rows: { id: string; about: string; ago: number }[] } = await this.#boss.getDb().executeSql(
      `SELECT id, about, extract(epoch FROM now() - seen)::float8 AS ago FROM ${schema}.presence
       WHERE kind = $1 AND seen > now() - $2 * interval '1 second' ORDER BY id`,
      [kind, withinSeconds],
    );
    return rows.map(({ id, about, ago }) => ({ id, about: JSON.parse(about) as unknown, heardSecondsAgo: ago }));
  }

  async leave(id: string): Promise<void> {
    await this.#boss.getDb().executeSql(`DELETE FROM ${schema}.presence WHERE id = $1`, [id]);
  }

  /** Makes a scan's two queues. */
  async begin(scan: string): Promise<void> {
    await this.#boss.createQueue(repliesOf(scan), { retryLimit: 100 });
    await this.#boss.createQueue(jobsOf(scan), {
      deadLetter: repliesOf(scan),
      retryLimit: mostTries - 1,
      heartbeatSeconds,
      // As long as pg-boss takes; what a worker is still at is told by its heartbeat.
      expireInSeconds: 24 * 3600,
    });
  }

  /** Removes a scan's queues with all that is in them. */
  async end(scan: string): Promise<void> {
    await this.#boss.deleteQueue(jobsOf(scan));
    await this.#boss.deleteQueue(repliesOf(scan));
    await this.leave(scan);
  }

  /** Removes what scans left that were not gone on with for a week. */
  async clear(): Promise<void> {
    const { rows }: { rows: { id: string; kind: string }[] } = await this.#boss
      .getDb()
      .executeSql(`DELETE FROM ${schema}.presence WHERE seen < now() - interval '7 days' RETURNING id, kind`);
    for (const { id, kind } of rows) if (kind === 'scan') await this.end(id);
  }

  /** Sends batches; one that is there already is left as it is. */
  async send(scan: string, batches: { batch: string; packed: string }[]): Promise<void> {
    await this.#boss.insert(
      jobsOf(scan),
      batches.map((data) => ({ id: data.batch, data })),
    );
  }

  take(scan: string): Promise<Taken[]> {
    return this.#boss.fetch(jobsOf(scan));
  }

  takeReplies(scan: string, most: number): Promise<Taken[]> {
    return this.#boss.fetch(repliesOf(scan), { batchSize: most });
  }

  async doneWith(scan: string, replies: readonly Taken[]): Promise<void> {
    if (replies.length > 0)
      await this.#boss.deleteJob(
        repliesOf(scan),
        replies.map(({ id }) => id),
      );
  }

  /** Says that jobs are in hand. */
  async touch(scan: string, jobs: readonly Taken[]): Promise<void> {
    if (jobs.length > 0) await this.#boss.touch(jobsOf(scan), [...jobs]);
  }

  /** Gives jobs back for others. */
  async release(scan: string, jobs: readonly Taken[]): Promise<void> {
    if (jobs.length > 0) await this.#boss.fail(jobsOf(scan), [...jobs], { message: 'given back' });
  }

  /**
   * Puts a job's reply in its place, both or neither.
   * @returns false where the job was given to another meanwhile, or its scan has ended: then there is no reply
   */
  async reply(scan: string, job: Taken, data: object): Promise<boolean> {
    const transaction = await this.#boss.getDb().beginTransaction?.();
    if (transaction === undefined) throw new Error('pg-boss has no transactions here');
    const { db } = transaction;
    try {
      const { affected } = affectedSchema.parse(await this.#boss.deleteJob(jobsOf(scan), job, { db }));
      if (affected > 0) await this.#boss.send(repliesOf(scan), data, { db });
      await transaction.commit();
      return affected > 0;
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#boss.stop({ graceful: false }).catch(() => undefined);
  }
}
