/**
 * How the window behaves (`npm run bench:ui`), in both hosts: how soon it can be used after a cold start, its longest task while a
 * scan runs, and how long a case with tens of thousands of scored recordings takes to open.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright';
import { display, hosts, launchBrowser, root } from '../e2e/hosts.ts';
import { writeMany } from '../e2e/recordings.ts';
import { Random } from '../src-main/base/random.ts';
import { fileFingerprint } from '../src-main/cases/fingerprint.ts';
import { Library } from '../src-main/cases/library.ts';
import { CaseStore } from '../src-main/cases/store.ts';
import type { NewAnalysis } from '../src-main/cases/analyses.ts';
import type { NewEvidence } from '../src-main/cases/add-evidence.ts';
import { findingSchema } from '../src-common/schemas/analysis.ts';
import { cases } from '../src-renderer/texts/cases.ts';
import { inTurn, ownRow, table } from './measure.ts';
import type { Row, Timing } from './measure.ts';

const names = ['cold', 'scan', 'open'] as const;
const usage = `npm run bench:ui -- [options]
  --only NAME      one of ${names.join(', ')}; may be repeated
  --host NAME      browser or electron (default: both, as far as they can be had)
  --rounds N       starts of the window, and openings of the case (default: 5)
  --json FILE      write the figures here, too
`;

const goals = { coldSeconds: 2.5, taskMs: 100, openSeconds: 1 };
const scanned = { files: 1000, seconds: 2 };
const manyItems = 50_000;
const batch = 2000;

type Host = (typeof hosts)[number];
interface Setting {
  host: Host;
  folder: string;
  rounds: number;
  /** The person's, which runs already; null for Electron. */
  browser: Browser | null;
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);

function row(host: Host, benchmark: string, unit: string, goal: number | null, { best, median }: Timing): Row {
  const name = `${benchmark}, ${host.name}`;
  const [text, met] = goal === null ? ['', null] : [`< ${goal}`, best < goal];
  return ownRow({ benchmark: name, unit, goal: text, met, note: '' }, best, median);
}

const start = ({ host, browser }: Setting, home?: string): ReturnType<Host['start']> =>
  host.start({ ...(browser === null ? {} : { browser }), ...(home === undefined ? {} : { home }) });

/** From nothing to a window that answers: the engine has told it what there is, and its first button can be pressed. */
async function benchCold(setting: Setting): Promise<Row[]> {
  const run = async (): Promise<number> => {
    const began = performance.now();
    const running = await start(setting);
    try {
      await running.page.getByRole('button', { name: cases.new }).first().click({ trial: true });
      return (performance.now() - began) / 1000;
    } finally {
      await running.close();
    }
  };
  const [timing] = await inTurn(setting.rounds, [run]);
  return [row(setting.host, 'cold start to a usable window', 's', goals.coldSeconds, timing)];
}

/** Begins to note tasks that keep the window from answering (the browser tells of those above 50 ms); answers with the longest. */
async function watchTasks(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    const tasks: number[] = [];
    Object.assign(window, { tasks });
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
      type: 'longtask',
    });
  });
  return () =>
    page.evaluate(() => {
      const { tasks } = window as unknown as { tasks: number[] };
      return Math.max(0, ...tasks.splice(0));
    });
}

const openCase = (page: Page, number: string): Promise<void> =>
  page.getByRole('grid', { name: cases.list }).getByRole('row', { name: number }).dblclick();

function earwitness(home: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'out/main/cli.js'), ...args], {
    encoding: 'utf8',
    env: { ...process.env, EARWITNESS_HOME: home },
  });
  if (status !== 0) throw new Error(stderr);
}

async function benchScan(setting: Setting): Promise<Row[]> {
  const { host, folder } = setting;
  const home = join(folder, `scan-${host.name}`);
  const audio = join(folder, `audio-${host.name}`);
  writeMany(audio, scanned.files, scanned.seconds);
  const place = join(home, 'cases', 'S-1');
  earwitness(home, 'case', 'new', place, '--number', 'S-1', '--title', 'A thousand');
  earwitness(home, 'case', 'add', place, audio);
  const running = await start(setting, home);
  try {
    const { page } = running;
    page.setDefaultTimeout(600_000);
    const longest = await watchTasks(page);
    await openCase(page, 'S-1');
    const button = page.getByRole('button', { name: /^Scan 1,000 new/ });
    await button.waitFor();
    say(`  opening it: ${(await longest()).toFixed(0)} ms`);
    await button.click();
    const summary = page.locator('p.summary');
    await summary
      .filter({ hasText: 'spoof' })
      .or(summary.filter({ hasText: 'assessable' }))
      .waitFor();
    await page.waitForFunction(() => !/not scanned/.test(document.querySelector('p.summary')?.textContent ?? ''));
    const task = await longest();
    return [row(host, 'longest task during a scan of 1,000', 'ms', goals.taskMs, { best: task, median: task })];
  } finally {
    await running.close();
  }
}

