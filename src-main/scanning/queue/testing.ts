/** A PostgreSQL server for tests: the machine's, with a folder and a port of its own; and the programs that use it. */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

/** Where the server's programs are; null where there are none. */
function programs(): string | null {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((one, other) => Number(other) - Number(one)) : [];
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ];
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres'))) ?? null;
}

/** Whether tests of queues can be run here; where they must, as under `.ci/run`, they fail without. */
export const serverIsThere = programs() !== null || process.env.EARWITNESS_REQUIRE_QUEUE === '1';

/** The server refuses to be run by root. */
function someone(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const line = /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'));
  return line === null ? { uid: 65534, gid: 65534 } : { uid: Number(line[1]), gid: Number(line[2]) };
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}

export class TestServer {
  readonly password = 'never-to-be-shown';
  readonly url: string;
  readonly #folder: string;
  readonly #port: number;
  #process: ChildProcess | null = null;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
    this.url = `postgres://lab:${this.password}@127.0.0.1:${port}/postgres`;
  }

  static async start(): Promise<TestServer> {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-queue-'));
    const { uid, gid } = someone();
    if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
    const server = new TestServer(folder, await freePort());
    const secret = join(folder, 'password');
    writeFileSync(secret, server.password, { mode: 0o644 });
    const access = ['-U', 'lab', '-A', 'scram-sha-256', '--pwfile', secret];
    server.#run('initdb', ['-D', join(folder, 'data'), '-N', ...access]);
    await server.begin();
    return server;
  }

  #run(program: string, parameters: string[]): void {
    execFileSync(join(programs() ?? '', program), parameters, { stdio: 'ignore', cwd: this.#folder, ...someone() });
  }

  async begin(): Promise<void> {
    const parameters = [
      '-D',
      join(this.#folder, 'data'),
      '-p',
      String(this.#port),
      '-h',
      '127.0.0.1',
      '-k',
      this.#folder,
    ];
    this.#process = spawn(join(programs() ?? '', 'postgres'), parameters, {
      cwd: this.#folder,
      stdio: 'ignore',
      ...someone(),
    });
    for (let tries = 0; tries < 200; tries++) {
      try {
        this.#run('pg_isready', ['-h', '127.0.0.1', '-p', String(this.#port)]);
        return;
      } catch {
        await new Promise((done) => setTimeout(done, 50));
      }
    }
    throw new Error('the test server does not start');
  }

  /** Ends it: `SIGQUIT` at once, connections cut, as a machine does that goes down. */
  async end(signal: NodeJS.Signals = 'SIGQUIT'): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#process?.once('exit', () => resolve());
    this.#process?.kill(signal);
    await promise;
  }

  async remove(): Promise<void> {
    await this.end();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A network between programs and a server that can be cut. */
export class TestNetwork {
  /** The server's address, by this network. */
  readonly url: string;
  /** Connections that were taken so far. */
  connections = 0;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #isCut = false;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  static async to(url: string): Promise<TestNetwork> {
    const there = new URL(url);
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const here = new URL(url);
    here.port = String((server.address() as { port: number }).port);
    const network = new TestNetwork(server, here.href);
    server.on('connection', (one) => network.#join(one, connect(Number(there.port), there.hostname)));
    return network;
  }

  #join(one: Socket, other: Socket): void {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ]) {
      this.#open.add(from);
      from.on('data', (chunk: Buffer) => void (this.#isCut || to.write(chunk)));
      from.on('error', () => undefined);
      from.on('close', () => {
        this.#open.delete(from);
        to.destroy();
      });
    }
    if (this.#isCut) one.destroy();
    else this.connections++;
  }

  /** What is sent from now on is lost; then connections break, and none is taken. */
  async cut(silentMilliseconds: number): Promise<void> {
    this.#isCut = true;
    await new Promise((done) => setTimeout(done, silentMilliseconds));
    for (const socket of this.#open) socket.resetAndDestroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  close(): void {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
  }
}

/** A program that was started. */
export interface Run {
  stdout: () => string;
  stderr: () => string;
  /** Its exit status. */
  ended: Promise<number | null>;
  kill: (signal: NodeJS.Signals) => void;
}

/** Command lines of Earwitness in processes of their own. */
export class Programs {
  readonly #home: string;
  readonly #running = new Set<Run>();

  constructor(home: string) {
    this.#home = home;
  }

  start(args: string[], environment: NodeJS.ProcessEnv = {}): Run {
    const child = spawn(process.execPath, [resolve(import.meta.dirname, '../../cli/main.ts'), ...args], {
      env: {
        ...process.env,
        EARWITNESS_HOME: this.#home,
        EARWITNESS_QUEUE_HEARTBEAT_SECONDS: '10',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()));
    const run: Run = {
      stdout: () => said.stdout,
      stderr: () => said.stderr,
      ended: new Promise((done) => child.on('close', (status) => done(status))),
      kill: (signal) => void child.kill(signal),
    };
    this.#running.add(run);
    void run.ended.then(() => this.#running.delete(run));
    return run;
  }

  /** Ends what still runs. */
  kill(): void {
    for (const run of this.#running) run.kill('SIGKILL');
  }
}

/** Waits for something. @throws Error where the program ends before */
export async function until(what: () => boolean, run?: Run): Promise<void> {
  let over = false;
  void run?.ended.then(() => (over = true));
  while (!what()) {
    if (over) throw new Error(`it ended too soon: ${run?.stderr()}`);
    await new Promise((done) => setTimeout(done, 10));
  }
}
