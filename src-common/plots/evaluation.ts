/** From evaluation figures to plots. Scores and likelihood ratios never share an axis, nor do the scores of two models. */
import { generatorRows, orderedGenerators, sameSourceTooFew, tooFew } from '../generators.ts';
import { leastRecordings } from '../interval-rule.ts';
import {
  axisNumber as plain,
  axisPercent as percent,
  formatCount,
  formatNumber,
  formatPercent,
  none,
} from '../numbers.ts';
import type { PlottedFigures } from '../schemas/evaluation.ts';
import { type Confusion, confusionAt } from './confusion.ts';
import { fitText, type Sheet } from './draw.ts';
import type { Layer, Plot, Point } from './plot.ts';
import { probitTicks } from './probit.ts';
import { evaluationTexts as texts } from './texts.ts';
import type { ModelLook, Role } from './theme.ts';

/** One model's results, how they are drawn, and the threshold that is set for it. */
export interface ShownResult {
  result: PlottedFigures;
  name: string;
  look: ModelLook;
  threshold: number;
}

/** What every plot of an evaluation is made of. */
export interface Shown<Result extends ShownResult = ShownResult> {
  /** Which recordings, as in `corpus, test`; empty where the names say it. */
  data: string;
  results: readonly Result[];
  /** Where scores are taken for likelihood ratios as they are: that it is so. */
  ratios?: string;
}

const unit = { scale: 'linear', from: 0, to: 1, format: percent } as const;

/** The receiver operating characteristic of all models. */
export function rocPlot(shown: Shown): Plot {
  return curvesPlot(shown, {
    id: 'roc',
    title: texts.roc,
    x: { ...unit, label: texts.spoofsAccepted, column: 'spoofs_accepted_fraction' },
    y: { ...unit, label: texts.bonafideAccepted, column: 'bonafide_accepted_fraction' },
    curves: [
      {
        points: ({ roc }) => roc,
        band: ({ rocBand }) => rocBand,
        entry: (result, name) => texts.rocEntry(figureText(result, 'auc'), name),
        at: ({ falseAcceptRate, missRate }) => [falseAcceptRate.rate ?? 0, 1 - (missRate.rate ?? 0)],
      },
    ],
    reference: { points: diagonal, name: texts.chance },
    gist: (result, name) => texts.gist.roc(name, figureText(result, 'auc')),
  });
}

/** Precision over recall of both classes, of all models: bona fide as solid lines, spoofs as dashes. */
export function precisionRecallPlot(shown: Shown): Plot {
  const [{ result }] = shown.results;
  const share = result.bonafide / (result.bonafide + result.spoof);
  return curvesPlot(shown, {
    id: 'precision-recall',
    title: texts.precisionRecall,
    x: { ...unit, label: texts.recall, column: 'recall_fraction' },
    y: { ...unit, label: texts.precision, column: 'precision_fraction' },
    curves: [
      {
        role: 'bonafide',
        points: ({ precisionRecall }) => precisionRecall,
        band: ({ precisionBand }) => precisionBand,
        entry: (each, name) => texts.precisionEntry(figureText(each, 'averagePrecisionBonafide'), name),
        // Where nothing is taken for a class, its precision is drawn as 1, where the curve begins.
        at: ({ missRate, precisionBonafide }) => [1 - (missRate.rate ?? 0), precisionBonafide.rate ?? 1],
      },
      {
        role: 'spoof',
        dash: 'dashes',
        points: ({ precisionRecallSpoof }) => precisionRecallSpoof,
        band: ({ precisionBandSpoof }) => precisionBandSpoof,
        entry: (each, name) => texts.spoofPrecisionEntry(figureText(each, 'averagePrecisionSpoof'), name),
        at: ({ falseAcceptRate, precisionSpoof }) => [1 - (falseAcceptRate.rate ?? 0), precisionSpoof.rate ?? 1],
      },
    ],
    reference: { points: [[0, share], [1, share]], name: texts.share(formatPercent(share)) }, // prettier-ignore
    gist: (each, name) =>
      texts.gist.precisionRecall(
        name,
        figureText(each, 'averagePrecisionBonafide'),
        figureText(each, 'averagePrecisionSpoof'),
      ),
  });
}

/** The detection error trade-off of all models, on probit axes, on which normally distributed scores give straight lines. */
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
    curves: [
      {
        points: ({ det }) => det,
        band: ({ detBand }) => detBand,
        entry: (result, name) => texts.detEntry(figureText(result, 'eer'), name),
        at: ({ falseAcceptRate, missRate }) => [falseAcceptRate.rate ?? 0, missRate.rate ?? 0],
      },
    ],
    reference: { points: [[from, from], [to, to]], name: texts.equal }, // prettier-ignore
    gist: (result, name) => texts.gist.det(name, figureText(result, 'eer')),
  });
}

