import { fewestWords, outlineCorrelation, soundWords, wordDistance, type Fingerprint } from './fingerprint.ts';

/**
 * Words may differ in so many bits. A hundred clips of 3 s copied through mp3 at 32 kbit/s, AAC, Opus at 12 kbit/s, Vorbis, GSM,
 * mu-law at 8 kHz, and cut, resampled and quieter, stayed below 0.25; different clips lay above 0.39.
 */
const mostDistance = 0.3;
/**
 * Those copies lay above 0.87 (above 0.92 nineteen times in twenty). Of 4,036 clips from demonstration pages, among which
 * vocoders speak hundreds of recordings again, 104 pairs lie above the threshold; the full waveforms of each correlate
 * with 0.90 or more, most with 1.00. Speex at 8 kbit/s (0.68) passes for another waveform.
 */
const leastCorrelation = 0.85;

/** Parts of a word by which recordings find one another: one of them must be without an error somewhere. */
const keyMasks = [0xffffff00, 0xffff00ff, 0xff00ffff, 0x00ffffff];
/** A key that so many places share says nothing. */
const longestChain = 200;
/** More than any offset can have values. */
const offsets = 2 ** 17;

/** Two recordings that hold the same sound. */
export interface SoundPair {
  /** Places in the list, the first the smaller. */
  first: number;
  second: number;
  /**
   * `audio`: the same recording, perhaps coded anew, resampled, cut or at another level; `utterance`: the same words to the
   * same melody from another waveform, as from a vocoder that was fed with the other.
   */
  same: 'audio' | 'utterance';
  distance: number;
  correlation: number;
}

/**
 * Finds recordings that hold the same sound in at least half of the shorter one. What shares no more than a key's bits by chance
 * is compared in full, so that the answer hangs on the two thresholds alone.
 * @param prints null where there is none.
 */
export function findSameSound(prints: readonly (Fingerprint | null)[]): SoundPair[] {
  const owners: number[] = [];
  const starts = new Int32Array(prints.length + 1);
  prints.forEach((print, index) => {
    const usable = print && print.words.length >= fewestWords ? print.words.length : 0;
    starts[index + 1] = starts[index] + usable;
    if (usable > 0) owners.push(index);
  });
  const total = starts[prints.length];
  const tableBits = Math.max(10, Math.ceil(Math.log2(total + 1)));
  const heads = new Int32Array(2 ** tableBits);
  const nexts = new Int32Array(total);
  const fileOf = new Int32Array(total);
  for (const index of owners) fileOf.fill(index, starts[index], starts[index + 1]);

  const sounding = prints.map((print) => (print ? soundWords(print) : 0));
  const found = new Map<number, { first: number; second: number; offset: number; distance: number }>();
  const compared = new Set<number>();
  const compare = (first: number, second: number, offset: number): void => {
    const [a, b] = [prints[first], prints[second]];
    const place = first * offsets + offset + offsets / 2;
    if (!a || !b || compared.has(place)) return;
    compared.add(place);
    const least = Math.max(fewestWords, Math.min(sounding[first], sounding[second]) / 2);
    const distance = wordDistance(a, b, offset, least);
    if (distance > mostDistance) return;
    const pair = first * prints.length + second;
    const before = found.get(pair);
    if (!before || distance < before.distance) found.set(pair, { first, second, offset, distance });
  };

  for (const mask of keyMasks) {
    heads.fill(-1);
    for (const second of owners) {
      compared.clear();
      const words = prints[second]?.words ?? new Uint32Array(0);
      for (let at = 0; at < words.length; at++) {
        if (words[at] === 0) continue;
        const key = words[at] & mask;
        const slot = Math.imul(key, 0x9e3779b1) >>> (32 - tableBits);
        let walked = 0;
        for (let place = heads[slot]; place >= 0 && walked < longestChain; place = nexts[place], walked++) {
          const first = fileOf[place];
          const there = place - starts[first];
          if (first !== second && ((prints[first]?.words[there] ?? 0) & mask) === key) {
            compare(first, second, there - at);
          }
        }
      }
      // Only now, so that a recording does not meet itself.
      for (let at = 0; at < words.length; at++) {
        if (words[at] === 0) continue;
        const slot = Math.imul(words[at] & mask, 0x9e3779b1) >>> (32 - tableBits);
        nexts[starts[second] + at] = heads[slot];
        heads[slot] = starts[second] + at;
      }
    }
  }
  const pairs = [...found.values()].map(({ first, second, offset, distance }): SoundPair => {
    const [a, b] = [prints[first], prints[second]];
    const correlation = a && b ? outlineCorrelation(a, b, offset) : 0;
    return { first, second, same: correlation >= leastCorrelation ? 'audio' : 'utterance', distance, correlation };
  });
  return pairs.sort((a, b) => a.first - b.first || a.second - b.second);
}
