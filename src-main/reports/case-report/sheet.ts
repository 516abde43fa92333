/** What a report is written on: the same content becomes a PDF (`pdf-sheet.ts`) or a document for a word processor (`word-sheet.ts`). */
import type { MarkColour } from '../../../src-common/mark-colours.ts';
import type { PicturePen } from '../../../src-common/plots/draw.ts';
import type { FontFamily } from './fonts.ts';
import type { TextStyle } from './typesetter.ts';

/** Colours of a report on white paper. */
export const ink = {
  text: '#1d1d21',
  dim: '#55555e',
  line: '#c4c4ca',
  pale: '#e4e4e8',
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

/** A4, in points. */
export const page = { width: 595.28, height: 841.89, left: 57, right: 51, top: 74, bottom: 72 } as const;
/** Width of the text in points. */
export const contentWidth = page.width - page.left - page.right;
/** Width of the first column of names with values, in points. */
export const usualNameWidth = 128;
/** Between the columns of a table, in points. */
export const columnGap = 8;
/** What a picture of a laboratory's may take at most, in points. */
export const letterheadBox = { width: 180, height: 44 } as const;

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

/** Of headings, by their level. */
export const headingStyles = [styles.title, styles.section, styles.subsection, styles.minor] as const;

/** A text in a style. */
export interface Part {
  text: string;
  style: TextStyle;
  /** What a person wrote: its first letters say from which side it is read. */
  written?: boolean;
}
/** A text in the table's own style, or several parts below one another. */
export type Cell = string | Part | Part[];

/** A cell as its parts. */
export function partsOf(cell: Cell, style: TextStyle): Part[] {
  return typeof cell === 'string' ? [{ text: cell, style }] : Array.isArray(cell) ? cell : [cell];
}

export interface Column {
  title: string;
  /** In points; one column may take what is left by 0. */
  width: number;
  align?: 'right';
}

/** Widths of columns in points, without what lies between them. */
export function columnWidths(columns: readonly Column[]): number[] {
  const fixed = columns.reduce((sum, { width }) => sum + width, 0) + columnGap * (columns.length - 1);
  return columns.map(({ width }) => (width === 0 ? contentWidth - fixed : width));
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

/** A picture of a laboratory's, PNG or JPEG. */
export interface Letterhead {
  bytes: Buffer;
  alternative: string;
}

/** A document that is filled from top to bottom. */
export interface Sheet {
  /** Whether whoever has it can change it; such a one holds no files, and no log vouches for it. */
  readonly editable: boolean;

  /** Begins a page where less than this is left, in points; what breaks its pages by itself takes no notice. */
  need(height: number): void;

  /** Leaves room above what follows, in points. */
  gap(height: number): void;

  /** A numbered heading; the first two levels begin a section. */
  heading(level: 1 | 2 | 3 | 4, text: string): void;

  /** @param options.after room below it, in points */
  /** `keep`: on one page with what follows. */
  paragraph(text: string, style?: TextStyle, options?: { after?: number; written?: boolean; keep?: boolean }): void;

  /** A sentence that is to be seen: with a bar at its left. */
  notice(title: string, text: string, colour: string): void;

  /** What follows begins a page. */
  breakPage(): void;

  /**
   * Names with their values.
   * @param options.nameWidth in points
   * @param options.ruled for long values: bold names, and lines between the rows
   */
  pairs(rows: readonly (readonly [string, Cell])[], options?: { nameWidth?: number; ruled?: boolean }): void;

  /**
   * A table whose header stands on every page that it reaches.
   * @param options.dense for many short rows: without lines between them
   */
  table(columns: readonly Column[], rows: readonly (readonly Cell[])[], options?: { dense?: boolean }): void;

  /**
   * A figure that is kept on one page with its caption; as wide as the text, whatever its units are.
   * @param draw draws from the left upper corner, within the size
   */
  figure(
    size: { width: number; height: number },
    texts: { alternative: string; caption: string },
    draw: (pen: PicturePen) => void,
  ): void;

  /** Pictures side by side, the first at the left and the second at the right, each within a box; `null` leaves its place empty. */
  letterhead(pictures: readonly [Letterhead | null, Letterhead | null]): void;
}
