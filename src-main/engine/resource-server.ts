import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import { UserFacingError } from '../base/errors.ts';
import { keyHeader } from '../host/host-messages.ts';
import { log } from './log.ts';

export interface ResourceRequest {
  /** Below the resource root, decoded, without a leading slash. */
  path: string;
  query: URLSearchParams;
  range: string | null;
  signal: AbortSignal;
}

export interface ResourceAnswer {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array | Readable | null;
}

export interface ResourceServer {
  readonly socket: string;
  readonly key: string;
  close(): Promise<void>;
}

function hasKey(request: IncomingMessage, key: string): boolean {
  const given = request.headers[keyHeader];
  return (
    typeof given === 'string' && given.length === key.length && timingSafeEqual(Buffer.from(given), Buffer.from(key))
  );
}

/** A person's error as an HTTP status. */
function statusFor(error: UserFacingError): number {
  // A window prepares again what had to make room for other recordings' sound.
  if (error.code === 'not-prepared') return 409;
  return error.code === 'not-found' ? 404 : 422;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handle: (request: ResourceRequest) => Promise<ResourceAnswer>,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  try {
    // Put behind a host: by itself `//x` would be one.
    const url = new URL(`http://engine${request.url ?? '/'}`);
    const path = decodeURIComponent(url.pathname).replace(/^\//, '');
    const range = request.headers.range ?? null;
    const { status, headers, body } = await handle({ path, query: url.searchParams, range, signal: gone.signal });
    response.writeHead(status, headers);
    if (body === null || request.method === 'HEAD') {
      if (body !== null && 'destroy' in body) body.destroy();
      response.end();
    } else if (body instanceof Uint8Array) response.end(body);
    else await pipeline(body, response);
  } catch (error) {
    if (gone.signal.aborted) return;
    if (response.headersSent) {
      log('error', 'A resource broke off', error);
      response.destroy();
      return;
    }
    const [status, sentence] =
      error instanceof UserFacingError
        ? [statusFor(error), error.sentence]
        : error instanceof URIError
          ? [400, 'The address is malformed.']
          : [500, 'This is a bug in Earwitness; the log says more.'];
    if (status === 500) log('error', 'A resource failed', error);
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(sentence);
  }
}

/**
 * Serves resources over HTTP on a socket in a folder that only this user may enter (on Windows on a named pipe), to requests
 * that bear the key: the host passes them on.
 */
export async function serveResources(
  handle: (request: ResourceRequest) => Promise<ResourceAnswer>,
): Promise<ResourceServer> {
  const name = randomBytes(16).toString('hex');
  const key = randomBytes(32).toString('hex');
  // mkdtemp makes it with mode 0700. A socket's path may have 107 bytes at most: it cannot be in the data folder.
  const folder = process.platform === 'win32' ? null : mkdtempSync(join(tmpdir(), 'earwitness-engine-'));
  const socket = folder === null ? `\\\\.\\pipe\\earwitness-${name}` : join(folder, `${name.slice(0, 8)}.sock`);
  const server = createServer((request, response) => {
    if (!hasKey(request, key)) response.writeHead(403).end();
    else if (request.method !== 'GET' && request.method !== 'HEAD') response.writeHead(405).end();
    else void answer(request, response, handle);
  });
  server.listen(socket);
  await once(server, 'listening');
  return {
    socket,
    key,
    async close() {
      server.close();
      server.closeAllConnections();
      if (folder !== null) rmSync(folder, { recursive: true, force: true });
    },
  };
}
