import { Random } from '../base/random.ts';

/** Net speech, in seconds, at which a calibration is fitted on its own. */
export const calibrationSeconds = [3, 5, 10, 20, 30, 60] as const;

/** What a concatenation needs to know of a clip. */
export interface ConcatenationItem {
  label: 'bonafide' | 'spoof';
  speaker: string | null;
  source: string | null;
  generator: string | null;
  /** Net speech. */
  speechSeconds: number;
}

/** Clips to be joined, in this order, as indices into the items; one alone where it is long enough. */
export interface Concatenation {
  members: number[];
  speechSeconds: number;
  label: 'bonafide' | 'spoof';
  speaker: string;
  source: string | null;
  generator: string | null;
}

/** Shares of the target between which a concatenation's speech lies. */
const shortest = 0.8;
const longest = 1.5;

/**
 * Groups clips of one speaker, class, source and generator into concatenations with 0.8 to 1.5 times the speech asked
 * for. Each clip is used once at most; clips of unknown speakers, clips that are too long and what is left over are
 * in none. The clips of a speaker are drawn in an order that the seed fixes; the speakers come in the order of the
 * items.
 * @throws RangeError for a target that is not above zero.
 */
export function concatenationPlan(
  items: readonly ConcatenationItem[],
  targetSeconds: number,
  seed: number,
): Concatenation[] {
  if (!(targetSeconds > 0)) throw new RangeError(`The target ${targetSeconds} s is not above zero.`);
  const groups = new Map<string, { speaker: string; members: number[] }>();
  items.forEach(({ label, speaker, source, generator }, index) => {
    if (!speaker) return;
    const key = JSON.stringify([label, speaker, source, generator]);
    const group = groups.get(key) ?? { speaker, members: [] };
    if (group.members.length === 0) groups.set(key, group);
    group.members.push(index);
  });
  const random = new Random([seed, Math.round(1000 * targetSeconds)]);
  const plan: Concatenation[] = [];
  for (const { speaker, members } of groups.values()) {
    let open: number[] = [];
    let seconds = 0;
    for (const index of random.shuffle(members)) {
      const { speechSeconds, label, source, generator } = items[index];
      if (!(speechSeconds > 0) || seconds + speechSeconds > longest * targetSeconds) continue;
      open.push(index);
      seconds += speechSeconds;
      if (seconds < shortest * targetSeconds) continue;
      plan.push({ members: open, speechSeconds: seconds, label, speaker, source, generator });
      open = [];
      seconds = 0;
    }
  }
  return plan;
}

/** The nearest of the lengths by ratio. */
export function nearestLength<T extends { seconds: number }>(lengths: readonly T[], speechSeconds: number): T {
  const distance = ({ seconds }: T): number => Math.abs(Math.log(speechSeconds / seconds));
  return lengths.reduce((nearest, length) => (distance(length) < distance(nearest) ? length : nearest));
}
