/** The inspection of a dataset: under way, done, or failed; it goes on while other views are shown. */
import type { DatasetReport } from '../../../src-common/schemas/dataset.ts';
import { client, errorWords } from '../../state/client.svelte.ts';

class Inspection {
  /** What is or was inspected. */
  spec = $state('');
  bonafide = $state('');
  running = $state(false);
  done = $state(0);
  total = $state(0);
  report: DatasetReport | null = $state.raw(null);
  error: unknown = $state.raw(null);
  #controller: AbortController | null = null;

  /** Whether what is shown is of this choice. */
  isOf(spec: string, bonafide: string): boolean {
    return this.spec === spec.trim() && this.bonafide === bonafide.trim();
  }

  async start(spec: string, bonafide: string): Promise<void> {
    this.stop();
    const controller = new AbortController();
    this.#controller = controller;
    Object.assign(this, { spec: spec.trim(), bonafide: bonafide.trim(), done: 0, total: 0, report: null, error: null });
    this.running = true;
    try {
      const events = await client.datasets.inspect(
        { spec: this.spec, ...(this.bonafide === '' ? {} : { bonafide: this.bonafide }) },
        { signal: controller.signal },
      );
      for await (const event of events) {
        if (controller.signal.aborted) return;
        if (event.type === 'report') this.report = event.report;
        else [this.done, this.total] = [event.done, event.total];
      }
    } catch (error) {
      if (!controller.signal.aborted && errorWords(error).code !== 'aborted') this.error = error;
    } finally {
      if (this.#controller === controller) this.running = false;
    }
  }

  stop(): void {
    this.#controller?.abort();
    this.#controller = null;
    this.running = false;
  }
}

export const inspection = new Inspection();
