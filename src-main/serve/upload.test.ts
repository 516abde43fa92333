import { describe, expect, it } from 'vitest';
import { safeFileName } from './upload.ts';

describe('the name of an upload', () => {
  it('stays where it is harmless', () => {
    for (const name of ['call.wav', 'Gespräch 3 (Kopie).m4a', '通話録音.mp3', 'مكالمة.ogg', '📞.flac', 'a.b.c.wav']) {
      expect(safeFileName(name)).toBe(name);
    }
  });

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\x\\call.wav', 'call.wav'],
    ['/call.wav', 'call.wav'],
    ['..', 'upload'],
    ['', 'upload'],
    ['.bashrc', '_bashrc'],
    ['CON.wav', '_CON.wav'],
    ['a<b>:c|d?.wav', 'a_b__c_d_.wav'],
    ['line\nbreak\u0000.wav', 'line_break_.wav'],
    ['exe\u202Evaw.wav', 'exe_vaw.wav'],
    ['trailing. . ', 'trailing'],
  ])('%j becomes %j', (given, safe) => {
    expect(safeFileName(given)).toBe(safe);
  });

  it('fits into a file system, with its extension', () => {
    const name = safeFileName(`${'録'.repeat(300)}.wav`);
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(200);
    expect(name).toMatch(/^録+\.wav$/);
  });
});
