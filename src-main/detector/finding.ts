/** From a score to a finding, or to the reasons why there is none. */
import type { Finding } from '../../src-common/findings.ts';
import type { DecodeNotes } from '../audio/types.ts';
import { applyCalibration } from '../evaluation/calibration.ts';
import { calibrationSeconds } from '../evaluation/lengths.ts';
import type { Card } from './card.ts';
import { distanceReasons } from './distance.ts';
import type { RecordingDistance } from './distance.ts';
import { highestHz } from './member.ts';
import type { Quality } from '../../src-common/schemas/recording.ts';
import { noteReasons } from './reason.ts';
import type { Reason } from '../../src-common/schemas/analysis.ts';
import { unmetConditions } from './validation-conditions.ts';

/** What the finding rests on. */
export interface FindingBasis {
  score: number | null;
  activeSeconds: number;
  clippedFraction: number;
  nonFiniteSamples: number;
  notes: DecodeNotes;
  /** Channels that are not all silent were mixed. */
  mixed: boolean;
  /** As in `DecodeStatistics`. */
  mixLossDb?: number | null;
  audioStreams: number;
  /** Which of them was scored, counted from 0. */
  stream: number;
  sampleRateHz: number;
  /** ffmpeg's name of it. */
  codec: string;
  windows: number;
  quality: Pick<Quality, 'speechSeconds' | 'snrDb' | 'effectiveBandwidthHz'>;
  /** Where the card tells how far is too far. */
  distances?: readonly RecordingDistance[];
}

/** Where the card says nothing, the share of the front end's highest frequency that a recording must reach. */
const leastBandwidthShare = 0.6;

/** Where the card does not say what lengths of speech it was measured on, none beyond this was. */
const longestCalibrated = Math.max(...calibrationSeconds);

/** Channels that have nothing to do with one another lose 3 dB in their mix; opposite ones, of which coding leaves a little, far more. */
const mostMixLossDb = 12;

/** Above this many windows the lowest of them says nothing. */
const mostComparedWindows = 60;

