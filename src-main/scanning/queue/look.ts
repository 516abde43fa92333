/** Looks who works for a queue. */
import type { QueueWorker } from '../../../src-common/schemas/queue.ts';
import type { QueueAddress } from './address.ts';
import { Queue, presenceSeconds } from './connection.ts';
import { scanSchema, workerSchema } from './facts.ts';

/** Someone looks at a window meanwhile. */
const openingMilliseconds = 3000;
const daySeconds = 24 * 3600;

/**
 * Those who have been heard of in the last day (one that ends as it should is taken off the list), and how many scans are run now.
 * @throws UserFacingError `queue`
 */
export async function lookAtQueue(
  address: QueueAddress,
  signal: AbortSignal,
): Promise<{ scans: number; workers: QueueWorker[] }> {
  const queue = await Queue.open(address, {
    ...{ supervises: false, openingMilliseconds, signal },
    onNotice: () => undefined,
  });
  try {
    const scans = new Map<string, string>();
    for (const { id, about } of await queue.present('scan', presenceSeconds)) {
      const facts = scanSchema.safeParse(about);
      if (facts.success) scans.set(id, facts.data.host);
    }
    const workers: QueueWorker[] = [];
    for (const { id, about, heardSecondsAgo } of await queue.present('worker', daySeconds)) {
      const facts = workerSchema.safeParse(about);
      if (!facts.success) continue;
      const { name, pid, threads, description, done, scan, refuses } = facts.data;
      const gone = heardSecondsAgo > presenceSeconds;
      workers.push({
        ...{ id, name, pid, threads, description, done, heardSecondsAgo, gone },
        worksFor: (scan !== null && !gone && scans.get(scan)) || null,
        refuses: Object.entries(refuses).flatMap(([of, why]) => {
          const from = scans.get(of);
          return from === undefined || gone ? [] : [{ from, why }];
        }),
      });
    }
    workers.sort((one, other) => one.name.localeCompare(other.name) || one.pid - other.pid);
    return { scans: scans.size, workers };
  } finally {
    await queue.close();
  }
}
