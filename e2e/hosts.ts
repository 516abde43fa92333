/**
 * The built workstation on a data folder of its own, behind either host, with a Playwright page on its window. A spec runs on
 * both by `describe.each(hosts)`, one whose outcome no host has a part in by `describe.each(browserAlone)`; where a host
 * cannot be had it is skipped, which `EARWITNESS_REQUIRE_HOSTS` forbids. Where
 * `EARWITNESS_PACKAGED` names a packed folder (`npm run package`), that is driven instead, with no Node on its PATH.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { _electron, chromium, errors } from 'playwright';
import type { Browser, BrowserContext, ElectronApplication, Page } from 'playwright';
import { findBrowser } from '../scripts/lib/browser.mjs';
import { electronObstacle, findElectron } from '../scripts/lib/electron.mjs';
import { onPath } from '../scripts/lib/tools.mjs';
import { packaged, pathWithoutNode } from './packaged.ts';

export const root = resolve(import.meta.dirname, '..');
const built = (file: string): string => join(root, 'out', file);

/** The command line: a program and its first arguments. */
export const program: readonly [string, ...string[]] = packaged?.commandLine ?? [
  process.execPath,
  built('main/cli.js'),
];
const rendererFile =
  packaged === null ? built('renderer/index.html') : join(packaged.engine, 'out/renderer/index.html');

const viewport = { width: 1440, height: 900 };
const startMs = 60_000;

export interface HostOptions {
  /** A data folder to go on with; else a fresh one, removed at the end. */
  home?: string;
  env?: Record<string, string>;
  /** Files that the window is started with (Electron only). */
  files?: string[];
  /** Runs host and engine under strace, which writes here what they connect to and send (Linux only). */
  trace?: string;
  /** A browser that runs already, and goes on (browser only). */
  browser?: Browser;
}

export interface RunningHost {
  readonly name: 'browser' | 'electron';
  readonly page: Page;
  readonly home: string;
  /** Of the process that all others of the host and the engine descend from. */
  readonly pid: number;
  /** Of the engine that was started last. */
  enginePid(): number;
  /** With the token (browser only). */
  readonly address: string | null;
  /** For what only Electron's main process can be asked (Electron only). */
  readonly electron: ElectronApplication | null;
  readonly context: BrowserContext;
  /** Starts Electron once more on the same data folder, with files, and waits for its end: its exit status (Electron only). */
  readonly startAgain: ((files: string[]) => Promise<number | null>) | null;
  /** Ends window, host and engine, and removes a fresh data folder. */
  close(): Promise<void>;
}

interface HostKind {
  readonly name: 'browser' | 'electron';
  /** Why it cannot be had here; null where it can. */
  readonly missing: string | null;
  readonly start: (options?: HostOptions) => Promise<RunningHost>;
}

function environment(home: string, options: HostOptions): Record<string, string> {
  const { ELECTRON_RUN_AS_NODE: _unused, ...own } = process.env;
  const named = { ...(own as Record<string, string>), EARWITNESS_HOME: home, ...options.env };
  return packaged === null ? named : { ...named, PATH: pathWithoutNode() };
}

/** How Electron is started with the window; undefined where it cannot be had. */
export function electronStart(): { executablePath: string; args: string[]; env: Record<string, string> } | undefined {
  const executablePath = packaged === null ? findElectron() : packaged.workstation;
  if (executablePath === undefined) return undefined;
  // As root it does not start otherwise; users' Electron is never started so.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  if (packaged !== null) return { executablePath, args, env: {} };
  // A runtime that loads the shell late has to hear this first.
  args.push('-r', built('preload/early.cjs'), built('main/shell.js'));
  return { executablePath, args, env: { EARWITNESS_NODE: process.execPath } };
}

/** The engine writes a line with its process id when it starts. */
function lastEnginePid(home: string): number {
  const log = readFileSync(join(home, 'logs', 'engine.log'), 'utf8');
  const starts = [...log.matchAll(/ info \[(\d+)\] earwitness [\d.]+ on Node /g)];
  const last = starts.at(-1);
  if (last === undefined) throw new Error('The log names no engine.');
  return Number(last[1]);
}

/** Sockets by kind and address; without its filter in the kernel, what is not traced would be slow, too. */
const strace = (log: string): string[] => [
  ...['strace', '-f', '--seccomp-bpf', '-q', '-yy', '-e', 'signal=none'],
  ...['-e', 'trace=connect,sendto,sendmmsg', '-o', log],
];

function dataFolder(options: HostOptions): { home: string; remove: () => void } {
  if (options.home !== undefined) return { home: options.home, remove: () => undefined };
  const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-'));
  return { home: join(folder, 'home'), remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }) };
}

/** Settles with the first match in what the program prints; rejects where it ends or takes too long. */
function printed(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((found, reject) => {
    let output = '';
    const timer = setTimeout(() => {
      // What did not start in time is not left running.
      child.kill('SIGTERM');
      reject(new Error(`Nothing was printed in time:\n${output}`));
    }, startMs);
    const onData = (chunk: Buffer): void => {
      output += chunk.toString();
      const match = pattern.exec(output);
      if (match === null) return;
      clearTimeout(timer);
      found(match[1]);
    };
    child.stdout?.on('data', onData);
    child.stderr?.on('data', onData);
    child.on('exit', (code) => reject(new Error(`It ended with status ${code}:\n${output}`)));
  });
}

