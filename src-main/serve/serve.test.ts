import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/websocket';
import type { ContractRouterClient } from '@orpc/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Contract } from '../../src-preload/contract.ts';
import { maxFrameBytes } from '../host/host-messages.ts';
import { askForLink } from './admission.ts';
import { serve } from './serve.ts';
import type { Workstation } from './serve.ts';
import { writePretendedEngine } from '../host/testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'earwitness-serve-'));
const renderer = join(folder, 'renderer');
const homeBefore = process.env['EARWITNESS_HOME'];
let workstation: Workstation;
/** In front of an engine that only pretends. */
let pretended: Workstation;

beforeAll(async () => {
  process.env['EARWITNESS_HOME'] = join(folder, 'home');
  mkdirSync(join(renderer, 'assets'), { recursive: true });
  writeFileSync(join(renderer, 'index.html'), '<!doctype html><title>Window</title>');
  writeFileSync(join(renderer, 'assets', 'index-1.js'), 'export {};');
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  workstation = await serve({ port: 0, renderer });
  // Beside the other one on a data folder of its own.
  process.env['EARWITNESS_HOME'] = join(folder, 'pretended');
  mkdirSync(join(folder, 'pretended'));
  pretended = await serve({ port: 0, renderer, engineFile: writePretendedEngine(folder) });
  process.env['EARWITNESS_HOME'] = join(folder, 'home');
});
afterAll(async () => {
  await workstation.close();
  await pretended.close();
  if (homeBefore === undefined) delete process.env['EARWITNESS_HOME'];
  else process.env['EARWITNESS_HOME'] = homeBefore;
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  status: number | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

async function ask(
  path: string,
  headers: Record<string, string> = {},
  options: { method?: string; body?: string; at?: Workstation } = {},
): Promise<Answer> {
  const { port } = options.at ?? workstation;
  const asked = request({ host: '127.0.0.1', port, path, headers, method: options.method ?? 'GET' });
  asked.end(options.body);
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}

async function cookieOf(at: Workstation): Promise<string> {
  const { pathname, search } = new URL(at.freshAddress());
  const { headers } = await ask(pathname + search, {}, { at });
  return headers['set-cookie']?.[0].split(';')[0] ?? '';
}

const originOf = (at: Workstation): string => `http://127.0.0.1:${at.port}`;

async function openSocket(headers: Record<string, string>, at = workstation): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${at.port}/rpc`, { headers });
  await once(socket, 'open');
  return socket;
}

async function refusedSocket(headers: Record<string, string>, path = '/rpc'): Promise<number | undefined> {
  const socket = new WebSocket(`ws://127.0.0.1:${workstation.port}${path}`, { headers });
  // The answer below is what is looked at.
  socket.on('error', () => undefined);
  const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  return answer.statusCode;
}

async function ourSocket(at = workstation): Promise<WebSocket> {
  return openSocket({ cookie: await cookieOf(at), origin: originOf(at) }, at);
}

function clientOn(socket: WebSocket): ContractRouterClient<Contract> {
  return createORPCClient(new RPCLink({ websocket: socket }));
}

describe('the way in', () => {
  it('exchanges the token for a cookie, once, and leads away from the address', async () => {
    const { pathname, search } = new URL(workstation.address);
    const { status, headers, body } = await ask(pathname + search);
    expect(status).toBe(200);
    expect(body).toContain('<meta http-equiv="refresh" content="0;url=/">');
    expect(headers['set-cookie']?.[0]).toMatch(/^earwitness-\d+=[0-9a-f]{64}; HttpOnly; SameSite=Strict; Path=\/$/);
    expect(headers['cache-control']).toBe('no-store');
    const cookie = headers['set-cookie']?.[0].split(';')[0] ?? '';
    expect(cookie).not.toContain(search.slice('?token='.length));
    const page = await ask('/', { cookie });
    expect(page).toMatchObject({ status: 200, body: '<!doctype html><title>Window</title>' });
    const typedIn = new URL(workstation.freshAddress());
    const redirected = await ask(typedIn.pathname + typedIn.search, { 'sec-fetch-site': 'none' });
    expect(redirected).toMatchObject({ status: 303, headers: { location: '/', 'set-cookie': headers['set-cookie'] } });
    // Whoever reads it afterwards, in a history or over a shoulder, is not let in; who is in stays in.
    const again = await ask(pathname + search);
    expect(again.status).toBe(401);
    expect(again.headers['set-cookie']).toBeUndefined();
    expect(again.body).toContain('earwitness serve --link');
    expect(await ask(pathname + search, { cookie })).toMatchObject({ status: 303, headers: { location: '/' } });
  });

  it('gives further addresses to processes of the same user, and to nobody else', async () => {
    const { pathname, search } = new URL(await askForLink(join(folder, 'home')));
    expect((await ask(pathname + search)).status).toBe(200);
    expect((await ask(pathname + search)).status).toBe(401);
    const key = join(folder, 'home', 'serve.json');
    if (process.platform !== 'win32') expect(statSync(key).mode & 0o777).toBe(0o600);
    const headers = { 'earwitness-challenge': 'x', 'earwitness-proof': '0'.repeat(64) };
    expect((await ask('/link', headers, { method: 'POST' })).status).toBe(403);
    expect((await ask('/link', {}, { method: 'POST' })).status).toBe(403);
    await expect(askForLink(join(folder, 'nobody-serves'))).rejects.toMatchObject({ code: 'not-serving' });
  });

  it('forgets addresses that nobody opened once there are many', async () => {
    const first = new URL(pretended.freshAddress());
    for (let index = 0; index < 16; index += 1) pretended.freshAddress();
    expect((await ask(first.pathname + first.search, {}, { at: pretended })).status).toBe(401);
  });

  it('is closed to whoever has neither, and to foreign names', async () => {
    expect((await ask('/')).status).toBe(401);
    expect((await ask('/?token=wrong')).status).toBe(401);
    const { pathname, search } = new URL(workstation.freshAddress());
    expect((await ask(pathname + search, { host: 'evil.example' })).status).toBe(403);
    const cookie = await cookieOf(workstation);
    expect((await ask('/', { cookie, host: 'evil.example' })).status).toBe(403);
    expect((await ask('/', { cookie, origin: 'http://evil.example' })).status).toBe(403);
    expect((await ask('/resources/file/x', { host: 'localhost' })).status).toBe(401);
  });

  it('sends a strict policy with every answer', async () => {
    const cookie = await cookieOf(workstation);
    for (const { headers } of [await ask('/', { cookie }), await ask('/'), await ask('/none', { cookie })]) {
      expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self';");
      expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
      expect(headers['content-security-policy']).not.toMatch(/script-src[^;]*unsafe/);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'x-frame-options': 'DENY',
        'cross-origin-resource-policy': 'same-origin',
      });
    }
  });

  it('leads to the files of the window and no further', async () => {
    const cookie = await cookieOf(workstation);
    const script = await ask('/assets/index-1.js', { cookie });
    expect(script).toMatchObject({ status: 200, body: 'export {};' });
    expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8');
    for (const path of ['/../secret.txt', '/..%2fsecret.txt', '/assets/../../secret.txt', '/assets', '//', '/%']) {
      expect([400, 404], path).toContain((await ask(path, { cookie })).status);
    }
    expect((await ask('/', { cookie }, { method: 'POST' })).status).toBe(405);
    expect((await ask('/', { cookie }, { method: 'HEAD' })).body).toBe('');
  });

  it('is on the loopback only', async () => {
    const others = Object.values(networkInterfaces())
      .flat()
      .filter((each) => each !== undefined && each.address !== '127.0.0.1' && !each.address.startsWith('fe80'));
    for (const { address } of others as { address: string }[]) {
      const socket = connect(workstation.port, address);
      const outcome = await Promise.race([
        once(socket, 'connect').then(() => 'connected'),
        once(socket, 'error').then(() => 'refused'),
      ]).catch(() => 'refused');
      socket.destroy();
      expect(outcome, address).toBe('refused');
    }
  });

  it.runIf(process.platform === 'linux')('is the only one: the engine listens to no network', () => {
    const pid = workstation.supervisor.pid ?? 0;
    const sockets = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    });
    expect(sockets.length).toBeGreaterThan(0);
    for (const table of ['tcp', 'tcp6', 'udp', 'udp6']) {
      const path = `/proc/${pid}/net/${table}`;
      const inodes = existsSync(path)
        ? readFileSync(path, 'utf8')
            .split('\n')
            .map((line) => line.trim().split(/\s+/)[9])
        : [];
      expect(inodes.filter((inode) => sockets.includes(inode))).toEqual([]);
    }
  });

  it('names a port that is taken', async () => {
    await expect(serve({ port: workstation.port, renderer })).rejects.toMatchObject({
      code: 'usage',
      message: `Port ${workstation.port} is in use.`,
    });
  });
});

