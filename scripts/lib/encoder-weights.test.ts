import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import yazl from 'yazl';
import { formulaWeights, tinyShape } from '../../src-main/detector/encoders/testing.ts';
import {
  halvesToFloats,
  readCTranslate2,
  readEncoderWeights,
  readTensorTable,
  valuesSha256,
} from './encoder-weights.ts';

/** `torch.save` of PyTorch 2.11 wrote it: `formulaWeights(tinyShape)` in 16 bits under OpenAI's names, a decoder's array beside them. */
const pytorchFile = resolve(import.meta.dirname, 'encoder-weights.fixture.pt');

const folder = mkdtempSync(join(tmpdir(), 'earwitness-encoder-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function half(value: number): number {
  if (value === 0) return 0;
  const sign = value < 0 ? 0x8000 : 0;
  const size = Math.abs(value);
  const exponent = Math.max(Math.floor(Math.log2(size)), -14);
  const steps = Math.round(size / 2 ** (exponent - 10));
  // A fraction that is rounded up to the next power of two carries into the exponent by itself.
  return sign | (steps < 1024 ? steps : ((exponent + 15) << 10) + steps - 1024);
}

function halves(values: ArrayLike<number>): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  for (let index = 0; index < values.length; index++) bytes.writeUInt16LE(half(values[index]), 2 * index);
  return bytes;
}

/** CTranslate2's form, byte by byte. */
function cTranslate2(arrays: [name: string, shape: number[], values: ArrayLike<number>][]): Buffer {
  const uint32 = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer);
  const text = (value: string): Buffer =>
    Buffer.concat([Buffer.from(Uint16Array.of(value.length + 1).buffer), Buffer.from(`${value}\0`)]);
  return Buffer.concat([
    uint32(6),
    text('WhisperSpec'),
    uint32(3),
    uint32(arrays.length),
    ...arrays.flatMap(([name, shape, values]) => {
      const data = halves(values);
      return [text(name), Buffer.of(shape.length), ...shape.map(uint32), Buffer.of(4), uint32(data.length), data];
    }),
    uint32(0),
  ]);
}

/** @param weights 16-bit floats' values */
function tinyModel(weights: Map<string, Float32Array>): Buffer {
  const { width, blocks, mels } = tinyShape;
  const get = (name: string): Float32Array => weights.get(name) as Float32Array;
  const arrays: Parameters<typeof cTranslate2>[0] = [
    ['encoder/conv1/weight', [width, mels, 3], get('conv1.weight')],
    ['encoder/conv1/bias', [width], get('conv1.bias')],
    ['encoder/conv2/weight', [width, width, 3], get('conv2.weight')],
    ['encoder/conv2/bias', [width], get('conv2.bias')],
  ];
  for (let block = 0; block < blocks; block++) {
    const [from, to] = [`blocks.${block}`, `encoder/layer_${block}`];
    const attention = ['query', 'key', 'value'].map((part) => `${from}.attn.${part}`);
    const pair = (name: string, source: string, inputs: number, outputs: number): void => {
      arrays.push([`${name}/weight`, [outputs, inputs], get(`${source}.weight`)]);
      arrays.push([`${name}/bias`, [outputs], get(`${source}.bias`)]);
    };
    arrays.push(
      [`${to}/self_attention/layer_norm/gamma`, [width], get(`${from}.attn_ln.weight`)],
      [`${to}/self_attention/layer_norm/beta`, [width], get(`${from}.attn_ln.bias`)],
      [
        `${to}/self_attention/linear_0/weight`,
        [3 * width, width],
        attention.flatMap((name) => [...get(`${name}.weight`)]),
      ],
      [
        `${to}/self_attention/linear_0/bias`,
        [3 * width],
        attention.flatMap((name) => [...(weights.get(`${name}.bias`) ?? new Float32Array(width))]),
      ],
      [`${to}/ffn/layer_norm/gamma`, [width], get(`${from}.mlp_ln.weight`)],
      [`${to}/ffn/layer_norm/beta`, [width], get(`${from}.mlp_ln.bias`)],
    );
    pair(`${to}/self_attention/linear_1`, `${from}.attn.out`, width, width);
    pair(`${to}/ffn/linear_0`, `${from}.mlp.0`, width, 4 * width);
    pair(`${to}/ffn/linear_1`, `${from}.mlp.2`, 4 * width, width);
  }
  return cTranslate2(arrays);
}

