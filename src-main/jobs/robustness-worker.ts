import { createHash } from 'node:crypto';
import { workerData } from 'node:worker_threads';
import { decode } from '../audio/decode.ts';
import { describeError } from '../base/errors.ts';
import { serveRequests } from '../base/pool.ts';
import { Random } from '../base/random.ts';
import { degradations, degradedRateHz } from '../degradation/catalogue.ts';
import type { Degradation } from '../degradation/catalogue.ts';
import type { Sound } from '../degradation/sound.ts';
import { wav16 } from '../degradation/wav.ts';
import { Detector } from '../detector/detector.ts';
import type { Analysis } from '../detector/detector.ts';
import type { DegradedOutcome, DegradedRequest, RobustnessWorkerData } from './robustness-scoring.ts';

const { card, members, seed, voicePaths } = workerData as RobustnessWorkerData;
const opened = Detector.create({ card, members }, 1);

let voices: Promise<Float32Array[]> | null = null;

function allVoices(): Promise<Float32Array[]> {
  voices ??= Promise.all(
    voicePaths.map(async (path) => (await decode(path, { sampleRateHz: degradedRateHz })).samples),
  );
  return voices;
}

/** Random numbers of one recording in one degradation, whatever else is measured. */
function randomFor(id: string, name: string): Random {
  const words = createHash('sha256').update(`${name}\n${id}`).digest();
  return new Random([seed, words.readUInt32LE(0), words.readUInt32LE(4)]);
}

async function degraded(path: string, id: string, degradation: Degradation): Promise<Sound> {
  const { name, how, voices: wanted = 0 } = degradation;
  if (!('apply' in how)) throw new Error(`${name} takes a codec`);
  const { samples } = await decode(path, { sampleRateHz: degradedRateHz });
  const random = randomFor(id, name);
  const others = voicePaths.map((_, index) => index).filter((index) => voicePaths[index] !== path);
  const chosen = random.shuffle(others).slice(0, wanted);
  const talking = wanted > 0 ? await allVoices() : [];
  const sound = { samples, sampleRateHz: degradedRateHz };
  return how.apply(sound, { random, voices: chosen.map((index) => talking[index]) });
}

function outcomeOf({ score, members: ofMembers, llr, finding, reasons, quality }: Analysis): DegradedOutcome {
  return {
    score,
    ...(ofMembers ? { members: ofMembers.map((member) => member.score) } : {}),
    llr,
    finding,
    reasons: reasons.filter(({ blocking }) => blocking).map(({ code }) => code),
    speechSeconds: quality.speechSeconds,
    error: null,
  };
}

async function analyse(request: DegradedRequest, signal: AbortSignal): Promise<DegradedOutcome> {
  const detector = await opened;
  if (request.degradation === null) return outcomeOf(await detector.analyse(request.path, signal));
  const degradation = degradations.find(({ name }) => name === request.degradation);
  if (!degradation) throw new Error(`no degradation ${request.degradation}`);
  const sound = request.sound ?? (await degraded(request.path, request.id, degradation));
  return outcomeOf(await detector.analyse({ path: request.path, bytes: wav16(sound) }, signal));
}

// One at a time: memory for windows belongs to one recording.
let last: Promise<unknown> = opened;
serveRequests<DegradedRequest, DegradedOutcome>(async (request, signal) => {
  const done = last.then(() => analyse(request, signal));
  last = done.catch(() => undefined);
  try {
    return { response: await done };
  } catch (error) {
    signal.throwIfAborted();
    const nothing = { score: null, llr: null, finding: null, reasons: [], speechSeconds: null };
    return { response: { ...nothing, error: describeError(error) } };
  }
});
