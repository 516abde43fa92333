/** The collections, the one that is shown, its entries as the table shows them, and the commands on them. */
import type { FilterField } from '../../../src-common/collection-fields.ts';
import { entryFilterSchema } from '../../../src-common/schemas/collection.ts';
import type {
  CollectionEntry,
  EntryEdit,
  EntryFilter,
  ListedCollection,
} from '../../../src-common/schemas/collection.ts';
import type { Job } from '../../../src-common/schemas/job.ts';
import type { ContractOutputs, Inputs } from '../../../src-preload/contract.ts';
import type { Key } from '../../components/VirtualTable.svelte';
import { formatCount, plural } from '../../format.ts';
import { app } from '../../state/app.svelte.ts';
import { client, errorWords } from '../../state/client.svelte.ts';
import { collections as texts } from '../../texts/collections.ts';
import { common } from '../../texts/common.ts';
import { Pages } from '../evidence/pages.ts';

const noFilter: EntryFilter = entryFilterSchema.parse({});

class Collections {
  /** Null until the first answer. */
  list: ListedCollection[] | null = $state.raw(null);
  listError: unknown = $state.raw(null);
  /** As a spec names it; null: none is shown. */
  shown: string | null = $state(null);
  open: ContractOutputs['collections']['get'] | null = $state.raw(null);
  openError: unknown = $state.raw(null);
  filter: EntryFilter = $state.raw(noFilter);
  selected: ReadonlySet<Key> = $state.raw(new Set<Key>());
  active = $state(-1);

