import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateKeyPairSync, sign } from 'node:crypto';
import Database from 'better-sqlite3';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Verification } from '../../src-common/schemas/custody.ts';
import { canonicalJson, sha256Hex } from './canonical.ts';
import { custodyRowHash } from './custody.ts';
import type { StoredCustodyRow } from './custody.ts';
import { fingerprintOf, headMessage } from './keys.ts';
import { CaseStore } from './store.ts';
import type { Session } from './session.ts';
import { addFiles, analysisFor, testCase, testFolder, testSession } from './testing.ts';
import { verifyRecords } from './verify-records.ts';
import { verifyCase, withFiles } from './verify.ts';

let session: Session;
let folder: string;
let paths: string[];
let caseId: string;
let head: { rows: number; hash: string };
let earlier: string;

/** A case with two items, three results, a mark and a report, closed. */
beforeEach(() => {
  const made = testCase();
  ({ session, folder } = made);
  const { store } = made;
  const added = addFiles(store, 2);
  ({ paths } = added);
  const [first, second] = added.ids;
  store.analyses.add(analysisFor(store, first));
  store.analyses.add(analysisFor(store, second, { finding: 'inconclusive', score: 0.1 }));
  earlier = store.head.hash;
  store.analyses.add(analysisFor(store, second, { finding: 'supports bona fide', score: 4 }));
  store.marks.add(first, { startSeconds: 1, endSeconds: 2, text: 'a cough', inReport: true });
  const request = { caseId: store.id, evidenceIds: [], authorisedBy: '', method: '', departures: '', opinions: '' };
  store.reports.add({
    number: '2026/1/1',
    issuedAt: '2026-01-03T00:00:00.000Z',
    logPosition: store.head.rows,
    sha256: 'a'.repeat(64),
    pages: 3,
    amends: null,
    request: { ...request, amends: null, amendment: '' },
    data: '{}',
  });
  store.update({ question: 'Is it a human voice?' });
  caseId = store.id;
  ({ head } = store);
  store.close();
});

type Request = Parameters<typeof verifyCase>[0];

/** In this thread, which is quicker. */
function verify(request: Partial<Request> = {}): Promise<Verification> {
  return withFiles(verifyRecords({ folder, home: session.library.home, ...request }));
}

/** Subjects of the checks that do not hold. */
async function failing(request: Partial<Request> = {}): Promise<string[]> {
  const { checks, intact } = await verify(request);
  const subjects = checks.filter(({ holds }) => !holds).map(({ subject }) => subject);
  expect(intact).toBe(subjects.length === 0);
  return [...new Set(subjects)].sort();
}

/** Changes the database as an attacker would, who drops the triggers and puts them back. */
function tamper(change: (db: Database.Database) => void, triggersBack = true): void {
  const db = new Database(join(folder, 'case.sqlite'));
  const triggers = db.prepare<[], { name: string; sql: string }>(
    `SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'`,
  );
  const found = triggers.all();
  for (const { name } of found) db.exec(`DROP TRIGGER ${name}`);
  db.pragma('foreign_keys = OFF');
  change(db);
  if (triggersBack) for (const { sql } of found) db.exec(sql);
  db.close();
}

/** Computes the whole chain anew, and puts its last hash in the head's place. */
function rewriteChain(db: Database.Database): { rows: number; hash: string } {
  const rows = db.prepare<[], StoredCustodyRow>('SELECT * FROM custody_log ORDER BY position').all();
  db.exec('DELETE FROM custody_log');
  let previous = '0'.repeat(64);
  rows.forEach((row, index) => {
    const { hash: _, ...rest } = { ...row, position: index + 1, previous };
    const hash = custodyRowHash(caseId, rest);
    db.prepare('INSERT INTO custody_log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)').run(...Object.values(rest), hash);
    previous = hash;
  });
  db.prepare('UPDATE custody_head SET rows = ?, hash = ?').run(rows.length, previous);
  return { rows: rows.length, hash: previous };
}

