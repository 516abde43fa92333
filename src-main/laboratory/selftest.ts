/** Scores made signals and compares with what was stored, so that an installation can be trusted. */
import { processorName } from '../base/processor.ts';
import { scoreAgreement } from '../../src-common/score-agreement.ts';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { decode } from '../audio/decode.ts';
import { findFfmpeg } from '../audio/ffmpeg.ts';
import { sha256File } from '../audio/hash.ts';
import type { AudioSource } from '../audio/types.ts';
import { UserFacingError, describeError } from '../base/errors.ts';
import { privateFolder, writeFileWhole } from '../base/files.ts';
import { dataFolder } from '../base/home.ts';
import { Detector } from '../detector/detector.ts';
import {
  defaultModelFolder,
  findModel,
  isModelFolder,
  readModel,
  shippedModelFolder,
  shippedModels,
} from '../detector/store.ts';
import type { StoredModel } from '../detector/store.ts';
import { sphereBytes, decoderFlac, decoderSamples, referenceSignals } from './selftest-signals.ts';
import { wavBytes } from '../audio/wav-writer.ts';

/** What a model said of the reference signals when it was made, or when it was first met. */
const referenceSchema = z.object({
  format: z.literal(1),
  onnxSha256: z.string(),
  application: z.string(),
  storedAt: z.string(),
  signals: z.record(z.string(), z.object({ score: z.number().nullable(), windows: z.array(z.number()) })),
});
type Reference = z.infer<typeof referenceSchema>;
type Scores = Reference['signals'];

/** A way to run a network. */
interface InferenceBackend {
  name: string;
  /** How far scores may lie from those stored. */
  tolerance: number;
  open: (model: StoredModel) => Promise<Detector>;
}

/** Every backend that answers on this machine. */
const backends: InferenceBackend[] = [
  { name: 'cpu', tolerance: scoreAgreement, open: (model) => Detector.create(model, availableParallelism()) },
];

/** One thing that was checked. */
export interface SelfTestCheck {
  /** `decoder wav`, or the model's name and backend. */
  name: string;
  passed: boolean;
  /** What was found, as a sentence. */
  detail: string;
  /** Where scores were compared. */
  comparison?: { model: string; onnxSha256: string; backend: string; tolerance: number; largestDifference: number };
}

/** A self-test, as it is saved. */
export interface SelfTestRecord {
  format: 1;
  time: string;
  passed: boolean;
  versions: {
    application: string;
    node: string;
    onnxruntime: string;
    ffmpeg: { path: string; version: string; sha256: string } | null;
    platform: string;
    processor: string;
  };
  checks: SelfTestCheck[];
}

/** The file of a model's stored scores: beside the model, else for one that came without in the data folder. */
function referencePaths(model: StoredModel): string[] {
  return [
    join(model.folder, 'selftest.json'),
    join(dataFolder(), 'selftests', 'references', `${model.onnxSha256}.json`),
  ];
}

async function readReference(model: StoredModel): Promise<{ path: string; reference: Reference } | null> {
  for (const path of referencePaths(model)) {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw new UserFacingError('selftest', `${path} cannot be read: ${error.message}.`, { path, cause: error });
    });
    if (text === null) continue;
    let reference: Reference;
    try {
      reference = referenceSchema.parse(JSON.parse(text));
    } catch (error) {
      throw new UserFacingError('selftest', `${path} holds no stored scores that this version can read.`, {
        path,
        advice: 'Restore it from a copy, or store new ones with `earwitness selftest --store --overwrite`.',
        cause: error,
      });
    }
    if (reference.onnxSha256 !== model.onnxSha256) {
      throw new UserFacingError('selftest', `${path} holds the scores of another model.`, {
        path,
        advice: 'Restore it from a copy, or store new ones with `earwitness selftest --store --overwrite`.',
      });
    }
    return { path, reference };
  }
  return null;
}

async function scoreSignals(
  model: StoredModel,
  backend: InferenceBackend,
  signal: AbortSignal | undefined,
): Promise<Scores> {
  const detector = await backend.open(model);
  try {
    const scores: Scores = {};
    for (const [name, samples] of referenceSignals()) {
      signal?.throwIfAborted();
      const { score, windows } = await detector.analyse({ path: `${name}.wav`, bytes: wavBytes(samples) }, signal);
      scores[name] = { score, windows: windows.map((window) => window.score) };
    }
    return scores;
  } finally {
    await detector.dispose();
  }
}

