import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import { nativeKernels } from './tensorflow-kernels.ts';

export interface Normalised<T extends Tensor> {
  /** `scale * (x - mean) / sqrt(variance + epsilon) + offset`, of x's shape. */
  output: T;
  /** Of the batch, per channel, [channels]; no gradient flows through it. */
  mean: Tensor1D;
  /** Of the batch, per channel, divided by the count (not the count less one); no gradient flows through it. */
  variance: Tensor1D;
}

/**
 * Batch normalisation over all axes but the last, for training (Ioffe and Szegedy 2015): the backend's own where it has one, else
 * with its gradient in closed form (composed of single operations, it passes over the activations thirty times per step instead
 * of a dozen).
 * @param x [..., channels]
 * @param scale [channels]
 * @param offset [channels]
 */
export function batchNormalise<T extends Tensor>(
  x: T,
  scale: Tensor1D,
  offset: Tensor1D,
  epsilon: number,
): Normalised<T> {
  const native = tf.getKernel(nativeKernels.batchNorm, tf.getBackend()) !== undefined;
  const { output, mean, variance } = tf.tidy(() => ({
    ...(native ? nativelyNormalised : ownNormalised)(x, scale, offset, epsilon),
  }));
  return { output: output as T, mean, variance };
}

function ownNormalised(x: Tensor, scale: Tensor1D, offset: Tensor1D, epsilon: number): Normalised<Tensor> {
  const axes = x.shape.slice(0, -1).map((_, axis) => axis);
  const count = x.size / x.shape[x.rank - 1];
  // Beside the gradient's tape, not on the way to it: what they do to the gradient is in the closed form.
  const mean = tf.mean<Tensor1D>(x, axes);
  const variance = tf.mean<Tensor1D>(tf.square(tf.sub(x, mean)), axes);
  const inverse = tf.rsqrt(tf.add(variance, epsilon));
  const normalise = tf.customGrad((...inputs) => {
    const [values, scales, offsets, save] = inputs as unknown as [Tensor, Tensor, Tensor, tf.GradSaveFunc];
    const factor = tf.mul(scales, inverse);
    const value = tf.add(tf.mul(values, factor), tf.sub(offsets, tf.mul(mean, factor)));
    save([values, scales, mean, inverse]);
    const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor[] => {
      const [values, scales, mean, inverse] = saved;
      const centred = tf.sub(values, mean);
      const byOffset = tf.sum(dy, axes);
      const byScale = tf.mul(tf.sum(tf.mul(dy, centred), axes), inverse);
      // scale / deviation * (dy - mean(dy) - unit * mean(dy * unit)), where unit is x normalised.
      const factor = tf.mul(scales, inverse);
      const level = tf.mul(tf.mul(factor, byOffset), -1 / count);
      const slope = tf.mul(tf.mul(tf.mul(factor, inverse), byScale), -1 / count);
      return [tf.add(tf.add(tf.mul(dy, factor), level), tf.mul(centred, slope)), byScale, byOffset];
    };
    // customGrad's typings know only functions of one input.
    return { value, gradFunc: gradFunc };
  });
  return { output: normalise(x, scale, offset), mean, variance };
}

function nativelyNormalised(x: Tensor, scale: Tensor1D, offset: Tensor1D, epsilon: number): Normalised<Tensor> {
  const channels = x.shape[x.rank - 1];
  const count = x.size / channels;
  const image = (values: Tensor): Tensor4D => tf.reshape(values, [-1, 1, 1, channels]);
  const run = (name: string, inputs: Record<string, Tensor>): Tensor[] =>
    tf.engine().runKernel(name, inputs, { epsilon });
  const four = x.rank === 4 ? x : image(x);
  const [output, mean, unbiased, ...reserve] = run(nativeKernels.batchNorm, {
    ...{ x: four, scale, offset },
    none: tf.tensor1d([], 'float32'),
  });
  const normalise = tf.customGrad((...inputs) => {
    const [values, scales, , save] = inputs as unknown as [Tensor, Tensor, Tensor, tf.GradSaveFunc];
    save([values, scales, ...reserve]);
    const gradFunc = (dy: Tensor, [values, scale, first, second, third]: Tensor[]): Tensor[] => {
      const given = x.rank === 4 ? { dy, x: values } : { dy: image(dy), x: image(values) };
      const [byX, byScale, byOffset] = run(nativeKernels.batchNormGrad, { ...given, scale, first, second, third });
      return [tf.reshape(byX, x.shape), byScale, byOffset];
    };
    return { value: tf.reshape(output, x.shape), gradFunc };
  });
  // The library's variance is that of the sample, for running statistics.
  const variance = tf.mul<Tensor1D>(unbiased, count > 1 ? (count - 1) / count : 1);
  return { output: normalise(x, scale, offset), mean: mean as Tensor1D, variance };
}
