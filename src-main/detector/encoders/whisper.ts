/** The first blocks of Whisper's encoder as an ONNX graph, from its weights. */
import { hzToMel, melToHz } from '../../../src-common/mel-scale.ts';
import type { Weights } from '../network.ts';
import { OnnxGraphBuilder, writeOnnxGraph } from '../onnx.ts';

/*
 * The low blocks of Whisper's encoder (Radford et al. 2023, "Robust speech recognition via large-scale weak supervision"; github.com/openai/whisper)
 * as an ONNX graph that turns samples into statistics of each block's output over time. The weights lie there as whole
 * numbers of 7 bits with a scale for each column, a third of the room; the arithmetic is that of floats: were activations rounded, too,
 * a last digit would decide between two steps, and scores would differ between processors by hundredths.
 */

/** Whisper's own framing; a frame begins at each multiple of the hop, none hangs over an edge. */
export const whisperFraming = { sampleRateHz: 16_000, windowSamples: 400, hopSamples: 160 } as const;

/** Sizes of the encoder. */
export interface WhisperShape {
  width: number;
  heads: number;
  mels: number;
  /** Blocks that are run, from the lowest. */
  blocks: number;
}

/** whisper tiny.en, the first three of its four blocks. */
export const tinyEnglish: WhisperShape = { width: 384, heads: 6, mels: 80, blocks: 3 };

/** Names in the graphs: input [N, samples], output [N, `embeddingSize`] or features [N, mels, frames]. */
export const whisperNames = { input: 'samples', output: 'embedding', features: 'mel' } as const;

/** Numbers that the graph gives for a window. */
export const embeddingSize = ({ width, blocks }: WhisperShape): number => 3 * width * blocks;

/** Added to a deviation before its logarithm is taken. */
const leastDeviation = 1e-3;

/** Whisper's front end keeps 8 powers of ten below the loudest. */
const keptDecades = 8;
const floorMel = 1e-10;
const normEpsilon = 1e-5;
/** Largest magnitude of a weight of 7 bits. */
const largest = 63;

/** Every name and shape of the weights, as OpenAI's file has them: dense layers [out, in], convolutions [out, in, taps]. */
export function whisperParameters({ width, mels, blocks }: WhisperShape): { name: string; shape: number[] }[] {
  const norm = (name: string): { name: string; shape: number[] }[] => [
    { name: `${name}.weight`, shape: [width] },
    { name: `${name}.bias`, shape: [width] },
  ];
  const dense = (name: string, inputs: number, outputs: number, bias = true): { name: string; shape: number[] }[] => [
    { name: `${name}.weight`, shape: [outputs, inputs] },
    ...(bias ? [{ name: `${name}.bias`, shape: [outputs] }] : []),
  ];
  return [
    { name: 'conv1.weight', shape: [width, mels, 3] },
    { name: 'conv1.bias', shape: [width] },
    { name: 'conv2.weight', shape: [width, width, 3] },
    { name: 'conv2.bias', shape: [width] },
    ...Array.from({ length: blocks }, (_, block) => `blocks.${block}`).flatMap((block) => [
      ...norm(`${block}.attn_ln`),
      ...dense(`${block}.attn.query`, width, width),
      ...dense(`${block}.attn.key`, width, width, false),
      ...dense(`${block}.attn.value`, width, width),
      ...dense(`${block}.attn.out`, width, width),
      ...norm(`${block}.mlp_ln`),
      ...dense(`${block}.mlp.0`, width, 4 * width),
      ...dense(`${block}.mlp.2`, 4 * width, width),
    ]),
  ];
}

/** Sinusoidal positions, [positions, width], as the encoder was trained with. */
function sinusoids(positions: number, width: number): Float32Array {
  const half = width / 2;
  const step = Math.log(10_000) / (half - 1);
  return Float32Array.from({ length: positions * width }, (_, place) => {
    const column = place % width;
    const angle = Math.floor(place / width) * Math.exp(-step * (column % half));
    return column < half ? Math.sin(angle) : Math.cos(angle);
  });
}

/** Slaney's Mel filters of equal area on the bins of a transform as long as the window, [mels, bins]. */
function melFilters(mels: number): Float32Array {
  const { sampleRateHz, windowSamples } = whisperFraming;
  const bins = windowSamples / 2 + 1;
  const highest = hzToMel(sampleRateHz / 2, 'slaney');
  const edges = Array.from({ length: mels + 2 }, (_, edge) => melToHz((highest * edge) / (mels + 1), 'slaney'));
  return Float32Array.from({ length: mels * bins }, (_, place) => {
    const [low, middle, high] = edges.slice(Math.floor(place / bins));
    const hz = ((place % bins) * sampleRateHz) / windowSamples;
    const gain = Math.min((hz - low) / (middle - low), (high - hz) / (high - middle));
    return (2 * Math.max(gain, 0)) / (high - low);
  });
}

