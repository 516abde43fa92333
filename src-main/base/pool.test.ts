import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserFacingError } from './errors.ts';
import { WorkerPool, withKeptPool } from './pool.ts';
import { setWorkerSettings } from './worker-settings.ts';

let folder: string;
let file: URL;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-pool-'));
  const here = new URL('.', import.meta.url).href;
  const path = join(folder, 'worker.ts');
  writeFileSync(
    path,
    `import { threadId, workerData } from 'node:worker_threads';
     import { UserFacingError } from '${here}errors.ts';
     import { serveRequests } from '${here}pool.ts';
     import { workerSettings } from '${here}worker-settings.ts';
     serveRequests(async (request, signal) => {
       if (request === 'user') throw new UserFacingError('bad', 'It is bad.', { path: '/x', advice: 'Mend it.' });
       if (request === 'setting') return { response: workerSettings().ffmpeg + process.env.EARWITNESS_FFMPEG };
       if (request === 'thread') return { response: threadId };
       if (request === 'bug') throw new TypeError('a bug');
       if (request === 'die') process.exit(7);
       while (request === 'spin');
       if (request === 'wait') await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
       return { response: request * workerData.factor };
     });`,
  );
  file = pathToFileURL(path);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Request = number | 'setting' | 'thread' | 'user' | 'bug' | 'die' | 'wait' | 'spin';
const open = (count: number): WorkerPool<Request, number> => new WorkerPool(file, count, { factor: 3 });

describe('WorkerPool', () => {
  it('answers every request with its own answer', async () => {
    const pool = open(3);
    const numbers = Array.from({ length: 50 }, (_, index) => index);
    expect(await Promise.all(numbers.map((number) => pool.run(number)))).toEqual(numbers.map((number) => 3 * number));
    await pool.close();
  });

  it('hands a changed setting to workers that are there, before what they are asked next, and to those to come', async () => {
    expect(process.env.EARWITNESS_FFMPEG).toBeUndefined();
    const pool = open(2);
    const both = (): Promise<unknown[]> => Promise.all([pool.run('setting'), pool.run('setting')]);
    expect(await both()).toEqual(['undefined', 'undefined']);
    setWorkerSettings({ ffmpeg: '/one/ffmpeg' });
    expect(await both()).toEqual(['/one/ffmpegundefined', '/one/ffmpegundefined']);
    await pool.run('die').catch(() => undefined);
    expect(await both()).toEqual(['/one/ffmpegundefined', '/one/ffmpegundefined']);
    setWorkerSettings({ ffmpeg: '' });
    expect(await both()).toEqual(['undefined', 'undefined']);
    await pool.close();
  });

  it('hands errors over as what they are, and goes on', async () => {
    const pool = open(1);
    const error = await pool.run('user').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserFacingError);
    expect(error).toMatchObject({ code: 'bad', path: '/x', sentence: 'It is bad. Mend it.' });
    await expect(pool.run('bug')).rejects.toMatchObject({ name: 'TypeError', message: 'a bug' });
    expect(await pool.run(1)).toBe(3);
    await pool.close();
  });

  it('replaces a worker that dies, which costs only the request that it was at', async () => {
    const pool = open(1);
    const [died, after] = await Promise.allSettled([pool.run('die'), pool.run(4)]);
    expect(died).toMatchObject({ status: 'rejected' });
    expect(after).toEqual({ status: 'fulfilled', value: 12 });
    await pool.close();
  });

  it('gives up a request that takes too long, even one that never yields, and goes on', async () => {
    const pool = open(1);
    const asked = [pool.run('wait', 50), pool.run(2, 60_000), pool.run('spin', 50), pool.run(3)];
    const [waited, after, spun, last] = await Promise.allSettled(asked);
    expect(waited).toMatchObject({ status: 'rejected', reason: { name: 'TimeoutError' } });
    expect(spun).toMatchObject({ status: 'rejected', reason: { name: 'TimeoutError' } });
    expect([after, last].map((result) => result.status === 'fulfilled' && result.value)).toEqual([6, 9]);
    await pool.close();
  });

  it('gives a worker two short requests at once, but nothing beside a long one', async () => {
    const order: string[] = [];
    const ask = async (
      pool: WorkerPool<Request, number>,
      request: Request,
      short: boolean,
      limit?: number,
    ): Promise<void> => {
      await pool.run(request, limit, short).catch(() => undefined);
      order.push(String(request));
    };
    // The second answers while the first goes on waiting, for as long as the pool is open: it was not held back.
    const patient = open(1);
    const waiting = ask(patient, 'wait', true);
    await ask(patient, 1, true);
    expect(order).toEqual(['1']);
    await patient.close();
    await waiting;
    const pool = open(1);
    order.length = 0;
    await Promise.all([ask(pool, 'wait', true, 300), ask(pool, 2, false)]);
    expect(order).toEqual(['wait', '2']);
    await pool.close();
  });

  it('lets another worker do what one had besides the request that it died at', async () => {
    const pool = open(1);
    const [first, second, third] = await Promise.allSettled([
      pool.run('spin', 50, true),
      pool.run(5, 60_000, true),
      pool.run(6, 60_000, true),
    ]);
    expect(first).toMatchObject({ status: 'rejected', reason: { name: 'TimeoutError' } });
    expect(second).toEqual({ status: 'fulfilled', value: 15 });
    expect(third).toEqual({ status: 'fulfilled', value: 18 });
    await pool.close();
  });

  it('fails what is unfinished when it is closed', async () => {
    const pool = open(1);
    const results = Promise.allSettled([pool.run('wait'), pool.run(2)]);
    await pool.close();
    expect((await results).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(pool.run(1)).rejects.toThrow(/closed/);
  });
});

describe('withKeptPool', () => {
  const using = (
    use: (pool: WorkerPool<Request, number>) => Promise<number>,
    signal?: AbortSignal,
  ): Promise<number> => {
    const worker = relative(fileURLToPath(new URL('..', import.meta.url)), join(folder, 'worker')).replaceAll(
      '\\',
      '/',
    );
    return withKeptPool({ worker, signal }, use);
  };
  const thread = (): Promise<number> => using((pool) => pool.run('thread'));

  it('finds its worker again, but none that failed or was stopped, and none that is in use', async () => {
    const first = await thread();
    expect(await thread()).toBe(first);
    await expect(using((pool) => pool.run('user'))).rejects.toThrow('It is bad.');
    const second = await thread();
    expect(second).not.toBe(first);
    const controller = new AbortController();
    const stopped = using((pool) => {
      const asked = pool.run('wait');
      controller.abort();
      return asked;
    }, controller.signal);
    await expect(stopped).rejects.toThrow(/abort/i);
    const third = await thread();
    expect(third).not.toBe(second);
    expect(new Set(await Promise.all([thread(), thread()]))).toContain(third);
    const [one, other] = await Promise.all([thread(), thread()]);
    expect(one).not.toBe(other);
  });
});
