/** From stored evaluations to plots. Scores and likelihood ratios never share an axis, nor do the scores of two models. */
import type { Evaluation, EvaluationResult } from '../../../src-common/schemas/evaluation.ts';
import type { ModelLook, Role } from '../../../src-common/plots/theme.ts';
import { modelLooks } from '../../charts/looks.ts';
import type { Layer, Plot, PlotAxis, Point } from '../../../src-common/plots/plot.ts';
import { probitTicks } from '../../../src-common/plots/probit.ts';
import { formatCount, formatNumber, formatPercent, none } from '../../format.ts';
import { datasetName } from '../../../src-common/dataset-name.ts';
import { evaluate } from '../../texts/evaluate.ts';
import { type Confusion, confusionAt } from './confusion.ts';

const texts = evaluate.plots;

/** One model's results, how they are drawn, and the threshold that is set for it now. */
interface ShownResult {
  result: EvaluationResult;
  name: string;
  look: ModelLook;
  threshold: number;
}

/** What every plot of an evaluation is made of. */
export interface Shown {
  dataset: string;
  split: string;
  results: readonly ShownResult[];
}

/** Prepares an evaluation for its plots. @param thresholds by model; where none is set, that of the card. */
export function shownOf(evaluation: Evaluation, thresholds: Readonly<Record<string, number>>): Shown {
  const looks = modelLooks(evaluation.results.map(({ modelSha256 }) => modelSha256));
  const names = distinctNames(evaluation.results);
  return {
    dataset: datasetName(evaluation.dataset),
    split: evaluation.split,
    results: evaluation.results.map((result, i) => ({
      result,
      name: names[i],
      look: looks.get(result.modelSha256)!,
      threshold: thresholds[result.modelId] ?? result.threshold,
    })),
  };
}

/** Names of models; where two are called alike, with the first digits of their hash. */
function distinctNames(results: readonly EvaluationResult[]): string[] {
  return results.map(({ modelName, modelSha256 }) =>
    results.filter((other) => other.modelName === modelName).length > 1
      ? `${modelName} (${modelSha256.slice(0, 6)})`
      : modelName,
  );
}

const percent = (fraction: number): string => String(Number((100 * fraction).toPrecision(4)));
const plain = (value: number): string => String(Number(value.toPrecision(4))).replace('-', '−');
const unit = { scale: 'linear', from: 0, to: 1, format: percent } as const;

/** The receiver operating characteristic of all models. */
export function rocPlot(shown: Shown): Plot {
  return curvesPlot(shown, {
    id: 'roc',
    title: texts.roc,
    x: { ...unit, label: texts.spoofsAccepted, column: 'spoofs_accepted_fraction' },
    y: { ...unit, label: texts.bonafideAccepted, column: 'bonafide_accepted_fraction' },
    curve: ({ roc }) => roc,
    band: ({ rocBand }) => rocBand,
    entry: (result, name) => texts.rocEntry(figureText(result, 'auc'), name),
    point: ({ falseAcceptRate, missRate }) => [falseAcceptRate.rate ?? 0, 1 - (missRate.rate ?? 0)],
    reference: { points: diagonal, name: texts.chance },
    gist: (result, name) => texts.gist.roc(name, figureText(result, 'auc')),
  });
}

/** Precision over recall of bona fide, of all models. */
export function precisionRecallPlot(shown: Shown): Plot {
  const [{ result }] = shown.results;
  const share = result.bonafide / (result.bonafide + result.spoof);
  return curvesPlot(shown, {
    id: 'precision-recall',
    title: texts.precisionRecall,
    x: { ...unit, label: texts.recall, column: 'recall_fraction' },
    y: { ...unit, label: texts.precision, column: 'precision_fraction' },
    curve: ({ precisionRecall }) => precisionRecall,
    band: ({ precisionBand }) => precisionBand,
    entry: (each, name) => texts.precisionEntry(figureText(each, 'averagePrecisionBonafide'), name),
    point: ({ missRate, precisionBonafide }) => [1 - (missRate.rate ?? 0), precisionBonafide.rate ?? 1],
    reference: { points: [[0, share], [1, share]], name: texts.share(formatPercent(share)) }, // prettier-ignore
    gist: (each, name) => texts.gist.precisionRecall(name, figureText(each, 'averagePrecisionBonafide')),
  });
}

