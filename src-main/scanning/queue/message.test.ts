import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { packAnswers, packFiles, unpackAnswers, unpackFiles } from './message.ts';
import type { Answer, SentFile } from './message.ts';

const sha256 = 'ab'.repeat(32);
const file = (path: string, name: string | null = null): SentFile => ({
  ...{ path, name, found: true, sha256 },
  reading: { channel: 'auto' },
});
const result: Answer = {
  ...{ path: '/evidence/a.wav', sha256, error: null, passedOver: false, unchanged: false },
  file: { size: 12, mtimeMs: 1.5 },
  analysis: { zeta: 1, alpha: { ten: 10, nine: [9, null] } } as never,
};

describe('messages of a queue', () => {
  it('hold every name of a file, and every text', () => {
    const files = [file('/evidence/a\uD800.wav'), file('/evidence/�', Buffer.from([0x2f, 0xff]).toString('base64'))];
    expect(unpackFiles(packFiles(files))).toEqual(files);
    // PostgreSQL takes no such character in a text.
    expect(packFiles([file('/evidence/line\u0000')])).toMatch(/^[\w+/=]+$/);
  });

  it('keep the order of what is in a result, by which outputs are written', () => {
    const [answer] = unpackAnswers(packAnswers([result]), 1);
    expect(JSON.stringify(answer)).toContain(JSON.stringify(result.analysis));
  });

  it('are refused where they are none', () => {
    const other = (value: unknown): string => deflateRawSync(JSON.stringify(value)).toString('base64');
    expect(() => unpackFiles('nonsense')).toThrow();
    expect(() => unpackFiles(other([{ ...file('/a'), sha256: 'none' }]))).toThrow();
    expect(() => unpackAnswers(other([{ ...result, error: 'yes' }]), 1)).toThrow();
    // A reply to other files than those that were sent.
    expect(() => unpackAnswers(packAnswers([result]), 2)).toThrow();
  });
});
