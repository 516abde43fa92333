/** Names as people see them. They come from other people's files: none may look like another, or steer a terminal. */

// Controls, halves of characters, private use, what has no width, what turns the direction, blanks that look like nothing,
// and tags. Joiners stay: scripts and emoji are written with them.
const hidden =
  // eslint-disable-next-line no-misleading-character-class -- single characters, hidden ones that join among them
  /[\p{Cc}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffc\u{e0000}-\u{e007f}]/u;
const everyHidden = new RegExp(hidden, 'gu');

/** Whether a text holds what would hide, or turn, what stands beside it. */
export function hasHidden(text: string): boolean {
  return hidden.test(text);
}

/** `[U+202E]` */
export function codePointText(character: string): string {
  return `[U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`;
}

/** A name or a sentence in one line, with what cannot be seen as `[U+202E]`. JSON and CSV keep the bytes. */
export function visibleName(text: string): string {
  return hasHidden(text) ? text.replace(everyHidden, codePointText) : text;
}

/** The same of a text of several lines, which stay. */
export function visibleText(text: string): string {
  return hasHidden(text) ? text.replace(everyHidden, (one) => (/[\n\t]/.test(one) ? one : codePointText(one))) : text;
}
