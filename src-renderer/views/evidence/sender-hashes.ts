/** Reads hashes as `sha256sum`, `md5sum` and the like write them, one line each. */

const line = /^\s*\\?([0-9a-f]{64}|[0-9a-f]{32})\s+\*?(.+?)\s*$/i;
/** As OpenSSL and BSD's tools write: `SHA256 (name) = digits`. */
const tagged = /^\s*(?:SHA2?-?256|MD5)\s*\((.+)\)\s*=\s*([0-9a-f]{64}|[0-9a-f]{32})\s*$/i;

/** Hashes by file name (the last part of a path), and the number of the first line that is none, or null. */
export function readSenderHashes(text: string): { hashes: Record<string, string>; badLine: number | null } {
  const hashes: Record<string, string> = {};
  let badLine: number | null = null;
  text.split(/\r?\n/).forEach((written, index) => {
    if (written.trim() === '' || written.trim().startsWith('#')) {
      return;
    }
    const plain = line.exec(written);
    const withTag = tagged.exec(written);
    const [name, hash] = plain !== null ? [plain[2], plain[1]] : withTag !== null ? [withTag[1], withTag[2]] : ['', ''];
    const fileName = name.split(/[/\\]/).at(-1) ?? '';
    if (fileName === '') {
      badLine ??= index + 1;
    } else {
      hashes[fileName] = hash.toLowerCase();
    }
  });
  return { hashes, badLine };
}
