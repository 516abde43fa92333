/** Fourier transforms in doubles, for what is too exact for front ends: filters and autocorrelation. */

/**
 * A complex transform in place, radix 2 (Cooley and Tukey, 1965).
 * @param re, im of a power of two of values
 * @param inverse also divides by their number
 */
export function transform(re: Float64Array, im: Float64Array, inverse = false): void {
  const size = re.length;
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
  }
  const { cosines, sines } = turns(size);
  for (let half = 1; half < size; half *= 2) {
    const step = size / (2 * half);
    for (let group = 0; group < size; group += 2 * half) {
      for (let k = 0; k < half; k++) {
        const cosine = cosines[k * step];
        const sine = inverse ? sines[k * step] : -sines[k * step];
        const [low, high] = [group + k, group + k + half];
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

/** Cosine and sine of the first half of a turn in steps of a transform's size. */
function turns(size: number): { cosines: Float64Array; sines: Float64Array } {
  let table = tables.get(size);
  if (!table) {
    const angle = (k: number): number => (2 * Math.PI * k) / size;
    table = {
      cosines: Float64Array.from({ length: size / 2 }, (_, k) => Math.cos(angle(k))),
      sines: Float64Array.from({ length: size / 2 }, (_, k) => Math.sin(angle(k))),
    };
    tables.set(size, table);
  }
  return table;
}