/** Whether a process of that number is there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((done) => child.once('exit', () => done()));
}

/** A Chromium or Chrome without a window. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  if (executablePath === undefined) throw new Error('There is no browser.');
  // A container's root has no use of Chromium's sandbox.
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
}

/** `earwitness serve`, and a Chromium at its address. */
export async function startBrowserHost(options: HostOptions = {}): Promise<RunningHost> {
  const { home, remove } = dataFolder(options);
  const serve = [...program, 'serve', '--no-open'];
  const [command, ...rest] = options.trace === undefined ? serve : [...strace(options.trace), ...serve];
  const server = spawn(command, rest, {
    env: environment(home, options),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const address = await printed(server, /(http:\/\/127\.0\.0\.1:\d+\/\?token=\w+)/);
  const browser = options.browser ?? (await launchBrowser());
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  await page.goto(address);
  return {
    name: 'browser',
    page,
    home,
    address,
    context,
    electron: null,
    startAgain: null,
    pid: server.pid ?? 0,
    enginePid: () => lastEnginePid(home),
    async close() {
      await (options.browser === undefined ? browser : context).close();
      // Strace lets no such signal through.
      if (options.trace === undefined) server.kill('SIGTERM');
      else
        process.kill(Number(readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8').trim()), 'SIGTERM');
      await ended(server);
      remove();
    },
  };
}

/** A display for Electron where there is none. */
export async function display(): Promise<{ env: Record<string, string>; end: () => Promise<void> }> {
  if (process.platform !== 'linux' || process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY']) {
    return { env: {}, end: async () => undefined };
  }
  const args = ['-displayfd', '3', '-screen', '0', '1600x1000x24', '-nolisten', 'tcp'];
  const server = spawn('Xvfb', args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const number = await new Promise<string>((found, reject) => {
    let text = '';
    server.stdio[3]?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('\n')) found(text.trim());
    });
    server.on('error', reject);
    server.on('exit', () => reject(new Error('Xvfb ended.')));
  });
  return {
    env: { DISPLAY: `:${number}` },
    end: async () => {
      server.kill();
      await ended(server);
    },
  };
}

/** A program beside the log that starts Electron under strace: Playwright starts but one. */
function tracedElectron(executablePath: string, log: string): string {
  const quoted = [...strace(log), executablePath].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  writeFileSync(`${log}.sh`, `#!/bin/sh\nexec ${quoted.join(' ')} "$@"\n`, { mode: 0o755 });
  return `${log}.sh`;
}

/** Electron with a page on its window, in a home and on a screen. */
async function launchElectron(
  executablePath: string,
  args: string[],
  env: Record<string, string>,
): Promise<{ electron: ElectronApplication; page: Page }> {
  const electron = await _electron.launch({ executablePath, args, env, timeout: startMs });
  try {
    const page = await electron.firstWindow({ timeout: startMs });
    await page.waitForLoadState('load', { timeout: startMs });
    return { electron, page };
  } catch (error) {
    await electron.close();
    throw error;
  }
}

/** Electron, with the shell that was built. */
export async function startElectronHost(options: HostOptions = {}): Promise<RunningHost> {
  const start = electronStart();
  if (start === undefined) throw new Error('There is no Electron.');
  const { executablePath, args } = start;
  const { home, remove } = dataFolder(options);
  const screen = await display();
  const env = { ...environment(home, options), ...screen.env, ...start.env };
  const leave = async (): Promise<void> => {
    await screen.end();
    remove();
  };
  const traced = options.trace === undefined ? executablePath : tracedElectron(executablePath, options.trace);
  const launch = (): ReturnType<typeof launchElectron> =>
    launchElectron(traced, [...args, ...(options.files ?? [])], env);
  const { electron, page } = await launch()
    .catch((error: unknown) => {
      // Some launches in a hundred never answer Playwright, which says no more than that.
      if (!(error instanceof errors.TimeoutError)) throw error;
      console.warn(`Electron is started once more: ${error.message.split('\n')[0]}`);
      return launch();
    })
    .catch(async (error: unknown) => {
      await leave();
      throw error;
    });
  return {
    name: 'electron',
    page,
    home,
    address: null,
    context: electron.context(),
    electron,
    pid: electron.process().pid ?? 0,
    enginePid: () => lastEnginePid(home),
    async startAgain(files) {
      const second = spawn(executablePath, [...args, ...files], { env, stdio: 'ignore' });
      await ended(second);
      return second.exitCode;
    },
    async close() {
      await electron.close();
      await leave();
    },
  };
}

function missingBrowser(): string | null {
  if (!existsSync(rendererFile)) return 'the window has not been built';
  return findBrowser() === undefined ? 'there is no Chromium or Chrome' : null;
}

function missingElectron(): string | null {
  if (!existsSync(rendererFile)) return 'the window has not been built';
  const electron = electronStart()?.executablePath;
  if (electron === undefined) return "there is no binary of Electron's";
  const hasDisplay = process.platform !== 'linux' || process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY'];
  if (!hasDisplay && !onPath('Xvfb')) return 'there is neither a display nor Xvfb';
  // Root's is started without a sandbox here.
  if (process.getuid?.() === 0) return null;
  return electronObstacle(electron, { DISPLAY: ':0' })?.reason ?? null;
}

function required(kind: HostKind): HostKind {
  if (kind.missing === null) return kind;
  if (process.env['EARWITNESS_REQUIRE_HOSTS']) throw new Error(`${kind.name}: ${kind.missing}`);
  console.warn(`Tests in ${kind.name} are skipped: ${kind.missing}.`);
  return kind;
}

/** Both hosts: `describe.each(hosts)('$name', ({ start, missing }) => describe.skipIf(missing !== null)(…))`. */
export const hosts: readonly HostKind[] = [
  required({ name: 'browser', missing: missingBrowser(), start: startBrowserHost }),
  required({ name: 'electron', missing: missingElectron(), start: startElectronHost }),
];

/** For what page and engine do by themselves, whichever host stands between them: the browser, which everybody has. */
export const browserAlone: readonly HostKind[] = hosts.slice(0, 1);
