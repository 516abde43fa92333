/**
 * How well scores along a recording tell where a spoof was put in (Zhang et al., "The PartialSpoof database", IEEE/ACM TASLP 31, 2023, for
 * segment EER), and whether a file's lowest scores tell such a recording from one that was only spliced.
 */
import { z } from 'zod';
import { Random } from '../base/random.ts';
import type { Interval } from './bootstrap.ts';
import { equalErrorRate, sweepSorted } from './sweep.ts';

const interval95 = z.tuple([z.number(), z.number()]);

/** A recording with a part put in. */
export interface SplicedFile {
  /** Whether the part is a spoof; else the whole recording is bona fide. */
  spoof: boolean;
  source: string;
  startSeconds: number;
  endSeconds: number;
  /** Scores of frames along it, high for bona fide. */
  frames: Float64Array;
  /** The file's score by the mean over its windows. */
  mean: number;
}

/** A stretch of a recording. */
interface Region {
  startSeconds: number;
  endSeconds: number;
}

/** Shorter regions are not told. */
const leastRegionSeconds = 0.2;
const replicates = 2000;

function eerOf(positives: Float64Array, negatives: Float64Array): ReturnType<typeof equalErrorRate> {
  return equalErrorRate(sweepSorted(positives.sort(), negatives.sort()));
}

/**
 * EER over segments: one is spoofed where more than half of it is; its score is the mean of its frames'.
 * @param frameSeconds of a frame
 * @param framesInSegment the last segment of a file may hold fewer
 */
export function segmentEer(files: readonly SplicedFile[], frameSeconds: number, framesInSegment: number) {
  const scores: Record<'spoof' | 'bonafide', number[]> = { spoof: [], bonafide: [] };
  for (const { spoof, startSeconds, endSeconds, frames } of files) {
    for (let from = 0; from < frames.length; from += framesInSegment) {
      const to = Math.min(frames.length, from + framesInSegment);
      const inside = Math.min(endSeconds, to * frameSeconds) - Math.max(startSeconds, from * frameSeconds);
      const spoofed = spoof && inside > ((to - from) * frameSeconds) / 2;
      let sum = 0;
      for (let frame = from; frame < to; frame++) sum += frames[frame];
      scores[spoofed ? 'spoof' : 'bonafide'].push(sum / (to - from));
    }
  }
  return eerOf(Float64Array.from(scores.bonafide), Float64Array.from(scores.spoof));
}

/** Stretches whose frames all score below a threshold. */
export function regionsBelow(frames: Float64Array, frameSeconds: number, threshold: number): Region[] {
  const regions: Region[] = [];
  let from = -1;
  for (let frame = 0; frame <= frames.length; frame++) {
    const low = frame < frames.length && frames[frame] < threshold;
    if (low && from < 0) from = frame;
    if (low || from < 0) continue;
    if ((frame - from) * frameSeconds >= leastRegionSeconds - 1e-9) {
      regions.push({ startSeconds: from * frameSeconds, endSeconds: frame * frameSeconds });
    }
    from = -1;
  }
  return regions;
}

function overlapOfUnion(one: Region, other: Region): number {
  const shared = Math.min(one.endSeconds, other.endSeconds) - Math.max(one.startSeconds, other.startSeconds);
  const union = Math.max(one.endSeconds, other.endSeconds) - Math.min(one.startSeconds, other.startSeconds);
  return Math.max(0, shared) / union;
}

/** Regions that are pointed out, against what was put in. */
export const regionFiguresSchema = z.object({
  threshold: z.number(),
  /** Spoofed parts, and those that a region covers with an intersection over union of at least a half. */
  parts: z.int(),
  found: z.int(),
  /** Mean distance of a found part's two ends from its region's, in seconds; null where none was found. */
  boundarySeconds: z.number().nullable(),
  /** Regions in recordings without a spoof, and their length. */
  falseRegions: z.int(),
  bonafideHours: z.number(),
  falsePerHour: z.number(),
  /** 95 %, exact for a Poisson count. */
  falsePerHourInterval: interval95,
});
type RegionFigures = z.infer<typeof regionFiguresSchema>;

