/** The signature in a signed PDF: a detached CMS SignedData (RFC 5652) with what PAdES asks of it (ETSI EN 319 142-1, level B-B). */
import { createHash, sign } from 'node:crypto';
import type { KeyObject, X509Certificate } from 'node:crypto';
import { Constructed, Integer, Null, ObjectIdentifier, OctetString, Sequence, Set as Asn1Set, fromBER } from 'asn1js';
import type { AsnType } from 'asn1js';
import { context, Element, NotAsAsked, sequence, set } from '../anchors/asn1.ts';
import { certificateOf, signerOf } from '../anchors/time-stamp.ts';

const ids = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
  sha256: '2.16.840.1.101.3.4.2.1',
  rsaSha256: '1.2.840.113549.1.1.11',
  ecdsaSha256: '1.2.840.10045.4.3.2',
};

const oid = (value: string): ObjectIdentifier => new ObjectIdentifier({ value });
const octets = (bytes: Uint8Array): OctetString => new OctetString({ valueHex: Uint8Array.from(bytes).buffer });
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const attribute = (id: string, value: AsnType): Sequence =>
  new Sequence({ value: [oid(id), new Asn1Set({ value: [value] })] });
const tagged = (tagNumber: number, value: AsnType[]): Constructed =>
  new Constructed({ idBlock: { tagClass: 3, tagNumber }, value });
const parsed = (bytes: Uint8Array): AsnType => fromBER(Uint8Array.from(bytes)).result;

/** With the key that belongs to the first certificate; those after it lead to its root. */
export interface Signer {
  key: KeyObject;
  certificates: readonly [X509Certificate, ...X509Certificate[]];
}

/** Signs bytes that lie beside it. @returns DER */
export function detachedSignature(content: Uint8Array, { key, certificates }: Signer): Uint8Array {
  const [own] = certificates;
  const certificate = Element.read(own.raw).part(0, sequence);
  // A version stands before serial number, algorithm and issuer in all certificates of version 2 and 3.
  const from = certificate.parts[0].tag === context(0) ? 1 : 0;
  const [serial, issuer] = [certificate.part(from), certificate.part(from + 2, sequence)];
  const digestAlgorithm = (): Sequence => new Sequence({ value: [oid(ids.sha256)] });
  const attributes = [
    attribute(ids.contentType, oid(ids.data)),
    attribute(ids.messageDigest, octets(sha256(content))),
    attribute(
      ids.signingCertificateV2,
      new Sequence({ value: [new Sequence({ value: [new Sequence({ value: [octets(sha256(own.raw))] })] })] }),
    ),
  ];
  // DER sorts the members of a set by their bytes.
  attributes.sort((one, other) => Buffer.compare(Buffer.from(one.toBER()), Buffer.from(other.toBER())));
  const message = new Uint8Array(new Asn1Set({ value: attributes }).toBER());
  const rsa = key.asymmetricKeyType === 'rsa';
  const signerInfo = new Sequence({
    value: [
      new Integer({ value: 1 }),
      new Sequence({ value: [parsed(issuer.bytes), parsed(serial.bytes)] }),
      digestAlgorithm(),
      tagged(0, attributes),
      new Sequence({ value: rsa ? [oid(ids.rsaSha256), new Null()] : [oid(ids.ecdsaSha256)] }),
      octets(sign('sha256', message, key)),
    ],
  });
  const signed = new Sequence({
    value: [
      new Integer({ value: 1 }),
      new Asn1Set({ value: [digestAlgorithm()] }),
      new Sequence({ value: [oid(ids.data)] }),
      tagged(
        0,
        certificates.map(({ raw }) => parsed(raw)),
      ),
      new Asn1Set({ value: [signerInfo] }),
    ],
  });
  return new Uint8Array(new Sequence({ value: [oid(ids.signedData), tagged(0, [signed])] }).toBER());
}

/** Whose signature over these bytes it is. @throws NotAsAsked where it does not hold, saying why */
export function signerOfDetached(signature: Uint8Array, content: Uint8Array): X509Certificate {
  const wrapped = Element.read(signature);
  if (wrapped.part(0).oid !== ids.signedData) throw new NotAsAsked('it is no signature');
  const signed = wrapped.part(1, context(0)).part(0, sequence);
  const certificates = (signed.find(context(0))?.parts ?? []).map(({ bytes }) => certificateOf(bytes));
  const signers = signed.part(-1, set);
  if (signers.parts.length !== 1) throw new NotAsAsked('it has not one signer');
  return signerOf(signers.part(0, sequence), ids.data, content, certificates);
}
