/** Logistic regression with a quadratic penalty, as a head on frozen features and to join members' scores. */

/** Examples as rows of features. */
export interface LogisticData {
  /** Row-major [examples, features]. */
  features: Float32Array;
  /** 1 for bona fide, 0 for spoof. */
  labels: Uint8Array;
  /** How much each example counts; 1 each if not given. */
  weights?: Float64Array;
}

/** logit = kernel · features + bias, high for bona fide. */
export interface LogisticModel {
  kernel: Float64Array;
  bias: number;
}

const newtonSteps = 60;
const conjugateSteps = 200;
/** The gradient's largest component, by the sum of the weights, at which the fit is done. */
const tolerance = 1e-7;

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));
const softplus = (value: number): number => Math.max(value, 0) + Math.log1p(Math.exp(-Math.abs(value)));
const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, index) => sum + value * b[index], 0);

/** The examples with a column of ones, and what Newton's method asks of them. Parameters: the kernel, then the bias. */
class Problem {
  readonly width: number;
  readonly count: number;
  readonly #data: LogisticData;
  readonly #strength: number;

  constructor(data: LogisticData, strength: number) {
    this.#data = data;
    this.count = data.labels.length;
    this.width = data.features.length / this.count;
    this.#strength = strength;
  }

  weight(example: number): number {
    return this.#data.weights?.[example] ?? 1;
  }

  /** X·p, [examples]. */
  product(parameters: Float64Array): Float64Array {
    const { features } = this.#data;
    const result = new Float64Array(this.count);
    for (let example = 0, at = 0; example < this.count; example++) {
      let sum = parameters[this.width];
      for (let feature = 0; feature < this.width; feature++) sum += parameters[feature] * features[at++];
      result[example] = sum;
    }
    return result;
  }

  /** Xᵀ·r plus the penalty's part, [features + 1]. */
  transposed(residuals: Float64Array, parameters: Float64Array): Float64Array {
    const { features } = this.#data;
    const result = parameters.slice();
    // The bias is not held back.
    result[this.width] = 0;
    for (let example = 0, at = 0; example < this.count; example++) {
      const share = this.#strength * residuals[example];
      for (let feature = 0; feature < this.width; feature++) result[feature] += share * features[at++];
      result[this.width] += share;
    }
    return result;
  }

  loss(logits: Float64Array, parameters: Float64Array): number {
    const { labels } = this.#data;
    let sum = 0;
    for (let example = 0; example < this.count; example++)
      sum += this.weight(example) * softplus(labels[example] === 1 ? -logits[example] : logits[example]);
    const kernel = parameters.subarray(0, this.width);
    return this.#strength * sum + dot(kernel, kernel) / 2;
  }

  residuals(logits: Float64Array): Float64Array {
    return logits.map((logit, example) => this.weight(example) * (sigmoid(logit) - this.#data.labels[example]));
  }

  curvatures(logits: Float64Array): Float64Array {
    return logits.map((logit, example) => this.weight(example) * sigmoid(logit) * sigmoid(-logit));
  }
}

/** The Newton direction by conjugate gradients (Nocedal and Wright, Numerical Optimization, algorithm 7.1). */
function direction(problem: Problem, curvatures: Float64Array, gradient: Float64Array): Float64Array {
  const result = new Float64Array(gradient.length);
  const residual = gradient.map((value) => -value);
  let conjugate = residual.slice();
  let square = dot(residual, residual);
  const enough = Math.min(0.25, Math.sqrt(square)) ** 2 * square * 0.01;
  for (let step = 0; step < conjugateSteps && square > enough; step++) {
    const along = problem.product(conjugate);
    const bent = problem.transposed(
      along.map((value, example) => value * curvatures[example]),
      conjugate,
    );
    const rate = square / dot(conjugate, bent);
    for (let index = 0; index < result.length; index++) {
      result[index] += rate * conjugate[index];
      residual[index] -= rate * bent[index];
    }
    const next = dot(residual, residual);
    conjugate = conjugate.map((value, index) => residual[index] + (next / square) * value);
    square = next;
  }
  return result;
}

/**
 * Minimises strength · Σ weight · log loss + |kernel|² / 2, as scikit-learn's `LogisticRegression(C=strength)`, by Newton's method. The same
 * data give the same numbers.
 * @throws RangeError where shapes differ or a feature is not finite.
 */
export function fitLogistic(data: LogisticData, strength: number): LogisticModel {
  const problem = new Problem(data, strength);
  if (!Number.isInteger(problem.width) || problem.width < 1) throw new RangeError('features and labels do not match');
  if (!data.features.every(Number.isFinite)) throw new RangeError('a feature is no finite number');
  let parameters: Float64Array = new Float64Array(problem.width + 1);
  let logits = problem.product(parameters);
  let loss = problem.loss(logits, parameters);
  const total = Array.from({ length: problem.count }, (_, example) => problem.weight(example)).reduce(
    (a, b) => a + b,
    0,
  );
  for (let step = 0; step < newtonSteps; step++) {
    const gradient = problem.transposed(problem.residuals(logits), parameters);
    if (gradient.every((value) => Math.abs(value) <= tolerance * strength * total)) break;
    const way = direction(problem, problem.curvatures(logits), gradient);
    const slope = dot(gradient, way);
    let moved = false;
    for (let rate = 1; rate > 1e-9 && !moved; rate /= 2) {
      const tried = parameters.map((value, index) => value + rate * way[index]);
      const triedLogits = problem.product(tried);
      const triedLoss = problem.loss(triedLogits, tried);
      if (triedLoss > loss + 1e-4 * rate * slope) continue;
      [parameters, logits, loss, moved] = [tried, triedLogits, triedLoss, true];
    }
    if (!moved) break;
  }
  return { kernel: parameters.slice(0, problem.width), bias: parameters[problem.width] };
}

/** A logit of one row of features. */
export function logitOf({ kernel, bias }: LogisticModel, features: ArrayLike<number>): number {
  let sum = bias;
  for (let feature = 0; feature < kernel.length; feature++) sum += kernel[feature] * features[feature];
  return sum;
}
