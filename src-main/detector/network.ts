/** Networks as data: layers, shapes, parameters, starting weights. */
import { z } from 'zod';
import { Random } from '../base/random.ts';

/**
 * Networks as data. One list of layers describes a network; `tensors.ts` runs and trains it on TensorFlow.js,
 * `onnx.ts` writes it as an ONNX graph. Input: [N, bins, frames, 1] log-spectrogram in dB, or what else a front end makes; output: [N] logits,
 * high for bona fide speech.
 */
const size = z.tuple([z.int().positive(), z.int().positive()]);
const plainLayerSchema = z.discriminatedUnion('type', [
  /** So many planes that lie below one another become channels. */
  z.object({ type: z.literal('planes'), count: z.int().positive() }),
  /** x -> (x - mean) · scale, the mean taken per window over time for each bin, over both, or fixed. */
  z.object({
    type: z.literal('normalise'),
    mean: z.enum(['per-bin', 'per-window', 'fixed']),
    fixedMeanDb: z.number().optional(),
    scale: z.number().positive(),
  }),
  /** Zero-padded to keep ceil(size / stride), as TensorFlow's "same". */
  z.object({
    type: z.literal('conv'),
    filters: z.int().positive(),
    kernel: size,
    strides: size,
    bias: z.boolean(),
  }),
  z.object({ type: z.literal('batch-norm') }),
  z.object({ type: z.literal('relu') }),
  z.object({ type: z.literal('max-pool'), size }),
  z.object({ type: z.literal('average-pool'), size }),
  z.object({ type: z.literal('global-average') }),
  /** The mean over frequency, then its mean and deviation over time: [2 · channels]. */
  z.object({ type: z.literal('time-moments') }),
  z.object({ type: z.literal('flatten') }),
  z.object({ type: z.literal('dropout'), rate: z.number().min(0).max(0.9) }),
  z.object({ type: z.literal('dense'), units: z.int().positive() }),
]);
type PlainLayer = z.infer<typeof plainLayerSchema>;

/** Adds what two paths make of the same input; an empty shortcut is the identity. */
const residualLayerSchema = z.object({
  type: z.literal('residual'),
  body: z.array(plainLayerSchema),
  shortcut: z.array(plainLayerSchema),
});
type ResidualLayer = z.infer<typeof residualLayerSchema>;
type Layer = PlainLayer | ResidualLayer;

export const networkSchema = z.object({
  name: z.string(),
  input: z.object({ bins: z.int().positive(), frames: z.int().positive() }),
  layers: z.array(z.union([plainLayerSchema, residualLayerSchema])),
});
export type NetworkSpec = z.infer<typeof networkSchema>;

/** Batch normalisation's epsilon and the share of the old running statistics kept at each step. */
export const batchNorm = { epsilon: 1e-3, momentum: 0.95 } as const;

/** Added to a variance before its root is taken: the root's slope at zero is infinite. */
export const leastMomentVariance = 1e-5;

/** One array of weights: where it belongs and how it starts. */
export interface ParameterSpec {
  name: string;
  shape: number[];
  /**
   * `he`: normal with variance 2 / fan-in (He et al. 2015). `narrow`: with variance 1 / (3 · fan-in), as PyTorch's, before a
   * normalisation, which takes the length out: it only sets how large a step is beside it.
   */
  start: 'he' | 'narrow' | 'zeros' | 'ones';
  fanIn: number;
  /** Running statistics are carried along, not trained. */
  trained: boolean;
}

/** A layer with what it is called and the shape that reaches it, [height, width, channels] or [features]. */
export interface PlacedLayer {
  layer: Layer;
  name: string;
  input: number[];
  output: number[];
  body: PlacedLayer[];
  shortcut: PlacedLayer[];
}

