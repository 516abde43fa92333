/** Colours of the spectrogram, from quiet to loud: equally spaced colours of each map, as in matplotlib. */
import type { Settings } from '../../../src-common/schemas/settings.ts';

export type ColourMap = Settings['colourMap'];

const anchors: Record<ColourMap, string> = {
  viridis:
    '440154470d6048186a482374472d7b4537814240863e49893b528b375b8d33638d2f6b8e2c728e297a8e26828e23898e21918c' +
    '1f978b1f9f8821a68527ad8131b57b3dbc744cc26c5cc8636ece5881d34d95d840aadc32c0df25d5e21aeae51afde725',
  magma:
    '0000040303120a0822130d341d114729115a36106b440f7651127c5d177f6a1c81762181832681902a819c2e7faa337db73779' +
    'c23b75cf4070db476ae55064ee5b5ef4695cf9785dfb8761fd9668fea571feb47bfec287fed194fde0a1fceeb0fcfdbf',
  grey: '000000ffffff',
  cividis:
    '00224e00285b002e6a0533711a386f273e6e32436d3b496c434e6c4b546c535a6d5a5f6e61656f686a716f70737676767d7c78' +
    '8381798b8778928d789a9376a29975aaa073b3a670bbad6dc3b369ccba64d4c15fddc858e6d051efd748f8df3cfee838',
};

/** The map as 256 colours, each as the bytes red, green, blue, 255 in memory. */
export function colourTable(map: ColourMap): Uint32Array<ArrayBuffer> {
  const points = anchors[map].match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? [];
  const stretches = points.length / 3 - 1;
  const bytes = new Uint8ClampedArray(4 * 256);
  for (let step = 0; step < 256; step++) {
    const position = (step / 255) * stretches;
    const below = Math.min(Math.floor(position), stretches - 1);
    for (let channel = 0; channel < 3; channel++) {
      const low = points[3 * below + channel];
      const high = points[3 * below + 3 + channel];
      bytes[4 * step + channel] = Math.round(low + (high - low) * (position - below));
    }
    bytes[4 * step + 3] = 255;
  }
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
