/** Seconds of one side's runs of the same work. */
export interface Timing {
  best: number;
  median: number;
}

/** Runs the sides in turn, so that whatever else the machine is doing falls on all of them, and times each. */
export async function inTurn(rounds: number, sides: readonly (() => Promise<number>)[]): Promise<Timing[]> {
  const seconds: number[][] = sides.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, side] of sides.entries()) seconds[index].push(await side());
  }
  return seconds.map((runs) => {
    const sorted = runs.toSorted((one, other) => one - other);
    const middle = sorted.length / 2;
    return { best: sorted[0], median: (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2 };
  });
}

/** One line of the result. */
export interface Row {
  benchmark: string;
  unit: string;
  /** From the best run; null where it was not measured. */
  ours: number | null;
  oursMedian: number | null;
  peer: number | null;
  peerMedian: number | null;
  /** Ours over the peer's, of what is the more the better; null without a peer. */
  ratio: number | null;
  goal: string;
  /** Null where there is nothing to judge by. */
  met: boolean | null;
  note: string;
}

/** A row of rates, the more the better, from the seconds that `count` things took. */
export function rateRow(
  row: { benchmark: string; unit: string; leastRatio: number | null; note: string },
  count: number,
  ours: Timing,
  peer: Timing | undefined,
): Row {
  const ratio = peer ? peer.best / ours.best : null;
  const { benchmark, unit, leastRatio, note } = row;
  return {
    benchmark,
    unit,
    ours: count / ours.best,
    oursMedian: count / ours.median,
    peer: peer ? count / peer.best : null,
    peerMedian: peer ? count / peer.median : null,
    ratio,
    goal: leastRatio === null ? '' : `ratio >= ${leastRatio}`,
    met: leastRatio === null || ratio === null ? null : ratio >= leastRatio,
    note,
  };
}

/** A row that is judged by ours alone. */
export function ownRow(
  row: Pick<Row, 'benchmark' | 'unit' | 'goal' | 'met' | 'note'>,
  best: number,
  median: number,
): Row {
  return { ...row, ours: best, oursMedian: median, peer: null, peerMedian: null, ratio: null };
}

function figure(best: number | null, median: number | null): string {
  if (best === null || median === null) return '-';
  const digits = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
  return best === median ? digits(best) : `${digits(best)} (${digits(median)})`;
}

/** The rows as aligned text; each figure is the best run's, the median's in brackets. */
export function table(rows: readonly Row[]): string {
  const cells = [
    ['benchmark', 'unit', 'ours', 'peer', 'ratio', 'goal', 'met'],
    ...rows.map((row) => [
      row.benchmark,
      row.unit,
      figure(row.ours, row.oursMedian),
      figure(row.peer, row.peerMedian),
      row.ratio === null ? '-' : row.ratio.toFixed(2),
      row.goal === '' ? '-' : row.goal,
      row.met === null ? '-' : row.met ? 'yes' : 'NO',
    ]),
  ];
  const widths = cells[0].map((_, column) => Math.max(...cells.map((line) => line[column].length)));
  const lines = cells.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
  const notes = rows.filter(({ note }) => note !== '').map(({ benchmark, note }) => `${benchmark}: ${note}`);
  return `${[...lines, '', ...notes].join('\n')}\n`;
}
