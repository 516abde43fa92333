/** What a dataset holds: counts, lengths, formats, what is missing. */
import { availableParallelism } from 'node:os';
import { probe } from '../audio/decode.ts';
import type { AudioInfo } from '../audio/types.ts';
import { UserFacingError } from '../base/errors.ts';
import type { Measured } from './measure-all.ts';
import type { Dataset, DatasetItem, Label, Layout } from './types.ts';
import { byCodeUnit, bySplit } from './words.ts';

/** Of the files whose header states a length. */
interface DurationSummary {
  files: number;
  totalSeconds: number;
  minSeconds: number;
  medianSeconds: number;
  maxSeconds: number;
}

/** One split's recordings of one label. */
interface SplitReport {
  split: string | null;
  label: Label;
  files: number;
  /** Distinct names; null where none is known. */
  speakers: number | null;
  sources: number | null;
  generators: number | null;
  /** Null where no file could be read. */
  durations: DurationSummary | null;
}

/** How many recordings carry a value, and where. */
export interface ValueCount<T> {
  /** Null for recordings of which it is not known. */
  value: T | null;
  files: number;
  bonafide: number;
  spoof: number;
  splits: { split: string | null; files: number }[];
}

interface Problem {
  path: string;
  id: string;
  split: string | null;
  label: Label;
  kind: 'missing' | 'unreadable';
  reason: string;
}

export interface DatasetInspection {
  spec: string;
  layout: Layout;
  root: string;
  files: number;
  bonafide: number;
  spoof: number;
  /** Train, dev, test, others, none; bona fide before spoof. */
  splits: SplitReport[];
  durations: DurationSummary | null;
  /** Files that could be read but whose header states no length. */
  withoutDuration: number;
  /** Of spoofs; most files first, the unknown last. Empty where none is known, as are speakers and sources. */
  generators: ValueCount<string>[];
  speakers: ValueCount<string>[];
  sources: ValueCount<string>[];
  /** Of the files that could be read. */
  sampleRatesHz: ValueCount<number>[];
  channels: ValueCount<number>[];
  /** As in `flac` or `wav/pcm_s16le`: container and codec. */
  formats: ValueCount<string>[];
  notes: string[];
  /** Missing and unreadable files, in the dataset's order. */
  problems: Problem[];
}

/**
 * Opens every recording's header and counts what the dataset holds.
 * @param options.measured what `measureAll` found out already, one for each item: nothing is opened.
 * @param options.jobs files looked at at the same time.
 * @param options.signal stops it; its reason is thrown.
 * @param options.onProgress after each file.
 */
export async function inspectDataset(
  dataset: Dataset,
  options: {
    signal?: AbortSignal;
    onProgress?: (done: number, total: number) => void;
    jobs?: number;
    measured?: readonly Measured[];
  } = {},
): Promise<DatasetInspection> {
  const { items } = dataset;
  const infos = new Map<DatasetItem, AudioInfo>();
  const problemAt = new Map<number, Problem>();
  let next = 0;
  let done = 0;
  const work = async () => {
    while (next < items.length) {
      options.signal?.throwIfAborted();
      const index = next++;
      const item = items[index];
      try {
        const known = options.measured?.[index];
        if (known instanceof UserFacingError) throw known;
        infos.set(item, known?.info ?? (await probe(item.path, { signal: options.signal })));
      } catch (error) {
        options.signal?.throwIfAborted();
        try {
          problemAt.set(index, problemOf(item, error));
        } catch (bug) {
          next = items.length;
          throw bug;
        }
      }
      options.onProgress?.(++done, items.length);
    }
  };
  const jobs = options.jobs ?? Math.max(4, availableParallelism());
  await Promise.all(Array.from({ length: Math.min(jobs, items.length) }, work));

  const readable = items.filter((item) => infos.has(item));
  const infoOf = (item: DatasetItem) => infos.get(item)!;
  const durationsOf = (some: DatasetItem[]) =>
    summarise(some.map((item) => infos.get(item)?.durationSeconds ?? null).filter((seconds) => seconds !== null));

  const groups = [...new Set(items.map((item) => item.split))].sort(bySplit).flatMap((split) =>
    (['bonafide', 'spoof'] as const).map((label) => ({
      split,
      label,
      members: items.filter((item) => item.split === split && item.label === label),
    })),
  );
  const known = (values: ValueCount<string>[]) => (values.some(({ value }) => value !== null) ? values : []);
  return {
    spec: dataset.spec,
    layout: dataset.layout,
    root: dataset.root,
    files: items.length,
    bonafide: items.filter((item) => item.label === 'bonafide').length,
    spoof: items.filter((item) => item.label === 'spoof').length,
    splits: groups
      .filter(({ members }) => members.length > 0)
      .map(({ split, label, members }) => ({
        split,
        label,
        files: members.length,
        speakers: distinct(members.map((item) => item.speaker)),
        sources: distinct(members.map((item) => item.source)),
        generators: distinct(members.map((item) => item.generator)),
        durations: durationsOf(members),
      })),
    durations: durationsOf(items),
    withoutDuration: readable.filter((item) => infoOf(item).durationSeconds === null).length,
    generators: known(
      countValues(
        items.filter((item) => item.label === 'spoof'),
        (item) => item.generator,
      ),
    ),
    speakers: known(countValues(items, (item) => item.speaker)),
    sources: known(countValues(items, (item) => item.source)),
    sampleRatesHz: countValues(readable, (item) => infoOf(item).sampleRateHz),
    channels: countValues(readable, (item) => infoOf(item).channels),
    formats: countValues(readable, (item) => {
      const { container, codec } = infoOf(item);
      return container === codec ? codec : `${container}/${codec}`;
    }),
    notes: dataset.notes,
    problems: [...problemAt].sort(([a], [b]) => a - b).map(([, problem]) => problem),
  };
}

/** What is wrong with a file that could not be read. Bugs are thrown on. */
function problemOf({ path, id, split, label }: DatasetItem, error: unknown): Problem {
  if (!(error instanceof UserFacingError)) throw error;
  const kind = error.code === 'missing' ? 'missing' : 'unreadable';
  return { path, id, split, label, kind, reason: error.message };
}

function summarise(seconds: number[]): DurationSummary | null {
  if (seconds.length === 0) return null;
  const sorted = Float64Array.from(seconds).sort();
  const middle = sorted.length >> 1;
  return {
    files: sorted.length,
    totalSeconds: sorted.reduce((sum, value) => sum + value, 0),
    minSeconds: sorted[0],
    medianSeconds: sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2,
    maxSeconds: sorted[sorted.length - 1],
  };
}

function distinct(values: (string | null)[]): number | null {
  const names = new Set(values.filter((value) => value !== null));
  return names.size === 0 ? null : names.size;
}

function countValues<T extends string | number>(
  items: DatasetItem[],
  valueOf: (item: DatasetItem) => T | null,
): ValueCount<T>[] {
  return [...Map.groupBy(items, valueOf)]
    .map(([value, list]) => ({
      value,
      files: list.length,
      bonafide: list.filter((item) => item.label === 'bonafide').length,
      spoof: list.filter((item) => item.label === 'spoof').length,
      splits: [...new Set(list.map((item) => item.split))]
        .sort(bySplit)
        .map((split) => ({ split, files: list.filter((item) => item.split === split).length })),
    }))
    .sort(
      (a, b) =>
        Number(a.value === null) - Number(b.value === null) ||
        b.files - a.files ||
        byCodeUnit(String(a.value), String(b.value)),
    );
}
