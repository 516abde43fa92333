/** Writes networks as ONNX graphs. */
import { PbfWriter } from 'pbf';
import { batchNorm, leastMomentVariance, placeLayers } from './network.ts';
import type { NetworkSpec, PlacedLayer, Weights } from './network.ts';

/*
 * Writes a network as an ONNX model (https://onnx.ai/onnx/repo-docs/IR.html, opset 17), field numbers as in
 * onnx.proto. TensorFlow.js keeps images as [N, height, width, channels], ONNX as [N, channels, height, width]:
 * kernels are transposed, and so are the rows of a dense layer that follows a flattening.
 */
const irVersion = 8;
const usualOpset = 17;
/** Room for what a usual graph holds beside its values. */
const textBytes = 32 * 1024;
/** Codes of element types. */
const floatElements = 1;
const elementCodes = new Map<unknown, number>([
  [Float32Array, floatElements],
  [Uint8Array, 2],
  [Int8Array, 3],
  [BigInt64Array, 7],
]);

/** An attribute of a node: an integer, integers, or a float. */
type Attribute = number | number[] | { float: number };

export interface OnnxNode {
  op: string;
  name: string;
  /** Empty where an optional one is left out. */
  inputs: string[];
  outputs: string[];
  attributes: Record<string, Attribute>;
}

export interface OnnxInitializer {
  name: string;
  shape: number[];
  values: Float32Array | BigInt64Array | Int8Array | Uint8Array;
}

/** Names of the graph's input, [N, 1, bins, frames] float32, of its output, [N, 1] float32, and of feature maps asked for beside it. */
export const onnxNames = { input: 'log_spectrogram_db', output: 'logit', maps: 'feature_maps' } as const;

function bytesOf(values: OnnxInitializer['values']): Uint8Array {
  // ONNX raw data is little-endian, as is every machine that Node runs on here.
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** [height, width, in, out] to [out, in, height, width]. */
function transposeKernel(values: Float32Array, [height, width, inputs]: number[]): Float32Array {
  const result = new Float32Array(values.length);
  const step = inputs * height * width;
  let from = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let i = 0; i < inputs; i++) {
        const first = (i * height + y) * width + x;
        for (let to = first; to < result.length; to += step) result[to] = values[from++];
      }
  return result;
}

/** Rows of a dense kernel from the order (height, width, channel) to (channel, height, width). */
function reorderRows(values: Float32Array, [height, width, channels]: number[], units: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < channels; c++) {
        const from = ((y * width + x) * channels + c) * units;
        result.set(values.subarray(from, from + units), ((c * height + y) * width + x) * units);
      }
  return result;
}

/** TensorFlow's "same" padding, as ONNX wants it: top, left, bottom, right. */
function samePads(input: number[], kernel: number[], strides: number[]): number[] {
  const [vertical, horizontal] = [0, 1].map((axis) =>
    Math.max((Math.ceil(input[axis] / strides[axis]) - 1) * strides[axis] + kernel[axis] - input[axis], 0),
  );
  return [vertical >> 1, horizontal >> 1, vertical - (vertical >> 1), horizontal - (horizontal >> 1)];
}

/** The nodes and constants of a graph as it is put together. */
export class OnnxGraphBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxInitializer[] = [];
  readonly #weights: Weights;

  constructor(weights: Weights) {
    this.#weights = weights;
  }

  hasWeight(name: string): boolean {
    return this.#weights.has(name);
  }

  weight(name: string): Float32Array {
    const values = this.#weights.get(name);
    if (values === undefined) throw new Error(`weights hold no ${name}`);
    return values;
  }

  constant(name: string, shape: number[], values: OnnxInitializer['values']): string {
    this.initializers.push({ name, shape, values });
    return name;
  }

  /** @param outputs more than the one of the node's own name where an operator has several */
  node(op: string, name: string, inputs: string[], attributes: OnnxNode['attributes'] = {}, outputs = [name]): string {
    this.nodes.push({ op, name, inputs, outputs, attributes });
    return name;
  }
}

class NetworkGraph extends OnnxGraphBuilder {
  /** Shape before the last flattening, while its order still matters. */
  #flattened: number[] | undefined;

  chain(layers: PlacedLayer[], input: string): string {
    return layers.reduce((value, placed) => this.layer(placed, value), input);
  }

