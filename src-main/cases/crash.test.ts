import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { CaseStore } from './store.ts';
import { addFiles, analysisFor, testCase } from './testing.ts';
import { verifyRecords } from './verify-records.ts';

const kills = 50;

/** Writes whatever it can, and says after each transaction how far the log is. Runs in a process that is killed. */
const writer = `
const { Library } = await import(process.argv[1] + '/library.ts');
const { CaseStore } = await import(process.argv[1] + '/store.ts');
const [, , folder, home, itemText, analysisText] = process.argv;
const session = { library: Library.open(home), actor: () => 'a writer', program: 'a test' };
const store = CaseStore.open(folder, session);
const item = JSON.parse(itemText);
const analysis = JSON.parse(analysisText);
const say = () => process.stdout.write(store.head.rows + ' ' + store.head.hash + '\\n');
say();
for (;;) {
  const [open] = store.scans.unfinished();
  let scanId = open?.id;
  if (scanId === undefined) {
    const ids = store.evidence.add([item, item, item]);
    say();
    const request = { model: null, modelName: 'm', modelSha256: 'b'.repeat(64), channel: 'mix', stream: null };
    ({ scanId } = store.scans.begin(request, ids));
    say();
  }
  for (const evidenceId of store.scans.queuedFor(scanId)) {
    store.scans.finishItems(scanId, [{ evidenceId, analyses: [{ ...analysis, evidenceId }] }]);
    say();
    const mark = store.marks.add(evidenceId, { startSeconds: 1, endSeconds: 2, text: 'x', inReport: false });
    store.marks.update(evidenceId, mark.id, { text: 'y' });
    say();
  }
  store.scans.end(scanId, 'done');
  say();
}
`;

it(`loses nothing that was committed, and scores nothing twice, when it is killed ${kills} times`, async () => {
  const { store, session, folder } = testCase();
  const [id] = addFiles(store, 1).ids;
  const { path } = store.evidence.intake(id);
  const { evidenceFor } = await import('./testing.ts');
  const item = JSON.stringify(evidenceFor(path));
  const analysis = JSON.stringify(analysisFor(store, id));
  store.close();
  const random = new Random(6);
  for (let kill = 0; kill < kills; kill++) {
    const child = spawn(
      process.execPath,
      ['--input-type=module', '-e', writer, import.meta.dirname, folder, session.library.home, item, analysis],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const ended = once(child, 'exit');
    let said = '';
    let left = 1 + Math.floor(20 * random.uniform());
    for await (const line of createInterface({ input: child.stdout })) {
      said = line;
      if (--left > 0) continue;
      // Somewhere in the midst of what comes next.
      await new Promise((resolve) => setTimeout(resolve, 4 * random.uniform()));
      child.kill('SIGKILL');
      break;
    }
    const [, signal] = (await ended) as [number | null, string | null];
    expect(signal).toBe('SIGKILL');
    // The lock went with the process.
    const reopened = CaseStore.open(folder, session);
    expect(reopened.broken).toBeNull();
    const [rows, hash] = said.split(' ');
    const { total, rows: log } = reopened.log.rows({ offset: 0, limit: 1000 });
    expect(total).toBeGreaterThan(Number(rows));
    expect(reopened.log.rows({ offset: total - Number(rows), limit: 1 }).rows[0].hash).toBe(hash);
    expect(log[0].action).toBe('opened');
    for (const evidenceId of reopened.evidence.allIds()) {
      expect(reopened.analyses.of(evidenceId).length).toBeLessThanOrEqual(1);
    }
    reopened.close();
    const { checks } = verifyRecords({ folder, home: session.library.home });
    expect(checks.filter(({ holds }) => !holds)).toEqual([]);
  }
  const last = CaseStore.read(folder);
  expect(last.evidence.allIds().length).toBeGreaterThan(kills);
  last.close();
  // So many processes are started; a loaded machine is slow, not wrong.
}, 600_000);
