/** From which side texts are read, for both kinds of paper. */
import bidiFactory from 'bidi-js';

// Its types are those of an ES module; it is a CommonJS one.
export const bidi = (bidiFactory as unknown as typeof bidiFactory.default)();
export const rightToLeftLetter =
  /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

/** The lines of a text: each line feed begins a new one. */
export function linesOf(text: string): string[] {
  return text.split(/\r\n|[\r\n\u2028\u2029]/);
}

export interface Direction {
  /** Embedding level of each UTF-16 unit (UAX #9); null: all from left to right. */
  levels: Uint8Array | null;
  /** Of the whole: it stands at the right. */
  rightToLeft: boolean;
}

/** @param direction `ltr` for names and what stands in a sentence of ours, `auto` for what a person wrote */
export function directionOf(text: string, direction: 'ltr' | 'auto'): Direction {
  if (!rightToLeftLetter.test(text)) return { levels: null, rightToLeft: false };
  const { levels, paragraphs } = bidi.getEmbeddingLevels(text, direction);
  return { levels, rightToLeft: (paragraphs[0]?.level ?? 0) % 2 === 1 };
}
