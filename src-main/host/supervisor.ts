/** Starts the engine, starts it anew when it dies, and hands out connections to it. */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { promisify } from 'node:util';
import { mendAdvice } from '../base/installation.ts';
import { UserFacingError } from '../base/errors.ts';
import type { Confirmation, FromEngine, ToEngine } from './host-messages.ts';

/** Where the engine serves resources over HTTP, and what it wants to see in the header `earwitness-key`. */
export interface ResourcePlace {
  readonly socket: string;
  readonly key: string;
}

/** A window's connection to the engine of the moment; it does not outlive that engine. */
export interface EngineConnection {
  send(data: string | Uint8Array): void;
  close(): void;
}

interface ConnectionEvents {
  onFrame(data: string | Uint8Array): void;
  /** Not called where this side closed it. */
  onClose(): void;
}

interface SupervisorOptions {
  /** A plain Node, never Electron's own. */
  node: string;
  /** The engine's entry. */
  engineFile: string;
  host: 'browser' | 'electron';
  /** Environment besides the host's own. */
  env?: Record<string, string | undefined>;
  /** Folders that the browser may look into besides those of the settings. */
  roots?: readonly string[];
  /** Told, as a sentence, what happens to the engine. */
  onEvent?: (sentence: string) => void;
  /** Told why, where an engine that had answered cannot be replaced: no further one is started. */
  onFailed?: (error: Error) => void;
  /** Asks the person at the host; without it nobody says yes. */
  confirm?: (what: Confirmation) => Promise<boolean>;
  /** How long an engine may take to put things away; ten seconds. */
  stopMs?: number;
}

/** Waits between the end of an engine and the start of the next; the first where it had run for a while. */
const restartDelaysMs = [50, 500, 2000, 5000, 15_000, 30_000];
/** An engine that ran this long did not die at once. */
const steadyMs = 20_000;
/** So many in a row that never answered are enough to know. */
const mostSilentDeaths = 3;
/** Of what an engine wrote before it ended. */
const keptCharacters = 4000;
/** The oldest Node that runs the engine from source and from the build. */
const oldestNode = [22, 18];

