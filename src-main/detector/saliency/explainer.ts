/** Scores a recording with places of its spectrum taken out, or by gradients. */
import ort from 'onnxruntime-node';
import { createFrontEnd } from '../../features/front-end.ts';
import type { FrontEnd } from '../../features/front-end.ts';
import type { NetworkMember } from '../member.ts';
import type { Weights } from '../network.ts';
import { onnxNames, writeOnnx } from '../onnx.ts';
import { WindowBatch, createScorer, joined } from '../scorers.ts';
import type { MemberContent, MemberScorer } from '../scorers.ts';
import { openSession } from '../session.ts';
import type { RunnableModel } from '../store.ts';
import { cellGrid, singleMasks } from './cells.ts';
import type { CellGrid } from './cells.ts';
import { gradCam, layersToMaps, mapToCells } from './grad-cam.ts';
import { PlaneOccluder, SoundOccluder } from './occlusion.ts';
import { isLookedInto, saliencySubjects } from './subjects.ts';
import type { SaliencySubject } from '../../../src-common/schemas/saliency.ts';

/** A model with the weights of its members that are networks of our own; null for the others. */
export interface ExplainableModel extends RunnableModel {
  weights: (Weights | null)[];
}

/** Who waits for scores: hears of each batch, and may have enough. */
export interface Scoring {
  signal?: AbortSignal;
  /** @param count of changed sounds that a member has scored just now */
  onScored?: (count: number) => void;
}

/** How much each part of a window speaks for bona fide. */
interface WindowMap {
  /** In the order of cells: by how much the score falls without it; for Grad-CAM in no unit. */
  cells: Float64Array;
  /** The same for each column over all bands; null for Grad-CAM. */
  strips: Float64Array | null;
}

/** A network of our own with its last feature maps in view. */
class NetworkProbe {
  readonly frontEnd: FrontEnd;
  readonly #member: NetworkMember;
  readonly #weights: Weights;
  readonly #session: ort.InferenceSession;

  private constructor(member: NetworkMember, weights: Weights, session: ort.InferenceSession) {
    this.frontEnd = createFrontEnd(member.frontEnd);
    this.#member = member;
    this.#weights = weights;
    this.#session = session;
  }

  static async create(member: NetworkMember, weights: Weights, threads: number): Promise<NetworkProbe> {
    const onnx = writeOnnx(member.network, weights, layersToMaps(member.network));
    const session = await openSession(onnx, threads);
    return new NetworkProbe(member, weights, session);
  }

  async #run(planes: Float32Array, count: number, name: string): Promise<Float32Array> {
    const { bins, frames } = this.#member.network.input;
    const input = new ort.Tensor('float32', planes, [count, 1, bins, frames]);
    return (await this.#session.run({ [onnxNames.input]: input }, [name]))[name].data as Float32Array;
  }

