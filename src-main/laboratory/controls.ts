/**
 * Control recordings: kept in the data folder, scored before every scan, and their scores compared with a baseline, so that a change of
 * decoder, library, processor or model is seen before a result is released.
 */
import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { baselineAfter, judgeRun, judgeRuns, runsOf } from '../../src-common/control-limits.ts';
import type { JudgedRun } from '../../src-common/control-limits.ts';
import { controlRunSchema, controlSetSchema } from '../../src-common/schemas/controls.ts';
import type { ControlRecording, ControlRun, ControlScore, ControlSet } from '../../src-common/schemas/controls.ts';
import { usedFfmpeg } from '../audio/used-ffmpeg.ts';
import { processorName } from '../base/processor.ts';
import { UserFacingError } from '../base/errors.ts';
import { writeFileWhole } from '../base/files.ts';
import { sha256 } from '../base/sha256.ts';
import { loadDataset, selectSplit } from '../datasets/load.ts';
import type { StoredModel } from '../detector/store.ts';
import { backendHere } from '../reports/scan-results.ts';
import { scanFiles } from '../scanning/scan-files.ts';
import { copyRecording } from './copy-recording.ts';
import { drawnAlike } from './robustness-rows.ts';
import { SignedBook } from './signed-book.ts';

/** Where set and runs lie in the data folder. */
export const controlsFolder = (home: string): string => join(home, 'controls');
const setPath = (home: string): string => join(controlsFolder(home), 'set.json');
const openBook = (home: string): SignedBook<ControlRun> =>
  SignedBook.open({ path: join(controlsFolder(home), 'runs.sqlite'), of: 'control run', schema: controlRunSchema });
const recordingsFolder = (home: string): string => join(controlsFolder(home), 'recordings');
const recordingPath = (home: string, { sha256: name }: ControlRecording): string => join(recordingsFolder(home), name);

/** The control recordings; null where none were chosen. @throws UserFacingError `damaged` */
export async function readControlSet(home: string): Promise<ControlSet | null> {
  const path = setPath(home);
  try {
    const set = controlSetSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    if (setHash(set.recordings) !== set.sha256) throw new Error('Its hash is not that of its recordings.');
    return set;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new UserFacingError('damaged', `${path} is no list of control recordings, or was changed.`, {
      path,
      advice:
        'Restore the folder from a backup, or choose the recordings anew: `earwitness control set … --overwrite`.',
      cause: error,
    });
  }
}

function setHash(recordings: readonly ControlRecording[]): string {
  return sha256(recordings.map(({ label, sha256: hash }) => `${label} ${hash}\n`).join(''));
}

/**
 * Chooses control recordings from a labelled dataset and copies them into the data folder.
 * @param count of each class
 * @throws UserFacingError `dataset` where a class has fewer, and as `copyRecording`: those before stay then
 */
export async function chooseControls(
  home: string,
  { dataset, split, count, seed, by }: { dataset: string; split: string; count: number; seed: number; by: string },
): Promise<ControlSet> {
  const items = selectSplit(await loadDataset(dataset), split);
  const chosen = drawnAlike(items, 2 * count, seed);
  for (const label of ['bonafide', 'spoof'] as const) {
    const found = chosen.filter((item) => item.label === label).length;
    if (found === count) continue;
    throw new UserFacingError('dataset', `${dataset} has ${found} ${label} recordings in ${split}, not ${count}.`, {
      advice: 'Ask for fewer (--count), or take another split.',
    });
  }
  const before = await readControlSet(home).catch(() => null);
  const recordings: ControlRecording[] = [];
  try {
    for (const { path, label } of chosen) {
      const hash = await copyRecording(path, recordingsFolder(home), (sha) => sha);
      if (!recordings.some((one) => one.sha256 === hash))
        recordings.push({ sha256: hash, name: basename(path), label });
    }
  } catch (error) {
    await removeCopies(home, recordings, before?.recordings ?? []);
    throw error;
  }
  const set: ControlSet = {
    format: 1,
    sha256: setHash(recordings),
    recordings,
    madeAt: new Date().toISOString(),
    madeBy: by,
  };
  await writeFileWhole(setPath(home), `${JSON.stringify(set, null, 1)}\n`);
  await removeCopies(home, before?.recordings ?? [], recordings);
  return set;
}

