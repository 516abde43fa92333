import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import type { GradConfig, NamedAttrMap, Tensor } from '@tensorflow/tfjs-core';
import { nativeKernels } from './tensorflow-kernels.ts';

/** dy spread over the axes that were added up; the factor is what each number counted for. */
function spread(dy: Tensor, x: Tensor, axis: number | number[], factor: number): Tensor {
  const kept = x.shape.slice();
  for (const reduced of tf.util.parseAxisParam(axis, x.shape)) kept[reduced] = 1;
  const scaled = factor === 1 ? dy : tf.mul(dy, factor);
  return tf.mul(tf.reshape(scaled, kept), tf.fill(x.shape, 1));
}

function axisOf(attributes: NamedAttrMap): number | number[] {
  return attributes.axis as number | number[];
}

const sumGradient: GradConfig = {
  kernelName: tf.Sum,
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attributes) => ({ x: () => spread(dy as Tensor, x, axisOf(attributes), 1) }),
};

const meanGradient: GradConfig = {
  kernelName: tf.Mean,
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attributes) => {
    const reduced = tf.util.parseAxisParam(axisOf(attributes), x.shape);
    const count = reduced.reduce((product, axis) => product * x.shape[axis], 1);
    return { x: () => spread(dy as Tensor, x, reduced, 1 / count) };
  },
};

/** The library's own multiplies by a step function, which the native backend puts together from eight operations. */
const reluGradient: GradConfig = {
  kernelName: tf.Relu,
  inputsToSave: ['x'],
  gradFunc: (dy, [x]) => ({
    x: () => {
      const inputs = { dy: dy as Tensor, x };
      if (tf.getKernel(nativeKernels.reluGrad, tf.getBackend())) {
        return tf.engine().runKernel(nativeKernels.reluGrad, inputs);
      }
      return tf.mul(inputs.dy, tf.cast(tf.greater(x, 0), 'float32'));
    },
  }),
};

let registered = false;

/**
 * Gives TensorFlow.js's core its gradients (loading `@tensorflow/tfjs` registers them; the core alone, in Node, has
 * none), with those of sums and means replaced (the library's own make an array of ones in JavaScript as large as what was
 * added up and carry it to the device, at every step) and that of ReLU.
 */
export function registerGradients(): void {
  if (registered) return;
  registered = true;
  createRequire(import.meta.url)('@tensorflow/tfjs');
  for (const gradient of [sumGradient, meanGradient, reluGradient]) {
    tf.unregisterGradient(gradient.kernelName);
    tf.registerGradient(gradient);
  }
}
