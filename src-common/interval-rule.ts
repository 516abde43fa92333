/**
 * Of how few recordings no interval is given, since it would only seem to say how sure a figure is. There are two limits because
 * there are two kinds of figures: a share of findings is counted over independent units, an error rate is a point of a curve, which
 * takes more recordings to be placed.
 */

/** Independent sources (else speakers, else recordings) from which on a share of findings has an interval. */
export const leastUnits = 5;

/**
 * Independent recordings from which on one generator's error rate has an interval: a bootstrap of fewer gives one that is too narrow, of
 * two or three often a single point.
 */
export const leastRecordings = 10;

/** The rule in words: the same wherever a figure stands without its interval. */
export const intervalRule = `Counts without an interval: a share of findings from fewer than ${leastUnits} independent sources (speakers or recordings, where sources are not named); an error rate of one generator from fewer than ${leastRecordings} independent recordings; figures over all where a class has fewer than ${leastRecordings} recordings or ${leastUnits} independent ones. Recordings of one speaker or source that score alike count as fewer.`;
