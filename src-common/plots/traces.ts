/** Traces of a recording over its time, as plots. */
import { axisNumber, formatNumber } from '../numbers.ts';
import type {
  BackgroundTrace,
  CodingTrace,
  HumTrace,
  RateTrace,
  RepeatsTrace,
  Trace,
  TraceCurve,
  Traces,
} from '../schemas/traces.ts';
import type { Layer, Plot, PlotAxis, Point } from './plot.ts';
import { traceTexts as texts } from './texts.ts';
import type { Role } from './theme.ts';

/** Of one trace; empty where nothing was measured. @param subject which recording, and which channel of it */
export function tracePlots(
  subject: string,
  trace: Trace,
  { durationSeconds }: Pick<Traces, 'durationSeconds'>,
): Plot[] {
  switch (trace.kind) {
    case 'hum':
      return humPlots(subject, trace, durationSeconds);
    case 'background':
      return backgroundPlots(subject, trace, durationSeconds);
    case 'repeats':
      return repeatPlots(subject, trace, durationSeconds);
    case 'coding':
      return codingPlots(subject, trace, durationSeconds);
    case 'rate':
      return ratePlots(subject, trace, durationSeconds);
    case 'container':
      return [];
  }
}

function humPlots(subject: string, trace: HumTrace, durationSeconds: number): Plot[] {
  const { nominalHz, track, phaseSteps, thresholdDegrees, reference, places } = trace;
  if (nominalHz === null) return [];
  const steps = uprights(places, texts.step);
  const over = reference === null ? [] : curveLayers(reference.track, texts.reference(reference.name), 'model1');
  const frequency: Plot = {
    id: 'mains-frequency',
    title: texts.frequency,
    subject,
    x: timeAxis(durationSeconds),
    y: rangeAxis(texts.frequencyAxis, 'frequency_hz', [track, ...(reference ? [reference.track] : [])], 0.02, 3),
    layers: [...over, ...curveLayers(track, texts.ofRecording, 'accent'), ...steps],
    gist: trace.sentence,
    note: texts.frequencyNote,
  };
  if (thresholdDegrees === null) return [frequency];
  const phase: Plot = {
    id: 'mains-phase',
    title: texts.phase,
    subject,
    x: timeAxis(durationSeconds),
    y: { label: texts.phaseAxis, column: 'step_degrees', scale: 'linear', from: 0, to: 180, format: axisNumber, at: [0, 45, 90, 135, 180] }, // prettier-ignore
    layers: [
      threshold(thresholdDegrees, durationSeconds),
      ...curveLayers(phaseSteps, texts.phaseOf, 'accent'),
      {
        kind: 'marks',
        name: texts.step,
        role: 'text',
        mark: 'triangle',
        points: pointsAt(phaseSteps, places),
        inLegend: places.length > 0,
      },
    ],
    gist: trace.sentence,
    note: texts.phaseNote,
  };
  return [frequency, phase];
}

function backgroundPlots(subject: string, trace: BackgroundTrace, durationSeconds: number): Plot[] {
  const { noiseChange, noiseThreshold, dc, places } = trace;
  if (noiseChange.values.every((value) => value === null)) return [];
  const x = timeAxis(durationSeconds);
  const steps = uprights(places, texts.backgroundStep);
  const highest = noiseChange.values.reduce<number>((most, value) => Math.max(most, value ?? 0), noiseThreshold);
  const inMillionths = { ...dc, values: dc.values.map((value) => value && 1e6 * value) };
  return [
    {
      id: 'background-noise',
      title: texts.noise,
      subject,
      x,
      y: { label: texts.noiseAxis, column: 'change', scale: 'linear', from: 0, to: 1.1 * highest, format: axisNumber },
      layers: [
        threshold(noiseThreshold, durationSeconds),
        ...curveLayers(noiseChange, texts.noiseOf, 'accent'),
        ...steps,
      ],
      gist: trace.sentence,
      note: texts.noiseNote,
    },
    {
      id: 'sample-mean',
      title: texts.dc,
      subject,
      x,
      y: rangeAxis(texts.dcAxis, 'mean_millionths', [inMillionths], 100, 0),
      layers: [...curveLayers(inMillionths, texts.dcOf, 'accent'), ...steps],
      gist: trace.sentence,
    },
  ];
}

/** Each pair as a mark where the times of both meet, with a line as long as the stretch. */
function repeatPlots(subject: string, { repeats, sentence }: RepeatsTrace, durationSeconds: number): Plot[] {
  if (repeats.length === 0) return [];
  const layers = [true, false].flatMap((isSame): Layer[] => {
    const some = repeats.filter((repeat) => repeat.isSame === isSame);
    const look = { name: isSame ? texts.same : texts.alike, role: isSame ? 'accent' : 'model1' } as const;
    const lines = some.map(({ firstSeconds, secondSeconds, lengthSeconds }): Layer => ({
      kind: 'line',
      ...look,
      inLegend: false,
      points: [[firstSeconds, secondSeconds], [firstSeconds + lengthSeconds, secondSeconds + lengthSeconds]], // prettier-ignore
      reference: true,
    }));
    const marks: Layer = {
      kind: 'marks',
      ...look,
      mark: isSame ? 'circle' : 'square',
      inLegend: some.length > 0,
      points: some.map(({ firstSeconds, secondSeconds }): Point => [firstSeconds, secondSeconds]),
    };
    return [...lines, marks];
  });
  const x = { ...timeAxis(durationSeconds), label: texts.earlier, column: 'earlier_seconds' };
  const y = { ...timeAxis(durationSeconds), label: texts.later, column: 'later_seconds', ticks: 5 };
  return [{ id: 'repeats', title: texts.repeats, subject, x, y, layers, gist: sentence }];
}

