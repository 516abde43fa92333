/** The stretches that a result points out, as the list in the inspector shows, sorts and promotes them. */
import type { LowStretch } from '../../../src-common/low-stretches.ts';
import type { Mark } from '../../../src-common/schemas/evidence.ts';

export type StretchOrder = 'score' | 'time' | 'length';

const valueOf = ({ startSeconds, endSeconds, lowestScore }: LowStretch, by: StretchOrder): number =>
  by === 'score' ? lowestScore : by === 'time' ? startSeconds : endSeconds - startSeconds;

/** Another array; those that are alike in the order of their times. */
export function sortedStretches(
  stretches: readonly LowStretch[],
  { by, descending }: { by: StretchOrder; descending: boolean },
): LowStretch[] {
  const sign = descending ? -1 : 1;
  return stretches.toSorted(
    (one, other) => sign * (valueOf(one, by) - valueOf(other, by)) || one.startSeconds - other.startSeconds,
  );
}

/** Those that have no mark of the same extent yet. */
export function unmarked(
  stretches: readonly LowStretch[],
  marks: readonly Pick<Mark, 'startSeconds' | 'endSeconds'>[],
): LowStretch[] {
  return stretches.filter(
    (stretch) =>
      !marks.some((mark) => mark.startSeconds === stretch.startSeconds && mark.endSeconds === stretch.endSeconds),
  );
}
