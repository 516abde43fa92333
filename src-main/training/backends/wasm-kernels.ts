/**
 * Gradient kernels for TensorFlow.js's WebAssembly backend, which was made for inference: it has no
 * Conv2DBackpropFilter, and its other gradients are scalar loops. Convolutions' gradients become products of matrices
 * and convolutions for the backend's own XNNPACK kernels; what only moves or adds numbers runs on the heap here.
 * All of it is sequential, so the same inputs give the same bytes.
 */
import {
  AvgPoolGrad,
  backend_util,
  BatchMatMul,
  Cast,
  Conv2D,
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  getKernel,
  Identity,
  MaxPoolGrad,
  Mean,
  registerKernel,
  Sum,
  unregisterKernel,
  util,
} from '@tensorflow/tfjs-core';
import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';

type Shape4 = [number, number, number, number];

interface KernelCall<Inputs, Attributes> {
  backend: BackendWasm;
  inputs: Inputs;
  attrs: Attributes;
}

interface ConvolutionAttributes {
  strides: [number, number] | number;
  pad: 'valid' | 'same' | number | [[number, number], [number, number], [number, number], [number, number]];
  dataFormat: 'NHWC' | 'NCHW';
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

type PoolAttributes = Omit<ConvolutionAttributes, 'dataFormat'> & { filterSize: [number, number] | number };

type WasmMatMul = (
  aId: number,
  aShape: Uint8Array,
  aRank: number,
  bId: number,
  bShape: Uint8Array,
  bRank: number,
  transposeA: boolean,
  transposeB: boolean,
  outId: number,
) => void;

/** The 19 numbers that the backend's Conv2D takes. */
type WasmConv2D = (...values: number[]) => void;

let wasmMatMul: WasmMatMul;
let wasmConv2D: WasmConv2D;

/** Emscripten's way to a function by name and argument types; the backend's own typings leave it out. */
interface Emscripten {
  cwrap: (name: string, result: null, parameters: string[]) => unknown;
}

function setUp(backend: BackendWasm): void {
  const { cwrap } = backend.wasm as unknown as Emscripten;
  wasmMatMul = cwrap(BatchMatMul, null, [
    'number',
    'array',
    'number',
    'number',
    'array',
    'number',
    'number',
    'number',
    'number',
  ]) as WasmMatMul;
  wasmConv2D = cwrap(Conv2D, null, Array<string>(19).fill('number')) as WasmConv2D;
}

// The backend numbers its tensors upwards from one; parts of tensors are shown to its kernels under numbers far above.
const viewIds = { left: 0x4000_0000, right: 0x4000_0001, out: 0x4000_0002 };

function shapeBytes(...shape: number[]): Uint8Array {
  return new Uint8Array(new Int32Array(shape).buffer);
}

function byteOffset(backend: BackendWasm, tensor: TensorInfo): number {
  return backend.getMemoryOffset(tensor.dataId);
}

function idOf(backend: BackendWasm, tensor: TensorInfo): number {
  return backend.dataIdMap.get(tensor.dataId).id;
}

/**
 * The numbers of a tensor, on the heap. Any later allocation may grow the heap, which detaches this array: allocate
 * first, look after.
 */
function numbers(backend: BackendWasm, tensor: TensorInfo): Float32Array {
  return backend.typedArrayFromHeap(tensor) as Float32Array;
}

/** A matrix that lies somewhere in a tensor: `offset` in numbers from its start. */
interface Part {
  tensor: TensorInfo;
  offset: number;
}

/** `right`, [inner, columns], packed once by XNNPACK and multiplied from the left by as many matrices as wanted. */
function withRightMatrix(
  backend: BackendWasm,
  right: Part,
  inner: number,
  columns: number,
  use: (multiply: (left: Part, rows: number, out: Part) => void) => void,
): void {
  const { tfjs } = backend.wasm;
  const at = (part: Part): number => byteOffset(backend, part.tensor) + part.offset * 4;
  tfjs.registerTensor(viewIds.right, inner * columns, at(right));
  const rightShape = shapeBytes(1, inner, columns);
  use((left, rows, out) => {
    tfjs.registerTensor(viewIds.left, rows * inner, at(left));
    tfjs.registerTensor(viewIds.out, rows * columns, at(out));
    const leftShape = shapeBytes(1, rows, inner);
    wasmMatMul(viewIds.left, leftShape, 3, viewIds.right, rightShape, 3, false, false, viewIds.out);
    tfjs.disposeData(viewIds.left);
    tfjs.disposeData(viewIds.out);
  });
  // This frees the packed copy, not the numbers.
  tfjs.disposeData(viewIds.right);
}

function convolutionOf(inputShape: Shape4, filterShape: Shape4, attrs: ConvolutionAttributes) {
  if (attrs.dataFormat !== 'NHWC') {
    throw new Error(`The wasm backend's convolution gradients take NHWC tensors, not ${attrs.dataFormat}.`);
  }
  return backend_util.computeConv2DInfo(inputShape, filterShape, attrs.strides, 1, attrs.pad, attrs.dimRoundingMode);
}

/** Numbers in the right-hand matrix of one product: what stays in a processor's second-level cache. */
const blockNumbers = 48 * 1024;
/** Below so many input channels, the rows of all taps are multiplied at once, which copies more but wastes no lanes. */
const fewChannels = 12;

/**
 * Gradient of a convolution by its filter. For each tap of the filter, the gradient is (input moved by the tap)ᵀ · dy.
 * With the input transposed to [channel, position] and dy padded to the same positions, moving by a tap is only another
 * start address: what runs over a row's end meets zeros of dy. Strides split the input into phases first.
 */
function conv2DBackpropFilter({
  backend,
  inputs: { x, dy },
  attrs,
}: KernelCall<{ x: TensorInfo; dy: TensorInfo }, ConvolutionAttributes & { filterShape: Shape4 }>): TensorInfo {
  const info = convolutionOf(x.shape as Shape4, attrs.filterShape, attrs);
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } = info;
  const { filterHeight, filterWidth, strideHeight, strideWidth } = info;
  const { top, left } = info.padInfo;
  const out = backend.makeOutput(attrs.filterShape, 'float32');
  if (util.sizeFromShape(dy.shape) === 0) {
    numbers(backend, out).fill(0);
    return out;
  }

