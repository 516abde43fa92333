/** Whether a time stamp's signer is an authority's that this installation accepts. Withdrawal of certificates (CRL, OCSP) is not looked at. */
import type { X509Certificate } from 'node:crypto';
import { Element, NotAsAsked, context, sequence } from './asn1.ts';
import { certificateOf } from './authorities.ts';
import type { Authority } from './authorities.ts';
import type { TimeStamp } from './time-stamp.ts';

const timeStamping = '1.3.6.1.5.5.7.3.8';
const extendedKeyUsage = '2.5.29.37';
const basicConstraints = '2.5.29.19';
const booleanTag = 1;
const mostLinks = 8;
const mostCertificates = 20;

interface Extension {
  critical: boolean;
  value: Element;
}

function extensionOf(certificate: X509Certificate, oid: string): Extension | null {
  const toBeSigned = Element.read(certificate.raw).part(0, sequence);
  const all = toBeSigned.find(context(3))?.part(0, sequence).parts ?? [];
  const found = all.find((one) => one.part(0).oid === oid);
  if (!found) return null;
  const critical = found.find(booleanTag)?.content[0] ?? 0;
  return { critical: critical !== 0, value: Element.read(found.part(-1).octets) };
}

/** As RFC 3161, 2.3: for time stamps, for nothing else, and that critical. */
function requireTimeStamping(certificate: X509Certificate): void {
  const usage = extensionOf(certificate, extendedKeyUsage);
  const purposes = usage?.value.parts.map(({ oid }) => oid) ?? [];
  if (usage?.critical === true && purposes.length === 1 && purposes[0] === timeStamping) return;
  throw new NotAsAsked(`the certificate of its signer (${nameOf(certificate)}) is not one for time stamps alone`);
}

function validAt({ validFromDate, validToDate }: X509Certificate, time: string): boolean {
  const at = Date.parse(time);
  return validFromDate.getTime() <= at && at <= validToDate.getTime();
}

/** How many certificates may stand between this one and the signer's. */
function pathLength(certificate: X509Certificate): number {
  const limit = extensionOf(certificate, basicConstraints)?.value.parts.at(1)?.integer;
  return limit === undefined ? mostLinks : Number(limit);
}

/** The common name in a certificate's name of somebody, else all of it. */
export function commonName(name: string): string {
  return /^CN=(.+)$/m.exec(name)?.[1] ?? name.replaceAll('\n', ', ');
}

/** Who holds a certificate. */
export const nameOf = ({ subject }: X509Certificate): string => commonName(subject);

/**
 * The accepted authority that the chain of a stamp's signer ends in, each certificate valid when it was stamped.
 * @returns null where it ends in none of them
 * @throws NotAsAsked where the signer's certificate is not for time stamps, or was not valid then
 */
export function authorityOf(stamp: TimeStamp, accepted: readonly Authority[]): Authority | null {
  const { signer, certificates, time } = stamp;
  if (certificates.length > mostCertificates) throw new NotAsAsked('more certificates came along than a chain has');
  requireTimeStamping(signer);
  if (!validAt(signer, time))
    throw new NotAsAsked(`the certificate of its signer (${nameOf(signer)}) was not valid then`);
  const roots = accepted.map((authority) => ({ authority, certificate: certificateOf(authority) }));
  const above = [...roots.map(({ certificate }) => certificate), ...certificates];
  const seen = new Set<string>();
  const climb = (from: X509Certificate, links: number): Authority | null => {
    const root = roots.find(({ certificate }) => certificate.raw.equals(from.raw));
    if (root) return root.authority;
    if (links === mostLinks || seen.has(from.fingerprint256)) return null;
    seen.add(from.fingerprint256);
    for (const issuer of above) {
      const follows =
        issuer.ca && !issuer.raw.equals(from.raw) && from.checkIssued(issuer) && from.verify(issuer.publicKey);
      if (!follows || !validAt(issuer, time) || pathLength(issuer) < links) continue;
      const found = climb(issuer, links + 1);
      if (found) return found;
    }
    return null;
  };
  return climb(signer, 0);
}
