/**
 * A writer of small WebAssembly modules over one memory, as far as loops on integers of 32 and 64 bits, four float32 or 32-bit
 * integer lanes or two float64 lanes need it (WebAssembly 2.0, fixed-width SIMD, which every Node that this program runs on has). Its results are the
 * same on every processor. Written here so that a kernel needs neither another compiler nor a built file beside the
 * sources.
 */

// As far as it is used here: neither TypeScript's library for ES nor Node's types declare it.
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => {
    exports: { memory: { buffer: ArrayBuffer } } & Record<string, Run>;
  };
};

type Run = (...parameters: number[]) => void;

/** Instructions that leave one value. */
export type Expression = readonly number[];

/** A local variable of the function. */
export interface Local {
  readonly index: number;
  /** Reads it. */
  readonly get: Expression;
}

type ValueType = 0x7f | 0x7e | 0x7b;
const i32: ValueType = 0x7f;
const i64: ValueType = 0x7e;
const v128: ValueType = 0x7b;

/** LEB128, unsigned. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  do {
    const byte = value & 0x7f;
    value >>>= 7;
    bytes.push(value === 0 ? byte : byte | 0x80);
  } while (value !== 0);
  return bytes;
}

/** LEB128, signed 32 bits. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  for (;;) {
    const byte = value & 0x7f;
    value >>= 7;
    if ((value === 0 && (byte & 0x40) === 0) || (value === -1 && (byte & 0x40) !== 0)) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}

const simd = (code: number): number[] => [0xfd, ...unsigned(code)];
const memory = (alignLog2: number, offset: number): number[] => [alignLog2, ...unsigned(offset)];
const binary =
  (instruction: readonly number[]) =>
  (left: Expression, right: Expression): Expression => [...left, ...right, ...instruction];

export const constant = (value: number): Expression => [0x41, ...signed(value)];
export const addInteger = binary([0x6a]);
export const subtractInteger = binary([0x6b]);
export const multiplyInteger = binary([0x6c]);
export const andInteger = binary([0x71]);
export const xorInteger = binary([0x73]);
/** Shifts go by the amount modulo 32, those of 64 bits modulo 64. */
export const shiftLeftInteger = binary([0x74]);
export const shiftRightInteger = binary([0x75]);
export const shiftRightUnsigned = binary([0x76]);
/** Of unsigned integers: 1 or 0. */
export const lessThan = binary([0x49]);
export const shiftLeftLong = binary([0x86]);
export const shiftRightUnsignedLong = binary([0x88]);
export const leadingZerosLong = (value: Expression): Expression => [...value, 0x79];
/** An unsigned integer as one of 64 bits, and the low half of one. */
export const toLong = (value: Expression): Expression => [...value, 0xad];
export const fromLong = (value: Expression): Expression => [...value, 0xa7];
/** The eight bytes at an address as one integer of 64 bits, the first the highest. */
export const loadBigEndian = (address: Expression): Expression => [
  ...address,
  ...simd(0x5d),
  ...memory(0, 0),
  ...lanes(0),
  ...simd(0x0d),
  ...[7, 6, 5, 4, 3, 2, 1, 0, 16, 16, 16, 16, 16, 16, 16, 16],
  ...simd(0x1d),
  0,
];
/** The integer at an address. */
export const loadInteger = (address: Expression, offset = 0): Expression => [...address, 0x28, ...memory(2, offset)];

/** Four lanes of the same float32. */
export function lanes(value: number): Expression {
  const bytes = new Uint8Array(Float32Array.of(value, value, value, value).buffer);
  return [...simd(0x0c), ...bytes];
}

/** Four lanes of the same 32-bit integer. */
export function integerLanes(value: number): Expression {
  const bytes = new Uint8Array(Int32Array.of(value, value, value, value).buffer);
  return [...simd(0x0c), ...bytes];
}

/** Four float32 (or two float64) that lie side by side. */
export const load = (address: Expression, offset = 0): Expression => [...address, ...simd(0x00), ...memory(2, offset)];
/** One float32 in all four lanes. */
export const loadSplat = (address: Expression, offset = 0): Expression => [
  ...address,
  ...simd(0x09),
  ...memory(2, offset),
];
export const add = binary(simd(0xe4));
export const subtract = binary(simd(0xe5));
export const multiply = binary(simd(0xe6));
export const divide = binary(simd(0xe7));
/** The larger of each pair of lanes; the left one where the right one is not a number. */
export const largest = binary(simd(0xeb));
export const absolute = (value: Expression): Expression => [...value, ...simd(0xe0)];
export const squareRoot = (value: Expression): Expression => [...value, ...simd(0xe3)];
/** Ones in the lanes where left > right; false where either is not a number. */
export const greater = binary(simd(0x44));
export const and = binary(simd(0x4e));
export const addIntegers = binary(simd(0xae));
export const subtractIntegers = binary(simd(0xb1));
export const multiplyIntegers = binary(simd(0xb5));
/** An integer in all four lanes, and that of one lane. */
export const splatInteger = (value: Expression): Expression => [...value, ...simd(0x11)];
export const laneInteger = (value: Expression, lane: number): Expression => [...value, ...simd(0x1b), lane];
/** Shifts the lanes' integers right, keeping their signs. */
export const shiftRight = (value: Expression, bits: number): Expression => [...value, ...constant(bits), ...simd(0xac)];
/** Integers to float32. */
export const toFloat = (value: Expression): Expression => [...value, ...simd(0xfa)];
export const addDoubles = binary(simd(0xf0));
export const subtractDoubles = binary(simd(0xf1));
export const multiplyDoubles = binary(simd(0xf2));
/** The first two float32 as two float64. */
export const toDoubles = (value: Expression): Expression => [...value, ...simd(0x5f)];
/** Two float64 as the first two float32, zeros behind them. */
export const fromDoubles = (value: Expression): Expression => [...value, ...simd(0x5e)];
/** The bits of `chosen` where the mask has ones, else those of `other`. */
export const select = (chosen: Expression, other: Expression, mask: Expression): Expression => [
  ...chosen,
  ...other,
  ...mask,
  ...simd(0x52),
];
/** The lanes of two vectors as 0 ... 3 and 4 ... 7, in the order named. */
export const shuffle = (left: Expression, right: Expression, order: readonly number[]): Expression => [
  ...left,
  ...right,
  ...simd(0x0d),
  ...order.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte)),
];

