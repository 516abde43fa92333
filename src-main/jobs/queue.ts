/** Everything long that outlives a call: what waits, what runs, how far it is, and how it ended. */
import { randomUUID } from 'node:crypto';
import type { Job } from '../../src-common/schemas/job.ts';
import { UserFacingError } from '../base/errors.ts';
import { userError } from './user-error.ts';

/** What a job does with the queue while it runs. */
export interface JobHandle {
  readonly id: string;
  /** Fires when the job is cancelled or the queue closes. */
  readonly signal: AbortSignal;
  /** Says how far it is; rate and time left are computed here, and told at most ten times a second. */
  progress(update: { done?: number; total?: number | null; doing?: string }): void;
  /** Counts an item that failed; the first hundred are named. */
  problem(subject: string, message: string): void;
  /** Resolves at once, or when a pause ends. @throws the signal's reason when the job is cancelled meanwhile. */
  waitWhilePaused(): Promise<void>;
}

export interface JobSpec {
  kind: Job['kind'];
  title: string;
  caseId?: string;
  /** What `done` and `total` count: `files`, `epochs` … */
  unit: string;
  total?: number;
  canPause?: boolean;
  /** Of a job that goes on: one of this id that has ended is replaced. A new one by default. */
  id?: string;
  /** Called where it is cancelled, or the queue closes, before it began. */
  onDropped?: () => Promise<void>;
}

/** The work of a job; what it returns becomes `result`. */
export type JobRun = (job: JobHandle) => Promise<Record<string, unknown> | void>;

/** How many of a kind run at the same time; the others wait in the order of their start. */
const lanes: Partial<Record<Job['kind'], number>> = {
  scan: 1,
  stretches: 1,
  train: 1,
  evaluate: 1,
  intake: 1,
  prepare: 2,
};

const publishedEveryMilliseconds = 100;
const namedProblems = 100;
/** Ended jobs that stay on the list. */
const keptEnded = 200;
/** The rate is that of the last so many seconds. */
const rateSeconds = 20;
const rateSampleMilliseconds = 500;

interface Entry {
  job: Job;
  run: JobRun;
  onDropped: (() => Promise<void>) | undefined;
  controller: AbortController;
  /** Of what was done when, of the time that it ran since its last pause. */
  samples: { at: number; done: number }[];
  /** Where it waits for its pause to end. */
  gate: { promise: Promise<void>; open: () => void; fail: (reason: unknown) => void } | null;
  begun: boolean;
  finished: Promise<void>;
  end: () => void;
  publishedAt: number;
  timer: NodeJS.Timeout | null;
}

const hasEnded = ({ state }: Job): boolean => state === 'done' || state === 'failed' || state === 'cancelled';

/** Jobs of one engine. At most one scan, training, evaluation and intake run at a time; a paused one lets others pass. */
export class JobQueue {
  readonly #entries = new Map<string, Entry>();
  readonly #onChange: (job: Job) => void;
  readonly #onBug: (error: unknown) => void;
  #closing = false;

  /**
   * @param options.onChange called with a copy of a job that changed, at most ten times a second for each.
   * @param options.onBug called with what a job threw that is no user's error.
   */
  constructor(options: { onChange?: (job: Job) => void; onBug?: (error: unknown) => void } = {}) {
    this.#onChange = options.onChange ?? (() => undefined);
    this.#onBug = options.onBug ?? (() => undefined);
  }

  /** Whether jobs are being stopped because the engine ends, not because someone cancelled them. */
  get closing(): boolean {
    return this.#closing;
  }

