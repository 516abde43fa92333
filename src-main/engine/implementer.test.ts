import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRouterClient, ORPCError } from '@orpc/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Settings } from '../../src-common/schemas/settings.ts';
import { UserFacingError } from '../base/errors.ts';
import { os } from './implementer.ts';
import { openLog } from './log.ts';

const home = mkdtempSync(join(tmpdir(), 'earwitness-implementer-'));
const logText = (): string => readFileSync(join(home, 'logs', 'engine.log'), 'utf8');
beforeAll(() => openLog(home));
afterAll(() => rmSync(home, { recursive: true, force: true }));

async function failure(promise: Promise<unknown>): Promise<ORPCError<string, unknown>> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ORPCError);
  return error as ORPCError<string, unknown>;
}

const notThere = new UserFacingError('not-found', 'It is not there.', { path: '/a/b', advice: 'Look elsewhere.' });

describe('what a procedure throws', () => {
  it("crosses as USER where it is a person's error", async () => {
    const client = createRouterClient({
      get: os.settings.get.handler(() => {
        throw notThere;
      }),
    });
    const error = await failure(client.get());
    expect(error).toMatchObject({ code: 'USER', status: 422, message: 'It is not there.', defined: true });
    expect(error.data).toEqual({
      code: 'not-found',
      message: 'It is not there.',
      path: '/a/b',
      advice: 'Look elsewhere.',
    });
  });

  it('is logged, and tells nothing, where it is a bug', async () => {
    const client = createRouterClient({
      get: os.settings.get.handler(() => {
        throw new TypeError('secret detail');
      }),
    });
    const result = await client.get().catch((error: unknown) => error);
    expect(JSON.stringify(result)).not.toContain('secret');
    expect(logText()).toMatch(/error \[\d+\] get failed: TypeError: secret detail\n {2} +at /);
  });

  it('crosses so out of an event stream, too', async () => {
    const client = createRouterClient({
      changes: os.system.changes.handler(async function* () {
        yield { type: 'cases' as const };
        throw notThere;
      }),
    });
    const events = await client.changes();
    expect((await events.next()).value).toEqual({ type: 'cases' });
    expect(await failure(events.next())).toMatchObject({ code: 'USER', data: { code: 'not-found' } });
  });
});

it('checks what comes in and what goes out', async () => {
  const client = createRouterClient({
    set: os.settings.set.handler(() => ({ version: 1, theme: 'pink' }) as unknown as Settings),
  });
  expect(await failure(client.set({ scanJobs: -1 }))).toMatchObject({ code: 'BAD_REQUEST' });
  expect(await failure(client.set({ scanJobs: 2 }))).toMatchObject({ code: 'INTERNAL_SERVER_ERROR' });
});

it('ends a stream that nobody reads any more while it waits', async () => {
  let ended = false;
  const waiting: AsyncGenerator<{ type: 'cases' }, void, void> = {
    next: () => new Promise(() => undefined),
    return: async () => {
      ended = true;
      return { done: true as const, value: undefined };
    },
    throw: (error) => Promise.reject(error as Error),
    [Symbol.asyncIterator]: () => waiting,
    [Symbol.asyncDispose]: async () => undefined,
  };
  const client = createRouterClient({ changes: os.system.changes.handler(() => waiting) });
  const events = await client.changes();
  void events.next();
  await events.return?.();
  expect(ended).toBe(true);
});
