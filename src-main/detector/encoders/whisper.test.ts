import ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { Weights } from '../network.ts';
import { formulaWeights, tinyShape, tones } from './testing.ts';
import { whisperNames, whisperOnnx } from './whisper.ts';

/** What a float64 rewriting of github.com/openai/whisper's encoder in NumPy makes of `formulaWeights` (rounded to 16 bits) and `tones(4000)`. */
const expected = [
  -5.510786, 1.285382, 2.271045, -5.035574, 9.365269, -8.671165, 12.84156, -6.865347, 0.217823, 0.044084, -0.182094,
  -0.438541, -0.188546, -1.08044, -0.865282, -0.2747, 0.326675, 0.116538, -0.118205, -0.417768, -0.336864, -1.250254,
  -1.096557, -0.254294, -2.76642, 2.512332, -2.893755, 2.078399, -0.059895, 0.338965, 5.49633, -1.584737, -0.075786,
  -0.213029, -0.281857, -0.33191, -0.15134, -0.829922, -0.645534, -0.868775, 0.047939, -0.134727, -0.215835, -0.306727,
  -0.245441, -0.85295, -0.675628, -0.926165,
];

/** To the nearest 16-bit float of normal size. */
function halved(weights: Weights): Weights {
  const round = (value: number): number => {
    if (value === 0) return 0;
    const step = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value))), -14) - 10);
    return Math.round(value / step) * step;
  };
  return new Map([...weights].map(([name, values]) => [name, values.map(round)]));
}

async function embed(onnx: Uint8Array, samples: Float32Array, windows = 1): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(onnx);
  const input = new ort.Tensor('float32', samples, [windows, samples.length / windows]);
  const output = await session.run({ [whisperNames.input]: input });
  await session.release();
  return output[whisperNames.output].data as Float32Array;
}

const weights = halved(formulaWeights(tinyShape));

describe("Whisper's low blocks", () => {
  it('agree with a rewriting in NumPy', async () => {
    const found = await embed(whisperOnnx(weights, tinyShape, 4000, true), tones(4000));
    expect(found).toHaveLength(expected.length);
    for (const [index, value] of expected.entries()) expect(found[index]).toBeCloseTo(value, 3);
  });

  it('stay close with weights of 7 bits', async () => {
    const found = await embed(whisperOnnx(weights, tinyShape, 4000), tones(4000));
    const squares = expected.reduce((sum, value) => sum + value ** 2, 0);
    const error = expected.reduce((sum, value, index) => sum + (value - found[index]) ** 2, 0);
    expect(Math.sqrt(error / squares)).toBeLessThan(0.03);
    // Rounded they are: no error at all would mean that the floats were used.
    expect(Math.sqrt(error / squares)).toBeGreaterThan(1e-5);
  });

  it('round nothing that passes through: a window beside a louder one stays as it is', async () => {
    const onnx = whisperOnnx(weights, tinyShape, 4000);
    const [quiet, loud] = [tones(4000), tones(4000).map((sample, t) => 5 * sample * Math.sin(t))];
    const alone = await embed(onnx, quiet);
    const beside = await embed(onnx, Float32Array.from([...quiet, ...loud]), 2);
    for (const [index, value] of alone.entries()) expect(Math.abs(beside[index] - value)).toBeLessThan(1e-4);
  });

  it('are the same bytes for the same weights', () => {
    expect(whisperOnnx(weights, tinyShape, 4000)).toEqual(whisperOnnx(new Map(weights), tinyShape, 4000));
  });

  it('say which weight is missing', () => {
    const fewer = new Map(weights);
    fewer.delete('blocks.1.attn.out.weight');
    expect(() => whisperOnnx(fewer, tinyShape, 4000)).toThrow('blocks.1.attn.out.weight');
  });
});
