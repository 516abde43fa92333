/** The control chart of a model: how far each control recording's score lay from its baseline, run by run. */
import { actionLimit, controlTolerance, leastBaselineRuns, runSentence, warningLimit } from '../control-limits.ts';
import type { JudgedRun } from '../control-limits.ts';
import type { Layer, Plot, Point } from './plot.ts';
import { controlTexts as texts } from './texts.ts';

/** Of the axis; farther deviations are drawn there. */
const most = 2 * actionLimit;
const runsShown = 60;

/** @param judged the runs of one set of recordings by one model, the first first, at least one; the latest are drawn */
export function controlChart(judged: readonly JudgedRun[]): Plot {
  const first = Math.max(0, judged.length - runsShown);
  const shown = judged.slice(first).map((one, index) => ({ ...one, number: first + index + 1 }));
  const last = judged[judged.length - 1];
  const ends = [shown[0].number - 0.5, shown[shown.length - 1].number + 0.5];
  const marks = (label: 'bonafide' | 'spoof'): Layer => ({
    kind: 'marks',
    name: texts[label],
    role: label,
    mark: label === 'bonafide' ? 'circle' : 'triangle',
    hollow: true,
    shift: label === 'bonafide' ? -3 : 3,
    points: shown.flatMap(({ number, controls }) =>
      controls.flatMap((one): Point[] =>
        one.label !== label || one.deviation === null ? [] : [[number, Math.max(-most, Math.min(most, one.deviation))]],
      ),
    ),
  });
  const limit = (name: string, value: number, dash: 'dashes' | 'dots'): Layer[] =>
    [value, -value].map((y) => ({
      kind: 'line',
      name,
      role: 'dim',
      dash,
      reference: true,
      inLegend: y > 0,
      points: ends.map((x): Point => [x, y]),
    }));
  const begins = shown.filter(
    ({ run, baselineRuns, number }) => run.role === 'baseline' && baselineRuns === 0 && number > 1,
  );
  return {
    id: 'control-chart',
    title: texts.title,
    subject: last.run.model.name,
    x: { label: texts.run, column: 'run', scale: 'linear', from: ends[0], to: ends[1], format: String, whole: true },
    y: {
      label: texts.deviation,
      column: 'deviation_standard_deviations',
      scale: 'linear',
      from: -1.1 * most,
      to: 1.1 * most,
      at: [-most, -actionLimit, 0, actionLimit, most],
      format: String,
    },
    layers: [
      ...limit(texts.warning, warningLimit, 'dots'),
      ...limit(texts.action, actionLimit, 'dashes'),
      ...begins.map(({ number }): Layer => ({ kind: 'upright', name: texts.newBaseline, role: 'dim', x: number - 0.5, label: texts.newBaseline, inLegend: false })), // prettier-ignore
      marks('bonafide'),
      marks('spoof'),
    ],
    gist: runSentence(last),
    note: texts.note(
      last.baselineRuns + (last.run.role === 'baseline' ? 1 : 0),
      leastBaselineRuns,
      String(controlTolerance),
    ),
  };
}
