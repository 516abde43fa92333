/** Scans of cases that are spread over a queue, against one that is not. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Analysis } from '../../src-common/schemas/analysis.ts';
import type { CustodyRow } from '../../src-common/schemas/custody.ts';
import { findFfmpeg } from '../audio/ffmpeg.ts';
import { Library } from '../cases/library.ts';
import { CaseStore } from '../cases/store.ts';
import { babble, wav16, writeTinyModel } from '../detector/testing.ts';
import { Programs, TestServer, serverIsThere, until } from '../scanning/queue/testing.ts';
import type { Run } from '../scanning/queue/testing.ts';

const files = 120;
let folder: string;
let server: TestServer;
let programs: Programs;

const scan = (name: string, ...more: string[]): Run =>
  programs.start(['case', 'scan', join(folder, name), '--model', join(folder, 'model'), ...more]);
const spread = (name: string, ...more: string[]): Run => scan(name, '--queue', server.url, ...more);
const worker = (environment: NodeJS.ProcessEnv = {}, ...more: string[]): Run =>
  programs.start(
    ['worker', '--queue', server.url, '--jobs', '1', '--model', join(folder, 'model'), ...more],
    environment,
  );

/** What a case holds: the analyses of its items in their order, and its log. */
function held(name: string): { analyses: Analysis[]; log: CustodyRow[] } {
  const library = Library.open(join(folder, 'home'));
  try {
    const store = CaseStore.open(join(folder, name), { library, actor: () => 'test', program: 'test' });
    const ids = store.evidence.rowsOf(Array.from({ length: files }, (_, index) => index + 1)).map(({ id }) => id);
    const analyses = ids.flatMap((id) => store.analyses.of(id));
    const { rows } = store.log.rows({ offset: 0, limit: 1000 });
    store.close();
    return { analyses, log: rows.reverse() };
  } finally {
    library.close();
  }
}

/** Without what says when, and the numbers that go by the order in which they came. */
function timeless({ id: _id, time: _time, resultSha256: _result, provenance, ...rest }: Analysis): unknown {
  const { time: _made, ...made } = provenance;
  return { ...rest, provenance: made };
}

describe.skipIf(!serverIsThere)('a scan of a case through a queue', { timeout: 600_000 }, () => {
  beforeAll(async () => {
    server = await TestServer.start();
    folder = mkdtempSync(join(tmpdir(), 'earwitness-case-queue-'));
    programs = new Programs(join(folder, 'home'));
    await writeTinyModel(join(folder, 'model'));
    const evidence = join(folder, 'evidence');
    mkdirSync(evidence);
    for (let i = 0; i < files; i++) {
      const broken = i % 50 === 7;
      writeFileSync(join(evidence, `${i}.wav`), broken ? Buffer.from('RIFF\0\0\0\0WAVE') : wav16(babble(1.2, i)));
    }
    for (const name of ['local', 'spread']) {
      const number = ['--number', name, '--title', name];
      expect(await programs.start(['case', 'new', join(folder, name), ...number]).ended).toBe(0);
      expect(await programs.start(['case', 'add', join(folder, name), evidence]).ended).toBe(0);
    }
    expect(await scan('local').ended).toBe(3);
  });
  afterEach(() => programs.kill());
  afterAll(async () => {
    await server.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('goes on after it was interrupted, and keeps what a local scan keeps; the log says by whom it was done', async () => {
    const other = join(folder, 'other-ffmpeg');
    writeFileSync(other, `#!/bin/sh\nexec '${(await findFfmpeg()).path}' "$@"\n`);
    chmodSync(other, 0o755);
    worker({ EARWITNESS_FFMPEG: other }, '--name', 'strange');
    const first = spread('spread');
    await until(() => /Worker strange .*takes no part: ffmpeg is/.test(first.stderr()), first);
    const good = [worker(), worker()];
    await until(() => good.some((run) => /Works for the scan/.test(run.stderr())), first);
    first.kill('SIGINT');
    expect(await first.ended).toBe(130);
    const second = spread('spread');
    expect(await second.ended).toBe(3);

    const [local, here] = [held('local'), held('spread')];
    expect(here.analyses).toHaveLength(files);
    expect(here.analyses.map(timeless)).toEqual(local.analyses.map(timeless));
    const rows = here.log.filter(({ action }) => action.startsWith('scan-'));
    const where = server.url.replace(`:${server.password}`, '');
    expect(rows[0].summary).toBe(`Began to scan ${files} items with tiny, spread over the queue ${where}.`);
    const done = rows.filter(({ action }) => action === 'scan-spread');
    expect(done).toHaveLength(2);
    expect(done[0].summary).toMatch(/strange took no part: ffmpeg is/);
    expect(done[1].details).toMatchObject({ queue: where, allowed: [], workers: [{}] });
    const items = done.map(({ details }) => (details['workers'] as { items: number }[])[0]?.items ?? 0);
    // What waited for its transaction when it was interrupted is scored again.
    expect(items[0] + items[1]).toBeGreaterThanOrEqual(files);
    expect(await programs.start(['verify', join(folder, 'spread')]).ended).toBe(0);
    const said = [first, second, ...good].map((run) => run.stdout() + run.stderr()).join('');
    expect(said + JSON.stringify(here)).not.toContain(server.password);
  });

  it('names the machine of each result where that is asked for', async () => {
    worker({}, '--idle', '600');
    const run = spread('spread', '--name-workers', '--which', 'failed');
    expect(await run.ended).toBe(3);
    const { analyses, log } = held('spread');
    const named = analyses.filter(({ provenance }) => provenance.worker !== undefined);
    expect(named).toHaveLength(3);
    for (const { provenance } of named) expect(provenance.worker).toMatch(/^[^:]+: \w+ .*earwitness .*ffmpeg/);
    const scanned = log.filter(({ action }) => action === 'scanned');
    expect(scanned.at(-1)?.details['worker']).toMatch(/ffmpeg/);
  });

  it('says what its options need', async () => {
    for (const [options, why] of [
      [['--allow', 'ffmpeg'], /need --queue/],
      [['--queue', server.url, '--jobs', '2'], /scores nothing/],
      [['--queue', 'redis://:never-to-be-shown@host'], /PostgreSQL/],
    ] as const) {
      const run = scan('spread', ...options);
      expect(await run.ended).toBe(2);
      expect(run.stderr()).toMatch(why);
      expect(run.stderr()).not.toContain(server.password);
    }
  });
});
