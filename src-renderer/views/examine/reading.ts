/** Which sound of a file is examined: as its headers say, or also what they do not count in. */
import type { Evidence } from '../../../src-common/schemas/evidence.ts';
import type { Span } from './time-window.ts';

/** As a person chose it. */
export interface Reading {
  /** Also the sound that the file's headers do not count in. */
  readAll: boolean;
  /** The result to be shown; null: the latest of this reading. */
  analysisId: number | null;
  /** Where to go, a point or a stretch. */
  place: Span | null;
}

/** Codes of reasons that tell of sound in the file that was not read. */
const ofUnread = ['unread', 'hidden'];

/** Whether an item has two readings to choose between. */
export function hasReadings({
  flags,
  audio,
  analyses,
  marks,
}: Pick<Evidence, 'flags' | 'audio' | 'analyses' | 'marks'>): boolean {
  const codes = [...flags, ...(audio?.told ?? [])];
  return ofUnread.some((code) => codes.includes(code)) || [...analyses, ...marks].some(({ readAll }) => readAll);
}

/** The result that is shown by itself: of these, the latest of the whole recording, else the latest. */
export function latestOf(analyses: Evidence['analyses']): number | null {
  const latest = (of: Evidence['analyses']): number | null =>
    of.reduce<number | null>((best, { id }) => (best === null || id > best ? id : best), null);
  return latest(analyses.filter(({ stretch }) => stretch === null)) ?? latest(analyses);
}

/** The reading that is shown until a person chooses: the latest result's. */
export function readingOf(analyses: Evidence['analyses']): boolean {
  const latest = latestOf(analyses);
  return analyses.find(({ id }) => id === latest)?.readAll ?? false;
}
