/**
 * Panes beside the work, which fold by themselves where a window is too narrow for all of them, until a person unfolds them. What was
 * chosen is kept, for narrow and for wide windows apart.
 */
import { MediaQuery } from 'svelte/reactivity';
import { isBoolean, keep, kept } from './kept.ts';

/** In narrower windows still, panes stand one below the other. */
const narrow = new MediaQuery('(min-width: 761px) and (max-width: 1439px)');

class FoldingPane {
  readonly #name: string;
  #inWide: boolean = $state(false);
  #inNarrow: boolean = $state(true);

  constructor(name: string) {
    this.#name = name;
    this.#inWide = kept(`${name}.folded`, false, isBoolean);
    this.#inNarrow = kept(`${name}.folded.narrow`, true, isBoolean);
  }

  get folded(): boolean {
    return narrow.current ? this.#inNarrow : this.#inWide;
  }

  set folded(folded: boolean) {
    if (narrow.current) this.#inNarrow = folded;
    else this.#inWide = folded;
    keep(`${this.#name}.folded${narrow.current ? '.narrow' : ''}`, folded);
  }

  readonly toggle = (): void => {
    this.folded = !this.folded;
  };
}

/** Of recordings, beside what is examined. */
export const listPane = new FoldingPane('list');
export const inspectorPane = new FoldingPane('inspector');