  #version = $state(0);
  readonly #pages = new Pages<CollectionEntry>({
    load: (offset, limit) =>
      client.collections.entries({ place: this.shown ?? '', filter: this.filter, offset, limit }),
    changed: () => (this.#version += 1),
    failed: (error) => (this.openError = error),
  });

  get total(): number {
    void this.#version;
    return this.#pages.total;
  }

  rowAt(index: number): CollectionEntry | undefined {
    void this.#version;
    return this.#pages.rowAt(index);
  }

  need(from: number, to: number): void {
    this.#pages.need(from, to);
  }

  get ids(): number[] {
    return [...this.selected] as number[];
  }

  /** Those of the selected entries that are loaded. */
  get chosen(): CollectionEntry[] {
    return Array.from({ length: this.total }, (_, index) => this.rowAt(index)).filter(
      (row) => row !== undefined && this.selected.has(row.id),
    ) as CollectionEntry[];
  }

  /** The work on the collection that is not over. */
  get running(): Job | undefined {
    return app.jobs.find(({ kind, endedAt }) => kind === 'collection' && endedAt === null);
  }

  async reload(): Promise<void> {
    try {
      this.list = await client.collections.list();
      this.listError = null;
    } catch (error) {
      this.listError = error;
    }
    if (this.shown === null) {
      const first = this.list?.find(({ problem }) => problem === null);
      if (first !== undefined) await this.show(first.place);
    } else await this.#refresh();
  }

  async show(place: string): Promise<void> {
    if (this.shown !== place) {
      this.shown = place;
      this.open = null;
      this.filter = noFilter;
      this.selected = new Set();
      this.active = -1;
      this.#pages.clear();
    }
    await this.#refresh();
  }

  async #refresh(): Promise<void> {
    const place = this.shown;
    if (place === null) return;
    try {
      const open = await client.collections.get({ place });
      if (this.shown !== place) return;
      this.open = open;
      this.openError = null;
      await this.#pages.refresh();
    } catch (error) {
      if (this.shown === place) this.openError = error;
    }
  }

  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Another filter: shows the first rows of it, and nothing is selected. */
  ask(change: Partial<EntryFilter>): void {
    this.filter = { ...this.filter, ...change };
    this.selected = new Set();
    this.active = -1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#pages.refresh(true), change.text === undefined ? 0 : 150);
  }

  /** Entries with this value of a field; undefined: with any. */
  askFor(field: FilterField, value: string | null | undefined): void {
    const { [field]: _before, ...values } = this.filter.values;
    this.ask({ values: value === undefined ? values : { ...values, [field]: [value] } });
  }

  get isFiltered(): boolean {
    return JSON.stringify(this.filter) !== JSON.stringify(noFilter);
  }

  async idsOf(from: number, to: number): Promise<number[]> {
    const ids = await app.attempt(() => client.collections.ids({ place: this.shown ?? '', filter: this.filter }));
    return (ids ?? []).slice(from, to + 1);
  }

  /** Runs a change; where it would put a speaker or a source into several splits, asks first. Undefined where it failed or was not wanted. */
  async #asking<T>(run: (sharing: boolean) => Promise<T>): Promise<T | undefined> {
    try {
      return await run(false);
    } catch (error) {
      const { code, message } = errorWords(error);
      if (code !== 'shared-split') {
        app.notifyError(error);
        return undefined;
      }
      const agreed = await app.confirm({ ...texts.shared, sentence: message, danger: true });
      return agreed ? app.attempt(() => run(true)) : undefined;
    }
  }

  /** Says what was edited, and offers to take it back. */
  #told(edit: string | null | undefined, sentence: (what: string) => string): void {
    if (edit === undefined) return;
    if (edit === null) app.notify(texts.editDialog.nothing);
    else app.notify(sentence(edit), 'info', { label: common.undo.undo, run: () => void this.undo() });
  }

  /** @returns whether it was done */
  async edit(values: Partial<EntryEdit>): Promise<boolean> {
    const { ids } = this;
    const place = this.shown ?? '';
    const done = await this.#asking((sharing) => client.collections.edit({ place, ids, values, sharing }));
    this.#told(done?.edit, texts.editDialog.done);
    return done !== undefined;
  }

  async split(asked: Omit<Inputs['collections']['split'], 'place'>): Promise<boolean> {
    const place = this.shown ?? '';
    const done = await app.attempt(() => client.collections.split({ place, ...asked }));
    this.#told(done?.edit, texts.splitDialog.done);
    return done !== undefined;
  }

  async undo(): Promise<void> {
    const place = this.shown;
    if (place === null) return;
    const done = await app.attempt(() => client.collections.undo({ place }));
    if (done === undefined) return;
    if (done.edit === null) return app.notify(texts.nothingToUndo);
    app.notify(texts.undone(done.edit), 'info', { label: common.undo.redo, run: () => void this.redo() });
  }

  async redo(): Promise<void> {
    const place = this.shown;
    if (place === null) return;
    const done = await app.attempt(() => client.collections.redo({ place }));
    if (done === undefined) return;
    if (done.edit === null) return app.notify(texts.nothingToRedo);
    app.notify(texts.redone(done.edit), 'info', { label: common.undo.undo, run: () => void this.undo() });
  }

  async remove(): Promise<void> {
    const { ids } = this;
    const place = this.shown ?? '';
    if (ids.length === 0) return;
    const count = plural(ids.length, 'entry', 'entries');
    const reason = await app.ask({
      title: texts.remove.title,
      sentence: texts.remove.sentence(count),
      action: texts.remove.action,
      reason: texts.remove.reason,
      danger: true,
    });
    if (reason === null) return;
    if (reason === '') return app.notify(texts.remove.noReason, 'warning');
    const done = await app.attempt(() => client.collections.remove({ place, ids, reason }));
    if (done === undefined) return;
    this.selected = new Set();
    app.notify(texts.remove.done(count), 'success');
  }

  /** @returns whether it was begun */
  async add(asked: Omit<Inputs['collections']['add'], 'place'>): Promise<boolean> {
    const place = this.shown ?? '';
    const started = await app.attempt(() => client.collections.add({ place, ...asked }));
    if (started === undefined) return false;
    void app.jobEnded(started.jobId).then((job) => {
      if (job.state === 'failed') return app.notifyFailure(job);
      if (job.state !== 'done') return;
      const { added, known, moved } = job.result as { added: number; known: number; moved: number };
      app.notify(texts.addDialog.done(formatCount(added), known, moved), 'success');
      if (job.failed > 0) app.notify(texts.addDialog.problems(formatCount(job.failed)), 'warning');
    });
    return true;
  }

  async verify(): Promise<void> {
    const place = this.shown ?? '';
    const started = await app.attempt(() => client.collections.verify({ place }));
    if (started === undefined) return;
    const job = await app.jobEnded(started.jobId);
    if (job.state === 'failed') return app.notifyFailure(job);
    if (job.state !== 'done') return;
    const { recordings, faults } = job.result as { recordings: number; faults: number };
    if (faults === 0) app.notify(texts.verified(formatCount(recordings)), 'success');
    else app.notify(texts.faulty(formatCount(faults), formatCount(recordings)), 'error');
  }

  async export(version: string | null): Promise<void> {
    const place = this.shown ?? '';
    await app.save({
      suggestedName: texts.suggested(this.open?.summary.name ?? '', version),
      run: (out) => client.collections.export({ place, version, out }),
    });
  }
}

export const collections = new Collections();
