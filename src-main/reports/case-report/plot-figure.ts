/** Plots of the shared builders as figures of a report, in lines and text. */
import { drawPlot, pictureSize } from '../../../src-common/plots/draw.ts';
import type { FillStyle, Frame, LineStyle, Pen, TextStyle } from '../../../src-common/plots/draw.ts';
import type { Plot, Point } from '../../../src-common/plots/plot.ts';
import { contentWidth, styles } from './sheet.ts';
import type { Sheet } from './sheet.ts';

/** Height of the axes, of a picture 720 wide. */
const axesHeight = 190;

/** Draws a plot with its caption, which holds what a note below it would say. */
export function plotFigure(sheet: Sheet, plot: Plot, texts: { alternative: string; caption: string }): void {
  const { note: _, ...shown } = { ...plot, height: axesHeight };
  const size = pictureSize(shown);
  const scale = contentWidth / size.width;
  sheet.figure(size.height * scale + 4, texts, (left, top) => {
    sheet.document.save().translate(left, top).scale(scale);
    drawPlot(shown, new SheetPen(sheet));
    sheet.document.restore();
  });
}

const anchors = { start: 'left', middle: 'middle', end: 'right' } as const;

class SheetPen implements Pen {
  readonly #sheet: Sheet;

  constructor(sheet: Sheet) {
    this.#sheet = sheet;
  }

  #path(points: readonly Point[]): void {
    const { document } = this.#sheet;
    points.forEach(([x, y], index) => (index === 0 ? document.moveTo(x, y) : document.lineTo(x, y)));
  }

  line(points: readonly Point[], { stroke, width, dash }: LineStyle): void {
    if (points.length === 0) return;
    const { document } = this.#sheet;
    document.save().lineWidth(width).lineJoin('round');
    if (dash) document.dash(dash[0], { space: dash[1] });
    this.#path(points);
    document.stroke(stroke).restore();
  }

  polygon(points: readonly Point[], { fill, opacity }: FillStyle): void {
    if (points.length === 0) return;
    const { document } = this.#sheet;
    document.save();
    this.#path(points);
    document.closePath().fillOpacity(opacity).fill(fill).restore();
  }

  text(x: number, y: number, text: string, { size, fill, bold, anchor = 'start', upright }: TextStyle): void {
    const { document } = this.#sheet;
    document.save();
    if (upright) document.rotate(-90, { origin: [x, y] });
    const style = { ...(bold ? styles.bold : styles.regular), size, colour: fill };
    this.#sheet.label(text, x, y, style, anchors[anchor]);
    document.restore();
  }

  clipped({ left, top, width, height }: Frame, draw: () => void): void {
    const { document } = this.#sheet;
    document.save().rect(left, top, width, height).clip();
    draw();
    document.restore();
  }
}