/** Hann-windowed cosines, then sines, of each bin, [2 · bins, 1, window]. */
function transformKernels(): Float32Array {
  const { windowSamples: length } = whisperFraming;
  const bins = length / 2 + 1;
  return Float32Array.from({ length: 2 * bins * length }, (_, place) => {
    const row = Math.floor(place / length);
    const sample = place % length;
    // The angle's whole turns are left out, for exactness.
    const angle = (2 * Math.PI * (((row % bins) * sample) % length)) / length;
    const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * sample) / length);
    return hann * (row < bins ? Math.cos(angle) : Math.sin(angle));
  });
}

class EncoderGraph extends OnnxGraphBuilder {
  readonly #exact: boolean;

  constructor(weights: Weights, exact: boolean) {
    super(weights);
    this.#exact = exact;
  }

  number(name: string, value: number): string {
    return this.constant(name, [], Float32Array.of(value));
  }

  gelu(name: string, x: string): string {
    // Written so that ONNX Runtime recognises it and takes it in one step.
    const scaled = this.node('Div', `${name}.scaled`, [x, this.number(`${name}.root`, Math.SQRT2)]);
    const share = this.node('Add', `${name}.share`, [
      this.node('Erf', `${name}.erf`, [scaled]),
      this.number(`${name}.one`, 1),
    ]);
    return this.node('Mul', name, [this.node('Mul', `${name}.product`, [x, share]), this.number(`${name}.half`, 0.5)]);
  }

  conv(name: string, x: string, [outputs, inputs]: number[], stride: number): string {
    return this.node(
      'Conv',
      `${name}.out`,
      [
        x,
        this.constant(`${name}.weight`, [outputs, inputs, 3], this.weight(`${name}.weight`)),
        this.constant(`${name}.bias`, [outputs], this.weight(`${name}.bias`)),
      ],
      { kernel_shape: [3], strides: [stride], pads: [1, 1] },
    );
  }

  norm(name: string, x: string, width: number): string {
    return this.node(
      'LayerNormalization',
      `${name}.out`,
      [
        x,
        this.constant(`${name}.weight`, [width], this.weight(`${name}.weight`)),
        this.constant(`${name}.bias`, [width], this.weight(`${name}.bias`)),
      ],
      { axis: -1, epsilon: { float: normEpsilon } },
    );
  }

  /** x [..., inputs] by dense layers that stand side by side, [..., outputs]; a layer without a bias has zeros. */
  dense(name: string, x: string, layers: string[], inputs: number, outputs: number): string {
    const kernel = new Float32Array(inputs * outputs);
    const bias = new Float32Array(outputs);
    let column = 0;
    for (const layer of layers) {
      const values = this.weight(`${layer}.weight`);
      const rows = values.length / inputs;
      for (let row = 0; row < rows; row++)
        for (let i = 0; i < inputs; i++) kernel[i * outputs + column + row] = values[row * inputs + i];
      if (this.hasWeight(`${layer}.bias`)) bias.set(this.weight(`${layer}.bias`), column);
      column += rows;
    }
    const weights = this.#exact
      ? this.constant(`${name}.kernel`, [inputs, outputs], kernel)
      : this.#rounded(name, kernel, inputs, outputs);
    const product = this.node('MatMul', `${name}.product`, [x, weights]);
    return this.node('Add', name, [product, this.constant(`${name}.bias`, [outputs], bias)]);
  }

  /** Weights of 7 bits, which ONNX Runtime turns into floats once, when it loads the graph. */
  #rounded(name: string, kernel: Float32Array, inputs: number, outputs: number): string {
    const { values, scales } = quantiseColumns(kernel, inputs, outputs);
    const parts = [
      this.constant(`${name}.steps`, [inputs, outputs], values),
      this.constant(`${name}.scales`, [outputs], scales),
    ];
    return this.node('DequantizeLinear', `${name}.kernel`, parts, { axis: 1 });
  }

  /** x [N, positions, width] from one position up to another. */
  positions(name: string, x: string, from: number, to: number): string {
    const number = (part: string, value: number): string =>
      this.constant(`${name}.${part}`, [1], BigInt64Array.of(BigInt(value)));
    return this.node('Slice', name, [x, number('from', from), number('to', to), number('axis', 1)]);
  }

  reshape(name: string, x: string, shape: number[]): string {
    const sizes = this.constant(`${name}.shape`, [shape.length], BigInt64Array.from(shape, BigInt));
    return this.node('Reshape', name, [x, sizes]);
  }
}

