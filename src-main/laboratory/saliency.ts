/**
 * Saliency of a recording: which parts of the sound, in time and frequency, a model's score rests on; and a test of whether that is
 * so, without which no map is given. A map says how a network works. It is no evidence.
 */
import { formatNumber } from '../../src-common/numbers.ts';
import type { Faithfulness, Saliency, SaliencySubject } from '../../src-common/schemas/saliency.ts';
import { UserFacingError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import type { DatasetItem } from '../datasets/types.ts';
import type { SaliencyRecord } from '../detector/card.ts';
import { companionFor } from '../detector/detector.ts';
import { Explainer } from '../detector/saliency/explainer.ts';
import type { ExplainableModel, Scoring } from '../detector/saliency/explainer.ts';
import {
  corpusFaithfulness,
  isFaithful,
  recordingFaithfulness,
  testedSounds,
  windowAdvantages,
} from '../detector/saliency/faithfulness.ts';
import type { Advantages } from '../detector/saliency/faithfulness.ts';
import { subjectName } from '../detector/saliency/subjects.ts';
import { filledOf } from '../detector/spans.ts';
import { SpeechDetector } from '../detector/speech.ts';
import { alone, readWeights } from '../detector/store.ts';
import type { Companion, StoredModel } from '../detector/store.ts';
import { conditionRecording } from '../detector/windows.ts';
import type { RecordingOptions } from '../detector/windows.ts';
import { cutStretch } from '../scanning/stretch.ts';

/** A longer part of a recording has to be looked at piece by piece: some seconds of work for each window. */
const mostWindows = 20;
/** Regions that a map is compared with on the recording at hand: the 95 % interval lies between the lowest and the highest. */
const draws = 40;
/** Windows on which it is compared. */
const mostTested = 4;
const seed = 20;

export interface ExplainedScore extends Omit<Saliency, 'analysisId' | 'modelName' | 'caution'> {
  /** The model's companion that speaks of this recording, and whose score is explained; absent where it is the model's own. */
  companion?: { name: string; sha256: string };
}

/** A model with what saliency takes beside the rest. @throws UserFacingError as `readWeights` */
export async function explainable(model: StoredModel): Promise<ExplainableModel> {
  const weights = [];
  for (const { member } of model.members)
    weights.push(member.kind === 'network' ? await readWeights(model, member) : null);
  const { card, members, companions } = model;
  return { card, members, weights, ...(companions ? { companions } : {}) };
}

/** A window as the detector sees it, with its place in the recording. */
interface HeldWindow {
  samples: Float32Array;
  /** Before its sound repeats. */
  soundLength: number;
  startSeconds: number;
}

/** What of a recording is explained: all of it, or a stretch. */
export interface SaliencyRequest extends SaliencySubject, Pick<RecordingOptions, 'stream' | 'channel' | 'readAll'> {
  stretch: { startSeconds: number; endSeconds: number } | null;
}

export interface ExplainOptions {
  signal?: AbortSignal;
  /** @param done of so many parts of the work */
  onProgress?: (done: number, total: number) => void;
}

/** The windows of what is asked for; where a companion of the model speaks of it, that one instead. */
async function windowsOf(
  { card, companions = [] }: ExplainableModel,
  speech: SpeechDetector | null,
  path: string,
  request: Omit<SaliencyRequest, keyof SaliencySubject>,
  signal: AbortSignal | undefined,
): Promise<{ windows: HeldWindow[] } | { companion: Companion }> {
  const { stretch, ...reading } = request;
  const { conditioning, window, thresholds } = card;
  const cut = stretch === null ? null : await cutStretch(path, { ...stretch, ...reading }, signal);
  const recording = await conditionRecording(cut === null ? path : { path, bytes: cut.bytes }, {
    conditioning,
    window,
    speech,
    minimumSpeechSeconds: thresholds.minimumSpeechSeconds,
    // What was cut holds what was asked for alone.
    ...(cut === null ? reading : {}),
    ...(signal ? { signal } : {}),
  });
  // What was cut has the codec of a WAV file.
  const found = companionFor(companions, cut?.info ?? recording.info, recording.spectrum.effectiveBandwidthHz);
  if (found) return { companion: found.companion };
  const timeline = cut?.timeline ?? recording.timeline;
  const soundBefore = cut === null ? 0 : cut.firstSample / cut.info.sampleRateHz;
  const windows: HeldWindow[] = [];
  await recording.walk(
    (samples, span) => {
      // Of those that are too many the first is enough to tell.
      if (windows.length > mostWindows) return;
      windows.push({
        samples: samples.slice(),
        soundLength: filledOf(span, samples.length),
        startSeconds: timeline.timeOf(soundBefore + span.start / conditioning.sampleRateHz),
      });
    },
    () => (windows.length = 0),
  );
  return { windows };
}

/** Maps and tests recordings by one model, one after the other. */
export class SaliencyMaker {
  readonly #model: ExplainableModel;
  readonly #explainer: Explainer;
  readonly #speech: SpeechDetector | null;
  readonly #threads: number;
  /** Of companions that were needed so far, by name. */
  readonly #companions = new Map<string, SaliencyMaker>();

  private constructor(model: ExplainableModel, explainer: Explainer, speech: SpeechDetector | null, threads: number) {
    this.#model = model;
    this.#explainer = explainer;
    this.#speech = speech;
    this.#threads = threads;
  }

  /** @param threads of ONNX Runtime */
  static async create(model: ExplainableModel, threads: number): Promise<SaliencyMaker> {
    const speech = model.card.conditioning.speech === 'silero-vad-v5' ? await SpeechDetector.create(threads) : null;
    return new SaliencyMaker(model, await Explainer.create(model, threads), speech, threads);
  }

  async dispose(): Promise<void> {
    for (const maker of this.#companions.values()) await maker.dispose();
    await this.#explainer.dispose();
    await this.#speech?.dispose();
  }

  get subjects(): SaliencySubject[] {
    return this.#explainer.subjects;
  }

  /**
   * The map of a recording, which is given only where its test allows. Where a companion of the model speaks of the recording, it is that
   * one's map.
   * @throws UserFacingError as `openAudio` and `analyseStretch`; `too-long` for more than twenty windows; `empty` for a recording without sound; `usage` for
   * a member or a method that the model has not; the signal's reason
   */
  async explain(path: string, request: SaliencyRequest, options: ExplainOptions = {}): Promise<ExplainedScore> {
    const { signal, onProgress } = options;
    const { method, member, ...reading } = request;
    const subject = { method, member };
    const found = await windowsOf(this.#model, this.#speech, path, reading, signal);
    if ('companion' in found) return this.#explainWith(found.companion, path, request, options);
    const { windows } = found;
    this.#mustHave(subject);
    if (windows.length === 0) {
      throw new UserFacingError('empty', `${path} holds no sound that could be explained.`, { path });
    }
    if (windows.length > mostWindows) {
      const { seconds, hopSeconds } = this.#model.card.window;
      const most = Math.floor(seconds + (mostWindows - 1) * hopSeconds);
      throw new UserFacingError('too-long', `${path} holds more sound than is explained at once.`, {
        path,
        advice: `Name a stretch of at most ${most} s.`,
      });
    }
    const total = this.#soundsToScore(windows, subject);
    let done = 0;
    const scoring: Scoring = {
      ...(signal ? { signal } : {}),
      onScored: (count) => onProgress?.((done += count), total),
    };
    const explained: ExplainedWindow[] = [];
    for (const window of windows) {
      const grid = this.#explainer.grid(window.soundLength);
      const map = await this.#explainer.map(window.samples, grid, subject, scoring);
      const scores = this.#explainer.soundScores(window.samples, grid, subject.member, scoring);
      const [score] = await scores([new Uint8Array(grid.columns * grid.rows)]);
      explained.push({ window, grid, map, scores, score });
    }
    const score = explained.reduce((sum, one) => sum + one.score, 0) / explained.length;
    const direction = score >= this.#middle(subject) ? 1 : -1;
    const tested: Advantages[] = [];
    for (const [index, { map, grid, scores }] of spread(explained, mostTested).entries()) {
      tested.push(await windowAdvantages(map.cells, grid, direction, draws, [seed, index], scores));
    }
    const faithfulness = recordingFaithfulness(tested);
    const known = recordOf(this.#model, subject);
    const shown = isFaithful(faithfulness) && (known === null || isFaithful(known));
    return {
      ...subject,
      score,
      edgesHz: explained[0].grid.edgesHz,
      columns: shown ? columnsOf(explained) : null,
      faithfulness,
      statement: statementOf(faithfulness, known),
    };
  }

  async #explainWith(
    { name, model }: Companion,
    path: string,
    request: SaliencyRequest,
    options: ExplainOptions,
  ): Promise<ExplainedScore> {
    const maker = this.#companions.get(name) ?? (await SaliencyMaker.create(await explainable(model), this.#threads));
    this.#companions.set(name, maker);
    return { ...(await maker.explain(path, request, options)), companion: { name, sha256: model.onnxSha256 } };
  }

  /** How often a member scores a changed sound until the map is made and tested. */
  #soundsToScore(windows: readonly HeldWindow[], subject: SaliencySubject): number {
    const members = this.#explainer.memberCount(subject.member);
    const maps = windows.reduce(
      (sum, { soundLength }) => sum + this.#explainer.mapScores(this.#explainer.grid(soundLength), subject) + members,
      0,
    );
    return maps + members * Math.min(windows.length, mostTested) * testedSounds(draws);
  }

  /**
   * The test of a subject on a recording, for many recordings: fewer regions, one window; null where there is no sound. It is of the
   * model itself, whose card it is for: a companion has a card of its own.
   */
  async test(
    path: string,
    subjects: readonly SaliencySubject[],
    regions: number,
    signal?: AbortSignal,
  ): Promise<Advantages[] | null> {
    const found = await windowsOf(alone(this.#model), this.#speech, path, { stretch: null }, signal);
    if (!('windows' in found) || found.windows.length === 0) return null;
    const { windows } = found;
    const [window] = spread(windows, 1);
    const grid = this.#explainer.grid(window.soundLength);
    const tested: Advantages[] = [];
    for (const subject of subjects) {
      const map = await this.#explainer.map(window.samples, grid, subject);
      const scores = this.#explainer.soundScores(window.samples, grid, subject.member);
      const [score] = await scores([new Uint8Array(grid.columns * grid.rows)]);
      const direction = score >= this.#middle(subject) ? 1 : -1;
      tested.push(await windowAdvantages(map.cells, grid, direction, regions, [seed], scores));
    }
    return tested;
  }

  /** The score between looking bona fide and looking synthetic: the model's threshold; of a member, zero, which its training aims at. */
  #middle({ member }: SaliencySubject): number {
    return member === null ? this.#model.card.thresholds.score : 0;
  }

  #mustHave(subject: SaliencySubject): void {
    if (this.subjects.some(({ method, member }) => method === subject.method && member === subject.member)) return;
    const had = this.subjects.map(subjectName).join(', ');
    const { name } = this.#model.card;
    throw new UserFacingError('usage', `The model ${name} has no saliency by ${subjectName(subject)}.`, {
      advice: `It has ${had}.`,
    });
  }
}

/** Recordings by turns of source and class, so that no large source crowds out the others; the same for the same dataset. */
function pickedEvenly(items: readonly DatasetItem[], most: number): DatasetItem[] {
  const shuffled = new Random(seed).shuffle(items.toSorted((one, other) => (one.id < other.id ? -1 : 1)));
  const groups = Map.groupBy(shuffled, ({ label, source }) => `${label} ${source ?? ''}`);
  const picked: DatasetItem[] = [];
  for (let turn = 0; picked.length < Math.min(most, items.length); turn++) {
    for (const group of groups.values()) if (turn < group.length && picked.length < most) picked.push(group[turn]);
  }
  return picked;
}

/** Regions that a map is compared with where many recordings are measured. */
const measuredDraws = 5;

/**
 * Tests every kind of map that a model has on recordings of a dataset, for its card.
 * @param of.recordings at most; they are picked evenly from sources and classes
 * @param onRecording is called after each
 */
export async function measureSaliency(
  maker: SaliencyMaker,
  items: readonly DatasetItem[],
  of: { dataset: string; split: string; recordings: number },
  options: { signal?: AbortSignal; onRecording?: (done: number, total: number) => void } = {},
): Promise<SaliencyRecord[]> {
  const picked = pickedEvenly(items, of.recordings);
  const tested: { source: string | null; advantages: Advantages[] }[] = [];
  for (const [index, { path, source }] of picked.entries()) {
    options.signal?.throwIfAborted();
    const advantages = await maker.test(path, maker.subjects, measuredDraws, options.signal);
    if (advantages !== null) tested.push({ source, advantages });
    options.onRecording?.(index + 1, picked.length);
  }
  if (tested.length === 0) throw new UserFacingError('empty', `No recording of ${of.split} holds sound.`, {});
  return maker.subjects.map((subject, index) => ({
    ...subject,
    dataset: of.dataset,
    split: of.split,
    recordings: tested.length,
    sources: new Set(tested.map(({ source }) => source)).size,
    ...corpusFaithfulness(
      tested.map(({ source, advantages }) => ({ source, advantages: advantages[index] })),
      seed,
    ),
  }));
}

interface ExplainedWindow {
  window: HeldWindow;
  grid: ReturnType<Explainer['grid']>;
  map: Awaited<ReturnType<Explainer['map']>>;
  scores: ReturnType<Explainer['soundScores']>;
  score: number;
}

/** At most so many, evenly spread. */
function spread<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, index) => items[Math.floor(((index + 0.5) * items.length) / most)]);
}

