/** What is said of each trace: a sentence, figures and limits, never that somebody edited a recording. */
import { formatNumber, formatPercent, noBreak } from '../../src-common/numbers.ts';
import type { HumTrace, TraceAnswer } from '../../src-common/schemas/traces.ts';
import { leastHumSeconds } from './hum.ts';
import type { Hum } from './hum.ts';
import { median } from './statistics.ts';

/** Named in a sentence; the others are counted. */
const mostNamed = 5;

/** `1:02.5` or `1:00:02.5`. */
export function placeWords(seconds: number): string {
  const tenths = Math.round(seconds * 10);
  const hours = Math.floor(tenths / 36_000);
  const minutes = Math.floor(tenths / 600) % 60;
  const rest = `${String(Math.floor(tenths / 10) % 60).padStart(2, '0')}.${tenths % 10}`;
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

/** The first of some places, and how many more there are. */
export function namedPlaces(seconds: readonly number[]): string {
  const named = seconds.slice(0, mostNamed).map(placeWords).join(', ');
  return seconds.length > mostNamed ? `${named} and ${seconds.length - mostNamed} more` : named;
}

const humLimits =
  'A step of the hum’s phase is what a cut or an insertion leaves, and also what a lamp or charger that is switched near the microphone, a moved microphone or a lost packet leaves; a cut by whole periods of the mains (20 or 16.7 ms) leaves none, and what lies within four seconds of an end or of another step is not seen. Hum that was filtered out or never there (battery, outdoors) shows nothing: that there are no steps does not mean that nothing was cut.';

/** Of the hum of a recording of so many seconds. */
export function humAnswer(hum: Hum, durationSeconds: number, reference: HumTrace['reference']): HumTrace {
  const { nominalHz, presentShare, track, phaseSteps, thresholdDegrees, steps, harmonics } = hum;
  const data = { kind: 'hum', nominalHz, track, phaseSteps, thresholdDegrees, reference, limits: humLimits } as const;
  if (durationSeconds < leastHumSeconds) {
    const sentence = `Not assessed: hum is looked for in recordings of ${leastHumSeconds} seconds and more.`;
    return { ...data, sentence, figures: [], places: [] };
  }
  const share = { name: 'Of the time, hum stands out in', value: formatPercent(presentShare, 0) };
  if (nominalHz === null) {
    const sentence = 'No hum of the mains (50 or 60 Hz) stands out for long enough to be followed.';
    return { ...data, sentence, figures: [share], places: [] };
  }
  const known = track.values.filter((hz) => hz !== null);
  const [lowest, highest] = known.reduce(([low, high], hz) => [Math.min(low, hz), Math.max(high, hz)], [Infinity, 0]);
  const hertz = (hz: number): string => `${formatNumber(hz, 3)}${noBreak}Hz`;
  const isPhaseAssessed = thresholdDegrees !== null;
  const places = steps.map(({ seconds, degrees }) => ({
    startSeconds: seconds,
    endSeconds: seconds,
    what: `Step of the hum’s phase by ${formatNumber(degrees, 0)}°`,
  }));
  const found = `Hum of ${nominalHz}${noBreak}Hz mains stands out in ${formatPercent(presentShare, 0)} of the recording`;
  const sentence = !isPhaseAssessed
    ? `${found}; it is too weak or too unsteady for its phase to be followed.`
    : steps.length === 0
      ? `${found}; no step of its phase was found.`
      : `${found}; its phase steps at ${namedPlaces(steps.map(({ seconds }) => seconds))}.`;
  const figures: TraceAnswer['figures'] = [
    share,
    { name: 'Mains frequency, median', value: hertz(median(known)) },
    { name: 'Lowest and highest', value: `${hertz(lowest)}, ${hertz(highest)}` },
    {
      name: 'Phase followed at',
      value: isPhaseAssessed ? harmonics.map((number) => `${number * nominalHz}${noBreak}Hz`).join(', ') : 'none',
    },
    ...(isPhaseAssessed
      ? [{ name: 'A step is pointed out from', value: `${formatNumber(thresholdDegrees, 0)}°` }]
      : []),
    ...referenceFigures(reference),
  ];
  const compared = reference === null ? '' : ` ${referenceSentence(reference)}`;
  return { ...data, sentence: `${sentence}${compared}`, figures, places };
}

type Placed = NonNullable<HumTrace['reference']>;

function referenceFigures(reference: HumTrace['reference']): TraceAnswer['figures'] {
  if (reference === null) return [];
  const { shiftSeconds, correlation, nextCorrelation, differenceHz } = reference;
  return [
    { name: 'Best place in the reference', value: shiftWords(shiftSeconds) },
    { name: 'Correlation there, and at the next best place', value: `${formatNumber(correlation, 3)}, ${formatNumber(nextCorrelation, 3)}` }, // prettier-ignore
    { name: 'Mean difference', value: `${formatNumber(1000 * differenceHz, 1, true)}${noBreak}mHz` },
  ];
}

function referenceSentence({ name, shiftSeconds, correlation, nextCorrelation }: Placed): string {
  const next = nextCorrelation === null ? '' : ` (next best place elsewhere ${formatNumber(nextCorrelation, 3)})`;
  return `In ${name} it resembles most what begins at ${shiftWords(shiftSeconds)}, with a correlation of ${formatNumber(correlation, 3)}${next}; there is a best place whether or not ${name} holds it.`;
}

/** Times of ten digits are of a calendar. */
function shiftWords(seconds: number): string {
  return seconds > 1e8
    ? new Date(seconds * 1000).toISOString().replace('.000', '')
    : `${formatNumber(seconds, 0)}${noBreak}s`;
}