const diagonal: readonly Point[] = [
  [0, 0],
  [1, 1],
];

/** A curve that each model has in a plot. */
interface ModelCurve {
  /** Of a single model; several have their own. */
  role?: Role;
  dash?: 'dashes';
  points: (result: PlottedFigures) => readonly Point[];
  band: (result: PlottedFigures) => readonly (readonly [number, number, number])[];
  entry: (result: PlottedFigures, name: string) => string;
  /** Where the model's threshold lies on it. */
  at: (confusion: Confusion) => Point;
}

interface CurvesPlot extends Pick<Plot, 'id' | 'title' | 'x' | 'y'> {
  curves: readonly ModelCurve[];
  reference: { points: readonly Point[]; name: string };
  gist: (result: PlottedFigures, name: string) => string;
}

function curvesPlot(shown: Shown, { curves, reference, gist, ...rest }: CurvesPlot): Plot {
  const { results } = shown;
  const single = results.length === 1;
  const drawn = results.flatMap((each) =>
    curves.flatMap((curve) => {
      const points = curve.points(each.result);
      const role = (single ? curve.role : undefined) ?? each.look.role;
      return points.length === 0 ? [] : [{ ...each, curve, points, role }];
    }),
  );
  const bands = drawn.flatMap(({ curve, result, name, role }): Layer[] => {
    const points = curve.band(result);
    const entry = single ? texts.allBands : texts.band(name);
    return points.length === 0 ? [] : [{ kind: 'band', points, role, name: entry, inLegend: single }];
  });
  const note = resamplingNote(shown) ?? (bands.length > 0 && !single ? `${texts.allBands}.` : undefined);
  return {
    ...rest,
    subject: subjectOf(shown),
    layers: [
      ...bands,
      { kind: 'line', ...reference, role: 'inconclusive', dash: 'dots', reference: true },
      ...drawn.map(({ curve, points, result, name, role }): Layer => ({
        kind: 'line',
        points: ascending(points),
        role,
        name: curve.entry(result, name),
        ...(curve.dash ? { dash: curve.dash } : {}),
      })),
      ...drawn.map(({ curve, result, name, look, role, threshold }): Layer => {
        const called = threshold === result.eerThreshold ? texts.equalPoint : texts.operatingPoint;
        return {
          kind: 'marks',
          points: [curve.at(confusionAt(result, threshold))],
          role,
          mark: look.mark,
          hollow: true,
          name: called(name, plain(threshold)),
        };
      }),
    ],
    gist: results.map(({ result, name }) => gist(result, name)).join(' '),
    ...(note === undefined ? {} : { note }),
  };
}

/** Says what intervals and bands are; undefined where nothing says how they were drawn. */
function resamplingNote({ results }: Shown): string | undefined {
  const { resampling } = results[0].result;
  if (resampling === null) return undefined;
  const { tooFew: areTooFew, confidence, levels, replicates } = resampling;
  return areTooFew
    ? texts.tooFew
    : texts.resampled(formatPercent(confidence, 0), levels.join(', '), formatCount(replicates));
}

