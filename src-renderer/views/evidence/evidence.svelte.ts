/** The recordings of the open case as its tables show them: query, loaded rows, selection, and the commands on them. */
import { innerWidth } from 'svelte/reactivity/window';
import { untrack } from 'svelte';
import type { Finding } from '../../../src-common/findings.ts';
import type { EvidenceWhere } from '../../../src-common/schemas/evidence-filter.ts';
import type { EvidenceRow } from '../../../src-common/schemas/evidence.ts';
import type { Job } from '../../../src-common/schemas/job.ts';
import type { Inputs } from '../../../src-preload/contract.ts';
import type { Key, Order } from '../../components/VirtualTable.svelte';
import { plural } from '../../format.ts';
import { app } from '../../state/app.svelte.ts';
import { client, onChange } from '../../state/client.svelte.ts';
import { isStrings, keep, kept } from '../../state/kept.ts';
import { throttled } from '../../state/throttled.ts';
import { cases } from '../../texts/cases.ts';
import { common } from '../../texts/common.ts';
import { Pages } from './pages.ts';

export type FindingFilter = Finding | 'none' | 'failed' | 'flagged' | 'stretches';
type OrderBy = Inputs['evidence']['ids']['order'] extends { by: infer By } | undefined ? By : never;
type ScanRequest = Inputs['analyses']['scan'];

/** Orders that a scan's results do not move rows in. */
const fixedOrders = new Set(['id', 'name', 'duration', 'added', 'size']);
/** How often changed rows are shown, new ones asked for, and all while they change places. */
const flushMs = 200;
const newRowsMs = 250;
const movedRowsMs = 1000;

class EvidenceState {
  filter = $state('');
  findings: readonly FindingFilter[] = $state.raw([]);
  where: EvidenceWhere = $state.raw({});
  order: Order = $state.raw({ by: 'id', descending: false });
  selected: ReadonlySet<Key> = $state.raw(new Set<Key>());
  active = $state(-1);
  error: unknown = $state.raw(null);
  loaded = $state(false);
  /** Model of scans; empty: the default. */
  modelId = $state('');
  channel: 'auto' | 'mix' | 'left' | 'right' | 'each' = $state('auto');
  readAll = $state(false);
  /** By the workers of the queue of the settings. */
  overQueue = $state(false);

  #version = $state(0);
  readonly #pages = new Pages<EvidenceRow>({
    load: (offset, limit) => client.evidence.list({ ...this.#query(), offset, limit }),
    changed: () => {
      this.#version += 1;
      this.loaded = true;
      this.error = null;
    },
    failed: (error) => {
      this.error = error;
    },
  });

  get total(): number {
    void this.#version;
    return this.#pages.total;
  }

  rowAt(index: number): EvidenceRow | undefined {
    void this.#version;
    return this.#pages.rowAt(index);
  }

  indexOf(id: number): number {
    void this.#version;
    return this.#pages.indexOf(id);
  }

  need(from: number, to: number): void {
    this.#pages.need(from, to);
  }

  get isFiltered(): boolean {
    return this.filter !== '' || this.findings.length > 0 || Object.keys(this.where).length > 0;
  }

