/** The degradations that detectors are measured through (and may be trained through), by name, with all their parameters. */
import type { Random } from '../base/random.ts';
import type { CodecPass } from './codec.ts';
import {
  clipped,
  gated,
  inBand,
  inRoom,
  middle,
  overWire,
  resampledOver,
  withBabble,
  withGain,
  withNoiseFloor,
  withoutPauses,
  withWhiteNoise,
} from './sound.ts';
import type { Sound } from './sound.ts';

/** What a degradation may need beside the sound. */
interface Surroundings {
  random: Random;
  /** Other people's voices at the sound's rate, for babble. */
  voices: readonly Float32Array[];
}

/** One way in which recordings get worse. */
export interface Degradation {
  /** Unique, for the command line, tables and journals. */
  name: string;
  /** For people. */
  label: string;
  /** Those of one family are drawn as one curve over `value`, in `unit`. */
  family: string;
  value: number;
  unit: string;
  /** Voices that talk at once in it. */
  voices?: number;
  how: { apply: (sound: Sound, around: Surroundings) => Sound } | { codec: CodecPass; returnRateHz: number };
}

/** Rate at which recordings are degraded. */
export const degradedRateHz = 16_000;

type Apply = (sound: Sound, around: Surroundings) => Sound;

const wide = (
  name: string,
  kbits: number,
  encoder: string,
  container: string,
  rateHz = degradedRateHz,
): Omit<Degradation, 'family' | 'label'> => ({
  name: `${name}-${kbits}`,
  value: kbits,
  unit: 'kbit/s',
  how: {
    codec: { encoder, container, rateHz, arguments: ['-b:a', `${kbits}k`] },
    returnRateHz: degradedRateHz,
  },
});

function codecs(): Degradation[] {
  const family = (label: string, list: Omit<Degradation, 'family' | 'label'>[]): Degradation[] =>
    list.map((one) => ({ ...one, family: label, label: `${label}, ${one.value} ${one.unit}` }));
  const opus = (kbits: number): Omit<Degradation, 'family' | 'label'> => {
    const one = wide('opus', kbits, 'libopus', 'ogg', 48_000);
    const { how } = one;
    if (!('codec' in how)) return one;
    const voip = ['-application', 'voip', ...how.codec.arguments];
    return { ...one, how: { ...how, codec: { ...how.codec, arguments: voip } } };
  };
  const amr = (kbits: number, mode: number): Omit<Degradation, 'family' | 'label'> => ({
    name: `amr-nb-${kbits}`,
    value: kbits,
    unit: 'kbit/s',
    how: {
      codec: {
        encoder: 'libopencore_amrnb',
        container: 'amr',
        rateHz: 8000,
        arguments: ['-b:a', `${kbits}k`],
        sox: { type: 'amr-nb', arguments: ['-C', String(mode)] },
      },
      returnRateHz: 8000,
    },
  });
  return [
    ...family(
      'mp3',
      [16, 24, 32, 64, 128].map((kbits) => wide('mp3', kbits, 'libmp3lame', 'mp3')),
    ),
    ...family(
      'AAC',
      [16, 32, 64].map((kbits) => wide('aac', kbits, 'aac', 'm4a')),
    ),
    ...family('Opus', [8, 12, 16, 24, 32].map(opus)),
    ...family('AMR-NB', [amr(4.75, 0), amr(7.95, 5), amr(12.2, 7)]),
    ...family(
      'AMR-WB',
      [6.6, 12.65, 23.85].map((kbits) => wide('amr-wb', kbits, 'libvo_amrwbenc', 'amr')),
    ),
    ...family('GSM full rate', [
      {
        name: 'gsm',
        value: 13,
        unit: 'kbit/s',
        how: {
          codec: {
            encoder: 'libgsm',
            container: 'gsm',
            rateHz: 8000,
            arguments: [],
            sox: { type: 'gsm', arguments: [] },
          },
          returnRateHz: 8000,
        },
      },
    ]),
    ...family('G.722', [
      {
        name: 'g722',
        value: 64,
        unit: 'kbit/s',
        how: {
          codec: { encoder: 'g722', container: 'wav', rateHz: 16_000, arguments: [] },
          returnRateHz: degradedRateHz,
        },
      },
    ]),
  ];
}

