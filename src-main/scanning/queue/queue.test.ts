/** Scans through a queue: programs in processes of their own, a PostgreSQL server that is started, killed and looked into. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PgBoss } from 'pg-boss';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findFfmpeg } from '../../audio/ffmpeg.ts';
import { babble, wav16, writeTinyModel } from '../../detector/testing.ts';
import { queueAddress } from './address.ts';
import { Queue, mostTries } from './connection.ts';
import { Programs, TestNetwork, TestServer, serverIsThere, until } from './testing.ts';
import type { Run } from './testing.ts';

const files = 240;
let folder: string;
let server: TestServer;
let programs: Programs;
const start = (...given: Parameters<Programs['start']>): Run => programs.start(...given);

const scan = (out: string, ...more: string[]): Run =>
  start(['scan', '--model', join(folder, 'model'), '--out', join(folder, out), join(folder, 'evidence'), ...more]);
const spread = (out: string, ...more: string[]): Run => scan(out, '--format', 'csv', '--queue', server.url, ...more);
const worker = (environment: NodeJS.ProcessEnv = {}, ...more: string[]): Run =>
  start(['worker', '--queue', server.url, '--jobs', '1', '--model', join(folder, 'model'), ...more], environment);

const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const journalLines = (out: string): number =>
  existsSync(join(folder, `${out}.partial`)) ? read(`${out}.partial`).split('\n').length - 2 : 0;

/** Everything that the database holds of Earwitness. */
async function inDatabase(): Promise<string> {
  const boss = new PgBoss({
    connectionString: server.url,
    schema: 'earwitness',
    supervise: false,
    registerInstance: false,
  });
  await boss.start();
  try {
    const { rows } = await boss.getDb().executeSql(
      `SELECT (SELECT json_agg(p) FROM earwitness.presence p) AS presence, (SELECT json_agg(j) FROM earwitness.job j) AS jobs,
              (SELECT json_agg(q.name) FROM earwitness.queue q WHERE q.name ~ 'scan-|replies-') AS queues`,
    );
    return JSON.stringify(rows[0]);
  } finally {
    await boss.stop({ graceful: false });
  }
}

