import ort from 'onnxruntime-node';
import { afterEach, describe, expect, it } from 'vitest';
import { createFrontEnd } from '../features/front-end.ts';
import { ForeignGraph, axesOf, scoreOf } from './foreign.ts';
import { detectorDeclarationSchema, foreignInputSchema, foreignOutputSchema } from './foreign-card.ts';
import { checkGraph } from './graph.ts';
import { babble, foreignDeclaration, foreignGraph, tinyMember } from './testing.ts';
import type { ForeignGraphOptions } from './testing.ts';

const close: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const one of close.splice(0)) await one();
});

/** What ONNX Runtime gives of a graph, called directly: both logits. */
async function direct(onnx: Uint8Array, values: Float32Array, shape: number[]): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(onnx);
  close.push(() => session.release());
  return (await session.run({ x: new ort.Tensor('float32', values, shape) })).y.data as Float32Array;
}

async function graphFor(options: ForeignGraphOptions, input: object = {}, output: object = {}): Promise<ForeignGraph> {
  const declared = {
    input: foreignInputSchema.parse({ ...foreignDeclaration.input, ...input }),
    output: foreignOutputSchema.parse({ ...foreignDeclaration.output, ...output }),
  };
  const onnx = foreignGraph(options);
  const axes = axesOf(checkGraph(onnx, 'f.onnx'), declared.input, declared.output, 'f.onnx');
  const graph = await ForeignGraph.create(onnx, { ...declared, axes }, 1);
  close.push(() => graph.dispose());
  return graph;
}

describe('what comes out of a foreign graph', () => {
  const score = (values: number[], kind: string, bonafide: number): number =>
    scoreOf(values, foreignOutputSchema.parse({ name: 'y', kind, bonafide }));

  it('becomes log odds of bona fide, whichever form it has', () => {
    expect(score([1.5], 'logit', 1)).toBe(1.5);
    expect(score([1.5], 'logit', 0)).toBe(-1.5);
    expect(score([0.25, 2], 'logits', 1)).toBeCloseTo(1.75, 12);
    expect(score([0.25, 2], 'logits', 0)).toBeCloseTo(-1.75, 12);
    expect(score([1, 2, 3], 'logits', 2)).toBeCloseTo(3 - Math.log(Math.exp(1) + Math.exp(2)), 12);
    expect(score([Math.log(0.2), Math.log(0.8)], 'log-softmax', 1)).toBeCloseTo(Math.log(4), 12);
    expect(score([0.2, 0.8], 'probability', 1)).toBeCloseTo(Math.log(4), 12);
    expect(score([0.2, 0.5, 0.3], 'probability', 1)).toBeCloseTo(0, 12);
    expect(score([0.8], 'probability', 1)).toBeCloseTo(Math.log(4), 12);
    expect(score([0.8], 'probability', 0)).toBeCloseTo(-Math.log(4), 12);
    // A probability of one is no infinity.
    expect(score([1], 'probability', 1)).toBeCloseTo(24 * Math.LN2, 5);
    expect(score([0, 1], 'probability', 0)).toBeCloseTo(-24 * Math.LN2, 5);
  });

  it('is refused where it is not what was declared', () => {
    expect(() => score([1, 2], 'logit', 1)).toThrow(/2 values a window, and a logit is one/);
    expect(() => score([1], 'logits', 0)).toThrow(/at least two values/);
    expect(() => score([1, 2], 'logits', 2)).toThrow(/bona fide is none of them/);
    expect(() => score([1], 'logit', 2)).toThrow(/bona fide is 1 or 0/);
    expect(() => score([1, 2], 'log-softmax', 1)).toThrow(/add up to/);
    expect(() => score([0.4, 0.4], 'probability', 1)).toThrow(/add up to 0.8000, and probabilities to 1/);
    expect(() => score([1.2], 'probability', 1)).toThrow(/1.2 is no probability/);
    expect(() => score([NaN, 0], 'logits', 1)).toThrow(/no number/);
    expect(() => score([], 'logits', 1)).toThrow(/empty/);
  });
});

