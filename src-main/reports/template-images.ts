/** Whether a picture of a template is one that a report can hold: looked at before it is kept, since it comes from anywhere. */
import { crc32, inflateSync } from 'node:zlib';
import type { TemplateImage } from '../../src-common/schemas/report-template.ts';
import { imageAsIs } from './open-image.ts';

const mostPixelsAcross = 4000;
const pngSignature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Values of a pixel, by the colour type of PNG. */
const pngChannels = new Map([
  [0, 1],
  [2, 3],
  [3, 1],
  [4, 2],
  [6, 4],
]);

/** @returns what is wrong with it, as the end of a sentence; null where nothing is */
export function imageProblem({ type, base64 }: TemplateImage): string | null {
  const bytes = Buffer.from(base64, 'base64');
  return type === 'image/png' ? pngProblem(bytes) : jpegProblem(bytes);
}

function sizeProblem(width: number, height: number): string | null {
  if (width > 0 && height > 0 && width <= mostPixelsAcross && height <= mostPixelsAcross) return null;
  return `is ${width} x ${height} pixels: at most ${mostPixelsAcross} either way can be taken`;
}

function pngProblem(bytes: Buffer): string | null {
  const damaged = 'is a damaged PNG';
  if (!bytes.subarray(0, 8).equals(pngSignature)) return 'is no PNG';
  const data: Buffer[] = [];
  let header: Buffer | null = null;
  let palette = false;
  let ended = false;
  for (let at = 8; at < bytes.length && !ended;) {
    if (at + 12 > bytes.length) return damaged;
    const length = bytes.readUInt32BE(at);
    if (at + 12 + length > bytes.length) return damaged;
    const kind = bytes.toString('latin1', at + 4, at + 8);
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (bytes.readUInt32BE(at + 8 + length) !== crc32(bytes.subarray(at + 4, at + 8 + length))) return damaged;
    if (kind === 'IHDR') header = body;
    else if (kind === 'PLTE') palette = true;
    else if (kind === 'IDAT') data.push(body);
    ended = kind === 'IEND';
    at += 12 + length;
  }
  if (header?.length !== 13 || !ended) return damaged;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const [bits, colourType, , , interlaced] = header.subarray(8);
  const size = sizeProblem(width, height);
  if (size !== null) return size;
  if (interlaced !== 0) return 'is an interlaced PNG: save it without';
  const channels = pngChannels.get(colourType);
  if (channels === undefined || (colourType === 3 && !palette)) return damaged;
  const expected = height * (1 + Math.ceil((width * channels * bits) / 8));
  try {
    return inflateSync(Buffer.concat(data), { maxOutputLength: expected + 1 }).length === expected ? null : damaged;
  } catch {
    return damaged;
  }
}

function jpegProblem(bytes: Buffer): string | null {
  const damaged = 'is no JPEG, or a damaged one';
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return damaged;
  try {
    const { width, height, colorSpace } = imageAsIs(bytes);
    if (colorSpace === 'DeviceCMYK') return 'is a JPEG of printing colours (CMYK): save it as RGB';
    return Number.isFinite(width) && Number.isFinite(height) ? sizeProblem(width, height) : damaged;
  } catch {
    return damaged;
  }
}
