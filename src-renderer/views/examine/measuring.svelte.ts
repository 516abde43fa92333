/** Long work of the engine on the recording in view: under way, or what came of it. */
import { errorWords } from '../../state/client.svelte.ts';

type Progress = { type: 'progress'; done: number; total: number | null };

export class Measuring<Result> {
  running = $state(false);
  /** Seconds; the whole is null while it is not known. */
  progress: { done: number; total: number | null } = $state.raw({ done: 0, total: null });
  result: Result | null = $state.raw(null);
  error: unknown = $state.raw(null);
  #controller: AbortController | null = null;

  /**
   * Stops what was under way, and begins.
   * @param begin asks the engine
   * @param resultOf of the event that is not of progress, the last one
   */
  protected async run<Event extends { type: string }>(
    begin: (signal: AbortSignal) => Promise<AsyncIterable<Event | Progress>>,
    resultOf: (event: Exclude<Event, Progress>) => Result,
  ): Promise<void> {
    this.close();
    const controller = new AbortController();
    this.#controller = controller;
    Object.assign(this, { running: true, progress: { done: 0, total: null }, error: null });
    try {
      for await (const event of await begin(controller.signal)) {
        if (controller.signal.aborted) return;
        if (isProgress(event)) this.progress = { done: event.done, total: event.total };
        else this.result = resultOf(event as Exclude<Event, Progress>);
      }
    } catch (error) {
      if (!controller.signal.aborted && errorWords(error).code !== 'aborted') this.error = error;
    } finally {
      if (this.#controller === controller) this.running = false;
    }
  }

  /** Stops what is under way. */
  close(): void {
    this.#controller?.abort();
    this.#controller = null;
    this.running = false;
  }
}

function isProgress(event: { type: string }): event is Progress {
  return event.type === 'progress';
}
