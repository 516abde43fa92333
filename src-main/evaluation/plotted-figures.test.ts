import { Resvg } from '@resvg/resvg-js';
import { describe, expect, test } from 'vitest';
import { confusionPicture } from '../../src-common/plots/confusion-picture.ts';
import {
  calibrationSheet,
  crossEntropyPlot,
  detPlot,
  generatorsPlot,
  precisionRecallPlot,
  rocPlot,
  scorePlot,
  type Shown,
  tippettPlot,
} from '../../src-common/plots/evaluation.ts';
import { plotSvg } from '../../src-common/plots/svg.ts';
import { lookAt } from '../../src-common/plots/theme.ts';
import { Random } from '../base/random.ts';
import { bootstrap } from './bootstrap.ts';
import { detectionMetrics } from './metrics.ts';
import { plottedFigures } from './plotted-figures.ts';
import type { Trial } from './trials.ts';

function trialsOf(count: number, scale = 1): Trial[] {
  const random = new Random(9);
  return Array.from({ length: count }, (_, i) => {
    const bonafide = i % 8 === 0;
    const score = scale * (random.normal() + (bonafide ? 2 : 0));
    return { file: `f${i}`, bonafide, score, attack: bonafide ? null : `<A${i % 5}> & "B"` };
  });
}

const model = '<model> & \'co\' "x"\u0000\ud800';

/** Trials as they are measured and shown, their scores taken for natural-log likelihood ratios. */
function shownOf(
  trials: readonly Trial[],
  { threshold, replicates = 0, names = [model] }: { threshold?: number; replicates?: number; names?: string[] } = {},
): Shown {
  const metrics = detectionMetrics(trials, { threshold });
  const resampled = replicates === 0 ? null : bootstrap(trials, { replicates });
  const result = plottedFigures({
    trials: [...trials],
    threshold: threshold ?? metrics.eerDecisionThreshold,
    metrics,
    calibratedTrials: [...trials],
    calibrated: metrics,
    resampled: resampled && { scores: resampled, likelihoodRatios: resampled },
  });
  const results = names.map((name, index) => ({ result, name, look: lookAt(index), threshold: result.threshold }));
  return { data: 'données, 語料', results };
}

/** Every picture of a set of trials. */
function allPictures(trials: readonly Trial[], threshold?: number): Record<string, string> {
  const one = shownOf(trials, { threshold });
  const banded = shownOf(trials, { threshold, replicates: 20 });
  const two = shownOf(trials, { threshold, replicates: 20, names: [model, 'other'] });
  const { atThreshold, atEerThreshold } = detectionMetrics(trials, { threshold });
  const plots = { rocPlot, precisionRecallPlot, detPlot, calibrationSheet, tippettPlot, generatorsPlot };
  const pictures: Record<string, string> = {
    scores: plotSvg(scorePlot(one, one.results[0])),
    confusion: confusionPicture(one, atThreshold ?? atEerThreshold),
    crossEntropy: plotSvg(crossEntropyPlot(one)!),
    crossEntropyOfTwo: plotSvg(crossEntropyPlot(two)!),
  };
  for (const [name, plot] of Object.entries(plots)) {
    pictures[name] = plotSvg(plot(one));
    pictures[`${name} with intervals`] = plotSvg(plot(banded));
    pictures[`${name} of two`] = plotSvg(plot(two));
  }
  return pictures;
}

const few: Trial[] = [
  { file: 'a', bonafide: true, score: 0, attack: null },
  { file: 'b', bonafide: false, score: 0, attack: null },
];

describe.each([
  ['71,237 trials', trialsOf(71237), 1.2],
  ['scores around ten thousand', trialsOf(300, 1e4), undefined],
  ['perfect separation', few.map((trial) => ({ ...trial, score: trial.bonafide ? 1e4 : -1e4 })), undefined],
  ['two equal scores', few, undefined],
  [
    'scores that are infinite',
    few.map((trial) => ({ ...trial, score: trial.bonafide ? Infinity : -Infinity })),
    undefined,
  ],
])('plots of %s', (_, trials, threshold) => {
  test.each(Object.entries(allPictures(trials, threshold)))('%s is a small, well-formed picture', (_name, svg) => {
    expect(svg.length).toBeLessThan(60_000);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    expect(svg).not.toContain('<model>');
    expect(svg).toContain('&lt;model&gt; &amp; &#39;co&#39; &quot;x&quot;[U+0000][U+D800]');
    // The renderer's parser is strict: it throws at XML that is not well-formed.
    const picture = new Resvg(svg, { font: { loadSystemFonts: false } }).render();
    expect(svg).toContain(`viewBox="0 0 ${picture.width} ${picture.height}"`);
  });
});