/** Rounds each column to whole numbers of 7 bits. */
function quantiseColumns(
  kernel: Float32Array,
  inputs: number,
  outputs: number,
): { values: Int8Array; scales: Float32Array } {
  const values = new Int8Array(kernel.length);
  const scales = new Float32Array(outputs);
  for (let column = 0; column < outputs; column++) {
    let peak = 0;
    for (let i = 0; i < inputs; i++) peak = Math.max(peak, Math.abs(kernel[i * outputs + column]));
    scales[column] = peak === 0 ? 1 : peak / largest;
    for (let i = 0; i < inputs; i++)
      values[i * outputs + column] = Math.round(kernel[i * outputs + column] / scales[column]);
  }
  return { values, scales };
}

/** Whisper's log-Mel spectrogram, [N, mels, frames]. */
function logMel(graph: EncoderGraph, { mels }: Pick<WhisperShape, 'mels'>, samples: number): string {
  const { windowSamples, hopSamples } = whisperFraming;
  const bins = windowSamples / 2 + 1;
  const signal = graph.reshape('mel.signal', whisperNames.input, [-1, 1, samples]);
  const kernels = graph.constant('mel.kernels', [2 * bins, 1, windowSamples], transformKernels());
  const transform = graph.node('Conv', 'mel.transform', [signal, kernels], {
    kernel_shape: [windowSamples],
    strides: [hopSamples],
  });
  const squares = graph.node('Mul', 'mel.squares', [transform, transform]);
  // The filters stand side by side for the squares of the cosines' and of the sines' parts.
  const filters = melFilters(mels);
  const twice = new Float32Array(2 * filters.length);
  for (let mel = 0; mel < mels; mel++) {
    const row = filters.subarray(mel * bins, (mel + 1) * bins);
    twice.set(row, 2 * mel * bins);
    twice.set(row, (2 * mel + 1) * bins);
  }
  const bands = graph.node('MatMul', 'mel.bands', [graph.constant('mel.filters', [mels, 2 * bins], twice), squares]);
  const floored = graph.node('Max', 'mel.floored', [bands, graph.number('mel.floor', floorMel)]);
  const decades = graph.node('Mul', 'mel.decades', [
    graph.node('Log', 'mel.log', [floored]),
    graph.number('mel.per_neper', Math.LOG10E),
  ]);
  const loudest = graph.node('ReduceMax', 'mel.loudest', [decades], { axes: [1, 2], keepdims: 1 });
  const lowest = graph.node('Sub', 'mel.lowest', [loudest, graph.number('mel.kept', keptDecades)]);
  const limited = graph.node('Max', 'mel.limited', [decades, lowest]);
  const shifted = graph.node('Add', 'mel.shifted', [limited, graph.number('mel.shift', 4)]);
  return graph.node('Mul', whisperNames.features, [shifted, graph.number('mel.scale', 0.25)]);
}

function attention(graph: EncoderGraph, name: string, x: string, shape: WhisperShape, positions: number): string {
  const { width, heads } = shape;
  const size = width / heads;
  const names = ['query', 'key', 'value'];
  const joined = graph.dense(
    `${name}.qkv`,
    x,
    names.map((part) => `${name}.${part}`),
    width,
    3 * width,
  );
  const parts = names.map((part) => `${name}.${part}.part`);
  const sizes = graph.constant(`${name}.sizes`, [3], BigInt64Array.from([width, width, width], BigInt));
  graph.node('Split', `${name}.split`, [joined, sizes], { axis: 2 }, parts);
  const [query, key, value] = parts.map((part, index) =>
    graph.node(
      'Transpose',
      `${part}.heads`,
      [graph.reshape(`${part}.reshaped`, part, [-1, positions, heads, size])],
      // The key stands transposed.
      { perm: index === 1 ? [0, 2, 3, 1] : [0, 2, 1, 3] },
    ),
  );
  const scores = graph.node('Mul', `${name}.scores`, [
    graph.node('MatMul', `${name}.products`, [query, key]),
    graph.number(`${name}.scale`, 1 / Math.sqrt(size)),
  ]);
  const shares = graph.node('Softmax', `${name}.shares`, [scores], { axis: -1 });
  const seen = graph.node('Transpose', `${name}.seen`, [graph.node('MatMul', `${name}.mixed`, [shares, value])], {
    perm: [0, 2, 1, 3],
  });
  const flat = graph.reshape(`${name}.flat`, seen, [-1, positions, width]);
  return graph.dense(`${name}.result`, flat, [`${name}.out`], width, width);
}

function block(graph: EncoderGraph, name: string, x: string, shape: WhisperShape, positions: number): string {
  const { width } = shape;
  const attended = graph.node('Add', `${name}.attended`, [
    x,
    attention(graph, `${name}.attn`, graph.norm(`${name}.attn_ln`, x, width), shape, positions),
  ]);
  const inner = graph.dense(
    `${name}.inner`,
    graph.norm(`${name}.mlp_ln`, attended, width),
    [`${name}.mlp.0`],
    width,
    4 * width,
  );
  const outer = graph.dense(`${name}.outer`, graph.gelu(`${name}.gelu`, inner), [`${name}.mlp.2`], 4 * width, width);
  return graph.node('Add', `${name}.result`, [attended, outer]);
}

