/** The Mel scale, of front ends and of frequency axes. */

/** `slaney`: linear below 1 kHz (Auditory Toolbox, librosa's default); `htk`: 2595 log10(1 + f / 700). */
export const melScales = ['slaney', 'htk'] as const;
export type MelScale = (typeof melScales)[number];

// Slaney's scale: 200/3 Hz per Mel up to 1 kHz, then 27 Mel per factor of 6.4.
const slaneyHzPerMel = 200 / 3;
const slaneyBreakHz = 1000;
const slaneyBreakMel = slaneyBreakHz / slaneyHzPerMel;
const slaneyLogStep = Math.log(6.4) / 27;

/** Hertz to Mel, as `librosa.hz_to_mel` with `htk` false or true. */
export function hzToMel(hz: number, scale: MelScale): number {
  if (scale === 'htk') return 2595 * Math.log10(1 + hz / 700);
  return hz < slaneyBreakHz ? hz / slaneyHzPerMel : slaneyBreakMel + Math.log(hz / slaneyBreakHz) / slaneyLogStep;
}

/** Mel to Hertz, the inverse of {@link hzToMel}. */
export function melToHz(mel: number, scale: MelScale): number {
  if (scale === 'htk') return 700 * (10 ** (mel / 2595) - 1);
  return mel < slaneyBreakMel ? mel * slaneyHzPerMel : slaneyBreakHz * Math.exp(slaneyLogStep * (mel - slaneyBreakMel));
}
