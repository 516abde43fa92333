/** Fourier transforms in doubles, for what is too exact for front ends: filters and autocorrelation. */

/**
 * A complex transform in place, radix 2 (Cooley and Tukey, 1965).
 * @param re, im of a power of two of values
 * @param inverse also divides by their number
 */
export function transform(re: Float64Array, im: Float64Array, inverse = false): void {
  const size = re.length;
  // Written out without pairs of values, and stage by stage with factors in a row: the most of what traces cost is spent here.
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i >= j) continue;
    const keptRe = re[i];
    const keptIm = im[i];
    re[i] = re[j];
    im[i] = im[j];
    re[j] = keptRe;
    im[j] = keptIm;
  }
  for (let low = 0; low + 1 < size; low += 2) {
    const highRe = re[low + 1];
    const highIm = im[low + 1];
    re[low + 1] = re[low] - highRe;
    im[low + 1] = im[low] - highIm;
    re[low] += highRe;
    im[low] += highIm;
  }
  const { cosines, sines } = turns(size);
  const sign = inverse ? 1 : -1;
  for (let half = 2; half < size; half *= 2) {
    for (let group = 0; group < size; group += 2 * half) {
      for (let k = 0; k < half; k++) {
        const cosine = cosines[half + k];
        const sine = sign * sines[half + k];
        const low = group + k;
        const high = low + half;
        const turnedRe = re[high] * cosine - im[high] * sine;
        const turnedIm = re[high] * sine + im[high] * cosine;
        re[high] = re[low] - turnedRe;
        im[high] = im[low] - turnedIm;
        re[low] += turnedRe;
        im[low] += turnedIm;
      }
    }
  }
  if (!inverse) return;
  for (let i = 0; i < size; i++) {
    re[i] /= size;
    im[i] /= size;
  }
}

const tables = new Map<number, { cosines: Float64Array; sines: Float64Array }>();

/** Cosine and sine of half a turn in as many steps as a stage's half has values, from that place on: one stage after the other. */
function turns(size: number): { cosines: Float64Array; sines: Float64Array } {
  let table = tables.get(size);
  if (!table) {
    const angle = (place: number): number => {
      const half = 2 ** Math.floor(Math.log2(place));
      return (Math.PI * (place - half)) / half;
    };
    table = {
      cosines: Float64Array.from({ length: size }, (_, place) => (place === 0 ? 1 : Math.cos(angle(place)))),
      sines: Float64Array.from({ length: size }, (_, place) => (place === 0 ? 0 : Math.sin(angle(place)))),
    };
    tables.set(size, table);
  }
  return table;
}
