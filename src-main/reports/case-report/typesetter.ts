/** Breaks text into lines of a width, in the fonts that have its letters. */
import LineBreaker from 'linebreak';
import { bidi, directionOf, linesOf, rightToLeftLetter } from './direction.ts';
import type { Direction } from './direction.ts';
import { Fonts } from './fonts.ts';
import type { Face, FontFamily, FontName } from './fonts.ts';

export interface TextStyle {
  face: Face;
  /** In points. */
  size: number;
  /** Hexadecimal. */
  colour: string;
}

/** Text in one font and one direction. */
interface Run {
  /** As it is handed to PDFKit. */
  text: string;
  /** In reading order. */
  logical: string;
  font: FontName;
  /** Shaped as a whole, its glyphs then put from right to left. */
  rightToLeft: boolean;
  width: number;
}

/** One line, its runs from left to right. */
export interface Line {
  style: TextStyle;
  runs: Run[];
  width: number;
  /** Of the paragraph: such lines stand at the right. */
  rightToLeft: boolean;
}

interface Paragraph extends Direction {
  text: string;
}

/** Where a name or a hash that is too long for a line is rather cut. */
const goodCuts = /[/\\_.,;:=&?@+)\]-]$/;

/** A space between a number and its unit, where no line ends. */
export const spaceInQuantity = /(?<=\d) (?=(?:%|s|ms|dB|dBFS|Hz|kHz)(?![\p{L}\d]))/gu;

/** Breaks text into lines, in both directions and with fallback fonts, and draws them. */
export class Typesetter {
  readonly #document: PDFKit.PDFDocument;
  readonly #fonts: Fonts;
  readonly #registered = new Set<FontName>();

  constructor(document: PDFKit.PDFDocument, family: FontFamily) {
    this.#document = document;
    this.#fonts = new Fonts(family);
  }

  /**
   * Lines of at most `width` points; each line feed begins a new one.
   * @param direction `ltr` for names and what stands in a sentence of ours, `auto` for what a person wrote
   */
  lines(text: string, style: TextStyle, width: number, direction: 'ltr' | 'auto' = 'ltr'): Line[] {
    return linesOf(text).flatMap((part) => this.#paragraphLines(this.#paragraph(part, direction), style, width));
  }

  /** Width in points of a text on one line. */
  width(text: string, style: TextStyle): number {
    return this.#line(this.#paragraph(text), 0, Infinity, style).width;
  }

  /** The text, or its beginning and an ellipsis, as one line of at most `width` points. */
  fitted(text: string, style: TextStyle, width: number): Line {
    const flat = text.replace(/\s+/g, ' ');
    const whole = this.#paragraph(flat.slice(0, 2000));
    const line = this.#line(whole, 0, Infinity, style);
    if (line.width <= width && whole.text.length === flat.length) return line;
    const clusters = this.#fonts.clusters(whole.text);
    let low = 0;
    let high = clusters.length;
    const shortened = (kept: number): Line =>
      this.#line(this.#paragraph(`${clusters.slice(0, kept).join('')}…`), 0, Infinity, style);
    while (high - low > 1) {
      const kept = (low + high) >> 1;
      if (shortened(kept).width <= width) low = kept;
      else high = kept;
    }
    return shortened(low);
  }

  /** Draws a line whose left edge and baseline are given. */
  draw(line: Line, x: number, baseline: number): void {
    const document = this.#document;
    let at = x;
    document.fillColor(line.style.colour);
    for (const run of line.runs) {
      this.#use(run.font, line.style.size);
      // Its letters are put together of parts, which say nothing of what they stand for.
      const assembled = run.font === 'arabic';
      if (assembled) document.markContent('Span', { actual: run.logical });
      const features = run.rightToLeft ? { features: [] } : {};
      document.text(run.text, at, baseline, { lineBreak: false, baseline: 'alphabetic', ...features });
      if (assembled) document.endMarkedContent();
      at += run.width;
    }
  }

  #use(font: FontName, size: number): void {
    if (!this.#registered.has(font)) {
      // PDFKit takes an opened font too, which its types do not say.
      this.#document.registerFont(font, this.#fonts.font(font) as unknown as Buffer);
      this.#registered.add(font);
    }
    this.#document.font(font, size);
  }

