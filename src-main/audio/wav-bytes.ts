/** The head of a mono WAV file of 16 bits with so many samples. */
export function wavHeader(samples: number, rateHz: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(44));
  const text = (at: number, letters: string): void => {
    for (let i = 0; i < letters.length; i++) view.setUint8(at + i, letters.charCodeAt(i));
  };
  text(0, 'RIFF');
  view.setUint32(4, 36 + 2 * samples, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rateHz, true);
  view.setUint32(28, 2 * rateHz, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, 2 * samples, true);
  return new Uint8Array(view.buffer);
}

/** A mono WAV file of 16 bits. */
export function wavBytes(samples: Int16Array, rateHz = 16_000): Uint8Array {
  const bytes = new Uint8Array(44 + 2 * samples.length);
  bytes.set(wavHeader(samples.length, rateHz));
  const view = new DataView(bytes.buffer, 44);
  samples.forEach((sample, i) => view.setInt16(2 * i, sample, true));
  return bytes;
}
