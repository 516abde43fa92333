/** Weights that an ONNX model keeps in files beside it, put into the model itself. */
import { lstat, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PbfReader } from 'pbf';
import { checkGraph, refusal } from './graph.ts';
import type { ExternalTensor, GraphOutline } from './graph.ts';

/** Protobuf's own limit for one message. */
const mostBytes = 2 ** 31 - 1;

/** Numbers of fields in onnx.proto. */
const field = { graph: 7, initializer: 5, tensorName: 8, rawData: 9, externalData: 13, dataLocation: 14 };

/**
 * Reads an ONNX file with what lies in files beside it, looks at it, and gives one model that holds all.
 * @throws UserFacingError `graph` where it may not be run or a file is missing, `unreadable`
 */
export async function readGraphFile(path: string): Promise<{ onnx: Uint8Array; outline: GraphOutline }> {
  const bytes = await readBytes(path);
  const outline = checkGraph(bytes, path);
  if (outline.external.length === 0) return { onnx: bytes, outline };
  const files = await readExternal(outline.external, path);
  const onnx = withData(bytes, path, (name) => {
    const tensor = outline.external.find((one) => one.name === name);
    return tensor && sliceOf(tensor, files.get(tensor.location) as Uint8Array, path);
  });
  return { onnx, outline: checkGraph(onnx, path) };
}

async function readBytes(path: string): Promise<Uint8Array> {
  const found = await lstat(path).catch((error: unknown) => {
    throw refusal(path, 'it cannot be found or read', undefined, error);
  });
  if (!found.isFile()) throw refusal(path, 'it is no ordinary file', 'Name the file itself, not a link to it.');
  if (found.size > mostBytes) throw refusal(path, 'it is larger than an ONNX file can be, 2 GiB');
  return readFile(path).catch((error: unknown) => {
    throw refusal(path, 'it cannot be read', undefined, error);
  });
}

/** The files that a graph's weights lie in, by their names. A name that leads out of the graph's folder is refused. */
async function readExternal(tensors: readonly ExternalTensor[], path: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  let total = 0;
  for (const { location, name } of tensors) {
    if (files.has(location)) continue;
    if (!/^[^/\\:\0]+$/.test(location) || location === '.' || location === '..') {
      const shown = location.slice(0, 100);
      throw refusal(path, `its weights ${name} would lie in "${shown}", which is no plain name of a file beside it`);
    }
    const bytes = await readBytes(join(dirname(path), location));
    total += bytes.length;
    if (total > mostBytes) {
      throw refusal(path, 'its weights are larger than 2 GiB together', 'Export it with 16-bit or 8-bit weights.');
    }
    files.set(location, bytes);
  }
  return files;
}

function sliceOf(
  { name, location, offset, length, bytes }: ExternalTensor,
  file: Uint8Array,
  path: string,
): Uint8Array {
  const end = length === null ? (bytes === null ? file.length : offset + bytes) : offset + length;
  const fits = Number.isSafeInteger(offset) && Number.isSafeInteger(end) && offset >= 0 && end <= file.length;
  if (!fits || end < offset || (bytes !== null && end - offset !== bytes)) {
    throw refusal(path, `its weights ${name} do not lie in ${location} as it says: the files do not belong together`);
  }
  return file.subarray(offset, end);
}

interface Field {
  tag: number;
  /** All of it, tag and length included. */
  whole: Uint8Array;
  /** What it holds, where that has a length. */
  content: Uint8Array;
}

function* fieldsOf(message: Uint8Array): Generator<Field> {
  const pbf = new PbfReader(message);
  while (pbf.pos < message.length) {
    const start = pbf.pos;
    const tag = pbf.nextField();
    const valueAt = pbf.pos;
    let contentAt = valueAt;
    if (pbf.type === 2) {
      pbf.readVarint();
      contentAt = pbf.pos;
      pbf.pos = valueAt;
    }
    pbf.skip(pbf.type);
    yield { tag, whole: message.subarray(start, pbf.pos), content: message.subarray(contentAt, pbf.pos) };
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Uint8Array.from([...bytes, value]);
}

/** A field that holds pieces, one after the other. */
function delimited(tag: number, pieces: readonly Uint8Array[]): Uint8Array[] {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return [varint(tag * 8 + 2), varint(length), ...pieces];
}

/** The same model with the data of each named initializer in it. */
function withData(bytes: Uint8Array, path: string, dataOf: (name: string) => Uint8Array | undefined): Uint8Array {
  const tensor = (message: Uint8Array): Uint8Array[] => {
    const parts = [...fieldsOf(message)];
    const name = parts.find(({ tag }) => tag === field.tensorName);
    const data = name && dataOf(new TextDecoder().decode(name.content));
    if (data === undefined) return [message];
    const kept = parts.filter(({ tag }) => tag !== field.externalData && tag !== field.dataLocation);
    return [...kept.map(({ whole }) => whole), ...delimited(field.rawData, [data])];
  };
  const graph = (message: Uint8Array): Uint8Array[] =>
    [...fieldsOf(message)].flatMap(({ tag, whole, content }) =>
      tag === field.initializer ? delimited(tag, tensor(content)) : [whole],
    );
  const pieces = [...fieldsOf(bytes)].flatMap(({ tag, whole, content }) =>
    tag === field.graph ? delimited(tag, graph(content)) : [whole],
  );
  const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (total > mostBytes) throw refusal(path, 'it is larger than 2 GiB with its weights');
  return Buffer.concat(pieces, total);
}
