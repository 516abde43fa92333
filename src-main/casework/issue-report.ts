/** Makes reports: gathers what a case holds, renders it, keeps and logs it; and gives out again what was issued. */
import type { Analysis } from '../../src-common/schemas/analysis.ts';
import type { IssuedReport, ReportRequest } from '../../src-common/schemas/report.ts';
import { UserFacingError } from '../base/errors.ts';
import { looking } from '../base/looking.ts';
import { withOpenablePath } from '../base/openable-path.ts';
import { withKeptPool } from '../base/pool.ts';
import type { WorkerPool } from '../base/pool.ts';
import { checkFully, checkQuickly } from '../cases/states.ts';
import type { CaseStore } from '../cases/store.ts';
import { modelOfResult, saliencyMissing } from './explain.ts';
import type { MadeReport, Pictures, ReportKind, ReportSurroundings } from './gather-report.ts';
import { ModelStore } from '../models/model-store.ts';
import type { ReportWork, ReportWorkDone } from './report-worker.ts';

export type { ReportSurroundings } from './gather-report.ts';

/** Items that have a section with figures each; with more, a report lists them. */
export const mostItemsInFull = 100;
/** More than these no report takes. */
const mostItems = 100_000;
/** How much of files that look changed is read where they are too many to hash them all. */
const quickCheckBytes = 2 ** 30;

export interface ReportProgress {
  signal?: AbortSignal;
  /** @param done of `total` steps: items looked at, then the rendering */
  onProgress?: (done: number, total: number, doing: string) => void;
}

/** A finished report: the document, and what it says for machines, in UTF-8. */
export interface FinishedReport {
  pdf: Uint8Array;
  json: Uint8Array;
  csv: Uint8Array;
}

type Request = Omit<ReportRequest, 'caseId'>;

/** A case's reports are issued one after the other, so that each has its number. */
const queues = new WeakMap<CaseStore, Promise<unknown>>();

/**
 * Issues a report of a case: its document is kept in the case, and its number, time, log position and SHA-256 are a row of the log.
 * @throws UserFacingError `usage` for a case without items, or too many; `not-found` for an item or an amended report that is not there;
 * as the store does; the signal's reason when aborted.
 */
export function issueReport(
  store: CaseStore,
  request: ReportRequest,
  surroundings: ReportSurroundings,
  progress: ReportProgress = {},
): Promise<FinishedReport & { issued: IssuedReport }> {
  const before = queues.get(store) ?? Promise.resolve();
  const result = before.then(() => issue(store, request, surroundings, progress));
  queues.set(
    store,
    result.catch(() => undefined),
  );
  return result;
}

async function issue(
  store: CaseStore,
  request: ReportRequest,
  surroundings: ReportSurroundings,
  progress: ReportProgress,
): Promise<FinishedReport & { issued: IssuedReport }> {
  const { caseId: _, ...rest } = request;
  const { prepared, document, json, csv } = await make(store, rest, surroundings, progress, 'issued');
  if (prepared === null) throw new Error('the worker prepared nothing');
  return { pdf: document, json, csv, issued: store.reports.keep(prepared, request) };
}

/**
 * What a report of a case would say now, marked as a draft on every page: nothing is kept or logged, and the case may be open for reading only.
 * @throws UserFacingError as {@link issueReport}; the signal's reason when aborted.
 */
export async function draftReport(
  store: CaseStore,
  request: ReportRequest,
  surroundings: ReportSurroundings,
  progress: ReportProgress = {},
): Promise<FinishedReport & { pages: number }> {
  const { caseId: _, ...rest } = request;
  const { document, json, csv, pages } = await make(store, rest, surroundings, progress, 'draft');
  return { pdf: document, json, csv, pages: pages ?? 0 };
}

/** A draft as DOCX, and what a report would say for machines, in UTF-8. */
export interface EditableDraft {
  docx: Uint8Array;
  json: Uint8Array;
  csv: Uint8Array;
  items: number;
}

/**
 * What a report of a case would say now, as DOCX, for laboratories that have to edit it: marked as a draft, with neither number nor signature.
 * That it was saved has to be noted by {@link noteEditableDraft}.
 * @throws UserFacingError as {@link issueReport}; the signal's reason when aborted.
 */
