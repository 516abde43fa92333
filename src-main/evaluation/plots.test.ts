import { Resvg } from '@resvg/resvg-js';
import { describe, expect, test } from 'vitest';
import { Random } from '../base/random.ts';
import { bootstrap } from './bootstrap.ts';
import { empiricalCrossEntropy } from './ece.ts';
import { ecePlot, tippettPlot } from './llr-plots.ts';
import { detectionMetrics, thresholdSweep } from './metrics.ts';
import {
  attackPlot,
  calibrationPlot,
  confusionPlot,
  detPlot,
  precisionRecallPlot,
  rocPlot,
  scoreDistributionPlot,
} from './plots.ts';
import { coordinate, escapeXml } from '../../src-common/plots/svg.ts';
import { curvePath, fitText, linearAxis } from './svg.ts';
import type { Trial } from './trials.ts';

function trialsOf(count: number, scale = 1): Trial[] {
  const random = new Random(9);
  return Array.from({ length: count }, (_, i) => {
    const bonafide = i % 8 === 0;
    const score = scale * (random.normal() + (bonafide ? 2 : 0));
    return { file: `f${i}`, bonafide, score, attack: bonafide ? null : `<A${i % 5}> & "B"` };
  });
}

const subject = { model: '<model> & \'co\' "x"\u0000\ud800', data: 'données, 語料' };

/** Every plot of a set of trials. */
function allPlots(trials: readonly Trial[], threshold?: number): Record<string, string> {
  const metrics = detectionMetrics(trials, { threshold });
  const result = { ...subject, metrics, sweep: thresholdSweep(trials) };
  const resampled = bootstrap(trials, { replicates: 20 });
  const banded = { ...result, resampled };
  const ratios = { ...subject, trials, crossEntropy: empiricalCrossEntropy(trials, result.sweep) };
  return {
    roc: rocPlot([result]),
    rocOfTwo: rocPlot([result, { ...result, model: 'other' }]),
    precisionRecall: precisionRecallPlot([result]),
    precisionRecallOfTwo: precisionRecallPlot([result, { ...result, model: 'other' }]),
    det: detPlot([result]),
    calibration: calibrationPlot(subject, metrics.calibration),
    distribution: scoreDistributionPlot(subject, trials, threshold ?? metrics.eerDecisionThreshold),
    confusion: confusionPlot(subject, metrics.atThreshold ?? metrics.atEerThreshold),
    attacks: attackPlot([result]),
    attacksOfTwo: attackPlot([banded, { ...banded, model: 'other' }]),
    rocWithBand: rocPlot([banded]),
    precisionRecallWithBands: precisionRecallPlot([banded]),
    detWithBand: detPlot([banded]),
    calibrationWithBand: calibrationPlot(subject, metrics.calibration, resampled),
    crossEntropy: ecePlot([ratios]),
    crossEntropyOfTwo: ecePlot([ratios, { ...ratios, model: 'other' }]),
    tippett: tippettPlot([ratios]),
    tippettOfTwo: tippettPlot([ratios, { ...ratios, model: 'other' }]),
  };
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
])('plots of %s', (_, trials, threshold) => {
  test.each(Object.entries(allPlots(trials, threshold)))('%s is a small, well-formed picture', (_name, svg) => {
    expect(svg.length).toBeLessThan(50_000);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    expect(svg).not.toContain('<model>');
    expect(svg).toContain('&lt;model&gt; &amp; &#39;co&#39; &quot;x&quot;[U+0000][U+D800]');
    // The renderer's parser is strict: it throws at XML that is not well-formed.
    const picture = new Resvg(svg, { font: { loadSystemFonts: false } }).render();
    expect(picture.width).toBe(640);
    expect(svg).toContain(`viewBox="0 0 ${picture.width} ${picture.height}"`);
  });
});

test('the operating point is marked at the threshold', () => {
  const trials = [
    ...[1, 2, 3, 4].map((score) => ({ file: `b${score}`, bonafide: true, score, attack: null })),
    ...[0, 1.5].map((score) => ({ file: `s${score}`, bonafide: false, score, attack: 'A' })),
  ];
  const result = { ...subject, metrics: detectionMetrics(trials, { threshold: 1.2 }), sweep: thresholdSweep(trials) };
  // Half of the spoofs and three quarters of the bona fide are accepted.
  expect(rocPlot([result])).toMatch(/<circle cx="348" cy="165" /);
  expect(rocPlot([result])).toContain('Operating point at the threshold 1.2');
});