describe('a foreign graph', () => {
  const window = babble(64_600 / 16_000, 5);

  it('scores as a direct call does, with 64,600 samples and two logits, as [N, samples], [N, 1, samples] and [samples]', async () => {
    const [spoof, bonafide] = await direct(foreignGraph(), window, [1, 64_600]);
    expect(Math.abs(bonafide - spoof)).toBeGreaterThan(1e-3);
    for (const shape of [['batch', 64_600], [1, 64_600], ['b', 1, 64_600], [64_600], ['b', 'samples']]) {
      const graph = await graphFor({ shape });
      expect(Math.abs((await graph.score(window, 64_600)) - (bonafide - spoof))).toBeLessThan(1e-5);
    }
    for (const [last, kind] of [
      ['Softmax', 'probability'],
      ['LogSoftmax', 'log-softmax'],
    ] as const) {
      const graph = await graphFor({ last }, {}, { kind });
      expect(Math.abs((await graph.score(window, 64_600)) - (bonafide - spoof))).toBeLessThan(1e-5);
    }
  });

  it('fills what is short by repeating it, with zeros, or not at all', async () => {
    const filled = 20_000;
    const repeated = window.map((_, index) => window[index % filled]);
    const zeros = window.map((value, index) => (index < filled ? value : 0));
    const free = { shape: ['batch', 'samples'] };
    for (const [padding, values] of [
      ['repeat', repeated],
      ['zero', zeros],
      ['none', window.slice(0, filled)],
    ] as const) {
      const [spoof, bonafide] = await direct(foreignGraph(free), values, [1, values.length]);
      const graph = await graphFor(free, { padding });
      expect(Math.abs((await graph.score(repeated, filled)) - (bonafide - spoof))).toBeLessThan(1e-5);
    }
    await expect(graphFor({}, { padding: 'none' })).rejects.toThrow(/takes 64600 and no less/);
  });

  it('gets samples of mean nought and deviation one where it was trained so', async () => {
    const loud = window.map((value) => 3 * value + 0.1);
    const mean = loud.reduce((sum, value) => sum + value, 0) / loud.length;
    const deviation = Math.sqrt(loud.reduce((sum, value) => sum + (value - mean) ** 2, 0) / loud.length);
    const normal = loud.map((value) => (value - mean) / deviation);
    const [spoof, bonafide] = await direct(foreignGraph(), normal, [1, 64_600]);
    const graph = await graphFor({}, { normalisation: 'mean-deviation' });
    expect(Math.abs((await graph.score(loud, 64_600)) - (bonafide - spoof))).toBeLessThan(1e-4);
  });

  it('gets a front end that its card declares, in either order of axes', async () => {
    const { frontEnd } = tinyMember;
    const samples = 16_000;
    const plane = createFrontEnd(frontEnd).compute(window.slice(0, samples));
    const frames = plane.length / 20;
    const turned = plane.map((_, index) => plane[(index % 20) * frames + Math.floor(index / 20)]);
    for (const [layout, values, shape] of [
      ['bins-frames', plane, ['b', 1, 20, 49]],
      ['frames-bins', turned, ['b', 49, 20]],
    ] as const) {
      const scaled = values.map((value) => 0.1 * value);
      const onnx = foreignGraph({ shape: [...shape] });
      const [spoof, bonafide] = await direct(
        onnx,
        scaled,
        shape.map((one) => (one === 'b' ? 1 : one)),
      );
      const graph = await graphFor({ shape: [...shape] }, { samples, frontEnd, layout, perDb: 0.1 });
      expect(Math.abs((await graph.score(window.slice(0, samples), samples)) - (bonafide - spoof))).toBeLessThan(1e-5);
    }
  });

  it('is refused where names or shapes are not those of the card', async () => {
    await expect(graphFor({}, { name: 'z' })).rejects.toThrow(/no input "z", but x/);
    await expect(graphFor({}, {}, { name: 'z' })).rejects.toThrow(/no output "z", but y/);
    await expect(graphFor({}, { samples: 64_000 })).rejects.toThrow(
      /its input is \[any, 64600\], and what the card declares is \[1, 64000\]/,
    );
    await expect(graphFor({ shape: [2, 64_600] })).rejects.toThrow(/its input is \[2, 64600\]/);
    await expect(graphFor({ shape: [1, 1, 1, 64_600] })).rejects.toThrow(/1 to 3 axes/);
  });
});

describe('the card of a foreign detector', () => {
  it('refuses keys that it does not know, since a misspelt one changes scores', () => {
    expect(() => detectorDeclarationSchema.parse({ ...foreignDeclaration, bonaFide: 1 })).toThrow(/bonaFide/);
    const input = { ...foreignDeclaration.input, paddng: 'zero' };
    expect(() => detectorDeclarationSchema.parse({ ...foreignDeclaration, input })).toThrow(/paddng/);
    expect(() => detectorDeclarationSchema.parse({ ...foreignDeclaration, hop: 64_601 })).toThrow(
      /at most the samples/,
    );
    expect(detectorDeclarationSchema.parse(foreignDeclaration).conditioning).toEqual({
      trim: false,
      bandHz: null,
      windowLevelDbfs: null,
      speech: 'none',
    });
  });
});
