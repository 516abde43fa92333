import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserFacingError } from '../base/errors.ts';
import { serveResources } from './resource-server.ts';
import type { ResourceAnswer, ResourceRequest, ResourceServer } from './resource-server.ts';

let server: ResourceServer;
let aborted = 0;

async function get(
  path: string,
  options: { headers?: Record<string, string>; method?: string } = {},
): Promise<{ status: number | undefined; headers: IncomingMessage['headers']; body: string }> {
  const asked = request({
    socketPath: server.socket,
    path,
    method: options.method ?? 'GET',
    headers: options.headers ?? { 'earwitness-key': server.key },
  }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}

async function handle({ path, query, range, signal }: ResourceRequest): Promise<ResourceAnswer> {
  if (path === 'echo me') {
    return { status: 206, headers: { 'x-range': range ?? '' }, body: Buffer.from(query.get('from') ?? '') };
  }
  if (path === 'stream') return { status: 200, headers: {}, body: Readable.from(['one ', 'two']) };
  if (path === 'endless') {
    signal.addEventListener('abort', () => (aborted += 1));
    return { status: 200, headers: {}, body: Readable.from(endless()) };
  }
  if (path === 'missing') throw new UserFacingError('not-found', 'It is not there.', { advice: 'Look elsewhere.' });
  if (path === 'unprepared') throw new UserFacingError('not-prepared', 'It is not prepared.');
  throw new Error('secret detail');
}

async function* endless(): AsyncGenerator<Buffer> {
  for (;;) yield Buffer.alloc(65_536);
}

beforeAll(async () => {
  server = await serveResources(handle);
});
afterAll(() => server.close());

describe('the resource server', () => {
  it('passes path, query and range on, and bytes back', async () => {
    const headers = { 'earwitness-key': server.key, range: 'bytes=5-9' };
    const answer = await get('/echo%20me?from=7', { headers });
    expect(answer).toMatchObject({ status: 206, body: '7', headers: { 'x-range': 'bytes=5-9' } });
    expect(await get('/stream')).toMatchObject({ status: 200, body: 'one two' });
    expect(await get('/stream', { method: 'HEAD', headers })).toMatchObject({ status: 200, body: '' });
  });

  it('answers errors without telling of bugs', async () => {
    expect(await get('/missing')).toMatchObject({ status: 404, body: 'It is not there. Look elsewhere.' });
    expect(await get('/unprepared')).toMatchObject({ status: 409 });
    const bug = await get('/bug');
    expect(bug.status).toBe(500);
    expect(bug.body).not.toContain('secret');
    expect((await get('/%ff')).status).toBe(400);
  });

  it('answers nobody without the key, and nothing but GET', async () => {
    expect((await get('/stream', { headers: {} })).status).toBe(403);
    expect((await get('/stream', { headers: { 'earwitness-key': 'f'.repeat(64) } })).status).toBe(403);
    expect((await get('/stream', { method: 'POST' })).status).toBe(405);
  });

  it('stops what it reads when the asker goes', async () => {
    const asked = request({
      socketPath: server.socket,
      path: '/endless',
      headers: { 'earwitness-key': server.key },
    }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    await once(answer, 'data');
    asked.destroy();
    await expect.poll(() => aborted).toBe(1);
  });

  it.skipIf(process.platform === 'win32')('stands in a folder for nobody else, which goes with it', async () => {
    const other = await serveResources(handle);
    expect(statSync(dirname(other.socket)).mode & 0o777).toBe(0o700);
    await other.close();
    expect(existsSync(dirname(other.socket))).toBe(false);
  });
});
