import { Random } from '../base/random.ts';
import type { Trial } from './trials.ts';

/**
 * Quantiles of two logistic distributions, `shift` above and below zero: the sample of
 * `bench/peer/metrics_references.py`.
 */
export function quantileTrials(bonafide: number, spoof: number, shift: number, digits?: number): Trial[] {
  const quantiles = (count: number, by: number): number[] =>
    Array.from({ length: count }, (_, k) => {
      const value = Math.log((k + 0.5) / (count - k - 0.5)) + by;
      return digits === undefined ? value : Number(value.toFixed(digits));
    });
  return [
    ...quantiles(bonafide, shift).map((score, k) => ({ file: `b${k}`, bonafide: true, score, attack: null })),
    ...quantiles(spoof, -shift).map((score, k) => ({ file: `s${k}`, bonafide: false, score, attack: 'A' })),
  ];
}

/** Trials whose scores share a part of their source (and of their speaker), each source with both classes. */
export function clusteredTrials(options: {
  seed: number;
  sources: number;
  speakersPerSource: number;
  filesPerSpeaker: number;
  sourceDeviation: number;
  speakerDeviation?: number;
  separation: number;
}): Trial[] {
  const random = new Random(options.seed);
  const trials: Trial[] = [];
  for (let source = 0; source < options.sources; source++) {
    const ofSource = options.sourceDeviation * random.normal();
    for (let speaker = 0; speaker < options.speakersPerSource; speaker++) {
      const ofSpeaker = (options.speakerDeviation ?? 0) * random.normal();
      for (let file = 0; file < options.filesPerSpeaker; file++) {
        const bonafide = file % 2 === 0;
        trials.push({
          file: `${source}-${speaker}-${file}`,
          bonafide,
          score: random.normal() + ofSource + ofSpeaker + (bonafide ? 1 : -1) * (options.separation / 2),
          attack: bonafide ? null : `G${file % 3}`,
          speaker: `p${speaker}`,
          source: `s${source}`,
        });
      }
    }
  }
  return trials;
}
