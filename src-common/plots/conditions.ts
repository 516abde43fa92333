/** Down to which quality a model's findings hold, from its card to plots. */
import { conditionRecordSchema, conditionText, conditionWords } from '../condition-curves.ts';
import type { ConditionCurve, ConditionRecord, ConditionStep } from '../condition-curves.ts';
import { axisNumber, axisPercent, formatCount, formatPercent } from '../numbers.ts';
import type { Sheet } from './draw.ts';
import type { Layer, Plot, Point } from './plot.ts';
import { conditionTexts as texts } from './texts.ts';

/** What a card as it lies on disk says of it; null where it says nothing. */
export function conditionsOf(card: Record<string, unknown>): ConditionRecord | null {
  const parsed = conditionRecordSchema.safeParse(card.conditions);
  return parsed.success ? parsed.data : null;
}

type Placed = ConditionStep & { at: number };

/** A plot for each curve of a record. */
export function conditionPlots(name: string, record: ConditionRecord): Plot[] {
  return record.curves.map((curve, index) => plotOf(`${name}, ${record.split}`, record, curve, index));
}

/** All of them in one picture. */
export function conditionSheet(name: string, record: ConditionRecord): Sheet {
  const { dataset, split, recordings, sources } = record;
  const plots = conditionPlots(name, record);
  return {
    title: texts.sheet(name),
    subject: texts.subject(`${dataset}, ${split}`, formatCount(recordings), formatCount(sources)),
    gist: plots.map(({ title, gist }) => `${title}: ${gist}`).join(' '),
    plots,
    columns: 2,
    note: `${texts.note} ${texts.intervals}`,
  };
}

function plotOf(
  subject: string,
  { highestRate, thresholds }: ConditionRecord,
  { measure, family, steps }: ConditionCurve,
  index: number,
): Plot {
  const { name, unit, scale } = conditionWords[measure];
  const placed = steps
    .flatMap((one): Placed[] => (one.measured ? [{ ...one, at: one.measured.median }] : []))
    .sort((one, other) => one.at - other.at);
  const threshold = thresholds.find((one) => one.measure === measure)?.value ?? null;
  const values = [...placed.map(({ at }) => at), ...(threshold === null ? [] : [threshold])];
  const [least, most] = values.length > 0 ? [Math.min(...values), Math.max(...values)] : [0, 1];
  const margin = most > least ? 0.06 * (most - least) : Math.max(Math.abs(most), 1) / 10;
  const from = least - margin;
  const to = most + margin;
  const layers: Layer[] = [
    ...rateLayers(texts.falseSpoof, 'bonafide', placed, 'falseSpoof'),
    ...rateLayers(texts.falseBonafide, 'spoof', placed, 'falseBonafide'),
    {
      kind: 'line',
      name: texts.eer,
      role: 'dim',
      dash: 'dots',
      points: placed.flatMap(({ at, eer }): Point[] => (eer === null ? [] : [[at, eer]])),
    },
  ];
  if (highestRate !== null) {
    const points: Point[] = [[from, highestRate], [to, highestRate]]; // prettier-ignore
    layers.unshift({ kind: 'line', name: texts.highest, role: 'dim', dash: 'dashes', points, reference: true });
  }
  if (threshold !== null) {
    const label = conditionText(measure, threshold);
    layers.push({ kind: 'upright', name: texts.threshold, role: 'accent', x: threshold, dash: 'dashes', label });
  }
  const worst = steps.at(-1);
  return {
    id: `conditions-${index + 1}`,
    title: family,
    subject,
    x: {
      label: texts.axis(name, unit),
      column: measure,
      scale: 'linear',
      from,
      to,
      format: (value) => axisNumber(scale * value),
    },
    y: { label: texts.share, column: 'fraction', scale: 'linear', from: 0, to: 1, format: axisPercent },
    layers,
    gist: texts.gist(
      threshold === null ? texts.noThreshold : conditionText(measure, threshold),
      worst === undefined || worst.falseSpoof.of === 0
        ? texts.nothing
        : formatPercent(worst.falseSpoof.count / worst.falseSpoof.of),
    ),
  };
}

/** A rate's line, with filled marks where a step holds and hollow ones where it does not. */
function rateLayers(
  name: string,
  role: 'bonafide' | 'spoof',
  placed: readonly Placed[],
  key: 'falseSpoof' | 'falseBonafide',
): Layer[] {
  const counted = placed.filter((one) => one[key].of > 0);
  const pointOf = (one: Placed): Point => [one.at, one[key].count / one[key].of];
  const marks = (holds: boolean): Layer => {
    const own = counted.filter((one) => one.holds === holds);
    return {
      kind: 'marks',
      name: holds ? texts.holds(name) : texts.fails(name),
      role,
      mark: 'circle',
      shift: role === 'bonafide' ? -2 : 2,
      hollow: !holds,
      inLegend: false,
      points: own.map(pointOf),
      whiskers: own.map((one) => one[key].interval),
    };
  };
  return [{ kind: 'line', name, role, points: counted.map(pointOf) }, marks(true), marks(false)];
}
