import { describe, expect, it } from 'vitest';
import { UserFacingError } from '../base/errors.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';

const arrays = new Map([
  ['one', Float32Array.of(1, -2.5, 3e-20)],
  ['empty', new Float32Array(0)],
  ['two', Float32Array.of(7)],
]);

describe('safetensors', () => {
  it('gives back what was written', () => {
    const read = readSafetensors(writeSafetensors(arrays, { about: 'a test' }), 'x');
    expect([...read.arrays]).toEqual([...arrays]);
    expect(read.metadata).toEqual({ about: 'a test' });
  });

  it('begins its values at a multiple of eight and names them as the format says', () => {
    const bytes = Buffer.from(writeSafetensors(arrays));
    const length = Number(bytes.readBigUInt64LE(0));
    expect(length % 8).toBe(0);
    const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<string, unknown>;
    expect(header['two']).toEqual({ dtype: 'F32', shape: [1], data_offsets: [12, 16] });
  });

  it('says that a file is damaged, however it is cut', () => {
    const whole = writeSafetensors(arrays);
    for (let length = 0; length < whole.length; length++) {
      expect(() => readSafetensors(whole.subarray(0, length), 'w.safetensors')).toThrow(UserFacingError);
    }
    const lying = whole.slice();
    lying.fill(0xff, 0, 8);
    expect(() => readSafetensors(lying, 'w.safetensors')).toThrow(/damaged/);
  });
});
