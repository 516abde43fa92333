/** A report as a document for a word processor (DOCX): real headings, tables and captions, its figures as pictures. */
import {
  AlignmentType,
  BorderStyle,
  Document,
  Footer,
  Header,
  ImageRun,
  LineRuleType,
  Packer,
  PageNumber,
  Paragraph,
  Tab,
  Table,
  TableCell,
  TableLayoutType,
  TableRow,
  TabStopType,
  TextRun,
  WidthType,
} from 'docx';
import type {
  FileChild,
  IBorderOptions,
  IContext,
  IXmlableObject,
  IParagraphOptions,
  IRunOptions,
  ITableLookOptions,
} from 'docx';
import { TextWatermark } from 'docx/watermarks';
import { Resvg } from '@resvg/resvg-js';
import type { PicturePen } from '../../../src-common/plots/draw.ts';
import { escapeXml, svgDocument } from '../../../src-common/plots/svg.ts';
import { noBreak } from '../../../src-common/numbers.ts';
import { codePointText, visibleName } from '../../../src-common/visible-text.ts';
import { fixTimes } from '../../base/zip.ts';
import { bundledFonts } from '../../sound/spectrogram-image.ts';
import { imageAsIs } from '../open-image.ts';
import { directionOf, linesOf } from './direction.ts';
import { withFallbackFiles } from './fonts.ts';
import type { FontFamily } from './fonts.ts';
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
import type { Cell, Column, DocumentInformation, Letterhead, Part, RunningText, Sheet } from './sheet.ts';
import { spaceInQuantity } from './typesetter.ts';
import type { TextStyle } from './typesetter.ts';

/** Fonts that word processors have or know how to stand in for. */
const fontNames: Record<FontFamily, string> = { sans: 'Arial', serif: 'Times New Roman' };
const monoFont = 'Courier New';
/** What texts of figures are set in, of the fonts that come with the program. */
const pictureFonts = {
  sans: ['DejaVu Sans', ['DejaVuSansCondensed.ttf', 'DejaVuSansCondensed-Bold.ttf']],
  serif: ['DejaVu Serif', ['DejaVuSerifCondensed.ttf', 'DejaVuSerifCondensed-Bold.ttf']],
} as const satisfies Record<FontFamily, [string, string[]]>;
/** Pixels of a figure for each point of its width. */
const pixelsPerPoint = 3;
/** Rows with more letters than these may go on on the next page. */
const mostLettersKept = 1200;
/** Line feed below tables, so that two of them do not become one. */
const belowTable = 6;

const headingNames = ['Heading1', 'Heading2', 'Heading3', 'Heading4'] as const;
/** Above and below headings, in points. */
const headingRoom = [
  [0, 4],
  [16, 7],
  [12, 3],
  [7, 2],
] as const;

const twips = (points: number): number => Math.round(20 * points);
/** Half points. */
const sizeOf = (points: number): number => Math.round(2 * points);
const colourOf = (hex: string): string => hex.slice(1).toUpperCase();
const none: IBorderOptions = { style: BorderStyle.NONE };
const noBorders = { top: none, bottom: none, left: none, right: none } as const;
const ruled = (colour: string): IBorderOptions => ({ style: BorderStyle.SINGLE, size: 4, color: colourOf(colour) });

type Direction = 'ltr' | 'auto';

/** One line as a word processor may hold it: nothing hidden, nothing that XML forbids. */
function visible(line: string): string {
  return visibleName(line.replaceAll('\t', '    ')).replace(/[\ufffe\uffff]/g, codePointText);
}

/**
 * A document of A4 pages that whoever has it can change; the same bytes for the same content.
 * Places on pages are the word processor's: what is kept together is marked as such.
 */
export class WordSheet implements Sheet {
  readonly editable = true;
  readonly #information: DocumentInformation;
  readonly #children: FileChild[] = [];
  #pictures = 0;
  /** Of the next paragraph. */
  #breaks = false;
  #above = 0;

