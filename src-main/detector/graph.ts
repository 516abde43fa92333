/** What a foreign ONNX file holds, read as a table and never run, and whether it may be run. */
import { PbfReader } from 'pbf';
import { UserFacingError } from '../base/errors.ts';

/** Where values that lie in a file beside the graph begin and end. */
export interface ExternalTensor {
  name: string;
  location: string;
  offset: number;
  /** Null: to the file's end. */
  length: number | null;
  /** As its shape and type say; null for types of less than a byte. */
  bytes: number | null;
}

/** An input or output: its element type as onnx.proto numbers it, and its shape; null where a length may vary, or all is left open. */
interface GraphValue {
  name: string;
  elementType: number;
  shape: (number | null)[] | null;
}

/** An ONNX model without its values. */
export interface GraphOutline {
  /** Version of each set of operators by its domain, `''` for ONNX's own. */
  opsets: Map<string, number>;
  /** Operators used, as `domain:name` or `name`, also those of functions and of branches. */
  operators: Set<string>;
  nodes: number;
  inputs: GraphValue[];
  outputs: GraphValue[];
  external: ExternalTensor[];
  /** Names of weights that hold values that are no numbers. */
  notANumber: string[];
  /** Values of all weights together. */
  weights: number;
}

/** The newest set of operators that ONNX Runtime 1.30 runs, and the oldest whose operators mean what they do today. */
export const newestOpset = 26;
const oldestOpset = 9;
const mostNodes = 200_000;
const deepestBranch = 8;
const floatType = 1;
/** Bytes of an element by its type's number in onnx.proto. */
const elementBytes: Record<number, number> = {
  1: 4,
  2: 1,
  3: 1,
  4: 2,
  5: 2,
  6: 4,
  7: 8,
  9: 1,
  10: 2,
  11: 8,
  12: 4,
  13: 8,
  16: 2,
};

/**
 * Operators that compute on tensors, end, and give the same for the same. Not among them: loops, whose end nobody can foresee, what draws at
 * random, texts, sequences, optional values, and whatever reads or writes.
 */
const known = new Set(
  `Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization BitShift BitwiseAnd BitwiseNot
  BitwiseOr BitwiseXor BlackmanWindow Cast CastLike Ceil Celu CenterCropPad Clip Compress Concat Constant ConstantOfShape Conv
  ConvInteger ConvTranspose Cos Cosh CumSum DFT DepthToSpace DequantizeLinear Det Div Dropout DynamicQuantizeLinear Einsum Elu
  Equal Erf Exp Expand EyeLike Flatten Floor GRU Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool
  GlobalMaxPool Greater GreaterOrEqual GroupNormalization HammingWindow HannWindow HardSigmoid HardSwish Hardmax Identity If
  InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax LpNormalization LpPool
  MatMul MatMulInteger Max MaxPool Mean MeanVarianceNormalization MelWeightMatrix Min Mish Mod Mul Neg NonZero Not OneHot Or
  PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RMSNormalization RNN Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum
  ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize ReverseSequence
  RotaryEmbedding Round STFT ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax Softplus
  Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tan Tanh TensorScatter ThresholdedRelu Tile TopK Transpose Trilu
  Unsqueeze Upsample Where Xor Attention`
    .split(/\s+/)
    .concat(
      // ONNX Runtime's own: joined operators of transformers, and those of 8-bit weights.
      `Attention BiasGelu BiasSoftmax DequantizeLinear DynamicQuantizeLSTM DynamicQuantizeMatMul FastGelu FusedConv FusedGemm
      FusedMatMul GatedRelativePositionBias Gelu LayerNormalization MatMulInteger16 MatMulIntegerToFloat MatMulNBits
      MultiHeadAttention QAttention QGemm QLinearAdd QLinearAveragePool QLinearConcat QLinearConv QLinearGlobalAveragePool
      QLinearLeakyRelu QLinearMul QLinearSigmoid QLinearSoftmax QuantizeLinear QuickGelu RelativePositionBias
      SimplifiedLayerNormalization SkipLayerNormalization SkipSimplifiedLayerNormalization`
        .split(/\s+/)
        .map((name) => `com.microsoft:${name}`),
    ),
);

/** What is gathered while a file is read. */
interface Reading extends GraphOutline {
  /** Functions that the file itself defines, as `domain:name`. */
  functions: Set<string>;
}

const ownDomain = (domain: string): string => (domain === 'ai.onnx' ? '' : domain);
const operatorName = (domain: string, name: string): string => (ownDomain(domain) === '' ? name : `${domain}:${name}`);

