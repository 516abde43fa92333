/** A network on TensorFlow.js: its weights, its forward run, its gradients. */
import * as tf from '@tensorflow/tfjs-core';
import { Random } from '../base/random.ts';
import { batchNormalise } from './backends/batch-norm.ts';
import { batchNorm, leastMomentVariance, parameterSpecs, placeLayers } from '../detector/network.ts';
import type { NetworkSpec, PlacedLayer, Weights } from '../detector/network.ts';

type ConvLayer = PlacedLayer['layer'] & { type: 'conv' };

/** A network's weights as TensorFlow.js variables, and its forward pass. Call `dispose` when done. */
export class TensorNetwork {
  readonly spec: NetworkSpec;
  readonly #layers: PlacedLayer[];
  readonly #variables = new Map<string, tf.Variable>();
  readonly #trained: string[];

  constructor(spec: NetworkSpec, weights: Weights) {
    this.spec = spec;
    this.#layers = placeLayers(spec);
    const parameters = parameterSpecs(spec);
    this.#trained = parameters.filter((parameter) => parameter.trained).map((parameter) => parameter.name);
    for (const { name, shape, trained } of parameters) {
      const values = weights.get(name);
      const size = shape.reduce((product, length) => product * length, 1);
      if (values?.length !== size) throw new Error(`${spec.name}: weights hold no ${name} of ${size} values`);
      const start = tf.tensor(values.slice(), shape, 'float32');
      this.#variables.set(name, tf.variable(start, trained));
      start.dispose();
    }
  }

