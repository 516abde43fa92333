/**
 * How the window behaves (`npm run bench:ui`), in both hosts: how soon it can be used after a cold start, its longest task while a
 * scan runs, and how long a case with tens of thousands of scored recordings takes to open.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright';
import { display, hosts, launchBrowser, root } from '../e2e/hosts.ts';
import { writeMany } from '../e2e/recordings.ts';
import { cases } from '../src-renderer/texts/cases.ts';
import { writeManyScored } from './many-items.ts';
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

async function benchOpen(setting: Setting): Promise<Row[]> {
  const { host, folder, rounds } = setting;
  const home = join(folder, 'many');
  const audio = join(folder, 'many-audio');
  if (statSync(home, { throwIfNoEntry: false }) === undefined) await writeManyScored(home, audio);
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