  const rows = outHeight + Math.floor((filterHeight - 1) / strideHeight);
  const columns = outWidth + Math.floor((filterWidth - 1) / strideWidth);
  const positions = rows * columns;
  const imagesPerBlock = Math.min(batchSize, Math.max(1, Math.round(blockNumbers / (positions * outChannels))));
  const inner = imagesPerBlock * positions;
  const phaseRows = Math.min(strideHeight, filterHeight);
  const phaseColumns = Math.min(strideWidth, filterWidth);
  const furthestTap =
    Math.floor((filterHeight - 1) / strideHeight) * columns + Math.floor((filterWidth - 1) / strideWidth);
  const phaseSize = inChannels * inner + furthestTap;
  const taps = filterHeight * filterWidth;
  const gradientSize = taps * inChannels * outChannels;
  const stacked = inChannels < fewChannels && taps > 1;

  const phases = backend.makeOutput([phaseRows * phaseColumns * phaseSize], 'float32');
  const padded = backend.makeOutput([inner * outChannels], 'float32');
  const partial = backend.makeOutput([gradientSize], 'float32');
  const stack = stacked ? backend.makeOutput([taps * inChannels * inner], 'float32') : undefined;
  // Nothing below allocates on the heap through the backend but XNNPACK's packing, after which views are made anew.
  numbers(backend, phases).fill(0);
  numbers(backend, padded).fill(0);