/** Reads fields of a message by what is given for each; others are passed over. */
function fields(pbf: PbfReader, handlers: Record<number, (pbf: PbfReader) => void>, whole = false): void {
  const read = (tag: number, _: null, inner: PbfReader): void => handlers[tag]?.(inner);
  if (whole) pbf.readFields(read, null);
  else pbf.readMessage(read, null);
  if (pbf.pos > pbf.length) throw new RangeError('a part reaches beyond the end');
}

/** A length that lies within the file: the library reads on beyond its end. */
function mustFit(pbf: PbfReader): void {
  const at = pbf.pos;
  const length = pbf.readVarint();
  if (pbf.pos + length > pbf.length) throw new RangeError('a part reaches beyond the end');
  pbf.pos = at;
}

/** Repeated integers, packed or one by one. */
function integers(pbf: PbfReader, into: number[]): void {
  if (pbf.type === 2) {
    mustFit(pbf);
    pbf.readPackedVarint(into, true);
  } else into.push(pbf.readVarint(true));
}

/** @returns the tensor's name */
function readTensor(pbf: PbfReader, reading: Reading, ofGraph: boolean): string {
  const shape: number[] = [];
  const entries = new Map<string, string>();
  let [name, type, external, wrong] = ['', 0, false, false];
  fields(pbf, {
    1: (inner) => integers(inner, shape),
    2: (inner) => (type = inner.readVarint()),
    4: (inner) => {
      if (inner.type === 2) mustFit(inner);
      wrong ||= inner.readPackedFloat().some(Number.isNaN);
    },
    8: (inner) => (name = inner.readString()),
    9: (inner) => {
      mustFit(inner);
      const raw = inner.readBytes();
      // Only then is the type sure to be known: writers put it first.
      if (type === floatType) wrong ||= holdsNaN(raw);
    },
    13: (inner) => {
      let [key, value] = ['', ''];
      fields(inner, {
        1: (entry) => (key = entry.readString()),
        2: (entry) => (value = entry.readString()),
      });
      entries.set(key, value);
    },
    14: (inner) => (external = inner.readVarint() === 1),
  });
  const count = shape.reduce((product, length) => product * length, 1);
  if (shape.some((length) => length < 0) || !Number.isSafeInteger(count)) throw new RangeError(`the shape of ${name}`);
  reading.weights += count;
  if (wrong) reading.notANumber.push(name);
  if (!external) return name;
  if (!ofGraph) throw new RangeError(`${name || 'a constant'} of a node or a branch lies in another file`);
  const numberOf = (key: string): number | null => (entries.has(key) ? Number(entries.get(key)) : null);
  const size = elementBytes[type];
  reading.external.push({
    name,
    location: entries.get('location') ?? '',
    offset: numberOf('offset') ?? 0,
    length: numberOf('length'),
    bytes: size === undefined ? null : count * size,
  });
  return name;
}

/** Whether little-endian 32-bit floats, wherever they begin, hold what is no number: all of its exponent set, and some of its fraction. */
function holdsNaN(raw: Uint8Array): boolean {
  for (let at = 3; at < raw.length; at += 4) {
    if ((raw[at] & 0x7f) !== 0x7f || raw[at - 1] < 0x80) continue;
    if ((raw[at - 1] & 0x7f) !== 0 || raw[at - 2] !== 0 || raw[at - 3] !== 0) return true;
  }
  return false;
}

function readNode(pbf: PbfReader, reading: Reading, depth: number): void {
  let [name, domain] = ['', ''];
  fields(pbf, {
    4: (inner) => (name = inner.readString()),
    7: (inner) => (domain = inner.readString()),
    5: (attribute) =>
      fields(attribute, {
        5: (inner) => void readTensor(inner, reading, false),
        10: (inner) => void readTensor(inner, reading, false),
        6: (inner) => readGraph(inner, reading, depth + 1),
        11: (inner) => readGraph(inner, reading, depth + 1),
      }),
  });
  reading.nodes++;
  reading.operators.add(operatorName(domain, name));
}

function readValue(pbf: PbfReader): GraphValue {
  const value: GraphValue = { name: '', elementType: 0, shape: null };
  const dimension = (inner: PbfReader): void => {
    let length: number | null = null;
    fields(inner, { 1: (one) => (length = one.readVarint(true)) });
    value.shape?.push(length);
  };
  fields(pbf, {
    1: (inner) => (value.name = inner.readString()),
    2: (type) =>
      fields(type, {
        1: (tensor) =>
          fields(tensor, {
            1: (inner) => (value.elementType = inner.readVarint()),
            2: (shape) => {
              value.shape = [];
              fields(shape, { 1: dimension });
            },
          }),
      }),
  });
  return value;
}