/** Runs as level lines at where their frames begin, and how clear the clearest are. */
function codingPlots(subject: string, trace: CodingTrace, durationSeconds: number): Plot[] {
  const { runs, strength, threshold: least, sentence } = trace;
  if (strength.values.every((value) => value === null)) return [];
  const x = timeAxis(durationSeconds);
  const highest = strength.values.reduce<number>((most, value) => Math.max(most, value ?? 0), least);
  const clarity: Plot = {
    id: 'coding-strength',
    title: texts.codingStrength,
    subject,
    x,
    y: { label: texts.codingStrengthAxis, column: 'standard_errors', scale: 'linear', from: 0, to: 1.1 * highest, format: axisNumber }, // prettier-ignore
    layers: [threshold(least, durationSeconds), ...curveLayers(strength, texts.codingStrengthOf, 'accent')],
    gist: sentence,
  };
  if (runs.length === 0) return [clarity];
  const roles = { mp3: 'accent', aac: 'model1', other: 'dim' } as const;
  const layers = runs.map((run, index): Layer => {
    const level = (100 * run.offset) / run.frameSamples;
    return {
      kind: 'line',
      name: texts.codingFamilies[run.family],
      role: roles[run.family],
      points: [[run.startSeconds, level], [run.endSeconds, level]], // prettier-ignore
      inLegend: runs.findIndex(({ family }) => family === run.family) === index,
    };
  });
  const frames: Plot = {
    id: 'coding-frames',
    title: texts.codingFrames,
    subject,
    x,
    y: { label: texts.codingOffset, column: 'offset_percent', scale: 'linear', from: 0, to: 100, format: axisNumber },
    layers: [...layers, ...uprights(trace.places, texts.codingChange)],
    gist: sentence,
    note: texts.codingNote,
  };
  return [frames, clarity];
}

function ratePlots(subject: string, trace: RateTrace, durationSeconds: number): Plot[] {
  const { strength, threshold: least, places, sentence } = trace;
  if (strength.values.every((value) => value === null)) return [];
  const highest = strength.values.reduce<number>((most, value) => Math.max(most, value ?? 0), least);
  return [
    {
      id: 'rate-strength',
      title: texts.rate,
      subject,
      x: timeAxis(durationSeconds),
      y: { label: texts.rateAxis, column: 'standard_errors', scale: 'linear', from: 0, to: 1.1 * highest, format: axisNumber }, // prettier-ignore
      layers: [
        threshold(least, durationSeconds),
        ...curveLayers(strength, texts.rateOf, 'accent'),
        ...uprights(places, texts.rateChange),
      ],
      gist: sentence,
      note: texts.rateNote,
    },
  ];
}

/** Lines across the plot where something stands out. */
function uprights(places: Trace['places'], name: string): Layer[] {
  return places.map(({ startSeconds }, index): Layer => ({
    kind: 'upright',
    name,
    role: 'text',
    dash: 'dots',
    x: startSeconds,
    inLegend: index === 0,
  }));
}

/** A line for each stretch without a gap. */
function curveLayers({ timesSeconds, values }: TraceCurve, name: string, role: Role): Layer[] {
  const stretches: Point[][] = [];
  values.forEach((value, i) => {
    if (value === null) return;
    const isBegun = i > 0 && values[i - 1] !== null;
    if (!isBegun) stretches.push([]);
    stretches[stretches.length - 1].push([timesSeconds[i], value]);
  });
  return stretches.map((points, index): Layer => {
    const shared = { name, role, points, inLegend: index === 0 } as const;
    // A line of one point could not be seen.
    return points.length > 1 ? { kind: 'line', ...shared } : { kind: 'marks', mark: 'circle', ...shared };
  });
}

function threshold(value: number, durationSeconds: number): Layer {
  const points: Point[] = [[0, value], [durationSeconds, value]]; // prettier-ignore
  return { kind: 'line', name: texts.threshold, role: 'dim', dash: 'dashes', points, reference: true };
}

/** The curve's values where places begin. */
function pointsAt({ timesSeconds, values }: TraceCurve, places: Trace['places']): Point[] {
  return places.flatMap(({ startSeconds }): Point[] => {
    const at = timesSeconds.indexOf(startSeconds);
    const value = values[at] ?? null;
    return value === null ? [] : [[startSeconds, value]];
  });
}

function timeAxis(durationSeconds: number): PlotAxis {
  return {
    label: texts.time,
    column: 'time_seconds',
    scale: 'linear',
    from: 0,
    to: durationSeconds,
    format: axisNumber,
    ticks: 8,
  };
}

/** As far as curves reach, and at least `least` more than nothing. */
function rangeAxis(
  label: string,
  column: string,
  curves: readonly TraceCurve[],
  least: number,
  digits: number,
): PlotAxis {
  let [low, high] = [Infinity, -Infinity];
  for (const { values } of curves) {
    for (const value of values) {
      if (value === null) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  const spare = Math.max(0.05 * (high - low), (least - (high - low)) / 2);
  return {
    label,
    column,
    scale: 'linear',
    from: low - spare,
    to: high + spare,
    format: (value) => formatNumber(value, digits),
  };
}
