import { describe, expect, it } from 'vitest';
import { InputBuffer, memorySource, padBytes } from './input.ts';

describe('InputBuffer over memory', () => {
  const content = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);

  /** The content somewhere in a buffer, with so many bytes of something else behind it. */
  function placed(offset: number, behind: number): Uint8Array {
    const buffer = new Uint8Array(offset + content.length + behind).fill(0xee);
    buffer.set(content, offset);
    return buffer.subarray(offset, offset + content.length);
  }

  it.each([0, padBytes - 1, padBytes, 100])(
    'reads the same with %i bytes behind it, and changes none',
    async (behind) => {
      const bytes = placed(5, behind);
      const input = new InputBuffer(memorySource(bytes));
      expect(await input.fill(10)).toBe(true);
      expect(input.view.getUint8(input.start + 9)).toBe(9);
      expect(await input.seek(990)).toBe(true);
      expect(await input.fill(10)).toBe(true);
      expect(await input.fill(11)).toBe(false);
      expect([...input.bytes.subarray(input.start, input.end)]).toEqual([...content.subarray(990)]);
      expect(input.ended).toBe(true);
      expect(await input.seek(1001)).toBe(false);
      expect(await input.fill(1)).toBe(false);
      expect(bytes).toEqual(content);
    },
  );

  it('does not copy what has room behind it', () => {
    const bytes = placed(5, padBytes);
    expect(new InputBuffer(memorySource(bytes)).bytes.buffer).toBe(bytes.buffer);
    const close = placed(5, padBytes - 1);
    expect(new InputBuffer(memorySource(close)).bytes.buffer).not.toBe(close.buffer);
  });
});
