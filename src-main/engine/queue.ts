import { UserFacingError } from '../base/errors.ts';
import { queueAddress } from '../scanning/queue/address.ts';
import type { QueueAddress } from '../scanning/queue/address.ts';
import { lookAtQueue } from '../scanning/queue/look.ts';
import type { EngineContext } from './context.ts';
import { os } from './implementer.ts';

/** The queue of the settings. @throws UserFacingError `usage` where there is none */
export function queueOfSettings({ settings }: EngineContext): QueueAddress {
  const { queue } = settings.get();
  if (queue !== '') return queueAddress(queue);
  throw new UserFacingError('usage', 'No queue is set.', {
    advice: 'Settings, Several machines, takes the address of its database.',
  });
}

/** @throws UserFacingError `usage` for what is no address, and where it holds a password: settings are kept in a file */
export function mustBeQueue(url: string): void {
  if (!queueAddress(url).hasPassword) return;
  throw new UserFacingError('usage', 'The address holds a password, which settings do not keep.', {
    advice: 'Leave it out, and put it into PGPASSWORD or ~/.pgpass where Earwitness runs.',
  });
}

export function queueProcedures(context: EngineContext) {
  return {
    workers: os.queue.workers.handler(({ signal }) =>
      lookAtQueue(queueOfSettings(context), signal ?? new AbortController().signal),
    ),
  };
}