  /**
   * Puts a job into the queue and returns its id at once. It is `cancelled` where `run` ends after its signal fired, `failed` where it
   * throws, and else `done`.
   * @throws UserFacingError `job-running` where a job of that id has not ended.
   */
  start(spec: JobSpec, run: JobRun): string {
    if (this.#closing) throw new UserFacingError('closing', 'Earwitness is closing.');
    const id = spec.id ?? randomUUID();
    const before = this.#entries.get(id);
    if (before && !hasEnded(before.job)) throw new UserFacingError('job-running', `${before.job.title} is running.`);
    this.#entries.delete(id);
    let end = (): void => undefined;
    const finished = new Promise<void>((resolve) => (end = resolve));
    const job: Job = {
      id,
      kind: spec.kind,
      title: spec.title,
      caseId: spec.caseId ?? null,
      state: 'queued',
      doing: '',
      done: 0,
      total: spec.total ?? null,
      unit: spec.unit,
      ratePerSecond: null,
      secondsLeft: null,
      failed: 0,
      problems: [],
      canPause: spec.canPause ?? false,
      error: null,
      startedAt: new Date().toISOString(),
      endedAt: null,
      result: null,
    };
    const entry: Entry = {
      job,
      run,
      onDropped: spec.onDropped,
      controller: new AbortController(),
      samples: [],
      gate: null,
      begun: false,
      finished,
      end,
      publishedAt: -Infinity,
      timer: null,
    };
    this.#entries.set(id, entry);
    this.#changed(entry);
    this.#pump();
    return id;
  }

  /** All jobs, the latest first. */
  list(): Job[] {
    return [...this.#entries.values()].map(({ job }) => copied(job)).reverse();
  }

  /** @throws UserFacingError `not-found` */
  get(id: string): Job {
    return copied(this.#entry(id).job);
  }

  /** @returns null where there is no job of that id. */
  find(id: string): Job | null {
    const entry = this.#entries.get(id);
    return entry ? copied(entry.job) : null;
  }

  /** Holds a job at its next stop. @throws UserFacingError `not-found`, `job-state` where it cannot be. */
  pause(id: string): Job {
    const entry = this.#entry(id);
    const { job } = entry;
    if (!job.canPause || job.state !== 'running') {
      throw new UserFacingError('job-state', `${job.title} cannot be paused now.`);
    }
    let open = (): void => undefined;
    let fail = (_: unknown): void => undefined;
    const promise = new Promise<void>((resolve, reject) => {
      open = resolve;
      fail = reject;
    });
    // It may be cancelled before it comes to a stop.
    promise.catch(() => undefined);
    entry.gate = { promise, open, fail };
    Object.assign(job, { state: 'paused', ratePerSecond: null, secondsLeft: null });
    this.#changed(entry);
    this.#pump();
    return copied(job);
  }

  /** Lets a paused job go on as soon as nothing of its kind is in its way. @throws UserFacingError as `pause`. */
  resume(id: string): Job {
    const entry = this.#entry(id);
    if (entry.job.state !== 'paused') {
      throw new UserFacingError('job-state', `${entry.job.title} is not paused.`);
    }
    entry.job.state = 'queued';
    this.#changed(entry);
    this.#pump();
    return copied(entry.job);
  }

  /** Stops a job that has not ended; without effect on one that has. @throws UserFacingError `not-found` */
  cancel(id: string): Job {
    const entry = this.#entry(id);
    if (!hasEnded(entry.job)) this.#stop(entry, 'Cancelled.');
    return copied(entry.job);
  }

  /** Takes an ended job off the list. @throws UserFacingError `not-found`, `job-state` while it has not ended. */
  dismiss(id: string): void {
    const entry = this.#entry(id);
    if (!hasEnded(entry.job)) {
      throw new UserFacingError('job-state', `${entry.job.title} has not ended.`, { advice: 'Cancel it first.' });
    }
    this.#forget(entry);
  }

  /** Resolves when no job waits or runs; paused ones do not count. */
  async idle(): Promise<void> {
    for (;;) {
      const busy = [...this.#entries.values()].filter(({ job }) => job.state === 'queued' || job.state === 'running');
      if (busy.length === 0) return;
      await Promise.race(busy.map(({ finished }) => finished));
    }
  }

  /** Stops all jobs and waits until they have let go; takes no more. */
  async close(): Promise<void> {
    this.#closing = true;
    const open = [...this.#entries.values()].filter(({ job }) => !hasEnded(job));
    for (const entry of open) this.#stop(entry, 'Earwitness is closing.');
    await Promise.all(open.map(({ finished }) => finished));
    for (const entry of this.#entries.values()) if (entry.timer) clearTimeout(entry.timer);
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id);
    if (!entry) throw new UserFacingError('not-found', 'That job is no longer on the list.');
    return entry;
  }

  #forget(entry: Entry): void {
    if (entry.timer) clearTimeout(entry.timer);
    entry.timer = null;
    this.#entries.delete(entry.job.id);
  }

  #stop(entry: Entry, why: string): void {
    const reason = new DOMException(why, 'AbortError');
    entry.controller.abort(reason);
    entry.gate?.fail(reason);
    entry.gate = null;
    if (entry.begun) {
      // A paused one has to leave its stop to end.
      entry.job.state = 'running';
      entry.job.doing = 'Stopping';
      this.#changed(entry);
      return;
    }
    entry.begun = true;
    void this.#drop(entry);
  }

  /** Ends one that has not begun. */
  async #drop(entry: Entry): Promise<void> {
    try {
      await entry.onDropped?.();
    } catch (error) {
      this.#onBug(error);
    }
    this.#end(entry, { state: 'cancelled' });
  }

  #end(entry: Entry, outcome: Partial<Job>): void {
    Object.assign(entry.job, outcome, {
      doing: '',
      ratePerSecond: null,
      secondsLeft: null,
      endedAt: new Date().toISOString(),
    });
    this.#changed(entry);
    const ended = [...this.#entries.values()].filter(({ job }) => hasEnded(job));
    for (const old of ended.slice(0, Math.max(0, ended.length - keptEnded))) this.#forget(old);
    entry.end();
    this.#pump();
  }

  /** Begins, or lets go on, what nothing stands in the way of. */
  #pump(): void {
    const running = new Map<string, number>();
    for (const { job } of this.#entries.values()) {
      if (job.state === 'running') running.set(job.kind, (running.get(job.kind) ?? 0) + 1);
    }
    for (const entry of this.#entries.values()) {
      const { job } = entry;
      if (job.state !== 'queued' || entry.controller.signal.aborted) continue;
      const already = running.get(job.kind) ?? 0;
      if (already >= (lanes[job.kind] ?? Infinity)) continue;
      running.set(job.kind, already + 1);
      job.state = 'running';
      entry.samples = [{ at: performance.now(), done: job.done }];
      this.#changed(entry);
      if (entry.begun) {
        entry.gate?.open();
        entry.gate = null;
      } else {
        entry.begun = true;
        void this.#work(entry);
      }
    }
  }

  async #work(entry: Entry): Promise<void> {
    const { job, controller } = entry;
    const handle: JobHandle = {
      id: job.id,
      signal: controller.signal,
      progress: (update) => {
        if (hasEnded(job)) return;
        if (controller.signal.aborted) delete update.doing;
        Object.assign(job, update);
        this.#changed(entry);
      },
      problem: (subject, message) => {
        job.failed++;
        if (job.problems.length < namedProblems) job.problems.push({ subject, message });
        this.#changed(entry);
      },
      waitWhilePaused: async () => {
        controller.signal.throwIfAborted();
        await entry.gate?.promise;
      },
    };
    // The caller of `start` gets the id before anything happens.
    await Promise.resolve();
    if (controller.signal.aborted) return this.#drop(entry);
    try {
      const result = (await entry.run(handle)) ?? null;
      this.#end(entry, { state: controller.signal.aborted ? 'cancelled' : 'done', result });
    } catch (error) {
      if (controller.signal.aborted) {
        this.#end(entry, { state: 'cancelled' });
        return;
      }
      if (!(error instanceof UserFacingError)) this.#onBug(error);
      this.#end(entry, { state: 'failed', error: userError(error) });
    }
  }