  for (let first = 0; first < batchSize; first += imagesPerBlock) {
    const images = Math.min(imagesPerBlock, batchSize - first);
    const input = numbers(backend, x);
    const gradient = numbers(backend, dy);
    const transposed = numbers(backend, phases);
    const right = numbers(backend, padded);
    if (images < imagesPerBlock) right.fill(0);

    for (let image = 0; image < images; image++) {
      for (let row = 0; row < outHeight; row++) {
        const from = ((first + image) * outHeight + row) * outWidth * outChannels;
        right.set(
          gradient.subarray(from, from + outWidth * outChannels),
          (image * positions + row * columns) * outChannels,
        );
      }
      for (let a = 0; a < phaseRows; a++) {
        for (let b = 0; b < phaseColumns; b++) {
          const phaseStart = (a * phaseColumns + b) * phaseSize + image * positions;
          // Columns of the phase that lie inside the image: 0 <= column * stride + b - left < inWidth.
          const firstColumn = Math.max(0, Math.ceil((left - b) / strideWidth));
          const lastColumn = Math.min(columns - 1, Math.floor((inWidth - 1 + left - b) / strideWidth));
          for (let row = 0; row < rows; row++) {
            const y = row * strideHeight + a - top;
            if (y < 0 || y >= inHeight) continue;
            const step = strideWidth * inChannels;
            const from =
              (((first + image) * inHeight + y) * inWidth + firstColumn * strideWidth + b - left) * inChannels;
            for (let channel = 0; channel < inChannels; channel++) {
              const to = phaseStart + channel * inner + row * columns;
              let source = from + channel;
              for (let column = firstColumn; column <= lastColumn; column++, source += step) {
                transposed[to + column] = input[source];
              }
            }
          }
        }
      }
    }

    const target = first === 0 ? out : partial;
    const tapStart = (tap: number): number => {
      const y = Math.floor(tap / filterWidth);
      const x = tap % filterWidth;
      const phase = (y % strideHeight) * phaseColumns + (x % strideWidth);
      return phase * phaseSize + Math.floor(y / strideHeight) * columns + Math.floor(x / strideWidth);
    };
    if (stack) {
      const rowsOfTaps = numbers(backend, stack);
      for (let tap = 0; tap < taps; tap++) {
        const start = tapStart(tap);
        rowsOfTaps.set(transposed.subarray(start, start + inChannels * inner), tap * inChannels * inner);
      }
    }
    withRightMatrix(backend, { tensor: padded, offset: 0 }, inner, outChannels, (multiply) => {
      if (stack) {
        multiply({ tensor: stack, offset: 0 }, taps * inChannels, { tensor: target, offset: 0 });
        return;
      }
      for (let tap = 0; tap < taps; tap++) {
        const place = { tensor: target, offset: tap * inChannels * outChannels };
        multiply({ tensor: phases, offset: tapStart(tap) }, inChannels, place);
      }
    });
    if (target === partial) {
      const sum = numbers(backend, out);
      const part = numbers(backend, partial);
      for (let index = 0; index < gradientSize; index++) sum[index] += part[index];
    }
  }
  for (const scratch of [phases, padded, partial, ...(stack ? [stack] : [])]) backend.disposeData(scratch.dataId);
  return out;
}

/**
 * Gradient of a convolution by its input: with stride 1 a convolution of dy with the filter turned round, else
 * dy · filterᵀ, whose columns are added to where they came from.
 */
