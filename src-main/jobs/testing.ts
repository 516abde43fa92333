import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OnnxGraphBuilder, writeOnnxGraph } from '../detector/onnx.ts';
import { babble, wav16 } from '../detector/testing.ts';
import type { JobQueue } from './queue.ts';
import type { Job } from '../../src-common/schemas/job.ts';

/**
 * A dataset of something like speech, both classes in turns; spoofs are noisier.
 * @returns its spec
 */
export function plantSpeech(folder: string, counts: Record<string, number>, seconds = 2.1): string {
  mkdirSync(join(folder, 'audio'), { recursive: true });
  const lines = ['path,label,split,source,generator'];
  let seed = 1;
  for (const [split, count] of Object.entries(counts)) {
    for (let i = 0; i < count; i++) {
      const bonafide = i % 2 === 0;
      const name = `audio/${split}-${i}.wav`;
      writeFileSync(join(folder, name), wav16(babble(seconds, seed++, { noise: bonafide ? 0.001 : 0.4 })));
      const label = bonafide ? 'bonafide' : 'spoof';
      lines.push(`${name},${label},${split},${label}-${i % 6},${bonafide ? '' : `vocoder-${i % 3}`}`);
    }
  }
  writeFileSync(join(folder, 'manifest.csv'), lines.join('\n'));
  return `manifest:${join(folder, 'manifest.csv')}`;
}

/** Resolves with a job when it is as wanted; looks every few milliseconds. */
export async function jobThat(queue: JobQueue, id: string, wanted: (job: Job) => boolean): Promise<Job> {
  for (;;) {
    const job = queue.get(id);
    if (wanted(job)) return job;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Two layers of four values, every 10 ms: a strided convolution, and a mixture of what it gives. */
export function encoderGraph(samples: number | string = 'samples', last = 'Identity'): Uint8Array {
  const builder = new OnnxGraphBuilder(new Map());
  const wave = (length: number, from: number): Float32Array =>
    Float32Array.from({ length }, (_, index) => Math.sin(0.9 * (index + from)));
  builder.node('Reshape', 'channel', ['input_values', builder.constant('size', [3], BigInt64Array.of(1n, 1n, -1n))]);
  builder.node('Conv', 'conv', ['channel', builder.constant('kernel', [4, 1, 160], wave(640, 0))], { strides: [160] });
  builder.node('Relu', 'relu', ['conv']);
  builder.node('Transpose', 'layer.0', ['relu'], { perm: [0, 2, 1] });
  builder.node('MatMul', 'mixed', ['layer.0', builder.constant('mixture', [4, 4], wave(16, 3))]);
  builder.node(last, 'layer.1', ['mixed']);
  return writeOnnxGraph({
    name: 'encoder',
    nodes: builder.nodes,
    initializers: builder.initializers,
    inputs: [{ name: 'input_values', shape: ['batch', samples] }],
    outputs: [0, 1].map((layer) => ({ name: `layer.${layer}`, shape: ['batch', 'positions', 4] })),
  });
}

/** The card of {@link encoderGraph}. */
export const encoderDeclaration = {
  name: 'brought',
  input: { name: 'input_values', normalisation: 'mean-deviation' },
  layers: ['layer.0', 'layer.1'],
  width: 4,
};
