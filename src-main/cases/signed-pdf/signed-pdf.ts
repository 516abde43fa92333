/**
 * A report's PDF with a signature of the laboratory's, by a certificate that others issued (PAdES, ETSI EN 319 142-1, level B-B; ISO 32000-1, 12.8).
 * It is added behind the document as an update, so that the report that was issued is still there, byte for byte, up to its own end.
 */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { UserFacingError } from '../../base/errors.ts';
import { NotAsAsked } from '../anchors/asn1.ts';
import { commonName } from '../anchors/chain.ts';
import { detachedSignature, signerOfDetached } from './cms.ts';
import type { Signer } from './cms.ts';

/** Room for the signature with its certificates; hexadecimal digits take twice as much. */
const signatureBytes = 16 * 1024;
/** Digits of each number of a byte range, which is written when all lengths are known. */
const rangeDigits = 10;
const fewestRsaBits = 2048;

/** PDFs are looked at as text of one byte a character. */
const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

interface PdfObject {
  /** `12 0`, as references name it. */
  id: string;
  /** Between `<<` and `>>`. */
  dictionary: string;
}

/** What the end of a document says of it. */
interface Trailer {
  xrefAt: number;
  size: number;
  root: string;
  info: string | null;
  fileId: string | null;
}

class Refusal extends Error {}

function trailerOf(text: string): Trailer {
  const end = /startxref\s+(\d+)\s+%%EOF\s*$/.exec(text);
  const from = text.lastIndexOf('trailer');
  const dictionary = end && from >= 0 ? text.slice(from, end.index) : '';
  const size = /\/Size (\d+)/.exec(dictionary)?.[1];
  const root = /\/Root (\d+ \d+) R/.exec(dictionary)?.[1];
  if (!end || size === undefined || root === undefined)
    throw new Refusal('it does not end as a PDF of this program does');
  if (dictionary.includes('/Encrypt')) throw new Refusal('it is encrypted');
  return {
    xrefAt: Number(end[1]),
    size: Number(size),
    root,
    info: /\/Info (\d+ \d+) R/.exec(dictionary)?.[1] ?? null,
    fileId: /\/ID\s*(\[[^\]]*\])/.exec(dictionary)?.[1] ?? null,
  };
}

/** An object of a document that has one table of plain places. */
function objectOf(text: string, { xrefAt }: Trailer, id: string): PdfObject {
  const [number] = id.split(' ').map(Number);
  const table = /^xref\s+0 (\d+)\s+/.exec(text.slice(xrefAt, xrefAt + 40));
  const entry = xrefAt + (table?.[0].length ?? 0) + 20 * number;
  const place = Number(text.slice(entry, entry + 10));
  const end = text.indexOf('endobj', place);
  const match = /^(\d+ \d+) obj\s*<<([^]*)>>\s*$/.exec(text.slice(place, end));
  if (!table || match?.[1] !== id) throw new Refusal(`its object ${id} is not where its table says`);
  return { id, dictionary: match[2] };
}

function reference(dictionary: string, key: string): string {
  const found = new RegExp(`/${key}\\s*\\[?\\s*(\\d+ \\d+) R`).exec(dictionary)?.[1];
  if (found === undefined) throw new Refusal(`it has no ${key}`);
  return found;
}

/** A text in a PDF, of any characters. */
const pdfText = (text: string): string =>
  `<${Buffer.from(`\uFEFF${text}`, 'utf16le').swap16().toString('hex').toUpperCase()}>`;

const pdfTime = (time: Date): string => `(D:${time.toISOString().replaceAll(/[-:T]|\.\d+Z/g, '')}Z)`;

/** What a signature says besides. */
export interface Statement {
  /** Who signs, where the certificate's name does not say it. */
  name: string;
  reason: string;
  time: Date;
}

/**
 * The document with a signature behind it.
 * @param pdf as this program makes them
 * @throws UserFacingError `unsupported` where the document is another's, or signed
 */
