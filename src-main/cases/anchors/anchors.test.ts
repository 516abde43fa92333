import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Verification } from '../../../src-common/schemas/custody.ts';
import { accept, acceptedNow, withdraw } from '../../base/accepted.ts';
import { headMessage } from '../keys.ts';
import type { CaseStore } from '../store.ts';
import { testCase, testFolder, testSession, thrown } from '../testing.ts';
import { verifyRecords } from '../verify-records.ts';
import { withFiles } from '../verify.ts';
import { authorities, readCertificate } from './authorities.ts';
import type { Authority } from './authorities.ts';
import { authorityOf } from './chain.ts';
import { hasOpenssl, TestAuthority } from './testing.ts';
import { readToken, timeStampRequest, tokenOf } from './time-stamp.ts';

const authorityFor = ({ root }: TestAuthority, name = 'A test'): Authority => ({
  ...{ name, acceptedAt: '2026-01-01T00:00:00.000Z', acceptedBy: 'Ada', withdrawnAt: null },
  certificate: readCertificate(root).raw.toString('base64'),
});

function anchorsIn({ checks }: Verification): { holds: boolean; remark?: boolean | undefined; sentence: string }[] {
  return checks.filter(({ subject }) => subject === 'anchor');
}

describe.skipIf(!hasOpenssl)('time stamps, by OpenSSL', () => {
  it.each(['rsa', 'ec'] as const)('anchor a log, which is then said by whom and until which row (%s)', async (key) => {
    const { store, session, folder } = testCase();
    const { home } = session.library;
    const tsa = new TestAuthority(join(testFolder(), 'tsa'), key);
    const verify = (): Promise<Verification> => withFiles(verifyRecords({ folder, home }));
    expect((await verify()).anchored).toBeNull();

    const answer = tsa.answer(timeStampRequest(store.anchors.message, null));
    // The log goes on while the answer is under way.
    const { rows } = store.head;
    store.log.note('noted', 'Something was done meanwhile.', {});
    const unknown = thrown(() => store.anchors.take(answer, 'answer.tsr', []));
    expect(unknown.code).toBe('time-stamp');
    expect(unknown.message).toMatch(
      /answer\.tsr is not taken: it is by A test's signer, whose chain \(up to A test's root\)/,
    );
    expect(store.head.rows).toBe(rows + 1);

    await accept(home, authorities, authorityFor(tsa));
    const accepted = acceptedNow(home, authorities);
    const anchor = store.anchors.take(answer, 'answer.tsr', accepted);
    expect(anchor).toMatchObject({ rows, by: 'A test' });
    expect(Math.abs(Date.parse(anchor.time) - Date.now())).toBeLessThan(60_000);
    expect(store.anchors.latest(accepted)).toEqual(anchor);
    expect(thrown(() => store.anchors.take(answer, 'answer.tsr', accepted)).message).toMatch(/the log has it already/);

    const verification = await verify();
    expect(verification).toMatchObject({ intact: true, anchored: anchor });
    expect(anchorsIn(verification)).toEqual([
      expect.objectContaining({ holds: true, sentence: `Anchored until row ${rows} by A test, ${anchor.time}.` }),
    ]);

    // OpenSSL says the same of what is kept.
    const [kept] = store.anchors.list();
    writeFileSync(join(tsa.folder, 'head.txt'), headMessage(store.id, kept));
    writeFileSync(join(tsa.folder, 'token.der'), Buffer.from(kept.token, 'base64'));
    expect(tsa.verifies('head.txt', 'token.der')).toBe(true);
    writeFileSync(join(tsa.folder, 'head.txt'), headMessage(store.id, { ...kept, rows: rows + 1 }));
    expect(tsa.verifies('head.txt', 'token.der')).toBe(false);

    // Withdrawn, and on a machine that knows no authority, it is said that it could not be checked.
    await withdraw(home, authorities, accepted[0].certificate);
    const since = await verify();
    expect(since).toMatchObject({ intact: true, anchored: null });
    expect(anchorsIn(since)[0]).toMatchObject({ holds: true, remark: true });
    expect(anchorsIn(since)[0].sentence).toMatch(
      /holds in itself, but its chain ends in no certificate that is accepted/,
    );
  });

  it('are not taken in where they are wrong or foreign, and say why', () => {
    const { store } = testCase();
    const tsa = new TestAuthority(join(testFolder(), 'tsa'));
    const other = new TestAuthority(join(testFolder(), 'other'));
    const accepted = [authorityFor(tsa)];
    const take = (answer: Uint8Array, nonce: bigint | null = null): string =>
      thrown(() => store.anchors.take(answer, 'x.tsr', accepted, nonce)).sentence;
    const { message } = store.anchors;
    const before = store.head;

    expect(take(Buffer.from('no answer'))).toMatch(/x\.tsr is not taken: it is not in ASN\.1, or not whole\. Ask/);
    expect(take(tsa.answer(timeStampRequest(message, null)).subarray(0, -1))).toMatch(/not whole/);
    expect(take(tsa.answer(timeStampRequest('something else', null)))).toMatch(/something else than a row of this log/);
    expect(take(tsa.answer(timeStampRequest(message, 7n)), 8n)).toMatch(/it answers another request/);
    expect(take(other.answer(timeStampRequest(message, null)))).toMatch(/ends in no certificate that is accepted here/);
    // A refusal, as an authority gives it whose policy was asked for otherwise: status 2 with a text and badAlg.
    const refusal = Buffer.from('3010' + '300e' + '020102' + '3005' + '0c036e6f74' + '03020780', 'hex');
    expect(take(refusal)).toMatch(/the authority refused: it says “not”, it does not take SHA-256/);

    // Every byte that is changed is seen, or changes nothing of what is said.
    const token = tokenOf(tsa.answer(timeStampRequest(message, null)));
    const whole = readToken(token);
    let refused = 0;
    for (let at = 0; at < token.length; at += 7) {
      const changed = Uint8Array.from(token);
      changed[at] ^= 1;
      try {
        const read = readToken(changed);
        expect({ ...read, signer: 0, certificates: 0 }).toEqual({ ...whole, signer: 0, certificates: 0 });
        expect(authorityOf(read, accepted)?.name ?? null).toBeOneOf(['A test', null]);
      } catch {
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(token.length / 14);
    expect(store.head).toEqual(before);
  });

  it('count by the certificate of their signer: for stamps alone, valid then, below a root', () => {
    const tsa = new TestAuthority(join(testFolder(), 'tsa'));
    const stamp = readToken(tokenOf(tsa.answer(timeStampRequest('a message', null))));
    const accepted = [authorityFor(tsa)];
    const certificate = (name: string): X509Certificate =>
      new X509Certificate(readFileSync(join(tsa.folder, `${name}.pem`)));
    expect(authorityOf(stamp, accepted)?.name).toBe('A test');
    expect(() => authorityOf({ ...stamp, time: '2020-01-01T00:00:00Z' }, accepted)).toThrow(/was not valid then/);
    expect(() => authorityOf({ ...stamp, signer: certificate('middle') }, accepted)).toThrow(
      /not one for time stamps alone/,
    );
    // Without what lies between, the chain does not reach the root.
    expect(authorityOf({ ...stamp, certificates: [stamp.signer] }, accepted)).toBeNull();
    // What lies between may be accepted itself.
    const between = { ...accepted[0], certificate: certificate('middle').raw.toString('base64') };
    expect(authorityOf({ ...stamp, certificates: [stamp.signer] }, [between])?.name).toBe('A test');
  });
});

/** Puts a row into the log as whoever has the key could. */
function noteStamp(store: CaseStore, details: Record<string, unknown>): void {
  store.log.note('anchored', 'A stamp.', details);
}

it('a row that pretends to be a time stamp does not hold', async () => {
  const { store, folder } = testCase(testSession());
  const { rows, hash } = store.head;
  noteStamp(store, { rows, hash: 'a'.repeat(64), token: '' });
  noteStamp(store, { rows, hash, token: 'AAAA' });
  noteStamp(store, { rows });
  const verification = await withFiles(verifyRecords({ folder, home: testFolder() }));
  expect(verification.integrity).toBe(false);
  expect(anchorsIn(verification).map(({ holds, sentence }) => [holds, sentence])).toEqual([
    [false, expect.stringMatching(/is of another log/)],
    [false, expect.stringMatching(/does not hold: it is not in ASN\.1/)],
    [false, expect.stringMatching(/is no time stamp that can be read/)],
  ]);
});
