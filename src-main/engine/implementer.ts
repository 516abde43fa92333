import { implement, ORPCError } from '@orpc/server';
import { contract } from '../../src-preload/contract.ts';
import { UserFacingError } from '../base/errors.ts';
import { userError } from '../jobs/user-error.ts';
import { log } from './log.ts';

/**
 * What a procedure threw, as it crosses the contract: a person's error as `USER`; anything else is a bug, is logged and tells
 * the window nothing but that.
 */
function crossing(error: unknown, procedure: string, aborted: boolean): unknown {
  if (error instanceof UserFacingError) {
    return new ORPCError('USER', { status: 422, message: error.message, data: userError(error), cause: error });
  }
  if (!(error instanceof ORPCError) && !aborted) log('error', `${procedure} failed`, error);
  return error;
}

function isIterator(value: unknown): value is AsyncIterableIterator<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value && 'next' in value;
}

/** What implements the contract: `os.cases.list.handler(async ({ input, signal }) => …)`. */
export const os = implement(contract).use(async ({ next, path, signal }) => {
  const crossed = (error: unknown): unknown => crossing(error, path.join('.'), signal?.aborted === true);
  try {
    const result = await next();
    const { output } = result;
    if (!isIterator(output)) return result;
    // By hand: a generator around it would hold back `return` while it waits for the next event.
    const iterator: AsyncIterableIterator<unknown> = {
      next: () => output.next().catch((error: unknown) => Promise.reject(crossed(error) as Error)),
      return: async (value?: unknown) => (await output.return?.(value)) ?? { done: true, value },
      [Symbol.asyncIterator]: () => iterator,
    };
    return { ...result, output: iterator };
  } catch (error) {
    throw crossed(error);
  }
});