function pure(
  family: string,
  unit: string,
  name: string,
  values: readonly number[],
  apply: (value: number) => Apply,
): Degradation[] {
  return values.map((value) => ({
    name: `${name}${value}`,
    label: `${family}, ${value} ${unit}`,
    family,
    value,
    unit,
    how: { apply: apply(value) },
  }));
}

const single = (name: string, label: string, value: number, unit: string, apply: Apply): Degradation => ({
  name,
  label,
  family: label,
  value,
  unit,
  how: { apply },
});

/** People who talk at once in babble. */
const babbleVoices = 6;
/** As a listener hears it who sits near. */
const directToReverbDb = 3;

/** All of them. */
export const degradations: readonly Degradation[] = [
  ...codecs(),
  single('telephone', '300 to 3,400 Hz, mu-law, 8 kHz', 64, 'kbit/s', (sound) => overWire(sound, 'mu-law')),
  single('telephone-a', '300 to 3,400 Hz, A-law, 8 kHz', 64, 'kbit/s', (sound) => overWire(sound, 'a-law')),
  single('narrow', '300 to 3,400 Hz at 16 kHz', 3400, 'Hz', (sound) => inBand(sound, 300, 3400)),
  ...pure(
    'White noise',
    'dB SNR',
    'white-',
    [30, 20, 15, 10, 5],
    (snr) =>
      (sound, { random }) =>
        withWhiteNoise(sound, snr, random),
  ),
  ...pure(
    'Babble',
    'dB SNR',
    'babble-',
    [30, 20, 15, 10, 5],
    (snr) =>
      (sound, { random, voices }) =>
        withBabble(sound, snr, voices, random),
  ).map((one) => ({ ...one, voices: babbleVoices })),
  ...pure(
    'Room',
    's RT60',
    'room-',
    [0.2, 0.4, 0.8],
    (decay) =>
      (sound, { random }) =>
        inRoom(sound, decay, directToReverbDb, random),
  ),
  ...pure(
    'Resampled over',
    'Hz',
    'rate-',
    [8000, 9600, 11_025, 12_000, 14_000, 22_050],
    (rate) => (sound) => resampledOver(sound, rate),
  ),
  ...pure('Gain', 'dB', 'gain', [-40, -20, 12, 24], (gain) => (sound) => withGain(sound, gain)),
  ...pure('Clipped', '% of samples', 'clip-', [0.1, 1, 5, 20], (percent) => (sound) => clipped(sound, percent / 100)),
  single('floor', 'White noise at -60 dBFS', -60, 'dBFS', (sound, { random }) => withNoiseFloor(sound, -60, random)),
  single('gate', 'Frames 45 dB below the loudest made zeros', 45, 'dB', (sound) => gated(sound, 45)),
  single('pauses-cut', 'Pauses cut out (35 dB below the loudest)', 35, 'dB', (sound) => withoutPauses(sound, 35)),
  ...pure('Length', 's', 'length-', [0.5, 1, 1.5, 2, 3], (seconds) => (sound) => middle(sound, seconds)),
];

/** Families in which one measure of quality gets worse and worse, for thresholds of what is assessable. */
export const thresholdFamilies: readonly string[] = ['White noise', 'Babble', 'Resampled over', 'Clipped', 'Length'];

/** Those that a model is to stand, and two that show whether it lives on noise floors. */
export const channelNames: readonly string[] = [
  'mp3-32',
  'opus-16',
  'amr-nb-12.2',
  'gsm',
  'telephone',
  'white-15',
  'babble-15',
  'room-0.4',
  'floor',
  'gate',
];