  /** One score for each mask. */
  async occluded(
    plane: Float32Array,
    grid: CellGrid,
    masks: readonly Uint8Array[],
    scoring: Scoring,
  ): Promise<number[]> {
    const occluder = new PlaneOccluder(plane, this.frontEnd, grid);
    const scores: number[] = [];
    for (let from = 0; from < masks.length; from += planesAtOnce) {
      scoring.signal?.throwIfAborted();
      const some = masks.slice(from, from + planesAtOnce);
      const planes = new Float32Array(some.length * plane.length);
      some.forEach((mask, at) => occluder.without(mask, planes.subarray(at * plane.length, (at + 1) * plane.length)));
      scores.push(...(await this.#run(planes, some.length, onnxNames.output)));
      scoring.onScored?.(some.length);
    }
    return scores;
  }

  async gradCam(plane: Float32Array, seconds: number, grid: CellGrid): Promise<Float64Array> {
    const { network } = this.#member;
    const { map, width } = gradCam(network, this.#weights, await this.#run(plane, 1, onnxNames.maps));
    return mapToCells(map, width, seconds, this.frontEnd.frequenciesHz, grid);
  }

  dispose(): Promise<void> {
    return this.#session.release();
  }
}

const planesAtOnce = 16;
/** Of the grid where the conditioning leaves the band open. */
const lowestHz = 50;

interface ExplainedMember {
  content: MemberContent;
  scorer: MemberScorer;
  /** Of a network whose front end's rows have frequencies. */
  probe: NetworkProbe | null;
}

/** Says of windows which of their parts speak for bona fide and which for a spoof. One window at a time. */
export class Explainer {
  readonly #members: readonly ExplainedMember[];
  readonly #rateHz: number;
  readonly #bandHz: readonly [number, number];
  readonly #batch: WindowBatch;
  readonly #windowLength: number;

  private constructor({ card }: RunnableModel, members: readonly ExplainedMember[]) {
    const { sampleRateHz, bandHz } = card.conditioning;
    this.#members = members;
    this.#rateHz = sampleRateHz;
    this.#bandHz = bandHz ?? [lowestHz, sampleRateHz / 2];
    this.#windowLength = Math.round(card.window.seconds * sampleRateHz);
    this.#batch = new WindowBatch(this.#windowLength);
  }

  /** @param threads of ONNX Runtime */
  static async create(model: ExplainableModel, threads: number): Promise<Explainer> {
    const members: ExplainedMember[] = [];
    for (const [index, content] of model.members.entries()) {
      members.push({
        content,
        scorer: await createScorer(content, threads),
        probe: await probeOf(content, model.weights[index], threads),
      });
    }
    return new Explainer(model, members);
  }

  async dispose(): Promise<void> {
    for (const { scorer, probe } of this.#members) {
      await scorer.dispose();
      await probe?.dispose();
    }
  }

  get subjects(): SaliencySubject[] {
    return saliencySubjects({ members: this.#members.map(({ content }) => content.member) });
  }

  /** Changed sounds that {@link map} has members score on a grid; Grad-CAM needs none. */
  mapScores({ columns, rows }: CellGrid, { method, member }: SaliencySubject): number {
    return method === 'grad-cam' ? 0 : this.#chosen(member).length * (1 + columns * rows + columns);
  }

  /** The members whose scores speak for a subject. */
  memberCount(member: string | null): number {
    return this.#chosen(member).length;
  }

  /** @param soundLength samples of the window before its sound repeats */
  grid(soundLength: number): CellGrid {
    return cellGrid(Math.min(soundLength, this.#windowLength) / this.#rateHz, this.#bandHz);
  }

  /**
   * The map of a subject on a window.
   * @param window conditioned, as the detector sees it
   * @throws Error for a subject that is none of {@link subjects}; the signal's reason
   */
  async map(
    window: Float32Array,
    grid: CellGrid,
    { method, member }: SaliencySubject,
    scoring: Scoring = {},
  ): Promise<WindowMap> {
    const chosen = this.#chosen(member);
    if (method === 'grad-cam') {
      const [{ probe }] = chosen;
      if (chosen.length !== 1 || probe === null) throw new Error('Grad-CAM is of a network of our own');
      const seconds = window.length / this.#rateHz;
      return { cells: await probe.gradCam(probe.frontEnd.compute(window), seconds, grid), strips: null };
    }
    const { cells, strips } = singleMasks(grid);
    const masks = [new Uint8Array(grid.columns * grid.rows), ...cells, ...strips];
    const falls = new Float64Array(masks.length);
    let occluder: SoundOccluder | null = null;
    for (const { content, scorer, probe } of chosen) {
      const scores = probe
        ? await probe.occluded(probe.frontEnd.compute(window), grid, masks, scoring)
        : await this.#scored(scorer, (occluder ??= new SoundOccluder(window, grid, this.#rateHz)), masks, scoring);
      // The model's score is linear in its members': so are the falls.
      const weight = member === null ? content.member.weight : 1;
      scores.forEach((score, index) => (falls[index] += weight * (scores[0] - score)));
    }
    return { cells: falls.slice(1, 1 + cells.length), strips: falls.slice(1 + cells.length) };
  }

  /** What scores a window's sound without cells: every member's front end and network anew. It throws the signal's reason. */
  soundScores(
    window: Float32Array,
    grid: CellGrid,
    member: string | null,
    scoring: Scoring = {},
  ): (masks: Uint8Array[]) => Promise<number[]> {
    const occluder = new SoundOccluder(window, grid, this.#rateHz);
    const chosen = this.#chosen(member);
    const weights = chosen.map(({ content }) => (member === null ? content.member.weight : 1));
    return async (masks) => {
      const scores: number[][] = [];
      for (const { scorer } of chosen) scores.push(await this.#scored(scorer, occluder, masks, scoring));
      return masks.map((_, index) =>
        joined(
          weights,
          scores.map((one) => one[index]),
        ),
      );
    };
  }

  #chosen(member: string | null): ExplainedMember[] {
    const chosen = this.#members.filter(({ content }) => member === null || content.member.name === member);
    if (chosen.length === 0) throw new Error(`the model has no member ${member}`);
    return chosen;
  }

  async #scored(
    scorer: MemberScorer,
    occluder: SoundOccluder,
    masks: readonly Uint8Array[],
    { signal, onScored }: Scoring,
  ): Promise<number[]> {
    const scores: number[] = [];
    this.#batch.clear();
    const take = async (): Promise<void> => {
      signal?.throwIfAborted();
      const { count } = this.#batch;
      if (count > 0) scores.push(...Array.from(await scorer.score(this.#batch)));
      this.#batch.clear();
      onScored?.(count);
    };
    for (const mask of masks) {
      this.#batch.add(occluder.without(mask), occluder.soundLength);
      if (this.#batch.isFull) await take();
    }
    await take();
    return scores;
  }
}

/** The sound is looked at of a member that cannot be looked into, as an encoder and a foreign detector. */
async function probeOf(
  { member }: MemberContent,
  weights: Weights | null,
  threads: number,
): Promise<NetworkProbe | null> {
  if (member.kind !== 'network' || weights === null || !isLookedInto(member)) return null;
  return NetworkProbe.create(member, weights, threads);
}
