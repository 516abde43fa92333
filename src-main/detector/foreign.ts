/** Detectors that others trained, as ONNX graphs with a declaration of what goes in and what comes out. */
import ort from 'onnxruntime-node';
import { UserFacingError } from '../base/errors.ts';
import { createFrontEnd } from '../features/front-end.ts';
import type { FrontEnd } from '../features/front-end.ts';
import type { ForeignInput, ForeignOutput } from './foreign-card.ts';
import type { GraphOutline } from './graph.ts';
import { refusal } from './graph.ts';
import { openSession } from './session.ts';

/** What a scorer of a foreign graph has to know. */
export interface ForeignDeclaration {
  input: ForeignInput;
  output: ForeignOutput;
  /** Axes of the graph's input: with a front end 3 or 4, else 1 to 3. */
  axes: number;
}

/** Probabilities nearer to 0 or 1 than this are taken for it: what 32-bit floats near 1 can tell. */
const leastProbability = 2 ** -24;
/** How far probabilities may be from what they must add up to. */
const sumTolerance = 1e-3;

const logOdds = (p: number): number => {
  const held = Math.min(Math.max(p, leastProbability), 1 - leastProbability);
  return Math.log(held) - Math.log1p(-held);
};

/** Logarithm of a sum of exponentials. */
function logSum(values: readonly number[]): number {
  const top = Math.max(...values);
  return top + Math.log(values.reduce((sum, value) => sum + Math.exp(value - top), 0));
}

/**
 * The score of what came out of the graph for one window: the log odds of bona fide, as far as the output tells; high for bona fide.
 * @throws UserFacingError `graph` where it is not what was declared
 */
export function scoreOf(values: ArrayLike<number>, { name, kind, bonafide }: ForeignOutput): number {
  const wrong = (why: string): UserFacingError =>
    new UserFacingError('graph', `The output ${name} is not what the card says: ${why}.`, {
      advice: 'Look at the kind and the place of bona fide in the card.',
    });
  const list = Array.from(values);
  if (!list.every((value) => !Number.isNaN(value))) throw wrong('it is no number (NaN)');
  if (list.length === 0) throw wrong('it is empty');
  if (kind === 'logit' || (kind === 'probability' && list.length === 1)) {
    if (list.length !== 1) throw wrong(`it holds ${list.length} values a window, and a ${kind} is one`);
    if (bonafide > 1) throw wrong('of one value, bona fide is 1 or 0');
    const [value] = list;
    if (kind === 'probability' && !(value >= 0 && value <= 1)) throw wrong(`${value} is no probability`);
    const odds = kind === 'probability' ? logOdds(value) : value;
    return bonafide === 1 ? odds : -odds;
  }
  if (list.length < 2) throw wrong(`${kind} are at least two values`);
  if (bonafide >= list.length)
    throw wrong(`it holds ${list.length} values, counted from 0, and bona fide is none of them`);
  if (kind === 'probability') {
    const total = list.reduce((sum, value) => sum + value, 0);
    if (list.some((value) => value < 0) || Math.abs(total - 1) > sumTolerance)
      throw wrong(`its values add up to ${total.toPrecision(4)}, and probabilities to 1`);
    const others = total - list[bonafide];
    return Math.log(Math.max(list[bonafide], leastProbability)) - Math.log(Math.max(others, leastProbability));
  }
  if (kind === 'log-softmax') {
    const total = Math.exp(logSum(list));
    if (Math.abs(total - 1) > sumTolerance) {
      throw wrong(`the exponentials of its values add up to ${total.toPrecision(4)}, and those of a log-softmax to 1`);
    }
  }
  return list[bonafide] - logSum(list.filter((_, index) => index !== bonafide));
}

/**
 * Finds in the graph what the card declares.
 * @returns the number of axes of its input
 * @throws UserFacingError `graph` where names, types or shapes differ
 */
export function axesOf(outline: GraphOutline, input: ForeignInput, output: ForeignOutput, path: string): number {
  const names = (values: { name: string }[]): string => values.map(({ name }) => name).join(', ');
  const found = outline.inputs.find(({ name }) => name === input.name);
  if (found === undefined) throw refusal(path, `it has no input "${input.name}", but ${names(outline.inputs)}`);
  if (outline.inputs.length > 1) {
    throw refusal(path, `it has ${outline.inputs.length} inputs (${names(outline.inputs)})`, 'Export it with one.');
  }
  if (!outline.outputs.some(({ name }) => name === output.name)) {
    throw refusal(path, `it has no output "${output.name}", but ${names(outline.outputs)}`);
  }
  if (found.elementType !== 1) throw refusal(path, `its input "${input.name}" takes no 32-bit floats`);
  const { shape } = found;
  const frontEnd = input.frontEnd && createFrontEnd(input.frontEnd);
  if (shape === null) throw refusal(path, `it does not say what shape its input "${input.name}" has`);
  const expected = shapeOf(input, shape.length, frontEnd, input.samples);
  const shown = (lengths: readonly (number | null)[]): string => `[${lengths.map((one) => one ?? 'any').join(', ')}]`;
  if (expected === null || shape.some((length, axis) => length !== null && length !== expected[axis])) {
    const wanted = expected ?? (frontEnd ? '3 or 4 axes' : '1 to 3 axes');
    const words = typeof wanted === 'string' ? wanted : shown(wanted);
    throw refusal(path, `its input is ${shown(shape)}, and what the card declares is ${words}`);
  }
  const lengthAxis = input.frontEnd && input.layout === 'frames-bins' ? shape.length - 2 : shape.length - 1;
  if (input.padding === 'none' && shape[lengthAxis] !== null) {
    const advice = 'Declare "repeat" or "zero", as the detector was trained, or export it with a free length.';
    throw refusal(path, `it takes ${shape[lengthAxis]} and no less, which goes with no padding "none"`, advice);
  }
  return shape.length;
}