/** Reliability of the likelihood ratios of all models at a prior of one half. */
export function calibrationPlot(shown: Shown): Plot {
  return {
    id: 'calibration',
    title: texts.calibration,
    subject: subjectOf(shown, true),
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
        const band = bins.flatMap(({ meanProbability, interval }) =>
          interval === null ? [] : [[meanProbability!, ...interval] as const],
        );
        return [
          { kind: 'band', points: band, name: entry, role: look.role, inLegend: false, reference: true },
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

/** Reliability and, below it, how many recordings it stands on, in one picture. */
export function calibrationSheet(shown: Shown): Sheet {
  const plot = calibrationPlot(shown);
  const counts = { ...calibrationCountsPlot(shown), height: 120 };
  const { title, subject, gist } = plot;
  return { title, subject, gist, plots: [{ ...plot, height: 320 }, counts], columns: 1 };
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
    subject: subjectOf(shown, true),
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

function countIn(bin: PlottedFigures['calibration'][number], label: 'bonafide' | 'spoof' | null): number {
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
  return {
    id: 'tippett',
    title: texts.tippett,
    subject: subjectOf(shown, true),
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
        const [bonafide, spoof] = misleadingTexts(result);
        return [
          {
            kind: 'line',
            points: descent(result.tippett.bonafide, from - margin, to + margin),
            role: single ? 'bonafide' : look.role,
            name: single
              ? texts.bonafideLine(formatCount(result.bonafide), bonafide)
              : texts.bonafideLineOf(name, bonafide),
          },
          {
            kind: 'line',
            points: descent(result.tippett.spoof, from - margin, to + margin),
            role: single ? 'spoof' : look.role,
            dash: 'dashes',
            name: single ? texts.spoofLine(formatCount(result.spoof), spoof) : texts.spoofLineOf(name, spoof),
          },
        ];
      }),
      ...results.flatMap(({ result, name, look }): Layer[] =>
        (['bonafide', 'spoof'] as const).map((label) => ({
          kind: 'marks',
          points: [[0, label === 'bonafide' ? 1 - misleadingOf(result).bonafide : misleadingOf(result).spoof]],
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
        const [bonafide, spoof] = misleadingTexts(result);
        return texts.gist.tippett(name, bonafide, spoof);
      })
      .join(' '),
    note: texts.tippettNote,
  };
}

/** Shares of either class on the wrong side of one; of older evaluations, as exactly as the curves say. */
function misleadingOf({ misleading, tippett }: PlottedFigures): { bonafide: number; spoof: number } {
  return misleading ?? { bonafide: 1 - shareAbove(tippett.bonafide, 0), spoof: shareAbove(tippett.spoof, 0) };
}

function misleadingTexts(result: PlottedFigures): [bonafide: string, spoof: string] {
  const { bonafide, spoof } = misleadingOf(result);
  return [formatPercent(bonafide), formatPercent(spoof)];
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

/** Empirical cross-entropy of all models over the prior odds; null where none has it, as in evaluations of an older version. */
export function crossEntropyPlot(shown: Shown): Plot | null {
  const drawn = shown.results.flatMap(({ result, ...each }) =>
    result.crossEntropy === null ? [] : [{ ...each, ...result.crossEntropy }],
  );
  if (drawn.length === 0) return null;
  const [{ neutral }] = drawn;
  const highest = Math.max(...drawn.flatMap(({ given }) => given.map(([, bits]) => bits)));
  // At prior odds of one it is Cllr.
  const cllr = (curve: readonly Point[]): string => {
    const bits = curve[(curve.length - 1) / 2][1];
    return bits < 100 || bits === Infinity ? formatNumber(bits, 3) : bits.toExponential(1);
  };
  return {
    id: 'cross-entropy',
    title: texts.crossEntropy,
    subject: subjectOf(shown, true),
    x: {
      label: texts.priorOdds,
      column: 'log10_prior_odds',
      scale: 'linear',
      from: neutral[0][0],
      to: neutral[neutral.length - 1][0],
      format: plain,
      ticks: 10,
    },
    y: {
      label: texts.bits,
      column: 'cross_entropy_bits',
      scale: 'linear',
      from: 0,
      to: Math.min(2, Math.max(1.05, 1.05 * highest)),
      format: plain,
    },
    layers: [
      { kind: 'line', points: neutral, name: texts.noRatios, role: 'inconclusive', dash: 'dots', reference: true },
      ...drawn.flatMap(({ name, look: { role }, given, calibrated }): Layer[] => [
        { kind: 'line', points: given, role, name: texts.givenRatios(cllr(given), name) },
        { kind: 'line', points: calibrated, role, dash: 'dashes', name: texts.bestRatios(cllr(calibrated), name) },
      ]),
    ],
    gist: drawn
      .map(({ name, given, calibrated }) => texts.gist.crossEntropy(name, cllr(given), cllr(calibrated)))
      .join(' '),
    note: texts.crossEntropyNote,
  };
}

/**
 * EER of each generator, the hardest (for the first model) first, with intervals: against all bona fide recordings, of a single model
 * also against those of the same source. Those with too few recordings come last and show how many of their spoofs are accepted.
 */
export function generatorsPlot(shown: Shown): Plot {
  const { results } = shown;
  const single = results.length === 1;
  const rows = orderedGenerators(
    generatorRows(results.map(({ result }) => result)),
    { by: 'eer', model: 0, descending: true },
    '',
  );
  const figuresOf = (model: number) =>
    rows.flatMap(({ figures }, row) => (figures[model] === null ? [] : [{ row, figures: figures[model] }]));
  const sameSource = single ? figuresOf(0).filter(({ figures }) => figures.sameSourceEer !== null) : [];
  const tracks = single ? (sameSource.length > 0 ? 2 : 1) : results.length;
  const rowHeight = Math.max(20, 8 + 9 * tracks);
  const place = (row: number, track: number): number => row + 0.5 + ((track - (tracks - 1) / 2) * 9) / rowHeight;
  const series = results.map(({ name, look }, model): Extract<Layer, { kind: 'marks' }> => {
    const found = figuresOf(model).filter(({ figures }) => !tooFew(figures));
    return {
      kind: 'marks',
      mark: look.mark,
      role: single ? 'spoof' : look.role,
      name: single ? texts.againstAll : texts.againstAllOf(name),
      points: found.map(({ row, figures }) => [figures.eer, place(row, model)]),
      whiskers: found.map(({ figures }) => figures.interval),
      level: true,
    };
  });
  if (sameSource.length > 0) {
    const found = sameSource.filter(({ figures }) => !sameSourceTooFew(figures));
    series.push({
      kind: 'marks',
      mark: 'circle',
      role: 'text',
      hollow: true,
      name: texts.againstSource,
      points: found.map(({ row, figures }) => [figures.sameSourceEer ?? 0, place(row, 1)]),
      whiskers: found.map(({ figures }) => figures.sameSourceInterval),
      level: true,
    });
  }
  const pooled = results.map(({ result }) => valueOf(result, 'eer') ?? 0);
  const most = Math.max(0.01, ...pooled, ...series.flatMap((each) => [...each.points.map(([eer]) => eer), ...(each.whiskers ?? []).map((ends) => ends?.[1] ?? 0)])); // prettier-ignore
  const label = ({ generator, spoofs, figures: [figures] }: (typeof rows)[number]): string => {
    const name = `${fitText(generator, 130, 11)} (${formatCount(spoofs)})`;
    if (!single || figures === null) return name;
    if (!tooFew(figures)) return `${name}: ${formatPercent(figures.eer)}`;
    return figures.accepted === undefined
      ? name
      : `${name}: ${texts.acceptedOf(formatCount(figures.accepted), formatCount(figures.spoofs))}`;
  };
  const few = results.some(({ result }) => result.generators.some((figures) => tooFew(figures)));
  const note = [resamplingNote(shown), few ? texts.fewOf(leastRecordings) : undefined].filter(Boolean).join(' ');
  const [hardest] = rows;
  return {
    id: 'eer-by-generator',
    title: texts.generators,
    subject: subjectOf(shown),
    x: { ...unit, label: texts.eerAxis, column: 'eer_fraction', to: Math.min(1, 1.08 * most) },
    y: {
      label: '',
      column: 'row',
      scale: 'linear',
      from: rows.length,
      to: 0,
      at: rows.map((_, row) => row + 0.5),
      format: (row) => label(rows[Math.floor(row)]),
    },
    height: Math.max(1, rows.length) * rowHeight,
    layers: [
      ...results.map(({ result, name, look }, model): Layer => {
        const eer = figureText(result, 'eer');
        return {
          kind: 'upright',
          x: pooled[model],
          role: single ? 'text' : look.role,
          dash: 'dashes',
          name: single ? texts.pooled(eer) : texts.pooledOf(eer, name),
        };
      }),
      ...series,
    ],
    gist: rows.length === 0 ? '' : texts.gist.generators(hardest.generator, formatPercent(hardest.figures[0]?.eer)),
    ...(note === '' ? {} : { note }),
  };
}

/** Ends of a model's axis of scores: those of its histogram, wide enough for its thresholds. */
export function scoreRange({ histogram, threshold, eerThreshold }: PlottedFigures): [from: number, to: number] {
  const ends = [histogram.from, histogram.to, threshold, eerThreshold].filter(Number.isFinite);
  const [from, to] = [Math.min(...ends), Math.max(...ends)];
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
    subject: texts.subject(name, shown.data),
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
    ...(histogram.beyond === 0
      ? {}
      : { note: histogram.beyond === undefined ? texts.beyond : texts.beyondCount(formatCount(histogram.beyond)) }),
    gist: texts.gist.scores(
      name,
      plain(threshold),
      formatPercent(confusion.missRate.rate),
      formatPercent(confusion.falseAcceptRate.rate),
    ),
  };
}

function subjectOf({ results, data, ratios }: Shown, ofRatios = false): string {
  const names = results.map(({ name }) => name).join(', ');
  return texts.subject(names, ofRatios && ratios !== undefined ? ratios : data);
}

function ascending(points: readonly Point[]): readonly Point[] {
  return points.length > 1 && points[0][0] > points[points.length - 1][0] ? [...points].reverse() : points;
}

function valueOf({ figures }: PlottedFigures, name: string): number | undefined {
  return figures.find((figure) => figure.name === name)?.value;
}

/** A figure of a model with its unit and its interval; a dash where it has none of that name. */
export function figureText({ figures }: Pick<PlottedFigures, 'figures'>, name: string): string {
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
