/** Small models and made-up sound for tests. */
import { createHash } from 'node:crypto';
import { wav16 as writeWav16 } from '../audio/wav-writer.ts';
import { Random } from '../base/random.ts';
import { calibrationSchema } from '../evaluation/calibration.ts';
import type { Card } from './card.ts';
import { defaultAugmentation } from './augmentation.ts';
import type { NetworkMember } from './member.ts';
import { startingWeights } from './network.ts';
import type { NetworkSpec } from './network.ts';
import { OnnxGraphBuilder, writeOnnxGraph } from './onnx.ts';
import { networkFiles, writeModel } from './store.ts';
import type { StoredModel } from './store.ts';

/** A network of a few hundred weights for one second of sound. */
export const tinyNetwork: NetworkSpec = {
  name: 'tiny',
  input: { bins: 20, frames: 49 },
  layers: [
    { type: 'normalise', mean: 'per-bin', scale: 0.1 },
    { type: 'conv', filters: 4, kernel: [3, 3], strides: [2, 2], bias: true },
    { type: 'relu' },
    { type: 'global-average' },
    { type: 'dense', units: 1 },
  ],
};

/** It, alone in a model. */
export const tinyMember: NetworkMember = {
  kind: 'network',
  name: 'network',
  weight: 1,
  frontEnd: {
    type: 'mel',
    sampleRateHz: 16_000,
    nFft: 512,
    winLength: 400,
    hopLength: 320,
    window: 'hann',
    center: false,
    nMels: 20,
    fMin: 70,
    fMax: 7200,
    melScale: 'slaney',
    norm: 'slaney',
    floorPower: 1e-7,
  },
  network: tinyNetwork,
  onnx: 'model.onnx',
  weights: 'weights.safetensors',
  training: {
    epochs: 0,
    bestEpoch: 0,
    clipsPerEpoch: 0,
    batchSize: 2,
    learningRate: 0.001,
    weightDecay: 0,
    averagedSteps: 0,
    sampling: 'clips',
    schedule: 'cosine',
    labelSmoothing: 0,
    keep: 'best',
    augmentation: defaultAugmentation,
    from: null,
    history: [],
  },
};

export const tinyCard: Omit<Card, 'files'> = {
  format: 2,
  name: 'tiny',
  status: 'screening',
  createdAt: '2026-01-01T00:00:00.000Z',
  application: 'a test',
  conditioning: { sampleRateHz: 16_000, bandHz: [70, 7400], activeRangeDb: 40, windowLevelDbfs: -25, speech: 'none' },
  window: { seconds: 1, hopSeconds: 0.5 },
  members: [tinyMember],
  training: {
    dataset: 'none',
    counts: {},
    sources: [],
    manifestSha256: createHash('sha256').digest('hex'),
    fileSha256: [],
    seed: 1,
    backend: 'none',
    folds: null,
  },
  calibration: calibrationSchema.parse({ a: 2, b: 0.5, prior: 0.5, dataset: 'none', split: 'dev' }),
  thresholds: {
    score: 0,
    inconclusiveLlr: Math.LN2,
    minimumActiveSeconds: 0.5,
    maximumClippedFraction: 0.01,
    minimumSpeechSeconds: 1,
    minimumSnrDb: 0,
    // Babble is harmonics of a low tone.
    minimumBandwidthHz: 1000,
  },
  figures: [],
  records: [],
  notes: [],
};

/** Writes a model that was never trained, its weights drawn from a seed. */
export async function writeTinyModel(folder: string, seed = 2): Promise<StoredModel> {
  const weights = startingWeights(tinyNetwork, 1);
  const random = new Random(seed);
  for (const values of weights.values()) for (let i = 0; i < values.length; i++) values[i] += 0.5 * random.normal();
  return writeModel(folder, tinyCard, networkFiles(tinyMember, tinyNetwork, weights));
}

/** Something like speech: a gliding, pulsing harmonic tone in noise, as mono samples at 16 kHz. */
export function babble(seconds: number, seed: number, options: { noise?: number } = {}): Float32Array {
  const random = new Random(seed);
  const pitchHz = random.between(90, 220);
  const pulseHz = random.between(3, 6);
  const samples = new Float32Array(Math.round(16_000 * seconds));
  let phase = 0;
  for (let index = 0; index < samples.length; index++) {
    const time = index / 16_000;
    phase += (2 * Math.PI * pitchHz * (1 + 0.1 * Math.sin(2 * Math.PI * 0.7 * time))) / 16_000;
    // Of a tone's harmonics each follows from the two before it.
    const twice = 2 * Math.cos(phase);
    let voice = 0;
    let before = 0;
    let tone = Math.sin(phase);
    for (let harmonic = 1; harmonic <= 20; harmonic++) {
      voice += tone / harmonic;
      const next = twice * tone - before;
      before = tone;
      tone = next;
    }
    const loudness = 0.55 + 0.45 * Math.sin(2 * Math.PI * pulseHz * time);
    samples[index] = 0.1 * loudness * voice + (options.noise ?? 0.01) * (random.uniform() - 0.5);
  }
  return samples;
}

/** Mono samples at 16 kHz as the bytes of a 16-bit WAV file. */
export function wav16(samples: Float32Array): Buffer {
  return Buffer.from(writeWav16(samples));
}

/** What a foreign graph for tests is like. */
export interface ForeignGraphOptions {
  /** Lengths of its input; the last is that of the sound. */
  shape?: (number | string)[];
  opset?: number;
  /** What comes last, after two values a window: as it is, or a softmax. */
  last?: 'Identity' | 'Softmax' | 'LogSoftmax' | 'Log' | 'RandomNormalLike';
  /** Values of its weights, by their places. */
  weight?: (index: number) => number;
}

/** A graph with the input and output of AASIST: 64,600 samples in, two logits out; a strided convolution in between. */
export function foreignGraph(options: ForeignGraphOptions = {}): Uint8Array {
  const { shape = ['batch', 64_600], last = 'Identity', weight = (index) => Math.sin(0.7 * index + 1) } = options;
  const builder = new OnnxGraphBuilder(new Map());
  const values = (length: number, from: number): Float32Array =>
    Float32Array.from({ length }, (_, index) => weight(from + index));
  const size = BigInt64Array.of(1n, 1n, -1n);
  builder.node('Reshape', 'channel', ['x', builder.constant('size', [3], size)]);
  builder.node('Conv', 'conv', ['channel', builder.constant('kernel', [4, 1, 16], values(64, 0))], { strides: [8] });
  builder.node('Relu', 'relu', ['conv']);
  builder.node('ReduceMean', 'mean', ['relu'], { axes: [2], keepdims: 0 });
  builder.node('Gemm', 'gemm', [
    'mean',
    builder.constant('gemm.kernel', [4, 2], values(8, 64)),
    builder.constant('gemm.bias', [2], values(2, 72)),
  ]);
  builder.node(last, 'y', ['gemm'], last.endsWith('oftmax') ? { axis: 1 } : {});
  const { nodes, initializers } = builder;
  return writeOnnxGraph({
    name: 'foreign',
    nodes,
    initializers,
    inputs: [{ name: 'x', shape }],
    outputs: [{ name: 'y', shape: ['batch', 2] }],
    ...(options.opset === undefined ? {} : { opset: options.opset }),
  });
}

/** The card of such a graph as a laboratory writes it. */
export const foreignDeclaration = {
  name: 'like AASIST',
  sampleRateHz: 16_000,
  input: { name: 'x', samples: 64_600, padding: 'repeat' },
  hop: 32_300,
  output: { name: 'y', kind: 'logits', bonafide: 1 },
};
