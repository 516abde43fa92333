/** The cases that this engine has open, and the list of all. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CaseSummary } from '../../src-common/schemas/case.ts';
import type { Job } from '../../src-common/schemas/job.ts';
import type { Inputs } from '../../src-preload/contract.ts';
import { UserFacingError } from '../base/errors.ts';
import { freeCaseFolder } from '../cases/folders.ts';
import { databasePath } from '../cases/database.ts';
import { Library } from '../cases/library.ts';
import { checkFully, checkQuickly } from '../cases/states.ts';
import { CaseStore, peekCase } from '../cases/store.ts';
import { systemActor } from '../cases/session.ts';
import type { Session } from '../cases/session.ts';
import type { EngineParts } from './parts.ts';
import { userError } from '../jobs/user-error.ts';
import { log } from './log.ts';
import { createLook, endLook } from './look-case.ts';
import type { Look } from './look-case.ts';

const publishedEveryMilliseconds = 100;
/** With more items changed than this the window is better off asking anew. */
const mostRowsTold = 200;
/** What may be read to tell whether files that look different are different, while a window waits. */
const lookBudgetBytes = 32 * 1024 ** 2;
/** Items looked at in one go after a case was opened. */
const sweptAtOnce = 500;
/** How often it is looked whether the databases of open cases still lie where they lay. */
const watchedEveryMilliseconds = 2000;

interface OpenCase {
  store: CaseStore;
  /** A window looks at it; else it is open for its jobs alone. */
  viewed: boolean;
  /** Fires when it is closed. */
  closing: AbortController;
  /** Items to tell of; null: any. */
  changed: Set<number> | null;
  timer: NodeJS.Timeout | null;
  headTold: string;
  /** Items that look different and are to be hashed, one after the other. */
  toHash: Set<number>;
  hashing: boolean;
  /** That its database is gone was reported. */
  lostTold: boolean;
  /** Where it is for a look only. */
  look: Look | null;
}