/** Shape of one window's input; null for a number of axes that cannot be filled. */
function shapeOf(input: ForeignInput, axes: number, frontEnd: FrontEnd | null, samples: number): number[] | null {
  if (frontEnd === null) return axes >= 1 && axes <= 3 ? [...new Array<number>(axes - 1).fill(1), samples] : null;
  if (axes !== 3 && axes !== 4) return null;
  const plane = [frontEnd.bins, frontEnd.frameCount(samples)];
  return [...new Array<number>(axes - 2).fill(1), ...(input.layout === 'frames-bins' ? plane.reverse() : plane)];
}

/** A foreign graph ready to score. */
export class ForeignGraph {
  readonly #declared: ForeignDeclaration;
  readonly #session: ort.InferenceSession;
  readonly #frontEnd: FrontEnd | null;

  private constructor(declared: ForeignDeclaration, session: ort.InferenceSession) {
    this.#declared = declared;
    this.#session = session;
    this.#frontEnd = declared.input.frontEnd && createFrontEnd(declared.input.frontEnd);
  }

  /** @param threads of ONNX Runtime; 1 where several run beside one another. @throws UserFacingError `graph` */
  static async create(onnx: Uint8Array, declared: ForeignDeclaration, threads: number): Promise<ForeignGraph> {
    const session = await openSession(onnx, threads).catch((cause: unknown) => {
      throw new UserFacingError('graph', `ONNX Runtime cannot load the graph: ${(cause as Error).message}`, { cause });
    });
    return new ForeignGraph(declared, session);
  }

  async dispose(): Promise<void> {
    await this.#session.release();
  }

  /**
   * One window's score, high for bona fide. Windows go in one by one, so that no score depends on its neighbours.
   * @param window `input.samples` samples, of which the first `filled` are the recording's and the rest them again
   * @throws UserFacingError `graph` where the output is not what was declared
   */
  async score(window: Float32Array, filled: number): Promise<number> {
    const { input, output, axes } = this.#declared;
    const values = inputOf(window, filled, input, this.#frontEnd);
    const length = input.padding === 'none' ? filled : window.length;
    const shape = shapeOf(input, axes, this.#frontEnd, length) as number[];
    const results = await this.#session
      .run({ [input.name]: new ort.Tensor('float32', values, shape) }, [output.name])
      .catch((cause: unknown) => {
        const why = (cause as Error).message;
        throw new UserFacingError('graph', `ONNX Runtime cannot run the graph on [${shape.join(', ')}]: ${why}`, {
          cause,
        });
      });
    const { data, type } = results[output.name];
    if (type !== 'float32' && type !== 'float64') {
      throw new UserFacingError('graph', `The output ${output.name} holds ${type}, and no 32-bit or 64-bit floats.`);
    }
    return scoreOf(data as Float32Array | Float64Array, output);
  }
}

/** A window as the graph takes it, in one piece. */
function inputOf(window: Float32Array, filled: number, input: ForeignInput, frontEnd: FrontEnd | null): Float32Array {
  const samples = input.padding === 'none' ? window.slice(0, filled) : window.slice();
  if (input.normalisation === 'mean-deviation') normalise(samples, Math.min(filled, samples.length), input.padding);
  if (input.padding === 'zero') samples.fill(0, filled);
  if (frontEnd === null) return samples;
  const plane = frontEnd.compute(samples);
  if (input.perDb !== 1) for (let i = 0; i < plane.length; i++) plane[i] *= input.perDb;
  return input.layout === 'frames-bins' ? transposed(plane, frontEnd.bins) : plane;
}

/** Mean nought and deviation one, measured where the recording is; all of a window that it fills again. */
function normalise(samples: Float32Array, filled: number, padding: ForeignInput['padding']): void {
  const measured = padding === 'repeat' ? samples : samples.subarray(0, filled);
  const mean = measured.reduce((sum, value) => sum + value, 0) / measured.length;
  const variance = measured.reduce((sum, value) => sum + (value - mean) ** 2, 0) / measured.length;
  const scale = 1 / Math.sqrt(variance + 1e-7);
  for (let i = 0; i < samples.length; i++) samples[i] = (samples[i] - mean) * scale;
}

/** [bins, frames] as [frames, bins]. */
function transposed(plane: Float32Array, bins: number): Float32Array {
  const frames = plane.length / bins;
  const result = new Float32Array(plane.length);
  for (let bin = 0; bin < bins; bin++) {
    for (let frame = 0; frame < frames; frame++) result[frame * bins + bin] = plane[bin * frames + frame];
  }
  return result;
}
