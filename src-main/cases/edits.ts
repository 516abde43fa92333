// What rows of the log say of an edit.

/** The members that were given. */
export function definedOf<T extends object>(edit: T): T {
  return Object.fromEntries(Object.entries(edit).filter(([, value]) => value !== undefined)) as T;
}

export type Changes = Record<string, { from: unknown; to: unknown }>;

export function changesOf(before: object, after: object): Changes {
  const old = before as Record<string, unknown>;
  const changed = Object.entries(after).filter(([name, value]) => old[name] !== value);
  return Object.fromEntries(changed.map(([name, to]) => [name, { from: old[name], to: to as unknown }]));
}

/** What an edit changed, as it is changed by doing it again (`after`) or undoing it (`before`). */
export function changesTo(side: 'before' | 'after', changes: Changes): Changes {
  if (side === 'after') return changes;
  return Object.fromEntries(Object.entries(changes).map(([name, { from, to }]) => [name, { from: to, to: from }]));
}

/** Names of fields as words: `customerContact` as `customer contact`. */
export function listed(names: readonly string[]): string {
  const words = names.map((name) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`));
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words[words.length - 1]}`;
}

export function spanText({ startSeconds, endSeconds }: { startSeconds: number; endSeconds: number | null }): string {
  return endSeconds === null
    ? `${startSeconds.toFixed(2)} s`
    : `${startSeconds.toFixed(2)} s to ${endSeconds.toFixed(2)} s`;
}

/** Says in a sentence of the log that something is of a recording with all sound in its file. */
export function readingText(readAll: unknown): string {
  return readAll === true ? ', with all sound in its file read,' : '';
}
