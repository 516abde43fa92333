/** Pages of a report: flowing text, tables and pictures set as tagged PDF. */
import PDFDocument from 'pdfkit';
import type {
  FillStyle,
  Frame,
  LineStyle,
  PicturePen,
  TextStyle as LabelStyle,
} from '../../../src-common/plots/draw.ts';
import type { Point } from '../../../src-common/plots/plot.ts';
import { openImage } from '../open-image.ts';
import {
  columnGap,
  columnWidths,
  contentWidth,
  headingStyles,
  ink,
  letterheadBox,
  page,
  partsOf,
  styles,
  usualNameWidth,
} from './sheet.ts';
import type { Cell, Column, DocumentInformation, Letterhead, RunningText, Sheet } from './sheet.ts';
import { Typesetter } from './typesetter.ts';
import type { Line, TextStyle } from './typesetter.ts';

const bodyBottom = page.height - page.bottom;

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
export class PdfSheet implements Sheet {
  readonly editable = false;
  readonly document: PDFKit.PDFDocument;
  readonly #type: Typesetter;
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
    this.#type = new Typesetter(document, information.family);
    this.#addPage();
    this.#root = this.#struct('Document');
    document.addStructure(this.#root);
    this.#section = this.#root;
  }

  /** Points left on the page. */
  get room(): number {
    return bodyBottom - this.#y;
  }

  need(height: number): void {
    if (this.room < height && this.#y > page.top) this.#addPage();
  }

  gap(height: number): void {
    this.#y += height;
  }

  heading(level: 1 | 2 | 3 | 4, text: string): void {
    const style = headingStyles[level - 1];
    const lines = this.#type.lines(text, style, contentWidth);
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
    options: { after?: number; written?: boolean; keep?: boolean } = {},
  ): void {
    const { after = 4, written = false, keep = false } = options;
    const lines = this.#type.lines(text, style, contentWidth, written ? 'auto' : 'ltr');
    if (keep) this.need(lines.length * lineHeight(style) + after + 3 * lineHeight(styles.regular));
    this.#flow('P', lines);
    this.#y += after;
  }

  notice(title: string, text: string, colour: string): void {
    const lines = [
      ...(title === '' ? [] : this.#type.lines(title, { ...styles.bold, colour }, contentWidth - 14)),
      ...this.#type.lines(text, styles.regular, contentWidth - 14),
    ];
    this.need(Math.min(lines.length, 4) * lineHeight(styles.regular) + 6);
    this.#y += 3;
    this.#flow('P', lines, 12, colour);
    this.#y += 6;
  }

  breakPage(): void {
    if (this.#y > page.top) this.#addPage();
  }

  pairs(
    rows: readonly (readonly [string, Cell])[],
    { nameWidth = usualNameWidth, ruled = false }: { nameWidth?: number; ruled?: boolean } = {},
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

  table(columns: readonly Column[], rows: readonly (readonly Cell[])[], options: { dense?: boolean } = {}): void {
    this.#table(columns, rows, styles.small, false, options.dense);
    this.#y += 6;
  }

  figure(
    { width, height }: { width: number; height: number },
    texts: { alternative: string; caption: string },
    draw: (pen: PicturePen) => void,
  ): void {
    const { alternative, caption } = texts;
    const { document } = this;
    const scale = contentWidth / width;
    const tall = height * scale;
    const captionLines = this.#type.lines(caption, styles.smallDim, contentWidth);
    this.need(tall + captionLines.length * lineHeight(styles.smallDim));
    const top = this.#y;
    const bbox = [page.left, top, page.left + contentWidth, top + tall];
    const element = this.#struct('Figure', { alt: alternative, bbox });
    this.#section.add(element);
    element.add(() => {
      document.save().translate(page.left, top).scale(scale);
      draw(new PdfPen(document, this.#type));
      document.restore();
    });
    element.end();
    this.#y += tall;
    this.#flow('Caption', captionLines);
    this.#y += 7;
  }

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
    const [document, type] = [this.document, this.#type];
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
    label(this.#type, text, [x, y + 50], { face: 'bold', size: 150, colour: ink.text }, 'middle');
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
          this.#type.draw(line, x, y + baselineShare * line.style.size);
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
    const widths = columnWidths(columns);
    const lefts = widths.map(
      (_, index) => page.left + widths.slice(0, index).reduce((sum, width) => sum + width + columnGap, 0),
    );
    const laidOut = (cell: Cell, index: number, own: TextStyle): Line[] =>
      partsOf(cell, own).flatMap(({ text, style: of, written }) =>
        this.#type.lines(text, of, widths[index], written ? 'auto' : 'ltr'),
      );
    const drawCell = (lines: readonly Line[], index: number, top: number): void => {
      let y = top;
      for (const line of lines) {
        const atRight = columns[index].align === 'right' || line.rightToLeft;
        const x = atRight ? lefts[index] + widths[index] - line.width : lefts[index];
        this.#type.draw(line, x, y + baselineShare * line.style.size);
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
      // With the first row, unless that is one to be broken.
      const first = Math.max(0, ...(rows.at(0) ?? []).map((cell, index) => heightOf(laidOut(cell, index, style))));
      const kept = first > 0.3 * (bodyBottom - page.top) ? 0 : first + 2 * padding;
      this.need(headerHeight + Math.max(kept, 3 * lineHeight(style)));
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
      if (!dense) this.#artifact(() => this.#rule(page.left, this.#y, contentWidth, ink.pale));
    }
    table.end();
  }
}

/** Draws a short text on one line, beginning, centred or ending at a place. */
function label(
  type: Typesetter,
  text: string,
  [x, baseline]: Point,
  style: TextStyle,
  anchor: keyof typeof anchors,
): void {
  const [line] = type.lines(text, style, Infinity);
  type.draw(line, x - anchors[anchor] * line.width, baseline);
}

/** Shares of a text's width before its place. */
const anchors = { start: 0, middle: 0.5, end: 1 } as const;

class PdfPen implements PicturePen {
  readonly #document: PDFKit.PDFDocument;
  readonly #type: Typesetter;

  constructor(document: PDFKit.PDFDocument, type: Typesetter) {
    this.#document = document;
    this.#type = type;
  }

  #path(points: readonly Point[]): void {
    points.forEach(([x, y], index) => (index === 0 ? this.#document.moveTo(x, y) : this.#document.lineTo(x, y)));
  }

  line(points: readonly Point[], { stroke, width, dash }: LineStyle): void {
    if (points.length === 0) return;
    this.#document.save().lineWidth(width).lineJoin('round');
    if (dash) this.#document.dash(dash[0], { space: dash[1] });
    this.#path(points);
    this.#document.stroke(stroke).restore();
  }

  polygon(points: readonly Point[], { fill, opacity }: FillStyle): void {
    if (points.length === 0) return;
    this.#document.save();
    this.#path(points);
    this.#document.closePath().fillOpacity(opacity).fill(fill).restore();
  }

  text(x: number, y: number, text: string, { size, fill, bold, anchor = 'start', upright }: LabelStyle): void {
    this.#document.save();
    if (upright) this.#document.rotate(-90, { origin: [x, y] });
    label(this.#type, text, [x, y], { ...(bold ? styles.bold : styles.regular), size, colour: fill }, anchor);
    this.#document.restore();
  }

  clipped({ left, top, width, height }: Frame, draw: () => void): void {
    this.#document.save().rect(left, top, width, height).clip();
    draw();
    this.#document.restore();
  }

  picture({ left, top, width, height }: Frame, pngBase64: string): void {
    this.#document.image(Buffer.from(pngBase64, 'base64'), left, top, { width, height });
  }
}
