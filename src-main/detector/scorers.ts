/** Runs a model's members on windows and adds up what they say. */
import ort from 'onnxruntime-node';
import { createFrontEnd, soundFor } from '../features/front-end.ts';
import type { FrontEnd, FrontEndParameters } from '../features/front-end.ts';
import { Encoder } from './encoders/encoder.ts';
import type { StoredEncoder } from './encoders/encoder.ts';
import { ForeignGraph } from './foreign.ts';
import { logitOf } from './logistic.ts';
import type { LogisticModel } from './logistic.ts';
import type { EncoderMember, ForeignMember, NetworkMember, TreesMember } from './member.ts';
import { onnxNames } from './onnx.ts';
import { openSession } from './session.ts';
import { scoreOfTrees } from './trees.ts';
import type { TreesModel } from './trees.ts';

/** A member with what it takes to run it; can be handed to a worker. */
export type MemberContent =
  | { member: NetworkMember; onnx: Uint8Array }
  | { member: ForeignMember; onnx: Uint8Array }
  | { member: TreesMember; trees: TreesModel }
  | { member: EncoderMember; encoder: Pick<StoredEncoder, 'card' | 'onnx'>; head: LogisticModel };

/** Windows scored in one run; always of one recording, so that no score depends on its neighbours. */
const batchWindows = 16;

/** Some windows, and what members' front ends make of them, each made once for all that want it. */
export class WindowBatch {
  readonly #length: number;
  readonly #samples: Float32Array;
  readonly #features = new Map<string, { frontEnd: FrontEnd; values: Float32Array; filled: number }>();
  readonly #filled = new Uint32Array(batchWindows);
  #count = 0;

  /** @param length of a window in samples */
  constructor(length: number) {
    this.#length = length;
    this.#samples = new Float32Array(batchWindows * length);
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === batchWindows;
  }

  /** @param filled how many samples are the recording's; the rest are they again */
  add(window: Float32Array, filled = window.length): void {
    this.#filled[this.#count] = filled;
    this.#samples.set(window, this.#count++ * this.#length);
  }

