/** What a soak works on: one data folder, its cases and recordings, the program as it is started and killed, and what was counted of all that. */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFfmpeg } from '../../src-main/audio/ffmpeg.ts';
import { Random } from '../../src-main/base/random.ts';
import { babble, wav16, writeTinyModel } from '../../src-main/detector/testing.ts';

/** A command that takes longer hangs; time in which it waits for a processor that others have is not counted. */
const commandMs = 120_000;
const recordings = 10;
/** So often it is looked how long commands have taken, and how much memory at most, which the system keeps. */
const lookMs = 1000;

export interface Counts {
  /** Processes that were killed while they ran, by what they were. */
  kills: Record<string, number>;
  /** Recordings whose results were looked at after an interruption, each once a round. */
  filesScanned: number;
  /** Rows of custody logs that `verify` found whole. */
  rowsVerified: number;
  /** Most resident memory that one process took, in MiB, by its command; empty where the system does not tell it. */
  memoryMib: Record<string, number>;
}

interface Ended {
  /** Null where it was killed. */
  status: number | null;
  text: string;
}

export interface Started {
  child: ChildProcess;
  ended: Promise<Ended>;
  /** Whether it runs still. */
  runs: () => boolean;
}

export const sleep = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));

/** Waits until something is so or the process has ended. @returns whether it is so */
export async function until(isSo: () => boolean, { runs }: Pick<Started, 'runs'>): Promise<boolean> {
  while (!isSo()) {
    if (!runs()) return false;
    await sleep(10);
  }
  return true;
}

/** Processes below one, by their command's name. */
export function descendants(pid: number, name: RegExp): number[] {
  const found: number[] = [];
  const look = (parent: number): void => {
    let tasks: string[];
    try {
      tasks = readdirSync(`/proc/${parent}/task`);
    } catch {
      return;
    }
    for (const task of tasks) {
      try {
        const children = readFileSync(`/proc/${parent}/task/${task}/children`, 'utf8').trim();
        for (const child of children === '' ? [] : children.split(' ').map(Number)) {
          if (name.test(readFileSync(`/proc/${child}/comm`, 'utf8').trim())) found.push(child);
          look(child);
        }
      } catch {
        continue;
      }
    }
  };
  look(pid);
  return found;
}

/** How long the threads of a process have run, by their ids, and whether one would go on if it had a processor; none where the system does not tell. */
function threadsOf(pid: number): { id: number; ranMs: number; ready: boolean }[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map((id) => {
      const of = (what: string): string => readFileSync(`/proc/${pid}/task/${id}/${what}`, 'utf8');
      return { id: Number(id), ranMs: Number(of('schedstat').split(' ')[0]) / 1e6, ready: /\) R /.test(of('stat')) };
    });
  } catch {
    return [];
  }
}

/** The name of a process, and the most memory that it has had at a time. */
function memoryOf(pid: number): { name: string; mib: number } | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kib = /^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1];
    return kib === undefined ? null : { name: /^Name:\s*(.*)$/m.exec(status)?.[1] ?? '', mib: Number(kib) / 1024 };
  } catch {
    return null;
  }
}

/** A command that runs. */
interface Running {
  command: string;
  /** Of its time what is left until it hangs. */
  leftMs: number;
  /** How long its threads had run when they were looked at last. */
  ranMs: Map<number, number>;
  hangs: () => void;
}

export class Soak {
  readonly failures: string[] = [];
  readonly work: string;
  readonly home: string;
  readonly model: string;
  readonly pristine: string;
  readonly random: Random;
  ffmpeg: string | null = null;
  readonly statuses: Record<string, Record<string, number>> = {};
  readonly counts: Counts = { kills: {}, filesScanned: 0, rowsVerified: 0, memoryMib: {} };
  round = 0;
  kind = '';
  readonly #program: readonly [string, ...string[]];
  readonly #running = new Map<number, Running>();
  readonly #looking: NodeJS.Timeout;
  #looked = performance.now();
  readonly #closings: (() => Promise<void>)[] = [];

