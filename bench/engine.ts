/**
 * How long the engine is held up by a case of 50,000 scored recordings, or as many as are asked for (`npm run bench:engine`): its loop's longest delay while the case is
 * listed, narrowed, scanned, reported and verified, and how soon a report and a scan say how far they are and can be stopped.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { connectTo, jobDone } from '../e2e/engine-client.ts';
import { startBrowserHost } from '../e2e/hosts.ts';
import type { RunningHost } from '../e2e/hosts.ts';
import { manyItems, writeManyScored } from './many-items.ts';
import { ownRow, table } from './measure.ts';
import type { Row } from './measure.ts';

const usage = `npm run bench:engine -- [options]
  --rounds N       how often each is done (default: 3)
  --items N        recordings of the case (default: 50,000)
  --home FOLDER    keep the case there, or take the one that is there
  --json FILE      write the figures here, too
`;

const mostHeldUpMs = 50;
const scanSeconds = 10;

type Client = Awaited<ReturnType<typeof connectTo>>['client'];
type Job = Awaited<ReturnType<Client['jobs']['list']>>[number];

interface Setting {
  client: Client;
  caseId: string;
  folder: string;
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

async function jobOf(client: Client, jobId: string): Promise<Job> {
  const job = (await client.jobs.list()).find(({ id }) => id === jobId);
  if (job === undefined) throw new Error(`There is no job ${jobId}.`);
  return job;
}

/** Waits until a job says how far it is, stops it, and waits for its end: seconds from the stop to the end. */
async function stopped(client: Client, { jobId }: { jobId: string }, afterMs: number): Promise<number> {
  while ((await jobOf(client, jobId)).done === 0) await pause(50);
  await pause(afterMs);
  const began = performance.now();
  await client.jobs.cancel({ jobId });
  for (;;) {
    const { state, endedAt } = await jobOf(client, jobId);
    if (endedAt !== null && state !== 'cancelled') throw new Error(`The job was ${state} before it could be stopped.`);
    if (endedAt !== null) return (performance.now() - began) / 1000;
    await pause(10);
  }
}

async function listed({ client, caseId }: Setting): Promise<void> {
  for (const by of ['id', 'score', 'name', 'alarms', 'flags', 'duration'] as const) {
    await client.evidence.list({ caseId, order: { by, descending: true }, offset: 500, limit: 200 });
  }
}

async function narrowed({ client, caseId }: Setting): Promise<void> {
  const order = { by: 'score', descending: false } as const;
  for (const filter of ['call 4', 'noisy', 'nothing of the kind'])
    await client.evidence.list({ caseId, filter, order });
  await client.evidence.list({ caseId, findings: ['flagged'], order });
  await client.evidence.list({ caseId, where: { minSeconds: 100, maxSeconds: 200 }, order });
  await client.evidence.facets({ caseId });
  await client.evidence.ids({ caseId, filter: 'call' });
}

async function opened({ client, caseId }: Setting): Promise<void> {
  await client.cases.close({ caseId });
  await client.cases.open({ caseId });
  await client.cases.get({ caseId });
}

async function labelled({ client, caseId }: Setting): Promise<void> {
  const evidenceIds = await client.evidence.ids({ caseId });
  await client.evidence.label({ caseId, evidenceIds, addTags: ['of interest'] });
  await client.cases.undo({ caseId });
}

async function scanned({ client, caseId }: Setting): Promise<void> {
  const job = await client.analyses.scan({ caseId, which: 'all' });
  await stopped(client, job, scanSeconds * 1000);
}

async function reported({ client, caseId, folder }: Setting): Promise<void> {
  const out = join(folder, `report-${performance.now()}.pdf`);
  await jobDone(client, await client.reports.issue({ caseId, out }));
}

async function drafted({ client, caseId }: Setting): Promise<void> {
  const job = await client.reports.draft({ caseId, out: null, format: 'docx' });
  await jobDone(client, job);
}

async function reportStopped({ client, caseId }: Setting): Promise<number> {
  return stopped(client, await client.reports.draft({ caseId, out: null }), 1000);
}

async function verified({ client, caseId }: Setting): Promise<void> {
  const { integrity, checks } = await client.cases.verify({ caseId });
  const failed = checks.find(({ holds }) => !holds);
  if (!integrity) throw new Error(`The case does not hold: ${failed?.sentence}`);
}

async function exported({ client, caseId, folder }: Setting): Promise<void> {
  await client.evidence.export({ caseId, format: 'csv', out: join(folder, `list-${performance.now()}.csv`) });
}

