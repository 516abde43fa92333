/** Colours of the spectrogram as a canvas takes them. */
import { colourTable as colours } from '../../../src-common/colour-maps.ts';
import type { ColourMap } from '../../../src-common/colour-maps.ts';

/** The map as 256 colours, each as the bytes red, green, blue, 255 in memory. */
export function colourTable(map: ColourMap): Uint32Array<ArrayBuffer> {
  const table = colours(map);
  const bytes = new Uint8ClampedArray(4 * 256).fill(255);
  for (let step = 0; step < 256; step++) bytes.set(table.subarray(3 * step, 3 * step + 3), 4 * step);
  return new Uint32Array(bytes.buffer);
}

/** For each byte of a tile its colour, where colours stand for levels from `floor` to `ceiling`. */
export function tileColours(
  table: Uint32Array,
  tile: { floorDb: number; ceilingDb: number },
  shown: { floorDb: number; ceilingDb: number },
): Uint32Array<ArrayBuffer> {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    const level = tile.floorDb + (byte / 255) * (tile.ceilingDb - tile.floorDb);
    const place = (level - shown.floorDb) / (shown.ceilingDb - shown.floorDb);
    return table[Math.round(255 * Math.min(1, Math.max(0, place)))];
  });
}