export function regionFigures(files: readonly SplicedFile[], frameSeconds: number, threshold: number): RegionFigures {
  const ends: number[] = [];
  let parts = 0;
  let falseRegions = 0;
  let bonafideHours = 0;
  for (const file of files) {
    const regions = regionsBelow(file.frames, frameSeconds, threshold);
    if (!file.spoof) {
      falseRegions += regions.length;
      bonafideHours += (file.frames.length * frameSeconds) / 3600;
      continue;
    }
    parts++;
    // Two regions that do not touch cannot both cover half of a part.
    const found = regions.find((region) => overlapOfUnion(region, file) >= 0.5);
    if (!found) continue;
    const distances = [found.startSeconds - file.startSeconds, found.endSeconds - file.endSeconds].map(Math.abs);
    ends.push((distances[0] + distances[1]) / 2);
  }
  const interval = poissonInterval(falseRegions);
  return {
    threshold,
    parts,
    found: ends.length,
    boundarySeconds: ends.length > 0 ? ends.reduce((sum, value) => sum + value, 0) / ends.length : null,
    falseRegions,
    bonafideHours,
    falsePerHour: falseRegions / bonafideHours,
    falsePerHourInterval: [interval[0] / bonafideHours, interval[1] / bonafideHours],
  };
}

/** The 95 % interval of the mean of a Poisson count (Garwood, "Fiducial limits for the Poisson distribution", 1936). */
export function poissonInterval(count: number): Interval {
  // The mean at which so many or fewer have a probability, found by halving.
  const meanWhere = (most: number, probability: number): number => {
    let low = 0;
    let high = most + 12 * Math.sqrt(most + 1);
    for (let step = 0; step < 80; step++) {
      const middle = (low + high) / 2;
      let logTerm = -middle;
      let sum = Math.exp(logTerm);
      for (let i = 1; i <= most; i++) sum += Math.exp((logTerm += Math.log(middle / i)));
      if (sum > probability) low = middle;
      else high = middle;
    }
    return high;
  };
  return [count === 0 ? 0 : meanWhere(count - 1, 0.975), meanWhere(count, 0.025)];
}

/** How a file's score by its frames does against its mean, over the same files. */
export const fileComparisonSchema = z.object({
  /** EER of spoofs put in against bona fide put in. */
  eer: z.number(),
  meanEer: z.number(),
  /** `eer` less `meanEer`, with its paired 95 % interval by drawing the hosts' sources anew. */
  difference: z.number(),
  interval: interval95,
});
type FileComparison = z.infer<typeof fileComparisonSchema>;

/** @param scoreOf high for bona fide */
export function compareWithMean(
  files: readonly SplicedFile[],
  scoreOf: (file: SplicedFile) => number,
  seed: number,
): FileComparison {
  const scored = files.map((file) => ({ ...file, score: scoreOf(file) }));
  const eer = (some: readonly (typeof scored)[number][], key: 'score' | 'mean'): number =>
    eerOf(
      Float64Array.from(some.filter(({ spoof }) => !spoof).map((file) => file[key])),
      Float64Array.from(some.filter(({ spoof }) => spoof).map((file) => file[key])),
    ).eer;
  const sources = [...Map.groupBy(scored, ({ source }) => source).values()];
  const random = new Random(seed);
  const differences = new Float64Array(replicates);
  for (let draw = 0; draw < replicates; draw++) {
    const drawn = sources.flatMap(() => sources[random.below(sources.length)]);
    differences[draw] = eer(drawn, 'score') - eer(drawn, 'mean');
  }
  differences.sort();
  const [own, mean] = [eer(scored, 'score'), eer(scored, 'mean')];
  return {
    eer: own,
    meanEer: mean,
    difference: own - mean,
    interval: [differences[Math.floor(0.025 * replicates)], differences[Math.ceil(0.975 * replicates) - 1]],
  };
}

/** How far the lowest frame lies below the file's median, as a score: what the whole file's sound adds to all of its scores falls out. */
export function contrast({ frames }: SplicedFile): number {
  const sorted = frames.toSorted();
  return sorted[0] - sorted[sorted.length >> 1];
}