/** Keeps one engine running for as long as its host lives: starts it, starts another when it dies, ends it with the host. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  #child: ChildProcess | null = null;
  #place: ResourcePlace | null = null;
  #ready = Promise.withResolvers<void>();
  #connections = new Map<number, ConnectionEvents>();
  #numbers = 0;
  #quickDeaths = 0;
  #silentDeaths = 0;
  #failure: Error | null = null;
  #answered = false;
  #stopping = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    // Nobody need wait for it: a rejection is for those who do.
    this.#ready.promise.catch(() => undefined);
  }

  /** Process id of the engine that runs, null between two. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Where resources are served now, null between two engines. */
  get resources(): ResourcePlace | null {
    return this.#place;
  }

  /**
   * Starts the engine; settles when it answers. Rejects where `stop` came first.
   * @throws UserFacingError why it cannot start: what the engine says itself, else after three tries what it wrote
   */
  start(): Promise<void> {
    this.#spawn();
    return this.#ready.promise;
  }

  /** Settles when an engine answers; rejects when the host ends. */
  ready(): Promise<void> {
    return this.#ready.promise;
  }

  #spawn(): void {
    const { node, engineFile, host, env, roots = [] } = this.#options;
    const startedMs = Date.now();
    const recovered = this.#answered ? ['--recovered'] : [];
    const args = [engineFile, '--host', host, ...recovered, ...roots.flatMap((root) => ['--root', root])];
    const child = spawn(node, args, {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      serialization: 'advanced',
      env: { ...process.env, ...env },
      windowsHide: true,
    });
    this.#child = child;
    let words = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      process.stderr.write(chunk);
      words = (words + chunk.toString()).slice(-keptCharacters);
    });
    child.on('message', (message) => this.#receive(message as FromEngine));
    // A write to an engine that has just died; its end is reported by `exit`.
    child.on('error', (error) => {
      if (child.pid === undefined) this.#ended(child, startedMs, `could not be started: ${error.message}`, () => '');
    });
    child.on('exit', (code, signal) => {
      const ended = (): void => this.#ended(child, startedMs, `ended with ${signal ?? `status ${code}`}`, () => words);
      // Before it answered, why it ended may still be on its way.
      if (this.#place === null && child.connected) child.once('disconnect', ended);
      else ended();
    });
  }

  #receive(message: FromEngine): void {
    if (message.type === 'ready') {
      this.#place = { socket: message.socket, key: message.key };
      this.#answered = true;
      this.#silentDeaths = 0;
      this.#ready.resolve();
      return;
    }
    if (message.type === 'failed') {
      const { code, message: said, path, advice } = message.error;
      this.#failure = new UserFacingError(code, said, {
        ...(path === undefined ? {} : { path }),
        ...(advice === undefined ? {} : { advice }),
      });
      return;
    }
    if (message.type === 'confirm') {
      void this.#confirm(message.question, message.what);
      return;
    }
    const events = this.#connections.get(message.connection);
    if (message.type === 'frame') events?.onFrame(message.data);
    else {
      this.#connections.delete(message.connection);
      events?.onClose();
    }
  }

  async #confirm(question: number, what: Confirmation): Promise<void> {
    const yes = await (this.#options.confirm?.(what) ?? Promise.resolve(false)).catch(() => false);
    this.#send({ type: 'confirmed', question, yes });
  }

  #ended(child: ChildProcess, startedMs: number, how: string, words: () => string): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#removeSocket();
    if (this.#place === null) this.#silentDeaths += 1;
    else {
      this.#place = null;
      this.#ready = Promise.withResolvers();
      this.#ready.promise.catch(() => undefined);
    }
    const closed = [...this.#connections.values()];
    this.#connections.clear();
    for (const events of closed) events.onClose();
    if (this.#stopping) return;
    if (this.#failure !== null || this.#silentDeaths >= mostSilentDeaths) {
      void this.#giveUp(how, words);
      return;
    }
    this.#quickDeaths = Date.now() - startedMs < steadyMs ? this.#quickDeaths + 1 : 0;
    const delayMs = restartDelaysMs[Math.min(this.#quickDeaths, restartDelaysMs.length) - 1] ?? restartDelaysMs[0];
    this.#options.onEvent?.(`The engine ${how}; the next one starts in ${delayMs / 1000} s.`);
    this.#timer = setTimeout(() => this.#spawn(), delayMs);
  }

  async #giveUp(how: string, words: () => string): Promise<void> {
    const error = this.#failure ?? (await tooOld(this.#options.node)) ?? silent(how, words());
    this.#ready.reject(error);
    if (this.#answered && !this.#stopping) this.#options.onFailed?.(error);
  }

  /** The folder of a socket whose engine could not remove it. */
  #removeSocket(): void {
    if (this.#place === null || process.platform === 'win32') return;
    const folder = dirname(this.#place.socket);
    if (basename(folder).startsWith('earwitness-engine-')) rmSync(folder, { recursive: true, force: true });
  }

  #send(message: ToEngine): void {
    // The callback keeps a broken pipe from being thrown.
    if (this.#child?.connected) this.#child.send(message, () => undefined);
  }

  /** Connects a window to the engine that runs; `onClose` at once where none does. */
  connect(events: ConnectionEvents): EngineConnection {
    const connection = ++this.#numbers;
    if (this.#place === null) {
      queueMicrotask(() => events.onClose());
      return { send: () => undefined, close: () => undefined };
    }
    this.#connections.set(connection, events);
    this.#send({ type: 'open', connection });
    return {
      send: (data) => {
        if (this.#connections.has(connection)) this.#send({ type: 'frame', connection, data });
      },
      close: () => {
        if (this.#connections.delete(connection)) this.#send({ type: 'close', connection });
      },
    };
  }

  /** Ends the engine, which puts away what is under way, by force where that takes too long. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#ready.reject(new Error('The host ends.'));
    if (this.#timer !== null) clearTimeout(this.#timer);
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    this.#send({ type: 'stop' });
    const timer = setTimeout(() => child.kill('SIGKILL'), this.#options.stopMs ?? 10_000);
    await ended;
    clearTimeout(timer);
  }
}

/** That engines ended before they answered, with what the last one wrote. */
function silent(how: string, words: string): UserFacingError {
  const said = words.trim() === '' ? '' : ` Its last words:\n${words.trim()}\n`;
  return new UserFacingError(
    'engine',
    `The engine cannot start: it was tried ${mostSilentDeaths} times and ${how}.${said}`,
    {
      advice: `${mendAdvice()} If that does not help, this is a bug: please report it.`,
    },
  );
}

/** That the Node which was to run the engine cannot. */
async function tooOld(node: string): Promise<UserFacingError | null> {
  const options = { timeout: 5000, windowsHide: true };
  const answer = await promisify(execFile)(node, ['--version'], options).catch(() => null);
  const [major, minor] = (/^v(\d+)\.(\d+)/.exec(answer?.stdout ?? '') ?? []).slice(1).map(Number);
  if (answer !== null && (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]))) return null;
  const what =
    answer === null || major === undefined
      ? 'cannot be run as Node'
      : `is Node ${answer.stdout.trim()}, which is too old`;
  return new UserFacingError('node', `The engine cannot start: ${node} ${what}.`, {
    path: node,
    advice: `Install Node ${oldestNode.join('.')} or newer, or start Earwitness with \`npm start\`, which brings one.`,
  });
}