/** The detection error trade-off of all models, on probit axes. */
export function detPlot(shown: Shown): Plot {
  const fewest = Math.min(...shown.results.map(({ result }) => Math.min(result.bonafide, result.spoof)));
  const hardest = Math.max(...shown.results.map(({ result }) => valueOf(result, 'eer') ?? 0));
  const from =
    [...probitTicks].reverse().find((rate) => rate <= Math.max(probitTicks[0], 0.5 / fewest)) ?? probitTicks[0];
  const to = hardest < 0.1 ? 0.6 : hardest < 0.35 ? 0.95 : 0.99;
  const axis = { scale: 'probit', from, to, format: percent } as const;
  return curvesPlot(shown, {
    id: 'det',
    title: texts.det,
    x: { ...axis, label: texts.spoofsAcceptedProbit, column: 'spoofs_accepted_fraction' },
    y: { ...axis, label: texts.bonafideRejectedProbit, column: 'bonafide_rejected_fraction' },
    curve: ({ det }) => det,
    band: ({ detBand }) => detBand,
    entry: (result, name) => texts.detEntry(figureText(result, 'eer'), name),
    point: ({ falseAcceptRate, missRate }) => [falseAcceptRate.rate ?? 0, missRate.rate ?? 0],
    reference: { points: [[from, from], [to, to]], name: texts.equal }, // prettier-ignore
    gist: (result, name) => texts.gist.det(name, figureText(result, 'eer')),
  });
}

const diagonal: readonly Point[] = [
  [0, 0],
  [1, 1],
];

interface CurvesPlot {
  id: string;
  title: string;
  x: PlotAxis;
  y: PlotAxis;
  curve: (result: EvaluationResult) => readonly Point[];
  band: (result: EvaluationResult) => readonly (readonly [number, number, number])[];
  entry: (result: EvaluationResult, name: string) => string;
  point: (confusion: Confusion) => Point;
  reference: { points: readonly Point[]; name: string };
  gist: (result: EvaluationResult, name: string) => string;
}

function curvesPlot(shown: Shown, parts: CurvesPlot): Plot {
  const { id, title, x, y, reference } = parts;
  const { results } = shown;
  const single = results.length === 1;
  const bands = results.flatMap(({ result, name, look }): Layer[] => {
    const points = parts.band(result);
    return points.length === 0
      ? []
      : [{ kind: 'band', points, role: look.role, name: single ? texts.allBands : texts.band(name), inLegend: single }];
  });
  return {
    id,
    title,
    subject: subjectOf(shown),
    x,
    y,
    layers: [
      ...bands,
      { kind: 'line', ...reference, role: 'inconclusive', dash: 'dots', reference: true },
      ...results.map(({ result, name, look }): Layer => ({
        kind: 'line',
        points: ascending(parts.curve(result)),
        role: look.role,
        name: parts.entry(result, name),
      })),
      ...results.map(({ result, name, look, threshold }): Layer => ({
        kind: 'marks',
        points: [parts.point(confusionAt(result, threshold))],
        role: look.role,
        mark: look.mark,
        hollow: true,
        name: texts.operatingPoint(name, plain(threshold)),
      })),
    ],
    gist: results.map(({ result, name }) => parts.gist(result, name)).join(' '),
    ...(bands.length > 0 && !single ? { note: `${texts.allBands}.` } : {}),
  };
}

