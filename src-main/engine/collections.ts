/** Collections in the window: each call opens the file, does one thing and closes it, so that other programs can work on it beside. */
import { dirname, join } from 'node:path';
import { filterFields } from '../../src-common/collection-fields.ts';
import { writeFileWhole } from '../base/files.ts';
import { measuredEntries } from '../datasets/collections/add.ts';
import { Collection } from '../datasets/collections/collection.ts';
import { dealt } from '../datasets/collections/deal.ts';
import { listCollections } from '../datasets/collections/known.ts';
import { collectionManifest } from '../datasets/collections/manifest.ts';
import { collectionPath, isPlacePath, mustBeName, noteElsewhere } from '../datasets/collections/places.ts';
import { faultsOf } from '../datasets/collections/use.ts';
import { isSpec } from '../datasets/load.ts';
import type { EngineContext } from './context.ts';
import { readableDataset } from './datasets.ts';
import { deliver, readablePath, writablePath } from './files.ts';
import { os } from './implementer.ts';

export function collectionsProcedures(context: EngineContext) {
  const { home, jobs } = context;
  const by = (): string => context.cases.session.actor();
  const changed = (): void => context.changes.publish({ type: 'collections' });

  async function using<T>(place: string, use: (collection: Collection) => T | Promise<T>): Promise<T> {
    const path = collectionPath(place, home);
    if (isPlacePath(place)) await readablePath(context, path);
    const collection = Collection.open(path);
    try {
      return await use(collection);
    } finally {
      collection.close();
    }
  }

  /** The same for what changes it, which everyone who looks is told. */
  async function changing<T>(place: string, change: (collection: Collection) => T | Promise<T>): Promise<T> {
    const result = await using(place, change);
    changed();
    return result;
  }

  return {
    list: os.collections.list.handler(() => listCollections(home)),
    create: os.collections.create.handler(async ({ input: { name, note } }) => {
      mustBeName(name);
      Collection.create(collectionPath(name, home), { note, by: by() }).close();
      changed();
      return { place: name };
    }),
    open: os.collections.open.handler(async ({ input }) => {
      const path = await readablePath(context, input.path);
      Collection.open(path).close();
      await noteElsewhere(path, {}, home);
      changed();
      return { place: path };
    }),
    get: os.collections.get.handler(({ input }) =>
      using(input.place, (collection) => ({
        summary: collection.summary(),
        values: Object.fromEntries(filterFields.map((field) => [field, collection.values(field)])) as Record<
          (typeof filterFields)[number],
          ReturnType<Collection['values']>
        >,
      })),
    ),
    entries: os.collections.entries.handler(({ input: { place, filter, offset, limit } }) =>
      using(place, (collection) => ({
        total: collection.count(filter),
        rows: collection.entries(filter, { offset, limit }),
      })),
    ),
    ids: os.collections.ids.handler(({ input: { place, filter } }) =>
      using(place, (collection) => collection.ids(filter)),
    ),
    add: os.collections.add.handler(async ({ input: { place, from, stated, sharing } }) => {
      for (const one of from) {
        if (isSpec(one)) await readableDataset(context, one);
        else await readablePath(context, one);
      }
      const name = await using(place, (collection) => collection.name);
      const jobId = jobs.start(
        { kind: 'collection', title: `Recordings for ${name}`, unit: 'recordings' },
        async (job) => {
          job.progress({ doing: 'Listening to them' });
          const { entries, problems } = await measuredEntries(from, stated, {
            signal: job.signal,
            onProgress: (done, total) => job.progress({ done, total }),
          });
          for (const { path, reason } of problems) job.problem(path, reason);
          job.signal.throwIfAborted();
          return { ...(await changing(place, (collection) => collection.add(entries, { by: by(), sharing }))) };
        },
      );
      return { jobId };
    }),
    edit: os.collections.edit.handler(({ input: { place, ids, values, sharing } }) =>
      changing(place, (collection) => ({
        edit: collection.edit(ids, values, { by: by(), sharing }) === 0 ? null : collection.latestEdit(),
      })),
    ),
    undo: os.collections.undo.handler(({ input }) =>
      changing(input.place, (collection) => ({ edit: collection.undo() })),
    ),
    redo: os.collections.redo.handler(({ input }) =>
      changing(input.place, (collection) => ({ edit: collection.redo() })),
    ),
    split: os.collections.split.handler(({ input: { place, shares, by: keys } }) =>
      changing(place, (collection) => {
        const splits = dealt(collection, { shares, by: keys, seed: 1, repeated: [] });
        // By what it was asked to hold together; what it then says of the rest is shown.
        const sharing = !keys.includes('speaker') || !keys.includes('source');
        const count = collection.assignSplits(splits, { by: by(), sharing });
        return { edit: count === 0 ? null : collection.latestEdit() };
      }),
    ),
    freeze: os.collections.freeze.handler(({ input: { place, name, note } }) =>
      changing(place, (collection) =>
        collection.freeze({ ...(name.trim() === '' ? {} : { name: name.trim() }), note, by: by() }),
      ),
    ),
    remove: os.collections.remove.handler(async ({ input: { place, ids, reason } }) => {
      await changing(place, (collection) => collection.remove(ids, { by: by(), reason }));
      return {};
    }),
    verify: os.collections.verify.handler(async ({ input: { place } }) => {
      const { name, rows } = await using(place, (collection) => {
        for (const version of collection.versions()) collection.list(version.name);
        return { name: collection.name, rows: collection.list(null).rows };
      });
      const spec = { kind: 'collection' as const, title: `Check of ${name}`, unit: 'recordings', total: rows.length };
      const jobId = jobs.start(spec, async (job) => {
        job.progress({ doing: 'Reading them' });
        const faults = await faultsOf(rows, {
          signal: job.signal,
          onProgress: (done, total) => job.progress({ done, total }),
        });
        for (const { path, what } of faults) {
          job.problem(path, what === 'missing' ? 'It is missing.' : 'It is not what was catalogued.');
        }
        return { recordings: rows.length, faults: faults.length };
      });
      return { jobId };
    }),
    export: os.collections.export.handler(async ({ input: { place, version, out } }) => {
      const path = collectionPath(place, home);
      if (isPlacePath(place)) await readablePath(context, path);
      // What is fetched lies nowhere yet: its paths are absolute then.
      const file = out === null ? join(dirname(path), 'manifest', 'manifest.csv') : await writablePath(context, out);
      const { text, leftOut } = await collectionManifest(
        `${place}${version === null ? '' : `@${version}`}`,
        file,
        async (row) => row.path,
      );
      for (const sentence of leftOut) context.changes.publish({ type: 'notice', tone: 'warning', sentence });
      const name = `${await using(place, (collection) => collection.name)}${version === null ? '' : `-${version}`}.csv`;
      return deliver(context, out, { name, type: 'text/csv' }, (to) => writeFileWhole(to, text));
    }),
  };
}