/** The function under construction; its parameters are 32-bit integers. */
export class FunctionWriter {
  readonly parameters: readonly Local[];
  readonly #locals: ValueType[] = [];
  #body: number[] = [];
  // Conditions open within the innermost loop.
  #conditions = 0;

  constructor(parameters: number) {
    this.parameters = Array.from({ length: parameters }, (_, index) => asLocal(index));
  }

  #declare(type: ValueType): Local {
    this.#locals.push(type);
    return asLocal(this.parameters.length + this.#locals.length - 1);
  }

  /** A new integer variable, which begins with 0 or the value given. */
  integer(value?: Expression): Local {
    const local = this.#declare(i32);
    if (value) this.set(local, value);
    return local;
  }

  /** A new variable of 64 bits, which begins with 0. */
  long(): Local {
    return this.#declare(i64);
  }

  /** A new variable of four lanes that begins with this value. */
  vector(value: Expression): Local {
    const local = this.#declare(v128);
    this.set(local, value);
    return local;
  }

  set(local: Local, value: Expression): void {
    this.#body.push(...value, 0x21, ...unsigned(local.index));
  }

  /** Stores four lanes side by side. */
  store(address: Expression, value: Expression, offset = 0): void {
    this.#body.push(...address, ...value, ...simd(0x0b), ...memory(2, offset));
  }

  storeInteger(address: Expression, value: Expression, offset = 0): void {
    this.#body.push(...address, ...value, 0x36, ...memory(2, offset));
  }

  /** Stores the first of four float32 lanes. */
  storeFirst(address: Expression, value: Expression): void {
    this.#body.push(...address, ...value, ...simd(0x5a), ...memory(2, 0), 0);
  }

  /** Runs the body while `counter < end`, adding `step` to the counter after each turn. */
  loop(counter: Local, end: Expression, step: number, body: () => void): void {
    this.#body.push(0x02, 0x40, 0x03, 0x40, ...lessThan(counter.get, end), 0x45, 0x0d, 1);
    const outside = this.#conditions;
    this.#conditions = 0;
    body();
    this.#conditions = outside;
    this.set(counter, addInteger(counter.get, constant(step)));
    this.#body.push(0x0c, 0, 0x0b, 0x0b);
  }

  /** Runs the body where the condition is not 0. */
  when(condition: Expression, body: () => void): void {
    this.#body.push(...condition, 0x04, 0x40);
    this.#conditions++;
    body();
    this.#conditions--;
    this.#body.push(0x0b);
  }

  /** Leaves the innermost loop where the condition is not 0; the counter stays as it is. */
  leaveLoopWhen(condition: Expression): void {
    this.#body.push(...condition, 0x0d, ...unsigned(1 + this.#conditions));
  }

  /** Its type and its code, each as they stand in a module. */
  encode(): { type: number[]; code: number[] } {
    const locals = this.#locals.flatMap((type) => [1, type]);
    const code = [...unsigned(this.#locals.length), ...locals, ...this.#body, 0x0b];
    return {
      type: [0x60, this.parameters.length, ...this.parameters.map(() => i32), 0],
      code: [...unsigned(code.length), ...code],
    };
  }

  /**
   * Compiles it alone.
   * @param bytes of memory that it works on
   */
  compile(bytes: number): { memory: ArrayBuffer; run: Run } {
    const { memory, functions } = compileModule({ run: this }, bytes);
    return { memory, run: functions.run };
  }
}

/**
 * Compiles functions that work on the same memory.
 * @param bytes of memory
 */
export function compileModule<Name extends string>(
  writers: Record<Name, FunctionWriter>,
  bytes: number,
): { memory: ArrayBuffer; functions: Record<Name, Run> } {
  const section = (id: number, content: readonly number[]): number[] => [id, ...unsigned(content.length), ...content];
  const text = (value: string): number[] => [value.length, ...Buffer.from(value, 'latin1')];
  const names = Object.keys(writers);
  const count = names.length;
  const parts = Object.values<FunctionWriter>(writers).map((writer) => writer.encode());
  const binaryModule = Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [count, ...parts.flatMap(({ type }) => type)]),
    ...section(3, [count, ...names.map((_, index) => index)]),
    ...section(5, [1, 0, ...unsigned(Math.ceil(bytes / 65_536))]),
    ...section(7, [count + 1, ...text('memory'), 2, 0, ...names.flatMap((name, index) => [...text(name), 0, index])]),
    ...section(10, [count, ...parts.flatMap(({ code }) => code)]),
  ]);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binaryModule));
  return { memory: exports.memory.buffer, functions: exports };
}

function asLocal(index: number): Local {
  return { index, get: [0x20, ...unsigned(index)] };
}