export async function editableDraft(
  store: CaseStore,
  request: ReportRequest,
  surroundings: ReportSurroundings,
  progress: ReportProgress = {},
): Promise<EditableDraft> {
  const { caseId: _, ...rest } = request;
  const { document, json, csv } = await make(store, rest, surroundings, progress, 'editable-draft');
  const items = request.evidenceIds.length > 0 ? new Set(request.evidenceIds).size : store.evidence.allIds().length;
  return { docx: document, json, csv, items };
}

/** Notes in the log that a draft left the case as a file that can be changed. @param path null where the window downloads it */
export function noteEditableDraft(
  store: CaseStore,
  { items }: Pick<EditableDraft, 'items'>,
  path: string | null,
): void {
  const summary = `Exported a draft of a report of ${items} ${items === 1 ? 'item' : 'items'} as DOCX, which can be changed.`;
  store.log.note('exported', summary, { format: 'docx', items, path });
}

/** A report that belongs to no case, of what a case for the occasion holds: it is neither kept nor logged. */
export async function reportWithoutCase(
  store: CaseStore,
  request: Request,
  surroundings: ReportSurroundings,
  progress: ReportProgress = {},
): Promise<FinishedReport & { number: string; pages: number }> {
  const { document, json, csv, number, pages } = await make(store, request, surroundings, progress, 'without-case');
  return { pdf: document, json, csv, number, pages: pages ?? 0 };
}

/**
 * A report that was issued, byte for byte.
 * @throws UserFacingError `not-found`, `damaged` where what the case holds is not what was issued
 */
export async function reportAgain(
  { folder }: CaseStore,
  number: string,
): Promise<FinishedReport & { issued: IssuedReport }> {
  return withKeptPool({ worker: 'casework/report-worker' }, async (pool: WorkerPool<ReportWork, ReportWorkDone>) => {
    const done = await pool.run({ again: { folder, number } });
    if (!('issued' in done)) throw new Error('the worker answered something else');
    return done.issued;
  });
}

async function make(
  store: CaseStore,
  request: Request,
  surroundings: ReportSurroundings,
  progress: ReportProgress,
  kind: ReportKind,
): Promise<MadeReport> {
  const { signal, onProgress = () => undefined } = progress;
  const ids =
    request.evidenceIds.length > 0 ? [...new Set(request.evidenceIds)].sort((a, b) => a - b) : store.evidence.allIds();
  if (ids.length === 0) {
    throw new UserFacingError('usage', 'There is nothing to report: the case holds no item.', {
      advice: 'Add evidence first.',
    });
  }
  if (ids.length > mostItems) {
    throw new UserFacingError('usage', `A report takes at most ${mostItems} items; these are ${ids.length}.`, {
      advice: 'Choose some of them, or export the list.',
    });
  }
  const inFull = ids.length <= mostItemsInFull;
  // Looked at and gathered; putting it together takes about as long as either.
  const steps = 3 * ids.length;
  const pooled = { worker: 'casework/report-worker', signal };
  return withKeptPool(pooled, async (pool: WorkerPool<ReportWork, ReportWorkDone>) => {
    const pictures = new Map<number, Pictures>();
    if (inFull) {
      for (const [index, id] of ids.entries()) {
        const { name } = store.evidence.get(id);
        const tell = (doing: string): void => onProgress(index, steps, `${doing} ${name}`);
        if (request.form === 'short') {
          tell('looking at');
          await checkFully(store, id, signal);
          continue;
        }
        tell('drawing');
        const drawn = await picturesOf(store, id, pool, signal);
        if (request.saliency) tell('explaining results of');
        const saliency = request.saliency ? { saliency: await saliencyOf(store, id, pool, surroundings, signal) } : {};
        if (request.traces) tell('measuring traces of');
        const traces = request.traces ? { traces: await tracesOf(store, id, pool) } : {};
        pictures.set(id, { ...drawn, ...saliency, ...traces });
      }
    } else {
      const tell = (count: number): void => onProgress(count, steps, 'looking at the files');
      tell(0);
      await checkQuickly(store, ids, quickCheckBytes, signal, tell);
    }
    const states = store.evidence.statesOf(ids);
    const gathered = new Int32Array(new SharedArrayBuffer(4));
    const tell = (): void => {
      const count = Atomics.load(gathered, 0);
      const doing = count < ids.length ? 'gathering what the items say' : 'writing the report';
      onProgress(ids.length + count, steps, doing);
    };
    tell();
    const making = { folder: store.folder, request, ids, inFull, states, pictures, kind, surroundings, gathered };
    const done = await looking(tell, pool.run({ make: making }));
    if (!('made' in done)) throw new Error('the worker answered something else');
    return done.made;
  });
}

