/**
 * Time stamps of RFC 3161: the request, and what a token says. A token is a CMS SignedData (RFC 5652) over a TSTInfo; who signed it is
 * looked at in chain.ts.
 */
import { constants, createHash, timingSafeEqual, verify, X509Certificate } from 'node:crypto';
import { Boolean as Asn1Boolean, Integer, Null, ObjectIdentifier, OctetString, Sequence } from 'asn1js';
import { context, Element, NotAsAsked, sequence, set } from './asn1.ts';

const ids = {
  signedData: '1.2.840.113549.1.7.2',
  timeStampInfo: '1.2.840.113549.1.9.16.1.4',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingCertificate: '1.2.840.113549.1.9.16.2.12',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
  pss: '1.2.840.113549.1.1.10',
};
const digests: Record<string, string> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
const sha256Id = '2.16.840.1.101.3.4.2.1';
const integerTag = 2;
const octetsTag = 4;
const generalizedTimeTag = 24;

const sha = (name: string, bytes: Uint8Array): Buffer => createHash(name).update(bytes).digest();
const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);

/**
 * A request for a stamp of a message, with SHA-256, asking for the authority's certificates.
 * @param nonce that the answer has to repeat; with files nothing needs it, since the stamp is of that one message
 */
export function timeStampRequest(message: string, nonce: bigint | null): Uint8Array {
  const algorithm = new Sequence({ value: [new ObjectIdentifier({ value: sha256Id }), new Null()] });
  const hashedMessage = new OctetString({ valueHex: Uint8Array.from(sha('sha256', Buffer.from(message))).buffer });
  const value = [
    new Integer({ value: 1 }),
    new Sequence({ value: [algorithm, hashedMessage] }),
    ...(nonce === null ? [] : [Integer.fromBigInt(nonce)]),
    new Asn1Boolean({ value: true }),
  ];
  return new Uint8Array(new Sequence({ value }).toBER());
}

/** What an authority says of a message. */
export interface TimeStamp {
  /** ISO 8601, UTC, to the digits that the authority gave. */
  time: string;
  serial: string;
  policy: string;
  /** SHA-256 of the message, in hexadecimal. */
  imprint: string;
  nonce: bigint | null;
  /** Whose key signed it. */
  signer: X509Certificate;
  /** All that came along, the signer's among them. */
  certificates: X509Certificate[];
}

/** Of PKIFailureInfo, in words. */
const failures: Record<number, string> = {
  0: 'it does not take SHA-256',
  2: 'it does not take such requests',
  5: 'it could not read the request',
  14: 'its clock is not available',
  15: 'it does not take the policy',
  16: 'it does not take extensions',
  17: 'what was asked for besides is not available',
  25: 'it has a failure of its own',
};

/** The token of an authority's answer. @throws NotAsAsked where it refused, or it is no answer */
export function tokenOf(answer: Uint8Array): Uint8Array {
  const response = Element.read(answer);
  const status = response.part(0, sequence);
  const granted = status.part(0, integerTag).integer;
  if (granted > 1n) {
    const told = status.parts.slice(1).flatMap((part) => {
      if (part.tag === sequence) return part.parts.map((text) => `it says “${Buffer.from(text.content).toString()}”`);
      return part.bits.map((bit) => failures[bit] ?? `failure ${bit}`);
    });
    throw new NotAsAsked(`the authority refused: ${told.join(', ') || `status ${granted}`}`);
  }
  return response.part(1, sequence).bytes;
}

/** `20261130171500.5Z` as ISO 8601. */
function timeOf(element: Element): string {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d+)?Z$/.exec(
    Buffer.from(element.content).toString('latin1'),
  );
  if (!match) throw new NotAsAsked('its time cannot be read');
  const [, year, month, day, hour, minute, second, fraction = ''] = match;
  const time = `${year}-${month}-${day}T${hour}:${minute}:${second}${fraction}Z`;
  if (Number.isNaN(Date.parse(time))) throw new NotAsAsked('its time cannot be read');
  return time;
}

function digestOf(algorithm: Element): string {
  const { oid } = algorithm.part(0);
  const digest = digests[oid];
  if (digest === undefined)
    throw new NotAsAsked(`it is made with a hash (${oid}) that is not taken: SHA-256 to SHA-512 are`);
  return digest;
}

/**
 * Reads a token and checks all that it holds in itself: its one signature, and what the signed attributes say of content and certificate.
 * @throws NotAsAsked saying what is wrong
 */
