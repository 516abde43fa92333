/** Who speaks when, by the stretches that are marked: their category is the speaker's name. */
import { markColours, type MarkColour } from '../../../src-common/mark-colours.ts';
import type { Mark } from '../../../src-common/schemas/evidence.ts';

type Stretch = Mark & { endSeconds: number };

export interface Speaker {
  name: string;
  colour: MarkColour;
  /** In the order of their times. */
  stretches: Stretch[];
  /** How long these are, what overlaps counted once. */
  seconds: number;
}

/** In the order in which they are first heard. Those whose marks have no colour get one each. */
export function speakersOf(marks: readonly Mark[]): Speaker[] {
  const stretches = marks
    .filter((mark): mark is Stretch => mark.endSeconds !== null && mark.category !== '')
    .sort((one, other) => one.startSeconds - other.startSeconds || one.id - other.id);
  const groups = [...Map.groupBy(stretches, ({ category }) => category)];
  return groups.map(([name, own], index) => ({
    name,
    colour: own.findLast(({ colour }) => colour !== null)?.colour ?? markColours[index % markColours.length],
    stretches: own,
    seconds: coveredBy(own),
  }));
}

/** The colour that a mark is shown in, wherever it is: its own, else its speaker's, as in the speaker's lane; null: that of all marks. */
export function shownColours(marks: readonly Mark[]): (mark: Mark) => MarkColour | null {
  const ofSpeakers = new Map(speakersOf(marks).map(({ name, colour }) => [name, colour]));
  return ({ colour, category }) => colour ?? ofSpeakers.get(category) ?? null;
}

/** As a style has it. */
export function markInk(colour: MarkColour | null): string {
  return colour === null ? 'var(--accent)' : `var(--mark-${colour})`;
}

function coveredBy(sorted: readonly Stretch[]): number {
  let covered = 0;
  let end = 0;
  for (const { startSeconds, endSeconds } of sorted) {
    covered += Math.max(0, endSeconds - Math.max(startSeconds, end));
    end = Math.max(end, endSeconds);
  }
  return covered;
}

/** The stretch at a time, the latest that began where several are; null: there is none. @param tolerance how far beside one may be, in seconds */
export function stretchAt({ stretches }: Speaker, seconds: number, tolerance = 0): Stretch | null {
  return (
    stretches.findLast((one) => one.startSeconds <= seconds && one.endSeconds >= seconds) ??
    stretches.find((one) => one.startSeconds - tolerance <= seconds && one.endSeconds + tolerance >= seconds) ??
    null
  );
}

/** Where a key leads from a time; null: it leads nowhere. */
export function stretchByKey({ stretches }: Speaker, key: string, seconds: number): Stretch | null {
  if (key === 'Home') return stretches[0];
  if (key === 'End') return stretches[stretches.length - 1];
  if (key === 'ArrowRight') return stretches.find(({ startSeconds }) => startSeconds > seconds) ?? null;
  if (key === 'ArrowLeft') return stretches.findLast(({ startSeconds }) => startSeconds < seconds) ?? null;
  return null;
}
