/** The log's head as a QR code, so that it can be compared without being typed. */
import { encodeQR } from 'qr';
import { contentWidth, ink } from './sheet.ts';
import type { Sheet } from './sheet.ts';
import type { ReportSnapshot } from './snapshot.ts';

/** In points. */
const side = 86;

/** Capitals and digits alone, which make a coarser code. @returns null for what has no signed log, and for drafts, for which none vouches */
export function logCodeText({ case: details, head, vouched, draft }: ReportSnapshot): string | null {
  const key = vouched?.keys.at(0);
  if (!details || !head || key === undefined || draft === true) return null;
  return `EARWITNESS CASE:${details.id} ROWS:${head.rows} HEAD:${head.hash} KEY:${key}`.toUpperCase();
}

export function logCode(sheet: Sheet, snapshot: ReportSnapshot): void {
  const text = logCodeText(snapshot);
  if (text === null) return;
  const modules = encodeQR(text, 'raw', { ecc: 'medium', border: 2 });
  const size = side / modules.length;
  const texts = {
    alternative: `QR code that holds the text ${text}`,
    caption: 'The same for a camera: case, rows of the log, hash of its last row, key that signed it.',
  };
  sheet.figure({ width: contentWidth, height: side }, texts, (pen) => {
    modules.forEach((row, y) => {
      for (const [from, to] of runsOf(row)) {
        const [left, right, top, bottom] = [from * size, to * size, y * size, (y + 1) * size];
        const corners = [
          [left, top],
          [right, top],
          [right, bottom],
          [left, bottom],
        ] as const;
        pen.polygon(corners, { fill: ink.text, opacity: 1 });
      }
    });
  });
}

/** Where a row is dark: first module, and the one after the last. */
function runsOf(row: readonly boolean[]): [number, number][] {
  const runs: [number, number][] = [];
  row.forEach((dark, x) => {
    if (!dark) return;
    const last = runs.at(-1);
    if (last?.[1] === x) last[1] = x + 1;
    else runs.push([x, x + 1]);
  });
  return runs;
}
