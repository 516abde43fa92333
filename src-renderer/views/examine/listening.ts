/** Which of the channels are heard: those that are alone (solo), else all that are not muted. */
export function heardOf(
  channels: readonly number[],
  solo: ReadonlySet<number>,
  muted: ReadonlySet<number>,
): number[] | null {
  const heard = channels.filter((channel) => (solo.size > 0 ? solo.has(channel) : !muted.has(channel)));
  // All of them are the mix.
  return heard.length === channels.length ? null : heard;
}

export function toggled(of: ReadonlySet<number>, channel: number): ReadonlySet<number> {
  const next = new Set(of);
  if (!next.delete(channel)) next.add(channel);
  return next;
}

/** Speeds that are offered. */
export const rates: readonly number[] = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2];

/** Gains that are offered, in dB. */
export const gains: readonly number[] = [-24, -12, -6, 0, 6, 12, 18, 24, 36];

/** Louder ones are made softer by at most so much. */
const mostSofterDb = 36;

/** By how much to change two levels so that both are as the lower one; a silent one changes nothing. */
export function matchedGains([one, other]: readonly [number | null, number | null]): [number, number] {
  if (one === null || other === null) return [0, 0];
  const gain = (level: number): number => -Math.min(mostSofterDb, Math.round(10 * (level - Math.min(one, other))) / 10);
  // Without a minus before nought.
  return [gain(one) || 0, gain(other) || 0];
}
