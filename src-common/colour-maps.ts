/** 33 equally spaced colours of each map, as in matplotlib (viridis, magma: CC0; cividis: Nuñez, Anderton and Renslow 2018). */
const anchors = {
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
} as const;

export type ColourMap = keyof typeof anchors;

export const colourMaps = Object.keys(anchors) as ColourMap[];

/** The map as 256 colours of three bytes each, from quiet to loud. */
export function colourTable(map: ColourMap): Uint8Array {
  const digits = anchors[map];
  const points = Uint8Array.from({ length: digits.length / 2 }, (_, at) =>
    parseInt(digits.slice(2 * at, 2 * at + 2), 16),
  );
  const stretches = points.length / 3 - 1;
  return Uint8Array.from({ length: 768 }, (_, place) => {
    const position = (Math.floor(place / 3) / 255) * stretches;
    const below = Math.min(Math.floor(position), stretches - 1);
    const low = points[3 * below + (place % 3)];
    const high = points[3 * below + 3 + (place % 3)];
    return Math.round(low + (high - low) * (position - below));
  });
}
