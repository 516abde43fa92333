/** The pages of a report as pictures: drawn in a worker, one at a time, those that are looked at now. */
import type { PagesAnswer, PagesRequest } from './report-pages-worker.ts';

export interface PageSize {
  /** In points. */
  width: number;
  height: number;
}

interface Wanted {
  page: number;
  width: number;
  resolve: (bitmap: ImageBitmap | null) => void;
}

export class ReportPages {
  readonly #worker: Worker;
  /** Behind the one that is drawn: the latest is the next. */
  readonly #wanted: Wanted[] = [];
  #drawing: Wanted | null = null;
  sizes: readonly PageSize[] = [];

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** @param bytes of the PDF; they are handed over. @throws Error where they are no PDF */
  static open(bytes: ArrayBuffer): Promise<ReportPages> {
    const worker = new Worker(new URL('./report-pages-worker.ts', import.meta.url), { type: 'module' });
    const pages = new ReportPages(worker);
    return new Promise((resolve, reject) => {
      const failed = (why: string): void => {
        pages.close();
        reject(new Error(`The pages cannot be drawn: ${why}`));
      };
      worker.addEventListener('error', ({ message }) => failed(message));
      worker.addEventListener('message', ({ data }: MessageEvent<PagesAnswer>) => {
        if ('sizes' in data) {
          pages.sizes = data.sizes;
          resolve(pages);
        } else if ('error' in data) {
          failed(data.error);
        } else {
          pages.#drawn(data.bitmap);
        }
      });
      worker.postMessage({ open: bytes } satisfies PagesRequest, [bytes]);
    });
  }

  /**
   * @param page counted from 1
   * @param width in pixels
   * @returns null where it was no longer wanted
   */
  draw(page: number, width: number): Promise<ImageBitmap | null> {
    return new Promise((resolve) => {
      this.#wanted.push({ page, width, resolve });
      this.#next();
    });
  }

  /** A page that is out of sight before its turn came. */
  forget(page: number): void {
    const at = this.#wanted.findIndex((wanted) => wanted.page === page);
    if (at >= 0) this.#wanted.splice(at, 1)[0].resolve(null);
  }

  close(): void {
    this.#worker.terminate();
    for (const { resolve } of this.#wanted.splice(0)) resolve(null);
    this.#drawing?.resolve(null);
    this.#drawing = null;
  }

  #next(): void {
    if (this.#drawing !== null) return;
    const wanted = this.#wanted.pop();
    if (wanted === undefined) return;
    this.#drawing = wanted;
    this.#worker.postMessage({ page: wanted.page, width: wanted.width } satisfies PagesRequest);
  }

  #drawn(bitmap: ImageBitmap): void {
    this.#drawing?.resolve(bitmap);
    this.#drawing = null;
    this.#next();
  }
}
