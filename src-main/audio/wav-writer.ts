/** WAV files as the program writes them: mono of 16 bits, and lossless copies of 32 bits. Machines that it runs on are little-endian. */

/** Samples as 16-bit integers, clipped at full scale; readers divide by the same 32768. */
export function int16(samples: Float32Array): Int16Array {
  const out = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    out[i] = Math.max(-32768, Math.min(32767, Math.round(samples[i] * 32768)));
  }
  return out;
}

/** Samples as the bytes of 16-bit integers, clipped at full scale. */
export function pcm16(samples: Float32Array): Uint8Array {
  return new Uint8Array(int16(samples).buffer);
}

/** A comment (`LIST`, `INFO`, `ICMT`), of a length that does not depend on the samples. */
function commentChunk(comment: string): Buffer {
  const text = Buffer.from(`${comment}\0${comment.length % 2 === 0 ? '\0' : ''}`, 'latin1');
  const chunk = Buffer.alloc(20 + text.length);
  chunk.write('LIST', 0, 'latin1');
  chunk.writeUInt32LE(chunk.length - 8, 4);
  chunk.write('INFOICMT', 8, 'latin1');
  chunk.writeUInt32LE(text.length, 16);
  text.copy(chunk, 20);
  return chunk;
}

/**
 * The header of a mono WAV file of 16 bits.
 * @param samples null where it is not known yet; more than fit its 32 bits are reported as "to the end"
 */
export function waveHeader(sampleRateHz: number, samples: number | null, comment?: string): Uint8Array {
  const format = { tag: 1, bytes: 2, validBits: 16 } as const;
  const between = comment === undefined ? undefined : commentChunk(comment);
  return headerOf({ sampleRateHz, channels: 1 }, format, samples === null ? Infinity : 2 * samples, between);
}

/** A mono WAV file of 16-bit samples. */
export function wavBytes(samples: Int16Array, sampleRateHz = 16_000): Uint8Array {
  const header = waveHeader(sampleRateHz, samples.length);
  const bytes = new Uint8Array(header.length + samples.byteLength);
  bytes.set(header);
  bytes.set(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength), header.length);
  return bytes;
}

/** A mono WAV file of 16 bits; what is beyond full scale is clipped. */
export function wav16(samples: Float32Array, sampleRateHz = 16_000): Uint8Array {
  return wavBytes(int16(samples), sampleRateHz);
}

/** How samples are written. */
export interface WaveFormat {
  tag: 1 | 3 | 6 | 7;
  bytes: number;
  validBits: number;
  /** WAVE_FORMAT_EXTENSIBLE, also where neither depth nor number of channels asks for it. */
  extensible?: boolean;
}

const extensibleTag = 0xfffe;

/**
 * The header of a WAV file.
 * @param dataBytes more than fit its 32 bits are reported as "to the end"
 * @param between a chunk before the samples
 */
export function headerOf(
  { sampleRateHz, channels }: { sampleRateHz: number; channels: number },
  { tag, bytes, validBits, extensible = channels > 2 || validBits !== 8 * bytes }: WaveFormat,
  dataBytes: number,
  between: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const formatBytes = extensible ? 40 : tag === 1 ? 16 : 18;
  const dataAt = 20 + formatBytes + between.length;
  const header = Buffer.alloc(dataAt + 8);
  const length = (count: number): number => Math.min(count, 0xffffffff);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(length(header.length - 8 + dataBytes + (dataBytes % 2 || 0)), 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(formatBytes, 16);
  header.writeUInt16LE(extensible ? extensibleTag : tag, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(sampleRateHz, 24);
  header.writeUInt32LE(sampleRateHz * channels * bytes, 28);
  header.writeUInt16LE(channels * bytes, 32);
  header.writeUInt16LE(8 * bytes, 34);
  if (extensible) {
    header.writeUInt16LE(22, 36);
    header.writeUInt16LE(validBits, 38);
    // The format's tag and the end of every GUID that Microsoft made of one.
    header.writeUInt16LE(tag, 44);
    header.write('\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71', 46, 'latin1');
  }
  header.set(between, 20 + formatBytes);
  header.write('data', dataAt, 'latin1');
  header.writeUInt32LE(length(dataBytes), dataAt + 4);
  return header;
}

/**
 * A WAV file of 32-bit samples (WAVE_FORMAT_EXTENSIBLE), lossless for integers of up to 24 bits and for floats.
 * @param format.integerBits of the recording's samples, as its header says; null for floats
 */
export function waveOf(
  interleaved: Float32Array,
  format: { channels: number; sampleRateHz: number; integerBits: number | null },
): Uint8Array {
  const { channels, sampleRateHz, integerBits } = format;
  const tag = integerBits === null ? 3 : 1;
  const samples = { tag, bytes: 4, validBits: integerBits ?? 32, extensible: true } as const;
  const header = headerOf({ channels, sampleRateHz }, samples, 4 * interleaved.length);
  const headerBytes = header.length;
  const bytes = new Uint8Array(headerBytes + 4 * interleaved.length);
  bytes.set(header);
  if (integerBits === null) {
    new Float32Array(bytes.buffer, headerBytes).set(interleaved);
  } else {
    const integers = new Int32Array(bytes.buffer, headerBytes);
    for (let i = 0; i < interleaved.length; i++) integers[i] = Math.min(2147483647, interleaved[i] * 2147483648);
  }
  return bytes;
}