function readGraph(pbf: PbfReader, reading: Reading, depth: number): void {
  if (depth > deepestBranch) throw new RangeError('branches lie too deep');
  const initialised = new Set<string>();
  const inputs: GraphValue[] = [];
  fields(pbf, {
    1: (inner) => readNode(inner, reading, depth),
    5: (inner) => void initialised.add(readTensor(inner, reading, depth === 0)),
    11: (inner) => void inputs.push(readValue(inner)),
    12: (inner) => {
      const output = readValue(inner);
      if (depth === 0) reading.outputs.push(output);
    },
    15: () => {
      throw new RangeError('it holds sparse weights');
    },
  });
  // Files of the first versions name weights among the inputs, too.
  if (depth === 0) reading.inputs.push(...inputs.filter(({ name }) => !initialised.has(name)));
}

function readFunction(pbf: PbfReader, reading: Reading): void {
  let [name, domain] = ['', ''];
  fields(pbf, {
    1: (inner) => (name = inner.readString()),
    7: (inner) => readNode(inner, reading, 0),
    10: (inner) => (domain = inner.readString()),
  });
  reading.functions.add(`${domain}:${name}`);
}

/** Reads what an ONNX file holds. @throws UserFacingError `graph` where it is none, or a damaged one. */
function outlineOf(bytes: Uint8Array, path: string): GraphOutline & { functions: Set<string> } {
  const reading: Reading = {
    opsets: new Map(),
    operators: new Set(),
    nodes: 0,
    inputs: [],
    outputs: [],
    external: [],
    notANumber: [],
    weights: 0,
    functions: new Set(),
  };
  let graphs = 0;
  try {
    fields(
      new PbfReader(bytes),
      {
        7: (inner) => {
          graphs++;
          readGraph(inner, reading, 0);
        },
        8: (inner) => {
          let [domain, version] = ['', 0];
          fields(inner, {
            1: (set) => (domain = set.readString()),
            2: (set) => (version = set.readVarint(true)),
          });
          reading.opsets.set(ownDomain(domain), version);
        },
        25: (inner) => readFunction(inner, reading),
      },
      true,
    );
    if (graphs !== 1) throw new RangeError(graphs === 0 ? 'it holds no graph' : 'it holds several graphs');
  } catch (error) {
    const why = error instanceof RangeError ? ` (${error.message})` : '';
    throw refusal(
      path,
      `it is no ONNX model that can be read${why}`,
      'Export it again, as one file if it is small.',
      error,
    );
  }
  return reading;
}

/** Why a graph is not taken in. */
export function refusal(path: string, why: string, advice?: string, cause?: unknown): UserFacingError {
  return new UserFacingError('graph', `${path} is not taken in: ${why}.`, {
    path,
    ...(advice === undefined ? {} : { advice }),
    cause,
  });
}

/**
 * Looks at a graph's operators, versions and weights before anything runs it.
 * @throws UserFacingError `graph` naming the first thing for which it is not run.
 */
export function checkGraph(bytes: Uint8Array, path: string): GraphOutline {
  const outline = outlineOf(bytes, path);
  const { opsets, operators, functions, nodes, notANumber, outputs, inputs } = outline;
  const opset = opsets.get('') ?? 0;
  if (opset > newestOpset) {
    throw refusal(
      path,
      `it is written for opset ${opset}, and this version runs up to ${newestOpset}`,
      `Export it with opset_version=17.`,
    );
  }
  if (opset < oldestOpset) {
    throw refusal(path, `it is written for opset ${opset}, which is too old`, 'Export it with opset_version=17.');
  }
  if (nodes > mostNodes) throw refusal(path, `it holds ${nodes} operations, more than ${mostNodes}`);
  const strange = [...operators].filter((name) => !known.has(name) && !functions.has(name)).sort();
  if (strange.length > 0) {
    const some = `${strange.slice(0, 5).join(', ')}${strange.length > 5 ? ' and others' : ''}`;
    throw refusal(
      path,
      `it holds ${strange.length === 1 ? 'an operator' : 'operators'} that cannot be run here: ${some}`,
      'Export it without loops, random numbers and custom operators.',
    );
  }
  if (notANumber.length > 0) {
    throw refusal(path, `its weights hold values that are no numbers (NaN), in ${notANumber.slice(0, 3).join(', ')}`);
  }
  if (inputs.length === 0 || outputs.length === 0) throw refusal(path, 'it has no input or no output');
  return outline;
}
