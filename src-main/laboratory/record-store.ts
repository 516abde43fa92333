/** Records of what the laboratory does, each in a folder of its own in the data folder: `<kind>s/<id>/<kind>.json`. */
import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { writeFileWhole } from '../base/files.ts';

interface RecordStoreOptions<T> {
  /** The data folder. */
  home: string;
  kind: string;
  schema: z.ZodType<T>;
  /** @returns its id, and when it began as ISO 8601 */
  about: (record: T) => { id: string; since: string };
  /** Called for a record that this version cannot read; it is left alone. */
  onUnreadable?: ((path: string, error: unknown) => void) | undefined;
}

export class RecordStore<T> {
  readonly #options: RecordStoreOptions<T>;
  readonly #records = new Map<string, T>();
  /** One write after the other: the latest state is what stays. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(options: RecordStoreOptions<T>) {
    this.#options = options;
  }

  /** Reads all that there are. */
  static async open<T>(options: RecordStoreOptions<T>): Promise<RecordStore<T>> {
    const store = new RecordStore(options);
    for (const id of await readdir(store.place('')).catch(() => [])) {
      const path = store.#pathOf(id);
      try {
        const record = options.schema.parse(JSON.parse(await readFile(path, 'utf8')));
        if (options.about(record).id !== id) throw new Error(`It is the record of ${options.about(record).id}.`);
        store.#records.set(id, record);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'ENOENT' && code !== 'ENOTDIR') options.onUnreadable?.(path, error);
      }
    }
    return store;
  }

  /** The latest first. */
  list(): T[] {
    const { about } = this.#options;
    return [...this.#records.values()].sort((one, other) => about(other).since.localeCompare(about(one).since));
  }

  get(id: string): T | undefined {
    return this.#records.get(id);
  }

  /** The folder of a record. */
  place(id: string): string {
    return join(this.#options.home, `${this.#options.kind}s`, id);
  }

  #pathOf(id: string): string {
    return join(this.place(id), `${this.#options.kind}.json`);
  }

  /** @throws UserFacingError `unwritable`; it is not in the store then. */
  async add(record: T): Promise<void> {
    const { id } = this.#options.about(record);
    this.#records.set(id, record);
    await this.save(record).catch((error: unknown) => {
      this.#records.delete(id);
      throw error;
    });
  }

  /** Writes a record that changed; one that was removed meanwhile stays away. @throws UserFacingError `unwritable` */
  async save(record: T): Promise<void> {
    const { id } = this.#options.about(record);
    await this.#inTurn(async () => {
      if (this.#records.has(id)) await writeFileWhole(this.#pathOf(id), JSON.stringify(record));
    });
  }

  /** Removes a record with all that is in its folder. */
  async remove(id: string): Promise<void> {
    this.#records.delete(id);
    await this.#inTurn(() => rm(this.place(id), { recursive: true, force: true }));
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const working = this.#last.then(work);
    this.#last = working.catch(() => undefined);
    await working;
  }
}
