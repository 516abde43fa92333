import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { Pages } from './pages.ts';
import type { ResourcePlace } from './supervisor.ts';

const folder = mkdtempSync(join(tmpdir(), 'earwitness-pages-'));
const renderer = join(folder, 'renderer');
mkdirSync(renderer);
writeFileSync(join(renderer, 'index.html'), '<!doctype html>');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bodyOf = (body: Readable | string | null): Promise<string> | string =>
  body instanceof Readable ? text(body) : (body ?? '');

/** Pages in front of what answers in the place of an engine. */
async function pagesBefore(answer: RequestListener): Promise<Pages> {
  const name = `pages-${Math.random().toString(36).slice(2)}`;
  const socket = process.platform === 'win32' ? `\\\\.\\pipe\\earwitness-${name}` : join(folder, name);
  const server = createServer(answer).listen(socket);
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  return new Pages({ resources: { socket, key: 'the key' } }, renderer);
}

function get(pages: Pages, path: string, { method = 'GET', range = null as string | null, signal = unaborted } = {}) {
  return pages.get({ method, url: new URL(`http://host${path}`), range, signal });
}
const unaborted = new AbortController().signal;

it('gives the window its files, and sentences where there is nothing', async () => {
  const pages = new Pages({ resources: null }, renderer);
  const index = await get(pages, '/');
  expect([index.status, index.headers['content-length']]).toEqual([200, '15']);
  expect(await bodyOf(index.body)).toBe('<!doctype html>');
  expect((await get(pages, '/', { method: 'HEAD' })).body).toBeNull();
  for (const [path, method, status] of [
    ['/none', 'GET', 404],
    ['/', 'POST', 405],
    ['/resources/sound', 'GET', 503],
  ] as const) {
    const { headers, ...answer } = await get(pages, path, { method });
    expect([path, answer.status]).toEqual([path, status]);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
  }
});

it('passes on address, range and key, and what is about the content', async () => {
  const pages = await pagesBefore(({ url, headers, method }, response) => {
    response.writeHead(206, { 'content-range': 'bytes 2-4/10', 'x-frame-options': 'ALLOW' });
    response.end([method, url, headers.range, headers['earwitness-key']].join(' '));
  });
  const { status, headers, body } = await get(pages, '/resources/sound/a%20b?from=1', { range: 'bytes=2-4' });
  expect([status, await bodyOf(body)]).toEqual([206, 'GET /sound/a%20b?from=1 bytes=2-4 the key']);
  expect(headers).toMatchObject({ 'content-range': 'bytes 2-4/10', 'x-frame-options': 'DENY' });
  expect(headers).not.toHaveProperty('connection');
  expect(await get(pages, '/resources/sound', { method: 'HEAD' })).toMatchObject({ status: 206, body: null });
});

it('says that the engine is being restarted where it dies before it answers', async () => {
  const dying = await pagesBefore((request) => request.socket.destroy());
  expect(await get(dying, '/resources/sound')).toMatchObject({ status: 503 });
  const gone: ResourcePlace = { socket: join(folder, 'gone'), key: '' };
  expect(await get(new Pages({ resources: gone }, renderer), '/resources/sound')).toMatchObject({ status: 503 });
});

it('ends what the engine reads when the window goes', async () => {
  const closed = Promise.withResolvers<void>();
  const pages = await pagesBefore((_request, response) => {
    response.on('close', () => closed.resolve());
    response.write('one');
  });
  const window = new AbortController();
  const { body } = await get(pages, '/resources/sound', { signal: window.signal });
  await once(body as Readable, 'data');
  window.abort();
  await closed.promise;
  expect((await get(pages, '/resources/sound', { signal: window.signal })).status).toBe(503);
});