  constructor(information: DocumentInformation) {
    this.#information = information;
  }

  need(): void {
    // Word processors break pages themselves.
  }

  gap(height: number): void {
    this.#above += height;
  }

  breakPage(): void {
    this.#breaks = true;
  }

  heading(level: 1 | 2 | 3 | 4, text: string): void {
    this.#add(text, headingStyles[level - 1], 'ltr', {
      style: headingNames[level - 1],
      after: headingRoom[level - 1][1],
    });
  }

  paragraph(
    text: string,
    style: TextStyle = styles.regular,
    options: { after?: number; written?: boolean; keep?: boolean } = {},
  ): void {
    const { after = 4, written = false, keep = false } = options;
    this.#add(text, style, written ? 'auto' : 'ltr', { after, ...(keep ? { keepNext: true } : {}) });
  }

  notice(title: string, text: string, colour: string): void {
    const bar: IBorderOptions = { style: BorderStyle.SINGLE, size: 24, space: 6, color: colourOf(colour) };
    const look = { indent: { left: twips(12) }, border: { left: bar } };
    if (title !== '') this.#add(title, { ...styles.bold, colour }, 'ltr', { ...look, after: 0, keepNext: true });
    this.#add(text, styles.regular, 'ltr', { ...look, after: 6 });
  }

  pairs(
    rows: readonly (readonly [string, Cell])[],
    { nameWidth = usualNameWidth, ruled: withRules = false }: { nameWidth?: number; ruled?: boolean } = {},
  ): void {
    const columns = [
      { title: '', width: nameWidth },
      { title: '', width: 0 },
    ];
    const named = rows.map(([name, value]): Cell[] => [
      { text: name, style: withRules ? styles.bold : styles.dim },
      value,
    ]);
    this.#table(columns, named, { style: styles.regular, dense: !withRules, look: { firstColumn: true } });
  }

  table(
    columns: readonly Column[],
    rows: readonly (readonly Cell[])[],
    { dense = false }: { dense?: boolean } = {},
  ): void {
    this.#table(columns, rows, { style: styles.small, dense, look: { firstRow: true } });
  }

  figure(
    { width, height }: { width: number; height: number },
    { alternative, caption }: { alternative: string; caption: string },
    draw: (pen: PicturePen) => void,
  ): void {
    const svg = svgDocument({ width, height, title: alternative }, draw);
    const [family, files] = pictureFonts[this.#information.family];
    const fitTo = { mode: 'width' as const, value: Math.round(pixelsPerPoint * contentWidth) };
    const usual = bundledFonts(family, files);
    const png = withFallbackFiles(svg, (more) => {
      const font = { ...usual, fontFiles: [...usual.fontFiles, ...more] };
      return new Resvg(svg, { font, fitTo, background: '#ffffff' }).render().asPng();
    });
    const size = { width: contentWidth, height: (height * contentWidth) / width };
    const children = [this.#picture(png, 'png', size, alternative)];
    this.#children.push(new Paragraph({ ...this.#begun(0), children, keepNext: true }));
    this.#add(caption, styles.smallDim, 'ltr', { style: 'Caption', keepLines: true, after: 7 });
  }

  letterhead(pictures: readonly [Letterhead | null, Letterhead | null]): void {
    if (pictures.every((picture) => picture === null)) return;
    const half = contentWidth / 2;
    const cells = pictures.map((picture, index) => {
      const alignment = index === 0 ? AlignmentType.LEFT : AlignmentType.RIGHT;
      const children = picture === null ? [] : [this.#letterhead(picture)];
      return this.#cell([new Paragraph({ alignment, children })], half);
    });
    this.#place(new Table({ ...frameless([half, half]), rows: [new TableRow({ children: cells, cantSplit: true })] }));
  }

  /** @returns the document */
  async finish(running: RunningText): Promise<Buffer> {
    const { title, author, application, issuedAt, family } = this.#information;
    const base = styles.regular;
    const heading = (level: number) => ({
      run: { ...this.#look(headingStyles[level], true), bold: true },
      paragraph: {
        spacing: { before: twips(headingRoom[level][0]), after: twips(headingRoom[level][1]) },
        keepNext: true,
        keepLines: true,
        ...(level === 1 ? { border: { bottom: { ...ruled(ink.line), space: 2 } } } : {}),
      },
    });
    const document = new Document({
      styles: {
        default: {
          document: {
            run: {
              font: fontOf(fontNames[family]),
              ...{ size: sizeOf(base.size), color: colourOf(base.colour) },
              language: { value: 'en-GB' },
            },
            paragraph: { spacing: { line: 264, lineRule: LineRuleType.AUTO } },
          },
          heading1: heading(0),
          heading2: heading(1),
          heading3: heading(2),
          heading4: heading(3),
          caption: { run: this.#look(styles.smallDim, true) },
        },
      },
      sections: [
        {
          properties: {
            page: {
              size: { width: twips(page.width), height: twips(page.height) },
              margin: {
                ...{
                  top: twips(page.top),
                  bottom: twips(page.bottom),
                  left: twips(page.left),
                  right: twips(page.right),
                },
                ...{ header: twips(34), footer: twips(30) },
              },
            },
          },
          headers: { default: this.#header(running) },
          footers: { default: this.#footer(running) },
          children: this.#children,
        },
      ],
    });
    const core = corePropertiesXml({ title, author, application, description: running.footer, at: issuedAt });
    const bytes = await Packer.toBuffer(document, undefined, [{ path: 'docProps/core.xml', data: core }]);
    fixTimes(bytes);
    return bytes;
  }

  #header({ headerLeft, headerRight, across }: RunningText): Header {
    const left = this.#runs(headerLeft, styles.smallBold, 'ltr');
    const right = this.#runs(headerRight, styles.smallDim, 'ltr');
    const mark = across === '' ? [] : [new Mark({ text: across, font: fontNames[this.#information.family] })];
    const border = { bottom: { ...ruled(ink.line), space: 4 } };
    return new Header({
      children: [new Paragraph({ ...atBothSides, border, children: [...left, tab(), ...right, ...mark] })],
    });
  }

  #footer({ footer, subfooter }: RunningText): Footer {
    const number = new TextRun({
      ...this.#look(styles.smallDim),
      children: ['Page ', PageNumber.CURRENT, ' of ', PageNumber.TOTAL_PAGES],
    });
    const left = this.#runs(footer, styles.smallBold, 'ltr');
    const border = { top: { ...ruled(ink.line), space: 4 } };
    const first = new Paragraph({ ...atBothSides, border, children: [...left, tab(), number] });
    const below = subfooter === '' ? [] : [new Paragraph({ children: this.#runs(subfooter, styles.smallDim, 'ltr') })];
    return new Footer({ children: [first, ...below] });
  }

  /** Adds a paragraph. */
  #add(
    text: string,
    style: TextStyle,
    direction: Direction,
    { after, ...how }: Omit<IParagraphOptions, 'children' | 'spacing'> & { after: number },
  ): void {
    // What a style of the document says need not be said again.
    const own = how.style === undefined ? style : null;
    this.#children.push(this.#paragraph(text, own, direction, { ...this.#begun(after), ...how }));
  }

  #paragraph(
    text: string,
    style: TextStyle | null,
    direction: Direction,
    how: Omit<IParagraphOptions, 'children'> = {},
  ): Paragraph {
    const rightToLeft = directionOf(visible(linesOf(text)[0]), direction).rightToLeft;
    return new Paragraph({
      ...how,
      ...(rightToLeft ? { bidirectional: true } : {}),
      children: this.#runs(text, style, direction),
    });
  }

  /** What the next paragraph has of what was said before it. */
  #begun(after: number): Pick<IParagraphOptions, 'spacing' | 'pageBreakBefore'> {
    const above = this.#above;
    const breaks = this.#breaks;
    [this.#above, this.#breaks] = [0, false];
    return {
      spacing: { ...(above > 0 ? { before: twips(above) } : {}), after: twips(after) },
      ...(breaks ? { pageBreakBefore: true } : {}),
    };
  }

  #runs(text: string, style: TextStyle | null, direction: Direction): TextRun[] {
    const look = style === null ? {} : this.#look(style);
    return linesOf(text).flatMap((source, index) => {
      const line = visible(source).replaceAll(spaceInQuantity, noBreak);
      const { levels } = directionOf(line, direction);
      return stretchesOf(line, levels).map(
        ({ text: part, rightToLeft }, at) =>
          new TextRun({
            ...look,
            text: part,
            ...(rightToLeft ? { rightToLeft } : {}),
            ...(index > 0 && at === 0 ? { break: 1 } : {}),
          }),
      );
    });
  }

  /** What a style has beyond the usual one of the document. @param whole all of it */
  #look({ face, size, colour }: TextStyle, whole = false): IRunOptions {
    const base = styles.regular;
    return {
      ...(face === 'mono' ? { font: fontOf(monoFont) } : {}),
      ...(face === 'bold' ? { bold: true } : {}),
      // A half point more, and a hash would not fit its column.
      ...(whole || size !== base.size ? { size: face === 'mono' ? Math.floor(2 * size) : sizeOf(size) } : {}),
      ...(whole || colour !== base.colour ? { color: colourOf(colour) } : {}),
      ...(whole ? { italics: false } : {}),
    };
  }

  #table(
    columns: readonly Column[],
    rows: readonly (readonly Cell[])[],
    { style, dense, look }: { style: TextStyle; dense: boolean; look: ITableLookOptions },
  ): void {
    const between = columns.length - 1;
    const widths = columnWidths(columns).map((width, index) => (index < between ? width + columnGap : width));
    const padding = dense ? 1.2 : 2.4;
    const cellOf = (cell: Cell, index: number, own: TextStyle, rule: string | null): TableCell => {
      const paragraphs = partsOf(cell, own).map(({ text, style: of, written }: Part) =>
        this.#paragraph(text, of, written ? 'auto' : 'ltr', {
          ...(columns[index].align === 'right' ? { alignment: AlignmentType.RIGHT } : {}),
        }),
      );
      return this.#cell(paragraphs.length > 0 ? paragraphs : [new Paragraph({})], widths[index], {
        padding,
        right: index < between ? columnGap : 0,
        rule,
      });
    };
    const bold: TextStyle = { ...style, face: 'bold' };
    const header = columns.every(({ title }) => title === '')
      ? []
      : [
          new TableRow({
            children: columns.map(({ title }, index) => cellOf(title, index, bold, ink.line)),
            tableHeader: true,
            cantSplit: true,
            keepNext: true,
          }),
        ];
    const body = rows.map(
      (cells, row) =>
        new TableRow({
          children: cells.map((cell, index) => cellOf(cell, index, style, dense ? null : ink.pale)),
          cantSplit: lettersOf(cells) <= mostLettersKept,
          // A heading is not left behind with one row.
          keepNext: row < Math.min(2, rows.length - 1),
        }),
    );
    this.#place(new Table({ ...frameless(widths), tableLook: look, rows: [...header, ...body] }));
  }

  #place(table: Table): void {
    this.#children.push(table, new Paragraph({ spacing: { line: twips(belowTable), lineRule: LineRuleType.EXACT } }));
  }

  #cell(
    children: Paragraph[],
    width: number,
    { padding = 0, right = 0, rule = null }: { padding?: number; right?: number; rule?: string | null } = {},
  ): TableCell {
    return new TableCell({
      children,
      width: { size: twips(width), type: WidthType.DXA },
      margins: {
        ...{ top: twips(padding), bottom: twips(padding), left: 0, right: twips(right) },
        marginUnitType: WidthType.DXA,
      },
      borders: rule === null ? noBorders : { ...noBorders, bottom: ruled(rule) },
    });
  }

  #letterhead({ bytes, alternative }: Letterhead): ImageRun {
    const { width, height } = imageAsIs(bytes);
    const scale = Math.min(letterheadBox.width / width, letterheadBox.height / height);
    const type = bytes[0] === 0xff ? 'jpg' : 'png';
    return this.#picture(bytes, type, { width: width * scale, height: height * scale }, alternative);
  }

  /** @param size in points */
  #picture(data: Buffer, type: 'png' | 'jpg', size: { width: number; height: number }, alternative: string): ImageRun {
    const id = String(++this.#pictures);
    const [width, height] = [size.width, size.height].map((points) => (points * 96) / 72);
    const altText = { id, name: `Picture ${id}`, description: visible(alternative) };
    return new ImageRun({ type, data, transformation: { width, height }, altText });
  }
}