function reasonsFor(card: Card, basis: FindingBasis): Reason[] {
  const { thresholds } = card;
  const reasons: Reason[] = [];
  const add = (code: string, blocking: boolean, sentence: string): void => {
    reasons.push({ code, sentence, blocking });
  };
  if (basis.nonFiniteSamples > 0) {
    add(
      'non-finite-samples',
      true,
      `${basis.nonFiniteSamples} samples are not finite numbers; they were taken as zero.`,
    );
  }
  if (basis.score === null) {
    const sentence = basis.mixed
      ? 'The mix of its channels holds no sound; one may cancel another. Score each on its own.'
      : 'It holds no sound.';
    add('silent', true, sentence);
  } else if (basis.mixed && (basis.mixLossDb ?? 0) > mostMixLossDb) {
    const loss = (basis.mixLossDb ?? 0).toFixed(0);
    const sentence = `The mix of its channels is ${loss} dB lower than they are: one cancels another. Score each on its own.`;
    add('cancelled', true, sentence);
  } else if (basis.activeSeconds < thresholds.minimumActiveSeconds) {
    const seconds = basis.activeSeconds.toFixed(2);
    add('too-short', true, `It holds ${seconds} s of sound; ${thresholds.minimumActiveSeconds} s are needed.`);
  }
  const { speechSeconds, snrDb, effectiveBandwidthHz } = basis.quality;
  if (basis.score !== null && speechSeconds !== null && speechSeconds < thresholds.minimumSpeechSeconds) {
    const seconds = speechSeconds.toFixed(2);
    add(
      'little-speech',
      true,
      `It holds ${seconds} s of speech; ${thresholds.minimumSpeechSeconds} s are needed. It was scored as a whole.`,
    );
  }
  if (basis.clippedFraction > thresholds.maximumClippedFraction) {
    const percent = (100 * basis.clippedFraction).toFixed(1);
    add(
      'clipped',
      true,
      `${percent} % of its samples are clipped; at most ${Number((100 * thresholds.maximumClippedFraction).toPrecision(3))} % may be.`,
    );
  }
  // A model that was measured on narrower sound than its front ends look at says so in its card.
  const fMax = Math.max(...card.members.map((member) => highestHz(member) ?? 0));
  const { minimumBandwidthHz = leastBandwidthShare * fMax } = thresholds;
  const leastRateHz = 2 * (thresholds.minimumBandwidthHz ?? fMax);
  if (basis.sampleRateHz < leastRateHz) {
    add(
      'narrow-band',
      true,
      `It was sampled at ${basis.sampleRateHz} Hz; the model looks at frequencies up to ${leastRateHz / 2} Hz.`,
    );
  } else if (effectiveBandwidthHz !== null && effectiveBandwidthHz < minimumBandwidthHz) {
    add(
      'narrow-band',
      true,
      `Its sound reaches up to ${effectiveBandwidthHz} Hz only, as over a telephone; ${Math.round(minimumBandwidthHz)} Hz are needed.`,
    );
  }
  if (snrDb !== null && snrDb < thresholds.minimumSnrDb) {
    const ratio = snrDb.toFixed(0);
    add('noisy', true, `Its signal-to-noise ratio is about ${ratio} dB; ${thresholds.minimumSnrDb} dB are needed.`);
  }
  if (thresholds.misjudgedCodecs?.includes(basis.codec)) {
    const sentence = `It is coded in ${basis.codec}, which moves this model's scores: human speech through it was seen to look synthetic.`;
    add('codec', true, sentence);
  }
  if (card.distance && basis.distances) reasons.push(...distanceReasons(card.distance, basis.distances));
  if (basis.score !== null && card.validation?.limits) {
    for (const { sentence } of unmetConditions(card.validation.limits, basis))
      add('outside-conditions', true, sentence);
  }
  reasons.push(...noteReasons(basis.notes));
  if (basis.audioStreams > 1) {
    const sentence = `It holds ${basis.audioStreams} audio streams, numbered from 0; number ${basis.stream} was scored.`;
    add('streams', false, sentence);
  }
  if (basis.windows > mostComparedWindows) {
    add(
      'long',
      false,
      `It has ${basis.windows} windows: the lowest of so many scores is low in bona fide speech too, and is no evidence by itself.`,
    );
  }
  return reasons;
}

/** A model for screening supports nothing: it says how a recording looks to it. */
const leaning = {
  screening: { bonafide: 'looks-bona-fide', spoof: 'looks-spoof' },
  validated: { bonafide: 'supports bona fide', spoof: 'supports spoof' },
} as const satisfies Record<Card['status'], Record<'bonafide' | 'spoof', Finding>>;

/** The finding, the calibrated likelihood ratio where one may be given, and the reasons, in order of weight. */
export function findingFor(card: Card, basis: FindingBasis): Judgement {
  const reasons = reasonsFor(card, basis);
  const speechSeconds = basis.quality.speechSeconds ?? basis.activeSeconds;
  return judge(card, basis.score, speechSeconds, reasons);
}

/** Reasons without what they say of likelihood ratios, for where those of a screening model are left out. */
export function withoutRatios(reasons: readonly Reason[]): Reason[] {
  const sentence = 'The score lies where findings are inconclusive.';
  return reasons
    .filter(({ code }) => code !== 'limited')
    .map((reason) => (reason.code === 'weak' ? { ...reason, sentence } : reason));
}

/** What of an analysis decides its finding under whichever calibration the model gets. */
export interface JudgeableScore {
  score: number | null;
  speechSeconds: number;
  /** Something else than the calibration makes it not assessable. */
  blocked: boolean;
}

export function judgeableScore(
  analysis: Pick<FindingBasis, 'score' | 'activeSeconds' | 'quality'> & { reasons: readonly Reason[] },
): JudgeableScore {
  return {
    score: analysis.score,
    speechSeconds: analysis.quality.speechSeconds ?? analysis.activeSeconds,
    blocked: analysis.reasons.some(({ code, blocking }) => blocking && !calibrationCodes.has(code)),
  };
}