test('a band is drawn, said what it is, and goes with the figure’s interval', () => {
  const trials = trialsOf(400);
  const result = { ...subject, metrics: detectionMetrics(trials), sweep: thresholdSweep(trials) };
  const resampled = bootstrap(trials, { replicates: 100 });
  for (const plot of [rocPlot, detPlot]) {
    expect(plot([result]).match(/fill-opacity="0.16"/g)).toBeNull();
    expect(plot([{ ...result, resampled }]).match(/fill-opacity="0.16"/g)).toHaveLength(2);
  }
  const svg = detPlot([{ ...result, resampled }]);
  expect(svg).toContain('95 % intervals, files resampled (100 replicates)');
  expect(svg).toMatch(/EER \d+\.\d % \[\d+\.\d, \d+\.\d\]/);
});

test('misleading evidence is counted at a ratio of one', () => {
  const trials = [-1, 1, 2, 3].map((score, i) => ({ file: `f${i}`, bonafide: true, score, attack: null }));
  const spoofs = [-2, -1, 0, 0, 4].map((score, i) => ({ file: `s${i}`, bonafide: false, score, attack: null }));
  const svg = tippettPlot([{ ...subject, trials: [...trials, ...spoofs] }]);
  expect(svg).toContain('Bona fide: 4 trials, 25.0 % misleading');
  expect(svg).toContain('Spoof: 5 trials, 20.0 % misleading');
});

test('the generators of one source are marked apart', () => {
  const trials = trialsOf(80).map((trial, i) => ({ ...trial, source: i % 3 === 0 ? 'x' : 'y' }));
  const svg = attackPlot([{ ...subject, metrics: detectionMetrics(trials), sweep: thresholdSweep(trials) }]);
  expect(svg).toContain('Against the bona fide trials of the same source');
});

test('the confusion matrix shows counts and shares', () => {
  const svg = confusionPlot(subject, {
    threshold: -0.5,
    bonafideAccepted: 1500,
    bonafideRejected: 500,
    spoofAccepted: 1,
    spoofRejected: 3,
    accuracy: 0.75,
  });
  for (const text of ['1\u202f500', '75.0 % of them', '25.0 % of them', 'Threshold \u22120.5, accuracy 75.0 %']) {
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
  const svg = attackPlot([{ ...subject, metrics: detectionMetrics(trials), sweep: thresholdSweep(trials) }]);
  const places = ['>hard (10)<', '>easy (12)<', '>hardest', '>2 of 2<'].map((text) => svg.indexOf(text));
  expect(places[0]).toBeGreaterThan(0);
  expect(places).toEqual([...places].sort((one, other) => one - other));
});

test('a thinned curve stays within half a pixel of the whole one', () => {
  const random = new Random(1);
  let height = 0;
  const x = Float64Array.from({ length: 20000 }, (_, i) => i / 20000);
  const y = Float64Array.from(x, () => (height += random.uniform() < 0.01 ? 0.004 : 0));
  const scale = (value: number): number => 400 * value;
  const path = / d="M([^"]+)"/.exec(curvePath({ x, y }, scale, scale, {}))?.[1] ?? '';
  const points = path.split('L').map((pair) => pair.split(' ').map(Number));
  expect(points.length).toBeLessThan(1500);
  let segment = 0;
  let farthest = 0;
  for (let i = 0; i < x.length; i++) {
    const [px, py] = [scale(x[i]), scale(y[i])];
    let nearest = Infinity;
    for (let k = Math.max(0, segment - 2); k < Math.min(points.length - 1, segment + 8); k++) {
      const [[ax, ay], [bx, by]] = [points[k], points[k + 1]];
      const squared = (bx - ax) ** 2 + (by - ay) ** 2;
      const along = Math.min(1, Math.max(0, ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / squared));
      const distance = Math.hypot(px - ax - along * (bx - ax), py - ay - along * (by - ay));
      if (distance < nearest) {
        nearest = distance;
        segment = k;
      }
    }
    farthest = Math.max(farthest, nearest);
  }
  expect(farthest).toBeLessThan(0.5);
});

test('axes, coordinates and texts', () => {
  expect(linearAxis('', -1, 2).ticks.map(({ label }) => label)).toEqual(['\u22121', '0', '1', '2']);
  expect(linearAxis('', 0, 0.3).ticks.map(({ value }) => value)).toEqual([0, 0.1, 0.2, 0.3]);
  expect(coordinate(1 / 3)).toBe('0.33');
  expect(escapeXml('a\u0007<&>')).toBe('a\ufffd&lt;&amp;&gt;');
  expect(fitText('abcdefghij', 1000, 11)).toBe('abcdefghij');
  expect(fitText('abcdefghij', 30, 11)).toBe('abc…');
});
