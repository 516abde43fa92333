/** Changes of very many records, in transactions that each end after a moment: others get their turn between them. */
import type { CaseCore } from './core.ts';

/** After this long a transaction ends with the record that it is at; signing and writing it to disk come on top. */
const sliceMs = 15;

/** Lets others have their turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Each record that is changed has its row of the log, which stands by itself: what was changed before something went wrong stays.
 * @param change of one, inside a transaction
 * @param options.first inside of the first transaction, before all, also where there are no records
 * @param options.touched the items that changed, for those who watch
 * @param options.onDone told of what a transaction did, once it is on disk
 */
export async function writeInSlices<T, R>(
  core: CaseCore,
  records: readonly T[],
  change: (record: T) => R,
  {
    first,
    touched,
    onDone,
  }: { first?: (() => unknown) | null; touched: (done: R[]) => number[]; onDone: (done: R[]) => void },
): Promise<void> {
  let at = 0;
  do {
    if (at > 0) await turn();
    const from = at;
    const done = core.write(() => {
      const began = performance.now();
      const some: R[] = [];
      if (from === 0) first?.();
      for (at = from; at < records.length && performance.now() - began < sliceMs; at++) some.push(change(records[at]));
      return some;
    }, touched);
    onDone(done);
  } while (at < records.length);
}
