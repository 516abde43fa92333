import { existsSync } from 'node:fs';
import { resolve, sep } from 'node:path';

/** Files that the system gives us to open, held until somebody wants them. */
export class OpenedFiles {
  #held: string[];
  #deliver: ((paths: string[]) => void) | null = null;

  constructor(paths: string[]) {
    this.#held = paths;
  }

  add(paths: string[]): void {
    this.#held.push(...paths);
    this.#flush();
  }

  /** From now on files go here, those held first. */
  deliverTo(deliver: (paths: string[]) => void): void {
    this.#deliver = deliver;
    this.#flush();
  }

  #flush(): void {
    if (this.#deliver === null || this.#held.length === 0) return;
    const paths = this.#held;
    this.#held = [];
    this.#deliver(paths);
  }
}

/**
 * The files that a command line names: what is there, but for options and the program's own files, which a start from the
 * project's folder names before them.
 * @param own the folder of the program's own files
 */
export function filesAmong(args: readonly string[], folder: string, own: string): string[] {
  return args
    .slice(1)
    .filter((argument) => argument !== '' && !argument.startsWith('-'))
    .map((argument) => resolve(folder, argument))
    .filter((path) => path !== own && !path.startsWith(own + sep) && existsSync(path));
}