/** The largest difference between two sets of scores; infinite where they do not have the same shape. */
function largestDifference(stored: Scores, now: Scores): number {
  const numbers = (scores: Scores): (number | null)[] =>
    Object.keys(scores)
      .sort()
      .flatMap((name) => [scores[name].score, ...scores[name].windows]);
  const shape = (scores: Scores): string =>
    JSON.stringify(
      Object.keys(scores)
        .sort()
        .map((name) => [name, scores[name].windows.length]),
    );
  if (shape(stored) !== shape(now)) return Infinity;
  const before = numbers(stored);
  return numbers(now).reduce<number>((largest, value, index) => {
    const then = before[index];
    if (value === null || then === null) return value === then ? largest : Infinity;
    const difference = Math.abs(value - then);
    return Number.isNaN(difference) ? Infinity : Math.max(largest, difference);
  }, 0);
}

function newReference(model: StoredModel, application: string, signals: Scores): Reference {
  return { format: 1, onnxSha256: model.onnxSha256, application, storedAt: new Date().toISOString(), signals };
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFileWhole(path, `${JSON.stringify(value, null, 1)}\n`);
}

async function checkModel(
  model: StoredModel,
  backend: InferenceBackend,
  application: string,
  signal: AbortSignal | undefined,
): Promise<SelfTestCheck> {
  const name = `model ${model.card.name} on ${backend.name}`;
  const found = await readReference(model);
  const scores = await scoreSignals(model, backend, signal);
  if (found === null) {
    const path = referencePaths(model)[1];
    await writeJson(path, newReference(model, application, scores));
    return {
      name,
      passed: true,
      detail: `It came without stored scores: today's were stored in ${path} and will be compared from now on.`,
    };
  }
  const difference = largestDifference(found.reference.signals, scores);
  const { tolerance } = backend;
  const passed = difference <= tolerance;
  const against = `from those that ${found.reference.application} stored on ${found.reference.storedAt.slice(0, 10)}`;
  return {
    name,
    passed,
    detail: Number.isFinite(difference)
      ? `Scores differ by at most ${difference.toExponential(1)} ${against}; ${tolerance} is allowed.`
      : `Its scores are not of the same signals and windows, or are not numbers, unlike those in ${found.path}.`,
    comparison: {
      model: model.card.name,
      onnxSha256: model.onnxSha256,
      backend: backend.name,
      tolerance,
      largestDifference: difference,
    },
  };
}

/** Decodes a file of known samples by one decoder. */
async function checkDecoder(
  decoder: 'wav' | 'flac' | 'ffmpeg',
  source: AudioSource,
  signal: AbortSignal | undefined,
): Promise<SelfTestCheck> {
  const name = `decoder ${decoder}`;
  const expected = decoderSamples();
  const { info, samples } = await decode(source, { ...(signal ? { signal } : {}) });
  const same = samples.length === expected.length && expected.every((value, i) => samples[i] === value / 32768);
  const passed = same && info.decoder === decoder;
  const used = info.decoder === decoder ? '' : ` by ${info.decoder}`;
  return {
    name,
    passed,
    detail: passed ? 'Every sample is right.' : `The samples decoded${used} are not those that were coded.`,
  };
}

/** Checks one thing; an error is a check that failed. */
async function checked(
  name: string,
  signal: AbortSignal | undefined,
  check: () => Promise<SelfTestCheck>,
): Promise<SelfTestCheck> {
  try {
    return await check();
  } catch (error) {
    signal?.throwIfAborted();
    return { name, passed: false, detail: describeError(error) };
  }
}

