import type { Trace, TraceCurve, Traces } from '../../src-common/schemas/traces.ts';

/** More cannot be told apart in a plot. */
const mostPoints = 6000;

/** Traces whose curves have at most so many points: of scores the highest of each group stays at its time, of others the first. */
export function thinned(traces: Traces): Traces {
  return { ...traces, traces: traces.traces.map(thinnedTrace) };
}

function thinnedTrace(trace: Trace): Trace {
  switch (trace.kind) {
    case 'hum':
      return {
        ...trace,
        track: fewer(trace.track, false),
        phaseSteps: fewer(trace.phaseSteps, true),
        reference: trace.reference && { ...trace.reference, track: fewer(trace.reference.track, false) },
      };
    case 'background':
      return { ...trace, noiseChange: fewer(trace.noiseChange, true), dc: fewer(trace.dc, false) };
    case 'coding':
    case 'rate':
      return { ...trace, strength: fewer(trace.strength, true) };
    case 'repeats':
    case 'container':
      return trace;
  }
}

function fewer({ timesSeconds, values }: TraceCurve, isScore: boolean): TraceCurve {
  const group = Math.ceil(values.length / mostPoints);
  if (group <= 1) return { timesSeconds, values };
  const kept: number[] = [];
  for (let from = 0; from < values.length; from += group) {
    let best = from;
    for (let i = from + 1; isScore && i < Math.min(values.length, from + group); i++) {
      if ((values[i] ?? -Infinity) > (values[best] ?? -Infinity)) best = i;
    }
    kept.push(best);
  }
  return { timesSeconds: kept.map((i) => timesSeconds[i]), values: kept.map((i) => values[i]) };
}
