/** The verbal scale while it is edited: limits as they are typed. */
import type { Settings } from '../../../src-common/schemas/settings.ts';

type Scale = Settings['verbalScale'];
export interface Step {
  /** Empty in the last step, which has no limit. */
  upTo: string;
  words: string;
}

export function toSteps(scale: Scale): Step[] {
  return scale.map(({ upTo, words }) => ({ upTo: upTo === null ? '' : String(upTo), words }));
}

/** The scale that the steps make, or what is wrong with them. The last step's limit is not looked at: it has none. */
export function toScale(steps: readonly Step[]): { scale: Scale } | { problem: 'ascending' | 'words' } {
  const scale: Scale = steps.map((step, index) => ({
    upTo: index === steps.length - 1 ? null : Number(step.upTo.replaceAll(/[\s,]/g, '') || Number.NaN),
    words: step.words.trim(),
  }));
  if (scale.length === 0 || scale.some((step) => step.words === '')) {
    return { problem: 'words' };
  }
  const limits = scale.slice(0, -1).map((step) => step.upTo ?? Number.NaN);
  return limits.every((limit, index) => limit > (index === 0 ? 1 : limits[index - 1]) && Number.isFinite(limit))
    ? { scale }
    : { problem: 'ascending' };
}
