// Run by setup:tensorflow: loads the native backend and takes the gradient of a small convolution, of which the answer
// is known: all ones in, so each filter weight's gradient is the number of places the filter has.
import { createRequire } from 'node:module';
import util from 'node:util';

// The package calls it; Node 23 took it away.
util.isNullOrUndefined ??= (value) => value === null || value === undefined;

const tf = createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu');
const image = tf.ones([1, 8, 8, 1]);
const filter = tf.ones([3, 3, 1, 2]);
const gradient = tf.grad((weights) => tf.conv2d(image, weights, 1, 'valid').sum())(filter);
const values = await gradient.data();
if (tf.getBackend() !== 'tensorflow' || values.length !== 18 || !values.every((value) => value === 36)) {
  throw new Error(`backend ${tf.getBackend()}: the gradient is ${values.join(' ')}`);
}
const backend = tf.backend();
console.log(
  `RESULT ${JSON.stringify({ version: backend.binding.TF_Version, device: backend.isUsingGpuDevice ? 'GPU' : 'CPU' })}`,
);
