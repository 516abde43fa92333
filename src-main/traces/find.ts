/** Where a stretch of one recording occurs in another, by its fingerprint: the same sound, coded anew, louder or in noise. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Found } from '../../src-common/schemas/traces.ts';
import { openAudio, probe } from '../audio/decode.ts';
import type { OpenOptions } from '../audio/types.ts';
import { UserFacingError } from '../base/errors.ts';
import { placedBlocks } from '../sound/placed.ts';
import { foundAnswer } from './answers.ts';
import { Fingerprinter, bitsIn, secondsPerCode } from './fingerprint.ts';
import type { Fingerprint } from './fingerprint.ts';

/** Codes with sound that tell a stretch from others: 0.9 s and more. */
const fewestCodes = 24;
/** Longer stretches are not looked for. */
const mostFoundSeconds = 120;
/** Of the bits, fewer than so many differ where the stretch occurs (Haitsma and Kalker). */
const mostErrors = 0.35;
/**
 * Where few codes are compared, chance alone comes near: below half by so much over the root of their number, found of clips in
 * which the stretch was not (docs/traces.md).
 */
const chanceSpread = 1.45;
const mostPlaces = 100;
/** Places compared between two looks at whether it is to stop. */
const placesAtOnce = 20_000;

/** One recording, in one reading of its file. */
export interface SearchedSound extends Pick<OpenOptions, 'readAll'> {
  path: string;
  /** By its number; by default the mix of all. */
  channel?: number;
}

export interface FindOptions {
  signal?: AbortSignal | undefined;
  /** Gets the seconds of the other recording that are done, and how long it is where the header says so. */
  onProgress?: ((done: number, total: number | null) => void) | undefined;
}

/** How many of the bits may differ where so many codes are compared. */
function errorsAllowed(codes: number): number {
  return Math.min(mostErrors, 0.5 - chanceSpread / Math.sqrt(codes));
}

/** A stretch that is looked for. */
export interface Stretch {
  print: Fingerprint;
  startSeconds: number;
  endSeconds: number;
}

/**
 * @param span in seconds of its recording; it ends where the recording ends
 * @throws UserFacingError as `openAudio`; `usage` where the recording ends before it, `too-long`, `too-short` where it holds too
 * little sound to be told from other; the signal's reason when aborted
 */
export async function stretchOf(
  of: SearchedSound,
  { startSeconds, endSeconds }: { startSeconds: number; endSeconds: number },
  signal?: AbortSignal,
): Promise<Stretch> {
  if (endSeconds - startSeconds > mostFoundSeconds) {
    throw new UserFacingError('too-long', `The stretch is longer than ${mostFoundSeconds} s.`, {
      advice: 'Choose a shorter one.',
    });
  }
  const { print, seconds } = await fingerprintOf(of, { from: startSeconds, to: endSeconds }, { signal });
  if (seconds === 0) {
    throw new UserFacingError('usage', `${of.path} ends before the stretch begins.`, { path: of.path });
  }
  if (soundingOf(print).length < fewestCodes) {
    throw new UserFacingError('too-short', 'The stretch holds too little sound to be told from other sound.', {
      advice: 'Choose one with at least a second of speech.',
    });
  }
  return { print, startSeconds, endSeconds: startSeconds + seconds };
}

/** @throws UserFacingError as `openAudio`; the signal's reason when aborted */
export async function findStretch(
  { print, startSeconds, endSeconds }: Stretch,
  within: SearchedSound,
  { signal, onProgress }: FindOptions = {},
): Promise<Found> {
  const other = await fingerprintOf(within, { from: 0, to: Infinity }, { signal, onProgress });
  const places = await placesOf(print, other.print, signal);
  const found = places.map(({ at, agreement }) => ({
    startSeconds: at * secondsPerCode,
    endSeconds: Math.min(other.seconds, at * secondsPerCode + endSeconds - startSeconds),
    agreement,
  }));
  return foundAnswer(found, {
    stretch: { startSeconds, endSeconds },
    searchedSeconds: other.seconds,
    leastAgreement: 1 - errorsAllowed(soundingOf(print).length),
  });
}

/** What is silence or a tone says nothing. */
function soundingOf({ codes, isSound }: Fingerprint): number[] {
  return [...codes.keys()].filter((code) => isSound[code] === 1);
}

/** @returns seconds: how much of the span there is */
async function fingerprintOf(
  { path, ...opening }: SearchedSound,
  { from, to }: { from: number; to: number },
  { signal, onProgress }: FindOptions,
): Promise<{ print: Fingerprint; seconds: number }> {
  const reading = { ...opening, ...(signal ? { signal } : {}) };
  const { sampleRateHz, durationSeconds: declared } = await probe(path, reading);
  const audio = await openAudio(path, { ...reading, sampleRateHz, timeLimitSeconds: 3600 });
  const printer = new Fingerprinter(sampleRateHz);
  const [first, end] = [Math.round(from * sampleRateHz), Math.round(to * sampleRateHz)];
  let samples = 0;
  let printed = 0;
  for await (const block of placedBlocks(audio, sampleRateHz)) {
    const part = block.subarray(Math.max(0, first - samples), Math.max(0, end - samples));
    printer.push(part);
    printed += part.length;
    samples += block.length;
    onProgress?.(samples / sampleRateHz, declared);
    if (samples >= end) break;
  }
  return { print: printer.finish(), seconds: printed / sampleRateHz };
}

interface Place {
  /** Code of the other recording that the first of the stretch lies on. */
  at: number;
  /** Part of the bits that agree. */
  agreement: number;
}

/** Places where a stretch occurs, those that agree most first; none overlaps a better one by half or more. */
export async function placesOf(stretch: Fingerprint, sound: Fingerprint, signal?: AbortSignal): Promise<Place[]> {
  const compared = soundingOf(stretch);
  const bits = 32 * compared.length;
  const most = errorsAllowed(compared.length) * bits;
  const alike: Place[] = [];
  const end = sound.codes.length - stretch.codes.length + 1;
  for (let at = 0; at < end; at++) {
    if (at % placesAtOnce === 0) {
      await nextTurn();
      signal?.throwIfAborted();
    }
    let errors = 0;
    for (let i = 0; i < compared.length && errors <= most; i++) {
      errors += bitsIn(stretch.codes[compared[i]] ^ sound.codes[at + compared[i]]);
    }
    if (errors <= most) alike.push({ at, agreement: 1 - errors / bits });
  }
  alike.sort((one, other) => other.agreement - one.agreement || one.at - other.at);
  const places: Place[] = [];
  for (const place of alike) {
    if (places.length === mostPlaces) break;
    if (places.every(({ at }) => Math.abs(at - place.at) >= stretch.codes.length / 2)) places.push(place);
  }
  return places;
}
