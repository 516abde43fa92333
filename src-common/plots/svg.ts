/** The pen that writes SVG, and the files that come of it. */
import { visibleName } from '../visible-text.ts';
import {
  drawPlot,
  type FillStyle,
  fontFamily,
  type Frame,
  type LineStyle,
  type PicturePen,
  pictureSize,
  type Sheet,
  type TextStyle,
} from './draw.ts';
import type { Plot, Point } from './plot.ts';

/** A plot, or a sheet of them, as a standalone SVG document. */
export function plotSvg(picture: Plot | Sheet): string {
  const title = `${picture.title}: ${picture.subject}`;
  return svgDocument({ ...pictureSize(picture), title, description: picture.gist }, (pen) => drawPlot(picture, pen));
}

/** A standalone SVG document: real lines and text, with a title and a description for assistive technology. */
export function svgDocument(
  { width, height, title, description }: { width: number; height: number; title: string; description?: string },
  draw: (pen: PicturePen) => void,
): string {
  const pen = new SvgPen();
  draw(pen);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="${escapeXml(fontFamily)}">`,
    `<title>${escapeXml(visibleName(title))}</title>`,
    ...(description === undefined ? [] : [`<desc>${escapeXml(visibleName(description))}</desc>`]),
    ...pen.parts,
    '</svg>\n',
  ].join('\n');
}

class SvgPen implements PicturePen {
  readonly parts: string[] = [];

  line(points: readonly Point[], { stroke, width, dash }: LineStyle): void {
    const dashed = dash ? ` stroke-dasharray="${dash.join(' ')}"` : '';
    this.parts.push(
      `<path d="${pathData(points)}" fill="none" stroke="${stroke}" stroke-width="${width}" stroke-linejoin="round"${dashed}/>`,
    );
  }

  polygon(points: readonly Point[], { fill, opacity }: FillStyle): void {
    const seeThrough = opacity === 1 ? '' : ` fill-opacity="${opacity}"`;
    this.parts.push(`<path d="${pathData(points)}Z" fill="${fill}"${seeThrough}/>`);
  }

  text(x: number, y: number, text: string, { size, fill, bold, anchor = 'start', upright }: TextStyle): void {
    const weight = bold ? ' font-weight="600"' : '';
    const turned = upright ? ` transform="rotate(-90 ${coordinate(x)} ${coordinate(y)})"` : '';
    this.parts.push(
      `<text x="${coordinate(x)}" y="${coordinate(y)}" font-size="${size}" fill="${fill}" text-anchor="${anchor}"${weight}${turned}>${escapeXml(visibleName(text))}</text>`,
    );
  }

  clipped({ left, top, width, height }: Frame, draw: () => void): void {
    const box = [left, top, width, height].map(coordinate);
    // A nested picture clips without an id, so that several files can stand in one document.
    this.parts.push(
      `<svg x="${box[0]}" y="${box[1]}" width="${box[2]}" height="${box[3]}" viewBox="${box.join(' ')}" overflow="hidden">`,
    );
    draw();
    this.parts.push('</svg>');
  }

  picture({ left, top, width, height }: Frame, pngBase64: string): void {
    const [x, y, wide, high] = [left, top, width, height].map(coordinate);
    this.parts.push(
      `<image x="${x}" y="${y}" width="${wide}" height="${high}" preserveAspectRatio="none" href="data:image/png;base64,${pngBase64}"/>`,
    );
  }
}

function pathData(points: readonly Point[]): string {
  return points.map(([x, y], k) => `${k === 0 ? 'M' : 'L'}${coordinate(x)} ${coordinate(y)}`).join('');
}

/** With at most two decimals. */
function coordinate(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** Text made safe for XML: markup escaped, characters that XML 1.0 forbids replaced. */
export function escapeXml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return (
    text
      // eslint-disable-next-line no-control-regex -- these are the characters that XML forbids, and lone surrogates
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, '\ufffd')
      .replace(/[&<>"']/g, (character) => entities[character])
  );
}
