/**
 * The window's one connection to the engine: a MessagePort from Electron's preload script, a WebSocket in a browser. It
 * reconnects by itself; a call made in between waits for it, a call under way when it was lost fails with code `connection`.
 */
import { createORPCClient, ORPCError } from '@orpc/client';
import type { ClientLink } from '@orpc/client';
import { RPCLink as PortLink } from '@orpc/client/message-port';
import { RPCLink as SocketLink } from '@orpc/client/websocket';
import type { ContractRouterClient } from '@orpc/contract';
import { userErrorSchema } from '../../src-common/schemas/user-error.ts';
import type { Contract } from '../../src-preload/contract.ts';
import type { Change } from '../../src-preload/contract/system.ts';
import { hostBridge } from '../../src-preload/bridge.ts';
import type { HostBridge } from '../../src-preload/bridge.ts';
import { common } from '../texts/common.ts';

/** Electron's bridge; undefined in a browser. */
export const bridge: HostBridge | undefined = hostBridge();

type AnyLink = ClientLink<Record<never, never>>;

/** An open connection: what sends calls, and whether and when it has ended. */
class OpenLink {
  readonly link: AnyLink;
  isOver = false;
  readonly ended: Promise<void>;

  /** `onClose` is called before `makeLink`, so that the end is known here before calls fail of it. */
  constructor(onClose: (listener: () => void) => void, makeLink: () => AnyLink) {
    this.ended = new Promise((resolve) =>
      onClose(() => {
        this.isOver = true;
        resolve();
      }),
    );
    this.link = makeLink();
  }
}

export const connection: { state: 'connecting' | 'connected' | 'lost'; recovered: boolean } = $state({
  state: 'connecting',
  recovered: false,
});

class ConnectionLost extends Error {}

async function openPort(host: HostBridge): Promise<OpenLink> {
  const port = await host.connect();
  const open = new OpenLink(
    (listener) => port.addEventListener('close', listener, { once: true }),
    () => new PortLink({ port }),
  );
  port.start();
  return open;
}

function openSocket(): Promise<OpenLink> {
  const address = new URL('/rpc', location.href);
  address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const websocket = new WebSocket(address);
  const open = new OpenLink(
    (listener) => websocket.addEventListener('close', listener, { once: true }),
    () => new SocketLink({ websocket }),
  );
  return new Promise((resolve, reject) => {
    websocket.addEventListener('open', () => resolve(open));
    websocket.addEventListener('close', () => reject(new ConnectionLost()));
  });
}

/** The connection that calls go over, once there is one; replaced when it is lost. */
class Current {
  readonly promise: Promise<OpenLink>;
  resolve!: (open: OpenLink) => void;
  constructor() {
    this.promise = new Promise((resolve) => (this.resolve = resolve));
  }
}

let current = new Current();
let failedAttempts = 0;
const retryDelaysMs = [100, 250, 500, 1000, 2000];

/** Keeps a connection open for as long as the window lives. It counts as connected when the engine has answered on it. */
async function keepConnected(): Promise<void> {
  for (;;) {
    try {
      const open = await (bridge === undefined ? openSocket() : openPort(bridge));
      current.resolve(open);
      void followChanges(open);
      await open.ended;
      current = new Current();
      connection.state = 'lost';
    } catch {
      if (connection.state !== 'connecting' || failedAttempts >= 3) {
        connection.state = 'lost';
      }
    }
    await wait(retryDelaysMs[Math.min(failedAttempts, retryDelaysMs.length - 1)]);
    failedAttempts += 1;
  }
}

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A connection that closes ends what is under way with errors of the library's own kind. */
function asLost(error: unknown, open: OpenLink): unknown {
  return open.isOver && !(error instanceof ORPCError) ? new ConnectionLost() : error;
}

function isIterator(value: unknown): value is AsyncIterator<unknown> & AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** Asks for the passphrase of the key; answers whether it was given. Set by what shows the dialog. */
let askPassphrase: () => Promise<boolean> = () => Promise.resolve(false);

export function onLockedKey(ask: typeof askPassphrase): void {
  askPassphrase = ask;
}

/** A call that was refused because the key has a passphrase is made again once that was given. */
const link: AnyLink = {
  async call(path, input, options) {
    try {
      return await overConnection.call(path, input, options);
    } catch (error) {
      if (errorWords(error).code !== 'key-locked' || !(await askPassphrase())) {
        throw error;
      }
      return overConnection.call(path, input, options);
    }
  },
};

const overConnection: AnyLink = {
  async call(path, input, options) {
    options.signal?.throwIfAborted();
    const open = await current.promise;
    const failing = (error: unknown): never => {
      throw asLost(error, open);
    };
    const result = await open.link.call(path, input, options).catch(failing);
    if (!isIterator(result)) {
      return result;
    }
    return {
      next: () => result.next().catch(failing),
      return: async (value?: unknown) => (await result.return?.(value)) ?? { done: true, value },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  },
};

/** Every procedure of the contract. Rejects with what `errorWords` makes readable. */
export const client: ContractRouterClient<Contract> = createORPCClient(link);

const listeners = new Set<(change: Change) => void>();

/** Calls `listener` with each change that the engine tells of; after a reconnection the first is `engine`. Returns what ends it. */
export function onChange(listener: (change: Change) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

async function followChanges(open: OpenLink): Promise<void> {
  while (!open.isOver) {
    try {
      for await (const change of await client.system.changes()) {
        if (change.type === 'engine') {
          failedAttempts = 0;
          connection.state = 'connected';
          connection.recovered = change.recovered;
        }
        for (const listener of listeners) {
          listener(change);
        }
      }
    } catch (error) {
      if (!(error instanceof ConnectionLost)) {
        console.error(error);
      }
    }
    await wait(1000);
  }
}

let started = false;

/** Begins to connect; called once, by the window. */
export function connect(): void {
  if (!started) {
    started = true;
    void keepConnected();
  }
}

/** Where the bytes of a resource are; `address` from the contract's `resources`. */
export function resourceUrl(address: string): string {
  return `${bridge?.resourceRoot ?? '/resources/'}${address}`;
}

/** Any thrown thing as something to show. Codes: the engine's own, `connection`, `aborted`, or `internal` for a bug. */
export function errorWords(error: unknown): { message: string; advice?: string; code: string } {
  if (error instanceof ORPCError) {
    const user = error.code === 'USER' ? userErrorSchema.safeParse(error.data) : undefined;
    if (user?.success === true) {
      return user.data;
    }
    if (error.code === 'BAD_REQUEST') {
      return { code: 'bad-request', message: common.errors.badRequest };
    }
    return { code: 'internal', message: common.errors.internal, advice: common.errors.internalAdvice };
  }
  if (error instanceof ConnectionLost) {
    return { code: 'connection', message: common.errors.connection };
  }
  if ((error instanceof Error || error instanceof DOMException) && error.name === 'AbortError') {
    return { code: 'aborted', message: common.errors.aborted };
  }
  console.error(error);
  return { code: 'internal', message: common.errors.internal, advice: common.errors.internalAdvice };
}
