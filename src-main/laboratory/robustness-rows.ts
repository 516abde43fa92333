/** How a model stands degradations of the recordings that it is measured on. */
import type { Finding } from '../../src-common/findings.ts';
import { Random } from '../base/random.ts';
import type { DatasetItem } from '../datasets/types.ts';
import type { RunnableModel } from '../detector/store.ts';
import { findingTable } from '../evaluation/finding-table.ts';
import { pairedDifference } from '../evaluation/paired.ts';
import { tooFewOverall } from '../evaluation/units.ts';
import type { MeasuredRow } from '../reports/robustness-files.ts';
import { companionsOf, evaluateTrials, memberScores, ratioOf, spokenUnder } from './evaluate.ts';
import { hashOf } from './robustness-journal.ts';
import type { RobustnessIdentity } from './robustness-journal.ts';
import type { DegradedOutcome, DegradedSet } from './robustness-scoring.ts';
import type { Trial } from '../evaluation/trials.ts';

/** What results of a measurement depend on. */
export function robustnessIdentity(
  application: string,
  model: RunnableModel & { onnxSha256: string },
  { dataset, split, items, seed }: { dataset: string; split: string; items: readonly DatasetItem[]; seed: number },
): RobustnessIdentity {
  const recordings = items.map(({ id, path, label }) => [id, path, label]);
  return {
    application,
    modelSha256: model.onnxSha256,
    cardSha256: hashOf(model.card),
    dataset,
    split,
    recordingsSha256: hashOf(recordings),
    seed,
    companions: (model.companions ?? []).length > 0,
  };
}

/** The score of an outcome; where companions speak of some, its likelihood ratio, which is on one scale whoever spoke. */
function comparableScore(model: RunnableModel, outcome: DegradedOutcome, areRatios: boolean): number | null {
  const { score, speechSeconds } = outcome;
  return score === null || !areRatios ? score : ratioOf(spokenUnder(model, outcome), score, speechSeconds);
}

/**
 * A recording's score in a set as a trial; null where it has none.
 * @param score what stands for it, by default itself
 */
export function trialOf(
  { id, label, generator, speaker, source }: DatasetItem,
  outcome: DegradedOutcome,
  score: number | null = outcome.score,
): Trial | null {
  const { speechSeconds } = outcome;
  // Members have no part in what is not their sum.
  const members = score === outcome.score ? outcome.members : undefined;
  if (score === null) return null;
  const ofMembers = members && memberScores(members.map((one, index) => ({ name: String(index), score: one })));
  return {
    file: id,
    bonafide: label === 'bonafide',
    score,
    ...ofMembers,
    attack: generator,
    speaker,
    source,
    speechSeconds,
  };
}

const decided: readonly (Finding | null)[] = ['supports bona fide', 'supports spoof', 'looks-bona-fide', 'looks-spoof'];