/** A case as a scan of many files leaves it, of files that are there but hold nothing. */
function writeManyScored(home: string, audio: string): void {
  mkdirSync(audio, { recursive: true });
  const random = new Random(7);
  const library = Library.open(home);
  const session = { library, actor: () => 'A. Example', program: 'bench' };
  const store = CaseStore.create(join(home, 'cases', 'M-1'), { number: 'M-1', title: 'Very many' }, session);
  const hash = (i: number): string => i.toString(16).padStart(64, '0');
  const time = new Date(0).toISOString();
  const items = Array.from({ length: manyItems }, (_, i): NewEvidence => {
    const name = `call ${String(i).padStart(5, '0')}.wav`;
    const path = join(audio, name);
    writeFileSync(path, '');
    return {
      ...{ name, path, nameBytes: null, uploaded: false, copyPath: null, sizeBytes: 0 },
      ...{ sha256: hash(i), md5: hash(i).slice(32), senderHash: null, createdTime: time, modifiedTime: time },
      ...{ receivedAt: '', receivedFrom: '', conditionOnReceipt: '', metadata: [], audio: null },
      fingerprint: fileFingerprint(statSync(path, { bigint: true })),
    };
  });
  const ids: number[] = [];
  for (let at = 0; at < manyItems; at += batch) ids.push(...store.evidence.add(items.slice(at, at + batch)));
  const model = { name: 'default', status: 'screening', onnxSha256: hash(0) };
  const request = { model: null, modelSha256: hash(0), channel: 'mix' as const, stream: null };
  const { scanId } = store.scans.begin({ ...request, modelName: 'default' }, ids);
  const analysisOf = (evidenceId: number, i: number): NewAnalysis => {
    const score = random.between(-4, 4);
    return {
      ...{ evidenceId, time, stretch: null, label: '', channel: 'mix', stream: 0, modelName: 'default' },
      ...{ modelSha256: hash(0), modelStatus: 'screening', llr: null, error: null, score, llrInterval: null },
      finding: findingSchema.options[Math.floor(4 * random.uniform())],
      provenance: { application: 'bench', model, backend: 'none', platform: 'none', ffmpeg: null, time },
      ...{ settings: {}, fileSha256: hash(i), audio: null, quality: null, timeline: null },
      ...{ durationSeconds: random.between(1, 600), activeSeconds: 2, activeLevelDbfs: -25 },
      reasons: i % 5 === 0 ? [{ code: 'noisy', sentence: 'It is noisy.', blocking: false }] : [],
      windows: [{ startSeconds: 0, endSeconds: 3, score }],
      trackRecord: [],
      thresholds: {
        score: 0,
        inconclusive: null,
        localisation: null,
        localisationStatement: null,
        falseAlarmsPerHour: null,
        falseAlarmsPerHourAtMost: null,
      },
    };
  };
  for (let at = 0; at < manyItems; at += batch) {
    const done = ids.slice(at, at + batch).map((evidenceId, i) => ({
      evidenceId,
      analyses: [analysisOf(evidenceId, at + i)],
    }));
    store.scans.finishItems(scanId, done);
  }
  store.scans.end(scanId, 'done');
  store.close();
  library.close();
}