  /** The trained variables by name. */
  trainedVariables(): Map<string, tf.Variable> {
    return new Map(this.#trained.map((name) => [name, this.#variable(name)]));
  }

  /** Names of the trained weights with two or more axes. */
  get kernels(): Set<string> {
    return new Set(this.#trained.filter((name) => this.#variable(name).rank >= 2));
  }

  /** All weights, running statistics included. */
  async weights(): Promise<Weights> {
    return valuesOf(this.#variables);
  }

  /** The trained weights alone. */
  async trainedWeights(): Promise<Weights> {
    return valuesOf(this.trainedVariables());
  }

  /** The running statistics alone. */
  async statistics(): Promise<Weights> {
    return valuesOf(new Map([...this.#variables].filter(([, { trainable }]) => !trainable)));
  }

  /** Replaces the weights that are named. */
  assign(weights: Weights): void {
    for (const [name, values] of weights) {
      const variable = this.#variable(name);
      // A copy: a tensor may keep the array that it was made of.
      const next = tf.tensor(values.slice(), variable.shape, 'float32');
      variable.assign(next);
      next.dispose();
    }
  }

  dispose(): void {
    for (const variable of this.#variables.values()) variable.dispose();
    this.#variables.clear();
  }

  #variable(name: string): tf.Variable {
    const variable = this.#variables.get(name);
    if (variable === undefined) throw new Error(`no variable ${name}`);
    return variable;
  }

  /**
   * Logits [N] of log-spectrograms [N, bins, frames, 1].
   * @param training where given: batch statistics, dropout drawn from this generator, running statistics updated.
   */
  forward(input: tf.Tensor4D, training?: Random): tf.Tensor1D {
    return tf.tidy(() => tf.reshape(this.#chain(this.#layers, input, training), [input.shape[0]]));
  }

  #chain(layers: PlacedLayer[], input: tf.Tensor, training: Random | undefined): tf.Tensor {
    let value = input;
    for (let at = 0; at < layers.length; at++) {
      const [{ layer, name }, next, after] = layers.slice(at, at + 3);
      if (layer.type === 'conv' && next?.layer.type === 'relu' && after?.layer.type === 'max-pool') {
        // The largest of several numbers stays so when all grow alike and when ReLU clips them: bias and ReLU come after
        // the pooling, with the same result to the bit, and look at a quarter of the numbers.
        const pooled = this.#layer(after, this.#convolved(layer, name, value), training);
        value = tf.relu(layer.bias ? tf.add(pooled, this.#variable(`${name}.bias`)) : pooled);
        at += 2;
      } else {
        value = this.#layer(layers[at], value, training);
      }
    }
    return value;
  }

  #convolved({ strides }: ConvLayer, name: string, x: tf.Tensor): tf.Tensor {
    const kernel = this.#variable(`${name}.kernel`) as tf.Tensor as tf.Tensor4D;
    return tf.conv2d(x as tf.Tensor4D, kernel, strides, 'same');
  }

  #layer(placed: PlacedLayer, x: tf.Tensor, training: Random | undefined): tf.Tensor {
    const { layer, name } = placed;
    switch (layer.type) {
      case 'planes': {
        const [examples, rows, frames] = x.shape as [number, number, number];
        const planes = tf.reshape(x, [examples, layer.count, rows / layer.count, frames]);
        return tf.transpose(planes, [0, 2, 3, 1]);
      }
      case 'normalise': {
        const mean =
          layer.mean === 'fixed'
            ? tf.scalar(layer.fixedMeanDb ?? 0)
            : tf.mean(x, layer.mean === 'per-bin' ? [2] : [1, 2], true);
        return tf.mul(tf.sub(x, mean), layer.scale);
      }
      case 'time-moments': {
        const courses = tf.mean(x, [1]);
        const mean = tf.mean(courses, [1], true);
        const variance = tf.mean(tf.square(tf.sub(courses, mean)), [1]);
        return tf.concat([tf.squeeze(mean, [1]), tf.sqrt(tf.add(variance, leastMomentVariance))], 1);
      }
      case 'conv': {
        const convolved = this.#convolved(layer, name, x);
        return layer.bias ? tf.add(convolved, this.#variable(`${name}.bias`)) : convolved;
      }
      case 'batch-norm':
        return this.#batchNorm(name, x, training !== undefined);
      case 'relu':
        return tf.relu(x);
      case 'max-pool':
        return tf.maxPool(x as tf.Tensor4D, layer.size, layer.size, 'valid');
      case 'average-pool':
        return tf.avgPool(x as tf.Tensor4D, layer.size, layer.size, 'valid');
      case 'global-average':
        return tf.mean(x, [1, 2]);
      case 'flatten':
        return tf.reshape(x, [x.shape[0], -1]);
      case 'dropout': {
        if (training === undefined || layer.rate === 0) return x;
        const mask = new Float32Array(x.size);
        const kept = 1 / (1 - layer.rate);
        for (let i = 0; i < mask.length; i++) mask[i] = training.uniform() < layer.rate ? 0 : kept;
        return tf.mul(x, tf.tensor(mask, x.shape));
      }
      case 'dense':
        return tf.add(
          tf.matMul(x as tf.Tensor2D, this.#variable(`${name}.kernel`) as tf.Tensor as tf.Tensor2D),
          this.#variable(`${name}.bias`),
        );
      case 'residual':
        return tf.add(this.#chain(placed.body, x, training), this.#chain(placed.shortcut, x, training));
    }
  }

  #batchNorm(name: string, x: tf.Tensor, training: boolean): tf.Tensor {
    const gamma = this.#variable(`${name}.gamma`);
    const beta = this.#variable(`${name}.beta`);
    const runningMean = this.#variable(`${name}.mean`);
    const runningVariance = this.#variable(`${name}.variance`);
    if (!training) {
      const factor = tf.mul(gamma, tf.rsqrt(tf.add(runningVariance, batchNorm.epsilon)));
      return tf.add(tf.mul(tf.sub(x, runningMean), factor), beta);
    }
    const { output, mean, variance } = batchNormalise(
      x,
      gamma as tf.Tensor as tf.Tensor1D,
      beta as tf.Tensor as tf.Tensor1D,
      batchNorm.epsilon,
    );
    const { momentum } = batchNorm;
    const follow = (running: tf.Variable, now: tf.Tensor): void =>
      running.assign(tf.add(tf.mul(running, momentum), tf.mul(now, 1 - momentum)));
    follow(runningMean, mean);
    follow(runningVariance, variance);
    return output;
  }
}

async function valuesOf(tensors: ReadonlyMap<string, tf.Tensor>): Promise<Weights> {
  const values: Weights = new Map();
  // A copy, since some backends hand out their own memory.
  for (const [name, tensor] of tensors) values.set(name, ((await tensor.data()) as Float32Array).slice());
  return values;
}

/** What one share of a batch says: its mean loss and the gradients of the trained weights. */
export interface Gradients {
  loss: number;
  gradients: Weights;
}

/**
 * Loss and gradients on examples [N, bins, frames]; updates the network's running statistics.
 * @param targets one per example: 1 for bona fide, 0 for spoof
 */
export async function gradientsOn(
  network: TensorNetwork,
  features: Float32Array,
  targets: readonly number[],
  dropoutSeed: readonly number[],
): Promise<Gradients> {
  const { bins, frames } = network.spec.input;
  const variables = network.trainedVariables();
  const input = tf.tensor4d(features, [targets.length, bins, frames, 1]);
  const target = tf.tensor1d([...targets], 'float32');
  const { value, grads } = tf.variableGrads(
    () => binaryCrossEntropy(network.forward(input, new Random(dropoutSeed)), target),
    [...variables.values()],
  );
  const gradients = await valuesOf(new Map([...variables].map(([name, variable]) => [name, grads[variable.name]])));
  const [loss] = await value.data();
  tf.dispose([input, target, value, ...Object.values(grads)]);
  return { loss, gradients };
}

/**
 * Binary cross-entropy of logits [N] against targets [N] in [0, 1], averaged; in the form that does not overflow:
 * max(x, 0) - x·t + log(1 + exp(-|x|)).
 */
function binaryCrossEntropy(logits: tf.Tensor1D, targets: tf.Tensor1D): tf.Scalar {
  return tf.tidy(() =>
    tf.mean(tf.add(tf.sub(tf.relu(logits), tf.mul(logits, targets)), tf.log1p(tf.exp(tf.neg(tf.abs(logits)))))),
  );
}