const works: [string, (setting: Setting) => Promise<unknown>][] = [
  ['opening', opened],
  ['listing, six orders', listed],
  ['narrowing, six ways', narrowed],
  ['labelling all, and undoing it', labelled],
  ['its list as CSV', exported],
  [`${scanSeconds} s of a scan, and stopping it`, scanned],
  ['issuing a report', reported],
  ['a draft as DOCX', drafted],
  ['stopping a report', reportStopped],
  ['verifying', verified],
];

interface HeldUp {
  longestMs: number;
  busiestMs: number;
}

/** The longest time that the engine's loop was held up since it was asked last, and what of it was its own doing. */
async function heldUp(host: RunningHost, file: string): Promise<HeldUp> {
  rmSync(file, { force: true });
  process.kill(host.enginePid(), 'SIGUSR2');
  for (;;) {
    await pause(20);
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as HeldUp;
    } catch {
      // It is at something yet.
    }
  }
}

async function measured(home: string, folder: string, rounds: number): Promise<Row[]> {
  const file = join(folder, 'delay.json');
  const probe = `--import=${join(import.meta.dirname, 'delay-probe.mjs')}`;
  const env = { NODE_OPTIONS: probe, EARWITNESS_DELAY_FILE: file, HOME: folder, USERPROFILE: folder };
  const host = await startBrowserHost({ home, env });
  const { client, close } = await connectTo(host);
  try {
    // The window has no part in this.
    await host.page.goto('about:blank');
    const known = (await client.cases.list({})).find(({ number }) => number === 'M-1');
    if (known === undefined) throw new Error('There is no case M-1.');
    await client.settings.set({ laboratory: 'Benchmark', examiner: 'A. Example' });
    const setting = { client, caseId: known.id, folder };
    await client.cases.open({ caseId: known.id });
    const rows: Row[] = [];
    for (const [name, work] of works) {
      const held: HeldUp[] = [];
      const seconds: number[] = [];
      for (let round = 0; round < rounds; round++) {
        await pause(500);
        await heldUp(host, file);
        const began = performance.now();
        const own = await work(setting);
        seconds.push(typeof own === 'number' ? own : (performance.now() - began) / 1000);
        held.push(await heldUp(host, file));
      }
      const wall = bestAndMedian(held.map(({ longestMs }) => longestMs));
      const own = bestAndMedian(held.map(({ busiestMs }) => busiestMs));
      const took = bestAndMedian(seconds);
      const goal = { goal: `<= ${mostHeldUpMs}`, met: own[0] <= mostHeldUpMs, note: '' };
      const free = { goal: '', met: null, note: '' };
      rows.push(
        ownRow({ benchmark: `${name}: own`, unit: 'ms', ...goal }, ...own),
        ownRow({ benchmark: '  by the clock', unit: 'ms', ...free }, ...wall),
        ownRow({ benchmark: '  takes', unit: 's', ...free }, ...took),
      );
      say(`  ${name}: busy ${own[0].toFixed(0)} ms, held up ${wall[0].toFixed(0)} ms, takes ${took[0].toFixed(2)} s`);
    }
    return rows;
  } finally {
    close();
    await host.close();
  }
}

function bestAndMedian(values: readonly number[]): [number, number] {
  const sorted = values.toSorted((a, b) => a - b);
  return [sorted[0], sorted[sorted.length >> 1]];
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      items: { type: 'string', default: String(manyItems) },
      home: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const rounds = Number(values.rounds);
  const items = Number(values.items);
  if (values.help || !(rounds >= 1) || !(items >= 1)) {
    process.stderr.write(usage);
    return values.help ? 0 : 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'earwitness-bench-engine-'));
  try {
    const machine = { cpu: cpus()[0].model, cores: availableParallelism(), load: loadavg()[0] };
    say(`${machine.cpu}, ${machine.cores} cores, load ${machine.load.toFixed(1)}; ${items} items`);
    const home = resolve(values.home ?? join(folder, 'home'));
    if (!existsSync(home)) await writeManyScored(home, join(home, 'audio'), items);
    const rows = await measured(home, folder, rounds);
    process.stdout.write(`\n${table(rows)}\nEach figure is the best run's, the median in brackets.\n`);
    if (values.json !== undefined) {
      writeFileSync(
        resolve(values.json),
        `${JSON.stringify({ at: new Date().toISOString(), machine, rows }, null, 1)}\n`,
      );
    }
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
