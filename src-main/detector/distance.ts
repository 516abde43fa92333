import type { DistanceKind, ValidationDistanceRecord } from '../../src-common/validation-distance.ts';
import { distanceName } from '../../src-common/validation-distance.ts';
import { UserFacingError } from '../base/errors.ts';
import type { Conditioning } from '../audio/condition.ts';
import { distanceFrom } from '../evaluation/mahalanobis.ts';
import type { Spread } from '../evaluation/mahalanobis.ts';
import type { Quality } from '../../src-common/schemas/recording.ts';
import type { Reason } from '../../src-common/schemas/analysis.ts';

/** Where no noise is heard there is less than this. */
const mostSnrDb = 60;
const leastBandwidthHz = 500;
const leastSpeechSeconds = 0.1;
const leastClipped = 1e-5;

/**
 * What quality is measured by, as the model hears it: a level that its conditioning evens out, and what lies above its band, say nothing.
 * Bandwidth, clipping and length count by their ratios.
 */
export const qualityMeasures = ['snrDb', 'log2 bandwidthHz', 'log10 clippedFraction', 'log2 speechSeconds'] as const;

/** Differences smaller than these are no differences: recordings that are all alike must not make any other one far. */
export const leastSpread = [5, 0.1, 0.5, 0.3] as const;

/** A recording's quality as a point, in the order of {@link qualityMeasures}. */
export function qualityPoint(
  quality: Pick<Quality, 'snrDb' | 'effectiveBandwidthHz' | 'clippedFraction' | 'speechSeconds'>,
  activeSeconds: number,
  { bandHz, sampleRateHz }: Pick<Conditioning, 'bandHz' | 'sampleRateHz'>,
): number[] {
  const top = bandHz?.[1] ?? sampleRateHz / 2;
  const { snrDb, effectiveBandwidthHz, clippedFraction, speechSeconds } = quality;
  return [
    Math.min(mostSnrDb, snrDb ?? mostSnrDb),
    Math.log2(Math.min(top, Math.max(leastBandwidthHz, effectiveBandwidthHz ?? top))),
    Math.log10(clippedFraction + leastClipped),
    Math.log2(Math.max(leastSpeechSeconds, speechSeconds ?? activeSeconds)),
  ];
}

/** A spread as a card keeps it. */
export function packSpread({ mean, whitening }: Spread): string {
  const width = mean.length;
  const rows = mean.map((_, row) => whitening.slice(row * width, row * width + row + 1));
  const bytes = Buffer.alloc(4 * (width + (width * (width + 1)) / 2));
  [...mean, ...rows.flat()].forEach((value, index) => bytes.writeFloatLE(value, 4 * index));
  return bytes.toString('base64');
}

/** @throws UserFacingError `model` where it is not of that width. */
export function unpackSpread({ of, width, spread }: Pick<DistanceKind, 'of' | 'width' | 'spread'>): Spread {
  const bytes = Buffer.from(spread, 'base64');
  if (bytes.length !== 4 * (width + (width * (width + 1)) / 2)) {
    throw new UserFacingError('model', `The model's card holds no distance of ${width} values for ${of}.`, {
      advice: 'Restore the model from a copy, or measure it again.',
    });
  }
  const values = Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(4 * index));
  const whitening = new Array<number>(width * width).fill(0);
  for (let row = 0, at = width; row < width; row++) {
    for (let column = 0; column <= row; column++) whitening[row * width + column] = values[at++];
  }
  return { mean: values.slice(0, width), whitening, shrinkage: 0 };
}

/** How far a recording lies from those that its model was measured on. */
export interface RecordingDistance {
  /** `quality`, or a member's name. */
  of: string;
  distance: number;
  /** Share of the recordings of sources left out that lie nearer, 0 to 1. */
  nearer: number;
}

/** The share of values at or below one, linearly between those at whole per cents. */
function shareBelow(percentiles: readonly number[], value: number): number {
  const above = percentiles.findIndex((one) => one > value);
  if (above === 0) return 0;
  if (above < 0) return 1;
  const [low, high] = [percentiles[above - 1], percentiles[above]];
  return (above - 1 + (value - low) / (high - low)) / (percentiles.length - 1);
}

/** Tells how far recordings lie, by what a card holds. */
export class ValidationDistance {
  readonly #kinds: readonly { kind: DistanceKind; spread: Spread }[];

  /** @throws UserFacingError `model` */
  constructor({ kinds }: Pick<ValidationDistanceRecord, 'kinds'>) {
    this.#kinds = kinds.map((kind) => ({ kind, spread: unpackSpread(kind) }));
  }

  /** @param points by kind; those that are missing are left out */
  of(points: ReadonlyMap<string, ArrayLike<number>>): RecordingDistance[] {
    return this.#kinds.flatMap(({ kind, spread }) => {
      const point = points.get(kind.of);
      if (point?.length !== kind.width) return [];
      const distance = distanceFrom(spread, point);
      return [{ of: kind.of, distance, nearer: shareBelow(kind.percentiles, distance) }];
    });
  }
}

/** What is said of a recording that lies far from all that the model was measured on: at most one reason of each kind. */
export function distanceReasons(
  { kinds, recordings, split }: ValidationDistanceRecord,
  distances: readonly RecordingDistance[],
): Reason[] {
  const beyond = kinds.flatMap((kind) => {
    const found = distances.find(({ of }) => of === kind.of);
    if (found === undefined || found.distance <= kind.limit) return [];
    const where = `by ${distanceName(kind)} it lies farther than ${Math.floor(1000 * found.nearer) / 10} % of the ${recordings} recordings of ${split} that the model was measured on (distance ${found.distance.toFixed(1)}, limit ${kind.limit.toFixed(1)})`;
    return [{ where, forbids: kind.forbids }];
  });
  const placesOf = (forbids: boolean): string =>
    beyond.flatMap((one) => (one.forbids === forbids ? [one.where] : [])).join('; ');
  const [outside, unusual] = [placesOf(true), placesOf(false)];
  return [
    ...(outside === ''
      ? []
      : [
          {
            code: 'outside-validation',
            sentence: `Outside validation: ${outside}, where errors are more frequent.`,
            blocking: true,
          },
        ]),
    ...(unusual === ''
      ? []
      : [{ code: 'unusual', sentence: `Unusual: ${unusual}. It forbids nothing.`, blocking: false }]),
  ];
}
