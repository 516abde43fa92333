/** The browser workstation: the window over HTTP and WebSocket, on this machine's loopback only. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { WebSocketServer } from 'ws';
import { UserFacingError } from '../base/errors.ts';
import { dataFolder } from '../base/home.ts';
import { maxFrameBytes } from '../host/host-messages.ts';
import type { Confirmation } from '../host/host-messages.ts';
import { Admission, LinkGiver, linkPath } from './admission.ts';
import { engineEntry } from '../host/engine-entry.ts';
import { freshAddressAdvice, isOurHost, refusal, securityHeaders } from '../host/security.ts';
import { Pages, sentence } from '../host/pages.ts';
import { Supervisor } from '../host/supervisor.ts';
import { relay } from './relay.ts';
import { receiveUpload } from './upload.ts';

export interface Workstation {
  /** With a token that works once. */
  readonly address: string;
  /** A further one. */
  freshAddress(): string;
  readonly port: number;
  readonly supervisor: Supervisor;
  close(): Promise<void>;
}

interface ServeOptions {
  /** 0: any that is free. */
  port: number;
  /** Folders that may be looked into besides those of the settings. */
  roots?: readonly string[];
  /** Told, as a sentence, what happens to the engine. */
  onEvent?: (sentence: string) => void;
  /** Told why, where the engine cannot be started again. */
  onFailed?: (error: Error) => void;
  /** Asks the person at the terminal; without it nobody says yes. */
  confirm?: (what: Confirmation) => Promise<boolean>;
  /** Ends it while it starts. */
  signal?: AbortSignal;
  /** Other than the built window, and the engine beside this. */
  renderer?: string;
  engineFile?: string;
}

/** Leads to the window, in the place of the address with the token. */
const onward = '<!doctype html><title>Earwitness</title><meta http-equiv="refresh" content="0;url=/">\n';

function end(response: ServerResponse, status: number, text: string): void {
  const { headers, body } = sentence(status, text);
  response.writeHead(status, headers).end(body);
}

/** The address that is asked for, null where it is none; put behind a host, since by itself `//x` would be one. */
function ownUrl({ url = '/' }: IncomingMessage): URL | null {
  return url.startsWith('/') ? URL.parse(`http://127.0.0.1${url}`) : null;
}