/** Across a page; word processors know it for a watermark by what its name begins with, to which the library adds letters by chance. */
class Mark extends TextWatermark {
  override prepForXml(context: IContext): IXmlableObject | undefined {
    const text = JSON.stringify(super.prepForXml(context));
    return JSON.parse(text.replaceAll(/(PowerPlusWaterMarkObject)[\w-]*/g, '$11')) as IXmlableObject;
  }
}

const atBothSides = {
  tabStops: [{ type: TabStopType.RIGHT, position: twips(contentWidth) }],
} as const;

const tab = (): TextRun => new TextRun({ children: [new Tab()] });

function fontOf(name: string): { ascii: string; hAnsi: string; cs: string } {
  return { ascii: name, hAnsi: name, cs: name };
}

/** A table without lines of its own. @param widths of its columns, in points */
function frameless(widths: readonly number[]) {
  return {
    width: { size: twips(widths.reduce((sum, width) => sum + width, 0)), type: WidthType.DXA },
    columnWidths: widths.map(twips),
    layout: TableLayoutType.FIXED,
    borders: { ...noBorders, insideHorizontal: none, insideVertical: none },
  };
}

function lettersOf(cells: readonly Cell[]): number {
  const parts = cells.flatMap((cell) => partsOf(cell, styles.regular));
  return parts.reduce((sum, { text }) => sum + text.length, 0);
}

