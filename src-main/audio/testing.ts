/** Recordings and folders for tests of sound. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { applicationRoot } from '../base/workers.ts';

/** A folder for a test file's own recordings, removed after it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'earwitness-audio-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder of real recordings beside the project, or null where there is none. */
export function sharedFolder(name: string): string | null {
  const folder = join(applicationRoot(), '..', 'shared', name);
  return existsSync(folder) ? folder : null;
}

/** Runs ffmpeg; its standard output. */
export function runFfmpeg(program: string, ...args: string[]): Buffer {
  const options = { maxBuffer: 2 ** 30, stdio: ['ignore', 'pipe', 'ignore'] as ('ignore' | 'pipe')[] };
  return execFileSync(program, ['-v', 'error', '-nostdin', '-y', ...args], options);
}

/** The floats in a buffer of little-endian ones. */
export function floats(buffer: Buffer): Float32Array {
  return new Float32Array(new Uint8Array(buffer).buffer);
}

/** A file's bytes in an array of their own. */
export function bytesOf(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

/** A sine of the given amplitude. */
export function tone(frequencyHz: number, rateHz: number, seconds: number, amplitude = 0.5): Float32Array {
  const samples = new Float32Array(Math.round(rateHz * seconds));
  for (let i = 0; i < samples.length; i++) samples[i] = amplitude * Math.sin((2 * Math.PI * frequencyHz * i) / rateHz);
  return samples;
}

export function correlation(a: Float32Array, b: Float32Array): number {
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return ab / Math.sqrt(aa * bb);
}

/** A chunk of RIFF, padded to an even length. */
export function chunk(name: string, content: Uint8Array, claimedBytes = content.length): Uint8Array {
  const out = new Uint8Array(8 + content.length + (content.length % 2));
  for (let i = 0; i < 4; i++) out[i] = name.charCodeAt(i);
  new DataView(out.buffer).setUint32(4, claimedBytes, true);
  out.set(content, 8);
  return out;
}

/** A RIFF file of chunks. */
export function riff(...chunks: Uint8Array[]): Uint8Array {
  const content = Buffer.concat([Buffer.from('WAVE'), ...chunks]);
  return new Uint8Array(chunk('RIFF', content));
}

/** A `fmt ` chunk; with `subformat` an extensible one. */
export function formatChunk(
  tag: number,
  channels: number,
  rateHz: number,
  bits: number,
  subformat?: number,
): Uint8Array {
  const content = new DataView(new ArrayBuffer(subformat === undefined ? 16 : 40));
  content.setUint16(0, tag, true);
  content.setUint16(2, channels, true);
  content.setUint32(4, rateHz, true);
  content.setUint32(8, (rateHz * channels * bits) / 8, true);
  content.setUint16(12, channels * Math.ceil(bits / 8), true);
  content.setUint16(14, bits, true);
  if (subformat !== undefined) {
    content.setUint16(16, 22, true);
    content.setUint16(18, bits, true);
    content.setUint16(24, subformat, true);
    [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71].forEach((byte, i) => content.setUint8(26 + i, byte));
  }
  return chunk('fmt ', new Uint8Array(content.buffer));
}

/** Interleaved 16-bit samples as bytes. */
export function pcm16(samples: Float32Array): Uint8Array {
  const out = new DataView(new ArrayBuffer(samples.length * 2));
  samples.forEach((x, i) => out.setInt16(i * 2, Math.max(-32768, Math.min(32767, Math.round(x * 32768))), true));
  return new Uint8Array(out.buffer);
}

/** A mono 16-bit WAV file. */
export function wav16(samples: Float32Array, rateHz: number): Uint8Array {
  return riff(formatChunk(1, 1, rateHz, 16), chunk('data', pcm16(samples)));
}

/** Matroska as ffmpeg writes it for us: packets of mono floats, each with its time in seconds (from `stampOffsetSeconds` on). */
export function timedSound(packets: { timeSeconds: number; samples: Float32Array }[], rateHz: number): Uint8Array {
  const element = (id: number[], content: Uint8Array | number[]): number[] => {
    const size = content.length;
    const length = [0x10 | (size >>> 24), (size >>> 16) & 255, (size >>> 8) & 255, size & 255];
    return [...id, ...length, ...content];
  };
  const float = new Uint8Array(8);
  new DataView(float.buffer).setFloat64(0, rateHz);
  const audio = element([0xe1], [...element([0xb5], float), ...element([0x9f], [1])]);
  const tracks = element([0x16, 0x54, 0xae, 0x6b], element([0xae], [...element([0xd7], [1]), ...audio]));
  const parts = [
    Uint8Array.from([
      ...element([0x1a, 0x45, 0xdf, 0xa3], []),
      0x18,
      0x53,
      0x80,
      0x67,
      0x01,
      ...Array<number>(7).fill(255),
    ]),
    Uint8Array.from([...element([0xec], [0, 0, 0]), ...tracks]),
  ];
  for (const { timeSeconds, samples } of packets) {
    const ticks = Math.round((1000 + timeSeconds) * 1000);
    const sound = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
    const time = [0, 0, 0, 0].map((_, index) => Math.floor(ticks / 256 ** (3 - index)) & 255);
    const block = element([0xa3], [0x81, 0, 0, 0x80, ...sound]);
    parts.push(Uint8Array.from(element([0x1f, 0x43, 0xb6, 0x75], [...element([0xe7], time), ...block])));
  }
  return Uint8Array.from(Buffer.concat(parts));
}

/** Samples of several channels, one after the other. */
export function interleaved(channels: readonly Float32Array[]): Float32Array {
  const count = channels.length;
  return Float32Array.from(
    { length: count * channels[0].length },
    (_, i) => channels[i % count][Math.floor(i / count)],
  );
}

/** The two sides of a conversation: of each voice its turns of two seconds, with faint noise on the line. */
export function call(first: Float32Array, second: Float32Array, rateHz: number): [Float32Array, Float32Array] {
  const side = (voice: Float32Array, odd: number): Float32Array =>
    voice.map((x, i) => {
      const turn = Math.floor(i / (2 * rateHz));
      return (turn % 2 === odd ? x : 0) + 0.0005 * Math.sin(i * i * (odd + 1));
    });
  return [side(first, 0), side(second, 1)];
}