async function benchOpen(setting: Setting): Promise<Row[]> {
  const { host, folder, rounds } = setting;
  const home = join(folder, 'many');
  const audio = join(folder, 'many-audio');
  if (statSync(home, { throwIfNoEntry: false }) === undefined) writeManyScored(home, audio);
  const seconds: number[] = [];
  let scrolling = 0;
  let sorting = 0;
  for (let round = 0; round < rounds; round++) {
    const running = await start(setting, home);
    try {
      const { page } = running;
      page.setDefaultTimeout(120_000);
      const listed = page.getByRole('grid', { name: cases.list }).getByRole('row', { name: 'M-1' });
      await listed.click();
      await page.getByRole('button', { name: cases.summary.open, exact: true }).waitFor();
      // In the page: from the second click to the first row of the table with its finding, and a frame to show it.
      const took = await listed.evaluate(
        (element) =>
          new Promise<number>((done) => {
            const began = performance.now();
            element.dispatchEvent(new MouseEvent('dblclick', { bubbles: true }));
            const look = (): void => {
              // Details may be shown first: the tab of the recordings is one click away.
              const recordings = [...document.querySelectorAll<HTMLElement>('[role="tab"]')][0];
              if (recordings?.getAttribute('aria-selected') === 'false') recordings.click();
              const grid = document.querySelector('[role="grid"][aria-label="Recordings"]');
              const row = grid?.querySelector('[role="row"][aria-rowindex="2"]');
              if (row?.textContent?.includes('call 0') === true) done(performance.now() - began);
              else requestAnimationFrame(look);
            };
            look();
          }),
      );
      seconds.push(took / 1000);
      const longest = await watchTasks(page);
      const grid = page.getByRole('grid', { name: cases.evidence.label });
      await grid.evaluate(async (element) => {
        const body = element.scrollHeight;
        for (let step = 0; step <= 120; step++) {
          element.scrollTop = (step / 120) ** 2 * body;
          await new Promise((done) => requestAnimationFrame(done));
        }
        await new Promise((done) => setTimeout(done, 1000));
      });
      // Before Playwright looks for anything, which keeps the window busy, too.
      scrolling = Math.max(scrolling, await longest());
      await grid.getByText('call 49999.wav').waitFor();
      const began = performance.now();
      await grid.evaluate((element) => (element.scrollTop = 0));
      await page.getByRole('button', { name: cases.evidence.columns.score, exact: true }).click();
      await page.waitForFunction(() => {
        const first = document.querySelector('[aria-label="Recordings"] [role="row"][aria-rowindex="2"]');
        return /−[34]\.\d/.test(first?.textContent ?? '');
      });
      sorting = Math.max(sorting, (performance.now() - began) / 1000);
    } finally {
      await running.close();
      // Where Electron keeps which case was open, to open it again.
      rmSync(join(home, 'window'), { recursive: true, force: true });
    }
  }
  const sorted = seconds.toSorted((a, b) => a - b);
  const timing = { best: sorted[0], median: sorted[sorted.length >> 1] };
  return [
    row(host, 'opening a case with 50,000 scored', 's', goals.openSeconds, timing),
    row(host, 'longest task on a dash through all of it', 'ms', null, { best: scrolling, median: scrolling }),
    row(host, 'sorting it by score', 's', null, { best: sorting, median: sorting }),
  ];
}

const benchmarks: Record<(typeof names)[number], (setting: Setting) => Promise<Row[]>> = {
  cold: benchCold,
  scan: benchScan,
  open: benchOpen,
};

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      host: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      json: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const chosen = names.filter((name) => values.only?.includes(name) ?? true);
  const rounds = Number(values.rounds);
  const there = hosts.filter(({ name, missing }) => missing === null && name === (values.host ?? name));
  if (values.help || chosen.length === 0 || !(rounds >= 1) || there.length === 0) {
    process.stderr.write(usage);
    return values.help ? 0 : 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'earwitness-bench-ui-'));
  const screen = await display();
  Object.assign(process.env, screen.env);
  const rows: Row[] = [];
  try {
    say(`${cpus()[0].model}, ${availableParallelism()} cores, load ${loadavg()[0].toFixed(1)}`);
    for (const host of there) {
      const browser = host.name === 'browser' ? await launchBrowser() : null;
      for (const name of chosen) {
        say(`${name}, ${host.name} ...`);
        const measured = await benchmarks[name]({ host, folder, rounds, browser });
        for (const { benchmark, ours, unit } of measured) say(`  ${benchmark}: ${ours?.toPrecision(3)} ${unit}`);
        rows.push(...measured);
      }
      await browser?.close();
    }
  } finally {
    await screen.end();
    rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write(
    `\n${table(rows)}\nEach figure is the best run's, the median in brackets; of tasks, 0 means none above 50 ms.\n`,
  );
  if (values.json !== undefined) {
    const machine = { cpu: cpus()[0].model, cores: availableParallelism(), load: loadavg()[0] };
    writeFileSync(
      resolve(values.json),
      `${JSON.stringify({ at: new Date().toISOString(), machine, rounds, rows }, null, 1)}\n`,
    );
  }
  return 0;
}

process.exitCode = await main();