// They start programs again and again, and wait for a heartbeat that is not heard.
describe.skipIf(!serverIsThere)('a scan through a queue on PostgreSQL', { timeout: 600_000 }, () => {
  beforeAll(async () => {
    server = await TestServer.start();
    folder = mkdtempSync(join(tmpdir(), 'earwitness-spread-'));
    programs = new Programs(join(folder, 'home'));
    await writeTinyModel(join(folder, 'model'));
    const evidence = join(folder, 'evidence');
    mkdirSync(evidence);
    for (let i = 0; i < files; i++) {
      const name = `${String(i).padStart(3, '0')}.wav`;
      writeFileSync(join(evidence, name), i % 50 === 7 ? Buffer.from('RIFF\0\0\0\0WAVE') : wav16(babble(1.2, i)));
    }
    writeFileSync(join(evidence, 'notes.txt'), 'No recording.');
    // No UTF-8.
    if (process.platform === 'linux') {
      writeFileSync(
        Buffer.concat([Buffer.from(`${evidence}/`), Buffer.from([0xff, 0x2e, 0x77])]),
        wav16(babble(1.2, 999)),
      );
    }
    expect(await scan('local.csv', '--format', 'csv').ended).toBe(3);
    expect(await scan('local.json', '--format', 'json').ended).toBe(3);
  });
  afterEach(() => {
    programs.kill();
  });
  afterAll(async () => {
    await server.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('by two workers writes what a local scan writes, byte for byte, and leaves no password anywhere', async () => {
    const workers = [worker(), worker()];
    const run = spread('two.csv');
    expect(await run.ended).toBe(3);
    expect(read('two.csv')).toBe(read('local.csv'));

    const json = scan('two.json', '--format', 'json', '--queue', server.url);
    await until(() => journalLines('two.json') > 5, json);
    const journal = read('two.json.partial');
    expect(await json.ended).toBe(3);
    const timeless = (name: string): string => read(name).replace(/"time":"[^"]*"/, '');
    expect(timeless('two.json')).toBe(timeless('local.json'));

    // Both have worked: of each it is said how much when it is ended.
    for (const one of workers) one.kill('SIGINT');
    for (const one of workers) expect(await one.ended).toBe(130);
    const counts = workers.map((one) => Number(/(\d+) files? scored/.exec(one.stderr())?.[1]));
    expect(Math.min(...counts)).toBeGreaterThan(0);
    const database = await inDatabase();
    expect(database).toBe('{"presence":null,"jobs":null,"queues":null}');
    const said = [run, json, ...workers].map((one) => one.stderr()).join('');
    expect(said + journal + database + read('two.json')).not.toContain(server.password);
  });

  it('loses and repeats nothing when a worker is killed', async () => {
    const doomed = worker();
    const run = spread('killed.csv');
    await until(() => journalLines('killed.csv') > 10, run);
    doomed.kill('SIGKILL');
    await doomed.ended;
    // Who takes part is looked at every few seconds; a scan of short files may have ended by then.
    await until(() => /takes part/.test(run.stderr()), run);
    worker();
    expect(await run.ended).toBe(3);
    expect(read('killed.csv')).toBe(read('local.csv'));
  });

  it('loses and repeats nothing when the server goes down and comes back', async () => {
    const one = worker();
    const run = spread('restarted.csv');
    await until(() => journalLines('restarted.csv') > 10, run);
    await server.end();
    // Who comes while it is down waits too.
    const lost = Promise.withResolvers<string>();
    const late = Queue.open(queueAddress(server.url), {
      supervises: false,
      signal: new AbortController().signal,
      onNotice: lost.resolve,
    });
    expect(await lost.promise).toContain('does not answer');
    await server.begin();
    await (await late).close();
    expect(await run.ended).toBe(3);
    expect(read('restarted.csv')).toBe(read('local.csv'));
    for (const said of [run.stderr(), one.stderr()])
      expect(said).toMatch(/does not answer.*trying again[^]*answers again/);
  });

  it('loses and repeats nothing by four workers whose network is cut for longer than they are waited for', async () => {
    const network = await TestNetwork.to(server.url);
    const model = ['--model', join(folder, 'model')];
    const four = [1, 2, 3, 4].map(() => start(['worker', '--queue', network.url, '--jobs', '1', ...model]));
    await until(() => four.every((one) => /Waits for work/.test(one.stderr())));
    const run = spread('cut.csv');
    await until(() => journalLines('cut.csv') > 10, run);
    const before = network.connections;
    await network.cut(2000);
    await until(() => four.every((one) => /does not answer.*trying again/.test(one.stderr())), run);
    // Longer than the heartbeat: what they had in hand is given to others, themselves among them.
    await new Promise((done) => setTimeout(done, 13_000));
    expect(journalLines('cut.csv')).toBeLessThan(files);
    network.mend();
    expect(await run.ended).toBe(3);
    expect(read('cut.csv')).toBe(read('local.csv'));
    expect(network.connections).toBeGreaterThan(before);
    for (const one of four) expect(one.stderr()).toMatch(/answers again/);
    expect(await inDatabase()).toContain('"jobs":null,"queues":null');
    network.close();
  });

  it('goes on after the scan itself was killed, and is gone from the queue once it is cancelled', async () => {
    worker();
    const first = spread('resumed.csv');
    await until(() => journalLines('resumed.csv') > 10, first);
    first.kill('SIGKILL');
    await first.ended;
    const second = spread('resumed.csv', '--resume');
    await until(() => journalLines('resumed.csv') > 80, second);
    second.kill('SIGINT');
    expect(await second.ended).toBe(130);
    expect(second.stderr()).toMatch(/Going on: \d+ of/);
    const last = spread('resumed.csv', '--resume');
    expect(await last.ended).toBe(3);
    expect(read('resumed.csv')).toBe(read('local.csv'));
    // What the killed one left goes when nobody has gone on with it for a week.
    expect((JSON.parse(await inDatabase()) as { queues: string[] }).queues).toHaveLength(2);
  });

  it('refuses a worker without the model, or with another ffmpeg unless that is allowed; then rows name it', async () => {
    const other = join(folder, 'other-ffmpeg');
    const { path } = await findFfmpeg();
    writeFileSync(other, `#!/bin/sh\nexec '${path}' "$@"\n`);
    chmodSync(other, 0o755);
    const strange = worker({ EARWITNESS_FFMPEG: other }, '--name', 'strange');
    const poor = start(['worker', '--queue', server.url, '--name', 'poor']);
    const run = spread('refused.csv');
    await until(() => /Worker strange .*takes no part: ffmpeg is/.test(run.stderr()), run);
    await until(() => /Worker poor .*takes no part: it has no model/.test(run.stderr()), run);
    expect(strange.stderr()).toMatch(/Takes no part in the scan from .*ffmpeg/);
    expect(poor.stderr()).toMatch(/--model/);
    expect(journalLines('refused.csv')).toBeLessThan(10);
    run.kill('SIGINT');
    expect(await run.ended).toBe(130);
    expect(await spread('refused.csv', '--resume', '--allow', 'ffmpeg').ended).toBe(3);
    const lines = read('refused.csv').split('\r\n');
    expect(lines[0]).toMatch(/,worker$/);
    expect(lines[1]).toMatch(/strange: .*ffmpeg/);
    expect(lines.map((line) => line.replace(/,("strange.*"|worker)?$/, ''))).toEqual(read('local.csv').split('\r\n'));
  });

  it('says of a file that changed after it was hashed, and gives up one over which workers end', async () => {
    const alone = join(folder, 'alone');
    mkdirSync(alone);
    for (let i = 0; i < 3; i++) writeFileSync(join(alone, `${i}.wav`), wav16(babble(1.2, i)));
    const run = start([
      'scan',
      '--queue',
      server.url,
      '--model',
      join(folder, 'model'),
      '--format',
      'csv',
      '--out',
      join(folder, 'alone.csv'),
      alone,
    ]);
    const controller = new AbortController();
    const queue = await Queue.open(queueAddress(server.url), {
      supervises: false,
      signal: controller.signal,
      onNotice: () => undefined,
    });
    let id = '';
    for (; id === ''; await new Promise((done) => setTimeout(done, 50))) {
      const present = await queue.present('scan', 60);
      id = present.find(({ about }) => JSON.stringify(about).includes(join(alone, '0.wav')))?.id ?? '';
    }
    // All three together, then each: a worker that takes them and never replies.
    const takes: number[] = [];
    while (takes.length < mostTries + 2 * mostTries) {
      const [job] = await queue.take(id);
      if (job) {
        takes.push(job.retryCount);
        await queue.release(id, [job]);
      } else await new Promise((done) => setTimeout(done, 50));
    }
    expect(Math.max(...takes)).toBe(mostTries - 1);
    await queue.close();
    writeFileSync(join(alone, '0.wav'), wav16(babble(1.2, 77)));
    writeFileSync(join(alone, '1.wav'), wav16(babble(1.2, 78)));
    writeFileSync(join(alone, '2.wav'), wav16(babble(1.2, 79)));
    // Its probe is another file now.
    const late = worker();
    await until(() => /Takes no part.*0\.wav is another file/.test(late.stderr()), late);
    writeFileSync(join(alone, '0.wav'), wav16(babble(1.2, 0)));
    expect(await run.ended).toBe(3);
    const rows = read('alone.csv').trim().split('\n').slice(1);
    expect(rows).toHaveLength(3);
    expect(rows.filter((row) => /workers ended while they were at/.test(row))).toHaveLength(2);
    expect(rows.join('\n')).toMatch(/0\.wav,[0-9a-f]{64}|changed between being hashed/);
  });
});
