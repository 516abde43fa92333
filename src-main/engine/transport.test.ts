import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { maxFrameBytes } from '../host/host-messages.ts';
import { frameFault } from './transport.ts';

const frame = (value: unknown): string => JSON.stringify(value);

describe('frames from a window', () => {
  it('are handed on where they are of the protocol', () => {
    const request = frame({ i: '1', p: { u: '/cases/list', b: { json: { search: '' } } } });
    expect(frameFault(request)).toBeNull();
    expect(frameFault(frame({ i: '1', p: { u: '/a', h: { 'last-event-id': '4' }, m: 'GET' } }))).toBeNull();
    expect(frameFault(frame({ i: '1', t: 3, p: { e: 'message', d: {} } }))).toBeNull();
    expect(frameFault(frame({ i: '1', t: 4 }))).toBeNull();
    expect(frameFault(new Uint8Array([...Buffer.from(request), 255, 1, 2, 3]))).toBeNull();
    expect(frameFault(Buffer.from(request))).toBeNull();
  });

  it('are stopped where the codec would trip over them', () => {
    for (const garbage of [
      '',
      'nonsense',
      '{"i":"1","p":{"u":"/a"}',
      'null',
      '[]',
      '7',
      frame({}),
      frame({ i: 1, p: { u: '/a' } }),
      frame({ i: '1' }),
      frame({ i: '1', p: null }),
      frame({ i: '1', p: {} }),
      frame({ i: '1', p: { u: 5 } }),
      frame({ i: '1', p: { u: 'http://[' } }),
      frame({ i: '1', p: { u: '/a', h: 5 } }),
      frame({ i: '1', t: 2, p: { u: '/a' } }),
      frame({ i: '1', t: 3 }),
      frame({ i: 'x'.repeat(65), p: { u: '/a' } }),
      new Uint8Array([255]),
      new Uint8Array([1, 2, 3]),
      5,
      null,
      {},
    ]) {
      expect(frameFault(garbage), JSON.stringify(garbage).slice(0, 60)).not.toBeNull();
    }
    expect(frameFault(' '.repeat(maxFrameBytes + 1))).toMatch(/longer/);
  });

  it('never make it throw', () => {
    const random = new Random(7);
    const text = frame({ i: '1', p: { u: '/cases/list', h: { a: 'b' }, b: { json: { search: 'x' }, meta: [] } } });
    for (let round = 0; round < 2000; round += 1) {
      const bytes = Buffer.from(text);
      for (let change = 0; change < 1 + (round % 5); change += 1) {
        bytes[Math.floor(random.uniform() * bytes.length)] = Math.floor(random.uniform() * 256);
      }
      expect(() => frameFault(round % 2 === 0 ? bytes : bytes.toString('latin1'))).not.toThrow();
    }
  });
});
