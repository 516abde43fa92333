import type { DatasetKind } from '../../src-common/dataset-spec.ts';

export type Label = 'bonafide' | 'spoof';

export type Layout = DatasetKind | 'combined';

/** One recording of a dataset. */
export interface DatasetItem {
  /** Absolute path. */
  path: string;
  /** Name unique within the dataset: the path below its root with `/`, or the file id of an ASVspoof protocol. */
  id: string;
  label: Label;
  /** `train`, `dev`, `test` (every alias is brought to these), another name, or null where there are no splits. */
  split: string | null;
  /** Attack or generator of a spoof; always null for bona fide speech. */
  generator: string | null;
  speaker: string | null;
  source: string | null;
  /** What the corpus says was done to the recording, in its own words; absent where it says nothing. */
  codec?: string;
  transmission?: string;
  /** As the corpus writes it, `en` for instance. */
  language?: string;
  /** When and with what kind of system it was made, as the corpus writes it. */
  year?: string;
  kind?: string;
  /** Recording chain and quality in the words of the laboratory. */
  chain?: string;
  quality?: string;
}

/** What one layout's loader finds. */
export interface LoadedItems {
  /** The folder in which the layout was found, absolute. */
  root: string;
  items: DatasetItem[];
  /** What was found odd, as sentences: ignored files and folders, repeated lines, missing parts. */
  notes: string[];
}

export interface Dataset extends LoadedItems {
  /** As the person wrote it; of collections with the hash of the list. */
  spec: string;
  /** What of a collection is left out and why, as sentences. */
  leftOut: string[];
  /** `combined` where the spec names several datasets. */
  layout: Layout;
}