/** The finding of what was scored before the model got its calibration. */
export function findingUnder(card: Card, { score, speechSeconds, blocked }: JudgeableScore): Finding {
  return blocked ? 'not assessable' : judge(card, score, speechSeconds, []).finding;
}

interface Judgement {
  finding: Finding;
  llr: number | null;
  reasons: Reason[];
}

/** Reasons that the calibration gives and that forbid a finding: another calibration may lift them. */
const lengthCode = 'length';
const uncalibratedCode = 'uncalibrated';
export const calibrationCodes: ReadonlySet<string> = new Set([lengthCode, uncalibratedCode]);

/** @param reasons those that do not hang on the calibration; what it says is added to them. */
function judge(card: Card, score: number | null, speechSeconds: number, reasons: Reason[]): Judgement {
  if (card.uncalibrated) {
    const sentence = 'The model was made elsewhere and is not calibrated: its score is no finding.';
    reasons.push({ code: uncalibratedCode, sentence, blocking: true });
  }
  if (score === null || reasons.some((reason) => reason.blocking)) {
    return { finding: 'not assessable', llr: null, reasons };
  }
  const calibrated = applyCalibration(card.calibration, score, speechSeconds);
  if (calibrated.notValidatedForLength) {
    const { fromSeconds, toSeconds } = calibrated.notValidatedForLength;
    const sentence = `Not validated for this length: ${speechSeconds.toFixed(1)} s of speech; the model was measured on ${fromSeconds.toFixed(1)} to ${toSeconds.toFixed(1)} s.`;
    reasons.push({ code: lengthCode, sentence, blocking: true });
    return { finding: 'not assessable', llr: null, reasons };
  }
  const { lengths, validated } = card.calibration;
  if (lengths.length === 0 && validated === null && speechSeconds > longestCalibrated) {
    const sentence = `Not validated for this length: the model's card does not say what speech of ${speechSeconds.toFixed(0)} s was measured.`;
    reasons.push({ code: lengthCode, sentence, blocking: true });
    return { finding: 'not assessable', llr: null, reasons };
  }
  const { llr, limited, map } = calibrated;
  if (limited !== null) {
    const limit = (llr / Math.LN10).toFixed(2).replace('-', '\u2212');
    const sentence = `The validation data support no ${limited === 'upper' ? 'higher' : 'lower'} log10 likelihood ratio than ${limit}.`;
    reasons.push({ code: 'limited', sentence, blocking: false });
  }
  const weakest = card.thresholds.inconclusiveLlr;
  const supports = calibrated.supports ?? (Math.abs(llr) < weakest ? 'neither' : llr > 0 ? 'bonafide' : 'spoof');
  if (supports !== 'neither') {
    return { finding: leaning[card.status][supports], llr, reasons };
  }
  if (map.bandReason !== null) {
    reasons.push({ code: 'no-band', sentence: map.bandReason, blocking: false });
  }
  if (map.band !== null) {
    const rate = `${100 * map.band.maximumRate} %`;
    const sentence = `A finding at this score could be wrong more often than in ${rate} of recordings.`;
    reasons.push({ code: 'within-band', sentence, blocking: false });
  } else if (calibrated.supports === null) {
    const limit = Math.exp(weakest).toFixed(1);
    const sentence = `The likelihood ratio lies between 1/${limit} and ${limit}.`;
    reasons.push({ code: 'weak', sentence, blocking: false });
  }
  return { finding: 'inconclusive', llr, reasons };
}

/** What is said of a recording that the model was trained on: its score, which means nothing, and no more. */
export function trainedOn<T extends { finding: Finding; llr: number | null; reasons: Reason[] }>(judged: T): T {
  const sentence =
    "The model was trained on this very file (its SHA-256 stands in the model's card): the score means nothing.";
  const reason = { code: 'trained-on', sentence, blocking: true };
  return { ...judged, finding: 'not assessable', llr: null, reasons: [reason, ...judged.reasons] };
}