function zip(path: string, members: Record<string, Buffer>): Promise<void> {
  return new Promise((done) => {
    const archive = new yazl.ZipFile();
    const parts: Buffer[] = [];
    archive.outputStream.on('data', (part: Buffer) => parts.push(part));
    archive.outputStream.on('end', () => {
      writeFileSync(path, Buffer.concat(parts));
      done();
    });
    for (const [name, bytes] of Object.entries(members)) archive.addBuffer(bytes, name);
    archive.end();
  });
}

describe("an encoder's weights", () => {
  const read = (path: string): Promise<Map<string, Float32Array>> =>
    readEncoderWeights(path, readFileSync(path), tinyShape);
  let fromPyTorch: Map<string, Float32Array>;
  beforeAll(async () => {
    fromPyTorch = await read(pytorchFile);
  });

  it('come out of a file that PyTorch wrote', () => {
    for (const [name, values] of formulaWeights(tinyShape)) {
      const found = fromPyTorch.get(name) as Float32Array;
      expect(found, name).toHaveLength(values.length);
      for (const [index, value] of values.entries()) expect(Math.abs(found[index] - value)).toBeLessThan(1e-3);
    }
  });

  it("have one hash in PyTorch's form, in CTranslate2's, and in a wheel", async () => {
    const [bare, wheel] = [join(folder, 'model.bin'), join(folder, 'models.whl')];
    writeFileSync(bare, tinyModel(fromPyTorch));
    await zip(wheel, {
      'models/model/config.json': Buffer.from('{}'),
      'models/model/model.bin': tinyModel(fromPyTorch),
    });
    const expected = valuesSha256(fromPyTorch, tinyShape);
    expect(valuesSha256(await read(bare), tinyShape)).toBe(expected);
    expect(valuesSha256(await read(wheel), tinyShape)).toBe(expected);
    const other = new Map(fromPyTorch);
    other.set(
      'conv1.bias',
      (other.get('conv1.bias') as Float32Array).map((value) => value + 2 ** -12),
    );
    expect(valuesSha256(other, tinyShape)).not.toBe(expected);
  });

  it('are refused where the file is cut short or lacks an array', async () => {
    const cut = join(folder, 'cut.bin');
    writeFileSync(cut, tinyModel(fromPyTorch).subarray(0, 3000));
    await expect(read(cut)).rejects.toThrow('ends too early');
    await expect(
      readEncoderWeights(pytorchFile, readFileSync(pytorchFile), { ...tinyShape, blocks: 3 }),
    ).rejects.toThrow('lacks blocks.2.attn_ln.weight');
    expect(() => readCTranslate2(Buffer.from('RIFF????WAVE'))).toThrow('not known');
  });

  it('are never taken from a description that would call something', () => {
    // Protocol 2; a function of Python's own library, an argument, and the call.
    const calling = Buffer.from('\x80\x02cbuiltins\nlen\nX\x01\x00\x00\x00a\x85R.', 'latin1');
    expect(() => readTensorTable(calling)).toThrow('more than tensors');
    expect(() => readTensorTable(Buffer.from('\x80\x02}', 'latin1'))).toThrow('ends too early');
  });

  it('are read from 16-bit floats exactly', () => {
    const bytes = halves([1, -2, 0.333251953125, 2 ** -24, 65504]);
    expect([...halvesToFloats(bytes)]).toEqual([1, -2, 0.333251953125, 2 ** -24, 65504]);
  });
});
