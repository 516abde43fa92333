/** A path for people and tables: bytes that are no UTF-8 as `\xHH`. */
export function displayPath(request: { path: string; nameBytes: Uint8Array | null }): string {
  if (request.nameBytes === null) return request.path;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const bytes = Buffer.from(request.nameBytes);
  let text = '';
  for (let at = 0; at < bytes.length;) {
    // The longest valid character of up to four bytes, else one escaped byte.
    let length = 1;
    let character: string | undefined;
    for (; length <= 4 && at + length <= bytes.length; length++) {
      try {
        character = decoder.decode(bytes.subarray(at, at + length));
        break;
      } catch {
        continue;
      }
    }
    if (character === undefined) {
      text += `\\x${bytes[at].toString(16).toUpperCase().padStart(2, '0')}`;
      at++;
    } else {
      text += character;
      at += length;
    }
  }
  return text;
}