function outputShape(layer: PlainLayer, input: number[]): number[] {
  const [height, width, channels] = input;
  const needImage = (): void => {
    if (input.length !== 3) throw new Error(`${layer.type} needs an image, not [${input.join(', ')}]`);
  };
  switch (layer.type) {
    case 'planes':
      needImage();
      if (channels !== 1 || height % layer.count !== 0)
        throw new Error(`[${input.join(', ')}] does not part into ${layer.count} planes`);
      return [height / layer.count, width, layer.count];
    case 'conv':
      needImage();
      return [Math.ceil(height / layer.strides[0]), Math.ceil(width / layer.strides[1]), layer.filters];
    case 'max-pool':
    case 'average-pool':
      needImage();
      return [Math.floor(height / layer.size[0]), Math.floor(width / layer.size[1]), channels];
    case 'global-average':
      needImage();
      return [channels];
    case 'time-moments':
      needImage();
      return [2 * channels];
    case 'flatten':
      return [input.reduce((product, length) => product * length, 1)];
    case 'dense':
      if (input.length !== 1) throw new Error(`dense needs features, not [${input.join(', ')}]`);
      return [layer.units];
    default:
      return input;
  }
}

function place(layers: readonly Layer[], start: number[], prefix: string): PlacedLayer[] {
  let shape = start;
  return layers.map((layer, index) => {
    const name = `${prefix}${index}.${layer.type}`;
    const input = shape;
    if (layer.type === 'residual') {
      const body = place(layer.body, input, `${name}.body.`);
      const shortcut = place(layer.shortcut, input, `${name}.shortcut.`);
      shape = body.at(-1)?.output ?? input;
      const other = shortcut.at(-1)?.output ?? input;
      if (shape.join() !== other.join())
        throw new Error(`${name}: paths end in [${shape.join()}] and [${other.join()}]`);
      return { layer, name, input, output: shape, body, shortcut };
    }
    shape = outputShape(layer, input);
    if (shape.some((length) => length < 1)) throw new Error(`${name}: nothing is left of [${input.join(', ')}]`);
    return { layer, name, input, output: shape, body: [], shortcut: [] };
  });
}

/** The layers with names and shapes. @throws Error if the shapes do not fit or the network does not end in one logit. */
export function placeLayers(spec: NetworkSpec): PlacedLayer[] {
  const placed = place(spec.layers, [spec.input.bins, spec.input.frames, 1], '');
  if (placed.at(-1)?.output.join() !== '1') throw new Error(`${spec.name}: a network must end in one logit`);
  return placed;
}

/** Every array of weights that the network needs, in order. Kernels are [height, width, in, out], dense [in, out]. */
export function parameterSpecs(spec: NetworkSpec): ParameterSpec[] {
  const specs: ParameterSpec[] = [];
  const visit = (placed: PlacedLayer): void => {
    const { layer, name, input } = placed;
    const add = (part: string, shape: number[], start: ParameterSpec['start'], fanIn = 1, trained = true): void => {
      specs.push({ name: `${name}.${part}`, shape, start, fanIn, trained });
    };
    const channels = input.at(-1) ?? 1;
    if (layer.type === 'conv') {
      const [height, width] = layer.kernel;
      // Without a bias of its own: one follows with the normalisation.
      const start = layer.bias ? 'he' : 'narrow';
      add('kernel', [height, width, channels, layer.filters], start, height * width * channels);
      if (layer.bias) add('bias', [layer.filters], 'zeros');
    } else if (layer.type === 'dense') {
      // The last one begins at zero: an undecided network.
      add('kernel', [channels, layer.units], layer.units === 1 ? 'zeros' : 'he', channels);
      add('bias', [layer.units], 'zeros');
    } else if (layer.type === 'batch-norm') {
      add('gamma', [channels], 'ones');
      add('beta', [channels], 'zeros');
      add('mean', [channels], 'zeros', 1, false);
      add('variance', [channels], 'ones', 1, false);
    }
    placed.body.forEach(visit);
    placed.shortcut.forEach(visit);
  };
  placeLayers(spec).forEach(visit);
  return specs;
}

/** Weights by name, each with the length of its shape's product. */
export type Weights = Map<string, Float32Array>;

/** Fresh weights, the same for the same seed on every machine and backend. */
export function startingWeights(spec: NetworkSpec, seed: number): Weights {
  const weights: Weights = new Map();
  parameterSpecs(spec).forEach((parameter, index) => {
    const values = new Float32Array(parameter.shape.reduce((product, length) => product * length, 1));
    if (parameter.start === 'ones') values.fill(1);
    const gain = { he: 2, narrow: 1 / 3, zeros: 0, ones: 0 }[parameter.start];
    if (gain > 0) {
      const random = new Random([seed, 1, index]);
      const deviation = Math.sqrt(gain / parameter.fanIn);
      for (let i = 0; i < values.length; i++) values[i] = deviation * random.normal();
    }
    weights.set(parameter.name, values);
  });
  return weights;
}