/** Parts of a line that are read from one side each. */
function stretchesOf(line: string, levels: Uint8Array | null): { text: string; rightToLeft: boolean }[] {
  if (levels === null) return [{ text: line, rightToLeft: false }];
  const stretches: { text: string; rightToLeft: boolean }[] = [];
  for (let from = 0; from < line.length;) {
    const rightToLeft = levels[from] % 2 === 1;
    let to = from + 1;
    while (to < line.length && (levels[to] % 2 === 1) === rightToLeft) to++;
    stretches.push({ text: line.slice(from, to), rightToLeft });
    from = to;
  }
  return stretches;
}

/** The library writes the time at which it packs. */
function corePropertiesXml(core: {
  title: string;
  author: string;
  application: string;
  description: string;
  at: Date;
}): string {
  const [title, author, application, description] = [core.title, core.author, core.application, core.description].map(
    (text) => escapeXml(visible(text)),
  );
  const time = `xsi:type="dcterms:W3CDTF">${core.at.toISOString().slice(0, 19)}Z`;
  return `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:dcmitype="http://purl.org/dc/dcmitype/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>${title}</dc:title><dc:creator>${author}</dc:creator><dc:description>${description}</dc:description><cp:keywords>${application}</cp:keywords><cp:lastModifiedBy>${author}</cp:lastModifiedBy><cp:revision>1</cp:revision><dcterms:created ${time}</dcterms:created><dcterms:modified ${time}</dcterms:modified><dc:language>en-GB</dc:language></cp:coreProperties>`;
}
