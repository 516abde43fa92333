import { workerData } from 'node:worker_threads';
import { describeError } from '../base/errors.ts';
import { serveRequests } from '../base/pool.ts';
import { degradations } from '../degradation/catalogue.ts';
import { wav16 } from '../audio/wav-writer.ts';
import { Detector } from '../detector/detector.ts';
import type { DetectorAnalysis } from '../detector/detector.ts';
import { Degrader } from './degraded-sounds.ts';
import type { DegradedOutcome, DegradedRequest, RobustnessWorkerData } from './robustness-scoring.ts';

const { seed, voicePaths, ...model } = workerData as RobustnessWorkerData;
const opened = Detector.create(model, 1);

const degrader = new Degrader(seed, voicePaths);

/** Enough of a value for distances. */
const digits = 5;

function outcomeOf({
  analysis,
  vectors,
}: {
  analysis: DetectorAnalysis;
  vectors: Map<string, Float64Array>;
}): DegradedOutcome {
  const { score, members: ofMembers, llr, finding, reasons, quality, activeSeconds, companion } = analysis;
  const { snrDb, effectiveBandwidthHz, clippedFraction, speechSeconds } = quality;
  return {
    score,
    ...(ofMembers ? { members: ofMembers.map((member) => member.score) } : {}),
    llr,
    finding,
    reasons: reasons.filter(({ blocking }) => blocking).map(({ code }) => code),
    speechSeconds,
    quality: { activeSeconds, snrDb, effectiveBandwidthHz, clippedFraction },
    ...(companion ? { companion } : {}),
    ...(vectors.size > 0
      ? {
          embeddings: Object.fromEntries(
            [...vectors].map(([name, values]) => [
              name,
              Array.from(values, (value) => Number(value.toPrecision(digits))),
            ]),
          ),
        }
      : {}),
    error: null,
  };
}

async function analyse(request: DegradedRequest, signal: AbortSignal): Promise<DegradedOutcome> {
  const detector = await opened;
  if (request.degradation === null) return outcomeOf(await detector.analyseWithVectors(request.path, signal));
  const degradation = degradations.find(({ name }) => name === request.degradation);
  if (!degradation) throw new Error(`no degradation ${request.degradation}`);
  const sound = request.sound ?? (await degrader.degrade(request.path, request.id, degradation));
  return outcomeOf(
    await detector.analyseWithVectors({ path: request.path, bytes: wav16(sound.samples, sound.sampleRateHz) }, signal),
  );
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
    const nothing = { score: null, llr: null, finding: null, reasons: [], speechSeconds: null, quality: null };
    return { response: { ...nothing, error: describeError(error) } };
  }
});
