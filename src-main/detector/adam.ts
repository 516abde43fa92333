import * as tf from '@tensorflow/tfjs-core';

export interface AdamOptions {
  learningRate: number;
  /** Decay of the gradients' running mean. */
  beta1?: number;
  /** Decay of the squared gradients' running mean. */
  beta2?: number;
  /** Added to the root of the squared gradients' mean. */
  epsilon?: number;
  /** Decoupled decay per unit of learning rate, of variables with two or more axes (kernels, not biases or scales). */
  weightDecay?: number;
}

/** Everything that Adam remembers, by the variables' names: restoring it goes on exactly as if there was no stop. */
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
 * Hutter 2019). TensorFlow.js's own Adam does not go on exactly from its saved state: it makes its powers of beta by
 * products, in single precision, and restores them by `pow`.
 */
export class Adam {
  /** May be changed between steps. */
  learningRate: number;
  readonly #beta1: number;
  readonly #beta2: number;
  readonly #epsilon: number;
  readonly #weightDecay: number;
  #step = 0;
  readonly #moments = new Map<string, { m: tf.Variable; v: tf.Variable }>();
  /** Restored moments of variables that no step has seen yet. */
  #restored: { m: Map<string, Float32Array>; v: Map<string, Float32Array> } = { m: new Map(), v: new Map() };

  constructor({ learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, weightDecay = 0 }: AdamOptions) {
    this.learningRate = learningRate;
    this.#beta1 = beta1;
    this.#beta2 = beta2;
    this.#epsilon = epsilon;
    this.#weightDecay = weightDecay;
  }

  /**
   * One step: moves each variable that has a gradient.
   * @param gradients by the names in `variables` (not TensorFlow.js's own names), each of its variable's shape; left to
   *   the caller to dispose of.
   */
  apply(variables: Map<string, tf.Variable>, gradients: Record<string, tf.Tensor>): void {
    this.#step++;
    const beta1 = this.#beta1;
    const beta2 = this.#beta2;
    const stepSize = this.learningRate / (1 - beta1 ** this.#step);
    const correction = 1 / (1 - beta2 ** this.#step);
    for (const [name, variable] of variables) {
      const gradient = gradients[name];
      if (!gradient) continue;
      const moments = this.#momentsOf(name, variable);
      tf.tidy(() => {
        const m = tf.add(tf.mul(moments.m, beta1), tf.mul(gradient, 1 - beta1));
        const v = tf.add(tf.mul(moments.v, beta2), tf.mul(tf.square(gradient), 1 - beta2));
        moments.m.assign(m);
        moments.v.assign(v);
        const deviation = tf.add(tf.sqrt(tf.mul(v, correction)), this.#epsilon);
        const decays = this.#weightDecay !== 0 && variable.rank >= 2;
        const kept = decays ? tf.mul(variable, 1 - this.learningRate * this.#weightDecay) : variable;
        variable.assign(tf.sub(kept, tf.mul(tf.div(m, deviation), stepSize)));
      });
    }
  }

  /** A copy of the state. Asynchronous, because a graphics processor's memory is read so. */
  async state(): Promise<AdamState> {
    const state: AdamState = { step: this.#step, m: new Map(this.#restored.m), v: new Map(this.#restored.v) };
    for (const [name, { m, v }] of this.#moments) {
      state.m.set(name, Float32Array.from(await m.data()));
      state.v.set(name, Float32Array.from(await v.data()));
    }
    return state;
  }

  /** Takes a state over; what was remembered before is forgotten. */
  restore(state: AdamState): void {
    this.dispose();
    this.#step = state.step;
    this.#restored = { m: new Map(state.m), v: new Map(state.v) };
  }

  /** Frees the running means and forgets them. */
  dispose(): void {
    for (const moments of this.#moments.values()) tf.dispose([moments.m, moments.v]);
    this.#moments.clear();
    this.#restored = { m: new Map(), v: new Map() };
    this.#step = 0;
  }

  #momentsOf(name: string, variable: tf.Variable): { m: tf.Variable; v: tf.Variable } {
    const known = this.#moments.get(name);
    if (known) return known;
    const moments = {
      m: this.#start(this.#restored.m.get(name), variable),
      v: this.#start(this.#restored.v.get(name), variable),
    };
    this.#restored.m.delete(name);
    this.#restored.v.delete(name);
    this.#moments.set(name, moments);
    return moments;
  }

  #start(values: Float32Array | undefined, variable: tf.Variable): tf.Variable {
    const start = values ? tf.tensor(Float32Array.from(values), variable.shape, 'float32') : tf.zerosLike(variable);
    const moment = tf.variable(start, false);
    start.dispose();
    return moment;
  }
}
