import { basename } from 'node:path';
import type { FindingTable } from '../../src-common/schemas/finding-record.ts';
import { isSpec, loadDataset } from '../datasets/load.ts';
import type { DatasetItem } from '../datasets/types.ts';
import { findingTable } from '../evaluation/finding-table.ts';
import type { FoundRecording } from '../evaluation/finding-table.ts';
import type { ScanResult } from './scan-files.ts';

/** What the files of a scan are known to be, and how the findings compare. */
export class ScanKey {
  readonly #byPath: ReadonlyMap<string, DatasetItem>;
  /** By the name alone, for files that lie elsewhere than the key says; null where several have it. */
  readonly #byName = new Map<string, DatasetItem | null>();
  readonly #used = new Set<DatasetItem>();
  readonly #found: FoundRecording[] = [];
  /** Scanned files that the key says nothing of. */
  unlabelled = 0;

  private constructor(items: readonly DatasetItem[]) {
    this.#byPath = new Map(items.map((item) => [item.path, item]));
    for (const item of items) {
      const name = basename(item.path);
      this.#byName.set(name, this.#byName.has(name) ? null : item);
    }
  }

  /**
   * @param key a CSV file with the columns path and label (optionally source, speaker), or a dataset's spec.
   * @throws UserFacingError `dataset` as `loadDataset`.
   */
  static async read(key: string): Promise<ScanKey> {
    const { items } = await loadDataset(isSpec(key) ? key : `manifest:${key}`);
    return new ScanKey(items);
  }

  /** Labelled recordings that were not scanned. */
  get notScanned(): number {
    return this.#byPath.size - this.#used.size;
  }

  add({ path, analysis, passedOver }: Pick<ScanResult, 'path' | 'analysis' | 'passedOver'>): void {
    if (passedOver) return;
    const item = this.#byPath.get(path) ?? this.#byName.get(basename(path)) ?? null;
    // Two files of one name are not both the one that the key names.
    if (item === null || this.#used.has(item)) {
      this.unlabelled++;
      return;
    }
    this.#used.add(item);
    const { label, speaker, source } = item;
    this.#found.push({ bonafide: label === 'bonafide', speaker, source, finding: analysis?.finding ?? null });
  }

  table(): FindingTable {
    return findingTable(this.#found);
  }
}
