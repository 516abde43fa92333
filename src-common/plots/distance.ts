/** How error grows with the distance from what a model was measured on, from its card to a plot. */
import { validationDistanceSchema } from '../validation-distance.ts';
import type { ValidationDistanceRecord } from '../validation-distance.ts';
import type { Layer, Plot, Point } from './plot.ts';
import { distanceTexts as texts } from './texts.ts';
import { looksInOrder } from './theme.ts';
import type { LooksOf } from './theme.ts';

/** Where what lies beyond the limit is drawn: right of all shares. */
const beyond = 1.05;

/** What a card as it lies on disk says of it; null where it says nothing. */
export function distanceOf(card: Record<string, unknown>): ValidationDistanceRecord | null {
  const parsed = validationDistanceSchema.safeParse(card.distance);
  return parsed.success ? parsed.data : null;
}

/** A line for each kind of distance: Cllr of what lies between two shares of the recordings, and of what lies beyond the limit. */
export function distancePlot(
  name: string,
  { kinds, split }: ValidationDistanceRecord,
  looksOf: LooksOf = looksInOrder,
): Plot {
  const looks = looksOf(kinds.map(({ of }) => of));
  const lines = kinds.map(({ of, growth }) => ({
    of,
    look: looks.get(of)!,
    points: growth.flatMap(({ from, to, cllrBits }): Point[] =>
      cllrBits === null ? [] : [[from === to ? beyond : (from + to) / 2, cllrBits]],
    ),
  }));
  const layers = lines.flatMap(({ of, look, points }): Layer[] => [
    { kind: 'line', name: texts.kinds(of), role: look.role, points },
    { kind: 'marks', name: texts.kinds(of), role: look.role, mark: look.mark, points, inLegend: false },
  ]);
  const most = Math.max(1, ...lines.flatMap(({ points }) => points.map(([, cllr]) => cllr)));
  layers.unshift({ kind: 'line', name: texts.useless, role: 'dim', dash: 'dashes', points: [[0, 1], [1.1, 1]], reference: true }); // prettier-ignore
  return {
    id: 'distance',
    title: texts.title,
    subject: `${name}, ${split}`,
    x: {
      label: texts.nearer,
      column: 'nearer_fraction',
      scale: 'linear',
      from: 0,
      to: 1.1,
      format: (value) => (value > 1 ? texts.beyond : String(Math.round(100 * value))),
    },
    y: {
      label: texts.cllr,
      column: 'cllr_bits',
      scale: 'linear',
      from: 0,
      to: 1.05 * most,
      format: (value) => String(Number(value.toPrecision(3))),
    },
    layers,
    gist: texts.gist(kinds.filter(({ forbids }) => forbids).map(({ of }) => texts.kinds(of))),
  };
}
