import type { Weights } from '../detector/network.ts';

/** Decay of the running means of the gradients, and of their squares. */
const [beta1, beta2] = [0.9, 0.999];

export interface AdamOptions {
  learningRate: number;
  /** Added to the root of the squared gradients' mean. */
  epsilon?: number;
  /** Decoupled decay per unit of learning rate. */
  weightDecay?: number;
  /** The weights that decay: kernels, not biases or scales. */
  decaying?: ReadonlySet<string>;
}

/** Everything that Adam remembers, by the weights' names: restoring it goes on exactly as if there was no stop. */
export interface AdamState {
  /** Steps done. */
  step: number;
  /** Running means of the gradients. */
  m: Map<string, Float32Array>;
  /** Running means of the squared gradients. */
  v: Map<string, Float32Array>;
}

/**
 * Adam with bias correction (Kingma and Ba 2015, algorithm 1) and, where wanted, decoupled weight decay (Loshchilov and
 * Hutter 2019), in single precision. It works on plain arrays: gradients come from the backend in any case, and ten
 * operations of a backend for each of forty arrays cost more than all of its sums.
 */
export class Adam {
  /** May be changed between steps. */
  learningRate: number;
  readonly #epsilon: number;
  readonly #weightDecay: number;
  readonly #decaying: ReadonlySet<string>;
  #step = 0;
  readonly #moments = new Map<string, { m: Float32Array; v: Float32Array }>();

  constructor(options: AdamOptions) {
    const { learningRate, epsilon = 1e-7, weightDecay = 0, decaying = new Set() } = options;
    this.learningRate = learningRate;
    this.#epsilon = epsilon;
    this.#weightDecay = weightDecay;
    this.#decaying = decaying;
  }

  /** One step: moves, in place, the weights that have a gradient of the same name and length. */
  apply(weights: Weights, gradients: Weights): void {
    this.#step++;
    const { fround, sqrt } = Math;
    const [kept1, kept2] = [fround(beta1), fround(beta2)];
    const [taken1, taken2] = [fround(1 - beta1), fround(1 - beta2)];
    const correction = fround(1 / (1 - beta2 ** this.#step));
    const stepSize = fround(this.learningRate / (1 - beta1 ** this.#step));
    const epsilon = fround(this.#epsilon);
    for (const [name, values] of weights) {
      const gradient = gradients.get(name);
      if (!gradient) continue;
      const { m, v } = this.#momentsOf(name, values.length);
      const decay = this.#decaying.has(name) ? this.learningRate * this.#weightDecay : 0;
      const kept = fround(1 - decay);
      for (let i = 0; i < values.length; i++) {
        const slope = gradient[i];
        // Each operation is rounded to single precision, as a backend's are.
        const mean = fround(fround(m[i] * kept1) + fround(slope * taken1));
        const square = fround(fround(v[i] * kept2) + fround(fround(slope * slope) * taken2));
        const deviation = fround(fround(sqrt(fround(square * correction))) + epsilon);
        m[i] = mean;
        v[i] = square;
        values[i] = fround(values[i] * kept) - fround(fround(mean / deviation) * stepSize);
      }
    }
  }

  /** A copy of the state. */
  state(): AdamState {
    const state: AdamState = { step: this.#step, m: new Map(), v: new Map() };
    for (const [name, { m, v }] of this.#moments) {
      state.m.set(name, m.slice());
      state.v.set(name, v.slice());
    }
    return state;
  }

  /** Takes a state over; what was remembered before is forgotten. */
  restore({ step, m, v }: AdamState): void {
    this.#step = step;
    this.#moments.clear();
    for (const [name, mean] of m) {
      this.#moments.set(name, { m: mean.slice(), v: v.get(name)?.slice() ?? new Float32Array(mean.length) });
    }
  }

  #momentsOf(name: string, length: number): { m: Float32Array; v: Float32Array } {
    const known = this.#moments.get(name);
    if (known) return known;
    const moments = { m: new Float32Array(length), v: new Float32Array(length) };
    this.#moments.set(name, moments);
    return moments;
  }
}
