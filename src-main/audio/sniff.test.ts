import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Random } from '../base/random.ts';
import { sha256File } from './hash.ts';
import { sniff } from './sniff.ts';
import { temporaryFolder, tone, wav16 } from './testing.ts';

const folder = temporaryFolder();
function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}
const latin = (text: string) => Buffer.from(text, 'latin1');

describe('sniff', () => {
  test.each<[string, string | Uint8Array, string]>([
    ['wav under another name.txt', wav16(tone(440, 16000, 0.1), 16000), 'wav'],
    ['flac.wav', latin('fLaC\0\0\0\x22'), 'flac'],
    ['text.wav', 'This is no recording.\n', 'none'],
    ['utf8.mp3', 'Grüße, 語音 и речь\n'.repeat(400), 'none'],
    ['cut in a character.txt', `a${'é'.repeat(3000)}`, 'none'],
    ['latin1.txt', latin('caf\xe9 na\xefve fa\xe7ade, und so weiter\n'), 'none'],
    ['utf16.txt', Buffer.from('\ufeffThis is text too\r\n', 'utf16le'), 'none'],
    ['empty.wav', '', 'none'],
    ['document.pdf', '%PDF-1.7\n\0\x01', 'none'],
    ['picture.png', latin('\x89PNG\r\n\x1a\n\0\0\0\rIHDR'), 'none'],
    ['picture.jpg', latin('\xff\xd8\xff\xe0\0\x10JFIF\0'), 'none'],
    ['picture.webp', latin('RIFF\x10\0\0\0WEBPVP8 \0\0'), 'none'],
    ['picture.heic', latin('\0\0\0\x18ftypheic\0\0\0\0'), 'none'],
    ['archive.zip', latin('PK\x03\x04\x14\0\0\0'), 'none'],
    ['archive.gz', gzipSync('text'), 'none'],
    ['playlist.mp3', '#EXTM3U\n/etc/passwd\n\0\x01', 'none'],
    ['script', 'ffconcat version 1.0\nfile x\n', 'none'],
    ['mp3', latin('ID3\x04\0\0\0\0\0\0'), 'other'],
    ['mp3 without a tag', latin('\xff\xfb\x90\x64\0\0\0\0\x01\x02'), 'other'],
    ['mp4', latin('\0\0\0\x18ftypisom\0\0\0\0'), 'other'],
    ['amr', latin('#!AMR\n\x3c\x48'), 'other'],
    ['sphere', 'NIST_1A\n   1024\n', 'other'],
    ['ogg', latin('OggS\0\x02\0\0'), 'other'],
    ['long wav', latin('RF64\xff\xff\xff\xffWAVEds64'), 'wav'],
  ])('%s', async (name, content, kind) => {
    expect(await sniff(file(name, content))).toBe(kind);
  });

  test('anything binary that is not known may be a damaged recording', async () => {
    const random = new Random(3);
    const content = new Uint8Array(10000).map(() => random.below(256));
    expect(await sniff(file('unknown', content))).toBe('other');
  });

  test('what is no file is no recording, and is not waited for', async () => {
    mkdirSync(join(folder, 'sub'));
    expect(await sniff(join(folder, 'sub'))).toBe('none');
    if (process.platform === 'win32') return;
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    symlinkSync('/dev/zero', join(folder, 'zero.wav'));
    expect(await sniff(join(folder, 'pipe'))).toBe('none');
    expect(await sniff(join(folder, 'zero.wav'))).toBe('none');
  });

  test('a missing file and a circle of links are said to be such', async () => {
    await expect(sniff(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'missing' });
    if (process.platform === 'win32') return;
    symlinkSync('loop', join(folder, 'loop'));
    await expect(sniff(join(folder, 'loop'))).rejects.toMatchObject({ code: 'unreadable' });
  });
});

describe('sha256File', () => {
  test('gives the digest of short, long and empty files', async () => {
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    const none = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    const million = 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0';
    expect(await sha256File(file('abc', 'abc'))).toBe(abc);
    expect(await sha256File(file('none', ''))).toBe(none);
    expect(await sha256File(file('million', 'a'.repeat(1_000_000)))).toBe(million);
  });

  test('stops when asked, and says what it cannot read', async () => {
    await expect(sha256File(file('abc', 'abc'), AbortSignal.abort())).rejects.toThrow('abort');
    await expect(sha256File(folder)).rejects.toMatchObject({ code: 'not-a-file' });
  });
});