/** What the card says of such maps: where several measurements differ, the one that speaks against them. */
function recordOf({ card }: ExplainableModel, { method, member }: SaliencySubject): SaliencyRecord | null {
  const all = card.saliency?.filter((one) => one.method === method && one.member === member) ?? [];
  return all.find((one) => !isFaithful(one)) ?? all.at(0) ?? null;
}

/** Windows that overlap are averaged. */
function columnsOf(explained: readonly ExplainedWindow[]): NonNullable<Saliency['columns']> {
  const step = Math.min(...explained.map(({ grid }) => grid.columnSeconds)) / 2;
  const first = explained[0].window.startSeconds;
  const last = Math.max(
    ...explained.map(({ window, grid }) => window.startSeconds + grid.columns * grid.columnSeconds),
  );
  const columns = new Map<number, { cells: number[]; strip: number | null; count: number }>();
  for (const { window, grid, map } of explained) {
    const end = window.startSeconds + grid.columns * grid.columnSeconds;
    for (let at = Math.ceil((window.startSeconds - first) / step - 0.5); ; at++) {
      const time = first + (at + 0.5) * step;
      if (time >= end) break;
      const column = Math.min(
        grid.columns - 1,
        Math.max(0, Math.floor((time - window.startSeconds) / grid.columnSeconds)),
      );
      const sum = columns.get(at) ?? { cells: new Array<number>(grid.rows).fill(0), strip: null, count: 0 };
      sum.cells.forEach((value, row) => (sum.cells[row] = value + map.cells[row * grid.columns + column]));
      if (map.strips) sum.strip = (sum.strip ?? 0) + map.strips[column];
      sum.count++;
      columns.set(at, sum);
    }
  }
  return [...columns]
    .sort(([one], [other]) => one - other)
    .map(([at, { cells, strip, count }]) => ({
      startSeconds: first + at * step,
      endSeconds: Math.min(last, first + (at + 1) * step),
      cells: cells.map((value) => value / count),
      strip: strip === null ? null : strip / count,
    }));
}

