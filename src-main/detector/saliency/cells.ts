/** Cells into which a window's sound is divided, in time and in frequency: what saliency is reported of. */
import { hzToMel, melToHz } from '../../../src-common/mel-scale.ts';

const columnSeconds = 0.2;
const bandCount = 8;

/** Cell (row, column) has the number row · columns + column; rows ascend in frequency. */
export interface CellGrid {
  columns: number;
  rows: number;
  columnSeconds: number;
  /** Edges of the rows, [rows + 1]; the lowest row holds also what lies below, the highest what lies above. */
  edgesHz: number[];
}

/**
 * Columns of about 0.2 s, all alike, and eight bands of the same width in Mel.
 * @param seconds of sound in the window, repetitions not counted
 */
export function cellGrid(seconds: number, bandHz: readonly [number, number]): CellGrid {
  const columns = Math.max(1, Math.round(seconds / columnSeconds));
  const [low, high] = bandHz.map((hz) => hzToMel(hz, 'htk'));
  const edgesHz = Array.from({ length: bandCount + 1 }, (_, edge) =>
    melToHz(low + ((high - low) * edge) / bandCount, 'htk'),
  );
  return { columns, rows: bandCount, columnSeconds: seconds / columns, edgesHz };
}

export function cellCount({ columns, rows }: CellGrid): number {
  return columns * rows;
}

/** The row in which a frequency lies. */
export function rowOf({ rows, edgesHz }: CellGrid, hz: number): number {
  let row = 0;
  while (row < rows - 1 && hz >= edgesHz[row + 1]) row++;
  return row;
}

/** The column in which a time of the window lies, in seconds; a window that sound was repeated to fill has it several times. */
export function columnOf({ columns, columnSeconds: length }: CellGrid, seconds: number): number {
  const within = seconds % (columns * length);
  return Math.min(columns - 1, Math.floor(within / length));
}

/** The masks of each cell alone, and of each column over all bands. */
export function singleMasks(grid: CellGrid): { cells: Uint8Array[]; strips: Uint8Array[] } {
  const count = cellCount(grid);
  const cells = Array.from({ length: count }, (_, cell) => {
    const mask = new Uint8Array(count);
    mask[cell] = 1;
    return mask;
  });
  const strips = Array.from({ length: grid.columns }, (_, column) =>
    Uint8Array.from({ length: count }, (_, cell) => (cell % grid.columns === column ? 1 : 0)),
  );
  return { cells, strips };
}
