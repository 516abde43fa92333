import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StoredModel } from '../detector/store.ts';
import { babble, wav16, writeTinyModel } from '../detector/testing.ts';
import type { ScanProvenance } from '../reports/scan-results.ts';
import { listFiles, scanAsDone } from './scan-files.ts';
import type { ScanResult } from './scan-files.ts';
import { ScanJournal, journalPath } from './scan-journal.ts';
import type { ScanSettings } from './scan-journal.ts';

let folder: string;
let model: StoredModel;
let path: string;
let turn = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-journal-'));
  model = await writeTinyModel(join(folder, 'model'));
  mkdirSync(join(folder, 'audio'));
  for (let i = 0; i < 20; i++) writeFileSync(join(folder, 'audio', `${i}.wav`), wav16(babble(1.2, i)));
  writeFileSync(join(folder, 'audio', 'notes.txt'), 'no recording');
  writeFileSync(join(folder, 'audio', 'broken.flac'), Buffer.concat([Buffer.from('fLaC'), Buffer.alloc(99, 7)]));
  if (process.platform === 'linux') {
    writeFileSync(Buffer.concat([Buffer.from(join(folder, 'audio/odd ')), Buffer.from([0xe9])]), wav16(babble(1, 77)));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  path = journalPath(join(folder, `${turn++}.csv`));
});

const made: ScanProvenance = {
  application: 'a test',
  model: { name: 'tiny', status: 'screening', onnxSha256: 'a'.repeat(64) },
  backend: 'none',
  platform: 'none',
  time: '2026-01-01T00:00:00.000Z',
};

interface Wish {
  resume?: boolean;
  overwrite?: boolean;
  settings?: ScanSettings;
  made?: ScanProvenance;
}

function opened(wish: Wish = {}): Promise<ScanJournal> {
  return ScanJournal.open(
    path,
    { made: wish.made ?? made, card: model.card, settings: wish.settings ?? {} },
    { resume: wish.resume ?? false, overwrite: wish.overwrite ?? false },
  );
}

/** A scan into a journal, stopped after some results; what came of it. */
async function scan(
  wish: Wish = {},
  stopAfter = Infinity,
): Promise<{ results: ScanResult[]; scored: string[]; unchanged: number }> {
  const { requests } = await listFiles([join(folder, 'audio')], true);
  const journal = await opened(wish);
  const controller = new AbortController();
  const scored: string[] = [];
  let unchanged = 0;
  const results: ScanResult[] = [];
  try {
    await scanAsDone(
      model,
      requests,
      async (request, result) => {
        await journal.add(request, result);
        if (result.unchanged) unchanged++;
        if (result.analysis) scored.push(result.path);
        if (scored.length >= stopAfter) controller.abort();
      },
      { jobs: stopAfter < Infinity ? 2 : 1, signal: controller.signal, known: (request) => journal.known(request) },
    );
    for await (const result of journal.results(requests)) results.push(result);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
  }
  await journal.close();
  return { results, scored, unchanged };
}

/** The paths in a journal's lines after the first. */
function written(): string[] {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n').slice(1);
  return lines.map((line) => (JSON.parse(line) as { path: string }).path);
}

