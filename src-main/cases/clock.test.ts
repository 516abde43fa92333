import { expect, it } from 'vitest';
import { uptime } from 'node:os';
import { readFileSync } from 'node:fs';
import { ClockWatch, setBack, systemClocks } from './clock.ts';
import { CaseStore } from './store.ts';
import type { Session } from './session.ts';
import { testCase, testSession } from './testing.ts';
import { verifyRecords } from './verify-records.ts';

const start = Date.parse('2026-05-01T12:00:00.000Z');

/** Clocks that a test moves: time that passes, sleep too, moves both; someone who sets the clock moves one. */
function testClocks(): { watch: ClockWatch; pass: (seconds: number) => void; set: (seconds: number) => void } {
  let wall = start;
  let steady = 1000;
  const watch = new ClockWatch({ wall: () => wall, steady: () => steady });
  return {
    watch,
    pass: (seconds) => {
      wall += seconds * 1000;
      steady += seconds;
    },
    set: (seconds) => (wall += seconds * 1000),
  };
}

function leaps(store: CaseStore): string[] {
  const { rows } = store.log.rows({ offset: 0, limit: 1000 });
  return rows.filter(({ action }) => action === 'clock-leap').map(({ summary }) => summary);
}

/** Another run: a clock that begins anew, by the same wall. */
function run(home: string, seconds: number): { session: Session; clocks: ReturnType<typeof testClocks> } {
  const clocks = testClocks();
  clocks.set(seconds);
  const watch = new ClockWatch(clocks.watch.clocks);
  return { session: { ...testSession(home), clock: watch }, clocks };
}

it('a clock that is set while the program runs is reported once, in a row of its own before the next', () => {
  const { watch, pass, set } = testClocks();
  const { store } = testCase({ ...testSession(), clock: watch });
  pass(3600);
  store.update({ notes: 'an hour later' });
  // The lid was closed for the night: both clocks count that.
  pass(9 * 3600);
  store.update({ notes: 'the next day' });
  set(59);
  store.update({ notes: 'corrected a little' });
  expect(leaps(store)).toEqual([]);
  set(24 * 3600);
  store.update({ notes: 'a day that never was' });
  expect(leaps(store)).toEqual(['The clock of this computer was set forward by 24 h while Earwitness ran.']);
  const [latest, before] = store.log.rows({ offset: 0, limit: 2 }).rows;
  expect([before.action, latest.action]).toEqual(['clock-leap', 'case-updated']);
  expect(before.time).toBe(latest.time);
  pass(10);
  store.update({ notes: 'goes on' });
  expect(leaps(store)).toHaveLength(1);
  set(-24 * 3600);
  store.update({ notes: 'and back' });
  expect(leaps(store)[0]).toContain('was set back by 24 h');
  store.update({ notes: 'goes on' });
  expect(leaps(store)).toHaveLength(2);
});

it('a time before the latest row of the case or of the installation is reported; pauses and two seconds are not', () => {
  const { session: first, clocks } = run(testSession().library.home, 0);
  const { store, folder } = testCase(first);
  clocks.pass(1);
  store.close();
  const { home } = first.library;
  // A month later: a pause is no leap.
  const later = run(home, 30 * 86_400);
  const opened = CaseStore.open(folder, later.session);
  expect(leaps(opened)).toEqual([]);
  later.clocks.set(-1.9);
  opened.update({ notes: 'a correction over the network' });
  expect(leaps(opened)).toEqual([]);
  opened.close();
  // The next run begins a year before that.
  const back = run(home, -365 * 86_400);
  const again = CaseStore.open(folder, back.session);
  expect(leaps(again)).toHaveLength(1);
  expect(leaps(again)[0]).toMatch(/before the latest row of this case: it was set back, or was ahead then/);
  again.update({ notes: 'told once' });
  expect(leaps(again)).toHaveLength(1);
  again.close();
  // Another case of the installation, which has no rows yet.
  const other = run(home, -400 * 86_400);
  const { store: fresh } = testCase(other.session);
  expect(leaps(fresh)[0]).toContain('that this installation wrote');
  const { checks } = verifyRecords({ folder, home });
  const remark = checks.find(({ subject }) => subject === 'time');
  expect(remark).toMatchObject({ holds: true, remark: true });
  expect(remark?.sentence).toMatch(/Row \d+: The clock of this computer stands 395 days before/);
  expect(checks.filter(({ holds }) => !holds)).toEqual([]);
});

it('what was reported in a transaction that failed is reported in the next', () => {
  const { watch, set } = testClocks();
  const { store } = testCase({ ...testSession(), clock: watch });
  set(7200);
  expect(() => store.reports.add(null as never)).toThrow();
  expect(leaps(store)).toEqual([]);
  store.update({ notes: 'x' });
  expect(leaps(store)).toHaveLength(1);
});

it('says nothing of times that cannot be read', () => {
  expect(setBack(start, { ofCase: 'soon', ofInstallation: null })).toBeNull();
});

it.runIf(process.platform === 'linux')('the steady clock of Linux is the one that counts sleep', () => {
  const boot = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  expect(systemClocks.steady).toBe(uptime);
  expect(Math.abs(systemClocks.steady() - boot)).toBeLessThan(5);
});
