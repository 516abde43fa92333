import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ort from 'onnxruntime-node';
import { PbfWriter } from 'pbf';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { checkGraph, newestOpset } from './graph.ts';
import { readGraphFile } from './graph-data.ts';
import { OnnxGraphBuilder, writeOnnxGraph } from './onnx.ts';
import { foreignGraph } from './testing.ts';

const graphOf = (op: string, outputs = ['y']): Uint8Array => {
  const builder = new OnnxGraphBuilder(new Map());
  builder.node(op, 'y', ['x'], {}, outputs);
  return writeOnnxGraph({
    name: 'one node',
    nodes: builder.nodes,
    initializers: [],
    inputs: [{ name: 'x', shape: ['n'] }],
    outputs: [{ name: 'y', shape: ['n'] }],
  });
};

describe('a foreign graph, before anything runs it', () => {
  it('is read: inputs, outputs, operators, versions, weights', () => {
    const outline = checkGraph(foreignGraph(), 'f.onnx');
    expect(outline.inputs).toEqual([{ name: 'x', elementType: 1, shape: [null, 64_600] }]);
    expect(outline.outputs).toEqual([{ name: 'y', elementType: 1, shape: [null, 2] }]);
    expect([...outline.operators].sort()).toEqual(['Conv', 'Gemm', 'Identity', 'ReduceMean', 'Relu', 'Reshape']);
    expect(outline.opsets).toEqual(new Map([['', 17]]));
    expect(outline).toMatchObject({ nodes: 6, weights: 77, notANumber: [], external: [] });
  });

  it('is refused for a set of operators that is too new or too old, as the runtime refuses the newer', async () => {
    expect(() => checkGraph(foreignGraph({ opset: newestOpset }), 'f.onnx')).not.toThrow();
    const newer = foreignGraph({ opset: newestOpset + 1 });
    expect(() => checkGraph(newer, 'f.onnx')).toThrow(/written for opset 27, and this version runs up to 26/);
    await expect(ort.InferenceSession.create(newer)).rejects.toThrow(/opset 27/i);
    expect(() => checkGraph(foreignGraph({ opset: 6 }), 'f.onnx')).toThrow(/opset 6, which is too old/);
  });

  it('is refused for operators that draw at random, do not end, or are nobody’s', () => {
    for (const op of [
      'RandomNormalLike',
      'RandomUniform',
      'Bernoulli',
      'Multinomial',
      'Loop',
      'Scan',
      'SequenceAt',
      'Nonesuch',
    ])
      expect(() => checkGraph(graphOf(op), 'f.onnx')).toThrow(`an operator that cannot be run here: ${op}`);
  });

  it('is refused for weights that are no numbers, in either form', () => {
    const graph = foreignGraph({ weight: (index) => (index === 70 ? NaN : 0.1) });
    expect(() => checkGraph(graph, 'f.onnx')).toThrow(/no numbers \(NaN\), in gemm.kernel/);
    // Masks hold infinities.
    const infinite = new Uint8Array(Float32Array.of(-Infinity, 2).buffer);
    expect(() =>
      checkGraph(
        withTensor((pbf) => pbf.writeBytesField(9, infinite)),
        'f.onnx',
      ),
    ).not.toThrow();

    expect(() =>
      checkGraph(
        withTensor((pbf) => pbf.writePackedFloat(4, [1, NaN])),
        'f.onnx',
      ),
    ).toThrow(/NaN/);
    expect(() =>
      checkGraph(
        withTensor((pbf) => pbf.writePackedFloat(4, [1, 2])),
        'f.onnx',
      ),
    ).not.toThrow();
  });

  it('is refused wherever it is cut off or bent, and never hangs', () => {
    const whole = foreignGraph();
    expect(() => checkGraph(new Uint8Array(0), 'f.onnx')).toThrow(/it holds no graph/);
    expect(() => checkGraph(new TextEncoder().encode('{"a": 1}'), 'f.onnx')).toThrow(/no ONNX model/);
    for (let length = 1; length < whole.length; length += 3) {
      try {
        // Where a cut happens to leave whole parts, there must be an input and an output yet.
        const { inputs, outputs } = checkGraph(whole.subarray(0, length), 'f.onnx');
        expect(inputs.length * outputs.length).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toMatchObject({ code: 'graph' });
      }
    }
    const random = new Random(3);
    for (let round = 0; round < 2000; round++) {
      const bent = whole.slice();
      for (let i = 0; i < 3; i++) bent[Math.floor(random.uniform() * bent.length)] = Math.floor(random.uniform() * 256);
      try {
        checkGraph(bent, 'f.onnx');
      } catch (error) {
        expect(error).toMatchObject({ code: 'graph' });
      }
    }
  });
});