export function signPdf(pdf: Uint8Array, signer: Signer, statement: Statement): Uint8Array {
  try {
    return signed(pdf, signer, statement);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new UserFacingError('unsupported', `The document cannot be signed: ${error.message}.`, {
      advice: 'Sign a report that this program issued (report --again gives it out once more).',
      cause: error,
    });
  }
}

function signed(pdf: Uint8Array, signer: Signer, { name, reason, time }: Statement): Uint8Array {
  const text = textOf(pdf);
  const trailer = trailerOf(text);
  const catalog = objectOf(text, trailer, trailer.root);
  if (catalog.dictionary.includes('/AcroForm')) throw new Refusal('it has a form or a signature');
  const pages = objectOf(text, trailer, reference(catalog.dictionary, 'Pages'));
  const page = objectOf(text, trailer, reference(pages.dictionary, 'Kids'));
  const [fieldId, valueId] = [`${trailer.size} 0`, `${trailer.size + 1} 0`];
  const annotations = /\/Annots\s*\[([^\]]*)\]/.exec(page.dictionary);
  if (!annotations && page.dictionary.includes('/Annots')) throw new Refusal('notes of its first page lie elsewhere');
  const annotated = annotations
    ? page.dictionary.replace(annotations[0], `/Annots [${annotations[1]} ${fieldId} R]`)
    : `${page.dictionary}\n/Annots [${fieldId} R]\n`;
  const blankRange = `[0 ${Array.from({ length: 3 }, () => '*'.repeat(rangeDigits)).join(' ')}]`;
  const objects: PdfObject[] = [
    { id: trailer.root, dictionary: `${catalog.dictionary}\n/AcroForm << /SigFlags 3 /Fields [${fieldId} R] >>\n` },
    { id: page.id, dictionary: annotated },
    // Without a picture on the page, which was issued as it is.
    {
      id: fieldId,
      dictionary: ` /Type /Annot /Subtype /Widget /FT /Sig /T (Laboratory) /F 132 /Rect [0 0 0 0] /P ${page.id} R /V ${valueId} R `,
    },
    {
      id: valueId,
      dictionary:
        ` /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /Name ${pdfText(name)} /Reason ${pdfText(reason)}` +
        ` /M ${pdfTime(time)} /ByteRange ${blankRange} /Contents <${'0'.repeat(2 * signatureBytes)}> `,
    },
  ];
  let update = '\n';
  const places: { number: number; place: number }[] = [];
  for (const { id, dictionary } of objects) {
    places.push({ number: Number(id.split(' ')[0]), place: pdf.length + update.length });
    update += `${id} obj\n<<${dictionary}>>\nendobj\n`;
  }
  const xrefAt = pdf.length + update.length;
  update += 'xref\n';
  for (const { number, place } of places.sort((one, other) => one.number - other.number)) {
    update += `${number} 1\n${String(place).padStart(10, '0')} 00000 n \n`;
  }
  const kept = [
    `/Size ${trailer.size + 2}`,
    `/Root ${trailer.root} R`,
    ...(trailer.info === null ? [] : [`/Info ${trailer.info} R`]),
    ...(trailer.fileId === null ? [] : [`/ID ${trailer.fileId}`]),
    `/Prev ${trailer.xrefAt}`,
  ];
  update += `trailer\n<< ${kept.join(' ')} >>\nstartxref\n${xrefAt}\n%%EOF\n`;
  const all = Buffer.concat([pdf, Buffer.from(update, 'latin1')]);
  const hexAt = all.lastIndexOf('/Contents <') + '/Contents '.length;
  const after = hexAt + 2 * signatureBytes + 2;
  const range = [hexAt, after, all.length - after].map((number) => String(number).padStart(rangeDigits));
  all.write(`[0 ${range.join(' ')}]`, all.lastIndexOf(blankRange), 'latin1');
  const signature = detachedSignature(Buffer.concat([all.subarray(0, hexAt), all.subarray(after)]), signer);
  if (signature.length > signatureBytes) throw new Refusal('certificates and signature take more room than there is');
  all.write(Buffer.from(signature).toString('hex'), hexAt + 1, 'latin1');
  return all;
}

