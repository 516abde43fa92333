/** What a run of the control recordings says: how far each score lies from its baseline, and whether that is too far. */
import { scoreAgreement } from './score-agreement.ts';
import type { ControlRun, ControlScore } from './schemas/controls.ts';

/**
 * Scores of one recording by one model differ by less from processor to processor, so a deviation below is none: a standard deviation
 * is never taken to be smaller.
 */
export const controlTolerance = scoreAgreement;
/** From so few baseline runs no standard deviation is taken; the tolerance stands for it. */
export const leastBaselineRuns = 5;
/** In standard deviations, as in Shewhart's charts. */
export const warningLimit = 2;
export const actionLimit = 3;

type ControlState = 'within' | 'warning' | 'action';
interface JudgedControl extends ControlScore {
  /** Mean of the baseline; null where that has no score of it. */
  centre: number | null;
  /** Of the score from the centre, in standard deviations of the baseline; null where either is missing. */
  deviation: number | null;
  state: ControlState;
}
export interface JudgedRun {
  run: ControlRun;
  outcome: ControlState | 'no-baseline';
  /** How many runs it was compared with; of a baseline run, how many of its baseline came before it. */
  baselineRuns: number;
  controls: JudgedControl[];
}

const sameVersions = (one: ControlRun, other: ControlRun): boolean =>
  JSON.stringify(one.versions) === JSON.stringify(other.versions);

/** The runs of one set of recordings by one model, the first first. */
export function runsOf(runs: readonly ControlRun[], { setSha256, model }: Pick<ControlRun, 'setSha256' | 'model'>) {
  return runs.filter((run) => run.setSha256 === setSha256 && run.model.sha256 === model.sha256);
}

/** The baseline that holds after these runs of one set and model: the latest baseline runs in a row that the same versions made. */
export function baselineAfter(runs: readonly ControlRun[]): ControlRun[] {
  const end = runs.findLastIndex(({ role }) => role === 'baseline');
  if (end < 0) return [];
  let from = end;
  while (from > 0 && runs[from - 1].role === 'baseline' && sameVersions(runs[from - 1], runs[end])) from--;
  return runs.slice(from, end + 1);
}

/** Of one recording: mean and standard deviation over the baseline. */
function limitsOf(baseline: readonly ControlRun[], sha256: string): { centre: number; deviation: number } | null {
  const scores = baseline.flatMap((run) => run.scores.find((one) => one.sha256 === sha256)?.score ?? []);
  if (scores.length === 0) return null;
  const centre = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  if (scores.length < leastBaselineRuns) return { centre, deviation: controlTolerance };
  const squares = scores.reduce((sum, score) => sum + (score - centre) ** 2, 0);
  return { centre, deviation: Math.max(controlTolerance, Math.sqrt(squares / (scores.length - 1))) };
}

function judgeControl(score: ControlScore, baseline: readonly ControlRun[]): JudgedControl {
  const limits = limitsOf(baseline, score.sha256);
  if (limits === null || score.score === null) {
    // What could be scored before and cannot now is no small thing.
    return { ...score, centre: limits?.centre ?? null, deviation: null, state: limits === null ? 'within' : 'action' };
  }
  const deviation = (score.score - limits.centre) / limits.deviation;
  const far = Math.abs(deviation);
  return { ...score, centre: limits.centre, deviation, state: stateAt(far) };
}

function stateAt(far: number): ControlState {
  if (far > actionLimit) return 'action';
  return far > warningLimit ? 'warning' : 'within';
}

const worst = (states: readonly ControlState[]): ControlState =>
  (['action', 'warning'] as const).find((state) => states.includes(state)) ?? 'within';

/**
 * @param before the runs of the same set and model before it, the first first
 * @param after those after it: a baseline run is drawn beside the whole baseline that it is part of, and is never beyond its limits
 */
export function judgeRun(run: ControlRun, before: readonly ControlRun[], after: readonly ControlRun[] = []): JudgedRun {
  const isBaseline = run.role === 'baseline';
  const since = after.findIndex((one) => one.role !== 'baseline' || !sameVersions(one, run));
  const rest = after.slice(0, since < 0 ? after.length : since);
  const baseline = baselineAfter(isBaseline ? [...before, run, ...rest] : before);
  const controls = run.scores.map((score) => judgeControl(score, baseline));
  if (isBaseline) for (const one of controls) one.state = 'within';
  const outcome = baseline.length === 0 ? 'no-baseline' : worst(controls.map(({ state }) => state));
  const baselineRuns = isBaseline ? baseline.indexOf(run) : baseline.length;
  return { run, outcome, baselineRuns, controls };
}

/** Each run of one set and model with what it says, the first first. */
export function judgeRuns(runs: readonly ControlRun[]): JudgedRun[] {
  return runs.map((run, index) => judgeRun(run, runs.slice(0, index), runs.slice(index + 1)));
}

const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

/** What came of a run, in a sentence. */
export function runSentence({ run, outcome, baselineRuns, controls }: JudgedRun): string {
  const of = plural(controls.length, 'control recording');
  if (outcome === 'no-baseline') {
    const failed = controls.filter(({ score }) => score === null).length;
    const lacking = failed === 0 ? '' : ` ${failed} of them could not be scored.`;
    return `${of}: there is no baseline for ${run.model.name} to compare with.${lacking}`;
  }
  if (run.role === 'baseline') {
    return `${of}: run ${baselineRuns + 1} of the baseline.`;
  }
  const beyond = (state: ControlState): JudgedControl[] => controls.filter((one) => one.state === state);
  const farthest = Math.max(0, ...controls.map(({ deviation }) => Math.abs(deviation ?? 0)));
  const far = `farthest from its baseline ${farthest.toFixed(1)} standard deviations`;
  if (outcome === 'within') return `${of}: all within limits (${far}).`;
  const failed = controls.filter(({ score, centre }) => score === null && centre !== null).length;
  const action = beyond('action').length;
  const parts = [
    ...(action > 0 ? [`${action} beyond the action limit of ${actionLimit}`] : []),
    ...(beyond('warning').length > 0
      ? [`${beyond('warning').length} beyond the warning limit of ${warningLimit}`]
      : []),
    ...(failed > 0 ? [`${failed} of them could not be scored`] : []),
  ];
  return `${of}: ${parts.join(', ')} (${far}).`;
}
