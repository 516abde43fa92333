/** Scores that calibrate a model: of recordings, and of several put together. */
import { edgeFadeSeconds } from '../audio/condition.ts';
import { openAudio } from '../audio/decode.ts';
import type { DatasetItem } from '../datasets/types.ts';
import { localisationThreshold } from '../detector/localisation.ts';
import type { Localisation } from '../detector/localisation-card.ts';
import { joined } from '../detector/scorers.ts';
import { alone } from '../detector/store.ts';
import type { RunnableModel } from '../detector/store.ts';
import { calibrationSeconds, concatenationPlan } from '../evaluation/lengths.ts';
import type { Concatenation } from '../evaluation/lengths.ts';
import type { Trial } from '../evaluation/trials.ts';
import { memberScores, recordingsOf, scoreItems, trialsOf } from './evaluate.ts';
import type { JudgeableRecording, ScoredItem } from './evaluate.ts';
import { scanFiles } from '../scanning/scan-files.ts';
import { wav16 } from '../audio/wav-writer.ts';

/** What a model's likelihood ratios and its threshold for localisation rest on: scores of what it was not trained on. */
export interface CalibrationMaterial {
  trials: Trial[];
  /** Of clips of one speaker, one after the other, with their net speech. */
  concatenations: Trial[];
  /** Window scores of the bona fide recordings, those of the model's members where it has several, and how long these are. */
  bonafideClips: { windowScores: number[]; memberScores?: number[][]; seconds: number }[];
  /** Every recording, with what decides its finding. */
  recordings: JudgeableRecording[];
  /** Of every recording; null where it could not be read. */
  sha256: (string | null)[];
}

/** Of each class and length, at most: more narrow the intervals little. */
const mostConcatenations = 200;
/** False alarms in an hour of bona fide speech that a listener will put up with. */
const falseAlarmsPerHour = 10;
/** Concatenations put together at a time, so that memory holds few. */
const joinedAtOnce = 64;

interface PlannedConcatenation extends Concatenation {
  name: string;
}

/** Which recordings are put together; with one member alone its own score serves. */
function plan(scored: readonly ScoredItem[], seed: number): { usable: ScoredItem[]; planned: PlannedConcatenation[] } {
  const usable = scored.filter(({ result }) => typeof result.analysis?.score === 'number');
  const items = usable.map(({ item, result }) => ({
    label: item.label,
    speaker: item.speaker,
    source: item.source,
    generator: item.generator,
    speechSeconds: result.analysis?.quality.speechSeconds ?? result.analysis?.activeSeconds ?? 0,
  }));
  const planned = calibrationSeconds.flatMap((seconds) => {
    const ofLength = concatenationPlan(items, seconds, seed);
    return (['bonafide', 'spoof'] as const).flatMap((label) => {
      const ofClass = ofLength.filter((one) => one.label === label);
      const every = Math.max(1, ofClass.length / mostConcatenations);
      const count = Math.min(ofClass.length, mostConcatenations);
      return Array.from({ length: count }, (_, index) => ofClass[Math.floor(index * every)]).map((one, index) => ({
        ...one,
        name: `${seconds} s, ${label} ${index + 1}`,
      }));
    });
  });
  return { usable, planned };
}

/** The recordings at one rate, one after the other, each faded in and out, as a WAV of 16 bits. */
async function joinedWav(paths: readonly string[], sampleRateHz: number, signal?: AbortSignal): Promise<Uint8Array> {
  const blocks: Float32Array[] = [];
  for (const path of paths) {
    const stream = await openAudio(path, { sampleRateHz, edgeFadeSeconds, ...(signal ? { signal } : {}) });
    for await (const block of stream.blocks()) blocks.push(block);
  }
  const samples = new Float32Array(blocks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const block of blocks) {
    samples.set(block, at);
    at += block.length;
  }
  return wav16(samples, sampleRateHz);
}

/**
 * Scores recordings, and concatenations of them by speaker, with a model that was not trained on them.
 * @param options.keep what of the recordings counts, once it is scored; all if not given
 * @throws the signal's reason when it fires.
 */