test('the operating point is marked at the threshold', () => {
  const trials = [
    ...[1, 2, 3, 4].map((score) => ({ file: `b${score}`, bonafide: true, score, attack: null })),
    ...[0, 1.5].map((score) => ({ file: `s${score}`, bonafide: false, score, attack: 'A' })),
  ];
  const shown = shownOf(trials, { threshold: 1.2, names: ['one'] });
  const marks = (plot: typeof rocPlot): unknown[] =>
    plot(shown).layers.flatMap((layer) => (layer.kind === 'marks' ? [...layer.points] : []));
  // Half of the spoofs and three quarters of the bona fide are accepted.
  expect(marks(rocPlot)).toEqual([[0.5, 0.75]]);
  expect(marks(precisionRecallPlot)).toEqual([[0.75, 0.75], [0.5, 0.5]]); // prettier-ignore
  expect(plotSvg(rocPlot(shown))).toContain('Operating point of one: threshold 1.2');
});

test('a band is drawn, said what it is, and goes with the figure’s interval', () => {
  const trials = trialsOf(400);
  for (const plot of [rocPlot, detPlot]) {
    expect(plotSvg(plot(shownOf(trials))).match(/fill-opacity="0.16"/g)).toBeNull();
    // The band and its place in the legend.
    expect(plotSvg(plot(shownOf(trials, { replicates: 100 }))).match(/fill-opacity="0.16"/g)).toHaveLength(2);
  }
  const svg = plotSvg(detPlot(shownOf(trials, { replicates: 100 })));
  expect(svg).toContain('95\u00a0% intervals: files drawn anew 100 times.');
  expect(svg).toMatch(/EER \d+\.\d\u00a0% \[\d+\.\d, \d+\.\d\]/);
  expect(plotSvg(rocPlot(shownOf(few, { replicates: 20 })))).toContain('No intervals over all recordings: too few.');
});

test('misleading evidence is counted at a ratio of one', () => {
  const trials = [-1, 1, 2, 3].map((score, i) => ({ file: `f${i}`, bonafide: true, score, attack: null }));
  const spoofs = [-2, -1, 0, 0, 4].map((score, i) => ({ file: `s${i}`, bonafide: false, score, attack: null }));
  const svg = plotSvg(tippettPlot(shownOf([...trials, ...spoofs])));
  expect(svg).toContain('Bona fide: 4 recordings, 25.0\u00a0% misleading');
  expect(svg).toContain('Spoof: 5 recordings, 20.0\u00a0% misleading');
});

test('the cross-entropy at prior odds of one is Cllr', () => {
  const trials = trialsOf(400);
  const { cllrBits, minCllrBits } = detectionMetrics(trials);
  const plot = crossEntropyPlot(shownOf(trials));
  const [given, calibrated] = (plot?.layers ?? []).filter((each) => each.kind === 'line' && each.reference !== true);
  const atOne = (layer: typeof given) =>
    layer.kind === 'line' ? layer.points.find(([odds]) => odds === 0)?.[1] : null;
  expect(atOne(given)).toBeCloseTo(cllrBits, 12);
  expect(atOne(calibrated)).toBeCloseTo(minCllrBits, 12);
});

test('the generators of one source are marked apart', () => {
  const trials = trialsOf(80).map((trial, i) => ({ ...trial, source: i % 3 === 0 ? 'x' : 'y' }));
  expect(plotSvg(generatorsPlot(shownOf(trials)))).toContain('Against the bona fide recordings of the same source');
});

test('the confusion matrix shows counts and shares', () => {
  const svg = confusionPicture(shownOf(few), {
    threshold: -0.5,
    bonafideAccepted: 1500,
    bonafideRejected: 500,
    spoofAccepted: 1,
    spoofRejected: 3,
  });
  for (const text of [
    '1,500',
    '75.0\u00a0% of them',
    '25.0\u00a0% of them',
    'Threshold \u22120.5, accuracy 75.0\u00a0%',
  ]) {
    expect(svg).toContain(`>${text}<`);
  }
});

test('the hardest attack comes first', () => {
  const several = (count: number, bonafide: boolean, score: number, attack: string | null) =>
    Array.from({ length: count }, (_, i) => ({ file: `${attack}${i}`, bonafide, score, attack }));
  const trials = [
    ...several(12, true, 0, null),
    ...several(12, false, -1, 'easy'),
    ...several(10, false, 1, 'hard'),
    ...several(2, false, 2, 'hardest, but of two recordings'),
  ];
  const svg = plotSvg(generatorsPlot(shownOf(trials)));
  const places = ['>hard (10): 1', '>easy (12): 0.0', '>hardest, but', ': 2 of 2<'].map((text) => svg.indexOf(text));
  expect(places[0]).toBeGreaterThan(0);
  expect(places).toEqual([...places].sort((one, other) => one - other));
});