/** Reliability of the likelihood ratios of all models at a prior of one half. */
export function calibrationPlot(shown: Shown): Plot {
  return {
    id: 'calibration',
    title: texts.calibration,
    subject: subjectOf(shown),
    x: { ...unit, label: texts.probability, column: 'stated_probability_fraction', ticks: 10 },
    y: { ...unit, label: texts.bonafideAmong, column: 'bonafide_share_fraction' },
    layers: [
      { kind: 'line', points: diagonal, name: texts.perfect, role: 'inconclusive', dash: 'dots', reference: true },
      ...shown.results.flatMap(({ result, name, look }): Layer[] => {
        const bins = result.calibration
          .filter(({ meanProbability, bonafideShare }) => meanProbability !== null && bonafideShare !== null)
          .sort((one, other) => one.meanProbability! - other.meanProbability!);
        const points = bins.map(({ meanProbability, bonafideShare }): Point => [meanProbability!, bonafideShare!]);
        const entry = texts.calibrationEntry(figureText(result, 'expectedCalibrationError'), name);
        return [
          { kind: 'line', points, name: entry, role: look.role, inLegend: false, reference: true },
          {
            kind: 'marks',
            points,
            whiskers: bins.map(({ interval }) => interval),
            mark: look.mark,
            name: entry,
            role: look.role,
          },
        ];
      }),
    ],
    gist: shown.results
      .map(({ result, name }) => texts.gist.calibration(name, figureText(result, 'expectedCalibrationError')))
      .join(' '),
    note: texts.calibrationNote,
  };
}

/** How many recordings of either class stand in each bin of the calibration curve; a bar each, the models side by side. */
export function calibrationCountsPlot(shown: Shown): Plot {
  const { results } = shown;
  const single = results.length === 1;
  const bars = results.flatMap(({ result, name, look }, index) =>
    (single ? (['bonafide', 'spoof'] as const) : ([null] as const)).map((label, half) => {
      const slots = single ? 2 : results.length;
      const slot = single ? half : index;
      const total = result.calibration.reduce((sum, bin) => sum + countIn(bin, label), 0);
      const entry =
        label === 'bonafide'
          ? texts.bonafideCount(formatCount(total))
          : label === 'spoof'
            ? texts.spoofCount(formatCount(total))
            : name;
      const role: Role = label ?? look.role;
      return { entry, role, slot, slots, bins: result.calibration, label };
    }),
  );
  const most = Math.max(1, ...bars.flatMap(({ bins, label }) => bins.map((bin) => countIn(bin, label))));
  return {
    id: 'calibration-counts',
    title: texts.counts,
    subject: subjectOf(shown),
    x: { ...unit, label: texts.probability, column: 'stated_probability_fraction', ticks: 10 },
    y: {
      label: texts.recordings,
      column: 'recordings',
      scale: 'linear',
      from: 0,
      to: most * 1.05,
      format: formatCount,
      whole: true,
    },
    layers: bars.map(({ entry, role, slot, slots, bins, label }): Layer => ({
      kind: 'area',
      name: entry,
      role,
      bins: bins.map((bin) => ({ from: bin.from, to: bin.to, value: countIn(bin, label) })),
      points: bins.flatMap((bin): Point[] => {
        const width = (bin.to - bin.from) * 0.84;
        const left = bin.from + (bin.to - bin.from) * 0.08 + (width * slot) / slots;
        const right = left + width / slots;
        const count = countIn(bin, label);
        return [[left, 0], [left, count], [right, count], [right, 0]]; // prettier-ignore
      }),
    })),
    gist: texts.gist.counts,
  };
}

function countIn(bin: EvaluationResult['calibration'][number], label: 'bonafide' | 'spoof' | null): number {
  return label === null ? bin.bonafide + bin.spoof : bin[label];
}

