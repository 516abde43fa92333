/** The table of generators: which spoofs a model takes for bona fide, and whether the recording channel helped it. */
import { leastRecordings } from './interval-rule.ts';
import type { EvaluationResult } from './schemas/evaluation.ts';

type Figures = EvaluationResult['generators'][number];

interface GeneratorRow {
  generator: string;
  spoofs: number;
  /** One for each model, in their order; null where a model has no score of this generator's spoofs. */
  figures: (Figures | null)[];
}

export type GeneratorOrder =
  | { by: 'generator' | 'spoofs'; descending: boolean }
  | { by: 'eer' | 'sameSourceEer' | 'auc'; model: number; descending: boolean };

/** Whether counts are shown in place of a rate; of evaluations that do not say, the recordings decide. */
export function tooFew(figures: Figures): boolean {
  return figures.tooFew ?? figures.spoofs < leastRecordings;
}

export function sameSourceTooFew(figures: Figures): boolean {
  return figures.sameSourceTooFew ?? tooFew(figures);
}

/** Every generator that any of the models was measured on. */
export function generatorRows(results: readonly Pick<EvaluationResult, 'generators'>[]): GeneratorRow[] {
  const byModel = results.map(({ generators }) => new Map(generators.map((each) => [each.generator, each])));
  const names = new Set(results.flatMap(({ generators }) => generators.map(({ generator }) => generator)));
  return [...names].map((generator) => {
    const figures = byModel.map((each) => each.get(generator) ?? null);
    return { generator, spoofs: Math.max(...figures.map((each) => each?.spoofs ?? 0)), figures };
  });
}

/** Rows whose generator's name holds the text, in an order; what shows no figure comes last either way. */
export function orderedGenerators(
  rows: readonly GeneratorRow[],
  order: GeneratorOrder,
  filter: string,
): GeneratorRow[] {
  const wanted = filter.trim().toLocaleLowerCase();
  const sign = order.descending ? -1 : 1;
  const byName = (one: GeneratorRow, other: GeneratorRow): number =>
    one.generator.localeCompare(other.generator, 'en', { numeric: true });
  return rows
    .filter(({ generator }) => generator.toLocaleLowerCase().includes(wanted))
    .sort((one, other) => {
      if (order.by === 'generator') return sign * byName(one, other);
      if (!('model' in order)) return sign * (one.spoofs - other.spoofs) || byName(one, other);
      const a = shownFigure(one.figures[order.model], order.by);
      const b = shownFigure(other.figures[order.model], order.by);
      if (a === null || b === null) return Number(a === null) - Number(b === null) || byName(one, other);
      return sign * (a - b) || byName(one, other);
    });
}

function shownFigure(figures: Figures | null, by: 'eer' | 'sameSourceEer' | 'auc'): number | null {
  if (figures === null || (by === 'sameSourceEer' ? sameSourceTooFew(figures) : tooFew(figures))) return null;
  return figures[by];
}
