declare module 'linebreak' {
  /** The Unicode line breaking algorithm (UAX #14). */
  export default class LineBreaker {
    constructor(text: string);
    /** The next place where a line may, or must, end; null at the end of the text. */
    nextBreak(): { position: number; required: boolean } | null;
  }
}
