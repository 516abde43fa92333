/** Takes in a detector that others trained: an ONNX graph and the card that says what goes in and what comes out. */
import { basename, join } from 'node:path';
import { readFile, rm, stat } from 'node:fs/promises';
import type { z } from 'zod';
import { UserFacingError } from '../base/errors.ts';
import { ensureFolder, unwritable, writeFileWhole } from '../base/files.ts';
import { sha256 } from '../base/sha256.ts';
import { defaultMinimumSpeechSeconds } from '../detector/card.ts';
import type { Card } from '../detector/card.ts';
import { axesOf } from '../detector/foreign.ts';
import { detectorDeclarationSchema } from '../detector/foreign-card.ts';
import type { DetectorDeclaration } from '../detector/foreign-card.ts';
import { readGraphFile } from '../detector/graph-data.ts';
import { refusal } from '../detector/graph.ts';
import type { ForeignMember } from '../detector/member.ts';
import { writeModel } from '../detector/store.ts';
import type { StoredModel } from '../detector/store.ts';
import { calibrationSchema } from '../evaluation/calibration.ts';
import type { TrialResult } from './detector-trial.ts';
import { runInChild } from '../jobs/child.ts';
import type { TrialTasks } from './trial-worker.ts';

export interface DetectorImport {
  /** Of the ONNX file; weights in files beside it come along. */
  graph: string;
  /** Of the card that the laboratory wrote: `detectorDeclarationSchema`. */
  card: string;
  /** Folder of the model that is made. */
  out: string;
}

const mostCardBytes = 1024 ** 2;
/** Loading and six windows; who takes longer cannot be used. */
const trialSeconds = 300;
const activeRangeDb = 40;

/**
 * Reads a file of JSON that a person wrote.
 * @throws UserFacingError `card` naming the keys that are wrong
 */
export async function readDeclaration<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.infer<Schema>> {
  const wrong = (why: string, cause?: unknown): UserFacingError =>
    new UserFacingError('card', `${path} is no card that can be used: ${why}.`, {
      path,
      advice: 'docs/models.md shows what a card holds.',
      cause,
    });
  const found = await stat(path).catch((error: unknown) => {
    throw wrong('it cannot be found or read', error);
  });
  if (!found.isFile() || found.size > mostCardBytes) throw wrong('it is no small file');
  let raw: unknown;
  try {
    raw = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw wrong(`it is no JSON (${(error as Error).message})`, error);
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path: place, message }) =>
    place.length === 0 ? message : `${place.join('.')}: ${message}`,
  );
  throw wrong(issues.slice(0, 5).join('; '), parsed.error);
}

function memberOf({ input, output, ...declared }: DetectorDeclaration, axes: number): ForeignMember {
  const { description, licence, source, sampleRateHz, highestHz = sampleRateHz / 2 } = declared;
  return {
    ...{ kind: 'foreign', name: 'detector', weight: 1, onnx: 'detector.onnx' },
    ...{ input, output, axes, highestHz, description, licence, source },
  };
}

/** The card of the model: for screening, and uncalibrated. */
function cardOf(
  declared: DetectorDeclaration,
  member: ForeignMember,
  origin: NonNullable<Card['origin']>,
  application: string,
  notes: string[],
): Omit<Card, 'files'> {
  const { name, sampleRateHz, input, hop = Math.ceil(input.samples / 2) } = declared;
  const { trim, ...conditioning } = declared.conditioning;
  const unknown = 'not known: a detector made elsewhere';
  return {
    ...{ format: 2, name, status: 'screening', createdAt: origin.importedAt, application },
    conditioning: { sampleRateHz, activeRangeDb, ...conditioning, whole: !trim },
    window: { seconds: input.samples / sampleRateHz, hopSeconds: hop / sampleRateHz },
    members: [member],
    training: {
      ...{ dataset: unknown, counts: {}, sources: [], manifestSha256: sha256(''), fileSha256: [] },
      ...{ seed: 0, backend: unknown, folds: null },
    },
    calibration: calibrationSchema.parse({ a: 1, b: 0, prior: 0.5, dataset: 'none', split: 'none' }),
    uncalibrated: true,
    thresholds: {
      score: 0,
      inconclusiveLlr: Math.LN2,
      minimumActiveSeconds: 1,
      maximumClippedFraction: 0.01,
      minimumSpeechSeconds: defaultMinimumSpeechSeconds,
      minimumSnrDb: 0,
    },
    figures: [],
    records: [],
    validation: null,
    origin,
    notes,
  };
}

/**
 * Makes a model's folder of a foreign graph: the graph is looked at first, then run in a process of its own.
 * @throws UserFacingError `card`, `graph`, `unwritable`; the signal's reason when it fires
 */
export async function takeInDetector(
  { graph, card: cardPath, out }: DetectorImport,
  application: string,
  signal?: AbortSignal,
): Promise<StoredModel> {
  const declared = await readDeclaration(cardPath, detectorDeclarationSchema);
  const { onnx, outline } = await readGraphFile(graph);
  const member = memberOf(declared, axesOf(outline, declared.input, declared.output, graph));
  await ensureFolder(out).catch((error: unknown) => {
    throw unwritable(out, error);
  });
  const tried = join(out, '.trial.onnx');
  await writeFileWhole(tried, onnx);
  const { input, output, axes } = member;
  const request = { path: tried, declared: { input, output, axes }, sampleRateHz: declared.sampleRateHz };
  const { secondsPerWindow } = await runTrial('tryDetector', request, graph, signal).finally(() =>
    rm(tried, { force: true }),
  );
  const importedAt = new Date().toISOString();
  const origin = {
    ...{ importedAt, file: basename(graph), cardSha256: sha256(JSON.stringify(declared)) },
    ...{ application: 'not this application', status: 'screening' as const, laboratory: null },
  };
  const speed = declared.input.samples / declared.sampleRateHz / secondsPerWindow;
  const notes = [
    ...declared.notes,
    `Taken in on ${importedAt} from ${origin.file}: a detector made elsewhere, of whose training nothing is known here. One window took ${secondsPerWindow.toFixed(2)} s on one core (${speed.toFixed(0)} times real time without overlap).`,
    ...(declared.licence === '' ? [] : [`Its licence, as its card says: ${declared.licence}`]),
  ];
  return writeModel(out, cardOf(declared, member, origin, application, notes), new Map([[member.onnx, onnx]]));
}

/**
 * Runs a graph for the first time, in a child.
 * @param graph as the person named it
 * @throws UserFacingError `graph` for whatever goes wrong there; the signal's reason when it fires
 */
export async function runTrial<Name extends keyof TrialTasks>(
  name: Name,
  request: TrialTasks[Name]['request'],
  graph: string,
  signal: AbortSignal | undefined,
): Promise<TrialResult> {
  const limit = AbortSignal.timeout(trialSeconds * 1000);
  try {
    return await runInChild<TrialTasks, Name>('models/trial-worker', name, request, {
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      graceMilliseconds: 0,
    });
  } catch (error) {
    signal?.throwIfAborted();
    if (limit.aborted) throw refusal(graph, `a few windows took it more than ${trialSeconds} s`, undefined, error);
    if (!(error instanceof UserFacingError)) throw error;
    if (error.code === 'crashed') {
      const why = 'the process that tried to run it ended unexpectedly, for want of memory perhaps';
      throw refusal(graph, why, undefined, error);
    }
    throw refusal(graph, error.message.replace(/\.$/, ''), error.advice, error);
  }
}
