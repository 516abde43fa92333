/** Keyboard shortcuts: views add theirs while they are shown; `?` lists them. */
import type { ViewName } from './app.svelte.ts';
import { chordOf } from './chord.ts';

export interface Shortcut {
  /** `Space`, `Enter`, `Delete`, `?`, `a`, with `Ctrl+`, `Alt+`, `Shift+` before it; `Ctrl` means ⌘ on a Mac. Several by ` or `. */
  keys: string;
  /** What it does, as `?` shows it: "Play the selection". */
  does: string;
  where: ViewName | 'everywhere';
  run: (event: KeyboardEvent) => void;
  /** Also while a text field has the focus. */
  inFields?: boolean;
}

let list: readonly Shortcut[] = $state.raw([]);

/** True where typing belongs to the element that has the focus. */
function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target instanceof HTMLTextAreaElement ||
      target.role === 'combobox' ||
      (target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'range'].includes(target.type)))
  );
}

/** A button or link answers Space and Enter itself. */
function answersItself(target: EventTarget | null, chord: string): boolean {
  return (
    (chord === 'Space' || chord === 'Enter') &&
    target instanceof Element &&
    target.closest('button, a[href], summary, [role="tab"], input') !== null
  );
}

export const shortcuts = {
  /** All that are in force now. */
  get all(): readonly Shortcut[] {
    return list;
  },
  /** Returns a remover: give it to `$effect` or `onMount`. */
  add(...added: Shortcut[]): () => void {
    list = [...list, ...added];
    return () => {
      list = list.filter((shortcut) => !added.includes(shortcut));
    };
  },
  /** Runs the latest-added shortcut for an event; nothing while a dialog or a menu is open. */
  handle(event: KeyboardEvent, view: ViewName): void {
    if (event.defaultPrevented || document.querySelector('[role="dialog"], [role="menu"]') !== null) {
      return;
    }
    const chord = chordOf(event);
    const field = isField(event.target);
    const found = list.findLast(
      (shortcut) =>
        (shortcut.where === 'everywhere' || shortcut.where === view) &&
        shortcut.keys.split(' or ').some((keys) => keys.toLowerCase() === chord.toLowerCase()) &&
        (!field || shortcut.inFields === true) &&
        !answersItself(event.target, chord),
    );
    if (found !== undefined) {
      event.preventDefault();
      found.run(event);
    }
  },
};
