import { planWindows } from '../audio/condition.ts';

/** A gap in the sound, by what is there: it lies before the sample `at`, and is `length` samples long. */
export interface SampleGap {
  at: number;
  length: number;
}

/** What a window is made of: samples, and the gaps between them. */
export interface PlannedSpan {
  start: number;
  /** Samples that are there. */
  length: number;
  gaps: readonly SampleGap[];
}

/** A window may hold shorter gaps than this, and none that is as long. */
const longGapSeconds = 0.5;
/** A window may be missing up to this share. */
const mostMissingShare = 0.1;
/** What lies between two gaps is a window of its own, though shorter, from this share of a window's length on. */
const leastPartShare = 0.5;

/**
 * Plans the windows over a span of sound in which gaps lie: none crosses a long gap, and of none more than a tenth is missing.
 * Where nothing is missing they are those of `planWindows`.
 * @param gaps in ascending order; those outside of the span are passed over
 * @param windowLength, hopLength and all places in samples
 */
export function planSpans(
  startSample: number,
  endSample: number,
  windowLength: number,
  hopLength: number,
  gaps: readonly SampleGap[],
  sampleRateHz: number,
): PlannedSpan[] {
  const inside = gaps.filter(({ at }) => at > startSample && at < endSample);
  const parts = partsOf({ start: startSample, end: endSample, gaps: inside }, longGapSeconds * sampleRateHz);
  const spans = parts.flatMap((part) => {
    const planned = planPart(part, windowLength, hopLength);
    // Too much is missing everywhere: what lies between the gaps is looked at by itself.
    return planned.length > 0 ? planned : partsOf(part, 0).flatMap((piece) => planPart(piece, windowLength, hopLength));
  });
  const longest = Math.max(0, ...spans.map(({ length }) => length));
  const enough = spans.filter(({ length }) => length >= leastPartShare * windowLength);
  return enough.length > 0 ? enough : spans.filter(({ length }) => length === longest).slice(0, 1);
}

interface Part {
  start: number;
  end: number;
  gaps: readonly SampleGap[];
}

/** What gaps of at least a length leave. */
function partsOf({ start, end, gaps }: Part, leastLength: number): Part[] {
  const parts: Part[] = [];
  let from = start;
  let within: SampleGap[] = [];
  for (const gap of gaps) {
    if (gap.length < leastLength) {
      within.push(gap);
      continue;
    }
    parts.push({ start: from, end: gap.at, gaps: within });
    from = gap.at;
    within = [];
  }
  parts.push({ start: from, end, gaps: within });
  return parts;
}

function planPart({ start, end, gaps }: Part, windowLength: number, hopLength: number): PlannedSpan[] {
  const missing = gaps.reduce((sum, { length }) => sum + length, 0);
  const spanLength = Math.min(windowLength, end - start + missing);
  const spans: PlannedSpan[] = [];
  for (const at of planWindows(0, end - start + missing, windowLength, hopLength)) {
    const from = start + soundBefore(at, start, gaps);
    const length = start + soundBefore(at + spanLength, start, gaps) - from;
    if (spanLength - length > mostMissingShare * spanLength) continue;
    spans.push({ start: from, length, gaps: gaps.filter((gap) => gap.at > from && gap.at < from + length) });
  }
  return spans;
}

/** How much sound of a part lies before a time in it. */
function soundBefore(time: number, start: number, gaps: readonly SampleGap[]): number {
  let missing = 0;
  for (const { at, length } of gaps) {
    const from = at - start + missing;
    if (time <= from) break;
    missing += Math.min(length, time - from);
  }
  return time - missing;
}

/** The samples of a span with zeros for its gaps; as they are where it has none. */
export function withGaps(samples: Float32Array, { start, length, gaps }: PlannedSpan): Float32Array {
  if (gaps.length === 0) return samples;
  const laid = new Float32Array(length + missingOf(gaps));
  let from = 0;
  let shift = 0;
  for (const gap of [...gaps, { at: start + length, length: 0 }]) {
    laid.set(samples.subarray(from, gap.at - start), from + shift);
    from = gap.at - start;
    shift += gap.length;
  }
  return laid;
}

/** Samples of all gaps. */
export function missingOf(gaps: readonly SampleGap[]): number {
  return gaps.reduce((sum, { length }) => sum + length, 0);
}

/** How many samples of a window a span fills before it is repeated. */
export function filledOf({ length, gaps }: PlannedSpan, windowLength: number): number {
  return Math.min(length + missingOf(gaps), windowLength);
}