  /** @param program the command line: built, a script of Node's; else what a package starts */
  constructor(seed: number, program: string) {
    this.#program = /\.[cm]?js$/.test(program) ? [process.execPath, program] : [program];
    this.work = mkdtempSync(join(tmpdir(), 'earwitness-soak-'));
    this.home = join(this.work, 'home');
    this.model = join(this.work, 'model');
    this.pristine = join(this.home, 'cases', 'pristine');
    this.random = new Random(seed);
    this.#looking = setInterval(() => this.#look(), lookMs);
  }

  fail(what: string): void {
    this.failures.push(`round ${this.round} (${this.kind}): ${what}`);
  }

  below(count: number): number {
    return this.random.below(count);
  }

  /** @param limitMs what takes longer hangs */
  start(
    args: string[],
    { limitMs = commandMs, env = {} }: { limitMs?: number; env?: NodeJS.ProcessEnv } = {},
  ): Started {
    const [executable, ...before] = this.#program;
    const child = spawn(executable, [...before, ...args], {
      env: { ...process.env, EARWITNESS_HOME: this.home, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const pid = child.pid ?? 0;
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const hangs = (): void => {
      this.fail(`earwitness ${args.join(' ')} hangs`);
      child.kill('SIGKILL');
    };
    const command = args[0] === 'case' ? `case ${args[1]}` : args[0];
    this.#running.set(pid, { command, leftMs: limitMs, ranMs: new Map(), hangs });
    let over = false;
    const ended = new Promise<Ended>((done) =>
      child.on('close', (status) => {
        over = true;
        this.#running.delete(pid);
        if (text.includes('this is a bug in Earwitness')) this.fail(`earwitness ${args.join(' ')}: ${text}`);
        const counts = (this.statuses[this.kind] ??= {});
        counts[String(status)] = (counts[String(status)] ?? 0) + 1;
        done({ status, text });
      }),
    );
    return { child, ended, runs: () => !over };
  }

  /** Runs the program to its end; a failure where that is none of the expected. */
  async run(expected: readonly number[], ...args: string[]): Promise<Ended> {
    return this.mustEnd(this.start(args), expected);
  }

  /** Waits for the end of what was started; a failure where that is none of the expected. */
  async mustEnd({ child, ended }: Started, expected: readonly number[]): Promise<Ended> {
    const { status, text } = await ended;
    if (!expected.includes(status ?? -1)) {
      this.fail(`${child.spawnargs.slice(this.#program.length).join(' ')} ended with ${status}:\n${text}`);
    }
    return { status, text };
  }

  /** Asks what was started to end, and waits for it; a failure where that takes long or its status is none of the expected. */
  async stop(started: Started, signal: NodeJS.Signals, expected: readonly number[]): Promise<void> {
    const running = this.#running.get(started.child.pid ?? 0);
    if (running) running.leftMs = commandMs;
    started.child.kill(signal);
    await this.mustEnd(started, expected);
  }

  /** Kills what was started, if it runs still. @param what it is, as kills are counted */
  async kill(what: string, { child, ended }: Started): Promise<void> {
    child.kill('SIGKILL');
    const { status } = await ended;
    if (status === null) this.countKill(what);
  }

  /** Kills a process below what was started, or of a database server. */
  killProcess(what: string, pid: number | undefined): void {
    if (pid === undefined) return;
    try {
      process.kill(pid, 'SIGKILL');
      this.countKill(what);
    } catch {
      // It was quicker.
    }
  }

  countKill(what: string): void {
    this.counts.kills[what] = (this.counts.kills[what] ?? 0) + 1;
  }

  scanning(folder: string): string[] {
    return ['case', 'scan', folder, '--model', this.model, '--jobs', '2'];
  }

  /** A case with recordings, none of them scanned. */
  async newCase(name: string): Promise<string> {
    const folder = join(this.home, 'cases', name);
    await this.run([0], 'case', 'new', folder, '--number', name, '--title', 'Soak');
    await this.run([0], 'case', 'add', folder, join(this.work, 'evidence'));
    return folder;
  }

  /** After an interruption: it goes on, each item has one result, and all of it verifies. */
  async mustRecover(folder: string): Promise<void> {
    await this.run([0], ...this.scanning(folder));
    await this.mustVerify(folder);
    const items = await this.items(folder);
    const wanted = readdirSync(join(this.work, 'evidence')).length;
    const open = items.filter(({ scan, error }) => scan !== 'done' || error !== null);
    if (items.length !== wanted || open.length > 0) {
      this.fail(`${folder} has ${items.length} of ${wanted} items, ${open.length} of them without a result`);
    }
    this.counts.filesScanned += items.length - open.length;
  }

  /** What `case show` says of each item. */
  async items(folder: string): Promise<{ scan: string; error: { code: string } | null }[]> {
    const { text } = await this.run([0], 'case', 'show', folder, '--json');
    return (JSON.parse(text) as { items: { scan: string; error: { code: string } | null }[] }).items;
  }

  async mustVerify(folder: string): Promise<void> {
    const { status, text } = await this.run([0], 'verify', folder);
    if (status === 0) this.counts.rowsVerified += Number(/^Custody log: (\d+) rows/m.exec(text)?.[1]);
  }

  async setUp(): Promise<void> {
    await writeTinyModel(this.model);
    mkdirSync(join(this.work, 'evidence'));
    this.ffmpeg = (await findFfmpeg().catch(() => null))?.path ?? null;
    for (let index = 0; index < recordings; index += 1) {
      const path = join(this.work, 'evidence', `${index}.wav`);
      writeFileSync(path, wav16(babble(1.5 + (index % 5), index)));
      if (index % 2 === 1) this.encode(path);
    }
    await this.newCase('pristine');
    await this.run([0], ...this.scanning(this.pristine));
    await this.mustVerify(this.pristine);
  }

  /** Puts the sound of a file as AAC beside it, where there is an ffmpeg. */
  encode(path: string): void {
    if (this.ffmpeg === null) return;
    execFileSync(this.ffmpeg, ['-v', 'error', '-nostdin', '-i', path, path.replace('.wav', '.m4a')]);
  }

  /** Has something done when the soak is over. */
  atEnd(close: () => Promise<void>): void {
    this.#closings.push(close);
  }

  async close(): Promise<void> {
    clearInterval(this.#looking);
    for (const close of this.#closings) await close();
  }

  /** Looks at what runs: whether it hangs, and how much memory it takes. */
  #look(): void {
    const passed = performance.now() - this.#looked;
    this.#looked += passed;
    for (const [pid, running] of this.#running) {
      const below = process.platform === 'linux' ? descendants(pid, /./) : [];
      const threads = [pid, ...below].flatMap(threadsOf);
      const ran = threads.reduce((sum, { id, ranMs }) => sum + ranMs - (running.ranMs.get(id) ?? 0), 0);
      running.ranMs = new Map(threads.map(({ id, ranMs }) => [id, ranMs]));
      running.leftMs -= threads.some(({ ready }) => ready) ? Math.min(passed, ran) : passed;
      this.#takeMemory(running.command, pid, below);
      if (running.leftMs >= 0) continue;
      running.leftMs = Infinity;
      running.hangs();
    }
  }

  #takeMemory(command: string, pid: number, below: readonly number[]): void {
    const { memoryMib } = this.counts;
    for (const one of [pid, ...below]) {
      const found = memoryOf(one);
      if (found === null) continue;
      const isNode = /^(node|MainThread)$/.test(found.name);
      const what = one === pid ? command : isNode ? `${command}, engine` : found.name;
      memoryMib[what] = Math.max(memoryMib[what] ?? 0, Math.round(found.mib));
    }
  }
}