export function advantageText({ mean, interval }: Faithfulness['both']): string {
  const text = (value: number): string => formatNumber(value, 3);
  return `${text(mean)} (95 % interval ${interval.map(text).join(' to ')})`;
}

/** What the test gave, here and on dev, in sentences. */
function statementOf(here: Faithfulness, known: SaliencyRecord | null): string {
  const sentences = [];
  if (known !== null && !isFaithful(known)) {
    sentences.push(
      `On ${known.recordings} recordings of ${known.split} the regions of such maps moved the score no more than others of the same size, by ${advantageText(known.both)}: the map is not shown.`,
    );
  } else if (!isFaithful(here)) {
    sentences.push(
      `On this recording the map's regions move the score no more than others of the same size, by ${advantageText(here.both)}: the map is not shown.`,
    );
  } else {
    sentences.push(
      `On this recording taking out the map's regions, or all others, moves the score by ${advantageText(here.both)} more than with other regions of the same size (deletion ${advantageText(here.deletion)}, insertion ${advantageText(here.insertion)}).`,
    );
  }
  if (known === null) sentences.push("How such maps do on the model's dev recordings was not measured.");
  else if (isFaithful(known)) {
    sentences.push(
      `On ${known.recordings} recordings of ${known.split} from ${known.sources} sources: by ${advantageText(known.both)}.`,
    );
  }
  return sentences.join(' ');
}