const conv = (
  filters: number,
  bias = true,
  kernel: [number, number] = [3, 3],
  strides: [number, number] = [1, 1],
): PlainLayer => ({
  type: 'conv',
  filters,
  kernel,
  strides,
  bias,
});

/** A spectrogram loses each bin's mean over time; phases, which stand in planes, each plane's mean. */
const entry = (planes: number, scale: number): Layer[] =>
  planes === 1
    ? [{ type: 'normalise', mean: 'per-bin', scale }]
    : [
        { type: 'planes', count: planes },
        { type: 'normalise', mean: 'per-window', scale: 1 },
      ];

/**
 * The CNN of the original work: convolution, pooling and dense layers on a log-Mel spectrogram. The mean of each bin
 * over the window is removed first, so that a recording's colouring (microphone, equaliser) does not decide.
 */
function melCnn(bins: number, frames: number, planes: number): NetworkSpec {
  const block = (filters: number): Layer[] => [conv(filters), { type: 'relu' }, { type: 'max-pool', size: [2, 2] }];
  return {
    name: 'mel-cnn',
    input: { bins, frames },
    layers: [
      ...entry(planes, 0.1),
      ...block(16),
      ...block(32),
      ...block(64),
      ...block(128),
      { type: 'flatten' },
      { type: 'dropout', rate: 0.5 },
      { type: 'dense', units: 64 },
      { type: 'relu' },
      { type: 'dropout', rate: 0.5 },
      { type: 'dense', units: 1 },
    ],
  };
}

/** Natural logarithms of power per dB. */
const nepersPerDb = Math.LN10 / 10;

/** Two convolutions beside a shortcut (He et al. 2016), normalised per channel. */
function residualBlock(inputs: number, filters: number, strides: [number, number]): Layer[] {
  const same = inputs === filters && strides.every((stride) => stride === 1);
  return [
    {
      type: 'residual',
      body: [
        conv(filters, false, [3, 3], strides),
        { type: 'batch-norm' },
        { type: 'relu' },
        conv(filters, false),
        { type: 'batch-norm' },
      ],
      shortcut: same ? [] : [conv(filters, false, [1, 1], strides), { type: 'batch-norm' }],
    },
    { type: 'relu' },
  ];
}

/**
 * A small residual network on a log-spectrogram whose mean over time is removed bin by bin. Mean and deviation over time
 * end it, so that its weights do not depend on the length of the window.
 */
function residual(bins: number, frames: number, planes: number): NetworkSpec {
  // A linear spectrogram has so many bins that the first layer thins them out.
  const fine = bins / planes > 128;
  return {
    name: 'residual',
    input: { bins, frames },
    layers: [
      ...entry(planes, 0.25 * nepersPerDb),
      conv(16, false, fine ? [7, 5] : [5, 5], fine ? [4, 2] : [2, 2]),
      { type: 'batch-norm' },
      { type: 'relu' },
      ...residualBlock(16, 16, [1, 1]),
      ...residualBlock(16, 32, [2, 2]),
      ...residualBlock(32, 64, [2, 2]),
      ...residualBlock(64, 64, [2, 1]),
      { type: 'time-moments' },
      { type: 'dropout', rate: 0.3 },
      { type: 'dense', units: 1 },
    ],
  };
}

const networks: Record<string, (bins: number, frames: number, planes: number) => NetworkSpec> = {
  residual,
  'mel-cnn': melCnn,
};

/** Names accepted by `createNetwork`. */
export const networkNames = Object.keys(networks);

/**
 * The same network for windows of another length.
 * @throws Error where its weights depend on the length.
 */
export function withFrames(spec: NetworkSpec, frames: number): NetworkSpec {
  const other = { ...spec, input: { ...spec.input, frames } };
  const shapes = [spec, other].map((one) => JSON.stringify(parameterSpecs(one)));
  if (shapes[0] !== shapes[1]) throw new Error(`${spec.name}: its weights depend on the length of the window`);
  return other;
}

/** The network of that name for spectrograms of that size, bins of all planes together. */
export function createNetwork(name: string, bins: number, frames: number, planes = 1): NetworkSpec {
  const make = networks[name];
  if (make === undefined) throw new Error(`unknown network ${name}`);
  return make(bins, frames, planes);
}