function conv2DBackpropInput({
  backend,
  inputs: { dy, filter },
  attrs,
}: KernelCall<{ dy: TensorInfo; filter: TensorInfo }, ConvolutionAttributes & { inputShape: Shape4 }>): TensorInfo {
  const info = convolutionOf(attrs.inputShape, filter.shape as Shape4, attrs);
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } = info;
  const { filterHeight, filterWidth, strideHeight, strideWidth } = info;
  const { top, left } = info.padInfo;
  const taps = filterHeight * filterWidth;
  const out = backend.makeOutput(attrs.inputShape, 'float32');
  if (util.sizeFromShape(dy.shape) === 0) {
    numbers(backend, out).fill(0);
    return out;
  }

  // [filterHeight, filterWidth, outChannels, inChannels], turned round, or [outChannels, taps, inChannels].
  const turn = strideHeight === 1 && strideWidth === 1 && top < filterHeight && left < filterWidth;
  const turned = backend.makeOutput([filterHeight, filterWidth, outChannels, inChannels], 'float32');
  {
    const from = numbers(backend, filter);
    const to = numbers(backend, turned);
    for (let tap = 0; tap < taps; tap++) {
      for (let channel = 0; channel < inChannels; channel++) {
        const source = (tap * inChannels + channel) * outChannels;
        const start = turn ? (taps - 1 - tap) * outChannels * inChannels : tap * inChannels;
        const step = turn ? inChannels : taps * inChannels;
        for (let o = 0; o < outChannels; o++) to[start + o * step + channel] = from[source + o];
      }
    }
  }

  if (turn) {
    const above = filterHeight - 1 - top;
    const before = filterWidth - 1 - left;
    // Whatever of the input the convolution left unread gets zeros, by padding on.
    const below = inHeight - outHeight + filterHeight - 1 - above;
    const after = inWidth - outWidth + filterWidth - 1 - before;
    wasmConv2D(
      ...[idOf(backend, dy), batchSize, outHeight, outWidth, idOf(backend, turned), filterHeight, filterWidth],
      ...[above, after, below, before, 0, 1, 1, 1, 1, outChannels, inChannels, idOf(backend, out)],
    );
    backend.disposeData(turned.dataId);
    return out;
  }

  const perImage = outHeight * outWidth;
  const width = taps * inChannels;
  const imagesPerBlock = Math.min(batchSize, Math.max(1, Math.round((8 * blockNumbers) / (perImage * width))));
  const columns = backend.makeOutput([imagesPerBlock * perImage * width], 'float32');
  numbers(backend, out).fill(0);
  withRightMatrix(backend, { tensor: turned, offset: 0 }, outChannels, width, (multiply) => {
    for (let first = 0; first < batchSize; first += imagesPerBlock) {
      const images = Math.min(imagesPerBlock, batchSize - first);
      const start = { tensor: dy, offset: first * perImage * outChannels };
      multiply(start, images * perImage, { tensor: columns, offset: 0 });
      const from = numbers(backend, columns);
      const to = numbers(backend, out);
      for (let image = 0; image < images; image++) {
        for (let row = 0; row < outHeight; row++) {
          for (let tapRow = 0; tapRow < filterHeight; tapRow++) {
            const y = row * strideHeight + tapRow - top;
            if (y < 0 || y >= inHeight) continue;
            const lineStart = ((first + image) * inHeight + y) * inWidth;
            for (let column = 0; column < outWidth; column++) {
              const x = column * strideWidth - left;
              const firstTap = Math.max(0, -x);
              const endTap = Math.min(filterWidth, inWidth - x);
              const count = (endTap - firstTap) * inChannels;
              const source =
                ((image * perImage + row * outWidth + column) * taps + tapRow * filterWidth + firstTap) * inChannels;
              const target = (lineStart + x + firstTap) * inChannels;
              for (let index = 0; index < count; index++) to[target + index] += from[source + index];
            }
          }
        }
      }
    }
  });
  backend.disposeData(columns.dataId);
  backend.disposeData(turned.dataId);
  return out;
}

function poolOf(input: TensorInfo, { filterSize, strides, pad, dimRoundingMode }: PoolAttributes) {
  return backend_util.computePool2DInfo(input.shape as Shape4, filterSize, strides, 1, pad, dimRoundingMode);
}

/** The bits of a float as a whole number that is larger where the float is. */
function ordered(bits: number): number {
  return bits ^ ((bits >> 31) & 0x7fff_ffff);
}