/** Figures of one set beside those of the recordings as they are. */
function rowOf(
  model: RunnableModel,
  items: readonly DatasetItem[],
  plain: readonly DegradedOutcome[],
  { degradation, skipped, encoder, outcomes }: DegradedSet,
  options: { replicates: number; seed: number; areRatios: boolean },
): MeasuredRow {
  const { areRatios } = options;
  const named = {
    name: degradation?.name ?? 'as-is',
    label: degradation?.label ?? 'As they are',
    family: degradation?.family ?? null,
    value: degradation?.value ?? null,
    unit: degradation?.unit ?? null,
    encoder,
  };
  if (skipped !== null) return { ...named, skipped, figures: null };
  const trials = items.flatMap(
    (item, index) => trialOf(item, outcomes[index], comparableScore(model, outcomes[index], areRatios)) ?? [],
  );
  const both = (list: readonly { bonafide: boolean }[]): boolean =>
    list.some(({ bonafide }) => bonafide) && list.some(({ bonafide }) => !bonafide);
  const evaluation = both(trials) ? evaluateTrials(model.card, trials, { areRatios }) : null;
  const pairs = items.flatMap(({ label, speaker, source }, index) => {
    const [before, after] = [plain[index], outcomes[index]].map((one) => comparableScore(model, one, areRatios));
    return before === null || after === null
      ? []
      : [{ bonafide: label === 'bonafide', speaker, source, before, after }];
  });
  // Of too few recordings no interval is given, as elsewhere.
  const tooFew = tooFewOverall(pairs.map((pair) => ({ ...pair, score: pair.after })));
  const drawn = tooFew ? { ...options, replicates: 0 } : options;
  const paired = both(pairs) ? pairedDifference(pairs, drawn) : null;
  const table = findingTable(
    items.map(({ label, speaker, source }, index) => ({
      bonafide: label === 'bonafide',
      speaker,
      source,
      finding: outcomes[index].finding,
    })),
  );
  const reasons = new Map<string, number>();
  for (const { reasons: codes } of outcomes) for (const code of codes) reasons.set(code, (reasons.get(code) ?? 0) + 1);
  const share = (is: (outcome: DegradedOutcome) => boolean): number => outcomes.filter(is).length / items.length;
  return {
    ...named,
    skipped: null,
    figures: {
      recordings: items.length,
      scored: trials.length,
      failed: outcomes.filter(({ error }) => error !== null).length,
      byCompanion: companionsOf(outcomes).reduce((sum, { recordings }) => sum + recordings, 0),
      eer: evaluation?.metrics.eer ?? null,
      eerInterval: paired?.afterInterval ?? null,
      auc: evaluation?.metrics.auc ?? null,
      cllrBits: evaluation?.calibrated.cllrBits ?? null,
      minCllrBits: evaluation?.calibrated.minCllrBits ?? null,
      paired: paired && {
        recordings: paired.recordings,
        before: paired.before,
        difference: paired.difference,
        interval: paired.interval,
        confidence: paired.confidence,
        replicates: paired.replicates,
        levels: paired.units.levels,
        sources: paired.units.sources,
      },
      decidedShare: share(({ finding }) => decided.includes(finding)),
      notAssessableShare: share(({ finding }) => finding === 'not assessable'),
      findings: table,
      reasons: Object.fromEntries([...reasons].sort(([one], [other]) => (one < other ? -1 : 1))),
    },
  };
}

/**
 * The table of all sets; the first of them is of the recordings as they are. Where companions of the model spoke of some recordings in
 * any set, figures of all sets are of likelihood ratios.
 */
export function robustnessRows(
  model: RunnableModel,
  items: readonly DatasetItem[],
  sets: readonly DegradedSet[],
  options: { replicates: number; seed: number },
): MeasuredRow[] {
  const [{ outcomes: plain }] = sets;
  const areRatios = sets.some(({ outcomes }) => companionsOf(outcomes).length > 0);
  return sets.map((set) => rowOf(model, items, plain, set, { ...options, areRatios }));
}

/** What is said of rows in which companions have a part; null where they have none. */
export function companionNote(rows: readonly MeasuredRow[]): string | null {
  if (rows.every(({ figures }) => (figures?.byCompanion ?? 0) === 0)) return null;
  return 'Companions of the model spoke of some recordings. Scores of two models have no common scale: all figures are of likelihood ratios, each under the calibration of the one that spoke.';
}

/** Some of the recordings, sources and classes in turn as far as they go, drawn by a seed, in their order. */
export function drawnAlike(items: readonly DatasetItem[], count: number, seed: number): DatasetItem[] {
  const shuffled = new Random([seed, 11]).shuffle([...items]);
  const groups = Map.groupBy(shuffled, ({ label, source }) => `${label}\n${source ?? ''}`);
  const queues = { bonafide: [] as DatasetItem[], spoof: [] as DatasetItem[] };
  for (let round = 0; queues.bonafide.length + queues.spoof.length < items.length; round++) {
    for (const members of groups.values())
      if (round < members.length) queues[members[round].label].push(members[round]);
  }
  const { bonafide, spoof } = queues;
  const half = Math.floor(count / 2);
  const ofBonafide = Math.min(bonafide.length, Math.max(half, count - spoof.length));
  const chosen = new Set([...bonafide.slice(0, ofBonafide), ...spoof.slice(0, count - ofBonafide)]);
  return items.filter((item) => chosen.has(item));
}