  layer(placed: PlacedLayer, x: string): string {
    const { layer, name, input } = placed;
    const channels = input.at(-1) ?? 1;
    switch (layer.type) {
      case 'planes': {
        const [height, width, planes] = placed.output;
        const shape = BigInt64Array.from([-1, planes, height, width], BigInt);
        return this.node('Reshape', name, [x, this.constant(`${name}.shape`, [4], shape)]);
      }
      case 'normalise': {
        const mean =
          layer.mean === 'fixed'
            ? this.constant(`${name}.fixed`, [1], Float32Array.of(layer.fixedMeanDb ?? 0))
            : this.node('ReduceMean', `${name}.mean`, [x], {
                axes: layer.mean === 'per-bin' ? [3] : [2, 3],
                keepdims: 1,
              });
        const centred = this.node('Sub', `${name}.centred`, [x, mean]);
        return this.node('Mul', name, [centred, this.constant(`${name}.scale`, [1], Float32Array.of(layer.scale))]);
      }
      case 'time-moments': {
        const over = (values: string, part: string, keepdims: number): string =>
          this.node('ReduceMean', `${name}.${part}`, [values], { axes: [2], keepdims });
        const courses = over(x, 'courses', 0);
        const mean = over(courses, 'mean', 1);
        const centred = this.node('Sub', `${name}.centred`, [courses, mean]);
        const variance = over(this.node('Mul', `${name}.square`, [centred, centred]), 'variance', 1);
        const least = this.constant(`${name}.least`, [1], Float32Array.of(leastMomentVariance));
        const deviation = this.node('Sqrt', `${name}.deviation`, [
          this.node('Add', `${name}.positive`, [variance, least]),
        ]);
        const joined = this.node('Concat', `${name}.joined`, [mean, deviation], { axis: 1 });
        return this.node('Flatten', name, [joined], { axis: 1 });
      }
      case 'conv': {
        const [height, width] = layer.kernel;
        const kernel = transposeKernel(this.weight(`${name}.kernel`), [height, width, channels, layer.filters]);
        const inputs = [x, this.constant(`${name}.kernel`, [layer.filters, channels, height, width], kernel)];
        if (layer.bias) inputs.push(this.constant(`${name}.bias`, [layer.filters], this.weight(`${name}.bias`)));
        return this.node('Conv', name, inputs, {
          kernel_shape: layer.kernel,
          strides: layer.strides,
          pads: samePads(input, layer.kernel, layer.strides),
        });
      }
      case 'batch-norm': {
        const parts = ['gamma', 'beta', 'mean', 'variance'].map((part) =>
          this.constant(`${name}.${part}`, [channels], this.weight(`${name}.${part}`)),
        );
        return this.node('BatchNormalization', name, [x, ...parts], { epsilon: { float: batchNorm.epsilon } });
      }
      case 'relu':
        return this.node('Relu', name, [x]);
      case 'max-pool':
        return this.node('MaxPool', name, [x], { kernel_shape: layer.size, strides: layer.size });
      case 'average-pool':
        return this.node('AveragePool', name, [x], { kernel_shape: layer.size, strides: layer.size });
      case 'global-average':
        return this.node('ReduceMean', name, [x], { axes: [2, 3], keepdims: 0 });
      case 'flatten':
        if (input.length === 3) this.#flattened = input;
        return this.node('Flatten', name, [x], { axis: 1 });
      case 'dropout':
        return x;
      case 'dense': {
        let kernel = this.weight(`${name}.kernel`);
        if (this.#flattened) kernel = reorderRows(kernel, this.#flattened, layer.units);
        this.#flattened = undefined;
        return this.node('Gemm', name, [
          x,
          this.constant(`${name}.kernel`, [channels, layer.units], kernel),
          this.constant(`${name}.bias`, [layer.units], this.weight(`${name}.bias`)),
        ]);
      }
      case 'residual':
        return this.node('Add', name, [this.chain(placed.body, x), this.chain(placed.shortcut, x)]);
    }
  }
}

function writeAttribute([name, value]: [string, Attribute], pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  if (typeof value === 'number') {
    pbf.writeVarintField(3, value);
    pbf.writeVarintField(20, 2);
  } else if (Array.isArray(value)) {
    for (const item of value) pbf.writeVarintField(8, item);
    pbf.writeVarintField(20, 7);
  } else {
    pbf.writeFloatField(2, value.float);
    pbf.writeVarintField(20, 1);
  }
}

function writeNode(node: OnnxNode, pbf: PbfWriter): void {
  for (const input of node.inputs) pbf.writeStringField(1, input);
  for (const output of node.outputs) pbf.writeStringField(2, output);
  pbf.writeStringField(3, node.name);
  pbf.writeStringField(4, node.op);
  for (const attribute of Object.entries(node.attributes)) pbf.writeMessage(5, writeAttribute, attribute);
}

function writeInitializer(tensor: OnnxInitializer, pbf: PbfWriter): void {
  for (const length of tensor.shape) pbf.writeVarintField(1, length);
  pbf.writeVarintField(2, elementCodes.get(tensor.values.constructor) as number);
  pbf.writeStringField(8, tensor.name);
  pbf.writeBytesField(9, bytesOf(tensor.values));
}

/** One nested message. */
function message(pbf: PbfWriter, tag: number, write: (inner: PbfWriter) => void): void {
  pbf.writeMessage(tag, (_: null, inner: PbfWriter) => write(inner), null);
}

/** An input or output of a graph, float32; a length that may vary has a name. */
interface ValueInfo {
  name: string;
  shape: (number | string)[];
}

/** A graph as an ONNX model holds it. */
export interface OnnxGraph {
  name: string;
  nodes: OnnxNode[];
  initializers: OnnxInitializer[];
  inputs: ValueInfo[];
  outputs: ValueInfo[];
  /** Version of the operators; 17 if not given. */
  opset?: number;
}

function writeValueInfo({ name, shape }: ValueInfo, pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  message(pbf, 2, (type) =>
    message(type, 1, (tensor) => {
      tensor.writeVarintField(1, floatElements);
      message(tensor, 2, (dimensions) => {
        for (const length of shape) {
          message(dimensions, 1, (dimension) => {
            if (typeof length === 'number') dimension.writeVarintField(1, length);
            else dimension.writeStringField(2, length);
          });
        }
      });
    }),
  );
}

/** A graph as the bytes of an ONNX model. */
export function writeOnnxGraph({
  name,
  nodes,
  initializers,
  inputs,
  outputs,
  opset = usualOpset,
}: OnnxGraph): Uint8Array {
  // Room for all of it at once: else the writer doubles its own, and copies it, again and again.
  const valueBytes = initializers.reduce((sum, { values }) => sum + values.byteLength, 0);
  const model = new PbfWriter(new Uint8Array(valueBytes + textBytes));
  model.writeVarintField(1, irVersion);
  model.writeStringField(2, 'earwitness');
  message(model, 7, (graph) => {
    for (const node of nodes) graph.writeMessage(1, writeNode, node);
    graph.writeStringField(2, name);
    for (const tensor of initializers) graph.writeMessage(5, writeInitializer, tensor);
    for (const value of inputs) graph.writeMessage(11, writeValueInfo, value);
    for (const value of outputs) graph.writeMessage(12, writeValueInfo, value);
  });
  message(model, 8, (set) => {
    set.writeStringField(1, '');
    set.writeVarintField(2, opset);
  });
  return model.finish();
}

/** How many layers of a network make the vector that its head, the last dense layer, judges by. */
export function layersToVector({ layers }: Pick<NetworkSpec, 'layers'>): number {
  return layers.findLastIndex(({ type }) => type === 'dense');
}

/**
 * The network as the bytes of an ONNX model; the same spec and weights give the same bytes.
 * Input `log_spectrogram_db` [N, 1, bins, frames], output `logit` [N, 1].
 * @param mapsAfter also what comes out of that many layers, as `feature_maps` [N, channels, height, width], or [N, values] of a vector
 */
export function writeOnnx(spec: NetworkSpec, weights: Weights, mapsAfter?: number): Uint8Array {
  const builder = new NetworkGraph(weights);
  const layers = placeLayers(spec);
  const { bins, frames } = spec.input;
  const outputs: ValueInfo[] = [{ name: onnxNames.output, shape: ['N', 1] }];
  let value = builder.chain(layers.slice(0, mapsAfter), onnxNames.input);
  if (mapsAfter !== undefined) {
    const shape = layers[mapsAfter].input;
    builder.node('Identity', onnxNames.maps, [value]);
    const [height, width, channels] = shape;
    outputs.push({
      name: onnxNames.maps,
      shape: shape.length === 3 ? ['N', channels, height, width] : ['N', ...shape],
    });
    value = builder.chain(layers.slice(mapsAfter), value);
  }
  builder.node('Identity', onnxNames.output, [value]);
  return writeOnnxGraph({
    name: spec.name,
    nodes: builder.nodes,
    initializers: builder.initializers,
    inputs: [{ name: onnxNames.input, shape: ['N', 1, bins, frames] }],
    outputs,
  });
}