/** Gradient of max pooling: to the first largest number of each window, rows before columns, as the CPU backend does. */
function maxPoolGrad({
  backend,
  inputs: { dy, input },
  attrs,
}: KernelCall<{ dy: TensorInfo; input: TensorInfo }, PoolAttributes>): TensorInfo {
  const info = poolOf(input, attrs);
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth } = info;
  const { strideHeight, strideWidth, filterHeight, filterWidth } = info;
  const { top, left } = info.padInfo;
  const out = backend.makeOutput(input.shape, 'float32');
  const from = numbers(backend, dy);
  const values = numbers(backend, input);
  const to = numbers(backend, out);
  to.fill(0);
  if (filterHeight === 2 && filterWidth === 2 && info.padInfo.type === 'VALID') {
    // The usual case: four places, all inside.
    const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
    const line = inWidth * inChannels;
    let source = 0;
    for (let image = 0; image < batchSize; image++) {
      for (let row = 0; row < outHeight; row++) {
        for (let column = 0; column < outWidth; column++) {
          const start = ((image * inHeight + row * strideHeight) * inWidth + column * strideWidth) * inChannels;
          for (let place = start; place < start + inChannels; place++) {
            // Floats as whole numbers of the same order, and masks: no branches, which no processor could foresee.
            const a = ordered(bits[place]);
            const b = ordered(bits[place + inChannels]);
            const c = ordered(bits[place + line]);
            const d = ordered(bits[place + line + inChannels]);
            const above = -Number(b > a);
            const below = -Number(d > c);
            const lower = -Number((c ^ ((c ^ d) & below)) > (a ^ ((a ^ b) & above)));
            const right = (above & ~lower) | (below & lower);
            to[place + (lower & line) + (right & inChannels)] += from[source++];
          }
        }
      }
    }
    return out;
  }
  const largest = new Float32Array(inChannels);
  const places = new Int32Array(inChannels);
  let source = 0;
  for (let image = 0; image < batchSize; image++) {
    for (let row = 0; row < outHeight; row++) {
      const firstY = Math.max(0, row * strideHeight - top);
      const endY = Math.min(inHeight, row * strideHeight - top + filterHeight);
      for (let column = 0; column < outWidth; column++) {
        const firstX = Math.max(0, column * strideWidth - left);
        const endX = Math.min(inWidth, column * strideWidth - left + filterWidth);
        const start = ((image * inHeight + firstY) * inWidth + firstX) * inChannels;
        for (let channel = 0; channel < inChannels; channel++) {
          largest[channel] = values[start + channel];
          places[channel] = start + channel;
        }
        for (let y = firstY; y < endY; y++) {
          for (let x = y === firstY ? firstX + 1 : firstX; x < endX; x++) {
            const place = ((image * inHeight + y) * inWidth + x) * inChannels;
            for (let channel = 0; channel < inChannels; channel++) {
              const value = values[place + channel];
              if (value > largest[channel]) {
                largest[channel] = value;
                places[channel] = place + channel;
              }
            }
          }
        }
        for (let channel = 0; channel < inChannels; channel++) to[places[channel]] += from[source++];
      }
    }
  }
  return out;
}

/** Gradient of average pooling: an equal part for each number that was averaged; padding is not counted. */
function avgPoolGrad({
  backend,
  inputs: { dy, input },
  attrs,
}: KernelCall<{ dy: TensorInfo; input: TensorInfo }, PoolAttributes>): TensorInfo {
  const info = poolOf(input, attrs);
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth } = info;
  const { strideHeight, strideWidth, filterHeight, filterWidth } = info;
  const { top, left } = info.padInfo;
  const out = backend.makeOutput(input.shape, 'float32');
  const from = numbers(backend, dy);
  const to = numbers(backend, out);
  to.fill(0);
  let source = 0;
  for (let image = 0; image < batchSize; image++) {
    for (let row = 0; row < outHeight; row++) {
      const firstY = Math.max(0, row * strideHeight - top);
      const endY = Math.min(inHeight, row * strideHeight - top + filterHeight);
      for (let column = 0; column < outWidth; column++, source += inChannels) {
        const firstX = Math.max(0, column * strideWidth - left);
        const endX = Math.min(inWidth, column * strideWidth - left + filterWidth);
        const part = 1 / ((endY - firstY) * (endX - firstX));
        for (let y = firstY; y < endY; y++) {
          for (let x = firstX; x < endX; x++) {
            const place = ((image * inHeight + y) * inWidth + x) * inChannels;
            for (let channel = 0; channel < inChannels; channel++) {
              to[place + channel] += from[source + channel] * part;
            }
          }
        }
      }
    }
  }
  return out;
}

