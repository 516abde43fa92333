/** A plot drawn on a canvas, for files of pixels. */
import {
  drawPlot,
  type FillStyle,
  fontFamily,
  type Frame,
  type LineStyle,
  type Pen,
  pictureSize,
  type TextStyle,
} from '../../src-common/plots/draw.ts';
import type { Plot, Point } from '../../src-common/plots/plot.ts';

/** A plot as PNG, two pixels for each of the SVG's. */
export async function plotPng(plot: Plot): Promise<Blob> {
  const scale = 2;
  const { width, height } = pictureSize(plot);
  const canvas = document.createElement('canvas');
  canvas.width = width * scale;
  canvas.height = height * scale;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('The canvas gives no drawing context.');
  context.scale(scale, scale);
  drawPlot(plot, new CanvasPen(context));
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob) resolve(blob);
      else reject(new Error('The canvas gives no PNG.'));
    }, 'image/png');
  });
}

/** Draws on a canvas; dashes, colours and font are left as the last stroke set them. */
export class CanvasPen implements Pen {
  readonly #context: CanvasRenderingContext2D;
  readonly #font: string;

  constructor(context: CanvasRenderingContext2D, font = fontFamily) {
    this.#context = context;
    this.#font = font;
    context.lineJoin = 'round';
  }

  #trace(points: readonly Point[]): void {
    this.#context.beginPath();
    points.forEach(([x, y], k) => (k === 0 ? this.#context.moveTo(x, y) : this.#context.lineTo(x, y)));
  }

  line(points: readonly Point[], { stroke, width, dash }: LineStyle): void {
    this.#trace(points);
    this.#context.strokeStyle = stroke;
    this.#context.lineWidth = width;
    this.#context.setLineDash(dash ? [...dash] : []);
    this.#context.stroke();
  }

  polygon(points: readonly Point[], { fill, opacity }: FillStyle): void {
    this.#trace(points);
    this.#context.closePath();
    this.#context.globalAlpha = opacity;
    this.#context.fillStyle = fill;
    this.#context.fill();
    this.#context.globalAlpha = 1;
  }

  text(x: number, y: number, text: string, { size, fill, bold, anchor = 'start', upright }: TextStyle): void {
    const context = this.#context;
    context.save();
    context.translate(x, y);
    if (upright) context.rotate(-Math.PI / 2);
    context.font = `${bold ? '600 ' : ''}${size}px ${this.#font}`;
    context.textAlign = anchor === 'middle' ? 'center' : anchor;
    context.fillStyle = fill;
    context.fillText(text, 0, 0);
    context.restore();
  }

  clipped({ left, top, width, height }: Frame, draw: () => void): void {
    this.#context.save();
    this.#context.beginPath();
    this.#context.rect(left, top, width, height);
    this.#context.clip();
    draw();
    this.#context.restore();
  }
}
