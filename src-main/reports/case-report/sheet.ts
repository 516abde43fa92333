/** Pages of a report: flowing text, tables and pictures set as tagged PDF. */
import PDFDocument from 'pdfkit';
import type { MarkColour } from '../../../src-common/mark-colours.ts';
import { openImage } from '../open-image.ts';
import type { FontFamily } from './fonts.ts';
import { Typesetter } from './typesetter.ts';
import type { Line, TextStyle } from './typesetter.ts';

/** Colours of a report on white paper. */
export const ink = {
  text: '#1d1d21',
  dim: '#55555e',
  line: '#c4c4ca',
  pale: '#f1f1f4',
  accent: '#2f6fb2',
  bonafide: '#00629b',
  spoof: '#b04608',
  inconclusive: '#5c5c66',
} as const;

/** The colours of marks, as the window has them on a light ground. */
const markInks: Record<MarkColour, string> = {
  blue: '#0072b2',
  orange: '#d08700',
  green: '#00875f',
  purple: '#7b52ab',
  yellow: '#a89a00',
  pink: '#c2588f',
  teal: '#12808a',
  grey: '#7a7a84',
};

/** Of a mark; those without a colour, and of earlier reports, have that of all. */
export function markInk(colour: MarkColour | null | undefined): string {
  return colour ? markInks[colour] : ink.accent;
}

const page = { width: 595.28, height: 841.89, left: 57, right: 51, top: 74, bottom: 72 } as const;
/** Width of the text in points. */
export const contentWidth = page.width - page.left - page.right;
const bodyBottom = page.height - page.bottom;

const regular: TextStyle = { face: 'regular', size: 8.6, colour: ink.text };
export const styles = {
  regular,
  bold: { ...regular, face: 'bold' },
  dim: { ...regular, colour: ink.dim },
  small: { ...regular, size: 7.4 },
  smallDim: { ...regular, size: 7.4, colour: ink.dim },
  smallBold: { ...regular, face: 'bold', size: 7.4 },
  mono: { ...regular, face: 'mono', size: 7.2 },
  smallMono: { ...regular, face: 'mono', size: 5.9 },
  title: { ...regular, face: 'bold', size: 16 },
  section: { ...regular, face: 'bold', size: 11.5 },
  subsection: { ...regular, face: 'bold', size: 9.8 },
  minor: { ...regular, face: 'bold', size: 8.6, colour: ink.dim },
} as const satisfies Record<string, TextStyle>;

/** A text in a style. */
export interface Part {
  text: string;
  style: TextStyle;
  /** What a person wrote: its first letters say from which side it is read. */
  written?: boolean;
}
/** A text in the table's own style, or several parts below one another. */
export type Cell = string | Part | Part[];

export interface Column {
  title: string;
  /** In points; one column may take what is left by 0. */
  width: number;
  align?: 'right';
}

/** What the running header and footer of every page say. */
export interface RunningText {
  headerLeft: string;
  headerRight: string;
  footer: string;
  /** A line of the laboratory's below it; empty for none. */
  subfooter: string;
  /** Stands large and pale across every page; empty for none. */
  across: string;
}

export interface DocumentInformation {
  title: string;
  author: string;
  application: string;
  issuedAt: Date;
  /** What its texts are set in. */
  family: FontFamily;
}

/** A picture of a laboratory's. */
interface Letterhead {
  bytes: Buffer;
  alternative: string;
}
/** What one may take at most, in points. */
const letterheadBox = { width: 180, height: 44 } as const;

type Structure = PDFKit.PDFStructureElement;
type Options<Method extends 'file' | 'struct'> = NonNullable<Parameters<PDFKit.PDFDocument[Method]>[1]>;
// What PDFKit takes beyond what its types say.
type AttachmentOptions = Options<'file'> & { relationship: 'Data' };
type StructureOptions = Options<'struct'> & { bbox?: number[]; scope?: 'Row' | 'Column' };

const leading = 1.36;
/** Baseline below the top of a line, for one point of size. */
const baselineShare = 1.02;

