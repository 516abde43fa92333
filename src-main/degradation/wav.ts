import { wavBytes } from '../audio/wav-bytes.ts';
import type { Sound } from './sound.ts';

/** A mono WAV file of 16 bits; what is beyond full scale is clipped. */
export function wav16({ samples, sampleRateHz }: Sound): Uint8Array {
  const whole = Int16Array.from(samples, (sample) => Math.round(32_767 * Math.max(-1, Math.min(1, sample))));
  return wavBytes(whole, sampleRateHz);
}
