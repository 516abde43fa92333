import { UserFacingError } from '../base/errors.ts';
import { equalErrorRate, sweepSorted, type ThresholdSweep } from './sweep.ts';
import type { AsvScores } from './trials.ts';

/** A speaker verification system at its EER threshold, where it accepts scores of at least the threshold. */
export interface AsvFigures {
  eer: number;
  threshold: number;
  falseAcceptRate: number;
  missRate: number;
  /** Share of spoofs that the ASV system itself rejects, and accepts. */
  spoofMissRate: number;
  spoofFalseAcceptRate: number;
  targets: number;
  nontargets: number;
  spoofs: number;
}

/** Priors and costs of the ASVspoof 2019 evaluation plan, which ASVspoof 2021 kept. */
const priorSpoof = 0.05;
const priorTarget = (1 - priorSpoof) * 0.99;
const priorNontarget = (1 - priorSpoof) * 0.01;
const costMiss = 1;
const costFalseAccept = 10;

/**
 * The ASV system's own figures at its EER threshold, as the organisers' `obtain_asv_error_rates`.
 * @throws UserFacingError `one-class` when targets, nontargets or spoofs are missing; `not-finite`.
 */
export function asvFigures(scores: AsvScores): AsvFigures {
  const sorted = [scores.targets, scores.nontargets, scores.spoofs].map((list) => list.slice().sort());
  if (sorted.some((list) => list.length === 0)) {
    throw new UserFacingError('one-class', 'The ASV scores lack target, nontarget or spoof trials.', {
      advice: 'The t-DCF needs all three.',
    });
  }
  if (sorted.some((list) => list.some((score) => !Number.isFinite(score)))) {
    throw new UserFacingError('not-finite', 'An ASV score is not a finite number.', { advice: 'Leave it out.' });
  }
  const { eer, threshold } = equalErrorRate(sweepSorted(sorted[0], sorted[1]));
  const accepted = sorted.map((list) => list.reduce((count, score) => count + (score >= threshold ? 1 : 0), 0));
  const [targets, nontargets, spoofs] = sorted.map((list) => list.length);
  return {
    eer,
    threshold,
    falseAcceptRate: accepted[1] / nontargets,
    missRate: (targets - accepted[0]) / targets,
    spoofMissRate: (spoofs - accepted[2]) / spoofs,
    spoofFalseAcceptRate: accepted[2] / spoofs,
    targets,
    nontargets,
    spoofs,
  };
}

/**
 * Normalised minimum t-DCF in the form of ASVspoof 2019 (Kinnunen et al., Odyssey 2018; the organisers'
 * `compute_tDCF_legacy`), with the cost model of its evaluation plan.
 */
export function minTdcf2019(sweep: ThresholdSweep, asv: AsvFigures): number {
  const weightMiss =
    priorTarget * (costMiss - costMiss * asv.missRate) - priorNontarget * costFalseAccept * asv.falseAcceptRate;
  const weightFalseAccept = costFalseAccept * priorSpoof * (1 - asv.spoofMissRate);
  return minimumCost(sweep, 0, weightMiss, weightFalseAccept);
}

/**
 * Normalised minimum t-DCF in its revised form (Kinnunen et al., IEEE/ACM TASLP 2020; ASVspoof 2021's
 * `compute_tDCF`), which counts the ASV system's own errors, with the same costs.
 */
export function minTdcfRevised(sweep: ThresholdSweep, asv: AsvFigures): number {
  const floor = priorTarget * costMiss * asv.missRate + priorNontarget * costFalseAccept * asv.falseAcceptRate;
  const weightFalseAccept = priorSpoof * costFalseAccept * asv.spoofFalseAcceptRate;
  return minimumCost(sweep, floor, priorTarget * costMiss - floor, weightFalseAccept);
}

/** Lowest cost over all thresholds, over that of the better of accepting and rejecting everything. */
function minimumCost(sweep: ThresholdSweep, floor: number, weightMiss: number, weightFalseAccept: number): number {
  if (weightMiss <= 0) {
    throw new UserFacingError(
      'asv-unusable',
      'No t-DCF can be computed with an ASV system that errs as much as this.',
      {
        advice: 'Check that its scores are high for the claimed speaker and that its keys are right.',
      },
    );
  }
  const normaliser = floor + Math.min(weightMiss, weightFalseAccept);
  if (normaliser <= 0) {
    throw new UserFacingError('asv-unusable', 'The t-DCF is undefined: the ASV system accepts no spoof.', {
      advice: 'Leave the ASV scores out.',
    });
  }
  const { misses, falseAccepts } = sweep;
  const perMiss = weightMiss / sweep.positives;
  const perFalseAccept = weightFalseAccept / sweep.negatives;
  let least = Infinity;
  for (let i = 0; i < misses.length; i++) {
    least = Math.min(least, perMiss * misses[i] + perFalseAccept * falseAccepts[i]);
  }
  return (floor + least) / normaliser;
}
