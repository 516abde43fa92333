import { Readable } from 'node:stream';
import type { Session } from 'electron';
import { Pages, sentence } from '../host/pages.ts';
import type { Supervisor } from '../host/supervisor.ts';

export const origin = 'earwitness://app';

/** Serves `earwitness://app/`. */
export function servePages(session: Session, supervisor: Supervisor): void {
  const pages = new Pages(supervisor);
  session.protocol.handle('earwitness', async ({ method, url: address, headers: given, signal }) => {
    const url = new URL(address);
    const asked = { method, url, range: given.get('range'), signal };
    const { status, headers, body } =
      url.host === 'app' ? await pages.get(asked) : sentence(404, 'There is nothing at this address.');
    return new Response(body instanceof Readable ? Readable.toWeb(body) : body, { status, headers });
  });
}