async function checkFfmpeg(signal: AbortSignal | undefined): Promise<SelfTestCheck> {
  const folder = await mkdtemp(join(tmpdir(), 'earwitness-selftest-'));
  try {
    const path = join(folder, 'reference.sph');
    await writeFile(path, sphereBytes(decoderSamples()));
    return await checkDecoder('ffmpeg', path, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The folders of all models: those that ship, and those in the data folder. */
async function installedModels(): Promise<string[]> {
  const models = join(dataFolder(), 'models');
  const names = await readdir(models).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const folders = [...shippedModels.map(shippedModelFolder), ...names.sort().map((name) => join(models, name))];
  const found = await Promise.all(folders.map(isModelFolder));
  return folders.filter((_, index) => found[index]);
}

async function ffmpegVersion(): Promise<SelfTestRecord['versions']['ffmpeg']> {
  const found = await findFfmpeg().catch(() => null);
  return found && { path: found.path, version: found.version, sha256: await sha256File(found.path) };
}

/** ONNX Runtime's version, without loading its native part. */
function onnxruntimeVersion(): string {
  return (createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string }).version;
}

/**
 * Decodes and scores signals made here, compares the scores with those stored, and saves the record in the data folder.
 * @param application name and version, for the record
 * @param options `models`: names or folders instead of all that are installed; `onCheck`: called after each check
 * @returns the record and its file
 * @throws UserFacingError `model` where none is installed or one named is not there, `unwritable`; the signal's reason.
 */
export async function selfTest(
  application: string,
  options: { models?: readonly string[]; signal?: AbortSignal; onCheck?: (check: SelfTestCheck) => void } = {},
): Promise<{ record: SelfTestRecord; path: string }> {
  const { signal } = options;
  const folders = options.models ? await Promise.all(options.models.map(findModel)) : await installedModels();
  if (folders.length === 0) {
    throw new UserFacingError('model', 'No model is installed, so there is nothing to test.', {
      path: defaultModelFolder(),
      advice: 'Install Earwitness again, or train a model.',
    });
  }
  await privateFolder(dataFolder());
  const ffmpeg = await ffmpegVersion();
  const time = new Date().toISOString();
  const checks: SelfTestCheck[] = [];
  const add = async (name: string, check: () => Promise<SelfTestCheck>): Promise<void> => {
    signal?.throwIfAborted();
    const done = await checked(name, signal, check);
    checks.push(done);
    options.onCheck?.(done);
  };
  const memory = (bytes: Uint8Array): AudioSource => ({ path: 'reference', bytes });
  await add('decoder wav', () => checkDecoder('wav', memory(wavBytes(decoderSamples())), signal));
  await add('decoder flac', () => checkDecoder('flac', memory(Buffer.from(decoderFlac, 'base64')), signal));
  if (ffmpeg) await add('decoder ffmpeg', () => checkFfmpeg(signal));
  for (const folder of folders) {
    for (const backend of backends) {
      await add(`model ${folder} on ${backend.name}`, async () =>
        checkModel(await readModel(folder), backend, application, signal),
      );
    }
  }
  const record: SelfTestRecord = {
    format: 1,
    time,
    passed: checks.every((check) => check.passed),
    versions: {
      application,
      node: process.versions.node,
      onnxruntime: onnxruntimeVersion(),
      ffmpeg,
      platform: `${process.platform} ${process.arch}`,
      processor: processorName(),
    },
    checks,
  };
  const path = join(dataFolder(), 'selftests', `${time.replaceAll(/[:.]/g, '-')}.json`);
  await writeJson(path, record);
  return { record, path };
}

/** The records that were kept, the first first; files that are none are left out. */
export async function selfTestRecords(): Promise<SelfTestRecord[]> {
  const folder = join(dataFolder(), 'selftests');
  const records: SelfTestRecord[] = [];
  for (const name of (await readdir(folder).catch(() => [])).filter((one) => one.endsWith('.json')).sort()) {
    try {
      const record = JSON.parse(await readFile(join(folder, name), 'utf8')) as SelfTestRecord;
      if (record.format === 1 && Array.isArray(record.checks)) records.push(record);
    } catch {
      // A torn or foreign file says nothing.
    }
  }
  return records;
}

/**
 * Stores what a model says of the reference signals beside it, for later self-tests to compare with.
 * @param model name or folder; by default the model that ships
 * @returns the file
 * @throws UserFacingError `model`, `unwritable`; the signal's reason
 */
export async function storeReference(
  application: string,
  model: string | undefined,
  { overwrite = false, signal }: { overwrite?: boolean; signal?: AbortSignal } = {},
): Promise<string> {
  const stored = await readModel(await findModel(model));
  const path = referencePaths(stored)[0];
  if (!overwrite && existsSync(path)) {
    throw new UserFacingError('usage', `${path} exists.`, {
      path,
      advice: 'Scores that were stored before are what a self-test compares with: add --overwrite to replace them.',
    });
  }
  await writeJson(path, newReference(stored, application, await scoreSignals(stored, backends[0], signal)));
  return path;
}