describe('an intact case', () => {
  it('holds in every respect, however often it was opened, and with any head that it had', async () => {
    expect(await failing()).toEqual([]);
    CaseStore.open(folder, session).close();
    expect(await failing({ expectHead: head.hash })).toEqual([]);
    expect(await failing({ expectHead: earlier.toUpperCase() })).toEqual([]);
    expect(await failing({ expectHead: 'f'.repeat(64) })).toEqual(['head']);
    expect(await failing({ expectKey: fingerprintOf(session.library.key.publicKey) })).toEqual([]);
    expect(await failing({ expectKey: '0000-0000-0000-0000' })).toEqual(['signature']);
    const { checks } = await verify();
    expect(new Set(checks.map(({ subject }) => subject))).toEqual(
      new Set(['database', 'chain', 'signature', 'head', 'result', 'evidence', 'report', 'time']),
    );
  });

  it('is verified beside whoever has it open', async () => {
    const store = CaseStore.open(folder, session);
    writeFileSync(paths[1], 'another one');
    const files: [number, boolean][] = [];
    const verification = await verifyCase(
      { folder, home: session.library.home },
      { onFile: (id, holds) => files.push([id, holds]) },
    );
    expect(verification).toMatchObject({ intact: false, head: store.head });
    expect(files.sort()).toEqual([
      [1, true],
      [2, false],
    ]);
    store.close();
  });

  it('tells its own reports from others', async () => {
    expect(await failing({ reportSha256: 'a'.repeat(64) })).toEqual([]);
    expect(await failing({ reportSha256: 'e'.repeat(64) })).toEqual(['report']);
    const signed = (holds: boolean) => ({ reportSha256: 'a'.repeat(64), reportSignature: { words: 'Signed.', holds } });
    expect(await failing(signed(true))).toEqual([]);
    expect(await failing(signed(false))).toEqual(['report']);
  });
});

describe('of evidence', () => {
  it('finds what changed, is gone or was taken out of the log', async () => {
    writeFileSync(paths[0], 'another one');
    expect(await failing()).toEqual(['evidence']);
    writeFileSync(paths[0], 'recording 0');
    expect(await failing()).toEqual([]);
    rmSync(paths[1]);
    expect(await failing()).toEqual(['evidence']);
    const { checks } = await verify();
    expect(checks.find(({ holds }) => !holds)).toMatchObject({ subject: 'evidence', name: 'voice-1.wav' });
  });

  it('finds a hash that was changed along with the file', async () => {
    writeFileSync(paths[0], 'another one');
    tamper((db) => db.prepare('UPDATE evidence SET sha256 = ? WHERE id = 1').run(sha256Hex('another one')));
    expect(await failing()).toEqual(['evidence']);
  });

  it('finds an item, a mark, metadata or case details that were changed past the log', async () => {
    tamper((db) => db.exec(`UPDATE evidence SET condition_on_receipt = 'sealed' WHERE id = 2`));
    expect(await failing()).toEqual(['evidence']);
    tamper((db) => db.exec(`UPDATE evidence SET condition_on_receipt = '' WHERE id = 2`));
    expect(await failing()).toEqual([]);
    tamper((db) => db.exec('UPDATE marks SET read_all = 1'));
    expect(await failing()).toEqual(['evidence']);
    tamper((db) => db.exec('UPDATE marks SET read_all = 0'));
    expect(await failing()).toEqual([]);
    tamper((db) => db.exec(`UPDATE evidence_metadata SET metadata = '[]' WHERE evidence_id = 2`));
    expect(await failing()).toEqual(['evidence']);
    tamper((db) => db.exec('DELETE FROM marks'));
    tamper((db) => db.exec('DELETE FROM evidence_metadata'));
    tamper((db) => db.exec(`UPDATE case_details SET question = 'Another one?'`));
    expect(await failing()).toEqual(['database', 'evidence']);
    tamper((db) => db.exec('UPDATE evidence SET removed_at = NULL; DELETE FROM evidence WHERE id = 1'));
    const { checks } = await verify();
    expect(checks.some(({ sentence }) => sentence === 'Item 1 of the log is gone from the case.')).toBe(true);
  });
});