/** A sum or mean over neighbouring axes seen as [outer, reduced, inner]; undefined where the axes are no neighbours. */
function neighbouringAxes(shape: number[], axis: number | number[]) {
  const axes = util.parseAxisParam(axis, shape).sort((a, b) => a - b);
  if (axes.length === 0 || axes.some((value, index) => value !== axes[0] + index)) return undefined;
  const end = axes[0] + axes.length;
  return {
    axes,
    outer: util.sizeFromShape(shape.slice(0, axes[0])),
    reduced: util.sizeFromShape(shape.slice(axes[0], end)),
    inner: util.sizeFromShape(shape.slice(end)),
  };
}

type Reduction = KernelCall<{ x: TensorInfo }, { axis: number | number[]; keepDims: boolean }>;

/**
 * Sums in double precision without moving the tensor: the backend's own transposes it first and adds in single
 * precision, which loses digits over the 300,000 positions that a bias or a normalisation adds up.
 */
function reduce(original: KernelConfig, mean: boolean): KernelConfig['kernelFunc'] {
  const own = ({ backend, inputs: { x }, attrs: { axis, keepDims } }: Reduction): TensorInfo | undefined => {
    const parts = x.dtype === 'float32' ? neighbouringAxes(x.shape, axis) : undefined;
    if (!parts || parts.reduced === 0) return undefined;
    const { axes, outer, reduced, inner } = parts;
    const [outShape] = backend_util.computeOutAndReduceShapes(x.shape, axes);
    const out = backend.makeOutput(keepDims ? backend_util.expandShapeToKeepDim(outShape, axes) : outShape, 'float32');
    const from = numbers(backend, x);
    const to = numbers(backend, out);
    const divisor = mean ? reduced : 1;
    let source = 0;
    if (inner === 1) {
      for (let index = 0; index < outer; index++) {
        let sum = 0;
        for (let step = 0; step < reduced; step++) sum += from[source++];
        to[index] = sum / divisor;
      }
      return out;
    }
    const sums = new Float64Array(inner);
    for (let index = 0; index < outer; index++) {
      sums.fill(0);
      let step = 0;
      // Four rows at a time: half the loads and stores.
      for (; step + 4 <= reduced; step += 4, source += 4 * inner) {
        for (let column = 0; column < inner; column++) {
          const place = source + column;
          sums[column] += from[place] + from[place + inner] + from[place + 2 * inner] + from[place + 3 * inner];
        }
      }
      for (; step < reduced; step++) {
        for (let column = 0; column < inner; column++) sums[column] += from[source++];
      }
      for (let column = 0; column < inner; column++) to[index * inner + column] = sums[column] / divisor;
    }
    return out;
  };
  return (call) => own(call as unknown as Reduction) ?? original.kernelFunc(call);
}

/** The transpose of a [rows, columns] matrix, a square at a time so that both sides stay in the cache. */
function transposeMatrix(backend: BackendWasm, matrix: TensorInfo, rows: number, columns: number): TensorInfo {
  const out = backend.makeOutput([columns, rows], 'float32');
  const from = numbers(backend, matrix);
  const to = numbers(backend, out);
  const square = 16;
  for (let top = 0; top < rows; top += square) {
    const bottom = Math.min(rows, top + square);
    for (let left = 0; left < columns; left += square) {
      const right = Math.min(columns, left + square);
      for (let row = top; row < bottom; row++) {
        for (let column = left; column < right; column++) to[column * rows + row] = from[row * columns + column];
      }
    }
  }
  return out;
}

type Product = KernelCall<{ a: TensorInfo; b: TensorInfo }, { transposeA: boolean; transposeB: boolean }>;

