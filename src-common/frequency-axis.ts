/** The frequency axis of spectrograms: where a frequency lies, and what frequency lies there. */
import { hzToMel, melToHz } from './mel-scale.ts';

export const frequencyScales = ['mel', 'linear', 'log'] as const;
/** Mel: Slaney's scale. */
export type FrequencyScale = (typeof frequencyScales)[number];

/** Frequencies from one to the other. */
export interface Band {
  lowHz: number;
  highHz: number;
}

export interface FrequencyAxis {
  scale: FrequencyScale;
  topHz: number;
}

/** A logarithmic axis begins here: below the lowest voices, and below the hum of either kind of mains. */
export const logBottomHz = 40;

/** Where a frequency lies, from 0 at the bottom to 1 at the top; what lies below the bottom, there. */
export function placeOfHz({ scale, topHz }: FrequencyAxis, hz: number): number {
  switch (scale) {
    case 'mel':
      return hzToMel(hz, 'slaney') / hzToMel(topHz, 'slaney');
    case 'linear':
      return hz / topHz;
    case 'log':
      return hz <= logBottomHz ? 0 : Math.log(hz / logBottomHz) / Math.log(topHz / logBottomHz);
  }
}

/** The frequency at a place. */
export function hzAtPlace({ scale, topHz }: FrequencyAxis, place: number): number {
  switch (scale) {
    case 'mel':
      return melToHz(place * hzToMel(topHz, 'slaney'), 'slaney');
    case 'linear':
      return place * topHz;
    case 'log':
      return logBottomHz * (topHz / logBottomHz) ** place;
  }
}
