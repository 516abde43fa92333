/** The browser workstation: the window over HTTP and WebSocket, on this machine's loopback only. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { UserFacingError } from '../base/errors.ts';
import { dataFolder } from '../base/home.ts';
import { keyHeader, maxFrameBytes } from '../engine/host-messages.ts';
import { engineEntry } from './engine-entry.ts';
import { isOurHost, passedOn, refusal, sameSecret, securityHeaders } from './security.ts';
import { readStatic, rendererFolder, staticFiles } from './static-files.ts';
import type { StaticFile } from './static-files.ts';
import { Supervisor } from './supervisor.ts';
import type { EngineConnection } from './supervisor.ts';
import { receiveUpload } from './upload.ts';

export interface Workstation {
  /** With the token. */
  readonly address: string;
  readonly port: number;
  readonly supervisor: Supervisor;
  close(): Promise<void>;
}

interface ServeOptions {
  /** 0: any that is free. */
  port: number;
  /** Told, as a sentence, what happens to the engine. */
  onEvent?: (sentence: string) => void;
  /** Other than the built window, and the engine beside this. */
  renderer?: string;
  engineFile?: string;
}

/** How long a window waits for the next engine before it is turned away. */
const engineWaitMs = 20_000;
/** WebSocket close codes. */
const serviceRestart = 1012;
const tryAgainLater = 1013;

function end(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { ...securityHeaders, 'content-type': 'text/plain; charset=utf-8' }).end(`${sentence}\n`);
}