/** Products with transposed matrices, as dense layers' gradients are: transposed first, so that XNNPACK takes them. */
function batchMatMul(original: KernelConfig): KernelConfig['kernelFunc'] {
  const own = ({ backend, inputs, attrs }: Product): TensorInfo | undefined => {
    const { transposeA, transposeB } = attrs;
    const single = [inputs.a, inputs.b].every(
      ({ shape, dtype }) => dtype === 'float32' && util.sizeFromShape(shape.slice(0, -2)) === 1,
    );
    if ((!transposeA && !transposeB) || !single) return undefined;
    const [aRows, aColumns] = inputs.a.shape.slice(-2);
    const [bRows, bColumns] = inputs.b.shape.slice(-2);
    const inner = transposeA ? aRows : aColumns;
    if (inner !== (transposeB ? bColumns : bRows)) return undefined;
    const rank = Math.max(inputs.a.shape.length, inputs.b.shape.length);
    const outRows = transposeA ? aColumns : aRows;
    const outColumns = transposeB ? bRows : bColumns;
    const a = transposeA ? transposeMatrix(backend, inputs.a, aRows, aColumns) : inputs.a;
    const b = transposeB ? transposeMatrix(backend, inputs.b, bRows, bColumns) : inputs.b;
    const out = backend.makeOutput([...Array<number>(rank - 2).fill(1), outRows, outColumns], 'float32');
    withRightMatrix(backend, { tensor: b, offset: 0 }, inner, outColumns, (multiply) => {
      multiply({ tensor: a, offset: 0 }, outRows, { tensor: out, offset: 0 });
    });
    if (transposeA) backend.disposeData(a.dataId);
    if (transposeB) backend.disposeData(b.dataId);
    return out;
  };
  return (call) => own(call as unknown as Product) ?? original.kernelFunc(call);
}

/** The same numbers under another handle, as the CPU backend does it; the wasm backend's own copies them. */
function share(backend: BackendWasm, { dataId, shape, dtype }: TensorInfo): TensorInfo {
  backend.incRef(dataId);
  return { dataId, shape, dtype };
}

function identity({ backend, inputs }: KernelCall<{ x: TensorInfo }, unknown>): TensorInfo {
  return share(backend, inputs.x);
}

function cast(original: KernelConfig): KernelConfig['kernelFunc'] {
  return (call) => {
    const { backend, inputs, attrs } = call as unknown as KernelCall<{ x: TensorInfo }, { dtype: string }>;
    return inputs.x.dtype === attrs.dtype ? share(backend, inputs.x) : original.kernelFunc(call);
  };
}

function register(kernelName: string, make: (original: KernelConfig | undefined) => KernelConfig['kernelFunc']): void {
  const original = getKernel(kernelName, 'wasm');
  if (original) unregisterKernel(kernelName, 'wasm');
  registerKernel({
    kernelName,
    backendName: 'wasm',
    kernelFunc: make(original),
    setupFunc: (backend) => {
      original?.setupFunc?.(backend);
      setUp(backend as BackendWasm);
    },
    ...(original?.disposeFunc ? { disposeFunc: original.disposeFunc } : {}),
  });
}

let registered = false;

/** Puts the kernels of this file into TensorFlow.js. Call it after importing the wasm backend, before starting it. */
export function registerWasmKernels(): void {
  if (registered) return;
  registered = true;
  const plain = (kernel: unknown) => () => kernel as KernelConfig['kernelFunc'];
  register(Conv2DBackpropFilter, plain(conv2DBackpropFilter));
  register(Conv2DBackpropInput, plain(conv2DBackpropInput));
  register(MaxPoolGrad, plain(maxPoolGrad));
  register(AvgPoolGrad, plain(avgPoolGrad));
  register(Identity, plain(identity));
  register(Cast, (original) => cast(original!));
  register(Sum, (original) => reduce(original!, false));
  register(Mean, (original) => reduce(original!, true));
  register(BatchMatMul, (original) => batchMatMul(original!));
}
