import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { accept, acceptedNow, withdraw } from '../../base/accepted.ts';
import type { Session } from '../session.ts';
import { testCase, testFolder, testSession, thrown } from '../testing.ts';
import { verifyRecords } from '../verify-records.ts';
import { counterSign, readAnswer, readRequest } from './counter-signatures.ts';
import { people } from './people.ts';

const own = ({ library }: Session, caseId: string): string[] =>
  library.knownKeys(caseId).map(({ publicKey }) => publicKey);

function signaturesIn(
  folder: string,
  home: string,
): { holds: boolean; remark?: boolean | undefined; sentence: string }[] {
  return verifyRecords({ folder, home }).checks.filter(
    ({ name, subject }) => subject === 'signature' && name.startsWith('row'),
  );
}

describe('counter-signatures', () => {
  it('are taken into the log by the accepted key of a second person, who is then named', async () => {
    const { store, session, folder } = testCase();
    const { home } = session.library;
    const grace = testSession(join(testFolder(), 'grace')).library.key;
    const { rows } = store.head;
    const request = readRequest(JSON.stringify(store.counterSignatures.request()), 'request.json');
    const answer = readAnswer(JSON.stringify(counterSign(request, grace)), 'answer.json');
    store.log.note('noted', 'Something was done meanwhile.', {});

    const take = (given = answer): unknown =>
      store.counterSignatures.take(given, 'answer.json', acceptedNow(home, people), own(session, store.id));
    expect(thrown(take).sentence).toMatch(/by a key \([-0-9a-f]+\) that is not accepted here\. Ask its holder/);
    const person = { name: 'Grace', role: 'technical reviewer', publicKey: grace.publicKey, acceptedBy: 'Ada' };
    await accept(home, people, person);
    expect(take()).toMatchObject({ name: 'Grace', role: 'technical reviewer', rows });
    expect(thrown(take).message).toBe(`Grace has counter-signed row ${rows} already.`);
    const [check] = signaturesIn(folder, home);
    expect(check).toMatchObject({ holds: true });
    expect(check.sentence).toMatch(
      /^Counter-signed until row 1 by Grace \(technical reviewer\), 2.*, key .*, accepted here as Grace/,
    );
    expect(verifyRecords({ folder, home }).checks.every(({ holds }) => holds)).toBe(true);

    await withdraw(home, people, grace.publicKey);
    expect(signaturesIn(folder, home)[0]).toMatchObject({ holds: true, remark: true });
    expect(signaturesIn(folder, home)[0].sentence).toMatch(/withdrawn here since/);
    expect(signaturesIn(folder, testFolder())[0].sentence).toMatch(/that key is not accepted here/);
  });

  it('are refused where they are of another log, by the same key, or changed', async () => {
    const { store, session } = testCase();
    const grace = testSession(join(testFolder(), 'grace')).library.key;
    const { home } = session.library;
    await accept(home, people, { name: 'Grace', role: 'reviewer', publicKey: grace.publicKey, acceptedBy: 'Ada' });
    const request = store.counterSignatures.request();
    const take = (answer: ReturnType<typeof counterSign>): string =>
      thrown(() => store.counterSignatures.take(answer, 'x', acceptedNow(home, people), own(session, store.id)))
        .message;
    expect(take(counterSign(testCase().store.counterSignatures.request(), grace))).toMatch(
      /of another log than this one/,
    );
    expect(take(counterSign({ ...request, head: { rows: 1, hash: 'a'.repeat(64) } }, grace))).toMatch(/of another log/);
    expect(take(counterSign(request, session.library.key))).toMatch(/that signed this log itself/);

    const answer = counterSign(request, grace);
    const changed = JSON.stringify({ ...answer, signedAt: '2020-01-01T00:00:00.000Z' });
    expect(thrown(() => readAnswer(changed, 'a.json')).message).toMatch(/a\.json does not hold: it was changed/);
    expect(thrown(() => readAnswer('{}', 'a.json')).message).toBe('a.json is no counter-signature.');
    const forged = JSON.stringify({ ...request, head: { ...request.head, rows: 2 } });
    expect(thrown(() => readRequest(forged, 'r.json')).message).toMatch(/does not bear the signature/);
    expect(thrown(() => readRequest(JSON.stringify(answer), 'r.json')).message).toMatch(/is no request/);
    // One that was put into the log past all that does not hold.
    const { format: _, caseId: __, ...given } = answer;
    store.log.note('countersigned', 'Grace did.', {
      ...given,
      signedAt: '2020-01-01T00:00:00.000Z',
      name: 'Grace',
      role: 'x',
    });
    store.log.note('countersigned', 'Grace did.', { ...given, hash: 'a'.repeat(64), name: 'Grace', role: 'x' });
    const [first, second] = signaturesIn(store.folder, home);
    expect(first).toMatchObject({ holds: false, sentence: expect.stringMatching(/does not hold/) as string });
    expect(second).toMatchObject({ holds: false, sentence: expect.stringMatching(/is of another log/) as string });
  });
});
