/**
 * What either host answers to a GET of its window: the window's files, and below `/resources/` what the engine serves on its pipe,
 * as it is read.
 */
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { keyHeader } from './host-messages.ts';
import { securityHeaders } from './security.ts';
import { rendererFolder, staticFiles } from './static-files.ts';
import type { StaticFile } from './static-files.ts';
import type { ResourcePlace } from './supervisor.ts';

interface PageRequest {
  method: string;
  url: URL;
  /** The Range header. */
  range: string | null;
  /** Aborted when the window does not want the answer any more. */
  signal: AbortSignal;
}

export interface PageAnswer {
  status: number;
  headers: Record<string, string>;
  body: Readable | string | null;
}

/** An answer that is one sentence. */
export function sentence(status: number, text: string): PageAnswer {
  return { status, headers: { ...securityHeaders, 'content-type': 'text/plain; charset=utf-8' }, body: `${text}\n` };
}

const noEngine = (): PageAnswer => sentence(503, 'The engine is being restarted.');

export class Pages {
  readonly #engine: { readonly resources: ResourcePlace | null };
  readonly #files: Map<string, StaticFile>;

  /** @param folder of the built window */
  constructor(engine: { readonly resources: ResourcePlace | null }, folder = rendererFolder()) {
    this.#engine = engine;
    this.#files = staticFiles(folder);
  }

  async get(asked: PageRequest): Promise<PageAnswer> {
    const { method, url } = asked;
    if (method !== 'GET' && method !== 'HEAD') return sentence(405, 'Only GET is answered here.');
    if (url.pathname.startsWith('/resources/')) return this.#resource(asked);
    const file = this.#files.get(url.pathname);
    if (file === undefined) return sentence(404, 'There is nothing at this address.');
    const headers = { ...securityHeaders, ...file.headers, 'content-length': String(file.sizeBytes) };
    return { status: 200, headers, body: method === 'HEAD' ? null : createReadStream(file.path) };
  }

  async #resource({ method, url, range, signal }: PageRequest): Promise<PageAnswer> {
    const place = this.#engine.resources;
    if (place === null) return noEngine();
    const asked = request({
      socketPath: place.socket,
      path: `${url.pathname.slice('/resources'.length)}${url.search}`,
      method,
      headers: { [keyHeader]: place.key, ...(range !== null && { range }) },
      signal,
    }).end();
    let answer: IncomingMessage;
    try {
      [answer] = (await once(asked, 'response')) as [IncomingMessage];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      return noEngine();
    }
    // Whoever reads it learns that it broke off; nobody need be there any more.
    answer.on('error', () => undefined);
    if (method === 'HEAD') answer.resume();
    return {
      status: answer.statusCode ?? 502,
      headers: { ...aboutContent(answer), ...securityHeaders },
      body: method === 'HEAD' ? null : answer,
    };
  }
}

/** The headers that are about an answer's content, not about the connection that it came by. */
function aboutContent({ headers }: IncomingMessage): Record<string, string> {
  const { connection: _c, 'keep-alive': _k, 'transfer-encoding': _t, date: _d, ...content } = headers;
  return Object.fromEntries(Object.entries(content).map(([name, value]) => [name, String(value)]));
}
