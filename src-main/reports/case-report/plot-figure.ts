/** Plots of the shared builders as figures of a report. */
import { drawPlot, pictureSize } from '../../../src-common/plots/draw.ts';
import type { Plot } from '../../../src-common/plots/plot.ts';
import type { Sheet } from './sheet.ts';

/** Height of the axes, of a picture 720 wide. */
const axesHeight = 190;

/** Draws a plot with its caption, which holds what a note below it would say. */
export function plotFigure(sheet: Sheet, plot: Plot, texts: { alternative: string; caption: string }): void {
  const { note: _, ...shown } = { ...plot, height: axesHeight };
  const { width, height } = pictureSize(shown);
  sheet.figure({ width, height: height + 6 }, texts, (pen) => drawPlot(shown, pen));
}