function lineHeight(style: TextStyle): number {
  return style.size * leading;
}

/** Metadata goes into XML that PDFKit does not escape. */
function plainMetadata(text: string): string {
  return text
    .replaceAll('&', '+')
    .replaceAll('<', '‹')
    .replaceAll('>', '›')
    .replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, ' ')
    .trim();
}

/**
 * A document of A4 pages that is filled from top to bottom: PDF/A-3a, tagged, its fonts embedded, with the same bytes for
 * the same content.
 */
export class Sheet {
  readonly document: PDFKit.PDFDocument;
  readonly type: Typesetter;
  readonly #bytes: Promise<Buffer>;
  readonly #root: Structure;
  readonly #information: DocumentInformation;
  #section: Structure;
  #y: number = page.top;

  constructor(information: DocumentInformation) {
    this.#information = information;
    this.document = new PDFDocument({
      size: 'A4',
      margins: { left: page.left, right: page.right, top: 0, bottom: 0 },
      pdfVersion: '1.7',
      subset: 'PDF/A-3a',
      tagged: true,
      lang: 'en-GB',
      displayTitle: true,
      bufferPages: true,
      autoFirstPage: false,
      // No standard font: those cannot be embedded.
      font: null as unknown as string,
      info: {
        Title: plainMetadata(information.title),
        Author: plainMetadata(information.author),
        Creator: information.application,
        Producer: `${information.application} (PDFKit)`,
        CreationDate: information.issuedAt,
      },
    });
    const { document } = this;
    this.#bytes = new Promise((resolve, reject) => {
      const parts: Buffer[] = [];
      document.on('data', (part: Buffer) => parts.push(part));
      document.on('end', () => resolve(Buffer.concat(parts)));
      document.on('error', reject);
    });
    this.type = new Typesetter(document, information.family);
    this.#addPage();
    this.#root = this.#struct('Document');
    document.addStructure(this.#root);
    this.#section = this.#root;
  }

  /** Points left on the page. */
  get room(): number {
    return bodyBottom - this.#y;
  }

  /** Begins a page where less than this is left. */
  need(height: number): void {
    if (this.room < height && this.#y > page.top) this.#addPage();
  }

  gap(height: number): void {
    this.#y += height;
  }

  /** A numbered heading; the first level begins a section of the document's structure and an entry of its outline. */
  heading(level: 1 | 2 | 3 | 4, text: string): void {
    const style = [styles.title, styles.section, styles.subsection, styles.minor][level - 1];
    const lines = this.type.lines(text, style, contentWidth);
    const above = this.#y === page.top ? 0 : [0, 16, 12, 7][level - 1];
    // Not alone at the foot of a page.
    this.need(above + lines.length * lineHeight(style) + (level === 3 ? 110 : 42));
    if (this.#y > page.top) this.#y += above;
    if (level <= 2) {
      if (this.#section !== this.#root) this.#section.end();
      this.#section = this.#struct('Sect');
      this.#root.add(this.#section);
    }
    if (level === 2 || level === 3) this.#bookmark(level, text);
    this.#flow(`H${level}`, lines);
    if (level === 2) {
      this.#artifact(() => this.#rule(page.left, this.#y + 1.5, contentWidth, ink.line));
      this.#y += 3;
    }
    this.#y += [4, 4, 3, 2][level - 1];
  }

  paragraph(
    text: string,
    style: TextStyle = styles.regular,
    options: { after?: number; written?: boolean } = {},
  ): void {
    const { after = 4, written = false } = options;
    this.#flow('P', this.type.lines(text, style, contentWidth, written ? 'auto' : 'ltr'));
    this.#y += after;
  }

  /** A sentence that is to be seen: with a bar at its left. */
  notice(title: string, text: string, colour: string): void {
    const lines = [
      ...(title === '' ? [] : this.type.lines(title, { ...styles.bold, colour }, contentWidth - 14)),
      ...this.type.lines(text, styles.regular, contentWidth - 14),
    ];
    this.need(Math.min(lines.length, 4) * lineHeight(styles.regular) + 6);
    this.#y += 3;
    this.#flow('P', lines, 12, colour);
    this.#y += 6;
  }

  /** What follows begins a page. */
  breakPage(): void {
    if (this.#y > page.top) this.#addPage();
  }

  /**
   * Names with their values.
   * @param options.ruled for long values: bold names, and lines between the rows
   */
  pairs(
    rows: readonly (readonly [string, Cell])[],
    { nameWidth = 128, ruled = false }: { nameWidth?: number; ruled?: boolean } = {},
  ): void {
    this.#table(
      [
        { title: '', width: nameWidth },
        { title: '', width: 0 },
      ],
      rows.map(([name, value]) => [{ text: name, style: ruled ? styles.bold : styles.dim }, value]),
      styles.regular,
      true,
      !ruled,
    );
    this.#y += 6;
  }

  /**
   * A table whose header stands on every page that it reaches.
   * @param options.dense for many short rows: without lines between them
   */
  table(columns: readonly Column[], rows: readonly (readonly Cell[])[], options: { dense?: boolean } = {}): void {
    this.#table(columns, rows, styles.small, false, options.dense);
    this.#y += 6;
  }

  /**
   * A figure that is kept on one page with its caption.
   * @param draw draws into the area whose left upper corner is given.
   */
  figure(
    height: number,
    texts: { alternative: string; caption: string },
    draw: (x: number, y: number, width: number) => void,
  ): void {
    const { alternative, caption } = texts;
    const captionLines = this.type.lines(caption, styles.smallDim, contentWidth);
    this.need(height + captionLines.length * lineHeight(styles.smallDim));
    const top = this.#y;
    const bbox = [page.left, top, page.left + contentWidth, top + height];
    const element = this.#struct('Figure', { alt: alternative, bbox });
    this.#section.add(element);
    element.add(() => draw(page.left, top, contentWidth));
    element.end();
    this.#y += height;
    this.#flow('Caption', captionLines);
    this.#y += 7;
  }

  /** Pictures side by side, the first at the left and the second at the right, each within a box; `null` leaves its place empty. */
  letterhead(pictures: readonly [Letterhead | null, Letterhead | null]): void {
    if (pictures.every((picture) => picture === null)) return;
    const { width: mostWidth, height } = letterheadBox;
    this.need(height);
    const top = this.#y;
    pictures.forEach((picture, index) => {
      if (picture === null) return;
      const image = openImage(this.document, picture.bytes);
      const scale = Math.min(mostWidth / image.width, height / image.height);
      const [width, tall] = [image.width * scale, image.height * scale];
      const x = index === 0 ? page.left : page.left + contentWidth - width;
      const element = this.#struct('Figure', { alt: picture.alternative, bbox: [x, top, x + width, top + tall] });
      this.#section.add(element);
      element.add(() => this.document.image(image as unknown as Buffer, x, top, { width, height: tall }));
      element.end();
    });
    this.#y = top + height + 8;
  }

  /** A short text inside a figure. */
  label(
    text: string,
    x: number,
    baseline: number,
    style: TextStyle,
    align: 'left' | 'middle' | 'right' = 'left',
  ): number {
    const [line] = this.type.lines(text, style, Infinity);
    const shift = align === 'left' ? 0 : align === 'middle' ? line.width / 2 : line.width;
    this.type.draw(line, x - shift, baseline);
    return line.width;
  }

  /** Attaches a file; its relation to the report is that of data. */
  attach(name: string, bytes: Buffer, type: string, description: string): void {
    const date = this.#information.issuedAt;
    const options: AttachmentOptions = {
      name,
      type,
      description,
      creationDate: date,
      modifiedDate: date,
      relationship: 'Data',
    };
    this.document.file(bytes, options);
  }

  /** Puts the running texts on every page and ends the document. */
  async finish(texts: RunningText): Promise<{ bytes: Buffer; pages: number }> {
    if (this.#section !== this.#root) this.#section.end();
    this.#root.end();
    const { document, type } = this;
    const { count } = document.bufferedPageRange();
    const left = type.fitted(texts.headerLeft, styles.smallBold, contentWidth * 0.6);
    const right = type.fitted(texts.headerRight, styles.smallDim, contentWidth * 0.36);
    const footer = type.fitted(texts.footer, { ...styles.smallBold, colour: ink.text }, contentWidth - 90);
    const subfooter = type.fitted(texts.subfooter, styles.smallDim, contentWidth);
    for (let index = 0; index < count; index++) {
      document.switchToPage(index);
      document.markContent('Artifact', { type: 'Pagination' });
      this.#drawAcross(texts.across);
      type.draw(left, page.left, 44);
      type.draw(right, page.width - page.right - right.width, 44);
      this.#rule(page.left, 52, contentWidth, ink.line);
      this.#rule(page.left, page.height - 54, contentWidth, ink.line);
      type.draw(footer, page.left, page.height - 40);
      type.draw(subfooter, page.left, page.height - 29);
      const [number] = type.lines(`Page ${index + 1} of ${count}`, styles.smallDim, 100);
      type.draw(number, page.width - page.right - number.width, page.height - 40);
      document.endMarkedContent();
    }
    document.end();
    return { bytes: await this.#bytes, pages: count };
  }

  #drawAcross(text: string): void {
    if (text === '') return;
    const [x, y] = [page.width / 2, page.height / 2];
    const { document } = this;
    document
      .save()
      .rotate(-52, { origin: [x, y] })
      .opacity(0.13);
    this.label(text, x, y + 50, { face: 'bold', size: 150, colour: ink.text }, 'middle');
    document.restore();
  }

  #struct(tag: string, options: StructureOptions = {}): Structure {
    return this.document.struct(tag, options);
  }

  #addPage(): void {
    this.document.addPage();
    // Tab order by structure.
    (this.document.page.dictionary as unknown as { data: Record<string, unknown> }).data['Tabs'] = 'S';
    this.#y = page.top;
  }

  #artifact(draw: () => void): void {
    this.document.markContent('Artifact', { type: 'Layout' });
    draw();
    this.document.endMarkedContent();
  }

  #rule(x: number, y: number, width: number, colour: string): void {
    this.document
      .lineWidth(0.5)
      .strokeColor(colour)
      .moveTo(x, y)
      .lineTo(x + width, y)
      .stroke();
  }

  #bookmarkParent: PDFKit.PDFOutline | null = null;

  #bookmark(level: 2 | 3, text: string): void {
    const short = text.length > 80 ? `${text.slice(0, 79)}…` : text;
    if (level === 2 || !this.#bookmarkParent) this.#bookmarkParent = this.document.outline.addItem(short);
    else this.#bookmarkParent.addItem(short);
  }

  /** Lines of one element over as many pages as they need. */
  #flow(tag: string, lines: readonly Line[], indent = 0, bar: string | null = null): void {
    const element = this.#struct(tag);
    this.#section.add(element);
    for (let index = 0; index < lines.length;) {
      this.need(lineHeight(lines[index].style));
      const top = this.#y;
      const first = index;
      while (index < lines.length && (index === first || this.room >= lineHeight(lines[index].style))) {
        this.#y += lineHeight(lines[index++].style);
      }
      element.add(() => {
        let y = top;
        for (const line of lines.slice(first, index)) {
          const x = line.rightToLeft ? page.left + contentWidth - line.width : page.left + indent;
          this.type.draw(line, x, y + baselineShare * line.style.size);
          y += lineHeight(line.style);
        }
      });
      if (bar !== null) {
        const height = this.#y - top;
        this.#artifact(() => this.document.rect(page.left, top - 1, 3, height + 2).fill(bar));
      }
    }
    element.end();
  }

  #table(
    columns: readonly Column[],
    rows: readonly (readonly Cell[])[],
    style: TextStyle,
    named: boolean,
    dense = named,
  ): void {
    const padding = dense ? 1.2 : 2.4;
    const between = 8;
    const fixed = columns.reduce((sum, { width }) => sum + width, 0) + between * (columns.length - 1);
    const widths = columns.map(({ width }) => (width === 0 ? contentWidth - fixed : width));
    const lefts = widths.map(
      (_, index) => page.left + widths.slice(0, index).reduce((sum, width) => sum + width + between, 0),
    );
    const laidOut = (cell: Cell, index: number, own: TextStyle): Line[] => {
      const parts = typeof cell === 'string' ? [{ text: cell, style: own }] : Array.isArray(cell) ? cell : [cell];
      return parts.flatMap(({ text, style: of, written }) =>
        this.type.lines(text, of, widths[index], written ? 'auto' : 'ltr'),
      );
    };
    const drawCell = (lines: readonly Line[], index: number, top: number): void => {
      let y = top;
      for (const line of lines) {
        const atRight = columns[index].align === 'right' || line.rightToLeft;
        const x = atRight ? lefts[index] + widths[index] - line.width : lefts[index];
        this.type.draw(line, x, y + baselineShare * line.style.size);
        y += lineHeight(line.style);
      }
    };
    const heightOf = (lines: readonly Line[]): number => lines.reduce((sum, line) => sum + lineHeight(line.style), 0);

    const headers = columns.map(({ title }, index) => laidOut(title, index, { ...style, face: 'bold' }));
    const headerHeight = named ? 0 : Math.max(...headers.map(heightOf)) + 2 * padding;
    const ruleBelow = (): void => this.#artifact(() => this.#rule(page.left, this.#y, contentWidth, ink.line));
    const drawHeader = (): void => headers.forEach((lines, index) => drawCell(lines, index, this.#y + padding));

    const table = this.#struct('Table');
    this.#section.add(table);
    if (!named) {
      this.need(headerHeight + 3 * lineHeight(style));
      const row = this.#struct('TR');
      table.add(row);
      headers.forEach((lines, index) => {
        const cell = this.#struct('TH', { scope: 'Column' });
        row.add(cell);
        cell.add(() => drawCell(lines, index, this.#y + padding));
        cell.end();
      });
      row.end();
      this.#y += headerHeight;
      ruleBelow();
    }
    const continueOnNewPage = (): void => {
      this.#addPage();
      if (named) return;
      this.#artifact(drawHeader);
      this.#y += headerHeight;
      ruleBelow();
    };
    for (const cells of rows) {
      let rest = cells.map((cell, index) => laidOut(cell, index, style));
      const wanted = Math.max(...rest.map(heightOf)) + 2 * padding;
      const wholePage = bodyBottom - page.top - headerHeight;
      if (wanted > this.room && (wanted <= 0.4 * wholePage || this.room < 60)) continueOnNewPage();
      const row = this.#struct('TR');
      table.add(row);
      const elements = cells.map((_, index) => {
        const element = named && index === 0 ? this.#struct('TH', { scope: 'Row' }) : this.#struct('TD');
        row.add(element);
        return element;
      });
      for (let first = true; first || rest.some((lines) => lines.length > 0); first = false) {
        if (!first) continueOnNewPage();
        const room = this.room - 2 * padding;
        const now = rest.map((lines) => {
          let height = 0;
          return lines.filter((line) => (height += lineHeight(line.style)) <= room || wanted <= this.room);
        });
        const top = this.#y + padding;
        now.forEach((lines, index) => {
          if (lines.length > 0) elements[index].add(() => drawCell(lines, index, top));
        });
        rest = rest.map((lines, index) => lines.slice(now[index].length));
        this.#y = top + Math.max(...now.map(heightOf)) + padding;
      }
      for (const element of elements) element.end();
      row.end();
      if (!dense) this.#artifact(() => this.#rule(page.left, this.#y, contentWidth, '#e4e4e8'));
    }
    table.end();
  }
}