/** Tippett plot: of either class, the share of recordings with a larger likelihood ratio. */
export function tippettPlot(shown: Shown): Plot {
  const { results } = shown;
  const single = results.length === 1;
  // All but the outermost half per cent at either end, at least from a third to three.
  let [from, to] = [-0.5, 0.5];
  for (const { result } of results) {
    for (const curve of [result.tippett.bonafide, result.tippett.spoof]) {
      const rising = ascending(curve).filter(([log10Lr]) => Number.isFinite(log10Lr));
      from = Math.min(from, rising.findLast(([, share]) => share >= 0.995)?.[0] ?? from);
      to = Math.max(to, rising.find(([, share]) => share <= 0.005)?.[0] ?? rising.at(-1)?.[0] ?? to);
    }
  }
  const margin = (to - from) * 0.04;
  const misleading = ({ tippett }: EvaluationResult): [bonafide: number, spoof: number] => [
    1 - shareAbove(tippett.bonafide, 0),
    shareAbove(tippett.spoof, 0),
  ];
  return {
    id: 'tippett',
    title: texts.tippett,
    subject: subjectOf(shown),
    x: {
      label: texts.log10Lr,
      column: 'log10_likelihood_ratio',
      scale: 'linear',
      from: from - margin,
      to: to + margin,
      format: plain,
      ticks: 8,
    },
    y: { ...unit, label: texts.larger, column: 'recordings_with_larger_ratio_fraction' },
    layers: [
      { kind: 'upright', x: 0, name: texts.neutral, role: 'inconclusive', dash: 'dots' },
      ...results.flatMap(({ result, name, look }): Layer[] => {
        const [bonafide, spoof] = misleading(result).map((share) => formatPercent(share));
        return [
          {
            kind: 'line',
            points: descent(result.tippett.bonafide, from - margin, to + margin),
            role: single ? 'bonafide' : look.role,
            name: single ? texts.bonafideLine(bonafide) : texts.bonafideLineOf(name, bonafide),
          },
          {
            kind: 'line',
            points: descent(result.tippett.spoof, from - margin, to + margin),
            role: single ? 'spoof' : look.role,
            dash: 'dashes',
            name: single ? texts.spoofLine(spoof) : texts.spoofLineOf(name, spoof),
          },
        ];
      }),
      ...results.flatMap(({ result, name, look }): Layer[] =>
        (['bonafide', 'spoof'] as const).map((label) => ({
          kind: 'marks',
          points: [[0, shareAbove(result.tippett[label], 0)]],
          role: single ? label : look.role,
          mark: look.mark,
          hollow: true,
          inLegend: false,
          name: label === 'bonafide' ? texts.bonafideOf(name) : texts.spoofOf(name),
        })),
      ),
    ],
    gist: results
      .map(({ result, name }) => {
        const [bonafide, spoof] = misleading(result).map((share) => formatPercent(share));
        return texts.gist.tippett(name, bonafide, spoof);
      })
      .join(' '),
    note: texts.tippettNote,
  };
}

/** A Tippett curve as the steps that it is, over the whole axis: its points are the shares up to and at each ratio. */
function descent(curve: readonly Point[], from: number, to: number): Point[] {
  const points: Point[] = [[from, 1]];
  let before = from;
  for (const [log10Lr, share] of ascending(curve)) {
    points.push([before, share], [log10Lr, share]);
    before = log10Lr;
  }
  points.push([before, 0], [Math.max(before, to), 0]);
  return points;
}

/** The share of recordings with a ratio above a place on the axis. */
function shareAbove(curve: readonly Point[], x: number): number {
  return ascending(curve).find(([at]) => at > x)?.[1] ?? 0;
}

/** Ends of a model's axis of scores: those of its histogram, wide enough for its thresholds. */
export function scoreRange({ histogram, threshold, eerThreshold }: EvaluationResult): [from: number, to: number] {
  const from = Math.min(histogram.from, threshold, eerThreshold);
  const to = Math.max(histogram.to, threshold, eerThreshold);
  return to > from ? [from, to] : [from - 0.5, to + 0.5];
}