export function readToken(token: Uint8Array): TimeStamp {
  const wrapped = Element.read(token);
  if (wrapped.part(0).oid !== ids.signedData) throw new NotAsAsked('it is not signed');
  const signed = wrapped.part(1, context(0)).part(0, sequence);
  const encapsulated = signed.part(2, sequence);
  if (encapsulated.part(0).oid !== ids.timeStampInfo) throw new NotAsAsked('what is signed is no time stamp');
  const info = encapsulated.part(1, context(0)).part(0).octets;
  const certificates = (signed.find(context(0))?.parts ?? []).map(({ bytes }) => certificateOf(bytes));
  const signers = signed.part(-1, set);
  if (signers.parts.length !== 1) throw new NotAsAsked('it has not one signer');
  const signer = signerOf(signers.part(0, sequence), ids.timeStampInfo, info, certificates);
  return { ...stampOf(Element.read(info)), signer, certificates };
}

/** @throws NotAsAsked */
export function certificateOf(bytes: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(bytes);
  } catch {
    throw new NotAsAsked('one of its certificates cannot be read');
  }
}

function stampOf(info: Element): Pick<TimeStamp, 'time' | 'serial' | 'policy' | 'imprint' | 'nonce'> {
  const imprint = info.part(2, sequence);
  if (digestOf(imprint.part(0, sequence)) !== 'sha256') throw new NotAsAsked('it is of another hash than SHA-256');
  const rest = info.parts.slice(5);
  return {
    policy: info.part(1).oid,
    imprint: Buffer.from(imprint.part(1).octets).toString('hex'),
    serial: info.part(3, integerTag).integer.toString(16),
    time: timeOf(info.part(4, generalizedTimeTag)),
    nonce: rest.find(({ tag }) => tag === integerTag)?.integer ?? null,
  };
}

/**
 * The certificate whose key signed; by the hash of it that is signed along, as RFC 3161 and PAdES ask (RFC 2634 and 5816).
 * @param contentType of what is signed
 * @throws NotAsAsked where it is of something else, or does not hold
 */
export function signerOf(
  signerInfo: Element,
  contentType: string,
  content: Uint8Array,
  certificates: readonly X509Certificate[],
): X509Certificate {
  const attributes = signerInfo.part(3, context(0));
  const digest = digestOf(signerInfo.part(2, sequence));
  const value = (oid: string): Element | null =>
    attributes.parts
      .find((one) => one.part(0).oid === oid)
      ?.part(1, set)
      .part(0) ?? null;
  if (value(ids.contentType)?.oid !== contentType) throw new NotAsAsked('what is signed is of another kind');
  const stated = value(ids.messageDigest)?.octets;
  if (!stated || !same(stated, sha(digest, content))) throw new NotAsAsked('it was changed: its hash differs');
  const named = namedCertificate(value(ids.signingCertificateV2), value(ids.signingCertificate));
  const signer = certificates.find(({ raw }) => same(sha(named.digest, raw), named.hash));
  if (!signer) throw new NotAsAsked('the certificate of its signer did not come along');
  // What is signed is the set, not the context's [0] that it stands as.
  const message = Buffer.from(attributes.bytes);
  message[0] = 0x31;
  const signature = signerInfo.parts.slice(4).find(({ tag }) => tag === octetsTag);
  if (
    !signature ||
    !signatureHolds(signer, digest, signerInfo.part(4, sequence).part(0).oid, message, signature.octets)
  )
    throw new NotAsAsked('its signature does not hold');
  return signer;
}

function namedCertificate(v2: Element | null, v1: Element | null): { digest: string; hash: Uint8Array } {
  const first = (v2 ?? v1)?.part(0, sequence).part(0, sequence);
  if (!first) throw new NotAsAsked('it does not say by which certificate it was signed');
  const hash = first.parts.find(({ tag }) => tag === octetsTag)?.octets ?? new Uint8Array();
  if (!v2) return { digest: 'sha1', hash };
  const algorithm = first.part(0);
  return { digest: algorithm.tag === sequence ? digestOf(algorithm) : 'sha256', hash };
}

function signatureHolds(
  { publicKey }: X509Certificate,
  digest: string,
  algorithm: string,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO };
  const key = { key: publicKey, ...(algorithm === ids.pss ? pss : {}) };
  const hash = publicKey.asymmetricKeyType?.startsWith('ed') ? null : digest;
  try {
    return verify(hash, message, key, signature);
  } catch {
    return false;
  }
}
