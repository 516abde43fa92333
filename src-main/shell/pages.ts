import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { Session } from 'electron';
import { keyHeader } from '../host/host-messages.ts';
import { passedOn, securityHeaders } from '../host/security.ts';
import { readStatic, rendererFolder, staticFiles } from '../host/static-files.ts';
import type { ResourcePlace, Supervisor } from '../host/supervisor.ts';

export const origin = 'earwitness://app';

function told(status: number, sentence: string): Response {
  return new Response(sentence, {
    status,
    headers: { ...securityHeaders, 'content-type': 'text/plain; charset=utf-8' },
  });
}

async function resource(request: Request, url: URL, place: ResourcePlace | null): Promise<Response> {
  if (place === null) return told(503, 'The engine is being restarted.');
  const range = request.headers.get('range');
  const proxied = httpRequest({
    socketPath: place.socket,
    path: `${url.pathname.slice('/resources'.length)}${url.search}`,
    method: request.method,
    headers: { [keyHeader]: place.key, ...(range !== null && { range }) },
    signal: request.signal,
  });
  proxied.end();
  let answer: IncomingMessage;
  try {
    [answer] = (await once(proxied, 'response')) as [IncomingMessage];
  } catch {
    return told(503, 'The engine is being restarted.');
  }
  const headers = new Headers(securityHeaders);
  for (const [name, value] of Object.entries(passedOn(answer.headers))) {
    if (value !== undefined) headers.set(name, String(value));
  }
  // A stream that breaks off ends the request; nobody waits for its error.
  answer.on('error', () => undefined);
  const bodiless = request.method === 'HEAD' || answer.statusCode === 204 || answer.statusCode === 304;
  if (bodiless) answer.resume();
  return new Response(bodiless ? null : Readable.toWeb(answer), {
    status: answer.statusCode ?? 502,
    headers,
  });
}

/**
 * Serves `earwitness://app/`: the window's files, and below `resources/` what the engine serves on its pipe, as it is read.
 */
export function servePages(session: Session, supervisor: Supervisor): void {
  const files = staticFiles(rendererFolder());
  session.protocol.handle('earwitness', async (request) => {
    const url = new URL(request.url);
    if (url.host !== 'app') return told(404, 'There is nothing at this address.');
    if (request.method !== 'GET' && request.method !== 'HEAD') return told(405, 'Only GET is answered here.');
    if (url.pathname.startsWith('/resources/')) return resource(request, url, supervisor.resources);
    const file = files.get(url.pathname);
    if (file === undefined) return told(404, 'There is nothing at this address.');
    const body = request.method === 'HEAD' ? null : Readable.toWeb(readStatic(file));
    return new Response(body, {
      headers: { ...securityHeaders, ...file.headers, 'content-length': String(file.sizeBytes) },
    });
  });
}
