/**
 * Kernels of the native library for what TensorFlow.js has no operation for: batch normalisation in training and its gradient,
 * which it puts together of a dozen passes over the activations, and ReLU's gradient, of three.
 */
import { registerKernel } from '@tensorflow/tfjs-core';
import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';

/** Kernels by these names are used where the current backend has them. */
export const nativeKernels = {
  /** x [N, height, width, channels], scale, offset [channels] to output, mean, variance, and three for the gradient. */
  batchNorm: 'BatchNormTraining',
  /** dy, x, scale and those three to the gradients by x, scale and offset. */
  batchNormGrad: 'BatchNormTrainingGrad',
  /** dy and x to the gradient by x. */
  reluGrad: 'ReluGrad',
} as const;

interface OpAttribute {
  name: string;
  type: number;
  value: unknown;
}

/** TensorFlow.js's backend for the native library, as far as it is used here. */
interface NativeBackend {
  binding: Record<'TF_ATTR_TYPE' | 'TF_ATTR_FLOAT' | 'TF_ATTR_STRING' | 'TF_ATTR_BOOL' | 'TF_FLOAT', number>;
  executeMultipleOutputs(name: string, attributes: OpAttribute[], inputs: TensorInfo[], outputs: number): TensorInfo[];
}

interface Call<Inputs extends string> {
  backend: NativeBackend;
  inputs: Record<Inputs, TensorInfo>;
  attrs: { epsilon: number };
}

function normAttributes({ binding }: NativeBackend, epsilon: number): OpAttribute[] {
  return [
    { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    { name: 'U', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    { name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: epsilon },
    { name: 'data_format', type: binding.TF_ATTR_STRING, value: 'NHWC' },
    { name: 'is_training', type: binding.TF_ATTR_BOOL, value: true },
  ];
}

function batchNorm({ backend, inputs, attrs }: Call<'x' | 'scale' | 'offset' | 'none'>): TensorInfo[] {
  const { x, scale, offset, none } = inputs;
  // Running statistics go in empty: they are followed by ourselves.
  const given = [x, scale, offset, none, none];
  return backend.executeMultipleOutputs('FusedBatchNormV3', normAttributes(backend, attrs.epsilon), given, 6);
}

function batchNormGrad({
  backend,
  inputs,
  attrs,
}: Call<'dy' | 'x' | 'scale' | 'first' | 'second' | 'third'>): TensorInfo[] {
  const { dy, x, scale, first, second, third } = inputs;
  const given = [dy, x, scale, first, second, third];
  return backend
    .executeMultipleOutputs('FusedBatchNormGradV3', normAttributes(backend, attrs.epsilon), given, 5)
    .slice(0, 3);
}

function reluGrad({ backend, inputs: { dy, x } }: Call<'dy' | 'x'>): TensorInfo {
  const type = { name: 'T', type: backend.binding.TF_ATTR_TYPE, value: backend.binding.TF_FLOAT };
  return backend.executeMultipleOutputs('ReluGrad', [type], [dy, x], 1)[0];
}

let registered = false;

/** Puts the kernels of this file into TensorFlow.js. */
export function registerTensorflowKernels(): void {
  if (registered) return;
  registered = true;
  for (const [kernelName, kernel] of [
    [nativeKernels.batchNorm, batchNorm],
    [nativeKernels.batchNormGrad, batchNormGrad],
    [nativeKernels.reluGrad, reluGrad],
  ] as const) {
    const kernelFunc = kernel as unknown as KernelConfig['kernelFunc'];
    registerKernel({ kernelName, backendName: 'tensorflow', kernelFunc });
  }
}