class Host {
  readonly #admission = new Admission();
  readonly #cookie = { name: '', value: randomBytes(32).toString('hex') };
  readonly #pages: Pages;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: maxFrameBytes, perMessageDeflate: false });
  readonly #home = resolve(dataFolder());
  readonly #links = new LinkGiver(this.#home);
  #port = 0;
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else if (error instanceof UserFacingError) this.#refuse(response, error);
      else {
        process.stderr.write(`${(error as Error).stack ?? String(error)}\n`);
        end(response, 500, 'This is a bug in Earwitness.');
      }
    });
  });
  readonly supervisor: Supervisor;

  constructor({ renderer, engineFile = engineEntry(), ...options }: ServeOptions) {
    const { roots, onEvent, onFailed, confirm } = options;
    this.supervisor = new Supervisor({
      node: process.execPath,
      engineFile,
      host: 'browser',
      ...(roots && { roots }),
      ...(onEvent && { onEvent }),
      ...(onFailed && { onFailed }),
      ...(confirm && { confirm }),
    });
    this.#pages = new Pages(this.supervisor, renderer);
    // A large upload takes its time.
    this.#server.requestTimeout = 0;
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** @returns the port */
  async listen(port: number): Promise<number> {
    this.#server.listen(port, '127.0.0.1');
    try {
      await once(this.#server, 'listening');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
      throw new UserFacingError(
        'usage',
        `Port ${port} ${code === 'EACCES' ? 'may not be opened by this user' : 'is in use'}.`,
        {
          advice: 'Name another one with --port, or none for any that is free.',
        },
      );
    }
    const { port: bound } = this.#server.address() as AddressInfo;
    // Cookies know no ports: two workstations on one machine need two names.
    this.#cookie.name = `earwitness-${bound}`;
    this.#port = bound;
    return bound;
  }

  /** Starts the engine, and lets other processes of this user find the host. */
  async start(): Promise<void> {
    await this.supervisor.start();
    await this.#links.announce(this.#port);
  }

  freshAddress(): string {
    return `http://127.0.0.1:${this.#port}/?token=${this.#admission.token()}`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = ownUrl(request);
    if (url === null) {
      end(response, 400, 'The address is malformed.');
      return;
    }
    const token = url.searchParams.get('token');
    if (url.pathname === '/' && token !== null && request.method === 'GET') {
      this.#admit(request, response, token);
      return;
    }
    if (url.pathname === linkPath && request.method === 'POST') {
      this.#link(request, response);
      return;
    }
    const upload = url.pathname === '/upload';
    const refused = refusal(request, this.#cookie, upload);
    if (refused !== null) end(response, refused.status, refused.sentence);
    else if (upload) await this.#upload(request, response, url.searchParams.get('name') ?? 'upload');
    else await this.#page(request, response, url);
  }

  /** A fresh address for a process of the same user. */
  #link(request: IncomingMessage, response: ServerResponse): void {
    const { 'earwitness-challenge': challenge, 'earwitness-proof': given } = request.headers;
    const known = isOurHost(request.headers.host) && request.headers.origin === undefined;
    const answer = known ? this.#links.answer(String(challenge), String(given), () => this.freshAddress()) : null;
    if (answer === null) end(response, 403, 'This is for processes of the same user.');
    else {
      const headers = { ...securityHeaders, 'content-type': 'application/json', 'cache-control': 'no-store' };
      response.writeHead(200, headers).end(JSON.stringify(answer));
    }
  }

  /** The token for the cookie, once, and away from the address that bears it. */
  #admit(request: IncomingMessage, response: ServerResponse, token: string): void {
    if (!isOurHost(request.headers.host)) {
      end(response, 403, 'This name does not belong to Earwitness.');
    } else if (refusal(request, this.#cookie, false) === null) {
      // Back, or reloaded: it is known already.
      response.writeHead(303, { ...securityHeaders, location: '/', 'cache-control': 'no-store' }).end();
    } else if (!this.#admission.use(token)) {
      end(response, 401, `This address has been used, or is none of this workstation's. ${freshAddressAdvice}`);
    } else {
      const { name, value } = this.#cookie;
      const headers = {
        ...securityHeaders,
        'content-type': 'text/html; charset=utf-8',
        'set-cookie': `${name}=${value}; HttpOnly; SameSite=Strict; Path=/`,
        'cache-control': 'no-store',
      };
      // From a page on disk a redirection would count as a foreign one, and the cookie would not go with it.
      if (request.headers['sec-fetch-site'] === 'none') response.writeHead(303, { ...headers, location: '/' }).end();
      else response.writeHead(200, headers).end(onward);
    }
  }

  async #page({ method = 'GET', headers }: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const answer = await this.#pages.get({ method, url, range: headers.range ?? null, signal: gone.signal });
    response.writeHead(answer.status, answer.headers);
    if (answer.body instanceof Readable) await pipeline(answer.body, response);
    else response.end(answer.body);
  }

  async #upload(request: IncomingMessage, response: ServerResponse, name: string): Promise<void> {
    if (request.method !== 'POST') {
      end(response, 405, 'Uploads come by POST.');
      return;
    }
    const path = await receiveUpload(request, this.#home, name);
    response.writeHead(200, { ...securityHeaders, 'content-type': 'application/json' }).end(JSON.stringify({ path }));
  }

  /** A person's error, as JSON in the form of the contract; what is left of the request is not read. */
  #refuse(response: ServerResponse, error: UserFacingError): void {
    const { code, message, path, advice } = error;
    response
      .writeHead(code === 'disk-full' ? 413 : 422, {
        ...securityHeaders,
        'content-type': 'application/json',
        connection: 'close',
      })
      .end(JSON.stringify({ code, message, path, advice }));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const refused = refusal(request, this.#cookie, true);
    const known = ownUrl(request)?.pathname === '/rpc';
    if (refused !== null || !known) {
      const status = refused?.status ?? 404;
      socket.end(
        `HTTP/1.1 ${status} ${refused?.sentence ?? 'Not found'}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      );
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => void relay(webSocket, this.supervisor));
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const webSocket of this.#sockets.clients) webSocket.terminate();
    this.#server.closeAllConnections();
    await this.supervisor.stop();
    await this.#links.close();
  }
}

/**
 * Starts the engine and the host in front of it.
 * @throws UserFacingError `usage` where the port cannot be had, and why the engine cannot start; nothing is left behind then
 */
export async function serve(options: ServeOptions): Promise<Workstation> {
  const host = new Host(options);
  const port = await host.listen(options.port);
  const abort = (): void => void host.supervisor.stop();
  options.signal?.addEventListener('abort', abort, { once: true });
  try {
    options.signal?.throwIfAborted();
    await host.start();
  } catch (error) {
    await host.close();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', abort);
  }
  return {
    address: host.freshAddress(),
    freshAddress: () => host.freshAddress(),
    port,
    supervisor: host.supervisor,
    close: () => host.close(),
  };
}
