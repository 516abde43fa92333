/** A scan over a PostgreSQL queue from which workers, the scan itself and the database server are taken away: its output is that of a local scan. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { babble, wav16 } from '../../src-main/detector/testing.ts';
import { TestServer } from '../../src-main/scanning/queue/testing.ts';
import { descendants, sleep, until } from './soaked.ts';
import type { Soak, Started } from './soaked.ts';

/** So many that a scan has batches in hand and waiting when something is killed. */
const files = 240;
/** The least that queues take: so long a killed worker's batches stay with it. */
const env = { EARWITNESS_QUEUE_HEARTBEAT_SECONDS: '10' };
/** Some are no recordings, and named as such. */
const someFailed = 3;
const interrupted = 130;

const victims = ['worker', 'scan', 'server'] as const;
type Victim = (typeof victims)[number];

/** The ways in which a database server goes down, with the signal for it; `process` loses one of its processes and comes back itself. */
const downs = { 'at once': 'SIGQUIT', restarted: 'SIGINT', process: null } as const;

class QueueSoak {
  readonly #soak: Soak;
  readonly #server: TestServer;
  readonly #local: Buffer;
  #victims: Victim[] = [];

  private constructor(soak: Soak, server: TestServer, local: Buffer) {
    this.#soak = soak;
    this.#server = server;
    this.#local = local;
  }

  /** Makes recordings, scans them without a queue, and starts a server. */
  static async begin(soak: Soak): Promise<QueueSoak> {
    const folder = join(soak.work, 'queued');
    mkdirSync(folder);
    for (let index = 0; index < files; index += 1) {
      const path = join(folder, `${String(index).padStart(3, '0')}.wav`);
      writeFileSync(path, index % 50 === 7 ? 'RIFF\0\0\0\0WAVE' : wav16(babble(1.2, index)));
      if (index % 60 === 1) soak.encode(path);
    }
    const out = join(soak.work, 'local.csv');
    await soak.run([someFailed], ...scanning(soak, out));
    const server = await TestServer.start();
    soak.atEnd(() => server.remove());
    return new QueueSoak(soak, server, readFileSync(out));
  }

  async round(): Promise<void> {
    const soak = this.#soak;
    const out = join(soak.work, `queue-${soak.round}.csv`);
    const workers = Array.from({ length: 1 + soak.below(2) }, () => this.#worker());
    const scan = { now: this.#scan(out) };
    try {
      // Mostly one at a time; now and then what recovers is hit again.
      for (let act = 0; act === 0 || (act === 1 && soak.below(3) === 0); act += 1) {
        const done = 80 * act + soak.below(100);
        if (await until(() => journalLines(out) > done, scan.now)) await this.#kill(this.#next(), out, workers, scan);
      }
      await soak.mustEnd(scan.now, [someFailed]);
      this.#mustBeWhole(out);
    } finally {
      scan.now.child.kill('SIGKILL');
      for (const one of workers) await soak.stop(one, 'SIGINT', [interrupted]);
    }
  }

  /** Each in turn, in an order that the seed gives. */
  #next(): Victim {
    if (this.#victims.length === 0) this.#victims = [...victims];
    const [victim] = this.#victims.splice(this.#soak.below(this.#victims.length), 1);
    return victim;
  }

  #worker(): Started {
    const args = ['worker', '--queue', this.#server.url, '--jobs', '1', '--model', this.#soak.model];
    // It lasts as long as the round.
    return this.#soak.start(args, { limitMs: Infinity, env });
  }

  #scan(out: string, ...more: string[]): Started {
    const args = [...scanning(this.#soak, out), '--queue', this.#server.url, ...more];
    return this.#soak.start(args, { env });
  }

  async #kill(victim: Victim, out: string, workers: Started[], scan: { now: Started }): Promise<void> {
    const soak = this.#soak;
    if (victim === 'worker') {
      const [killed] = workers.splice(0, 1);
      await soak.kill('worker of a queue', killed);
      workers.push(this.#worker());
    } else if (victim === 'scan') {
      await soak.kill('scan over a queue', scan.now);
      scan.now = this.#scan(out, '--resume');
    } else {
      await this.#takeServerDown();
    }
  }

  async #takeServerDown(): Promise<void> {
    const soak = this.#soak;
    const names = Object.keys(downs) as (keyof typeof downs)[];
    const down = names[soak.below(names.length)];
    const signal = downs[down];
    if (signal === null) {
      // The first is the one that the others are started by.
      const [, ...others] = descendants(process.pid, /^postgres$/);
      soak.killProcess('process of the database server', others[soak.below(others.length)]);
      return;
    }
    await this.#server.end(signal);
    soak.countKill(`database server, ${down}`);
    await sleep(soak.below(1500));
    await this.#server.begin();
  }

  #mustBeWhole(out: string): void {
    const soak = this.#soak;
    if (existsSync(`${out}.partial`)) soak.fail(`the scan to ${out} has ended, and its journal is there still`);
    if (existsSync(out) && readFileSync(out).equals(this.#local)) {
      soak.counts.filesScanned += linesAfterFirst(this.#local);
      rmSync(out);
    } else {
      soak.fail(`${out} is not there, or not what a local scan writes (local.csv)`);
    }
  }
}

function scanning(soak: Soak, out: string): string[] {
  return ['scan', '--model', soak.model, '--format', 'csv', '--out', out, join(soak.work, 'queued')];
}

/** Lines after the first: files that are done. */
function linesAfterFirst(text: Buffer): number {
  return text.toString().split('\n').length - 2;
}

function journalLines(out: string): number {
  return existsSync(`${out}.partial`) ? linesAfterFirst(readFileSync(`${out}.partial`)) : 0;
}

const begun = new WeakMap<Soak, Promise<QueueSoak>>();

export async function killQueue(soak: Soak): Promise<void> {
  const queue = begun.get(soak) ?? QueueSoak.begin(soak);
  begun.set(soak, queue);
  await (await queue).round();
}