/** Removes copies that are none of those that stay. */
async function removeCopies(
  home: string,
  copies: readonly ControlRecording[],
  staying: readonly ControlRecording[],
): Promise<void> {
  for (const copy of copies) {
    if (!staying.some((one) => one.sha256 === copy.sha256)) await rm(recordingPath(home, copy), { force: true });
  }
}

async function versionsNow(application: string): Promise<ControlRun['versions']> {
  const backend = `${backendHere()} (${processorName()}); ${process.platform} ${process.arch}`;
  return { application, ffmpeg: (await usedFfmpeg())?.version ?? null, backend };
}

async function scoreControls(
  home: string,
  set: ControlSet,
  model: StoredModel,
  signal: AbortSignal | undefined,
): Promise<ControlScore[]> {
  const requests = set.recordings.map((recording) => ({
    path: recordingPath(home, recording),
    nameBytes: null,
    found: false,
  }));
  const scores: ControlScore[] = [];
  for await (const { analysis, error, sha256: found } of scanFiles(model, requests, signal ? { signal } : {})) {
    const recording = set.recordings[scores.length];
    const changed = found !== null && found !== recording.sha256;
    const problem = changed ? 'The copy in the data folder is not what it was.' : (error?.message ?? null);
    const score = problem === null ? (analysis?.score ?? null) : null;
    scores.push({
      ...recording,
      score,
      finding: problem === null ? (analysis?.finding ?? null) : null,
      problem: score === null ? (problem ?? 'It has no score.') : null,
    });
  }
  return scores;
}

export interface ControlRunRequest {
  application: string;
  by: string;
  role: ControlRun['role'];
  reason?: string | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Scores the control recordings and keeps the run, signed, in the book of the data folder.
 * @returns null where no control recordings were chosen
 * @throws UserFacingError `controls` for a baseline of which a recording cannot be scored, or that takes another's place without a reason;
 * `key`, `damaged`, `unwritable`; the signal's reason when it fires
 */
export async function runControls(
  home: string,
  model: StoredModel,
  { application, by, role, reason, signal }: ControlRunRequest,
): Promise<JudgedRun | null> {
  const set = await readControlSet(home);
  if (set === null) return null;
  const run: ControlRun = {
    format: 1,
    id: randomUUID(),
    at: new Date().toISOString(),
    by,
    role,
    reason: reason ?? null,
    setSha256: set.sha256,
    model: { name: model.card.name, sha256: model.onnxSha256 },
    versions: await versionsNow(application),
    scores: await scoreControls(home, set, model, signal),
  };
  const book = openBook(home);
  try {
    const before = runsOf(book.entries(), run);
    if (role === 'baseline') mustBeABaseline(run, before);
    book.add(run, home);
    return judgeRun(run, before);
  } finally {
    book.close();
  }
}

function mustBeABaseline(run: ControlRun, before: readonly ControlRun[]): void {
  const failed = run.scores.find(({ score }) => score === null);
  if (failed) {
    throw new UserFacingError('controls', `${failed.name} cannot be scored: ${failed.problem ?? ''}`, {
      advice: 'A baseline needs a score of every control recording. Choose them anew without this one.',
    });
  }
  const goesOn = baselineAfter([...before, run]).length > 1;
  if (before.some(({ role }) => role === 'baseline') && !goesOn && run.reason === null) {
    throw new UserFacingError('controls', 'There is a baseline already, and this run would begin another.', {
      advice: 'Say why with --reason, for instance "ffmpeg 7 validated, procedure FA-3".',
    });
  }
}

/** All runs of the chosen recordings, by model, each with what it says; the first first. @throws UserFacingError `damaged` */
export async function controlHistory(home: string): Promise<{ set: ControlSet | null; models: JudgedRun[][] }> {
  const set = await readControlSet(home);
  if (set === null) return { set, models: [] };
  const book = openBook(home);
  try {
    const runs = book.entries().filter(({ setSha256 }) => setSha256 === set.sha256);
    return { set, models: [...Map.groupBy(runs, ({ model }) => model.sha256).values()].map(judgeRuns) };
  } finally {
    book.close();
  }
}