describe('of results', () => {
  it('finds one that was changed, also with its own hash', async () => {
    const change = (db: Database.Database): void => {
      const result = db.prepare<[], string>('SELECT result FROM analyses WHERE id = 1').pluck().get() ?? '';
      const forged = canonicalJson({ ...(JSON.parse(result) as object), finding: 'supports bona fide', score: 3 });
      db.prepare('UPDATE analyses SET result = ?, result_sha256 = ? WHERE id = 1').run(forged, sha256Hex(forged));
      db.exec(`UPDATE evidence SET finding = 'supports bona fide', finding_rank = 3, score = 3 WHERE id = 1`);
    };
    tamper(change);
    expect(await failing()).toContain('result');
    const { checks } = await verify();
    expect(checks.find(({ name }) => name === 'analysis 1')?.sentence).toContain('was changed');
  });

  it('finds one that is gone, was put to another item, or is not the one that the list shows', async () => {
    tamper((db) => db.exec('UPDATE analyses SET evidence_id = 1 WHERE id = 2'));
    expect(await failing()).toEqual(['result']);
    tamper((db) => db.exec('UPDATE analyses SET evidence_id = 2 WHERE id = 2'));
    tamper((db) => db.exec('UPDATE evidence SET score = 5 WHERE id = 2'));
    expect(await failing()).toEqual(['result']);
    tamper((db) => db.exec('UPDATE evidence SET score = 4 WHERE id = 2'));
    expect(await failing()).toEqual([]);
    tamper((db) => db.exec('UPDATE evidence SET latest_analysis = 2 WHERE id = 2'));
    expect(await failing()).toEqual(['result']);
    tamper((db) => db.exec('UPDATE evidence SET latest_analysis = 3 WHERE id = 2; DELETE FROM analyses WHERE id = 2'));
    expect(await failing()).toEqual(['result']);
  });

  it('finds a report that was changed or is gone', async () => {
    tamper((db) => db.exec(`UPDATE reports SET data = '{"other": 1}'`));
    expect(await failing()).toEqual(['report']);
    tamper((db) => db.exec('DELETE FROM reports'));
    expect(await failing()).toEqual(['report']);
  });
});