describe('/rpc', () => {
  it('is closed without the cookie, or from a foreign page', async () => {
    const cookie = await cookieOf(workstation);
    const origin = originOf(workstation);
    expect(await refusedSocket({ origin })).toBe(401);
    expect(await refusedSocket({ origin, cookie: 'earwitness=1' })).toBe(401);
    expect(await refusedSocket({ cookie })).toBe(403);
    expect(await refusedSocket({ cookie, origin: 'http://evil.example' })).toBe(403);
    expect(await refusedSocket({ cookie, origin: 'http://127.0.0.1:1' })).toBe(403);
    expect(await refusedSocket({ cookie, origin: 'http://evil.example', host: 'evil.example' })).toBe(403);
    expect(await refusedSocket({ cookie, origin }, '/other')).toBe(404);
  });

  it('answers the contract, and nonsense with typed errors', async () => {
    const socket = await ourSocket();
    const client = clientOn(socket);
    expect((await client.settings.get()).version).toBe(1);
    const call = client as unknown as Record<string, Record<string, (input: unknown) => Promise<unknown>>>;
    await expect(call['settings']['set']({ theme: 'pink' })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await expect(call['settings']['set']('nonsense')).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await expect(call['no']['such']({})).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(call['constructor']['prototype']({})).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(client.models.get({ modelId: 'no-such' })).rejects.toMatchObject({ code: 'USER', defined: true });
    socket.close();
  });

  it('outlives garbage', { timeout: 60_000 }, async () => {
    const { pid } = workstation.supervisor;
    const envelope = (body: unknown): string => JSON.stringify({ i: '1', p: { u: '/settings/set', b: body } });
    const closing = [
      'nonsense',
      '{}',
      'null',
      '{"i":"1"}',
      '{"i":"1","p":{"u":"http://["}}',
      Buffer.from([0, 255, 254]),
    ];
    for (const garbage of [...closing, 'x'.repeat(maxFrameBytes + 1)]) {
      const socket = await ourSocket();
      // A frame that is too large is an error of the socket's, too.
      socket.on('error', () => undefined);
      socket.send(garbage);
      await once(socket, 'close');
    }
    // Bodies that oRPC's own codec may trip over are answered.
    for (const body of [
      { json: { theme: 5 } },
      { json: { a: 'x' }, meta: [[0, 'a', 'b', 'c']] },
      { json: {}, meta: [[1, '__proto__', 'polluted']] },
      { json: {}, meta: 5 },
      { json: {}, maps: [['x']] },
      5,
      [[[]]],
      'text',
    ]) {
      const socket = await ourSocket();
      const answered = once(socket, 'message') as Promise<[Buffer]>;
      socket.send(envelope(body));
      const [message] = await answered;
      expect(JSON.parse(message.toString()), JSON.stringify(body)).toMatchObject({ i: '1' });
      socket.close();
    }
    const socket = await ourSocket();
    expect((await clientOn(socket).settings.get()).version).toBe(1);
    socket.close();
    expect(workstation.supervisor.pid).toBe(pid);
  });

  it('says that it goes on when the engine was killed', { timeout: 60_000 }, async () => {
    const before = await ourSocket();
    const changes = await clientOn(before).system.changes();
    expect((await changes.next()).value).toMatchObject({ type: 'engine', recovered: false });
    const closed = once(before, 'close') as Promise<[number]>;
    process.kill(workstation.supervisor.pid ?? 0, 'SIGKILL');
    expect((await closed)[0]).toBe(1012);
    // At once: it waits for the next engine.
    const after = await ourSocket();
    const events = await clientOn(after).system.changes();
    expect((await events.next()).value).toMatchObject({ type: 'engine', recovered: true });
    after.close();
  });
});

describe('/resources', () => {
  it.each(['/resources//', '/resources//evil.example/x', '/resources/', '/resources///', '//resources/x'])(
    'are not found at %s',
    async (address) => {
      const cookie = await cookieOf(workstation);
      expect((await ask(address, { cookie })).status).toBe(404);
    },
  );

  it('are passed on with their range, by the key', async () => {
    const cookie = await cookieOf(pretended);
    const answer = await ask('/resources/sound/a%20b?from=1', { cookie, range: 'bytes=2-4' }, { at: pretended });
    expect(answer).toMatchObject({ status: 206, body: '234' });
    expect(answer.headers).toMatchObject({
      'content-range': 'bytes 2-4/10',
      'x-key': 'the key',
      'x-path': '/sound/a%20b?from=1',
    });
    expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
    expect((await ask('/resources/sound', {}, { at: pretended })).status).toBe(401);
    expect((await ask('/resources/sound', { cookie, 'sec-fetch-site': 'same-site' }, { at: pretended })).status).toBe(
      403,
    );
  });

  it('are not there between two engines', async () => {
    const cookie = await cookieOf(pretended);
    const socket = await ourSocket(pretended);
    const closed = once(socket, 'close');
    socket.send('crash');
    await closed;
    expect((await ask('/resources/sound', { cookie }, { at: pretended })).status).toBe(503);
    await pretended.supervisor.ready();
    expect((await ask('/resources/sound', { cookie }, { at: pretended })).status).toBe(206);
  });
});

describe('/upload', () => {
  const uploads = join(folder, 'home', 'uploads');

  it('keeps what is sent, by a name that is safe', async () => {
    const headers = { cookie: await cookieOf(workstation), origin: originOf(workstation) };
    const body = 'RIFF'.repeat(50_000);
    const answer = await ask('/upload?name=..%2FGespr%C3%A4ch%3A1.wav', headers, { method: 'POST', body });
    expect(answer.status).toBe(200);
    const { path } = JSON.parse(answer.body) as { path: string };
    expect(path.startsWith(uploads)).toBe(true);
    expect(path).toMatch(/[\\/][0-9a-f]{32}[\\/]Gespräch_1\.wav$/);
    expect(readFileSync(path, 'utf8')).toBe(body);
  });

  it('is closed to foreign pages and to whoever lacks the cookie', async () => {
    const cookie = await cookieOf(workstation);
    const origin = originOf(workstation);
    const post = { method: 'POST', body: 'x' };
    expect((await ask('/upload?name=a.wav', { origin }, post)).status).toBe(401);
    expect((await ask('/upload?name=a.wav', { cookie }, post)).status).toBe(403);
    expect((await ask('/upload?name=a.wav', { cookie, origin: 'http://evil.example' }, post)).status).toBe(403);
    expect((await ask('/upload?name=a.wav', { cookie, origin })).status).toBe(405);
  });

  it('leaves nothing behind where it breaks off, or where there is no room for it', async () => {
    const before = readdirSync(uploads).length;
    const headers = { cookie: await cookieOf(workstation), origin: originOf(workstation) };
    const options = { host: '127.0.0.1', port: workstation.port, path: '/upload?name=a.wav', method: 'POST' };
    const broken = request({ ...options, headers: { ...headers, 'content-length': '1000' } });
    broken.on('error', () => undefined);
    broken.write('only this');
    await expect.poll(() => readdirSync(uploads).length).toBe(before + 1);
    broken.destroy();
    await expect.poll(() => readdirSync(uploads).length).toBe(before);

    const huge = request({ ...options, headers: { ...headers, 'content-length': String(2 ** 60) } });
    huge.on('error', () => undefined);
    huge.flushHeaders();
    const [answer] = (await once(huge, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(413);
    expect(JSON.parse(await text(answer))).toMatchObject({ code: 'disk-full' });
    huge.destroy();
    expect(readdirSync(uploads).length).toBe(before);
  });
});

describe('a workstation that cannot start', () => {
  const startIn = async (home: string, options: Partial<Parameters<typeof serve>[0]> = {}): Promise<unknown> => {
    const before = process.env['EARWITNESS_HOME'];
    process.env['EARWITNESS_HOME'] = home;
    try {
      await (await serve({ port: 0, renderer, ...options })).close();
      return null;
    } catch (error) {
      return error;
    } finally {
      process.env['EARWITNESS_HOME'] = before;
    }
  };

  it('says why the data folder cannot be made', async () => {
    expect(await startIn(join(folder, 'secret.txt', 'home'))).toMatchObject({
      name: 'UserFacingError',
      code: 'unwritable',
      path: join(folder, 'secret.txt', 'home'),
    });
  });

  it('says which other one works on its data folder, and takes nothing from it', async () => {
    const { pid } = workstation.supervisor;
    expect(await startIn(join(folder, 'home'))).toMatchObject({
      code: 'home-busy',
      message: expect.stringContaining(`process ${pid}`) as string,
      advice: expect.stringContaining('serve --link') as string,
    });
    expect(new URL(await askForLink(join(folder, 'home'))).port).toBe(String(workstation.port));
  });

  it('stops trying where engines die at once, with their last words', async () => {
    const engineFile = writePretendedEngine(folder, 'dies');
    expect(await startIn(join(folder, 'dying'), { engineFile })).toMatchObject({
      code: 'engine',
      message: expect.stringMatching(/tried 3 times and ended with status 9\. Its last words:\nno luck$/m) as string,
    });
  });

  it('ends while it starts where it is reported to', async () => {
    expect(await startIn(join(folder, 'early'), { signal: AbortSignal.abort() })).toMatchObject({ name: 'AbortError' });
    const control = new AbortController();
    setTimeout(() => control.abort(), 30);
    expect(await startIn(join(folder, 'early'), { signal: control.signal })).toBeInstanceOf(Error);
  });
});