/** A model of one node, y = x + w, whose w is as given. */
function withTensor(write: (pbf: PbfWriter) => void, where: 'graph' | 'constant' = 'graph'): Uint8Array {
  const tensor = (_: null, pbf: PbfWriter): void => {
    pbf.writeVarintField(1, 2);
    pbf.writeVarintField(2, 1);
    pbf.writeStringField(8, 'w');
    write(pbf);
  };
  const value = (name: string, pbf: PbfWriter): void => {
    pbf.writeStringField(1, name);
    const dimension = (_: null, inner: PbfWriter): void => inner.writeVarintField(1, 2);
    const shape = (_: null, inner: PbfWriter): void => inner.writeMessage(1, dimension, null);
    const tensorType = (_: null, inner: PbfWriter): void => {
      inner.writeVarintField(1, 1);
      inner.writeMessage(2, shape, null);
    };
    pbf.writeMessage(2, (_: null, inner: PbfWriter) => inner.writeMessage(1, tensorType, null), null);
  };
  const node = (_: null, pbf: PbfWriter): void => {
    for (const input of ['x', 'w']) pbf.writeStringField(1, input);
    pbf.writeStringField(2, 'y');
    pbf.writeStringField(4, 'Add');
  };
  const constant = (_: null, pbf: PbfWriter): void => {
    pbf.writeStringField(2, 'w');
    pbf.writeStringField(4, 'Constant');
    const attribute = (__: null, inner: PbfWriter): void => {
      inner.writeStringField(1, 'value');
      inner.writeMessage(5, tensor, null);
      inner.writeVarintField(20, 4);
    };
    pbf.writeMessage(5, attribute, null);
  };
  const graph = (_: null, pbf: PbfWriter): void => {
    if (where === 'constant') pbf.writeMessage(1, constant, null);
    pbf.writeMessage(1, node, null);
    pbf.writeStringField(2, 'g');
    if (where === 'graph') pbf.writeMessage(5, tensor, null);
    pbf.writeMessage(11, value, 'x');
    pbf.writeMessage(12, value, 'y');
  };
  const model = new PbfWriter();
  model.writeVarintField(1, 8);
  model.writeMessage(7, graph, null);
  model.writeMessage(8, (_: null, pbf: PbfWriter) => pbf.writeVarintField(2, 17), null);
  return model.finish();
}

const lyingIn =
  (location: string, more: { offset?: number; length?: number } = {}) =>
  (pbf: PbfWriter): void => {
    for (const [key, said] of Object.entries({ location, ...more })) {
      const entry = (_: null, inner: PbfWriter): void => {
        inner.writeStringField(1, key);
        inner.writeStringField(2, String(said));
      };
      pbf.writeMessage(13, entry, null);
    }
    pbf.writeVarintField(14, 1);
  };

describe('weights in files beside a graph', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'earwitness-graph-'));
    path = join(folder, 'g.onnx');
    writeFileSync(join(folder, 'w.bin'), new Uint8Array(Float32Array.of(7, 10, 20, 8).buffer));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const read = (graph: Uint8Array) => {
    writeFileSync(path, graph);
    return readGraphFile(path);
  };

  it('are put into it, and it gives what it gave', async () => {
    const { onnx, outline } = await read(withTensor(lyingIn('w.bin', { offset: 4, length: 8 })));
    expect(outline.external).toEqual([]);
    const session = await ort.InferenceSession.create(onnx);
    const { y } = await session.run({ x: new ort.Tensor('float32', Float32Array.of(1, 2), [2]) });
    expect(y.data).toEqual(Float32Array.of(11, 22));
    const fromFile = await ort.InferenceSession.create(path);
    expect((await fromFile.run({ x: new ort.Tensor('float32', Float32Array.of(1, 2), [2]) })).y.data).toEqual(y.data);
  });

  it('lie nowhere but beside it, as ordinary files of the right length', async () => {
    for (const location of ['../w.bin', join(folder, 'w.bin'), 'a/w.bin', 'a\\w.bin', '..', '', 'C:w.bin'])
      await expect(read(withTensor(lyingIn(location)))).rejects.toThrow(/no plain name of a file beside it/);
    await expect(read(withTensor(lyingIn('absent.bin')))).rejects.toThrow(
      /absent.bin is not taken in: it cannot be found/,
    );
    symlinkSync('/etc/hostname', join(folder, 'link.bin'));
    await expect(read(withTensor(lyingIn('link.bin')))).rejects.toThrow(/no ordinary file/);
    for (const more of [
      { offset: 12, length: 8 },
      { offset: -4, length: 8 },
      { length: 16 },
      { offset: 4, length: 4 },
      { offset: 1e300 },
    ])
      await expect(read(withTensor(lyingIn('w.bin', more)))).rejects.toThrow(/the files do not belong together/);
    await expect(read(withTensor(lyingIn('w.bin'), 'constant'))).rejects.toThrow(
      /of a node or a branch lies in another/,
    );
  });

  it('are looked at, too', async () => {
    writeFileSync(join(folder, 'w.bin'), new Uint8Array(Float32Array.of(1, NaN).buffer));
    await expect(read(withTensor(lyingIn('w.bin')))).rejects.toThrow(/no numbers \(NaN\), in w/);
  });
});
