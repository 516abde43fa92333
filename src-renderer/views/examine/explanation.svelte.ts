/** What the score of the result that is shown rests on: a saliency map, being made, made, or refused by its own test. */
import type { Analysis } from '../../../src-common/schemas/analysis.ts';
import type { Saliency, SaliencySubject } from '../../../src-common/schemas/saliency.ts';
import { client, errorWords } from '../../state/client.svelte.ts';
import { isNumber, keep, kept } from '../../state/kept.ts';
import type { Span } from './time-window.ts';

/** A subject as the value of a choice. */
export const subjectKey = ({ method, member }: SaliencySubject): string => `${method}/${member ?? ''}`;

export class Explanation {
  readonly #caseId: () => string;
  /** What can be explained of the result's model. */
  subjects: SaliencySubject[] = $state.raw([]);
  /** Why nothing can be. */
  problem: unknown = $state.raw(null);
  running = $state(false);
  /** From 0 to 1; null while nothing is known. */
  progress: number | null = $state(null);
  result: Saliency | null = $state.raw(null);
  /** Of what the result or what is being made is; null: the whole recording. */
  span: Span | null = $state.raw(null);
  error: unknown = $state.raw(null);
  visible = $state(true);
  opacity: number = $state(kept('examine.saliency', 0.6, isNumber));
  /** Value of the strongest colours. */
  readonly strongest = $derived(
    (this.result?.columns ?? []).reduce(
      (most, { cells }) => cells.reduce((more, cell) => Math.max(more, Math.abs(cell)), most),
      1e-9,
    ),
  );
  /** The map that lies over the spectrogram. */
  readonly shown = $derived(
    this.visible && this.result?.columns ? { columns: this.result.columns, edgesHz: this.result.edgesHz } : null,
  );
  #analysisId: number | null = null;
  #controller: AbortController | null = null;

  constructor(caseId: () => string) {
    this.#caseId = caseId;
  }

  /** Another result is shown: what was explained is not its score. */
  async follow(analysis: Analysis | null): Promise<void> {
    const analysisId = analysis === null || analysis.score === null ? null : analysis.id;
    if (analysisId === this.#analysisId) return;
    this.close();
    this.#analysisId = analysisId;
    Object.assign(this, { subjects: [], problem: null, result: null, error: null });
    if (analysisId === null) return;
    try {
      const { subjects } = await client.saliency.subjects({ caseId: this.#caseId(), analysisId });
      if (this.#analysisId === analysisId) this.subjects = subjects;
    } catch (error) {
      if (this.#analysisId === analysisId) this.problem = error;
    }
  }

  /** Makes and tests the map of a subject. @param span null: the whole recording */
  async make({ method, member }: SaliencySubject, span: Span | null): Promise<void> {
    const analysisId = this.#analysisId;
    if (analysisId === null) return;
    this.close();
    const controller = new AbortController();
    this.#controller = controller;
    Object.assign(this, { running: true, progress: null, result: null, error: null, span, visible: true });
    try {
      const stretch = span === null ? null : { startSeconds: span.start, endSeconds: span.end };
      const request = { caseId: this.#caseId(), analysisId, method, member, stretch };
      for await (const event of await client.saliency.explain(request, { signal: controller.signal })) {
        if (controller.signal.aborted) return;
        if (event.type === 'ready') this.result = event.saliency;
        else this.progress = event.total === 0 ? null : event.done / event.total;
      }
    } catch (error) {
      if (!controller.signal.aborted && errorWords(error).code !== 'aborted') this.error = error;
    } finally {
      if (this.#controller === controller) this.running = false;
    }
  }

  setOpacity(opacity: number): void {
    this.opacity = opacity;
    keep('examine.saliency', opacity);
  }

  /** Stops what is being made. */
  close(): void {
    this.#controller?.abort();
    this.#controller = null;
    this.running = false;
  }
}
