/** Finished exports that a window may fetch once, each under a token that cannot be guessed. */
import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { resources } from '../../src-preload/contract/sound.ts';
import { ensureFolder } from '../base/files.ts';
import { isAlive } from '../base/processes.ts';

/** A file on disk, or bytes. */
export interface Output {
  path?: string;
  bytes?: Uint8Array;
  /** As it is offered for saving. */
  name: string;
  /** Media type. */
  type: string;
}

/** What is not fetched is dropped after so long. */
const keptMilliseconds = 60 * 60 * 1000;

export class OutputPlaces {
  readonly #parent: string;
  readonly #folder: string;
  readonly #waiting = new Map<string, { output: Output; timer: NodeJS.Timeout }>();

  /** @param parent of the folders of files that exist to be fetched only, one for each engine. */
  constructor(parent: string) {
    this.#parent = parent;
    this.#folder = join(parent, String(process.pid));
  }

  /** A path for a file that will be offered; its folder is there. */
  async place(name: string): Promise<string> {
    const folder = join(this.#folder, randomBytes(16).toString('hex'));
    await ensureFolder(folder);
    return join(folder, name.replace(/[^\p{L}\p{N} ._()-]/gu, '_').replace(/^\.+/, '_') || 'file');
  }

  /** @returns the address to fetch it from, once, within an hour. */
  offer(output: Output): { resource: string } {
    const token = randomBytes(32).toString('hex');
    const timer = setTimeout(() => {
      this.#waiting.delete(token);
      void this.done(output);
    }, keptMilliseconds);
    timer.unref();
    this.#waiting.set(token, { output, timer });
    return { resource: resources.file(token) };
  }

  /** The output of a token, which holds no more after this; null where there is none. Call {@link done} when it is sent. */
  take(token: string): Output | null {
    const found = this.#waiting.get(token);
    if (!found) return null;
    clearTimeout(found.timer);
    this.#waiting.delete(token);
    return found.output;
  }

  /** Removes the file of an output that was sent, where it lay here. */
  async done({ path }: Output): Promise<void> {
    if (path !== undefined && dirname(dirname(path)) === this.#folder) {
      await rm(dirname(path), { recursive: true, force: true }).catch(() => undefined);
    }
  }

  /** Removes what engines left that are no more. */
  async clear(): Promise<void> {
    for (const name of await readdir(this.#parent).catch(() => [])) {
      if (name !== String(process.pid) && isAlive(Number(name))) continue;
      await rm(join(this.#parent, name), { recursive: true, force: true }).catch(() => undefined);
    }
  }
}