class Host {
  readonly #token = randomBytes(32).toString('hex');
  readonly #cookie = { name: '', value: randomBytes(32).toString('hex') };
  readonly #files: Map<string, StaticFile>;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: maxFrameBytes, perMessageDeflate: false });
  readonly #home = dataFolder();
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else if (error instanceof UserFacingError) this.#told(response, error);
      else {
        process.stderr.write(`${(error as Error).stack ?? String(error)}\n`);
        end(response, 500, 'This is a bug in Earwitness.');
      }
    });
  });
  readonly supervisor: Supervisor;

  constructor({ renderer = rendererFolder(), engineFile = engineEntry(), onEvent }: ServeOptions) {
    this.#files = staticFiles(renderer);
    this.supervisor = new Supervisor({
      node: process.execPath,
      engineFile,
      host: 'browser',
      ...(onEvent && { onEvent }),
    });
    // A large upload takes its time.
    this.#server.requestTimeout = 0;
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  async listen(port: number): Promise<{ port: number; address: string }> {
    this.#server.listen(port, '127.0.0.1');
    try {
      await once(this.#server, 'listening');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
      throw new UserFacingError('usage', `Port ${port} ${code === 'EACCES' ? 'is not for everybody' : 'is in use'}.`, {
        advice: 'Name another one with --port, or none for any that is free.',
      });
    }
    const { port: bound } = this.#server.address() as AddressInfo;
    // Cookies know no ports: two workstations on one machine need two names.
    this.#cookie.name = `earwitness-${bound}`;
    return { port: bound, address: `http://127.0.0.1:${bound}/?token=${this.#token}` };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(request.url ?? '/', 'http://127.0.0.1');
    if (url === null) {
      end(response, 400, 'The address is malformed.');
      return;
    }
    const token = url.searchParams.get('token');
    if (url.pathname === '/' && token !== null && request.method === 'GET') {
      this.#admit(request, response, token);
      return;
    }
    const upload = url.pathname === '/upload';
    const refused = refusal(request, this.#cookie, upload);
    if (refused !== null) end(response, refused.status, refused.sentence);
    else if (upload) await this.#upload(request, response, url.searchParams.get('name') ?? 'upload');
    else if (request.method !== 'GET' && request.method !== 'HEAD') end(response, 405, 'Only GET is answered here.');
    else if (url.pathname.startsWith('/resources/')) await this.#resource(request, response, url);
    else await this.#file(request, response, url.pathname);
  }

  /** The token for the cookie, and away from the address that bears it. */
  #admit(request: IncomingMessage, response: ServerResponse, token: string): void {
    if (!isOurHost(request.headers.host)) {
      end(response, 403, 'This name does not belong to Earwitness.');
    } else if (!sameSecret(token, this.#token)) {
      end(response, 401, 'This token is not valid now: open the address that `earwitness serve` printed last.');
    } else {
      const { name, value } = this.#cookie;
      const headers = {
        ...securityHeaders,
        location: '/',
        'set-cookie': `${name}=${value}; HttpOnly; SameSite=Strict; Path=/`,
        'cache-control': 'no-store',
      };
      response.writeHead(303, headers).end();
    }
  }

  async #file(request: IncomingMessage, response: ServerResponse, address: string): Promise<void> {
    const file = this.#files.get(address);
    if (file === undefined) {
      end(response, 404, 'There is nothing at this address.');
      return;
    }
    response.writeHead(200, { ...securityHeaders, ...file.headers, 'content-length': file.sizeBytes });
    if (request.method === 'HEAD') response.end();
    else await pipeline(readStatic(file), response);
  }

  async #resource(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const place = this.supervisor.resources;
    if (place === null) {
      end(response, 503, 'The engine is being restarted.');
      return;
    }
    const { range } = request.headers;
    const proxied = httpRequest({
      socketPath: place.socket,
      path: `${url.pathname.slice('/resources'.length)}${url.search}`,
      method: request.method ?? 'GET',
      headers: { [keyHeader]: place.key, ...(range !== undefined && { range }) },
    });
    response.on('close', () => proxied.destroy());
    proxied.end();
    try {
      const [answer] = (await once(proxied, 'response')) as [IncomingMessage];
      response.writeHead(answer.statusCode ?? 502, { ...passedOn(answer.headers), ...securityHeaders });
      await pipeline(answer, response);
    } catch (error) {
      if (response.headersSent || response.destroyed) response.destroy();
      else if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      else end(response, 503, 'The engine is being restarted.');
    }
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
  #told(response: ServerResponse, error: UserFacingError): void {
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
    const known = URL.parse(request.url ?? '/', 'http://127.0.0.1')?.pathname === '/rpc';
    if (refused !== null || !known) {
      const status = refused?.status ?? 404;
      socket.end(
        `HTTP/1.1 ${status} ${refused?.sentence ?? 'Not found'}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      );
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => void this.#relay(webSocket));
  }

  /** Passes frames between a window and the engine; what comes before an engine answers waits. */
  async #relay(webSocket: WebSocket): Promise<void> {
    let connection: EngineConnection | null = null;
    const waiting: (string | Uint8Array)[] = [];
    webSocket.on('error', () => webSocket.terminate());
    webSocket.on('close', () => connection?.close());
    webSocket.on('message', (data: Buffer, isBinary) => {
      const frame = isBinary ? data : data.toString('utf8');
      if (connection === null) waiting.push(frame);
      else connection.send(frame);
    });
    const timer = setTimeout(() => webSocket.close(tryAgainLater), engineWaitMs);
    try {
      await this.supervisor.ready();
    } catch {
      webSocket.close(tryAgainLater);
      return;
    } finally {
      clearTimeout(timer);
    }
    if (webSocket.readyState !== webSocket.OPEN) return;
    connection = this.supervisor.connect({
      onFrame: (data) => webSocket.send(data),
      onClose: () => webSocket.close(serviceRestart),
    });
    for (const frame of waiting) connection.send(frame);
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const webSocket of this.#sockets.clients) webSocket.terminate();
    this.#server.closeAllConnections();
    await this.supervisor.stop();
  }
}

/**
 * Starts the engine and the host in front of it.
 * @throws UserFacingError `usage` where the port cannot be had
 */
export async function serve(options: ServeOptions): Promise<Workstation> {
  const host = new Host(options);
  const { port, address } = await host.listen(options.port);
  await host.supervisor.start();
  return { address, port, supervisor: host.supervisor, close: () => host.close() };
}
