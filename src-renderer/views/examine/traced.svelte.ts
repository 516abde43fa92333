/** Traces of the recording in view: being measured, or measured. */
import type { Traces } from '../../../src-common/schemas/traces.ts';
import { client, told } from '../../state/client.svelte.ts';

/** Of what is measured. */
interface TracedSound {
  caseId: string;
  evidenceId: number;
  readAll: boolean;
  channel: number | null;
}

export class Traced {
  running = $state(false);
  /** Seconds; the whole is null while it is not known. */
  progress: { done: number; total: number | null } = $state.raw({ done: 0, total: null });
  result: Traces | null = $state.raw(null);
  error: unknown = $state.raw(null);
  #controller: AbortController | null = null;

  /** @param reference path of a record of the mains; null: none */
  async measure({ channel, ...item }: TracedSound, reference: string | null): Promise<void> {
    this.close();
    const controller = new AbortController();
    this.#controller = controller;
    Object.assign(this, { running: true, progress: { done: 0, total: null }, error: null });
    try {
      const { caseId, evidenceId, readAll } = item;
      const request = {
        ...{ caseId, evidenceId, readAll },
        ...(channel === null ? {} : { channel }),
        ...(reference === null ? {} : { reference }),
      };
      for await (const event of await client.traces.measure(request, { signal: controller.signal })) {
        if (controller.signal.aborted) return;
        if (event.type === 'ready') this.result = event.traces;
        else this.progress = { done: event.done, total: event.total };
      }
    } catch (error) {
      if (!controller.signal.aborted && told(error).code !== 'aborted') this.error = error;
    } finally {
      if (this.#controller === controller) this.running = false;
    }
  }

  /** Stops what is being measured. */
  close(): void {
    this.#controller?.abort();
    this.#controller = null;
    this.running = false;
  }
}