  #paragraph(source: string, direction: 'ltr' | 'auto' = 'ltr'): Paragraph {
    const text = this.#fonts.visible(source);
    return { text, ...directionOf(text, direction) };
  }

  #paragraphLines(paragraph: Paragraph, style: TextStyle, width: number): Line[] {
    const { text } = paragraph;
    const whole = this.#line(paragraph, 0, text.length, style);
    if (whole.width <= width) return [whole];
    const lines: Line[] = [];
    const breaker = new LineBreaker(text);
    let start = 0;
    let fitting = 0;
    const fits = (from: number, to: number): boolean => this.#line(paragraph, from, to, style).width <= width;
    const take = (end: number): void => {
      lines.push(this.#line(paragraph, start, end, style));
      start = end;
    };
    const within = new Set([...text.matchAll(spaceInQuantity)].map(({ index }) => index + 1));
    for (let next = breaker.nextBreak(); next; next = breaker.nextBreak()) {
      if (within.has(next.position)) continue;
      if (!fits(start, next.position)) {
        if (fitting > start) take(fitting);
        while (!fits(start, next.position)) take(this.#cut(paragraph, start, next.position, fits));
      }
      fitting = next.position;
    }
    if (start < text.length) take(text.length);
    return lines;
  }

  /** Where to cut a word that no line can hold. */
  #cut(paragraph: Paragraph, start: number, end: number, fits: (from: number, to: number) => boolean): number {
    const ends: number[] = [];
    let at = start;
    for (const cluster of this.#fonts.clusters(paragraph.text.slice(start, end))) ends.push((at += cluster.length));
    let low = 0;
    let high = ends.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (fits(start, ends[middle])) low = middle;
      else high = middle;
    }
    for (let index = low; index > low * 0.6; index--) {
      if (goodCuts.test(paragraph.text.slice(start, ends[index]))) return ends[index];
    }
    return ends[low];
  }

  /** The part of a paragraph from `start` to before `end`, without spaces at its end, in visual order (UAX #9, L2). */
  #line({ text, levels, rightToLeft }: Paragraph, start: number, end: number, style: TextStyle): Line {
    const part = text.slice(start, end).trimEnd();
    const runs: Run[] = [];
    if (levels === null) {
      runs.push(...this.#runs(part, false, style));
    } else {
      const stretches: { level: number; runs: Run[] }[] = [];
      for (let from = 0; from < part.length;) {
        const level = levels[start + from];
        let to = from + 1;
        while (to < part.length && levels[start + to] === level) to++;
        stretches.push({ level, runs: this.#runs(part.slice(from, to), level % 2 === 1, style) });
        from = to;
      }
      const highest = Math.max(0, ...stretches.map(({ level }) => level));
      for (let level = highest; level > 0; level--) {
        for (let from = 0; from < stretches.length; from++) {
          let to = from;
          while (to < stretches.length && stretches[to].level >= level) to++;
          if (to > from) stretches.splice(from, to - from, ...stretches.slice(from, to).reverse());
          from = to;
        }
      }
      for (const stretch of stretches) runs.push(...stretch.runs);
    }
    return { style, runs, width: runs.reduce((sum, run) => sum + run.width, 0), rightToLeft };
  }

  /** Text of one direction as runs of one font each, from left to right. */
  #runs(text: string, rightToLeft: boolean, style: TextStyle): Run[] {
    const pieces: { font: FontName; text: string }[] = [];
    for (const cluster of this.#fonts.clusters(text)) {
      const last = pieces.at(-1);
      const joined = cluster === ' ' && last !== undefined && this.#fonts.has(last.font, ' ');
      const font = joined ? last.font : this.#fonts.fontOf(cluster, style.face);
      if (last?.font === font) last.text += cluster;
      else pieces.push({ font, text: cluster });
    }
    const runs = pieces.map((piece): Run => {
      // Fontkit turns what it takes for a right-to-left script; signs between such words have to be turned here.
      const turned = rightToLeft && !rightToLeftLetter.test(piece.text);
      const mirrored = rightToLeft
        ? this.#fonts.clusters(piece.text).map((cluster) => bidi.getMirroredCharacter(cluster) ?? cluster)
        : [piece.text];
      const shown = (turned ? mirrored.reverse() : mirrored).join('');
      const shaped = rightToLeft && !turned;
      this.#use(piece.font, style.size);
      const width = this.#document.widthOfString(shown, shaped ? { features: [] } : {});
      return { text: shown, logical: piece.text, font: piece.font, rightToLeft: shaped, width };
    });
    return rightToLeft ? runs.reverse() : runs;
  }
}
