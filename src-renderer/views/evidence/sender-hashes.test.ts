import { describe, expect, it } from 'vitest';
import { readSenderHashes } from './sender-hashes.ts';

const sha256 = 'AB'.repeat(32);
const md5 = '0123456789abcdef0123456789abcdef';

describe('hashes from a sender', () => {
  it('are read as sha256sum, md5sum and OpenSSL write them', () => {
    const text = [
      `${sha256}  call 1.wav`,
      `${md5} *evidence/call 2.wav`,
      `SHA256 (call (3).wav) = ${sha256}`,
      `MD5(C:\\usb\\call 4.wav)= ${md5}`,
      '',
      '# a remark',
    ].join('\r\n');
    expect(readSenderHashes(text)).toEqual({
      hashes: {
        'call 1.wav': sha256.toLowerCase(),
        'call 2.wav': md5,
        'call (3).wav': sha256.toLowerCase(),
        'call 4.wav': md5,
      },
      badLine: null,
    });
  });

  it('name the first line that is none', () => {
    expect(readSenderHashes(`${md5}  a.wav\nabc  b.wav\n${md5}`)).toEqual({ hashes: { 'a.wav': md5 }, badLine: 2 });
  });
});
