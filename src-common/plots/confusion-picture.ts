/** The confusion matrix as a picture of its own. */
import { axisNumber, formatCount, formatPercent } from '../numbers.ts';
import type { Confusion } from './confusion.ts';
import { corners, fitText, type TextStyle } from './draw.ts';
import type { Shown } from './evaluation.ts';
import { svgDocument } from './svg.ts';
import { evaluationTexts as texts } from './texts.ts';
import { printTheme } from './theme.ts';

type Counts = Pick<
  Confusion,
  'threshold' | 'bonafideAccepted' | 'bonafideRejected' | 'spoofAccepted' | 'spoofRejected'
>;

/** The four counts at a threshold with their shares of the true class, as an SVG document. */
export function confusionPicture({ results, data }: Shown, counts: Counts): string {
  const { text: ink, dim, accent, inconclusive, pane } = printTheme;
  const [left, top, cellWidth, cellHeight] = [150, 112, 220, 100];
  const [width, height] = [640, top + 2 * cellHeight + 44];
  const right = counts.bonafideAccepted + counts.spoofRejected;
  const rows = [
    [counts.bonafideAccepted, counts.bonafideRejected],
    [counts.spoofAccepted, counts.spoofRejected],
  ];
  const all = rows.flat().reduce((sum, count) => sum + count, 0);
  const subject = texts.subject(results.map(({ name }) => name).join(', '), data);
  const middle: TextStyle = { size: 12, fill: ink, anchor: 'middle' };
  return svgDocument({ width, height, title: `${texts.confusion}: ${subject}` }, (pen) => {
    pen.polygon(corners({ left: 0, top: 0, width, height }), { fill: pane, opacity: 1 });
    pen.text(40, 26, texts.confusion, { size: 14, fill: ink, bold: true });
    pen.text(40, 45, fitText(subject, width - 60, 11), { size: 11, fill: dim });
    const [heading, ...columns] = texts.takenFor;
    pen.text(left + cellWidth, top - 30, heading, { ...middle, fill: dim });
    columns.forEach((name, column) => pen.text(left + (column + 0.5) * cellWidth, top - 10, name, middle));
    rows.forEach((row, index) => {
      const ofClass = row[0] + row[1];
      const y = top + index * cellHeight;
      pen.text(left - 12, y + 50, texts.classes[index], { ...middle, anchor: 'end' });
      pen.text(left - 12, y + 66, formatCount(ofClass), { size: 11, fill: dim, anchor: 'end' });
      row.forEach((count, column) => {
        const x = left + column * cellWidth;
        const box = corners({ left: x, top: y, width: cellWidth, height: cellHeight });
        const opacity = 0.06 + (0.34 * count) / ofClass;
        pen.polygon(box, { fill: column === index ? accent : inconclusive, opacity });
        pen.line([...box, box[0]], { stroke: pane, width: 1 });
        pen.text(x + cellWidth / 2, y + 50, formatCount(count), { ...middle, size: 20 });
        pen.text(x + cellWidth / 2, y + 72, texts.ofThem(formatPercent(count / ofClass)), middle);
      });
    });
    const decided = texts.decided(axisNumber(counts.threshold), formatPercent(right / all));
    pen.text(left, top + 2 * cellHeight + 26, decided, { size: 12, fill: ink });
  });
}