/** Compares an item with its hash, and draws it where it is still what was taken in. */
async function picturesOf(
  store: CaseStore,
  id: number,
  pool: WorkerPool<ReportWork, ReportWorkDone>,
  signal: AbortSignal | undefined,
): Promise<Pictures> {
  const state = await checkFully(store, id, signal);
  if (state !== 'unchanged') {
    const why = { changed: 'the file is no longer what was taken in.', missing: 'the file is not at its place.' };
    return {
      figures: null,
      figuresProblem: state in why ? why[state as keyof typeof why] : 'the file cannot be read.',
    };
  }
  try {
    const whole = store.analyses.of(id).find((analysis) => analysis.stretch === null);
    const { audio: atIntake, marks } = store.evidence.get(id);
    const { stream, audio } = { stream: whole?.stream ?? 0, audio: whole?.audio ?? atIntake };
    const drawn = {
      stream,
      channels: audio?.channels ?? 1,
      sampleRateHz: audio?.sampleRateHz ?? 16_000,
      marks: marks.filter(({ inReport }) => inReport),
      settings: store.spectrogram,
    };
    const done = await withOpenablePath(store.evidence.file(id), (path) => pool.run({ figuresOf: { path, ...drawn } }));
    if (!('figures' in done)) throw new Error('the worker answered something else');
    return { figures: done.figures, figuresProblem: null };
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof UserFacingError)) throw error;
    return { figures: null, figuresProblem: error.message };
  }
}

/** Explains the latest result of the whole item and of each stretch, as far as the file is still the one that they are of. */
async function saliencyOf(
  store: CaseStore,
  id: number,
  pool: WorkerPool<ReportWork, ReportWorkDone>,
  { home, modelFolder }: ReportSurroundings,
  signal: AbortSignal | undefined,
): Promise<NonNullable<Pictures['saliency']>> {
  const models = new ModelStore(home);
  const explained: NonNullable<Pictures['saliency']> = {};
  if (store.evidence.rowsOf([id]).some(({ state }) => state !== 'unchanged')) return explained;
  for (const analysis of latestOfEach(store.analyses.of(id))) {
    const { stretch, channel, stream, settings } = analysis;
    const readAll = settings['readAll'] === true ? { readAll: true } : {};
    try {
      const model = await modelOfResult(models, analysis, modelFolder);
      const done = await withOpenablePath(store.evidence.file(id), (path) =>
        pool.run({ saliencyOf: { model, path, reading: { stretch, channel, stream, ...readAll } } }),
      );
      if (!('saliency' in done)) throw new Error('the worker answered something else');
      explained[analysis.id] = done.saliency;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof UserFacingError)) throw error;
      explained[analysis.id] = saliencyMissing(analysis.modelName, error);
    }
  }
  return explained;
}

/** Of the file as far as it is still the one that was taken in. */
async function tracesOf(
  store: CaseStore,
  id: number,
  pool: WorkerPool<ReportWork, ReportWorkDone>,
): Promise<NonNullable<Pictures['traces']>> {
  if (store.evidence.rowsOf([id]).some(({ state }) => state !== 'unchanged')) {
    return { measured: null, problem: 'The file is not, or not known to be, the one that was taken in.' };
  }
  const done = await withOpenablePath(store.evidence.file(id), (path) => pool.run({ tracesOf: { path } }));
  if (!('traces' in done)) throw new Error('the worker answered something else');
  return done.traces;
}

/** The latest result that has a score, of each part of a recording that was analysed. */
function latestOfEach(analyses: readonly Analysis[]): Analysis[] {
  const latest = new Map<string, Analysis>();
  for (const analysis of analyses) {
    const { stretch, channel, stream, score, stale } = analysis;
    if (score === null || stale) continue;
    const key = JSON.stringify([stretch, channel, stream]);
    if ((latest.get(key)?.id ?? 0) < analysis.id) latest.set(key, analysis);
  }
  return [...latest.values()].sort((one, other) => one.id - other.id);
}