  /** Tells of a job now, or as soon as a tenth of a second has passed since the last time. */
  #changed(entry: Entry): void {
    if (entry.timer || !this.#entries.has(entry.job.id)) return;
    const wait = entry.publishedAt + publishedEveryMilliseconds - performance.now();
    if (wait > 0) {
      entry.timer = setTimeout(() => {
        entry.timer = null;
        this.#publish(entry);
      }, wait);
      return;
    }
    this.#publish(entry);
  }

  #publish(entry: Entry): void {
    entry.publishedAt = performance.now();
    if (entry.job.state === 'running') estimate(entry);
    this.#onChange(copied(entry.job));
  }
}

function copied(job: Job): Job {
  return { ...job, problems: job.problems.slice() };
}

/** Rate and time left, of what was done in the last seconds. */
function estimate({ job, samples }: Entry): void {
  const now = performance.now();
  if (now - (samples.at(-1)?.at ?? -Infinity) >= rateSampleMilliseconds) samples.push({ at: now, done: job.done });
  while (samples.length > 2 && now - samples[0].at > 1000 * rateSeconds) samples.shift();
  const seconds = (now - samples[0].at) / 1000;
  const done = job.done - samples[0].done;
  job.ratePerSecond = seconds >= 0.5 && done > 0 ? done / seconds : null;
  job.secondsLeft =
    job.ratePerSecond === null || job.total === null ? null : Math.max(0, job.total - job.done) / job.ratePerSecond;
}