export class OpenCases {
  readonly library: Library;
  readonly session: Session;
  readonly #parts: EngineParts;
  readonly #open = new Map<string, OpenCase>();
  readonly #watch: NodeJS.Timeout;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.library = Library.open(parts.home);
    const actor = (): string => parts.settings.get().examiner.trim() || systemActor();
    this.session = { library: this.library, actor, program: parts.application };
    this.#watch = setInterval(() => this.#tellLost(), watchedEveryMilliseconds);
    this.#watch.unref();
  }

  /** Where new and imported cases go. */
  get casesFolder(): string {
    return this.#parts.settings.get().casesFolder || join(this.#parts.home, 'cases');
  }

  /**
   * A case that is open; one on the list is opened.
   * @throws UserFacingError `not-found`, and as `CaseStore.open`.
   */
  get(caseId: string): CaseStore {
    const open = this.#open.get(caseId);
    if (open) return open.store;
    const entry = this.library.find(caseId);
    if (!entry) {
      throw new UserFacingError('not-found', 'There is no such case on the list.', {
        advice: 'It may have been deleted. Open its folder to put it on the list again.',
      });
    }
    return this.#adopt(CaseStore.open(entry.folder, this.session), false);
  }

  /** The same for a window that looks at it. */
  view(caseId: string): CaseStore {
    const store = this.get(caseId);
    (this.#open.get(caseId) as OpenCase).viewed = true;
    return store;
  }

  /** A case by its folder, which puts it on the list. @throws UserFacingError as `CaseStore.open`. */
  openFolder(folder: string): CaseStore {
    const { id } = peekCase(folder);
    const open = this.#open.get(id);
    if (open && databasePath(open.store.folder) === databasePath(folder)) return this.view(id);
    if (open) {
      throw new UserFacingError('case-busy', `A copy of this case is open already, in ${open.store.folder}.`, {
        path: folder,
        advice: 'Close that one first.',
      });
    }
    const store = this.#adopt(CaseStore.open(folder, this.session), true);
    this.tellList();
    return store;
  }

  /**
   * Opens a case anew for which a person accepts the key that went on with it.
   * @throws UserFacingError as `CaseStore.open`, and why it is still not written on; it stays open for reading then
   */
  accept(caseId: string, signer: string): CaseStore {
    const before = this.get(caseId);
    const { viewed } = this.#open.get(caseId) as OpenCase;
    if (this.isBusy(caseId)) {
      throw new UserFacingError('case-busy', `Jobs work on the case ${before.details().number}.`, {
        advice: 'Wait for them, or cancel them.',
      });
    }
    this.#close(this.#open.get(caseId) as OpenCase);
    const store = this.#adopt(CaseStore.open(before.folder, this.session, { signer }), viewed);
    this.tellList();
    if (store.broken) throw store.broken;
    return store;
  }

  /** @throws UserFacingError as `CaseStore.create`. */
  create({ folder, ...details }: Inputs['cases']['create']): CaseStore {
    const place = folder ?? freeCaseFolder(this.casesFolder, details.number);
    const examiner = details.examiner ?? this.#parts.settings.get().examiner;
    const store = this.#adopt(CaseStore.create(place, { ...details, examiner }, this.session), true);
    this.tellList();
    return store;
  }

  /** A case for a look at files that are in none, which is gone once it is left. @throws UserFacingError as `CaseStore.create` */
  quickLook(paths: readonly string[]): CaseStore {
    const { store, look } = createLook(this.session, paths);
    this.#adopt(store, true);
    (this.#open.get(store.id) as OpenCase).look = look;
    return store;
  }

  /** @throws UserFacingError `not-found` where it is none, or was left */
  lookOf(caseId: string): { store: CaseStore; look: Look } {
    const { store, look } = this.#open.get(caseId) ?? {};
    if (store && look) return { store, look };
    throw new UserFacingError('not-found', 'This is no quick look, or it was left.');
  }

  /** Takes over a case that was opened otherwise. */
  adopt(store: CaseStore): void {
    this.#adopt(store, false);
    this.tellList();
  }

  /** No window looks at it any more; it is closed once its jobs have ended. */
  leave(caseId: string): void {
    const open = this.#open.get(caseId);
    if (open) open.viewed = false;
    // Nobody waits for what a look that is over would find.
    if (open?.look) for (const { id } of this.#jobsOf(caseId)) this.#parts.jobs.cancel(id);
    this.release(caseId);
  }

  /** Closes a case that nobody looks at and no job works on. */
  release(caseId: string): void {
    const open = this.#open.get(caseId);
    if (open && !open.viewed && !this.isBusy(caseId)) this.#close(open);
  }

  /** Whether a job works on it. */
  isBusy(caseId: string): boolean {
    return this.#jobsOf(caseId).length > 0;
  }

  #jobsOf(caseId: string): Job[] {
    return this.#parts.jobs.list().filter((job) => job.caseId === caseId && job.endedAt === null);
  }

  /** Hands over an open case, which is no longer told of, to be deleted. */
  surrender(caseId: string): CaseStore {
    const store = this.get(caseId);
    this.#forget(this.#open.get(caseId) as OpenCase);
    return store;
  }

  /** All cases on the list, the latest opened first. */
  list({ search, archived }: { search: string; archived: boolean }): CaseSummary[] {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    const summaries = this.library.list().map((entry): CaseSummary => {
      const open = this.#open.get(entry.id);
      return open ? open.store.summary() : { ...entry, problem: problemOf(entry) };
    });
    return summaries.filter((summary) => {
      if (!archived && summary.state === 'archived') return false;
      const { number, title, examiner, customer, question, notes } = summary;
      const text = [number, title, examiner, customer, question, notes].join('\n').toLowerCase();
      return words.every((word) => text.includes(word));
    });
  }

  tellList(): void {
    this.#parts.changes.publish({ type: 'cases' });
  }

  /** Closes all, after their jobs. */
  close(): void {
    clearInterval(this.#watch);
    for (const open of [...this.#open.values()]) this.#close(open);
    this.library.close();
  }

  #adopt(store: CaseStore, viewed: boolean): CaseStore {
    const open: OpenCase = {
      store,
      viewed,
      closing: new AbortController(),
      changed: new Set(),
      timer: null,
      headTold: '',
      toHash: new Set(),
      hashing: false,
      lostTold: false,
      look: null,
    };
    this.#open.set(store.id, open);
    store.onChange = ({ evidence }) => {
      if (evidence === null) open.changed = null;
      else for (const id of evidence) open.changed?.add(id);
      open.timer ??= setTimeout(() => this.#tell(open), publishedEveryMilliseconds);
    };
    void this.#sweep(open).catch((error: unknown) => {
      if (!open.closing.signal.aborted) log('error', 'The files of a case could not be looked at', error);
    });
    return store;
  }

  #tell(open: OpenCase): void {
    const { store, changed } = open;
    const { changes } = this.#parts;
    open.timer = null;
    open.changed = new Set();
    if (changed === null || changed.size > 0) {
      const rows = changed === null || changed.size > mostRowsTold ? null : store.evidence.rowsOf([...changed]);
      // One that was taken out has no row any more.
      changes.publish({ type: 'evidence', caseId: store.id, rows: rows?.length === changed?.size ? rows : null });
    }
    const { head } = store;
    if (head.hash !== open.headTold) {
      open.headTold = head.hash;
      changes.publish({ type: 'head', caseId: store.id, head, history: store.history });
      this.tellList();
    }
  }

  /** Looks at all files of a case that was opened, without holding anything up. */
  async #sweep(open: OpenCase): Promise<void> {
    const { store, closing } = open;
    const { signal } = closing;
    const ids = store.evidence.allIds();
    for (let at = 0; at < ids.length; at += sweptAtOnce) {
      const some = ids.slice(at, at + sweptAtOnce).filter((id) => !store.evidence.isChecked(id));
      this.#hashLater(open, await checkQuickly(store, some, 0, signal));
    }
  }

  #hashLater(open: OpenCase, ids: readonly number[]): void {
    for (const id of ids) open.toHash.add(id);
    if (open.hashing || open.toHash.size === 0) return;
    open.hashing = true;
    const work = async (): Promise<void> => {
      for (const id of open.toHash) {
        open.toHash.delete(id);
        await checkFully(open.store, id, open.closing.signal);
      }
    };
    work()
      .catch((error: unknown) => {
        const gone = error instanceof UserFacingError && error.code === 'not-found';
        if (!gone && !open.closing.signal.aborted) log('error', 'A file of a case could not be hashed', error);
      })
      .finally(() => {
        open.hashing = false;
        if (!open.closing.signal.aborted) this.#hashLater(open, []);
      });
  }

  /** Looks at items' files; what takes longer to tell is reported later, as a change. */
  async look(caseId: string, ids: readonly number[], signal?: AbortSignal): Promise<void> {
    const store = this.get(caseId);
    const left = await checkQuickly(store, ids, lookBudgetBytes, signal);
    const open = this.#open.get(caseId);
    if (open) this.#hashLater(open, left);
  }

  /** Says at once, and once, where a database was deleted or replaced under an open case. */
  #tellLost(): void {
    for (const open of this.#open.values()) {
      const problem = open.store.lost();
      if (problem && !open.lostTold) {
        this.#parts.changes.publish({ type: 'notice', tone: 'warning', sentence: problem.sentence });
        this.tellList();
      }
      open.lostTold = problem !== null;
    }
  }

  #close(open: OpenCase): void {
    this.#forget(open);
    open.store.close();
    if (open.look) endLook(open.look, this.#parts.home);
  }

  #forget(open: OpenCase): void {
    open.closing.abort();
    if (open.timer) clearTimeout(open.timer);
    open.store.onChange = () => undefined;
    this.#open.delete(open.store.id);
  }
}

/** What stands in the way of opening a case that is closed. */
function problemOf({ folder }: { folder: string }): CaseSummary['problem'] {
  if (!existsSync(databasePath(folder))) {
    return userError(
      new UserFacingError('missing', `There is no case in ${folder}.`, {
        path: folder,
        advice: 'Connect its drive, or open it from where it is now.',
      }),
    );
  }
  try {
    peekCase(folder);
    return null;
  } catch (error) {
    if (error instanceof UserFacingError) return error.code === 'older-version' ? null : userError(error);
    throw error;
  }
}