describe('the journal of a scan', () => {
  it('gives the same results after an interruption, and nothing is scored twice', async () => {
    const whole = await scan();
    expect(whole.results.length).toBe(process.platform === 'linux' ? 22 : 21);
    expect(whole.results.map((result) => result.path)).not.toContain(join(folder, 'audio', 'notes.txt'));
    rmSync(path);
    const begun = await scan({}, 6);
    const resumed = await scan({ resume: true });
    expect(resumed.results).toEqual(whole.results);
    expect(resumed.unchanged).toBeGreaterThanOrEqual(6);
    expect(begun.scored.filter((name) => resumed.scored.includes(name))).toEqual([]);
    const analysed = written().filter((name) => !name.endsWith('broken.flac'));
    expect(new Set(analysed).size).toBe(analysed.length);
  });

  it('bears a last line that was torn, and lines that a disk has spoilt', async () => {
    const whole = await scan();
    const lines = readFileSync(path, 'utf8').split('\n');
    lines[3] = lines[3].replaceAll('"', ' ');
    writeFileSync(path, lines.join('\n'));
    truncateSync(path, statSync(path).size - 40);
    const resumed = await scan({ resume: true });
    expect(resumed.results).toEqual(whole.results);
    // The spoilt and the torn one, where the torn one is not the file that cannot be decoded.
    expect(resumed.scored.length).toBeLessThanOrEqual(2);
    truncateSync(path, 5);
    expect((await scan({ resume: true })).scored.length).toBe(whole.scored.length);
  });

  it('scores again what has changed since', async () => {
    const changed = join(folder, 'audio', '7.wav');
    const before = readFileSync(changed);
    // A time of whole seconds, which can be set again exactly.
    const time = 1_700_000_000;
    utimesSync(changed, time, time);
    const first = await scan();
    writeFileSync(changed, wav16(babble(1.2, 99)));
    utimesSync(changed, time, time);
    const second = await scan({ resume: true });
    expect(second.scored).toEqual([changed]);
    const index = first.results.findIndex((result) => result.path === changed);
    expect(second.results[index].sha256).not.toBe(first.results[index].sha256);
    expect(second.results.toSpliced(index, 1)).toEqual(first.results.toSpliced(index, 1));
    writeFileSync(changed, before);
    utimesSync(changed, time, time);
    expect((await scan({ resume: true })).results).toEqual(first.results);
  });

  it('leaves out files that are no longer there, and takes in new ones', async () => {
    await scan();
    const [gone, fresh] = ['5.wav', 'new.wav'].map((name) => join(folder, 'audio', name));
    const bytes = readFileSync(gone);
    rmSync(gone);
    writeFileSync(fresh, wav16(babble(1, 5)));
    const { results, scored } = await scan({ resume: true });
    expect(scored).toEqual([fresh]);
    expect(results.map((result) => result.path)).not.toContain(gone);
    rmSync(fresh);
    writeFileSync(gone, bytes);
  });

  it('refuses what is not its scan, naming what differs, and to be overwritten without being asked', async () => {
    await (await opened({ settings: { channel: 'mix' } })).close();
    const settings = { channel: 'mix' };
    await expect(opened({ settings })).rejects.toMatchObject({ code: 'usage', advice: /--resume.*--overwrite/ });
    const other = { ...made, model: { ...made.model, onnxSha256: 'd'.repeat(64) } };
    await expect(opened({ resume: true, settings, made: other })).rejects.toThrow(/the model \(tiny a{12}.*tiny d{12}/);
    await expect(opened({ resume: true, settings: { channel: 'left' } })).rejects.toThrow(
      /the setting channel \(mix then, left now\)/,
    );
    const newer = { ...made, application: 'a newer test' };
    await expect(opened({ resume: true, settings, made: newer })).rejects.toThrow(/the application/);
    // The time of the first run is kept: it stands in the output.
    const later = await opened({ resume: true, settings, made: { ...made, time: '2027-01-01T00:00:00.000Z' } });
    expect(later.made.time).toBe(made.time);
    await later.close();
    await (await opened({ overwrite: true, settings: { channel: 'left' } })).close();
    expect(readFileSync(path, 'utf8')).toContain('left');
  });

  it('goes on from no file that is something else', async () => {
    writeFileSync(path, 'notes\nmore notes\n');
    await expect(opened({ resume: true })).rejects.toThrow(/no journal of a scan/);
    expect(readFileSync(path, 'utf8')).toBe('notes\nmore notes\n');
  });

  it('reads lines that are longer than what is read at once', async () => {
    await scan();
    const size = statSync(path).size;
    const entry = JSON.parse(readFileSync(path, 'utf8').split('\n')[1]) as ScanResult;
    const long = {
      ...entry,
      path: join(folder, 'audio', 'none'),
      error: { code: 'x', message: 'ü'.repeat(2_000_000) },
    };
    appendFileSync(path, `${JSON.stringify(long)}\n`);
    const journal = await opened({ resume: true });
    const request = { path: long.path, nameBytes: null, found: true };
    await journal.add(request, { ...entry, unchanged: true });
    const results: ScanResult[] = [];
    for await (const result of journal.results([request])) results.push(result);
    expect(results[0].error?.message.length).toBe(2_000_000);
    await journal.remove();
    expect(() => statSync(path)).toThrow();
    expect(size).toBeLessThan(1024 * 1024);
  });
});