describe('of the log', () => {
  const columns: [string, string][] = [
    ['time', `'2020-01-01T00:00:00.000Z'`],
    ['actor', `'someone else'`],
    ['action', `'examined'`],
    ['evidence_id', '2'],
    ['summary', `'Nothing happened.'`],
    ['details', `replace(details, 'supports spoof', 'supports bona fide')`],
    ['details', `details || ' '`],
    ['previous', `'${'0'.repeat(64)}'`],
    ['hash', `'${'0'.repeat(64)}'`],
  ];
  it.each(columns)('finds an edit of %s', async (column, value) => {
    tamper((db) => db.exec(`UPDATE custody_log SET ${column} = ${value} WHERE position = 4`));
    expect(await failing()).toContain('chain');
  });

  it('finds an edit of its last row', async () => {
    tamper((db) => db.exec(`UPDATE custody_log SET actor = 'someone else' WHERE position = ${head.rows}`));
    expect(await failing()).toEqual(['chain']);
  });

  it('finds rows that were deleted, from the middle, the beginning and the end', async () => {
    tamper((db) => db.exec('DELETE FROM custody_log WHERE position = 3'));
    expect(await failing()).toContain('chain');
    expect((await verify()).checks.find(({ subject }) => subject === 'chain')?.sentence).toContain('Row 3 is missing.');
  });

  it('finds that it was cut, also where the head was cut with it', async () => {
    tamper((db) => db.exec(`DELETE FROM custody_log WHERE position = ${head.rows}`));
    expect(await failing()).toEqual(['database', 'head', 'signature']);
    tamper((db) => {
      const last = db.prepare('SELECT position, hash FROM custody_log ORDER BY position DESC LIMIT 1').get() as object;
      db.prepare('UPDATE custody_head SET rows = $position, hash = $hash').run(last);
    });
    expect(await failing()).toContain('signature');
  });

  it('finds rows that changed places', async () => {
    tamper((db) =>
      db.exec(`UPDATE custody_log SET position = -1 WHERE position = 4;
               UPDATE custody_log SET position = 4 WHERE position = 5;
               UPDATE custody_log SET position = 5 WHERE position = -1`),
    );
    expect(await failing()).toContain('chain');
  });

  it('finds that all of it was written anew by someone without the key', async () => {
    tamper((db) => {
      db.exec(`UPDATE custody_log SET actor = 'someone else' WHERE position = 2`);
      rewriteChain(db);
    });
    expect(await failing()).toContain('signature');
    expect(await failing({ expectHead: head.hash })).toEqual(['head', 'signature']);
  });

  it('finds that it was written anew and signed with another key', async () => {
    tamper((db) => {
      db.exec(`UPDATE custody_log SET actor = 'someone else' WHERE position = 2`);
      const rewritten = rewriteChain(db);
      const { privateKey, publicKey } = generateKeyPairSync('ed25519');
      const signature = sign(null, Buffer.from(headMessage(caseId, rewritten)), privateKey).toString('base64');
      const key = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
      db.prepare('UPDATE custody_head SET signature = ?, public_key = ?').run(signature, key);
    });
    expect(await failing()).toEqual(['head', 'signature']);
    // Nor does opening it make it good again.
    const store = CaseStore.open(folder, session);
    expect(store.broken?.code).toBe('custody-broken');
    expect(() => store.update({ title: 'x' })).toThrow(/not intact/);
    expect(store.details().title).toBe('A call');
    store.close();
    expect(await failing()).toEqual(['head', 'signature']);
    // Where nobody knows the case, it cannot be told; the head of a report tells.
    const stranger = testSession().library.home;
    expect(await failing({ home: stranger })).toEqual(['signature']);
    expect(await failing({ home: stranger, expectHead: head.hash })).toEqual(['head', 'signature']);
  });

  it('finds an older copy in its place', async () => {
    const old = join(testFolder(), 'old');
    cpSync(folder, old, { recursive: true });
    CaseStore.open(folder, session).close();
    for (const name of ['case.sqlite', 'case.sqlite-wal', 'case.sqlite-shm']) {
      rmSync(join(folder, name), { force: true });
    }
    cpSync(join(old, 'case.sqlite'), join(folder, 'case.sqlite'));
    expect(await failing()).toEqual(['head']);
    const store = CaseStore.open(folder, session);
    expect(store.broken?.message).toContain('this is an older copy');
    store.close();
  });

  it('finds guards that were taken away, and anything added', async () => {
    tamper(() => undefined, false);
    expect(await failing()).toEqual(['database']);
    const db = new Database(join(folder, 'case.sqlite'));
    db.exec('CREATE VIEW more AS SELECT * FROM custody_log');
    db.close();
    const { checks } = await verify();
    expect(checks[0].sentence).toMatch(/trigger custody_log_is_not_updated is missing/);
  });

  it('finds a database that is damaged', async () => {
    tamper((db) => db.exec('DROP TABLE marks'), false);
    const { intact, checks } = await verifyCase({ folder, home: session.library.home });
    expect(intact).toBe(false);
    expect(checks).toMatchObject([{ subject: 'database', holds: false }]);
  });
});