export async function calibrationMaterial(
  model: RunnableModel,
  items: readonly DatasetItem[],
  seed: number,
  options: {
    signal?: AbortSignal;
    onProgress?: (done: number, total: number) => void;
    keep?: (one: ScoredItem) => boolean;
  } = {},
): Promise<CalibrationMaterial> {
  const { signal, keep = () => true } = options;
  const stop = signal ? { signal } : {};
  const all = await scoreItems(model, items, {
    ...stop,
    onProgress: (done) => options.onProgress?.(done, items.length),
  });
  const scored = all.filter(keep);
  const { usable, planned } = plan(scored, seed);
  const trialOf = (
    { name, label, speaker, source, generator }: PlannedConcatenation,
    { result }: Pick<ScoredItem, 'result'>,
  ): Trial[] => {
    const { analysis } = result;
    if (typeof analysis?.score !== 'number') return [];
    const speechSeconds = analysis.quality.speechSeconds ?? analysis.activeSeconds;
    const bonafide = label === 'bonafide';
    const { score } = analysis;
    return [
      {
        file: name,
        bonafide,
        score,
        ...memberScores(analysis.members),
        attack: generator,
        speaker,
        source,
        speechSeconds,
      },
    ];
  };
  const concatenations = planned.flatMap((one) =>
    one.members.length === 1 ? trialOf(one, usable[one.members[0]]) : [],
  );
  const toJoin = planned.filter(({ members }) => members.length > 1);
  const total = items.length + toJoin.length;
  let done = items.length;
  for (let from = 0; from < toJoin.length; from += joinedAtOnce) {
    const batch = toJoin.slice(from, from + joinedAtOnce);
    const requests = [];
    for (const { name, members } of batch) {
      signal?.throwIfAborted();
      const paths = members.map((member) => usable[member].item.path);
      const bytes = await joinedWav(paths, model.card.conditioning.sampleRateHz, signal);
      requests.push({ path: `${name}.wav`, nameBytes: null, found: false, bytes });
    }
    let at = 0;
    for await (const result of scanFiles(alone(model), requests, stop)) {
      concatenations.push(...trialOf(batch[at++], { result }));
      options.onProgress?.(++done, total);
    }
  }
  const bonafideClips = usable
    .filter(({ item }) => item.label === 'bonafide')
    .map(({ result }) => {
      const windows = result.analysis?.windows ?? [];
      return {
        windowScores: windows.map(({ score }) => score),
        ...(result.analysis?.members ? { memberScores: windows.map(({ members }) => members ?? []) } : {}),
        seconds: result.analysis?.durationSeconds ?? 0,
      };
    });
  const sha256 = scored.map(({ result }) => result.sha256);
  return { trials: trialsOf(scored), concatenations, bonafideClips, recordings: recordingsOf(scored), sha256 };
}

/** Scores without the recordings' findings. */
export type ScoredMaterial = Omit<CalibrationMaterial, 'recordings'>;

/** The same with the members' scores joined by other weights. */
export function rejoined(material: ScoredMaterial, weights: readonly number[]): ScoredMaterial {
  const again = (trial: Trial): Trial => (trial.members ? { ...trial, score: joined(weights, trial.members) } : trial);
  return {
    sha256: material.sha256,
    trials: material.trials.map(again),
    concatenations: material.concatenations.map(again),
    bonafideClips: material.bonafideClips.map((clip) =>
      clip.memberScores ? { ...clip, windowScores: clip.memberScores.map((scores) => joined(weights, scores)) } : clip,
    ),
  };
}

/** Several folds' material as one. */
export function pooledMaterial(parts: readonly CalibrationMaterial[]): CalibrationMaterial {
  return {
    trials: parts.flatMap(({ trials }) => trials),
    concatenations: parts.flatMap(({ concatenations }) => concatenations),
    bonafideClips: parts.flatMap(({ bonafideClips }) => bonafideClips),
    recordings: parts.flatMap(({ recordings }) => recordings),
    sha256: parts.flatMap(({ sha256 }) => sha256),
  };
}

/** Where to listen in a recording: see {@link localisationThreshold}. */
export function localisationOf({ bonafideClips }: Pick<CalibrationMaterial, 'bonafideClips'>): Localisation | null {
  return localisationThreshold(
    bonafideClips.map(({ windowScores }) => windowScores),
    bonafideClips.map(({ seconds }) => seconds),
    falseAlarmsPerHour,
  );
}
