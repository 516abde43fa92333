import { RPCHandler } from '@orpc/server/ws';
import type { AnyRouter } from '@orpc/server';
import { z } from 'zod';
import { maxFrameBytes } from '../host/host-messages.ts';
import type { FromEngine, ToEngine } from '../host/host-messages.ts';
import { log } from './log.ts';

/** A message of oRPC's peer protocol, as `@orpc/standard-server-peer` writes it: a request, an event or an abort. */
const frameSchema = z.union([
  z.object({
    i: z.string().max(64),
    t: z.literal(1).optional(),
    p: z.object({
      u: z.string().startsWith('/').max(4096),
      h: z.record(z.string(), z.union([z.string(), z.array(z.string())])).optional(),
      m: z.string().max(16).optional(),
    }),
  }),
  z.object({ i: z.string().max(64), t: z.literal(3), p: z.object({ e: z.enum(['message', 'error', 'done']) }) }),
  z.object({ i: z.string().max(64), t: z.literal(4) }),
]);

/** Between the JSON and the bytes of a frame that has both. */
const delimiter = 255;

/**
 * What is wrong with a frame from a window, null where it can be handed on. The codec believes what it gets, so everything
 * that it would trip over is stopped here.
 */
export function frameFault(data: unknown): string | null {
  if (typeof data !== 'string' && !(data instanceof Uint8Array)) return 'neither text nor bytes';
  if (data.length > maxFrameBytes) return `longer than ${maxFrameBytes} bytes`;
  let json: string;
  if (typeof data === 'string') json = data;
  else {
    const end = data.indexOf(delimiter);
    json = Buffer.from(data.buffer, data.byteOffset, end < 0 ? data.length : end).toString('utf8');
  }
  try {
    return frameSchema.safeParse(JSON.parse(json)).success ? null : 'no message of the protocol';
  } catch {
    return 'no JSON';
  }
}

type UpgradedSocket = Parameters<RPCHandler<Record<never, never>>['upgrade']>[0];

/** As much of a WebSocket as the oRPC adapter asks for. */
class Connection {
  readonly id: number;
  readonly #send: (message: FromEngine) => void;
  readonly #onFrame: ((event: { data: string | Uint8Array }) => void)[] = [];
  readonly #onClose: (() => void)[] = [];
  #open = true;

  constructor(id: number, send: (message: FromEngine) => void) {
    this.id = id;
    this.#send = send;
  }

  addEventListener(event: string, listener: (event: { data: string | Uint8Array }) => void): void {
    if (event === 'message') this.#onFrame.push(listener);
    else if (event === 'close') this.#onClose.push(listener as () => void);
  }

  send(data: string | ArrayBufferLike | Uint8Array): void {
    if (!this.#open) return;
    const framed = typeof data === 'string' || data instanceof Uint8Array ? data : new Uint8Array(data);
    this.#send({ type: 'frame', connection: this.id, data: framed });
  }

  receive(data: string | Uint8Array): void {
    for (const listener of this.#onFrame) listener({ data });
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const listener of this.#onClose) listener();
  }
}

/** The windows that are connected, each by a connection that the host has numbered. */
export class Transport {
  readonly #handler: RPCHandler<Record<never, never>>;
  readonly #send: (message: FromEngine) => void;
  readonly #connections = new Map<number, Connection>();

  /** @param send hands a message to the host */
  constructor(router: AnyRouter, send: (message: FromEngine) => void) {
    this.#handler = new RPCHandler<Record<never, never>>(router);
    this.#send = send;
  }

  /** Takes a message of the host that is about a connection. */
  receive(message: Exclude<ToEngine, { type: 'stop' | 'confirmed' }>): void {
    if (message.type === 'open') {
      const opened = new Connection(message.connection, this.#send);
      this.#connections.set(message.connection, opened);
      void this.#handler.upgrade(opened as unknown as UpgradedSocket);
      return;
    }
    const connection = this.#connections.get(message.connection);
    if (connection === undefined) return;
    if (message.type === 'close') {
      this.#close(connection);
      return;
    }
    const fault = frameFault(message.data);
    if (fault === null) {
      connection.receive(message.data);
    } else {
      log('warning', `Connection ${connection.id} closed: it sent a frame that is ${fault}`);
      this.#close(connection);
      this.#send({ type: 'close', connection: connection.id });
    }
  }

  #close(connection: Connection): void {
    this.#connections.delete(connection.id);
    connection.close();
  }

  /** Ends every connection, and with it what goes on for it. */
  closeAll(): void {
    for (const connection of this.#connections.values()) this.#close(connection);
  }
}