  clear(): void {
    this.#count = 0;
    for (const made of this.#features.values()) made.filled = 0;
  }

  samples(index: number): Float32Array {
    return this.#samples.subarray(index * this.#length, (index + 1) * this.#length);
  }

  /** Samples of a window that are the recording's, from its start. */
  filled(index: number): number {
    return this.#filled[index];
  }

  /** [count, bins, frames], valid until the batch is cleared. */
  features(parameters: FrontEndParameters): Float32Array {
    const key = JSON.stringify(parameters);
    let made = this.#features.get(key);
    if (made === undefined) {
      const frontEnd = createFrontEnd(parameters);
      const size = frontEnd.bins * frontEnd.frameCount(this.#length);
      made = { frontEnd, values: new Float32Array(batchWindows * size), filled: 0 };
      this.#features.set(key, made);
    }
    const { frontEnd, values } = made;
    const size = values.length / batchWindows;
    for (; made.filled < this.#count; made.filled++) {
      const at = made.filled * size;
      frontEnd.compute(
        soundFor(frontEnd, this.samples(made.filled), this.#filled[made.filled]),
        values.subarray(at, at + size),
      );
    }
    return values.subarray(0, this.#count * size);
  }
}

/** Scores windows by one member. */
export interface MemberScorer {
  /** One score for each window of the batch, high for bona fide. */
  score(batch: WindowBatch): Promise<ArrayLike<number>>;
  /** What its head judged the windows of the last batch by, [count, values]; absent where its graph does not tell. */
  vectors?(): Float32Array | null;
  dispose(): Promise<void>;
}

class NetworkScorer implements MemberScorer {
  readonly #member: NetworkMember;
  readonly #session: ort.InferenceSession;
  #vectors: Float32Array | null = null;

  constructor(member: NetworkMember, session: ort.InferenceSession) {
    this.#member = member;
    this.#session = session;
  }

  async score(batch: WindowBatch): Promise<ArrayLike<number>> {
    const { bins, frames } = this.#member.network.input;
    const input = new ort.Tensor('float32', batch.features(this.#member.frontEnd), [batch.count, 1, bins, frames]);
    const output = await this.#session.run({ [onnxNames.input]: input });
    this.#vectors = (output[onnxNames.maps]?.data as Float32Array | undefined) ?? null;
    return output[onnxNames.output].data as Float32Array;
  }

  vectors(): Float32Array | null {
    return this.#vectors;
  }

  dispose(): Promise<void> {
    return this.#session.release();
  }
}

class EncoderScorer implements MemberScorer {
  readonly #encoder: Encoder;
  readonly #head: LogisticModel;

  constructor(encoder: Encoder, head: LogisticModel) {
    this.#encoder = encoder;
    this.#head = head;
  }

  async score(batch: WindowBatch): Promise<ArrayLike<number>> {
    const scores: number[] = [];
    for (let index = 0; index < batch.count; index++) {
      scores.push(logitOf(this.#head, await this.#encoder.embed(batch.samples(index))));
    }
    return scores;
  }

  dispose(): Promise<void> {
    return this.#encoder.dispose();
  }
}

class TreesScorer implements MemberScorer {
  readonly #member: TreesMember;
  readonly #trees: TreesModel;

  constructor(member: TreesMember, trees: TreesModel) {
    this.#member = member;
    this.#trees = trees;
  }

  score(batch: WindowBatch): Promise<ArrayLike<number>> {
    const values = batch.features(this.#member.frontEnd);
    const size = values.length / batch.count;
    const scores = Array.from({ length: batch.count }, (_, index) =>
      scoreOfTrees(this.#trees, values.subarray(index * size, (index + 1) * size)),
    );
    return Promise.resolve(scores);
  }

  dispose(): Promise<void> {
    return Promise.resolve();
  }
}

class ForeignScorer implements MemberScorer {
  readonly #graph: ForeignGraph;

  constructor(graph: ForeignGraph) {
    this.#graph = graph;
  }

  async score(batch: WindowBatch): Promise<ArrayLike<number>> {
    const scores: number[] = [];
    for (let index = 0; index < batch.count; index++) {
      scores.push(await this.#graph.score(batch.samples(index), batch.filled(index)));
    }
    return scores;
  }

  dispose(): Promise<void> {
    return this.#graph.dispose();
  }
}

/** @param threads of ONNX Runtime; 1 where several scorers run beside one another */
export async function createScorer(content: MemberContent, threads: number): Promise<MemberScorer> {
  if ('encoder' in content) {
    return new EncoderScorer(await Encoder.create(content.encoder, threads), content.head);
  }
  if ('trees' in content) return new TreesScorer(content.member, content.trees);
  const { member, onnx } = content;
  if (member.kind === 'foreign') return new ForeignScorer(await ForeignGraph.create(onnx, member, threads));
  const session = await openSession(onnx, threads);
  return new NetworkScorer(member, session);
}

interface ScoredWindow {
  score: number;
  members: number[];
  /** What each member's head judged it by; null where its graph does not tell. */
  vectors: (Float32Array | null)[];
}

/** Scores windows by all members of a model: each one's scores and their weighted sum. */
export class JointScorer {
  readonly batch: WindowBatch;
  readonly #contents: readonly MemberContent[];
  readonly #scorers: readonly MemberScorer[];

  private constructor(contents: readonly MemberContent[], scorers: readonly MemberScorer[], windowLength: number) {
    this.#contents = contents;
    this.#scorers = scorers;
    this.batch = new WindowBatch(windowLength);
  }

  static async create(contents: readonly MemberContent[], windowLength: number, threads: number): Promise<JointScorer> {
    const scorers: MemberScorer[] = [];
    try {
      for (const content of contents) scorers.push(await createScorer(content, threads));
    } catch (error) {
      for (const scorer of scorers) await scorer.dispose();
      throw error;
    }
    return new JointScorer(contents, scorers, windowLength);
  }

  /** For each window of the batch its score and the members', in their order, and their vectors. The batch is empty afterwards. */
  async flush(): Promise<ScoredWindow[]> {
    const { count } = this.batch;
    if (count === 0) return [];
    const scores: ArrayLike<number>[] = [];
    const vectors: (Float32Array | null)[] = [];
    for (const scorer of this.#scorers) {
      scores.push(await scorer.score(this.batch));
      vectors.push(scorer.vectors?.() ?? null);
    }
    this.batch.clear();
    return Array.from({ length: count }, (_, index) => {
      const members = scores.map((one) => one[index]);
      return {
        score: joined(
          this.#contents.map(({ member }) => member.weight),
          members,
        ),
        members,
        vectors: vectors.map((all) => {
          const width = (all?.length ?? 0) / count;
          return all?.subarray(index * width, (index + 1) * width) ?? null;
        }),
      };
    });
  }

  async dispose(): Promise<void> {
    for (const scorer of this.#scorers) await scorer.dispose();
  }
}

/** The model's score of its members' scores. */
export function joined(weights: readonly number[], scores: readonly number[]): number {
  return scores.reduce((sum, score, index) => sum + weights[index] * score, 0);
}
