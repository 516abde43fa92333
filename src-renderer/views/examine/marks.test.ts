import { describe, expect, it } from 'vitest';
import { placeMarks } from './marks.ts';

const mark = (id: number, startSeconds: number, endSeconds: number | null = null) => ({
  id,
  startSeconds,
  endSeconds,
  text: 'mark',
  inReport: true,
  createdAt: '',
  readAll: false,
  channel: null,
  category: '',
  colour: null,
});
const options = { rows: 2, textWidth: () => 50 };

describe('marks', () => {
  it('in sight are placed in time, cut at the edges', () => {
    const placed = placeMarks(
      [mark(1, 0), mark(2, 5, 15), mark(3, 12), mark(4, 18, 40), mark(5, 50)],
      { start: 10, end: 20 },
      1000,
      options,
    );
    expect(placed.map(({ mark: { id }, left, width }) => [id, left, width])).toEqual([
      [2, 0, 500],
      [3, 200, 0],
      [4, 800, 200],
    ]);
  });

  it('whose texts would overlap go into another row, and without their text where there is none', () => {
    const placed = placeMarks(
      [mark(1, 1), mark(2, 1.1), mark(3, 1.2), mark(4, 9)],
      { start: 0, end: 10 },
      100,
      options,
    );
    expect(placed.map(({ row }) => row)).toEqual([0, 1, -1, 0]);
  });
});