/** Both classes of one model over its score, with the threshold that is set and that of its card. */
export function scorePlot(shown: Shown, { result, name, threshold }: ShownResult): Plot {
  const { histogram } = result;
  const [from, to] = scoreRange(result);
  const count = histogram.bonafide.length;
  const edge = (bin: number): number => histogram.from + ((histogram.to - histogram.from) * bin) / count;
  const shares = (['bonafide', 'spoof'] as const).map((label) => {
    const total = histogram[label].reduce((sum, each) => sum + each, 0);
    return { label, total, shares: histogram[label].map((each) => (total === 0 ? 0 : each / total)) };
  });
  const most = Math.max(0.01, ...shares.flatMap((each) => each.shares));
  const confusion = confusionAt(result, threshold);
  const isCard = threshold === result.threshold;
  return {
    id: 'scores',
    title: texts.scores,
    subject: `${name}; ${shown.dataset}, ${shown.split}`,
    x: { label: texts.score(name), column: 'score', scale: 'linear', from, to, format: plain, ticks: 8 },
    y: {
      label: texts.shareOfClass,
      column: 'share_of_class_fraction',
      scale: 'linear',
      from: 0,
      to: most * 1.06,
      format: percent,
    },
    layers: [
      ...shares.map(({ label, shares: values }): Layer => {
        const counted = formatCount(result[label]);
        return {
          kind: 'area',
          role: label,
          name: label === 'bonafide' ? texts.bonafideClass(counted) : texts.spoofClass(counted),
          bins: values.map((value, bin) => ({ from: edge(bin), to: edge(bin + 1), value })),
          points: [
            [edge(0), 0],
            ...values.flatMap((value, bin): Point[] => [[edge(bin), value], [edge(bin + 1), value]]), // prettier-ignore
            [edge(count), 0],
          ],
        };
      }),
      ...(isCard
        ? []
        : [
            {
              kind: 'upright',
              x: result.threshold,
              role: 'inconclusive',
              dash: 'dots',
              name: texts.cardThreshold(plain(result.threshold)),
            } satisfies Layer,
          ]),
      { kind: 'upright', x: threshold, role: 'text', dash: 'dashes', name: texts.threshold(plain(threshold)) },
    ],
    note: texts.scoresNote,
    gist: texts.gist.scores(
      name,
      plain(threshold),
      formatPercent(confusion.missRate.rate),
      formatPercent(confusion.falseAcceptRate.rate),
    ),
  };
}

function subjectOf({ results, dataset, split }: Shown): string {
  return texts.subject(results.map(({ name }) => name).join(', '), dataset, split);
}

function ascending(points: readonly Point[]): readonly Point[] {
  return points.length > 1 && points[0][0] > points[points.length - 1][0] ? [...points].reverse() : points;
}

function valueOf({ figures }: EvaluationResult, name: string): number | undefined {
  return figures.find((figure) => figure.name === name)?.value;
}

/** A figure of a model with its unit and its interval; a dash where it has none of that name. */
export function figureText({ figures }: EvaluationResult, name: string): string {
  const figure = figures.find((each) => each.name === name);
  return figure === undefined ? none : withInterval(figure.value, figure.unit, figure.interval);
}

/** A value with its unit and its interval in brackets, to the digits that it deserves. */
export function withInterval(value: number, unitName: string, interval: readonly [number, number] | null): string {
  const text = figureValue(value, unitName, true);
  if (interval === null) return text;
  const [low, high] = interval.map((end) => figureValue(end, unitName, false));
  return `${text} [${low}, ${high}]`;
}

/** One value of a figure: rates in per cent, everything else to three digits. */
function figureValue(value: number, unitName: string, named: boolean): string {
  if (unitName === 'fraction') return named ? formatPercent(value) : formatNumber(100 * value, 1);
  return `${formatNumber(value, 3)}${named && unitName !== '' ? `\u00a0${unitName}` : ''}`;
}
