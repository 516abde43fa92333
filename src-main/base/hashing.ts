import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';

interface HashingOptions {
  onBytes?: (count: number) => void;
  /** @returns why what flowed through is refused; null where it is not */
  check?: (sha256: string) => Error | null;
}

/** Hashes and counts what flows through. */
export class Hashing extends Transform {
  readonly #hash = createHash('sha256');
  readonly #options: HashingOptions;
  /** Of all, once it has flowed through. */
  sha256 = '';
  sizeBytes = 0;

  constructor(options: HashingOptions = {}) {
    super();
    this.#options = options;
  }

  override _transform(chunk: Buffer, _encoding: string, done: (error: null, chunk: Buffer) => void): void {
    this.#hash.update(chunk);
    this.sizeBytes += chunk.length;
    this.#options.onBytes?.(chunk.length);
    done(null, chunk);
  }

  override _flush(done: (error: Error | null) => void): void {
    this.sha256 = this.#hash.digest('hex');
    done(this.#options.check?.(this.sha256) ?? null);
  }
}