  #query(): Inputs['evidence']['ids'] & { caseId: string } {
    return {
      caseId: app.caseId ?? '',
      filter: this.filter,
      findings: [...this.findings],
      where: this.where,
      order: { by: this.order.by as NonNullable<OrderBy>, descending: this.order.descending },
    };
  }

  /** Begins anew with another case. */
  reset(): void {
    this.#pages.clear();
    this.#version += 1;
    this.filter = '';
    this.findings = [];
    this.where = {};
    this.order = { by: 'id', descending: false };
    this.selected = new Set();
    this.active = -1;
    this.loaded = false;
    this.error = null;
    if (app.caseId !== null) {
      void this.#pages.refresh(true);
    }
  }

  #filterTimer: ReturnType<typeof setTimeout> | undefined;

  /** Another filter, findings or order: shows the first rows of it. */
  ask(change: { filter?: string; findings?: readonly FindingFilter[]; where?: EvidenceWhere; order?: Order }): void {
    this.filter = change.filter ?? this.filter;
    this.findings = change.findings ?? this.findings;
    this.where = change.where ?? this.where;
    this.order = change.order ?? this.order;
    clearTimeout(this.#filterTimer);
    this.#filterTimer = setTimeout(
      () => {
        const active = this.rowAt(this.active)?.id;
        void this.#pages.refresh(true).then(() => {
          this.active = active === undefined ? -1 : this.#pages.indexOf(active);
        });
      },
      change.filter === undefined ? 0 : 150,
    );
  }

  retry(): void {
    this.error = null;
    void this.#pages.refresh();
  }

  /** Ids of rows `from` to `to` of the order that is shown, loaded or not. */
  async idsOf(from: number, to: number): Promise<number[]> {
    const ids = await app.attempt(() => client.evidence.ids(this.#query()));
    return (ids ?? []).slice(from, to + 1);
  }

  #changed = new Map<number, EvidenceRow>();
  readonly #flushSoon = throttled(flushMs, () => this.#flush());
  readonly #askForNew = throttled(newRowsMs, () => this.#pages.refresh());
  readonly #askForMoved = throttled(movedRowsMs, () => this.#pages.refresh());

  #take(rows: readonly EvidenceRow[] | null): void {
    if (rows === null) {
      this.#askForNew();
      return;
    }
    for (const row of rows) {
      this.#changed.set(row.id, row);
    }
    this.#flushSoon();
  }

  #flush(): void {
    const isMissing = this.#pages.update([...this.#changed.values()]);
    const movesRows = this.isFiltered || !fixedOrders.has(this.order.by);
    // The case's count may come later than its rows.
    const isNew = isMissing && (this.#pages.isWhole || app.caseView?.items !== this.#pages.total);
    if (isNew) {
      this.#askForNew();
    } else if (movesRows) {
      this.#askForMoved();
    }
    this.#changed.clear();
    this.#version += 1;
  }

  /** Follows the engine and the open case; called once. Returns what ends it. */
  start(): () => void {
    const stopChanges = onChange((change) => {
      if (change.type === 'evidence' && change.caseId === app.caseId) {
        this.#take(change.rows);
      } else if (change.type === 'engine') {
        this.#askForNew();
      }
    });
    const stopEffects = $effect.root(() => {
      let shown: string | null = null;
      $effect(() => {
        if (app.caseId !== shown) {
          shown = app.caseId;
          untrack(() => this.reset());
        }
      });
    });
    return () => {
      stopChanges();
      stopEffects();
    };
  }

  /** The scan of this case that is not over. */
  get running(): Job | undefined {
    return app.jobs.find((job) => job.kind === 'scan' && job.caseId === app.caseId && job.endedAt === null);
  }

  /** Why there is nothing to begin a scan with; undefined where there is something. */
  get noScan(): string | undefined {
    if (app.hasNoRecordings) return common.topBar.noRecordings;
    if (this.running !== undefined) return cases.evidence.scanRuns;
    return app.caseView?.counts.fresh === 0 ? cases.evidence.allNew : undefined;
  }

  get selectedIds(): number[] {
    return [...this.selected].filter((key) => typeof key === 'number');
  }

  async scan(which: ScanRequest['which']): Promise<void> {
    const caseId = app.caseId;
    if (caseId === null) {
      return;
    }
    const runs = this.running !== undefined;
    const started = await app.attempt(() =>
      client.analyses.scan({
        caseId,
        which,
        channel: this.channel,
        readAll: this.readAll,
        overQueue: this.overQueue && app.settings?.queue !== '',
        ...(this.modelId === '' ? {} : { modelId: this.modelId }),
      }),
    );
    if (started?.queued === 0 && which === 'new') {
      app.notify(runs ? cases.evidence.scanRuns : cases.evidence.allNew);
    }
  }

  /** CSV or JSON of all, or of what is selected. */
  async export(format: 'csv' | 'json', ids: number[]): Promise<void> {
    const caseView = app.caseView;
    if (caseView !== null) {
      const suggestedName = `${caseView.number.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-')}.${format}`;
      await app.save({
        suggestedName,
        run: (out) => client.evidence.export({ caseId: caseView.id, evidenceIds: ids, format, out }),
      });
    }
  }

  /** Puts tags to the selected items and takes tags from them, or says whether they are reviewed. */
  async label(labels: { addTags?: string[]; removeTags?: string[]; reviewed?: boolean }): Promise<void> {
    const caseId = app.caseId;
    const ids = this.selectedIds;
    if (caseId === null || ids.length === 0) {
      return;
    }
    await app.attempt(async () => {
      const { changed } = await client.evidence.label({ caseId, evidenceIds: ids, ...labels });
      const sentence = cases.labels.done(plural(changed, 'recording'));
      if (changed > 0) await app.offerUndo(sentence);
      else app.notify(sentence);
    });
  }

  /** Asks once, naming what goes, then takes the selected out of the case. */
  async remove(): Promise<void> {
    const caseId = app.caseId;
    const ids = this.selectedIds;
    if (caseId === null || ids.length === 0) {
      return;
    }
    const names: string[] = [];
    for (const id of ids.slice(0, 8)) {
      names.push(this.#pages.rowAt(this.#pages.indexOf(id))?.name ?? `${cases.evidence.columns.id} ${id}`);
    }
    if (ids.length > names.length) {
      names.push(cases.evidence.andMore(plural(ids.length - names.length, 'other')));
    }
    const reason = await app.ask({
      title: cases.evidence.removeTitle(plural(ids.length, 'recording')),
      sentence: cases.evidence.removeSentence(names.join('\n')),
      reason: cases.evidence.removeReason,
      action: app.caseView === null ? '' : cases.evidence.remove.replace('…', ''),
      danger: true,
    });
    if (reason !== null) {
      await app.attempt(async () => {
        await client.evidence.remove({ caseId, evidenceIds: ids, reason });
        if (app.evidenceId !== null && ids.includes(app.evidenceId)) {
          app.evidenceId = null;
        }
        this.selected = new Set();
        this.active = -1;
        await this.#pages.refresh();
      });
    }
  }
}

export const evidence = new EvidenceState();

/** Columns of a table that are shown, kept under its name. */
export class Columns {
  readonly #name: string;
  /** What a person hid; null: nobody chose. */
  #chosen: ReadonlySet<string> | null = $state.raw(null);
  readonly #usual: ReadonlySet<string>;
  readonly #inSmall: ReadonlySet<string>;

  /** @param rare hidden besides in windows below 1440 pixels, until someone chooses */
  constructor(name: string, hidden: readonly string[], rare: readonly string[] = []) {
    this.#name = name;
    const chosen = kept<string[] | null>(`hidden.${name}`, null, isStrings);
    if (chosen !== null) this.#chosen = new Set(chosen);
    this.#usual = new Set(hidden);
    this.#inSmall = new Set([...hidden, ...rare]);
  }

  get hidden(): ReadonlySet<string> {
    return this.#chosen ?? ((innerWidth.current ?? 0) < 1440 ? this.#inSmall : this.#usual);
  }

  toggle(key: string): void {
    const next = new Set(this.hidden);
    if (!next.delete(key)) {
      next.add(key);
    }
    this.#chosen = next;
    keep(`hidden.${this.#name}`, [...next]);
  }
}
