/** One scored recording of known origin. Scores are high for bona fide speech; bona fide is the positive class. */
export interface Trial {
  file: string;
  bonafide: boolean;
  score: number;
  /** Scores of the model's members, where it has several. */
  members?: number[];
  /** The attack or generator of a spoof, where it is known; null for bona fide speech. */
  attack: string | null;
  speaker?: string | null;
  source?: string | null;
  /** Net speech. */
  speechSeconds?: number | null;
}

/** Scores of a speaker verification (ASV) system, high for the claimed speaker; what t-DCF needs. */
export interface AsvScores {
  targets: Float64Array;
  nontargets: Float64Array;
  spoofs: Float64Array;
}