describe('a case that another installation goes on with', () => {
  it('keeps the signature of the one before, and both are checked', async () => {
    const other = testSession(undefined, 'Ben Other');
    const home = other.library.home;
    const moved = join(testFolder(), 'moved');
    mkdirSync(moved);
    cpSync(join(folder, 'case.sqlite'), join(moved, 'case.sqlite'));
    expect(await failing({ folder: moved, home })).toEqual(['signature']);
    expect(await failing({ folder: moved, home, expectHead: head.hash })).toEqual([]);
    expect(await failing({ folder: moved, home, expectKey: fingerprintOf(session.library.key.publicKey) })).toEqual([]);
    const store = CaseStore.open(moved, other);
    expect(store.broken).toBeNull();
    expect(store.log.rows({ offset: 0, limit: 3 }).rows.map(({ action, actor }) => [action, actor])).toEqual([
      ['opened', 'Ben Other'],
      ['rebuilt', 'Ben Other'],
      ['signer-changed', 'Ben Other'],
    ]);
    store.close();
    expect(await failing({ folder: moved, home })).toEqual([]);
    // Where it was made, the other's key is not known.
    expect(await failing({ folder: moved })).toEqual(['signature']);
    folder = moved;
    tamper((db) => {
      db.exec(`UPDATE custody_log SET actor = 'someone else' WHERE position = 2`);
      rewriteChain(db);
    });
    expect(await failing({ home })).toContain('signature');
  });
});

describe('heads signed at milestones', () => {
  /** What is said of them. */
  async function told(): Promise<string> {
    const { checks } = await verify();
    return checks.find(({ name }) => name === 'milestones')?.sentence ?? '';
  }

  it('stay for each: the case made, evidence added, a report issued', async () => {
    // Made in row 1, two items in rows 2 and 3 at once, the report in row 8.
    const db = new Database(join(folder, 'case.sqlite'), { readonly: true });
    const rows = db.prepare('SELECT rows FROM milestones ORDER BY rows').pluck().all();
    const issued = db.prepare("SELECT position FROM custody_log WHERE action = 'report-issued'").pluck().get();
    db.close();
    expect(rows).toEqual([1, 3, issued]);
    expect(await told()).toBe(`Heads signed at 3 milestones hold, the latest at row ${String(issued)}.`);
  });

  it('are not taken away, changed or signed by others unseen', async () => {
    const own = generateKeyPairSync('ed25519');
    const publicKey = own.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
    const changes: [string, RegExp][] = [
      ['DELETE FROM milestones WHERE rows > 3', /The last milestone is row \d+, whose signed head is gone/],
      ["UPDATE milestones SET signature = 'AAAA' WHERE rows = 3", /The signature of the head at row 3 does not hold/],
      [`UPDATE milestones SET hash = '${'a'.repeat(64)}' WHERE rows = 3`, /signed at row 3 is of another log/],
      [
        `UPDATE milestones SET public_key = '${publicKey}' WHERE rows = 3`,
        /by a key \(.*\) that did not sign this log/,
      ],
    ];
    const whole = join(testFolder(), 'whole');
    cpSync(folder, whole, { recursive: true });
    for (const [sql, words] of changes) {
      tamper((db) => db.exec(sql));
      expect(await failing(), sql).toEqual(['signature']);
      expect(await told()).toMatch(words);
      cpSync(whole, folder, { recursive: true });
    }
    tamper((db) => db.exec('DELETE FROM milestones'));
    expect(await failing()).toEqual([]);
    expect(await told()).toMatch(/^No signed head of a milestone is kept/);
  });

  it('do not stand for the head where the rows after them are cut off', async () => {
    tamper((db) => {
      db.exec('DELETE FROM custody_log WHERE position > 3');
      db.exec(
        `UPDATE custody_head SET (rows, hash, signature) = (SELECT rows, hash, signature FROM milestones WHERE rows = 3)`,
      );
    });
    const { checks } = await verify({ home: testFolder() });
    expect(checks.find(({ subject, name }) => subject === 'signature' && name === 'head')).toMatchObject({
      holds: false,
      sentence: 'The signature of the head does not hold.',
    });
  });
});
