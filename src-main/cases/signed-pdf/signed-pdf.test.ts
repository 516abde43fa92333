import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PDFDocument from 'pdfkit';
import { beforeAll, describe, expect, it } from 'vitest';
import { hasOpenssl, TestAuthority } from '../anchors/testing.ts';
import { readSigner, signatureBehind, signPdf } from './signed-pdf.ts';

const statement = { name: 'Ääkköset Laboratory', reason: 'Issued report', time: new Date('2026-11-30T20:00:00Z') };

/** A document of two pages, with or without a link on the first. */
async function document(linked: boolean): Promise<Uint8Array> {
  const pdf = new PDFDocument({ info: { Title: 'A test' } });
  const parts: Buffer[] = [];
  const whole = new Promise<Buffer>((resolve) => {
    pdf.on('data', (part: Buffer) => parts.push(part));
    pdf.on('end', () => resolve(Buffer.concat(parts)));
  });
  pdf.text('What was found', linked ? { link: 'https://example.org' } : {});
  pdf.addPage().text('And how');
  pdf.end();
  return whole;
}

describe.skipIf(!hasOpenssl)('A signature behind a PDF', () => {
  let folder: string;
  let pem: (name: string) => string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'earwitness-signed-'));
    for (const kind of ['rsa', 'ec'] as const) new TestAuthority(join(folder, kind), kind);
    pem = (name) => readFileSync(join(folder, name), 'utf8');
    return () => rmSync(folder, { recursive: true, force: true });
  });

  const signer = (kind: 'rsa' | 'ec') =>
    readSigner(pem(`${kind}/signer.key`), `${pem(`${kind}/middle.pem`)}${pem(`${kind}/signer.pem`)}`, null);

  it.each([
    ['rsa', false],
    ['ec', true],
  ] as const)('of a key of %s is one to OpenSSL, and leaves the document before it', async (kind, linked) => {
    const pdf = await document(linked);
    const signed = signPdf(pdf, signer(kind), statement);
    expect(Buffer.from(signed.subarray(0, pdf.length)).equals(Buffer.from(pdf))).toBe(true);
    const found = signatureBehind(signed);
    expect(found?.problem).toBeNull();
    expect(found?.certificate?.subject).toContain("CN=A test's signer");
    expect(Buffer.from(found?.document ?? []).equals(Buffer.from(pdf))).toBe(true);

    const text = Buffer.from(signed).toString('latin1');
    const [, hexAt, after, rest] = /\/ByteRange \[0 +(\d+) +(\d+) +(\d+)\]/.exec(text)?.map(Number) ?? [];
    expect(after + rest).toBe(signed.length);
    const paths = ['content', 'signature.der', 'out'].map((name) => join(folder, `${kind}-${name}`));
    writeFileSync(paths[0], Buffer.concat([signed.subarray(0, hexAt), signed.subarray(after)]));
    writeFileSync(paths[1], Buffer.from(text.slice(hexAt + 1, after - 1), 'hex'));
    const trusted = ['-CAfile', join(folder, kind, 'root.pem'), '-purpose', 'any'];
    const asked = ['-binary', '-inform', 'DER', '-in', paths[1], '-content', paths[0], '-out', paths[2]];
    execFileSync('openssl', ['cms', '-verify', ...asked, ...trusted], { stdio: 'pipe' });
  });

  it('does not hold where document or signature was changed, or something follows', async () => {
    const signed = signPdf(await document(true), signer('ec'), statement);
    const changed = Uint8Array.from(signed);
    changed[200] ^= 1;
    expect(signatureBehind(changed)?.problem).toBe('it was changed: its hash differs');
    const longer = Buffer.concat([signed, Buffer.from('\n% more\n')]);
    expect(signatureBehind(longer)?.problem).toBe('something was added behind it');
    const spoilt = Buffer.from(signed);
    const hexAt = Number(/\/ByteRange \[0 +(\d+)/.exec(spoilt.toString('latin1'))?.[1]);
    spoilt.write('ff', hexAt + 41, 'latin1');
    expect(signatureBehind(spoilt)?.problem).toBeTruthy();
    expect(signatureBehind(await document(false))).toBeNull();
  });

  it('is refused of a document that has one, and of what is none of ours', async () => {
    const signed = signPdf(await document(false), signer('rsa'), statement);
    expect(() => signPdf(signed, signer('rsa'), statement)).toThrow(/cannot be signed: /);
    expect(() => signPdf(Buffer.from('%PDF-1.7\nnothing\n%%EOF\n'), signer('rsa'), statement)).toThrow(
      /does not end as a PDF of this program/,
    );
  });

  it('is refused by a key without its certificate, and one that is not valid now', () => {
    expect(() => readSigner(pem('ec/signer.key'), pem('rsa/signer.pem'), null)).toThrow(/no certificate belongs/);
    expect(() => readSigner('no key', pem('rsa/signer.pem'), null)).toThrow(/key cannot be read/);
    const late = new Date(Date.now() + 60 * 86_400_000);
    expect(() => readSigner(pem('ec/signer.key'), pem('ec/signer.pem'), null, late)).toThrow(/is valid from/);
  });
});