/** A signature that was added behind a document. */
export interface PdfSignature {
  /** The document before it. */
  document: Uint8Array;
  /** Null where it does not hold. */
  certificate: X509Certificate | null;
  /** What is wrong with it. */
  problem: string | null;
}

/** The last signature behind a document; null where there is none. */
export function signatureBehind(pdf: Uint8Array): PdfSignature | null {
  const text = textOf(pdf);
  const at = text.lastIndexOf('/ByteRange [');
  const range = /^\/ByteRange \[0 +(\d+) +(\d+) +(\d+)\]/.exec(text.slice(at, at + 80));
  if (at < 0 || !range) return null;
  const [hexAt, after, rest] = range.slice(1).map(Number);
  const document = pdf.subarray(0, text.lastIndexOf('%%EOF', at) + '%%EOF\n'.length);
  try {
    // Nothing but the signature itself may lie outside of what it is of.
    if (after + rest !== pdf.length || text[hexAt] !== '<' || text[after - 1] !== '>' || hexAt < at || after <= hexAt)
      throw new NotAsAsked('something was added behind it');
    const hex = text.slice(hexAt + 1, after - 1);
    if (!/^[0-9a-f]*$/i.test(hex)) throw new NotAsAsked('it is not written as one');
    const content = Buffer.concat([pdf.subarray(0, hexAt), pdf.subarray(after)]);
    return { document, certificate: signerOfDetached(unpadded(Buffer.from(hex, 'hex')), content), problem: null };
  } catch (error) {
    if (!(error instanceof NotAsAsked)) throw error;
    return { document, certificate: null, problem: error.message };
  }
}

/** Without the zeros behind an element of DER. */
function unpadded(bytes: Buffer): Buffer {
  const lengthBytes = bytes.length > 1 && bytes[1] > 0x80 ? bytes[1] - 0x80 : 0;
  if (lengthBytes === 0 || lengthBytes > 3) return bytes;
  return bytes.subarray(0, 2 + lengthBytes + bytes.readUIntBE(2, lengthBytes));
}

/** In one line: whose certificate, and by whom. */
export function certificateWords({ subject, issuer, fingerprint256 }: X509Certificate): string {
  const by = subject === issuer ? 'itself' : commonName(issuer);
  return `${commonName(subject)}, certified by ${by} (SHA-256 ${fingerprint256})`;
}

/**
 * A laboratory's key and certificates.
 * @param passphrase null where none was given
 * @throws UserFacingError `certificate` saying what does not fit
 */
export function readSigner(
  keyPem: string,
  certificatesPem: string,
  passphrase: string | null,
  now = new Date(),
): Signer {
  const refused = (why: string, advice: string, cause?: unknown): UserFacingError =>
    new UserFacingError('certificate', `Nothing can be signed with this key and certificate: ${why}.`, {
      advice,
      cause,
    });
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: keyPem, ...(passphrase === null ? {} : { passphrase }) });
  } catch (cause) {
    throw refused(
      'the key cannot be read',
      'It has to be PEM (PKCS #8, RSA or EC); EARWITNESS_KEY_PASSPHRASE takes its passphrase.',
      cause,
    );
  }
  const blocks = certificatesPem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  let certificates: X509Certificate[];
  try {
    certificates = blocks.map((block) => new X509Certificate(block));
  } catch (cause) {
    throw refused('a certificate cannot be read', 'They have to be PEM.', cause);
  }
  const own = certificates.find((one) => one.checkPrivateKey(key));
  if (own === undefined) {
    throw refused(
      'no certificate belongs to the key',
      'Name the file that holds the certificate of this key, and those above it.',
    );
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if ((type !== 'rsa' && type !== 'ec') || (type === 'rsa' && (details?.modulusLength ?? 0) < fewestRsaBits)) {
    throw refused(`its kind is ${type ?? 'unknown'}`, `Take RSA of at least ${fewestRsaBits} bits, or EC.`);
  }
  if (now < own.validFromDate || now > own.validToDate) {
    throw refused(`the certificate is valid from ${own.validFrom} to ${own.validTo}`, 'Take one that is valid now.');
  }
  return { key, certificates: [own, ...certificates.filter((one) => one !== own)] };
}