/** The logarithm of the standard deviation over time, [N, 1, width]. */
function logDeviation(graph: EncoderGraph, name: string, x: string, mean: string): string {
  const centred = graph.node('Sub', `${name}.centred`, [x, mean]);
  const squares = graph.node('Mul', `${name}.squares`, [centred, centred]);
  const variance = graph.node('ReduceMean', `${name}.variance`, [squares], { axes: [1], keepdims: 1 });
  const raised = graph.node('Add', `${name}.raised`, [
    graph.node('Sqrt', `${name}.deviation`, [variance]),
    graph.number(`${name}.least`, leastDeviation),
  ]);
  return graph.node('Log', name, [raised]);
}

const meanOverTime = (graph: EncoderGraph, name: string, x: string): string =>
  graph.node('ReduceMean', name, [x], { axes: [1], keepdims: 1 });

/** Mean, and the logarithms of the deviations of values and of their steps from one position to the next, [N, 3 · width]. */
function statistics(graph: EncoderGraph, name: string, x: string, positions: number): string {
  const mean = meanOverTime(graph, `${name}.mean`, x);
  const steps = graph.node('Sub', `${name}.steps`, [
    graph.positions(`${name}.later`, x, 1, positions),
    graph.positions(`${name}.earlier`, x, 0, positions - 1),
  ]);
  const parts = [
    mean,
    logDeviation(graph, `${name}.values`, x, mean),
    logDeviation(graph, `${name}.changes`, steps, meanOverTime(graph, `${name}.steps.mean`, steps)),
  ];
  return graph.node('Flatten', name, [graph.node('Concat', `${name}.joined`, parts, { axis: 2 })], { axis: 1 });
}

/** Positions that the encoder makes of so many samples. */
function positionsOf(samples: number): number {
  const frames = Math.floor((samples - whisperFraming.windowSamples) / whisperFraming.hopSamples) + 1;
  return Math.floor((frames - 1) / 2) + 1;
}

/**
 * The encoder's low blocks as the bytes of an ONNX model; the same weights give the same bytes.
 * Input [N, samples] at 16 kHz; output [N, `embeddingSize`]: of each block's output
 * mean over time and logarithms of the deviations of its values and of their steps.
 * @param weights by `whisperParameters`
 * @param exact weights as 32-bit floats, to compare with
 */
export function whisperOnnx(weights: Weights, shape: WhisperShape, samples: number, exact = false): Uint8Array {
  const { width, mels } = shape;
  const graph = new EncoderGraph(weights, exact);
  const positions = positionsOf(samples);
  const first = graph.gelu('conv1.gelu', graph.conv('conv1', logMel(graph, shape, samples), [width, mels], 1));
  const second = graph.gelu('conv2.gelu', graph.conv('conv2', first, [width, width], 2));
  let x = graph.node('Add', 'placed', [
    graph.node('Transpose', 'sequence', [second], { perm: [0, 2, 1] }),
    graph.constant('positions', [positions, width], sinusoids(positions, width)),
  ]);
  const outputs: string[] = [];
  for (let index = 0; index < shape.blocks; index++) {
    x = block(graph, `blocks.${index}`, x, shape, positions);
    outputs.push(statistics(graph, `blocks.${index}.statistics`, x, positions));
  }
  graph.node('Concat', whisperNames.output, outputs, { axis: 1 });
  return writeOnnxGraph({
    name: 'whisper-encoder',
    nodes: graph.nodes,
    initializers: graph.initializers,
    inputs: [{ name: whisperNames.input, shape: ['N', samples] }],
    outputs: [{ name: whisperNames.output, shape: ['N', embeddingSize(shape)] }],
  });
}

/** Whisper's log-Mel spectrogram of so many samples alone, [N, samples] to [N, mels, frames], as the bytes of an ONNX model. */
export function whisperFeaturesOnnx(mels: number, samples: number): Uint8Array {
  const { windowSamples, hopSamples } = whisperFraming;
  const graph = new EncoderGraph(new Map(), true);
  logMel(graph, { mels }, samples);
  const frames = Math.floor((samples - windowSamples) / hopSamples) + 1;
  return writeOnnxGraph({
    name: 'whisper-features',
    nodes: graph.nodes,
    initializers: graph.initializers,
    inputs: [{ name: whisperNames.input, shape: ['N', samples] }],
    outputs: [{ name: whisperNames.features, shape: ['N', mels, frames] }],
  });
}
