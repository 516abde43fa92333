/** How members of a model are joined: seeds of one network averaged, the rest weighted by logistic regression. */
import type { DatasetItem } from '../datasets/types.ts';
import type { Card } from '../detector/card.ts';
import { fitLogistic } from '../detector/logistic.ts';
import type { MemberContent } from '../detector/scorers.ts';
import { detectionMetrics } from '../evaluation/metrics.ts';
import type { Trial } from '../evaluation/trials.ts';
import { exampleWeights } from '../training/sampling.ts';
import { rejoined } from './calibration-material.ts';
import type { ScoredMaterial } from './calibration-material.ts';
import type { FittedMember, MemberTrainer } from './train-members.ts';

/** Strength of the fit that joins members: so few weights on so many scores need hardly any penalty. */
const joinStrength = 1;

/** A member beside the joined model: its weight, and what it makes of dev by itself. */
export interface MemberFigures {
  name: string;
  weight: number;
  eer: number;
  auc: number;
}

/** Names of members whose scores are averaged: seeds of one network. */
export function groupsOf(trainers: readonly MemberTrainer[]): string[][] {
  // An encoder's name may end in a number of its own.
  const keyOf = ({ name, epochs }: MemberTrainer): string =>
    epochs === null ? `encoder ${name}` : name.replace(/-\d+$/, '');
  return [...Map.groupBy(trainers, keyOf).values()].map((group) => group.map(({ name }) => name));
}

/**
 * Weights by which members' scores are added up: logistic regression on scores of recordings that the members were not made
 * of, sources weighted alike.
 * @param trials with the scores of one member of each group
 */
function joinWeights(trials: readonly Trial[], items: readonly DatasetItem[]): number[] {
  const byId = new Map(items.map((item) => [item.id, item]));
  const used = trials.filter(({ members }) => members?.every(Number.isFinite));
  const features = Float32Array.from(used.flatMap(({ members }) => members ?? []));
  const labels = Uint8Array.from(used, ({ bonafide }) => Number(bonafide));
  const weights = exampleWeights(used.map(({ file }) => byId.get(file) as DatasetItem));
  return [...fitLogistic({ features, labels, weights }, joinStrength).kernel];
}

/** What each member makes of recordings by itself. @param trials with the scores of all members */
export function memberFigures(members: Card['members'], trials: readonly Trial[]): MemberFigures[] {
  return members.map(({ name, weight }, index) => {
    const own = trials.flatMap((trial) => {
      const score = trial.members?.[index];
      return Number.isFinite(score) ? [{ ...trial, score: score as number }] : [];
    });
    const { eer, auc } = detectionMetrics(own);
    return { name, weight, eer, auc };
  });
}

/**
 * Gives each member its weight, and the material the scores that follow. Scores of folds are of the first of each group.
 * @param groups as of `groupsOf`
 * @param items that the material is of
 */
export function joinMembers(
  members: readonly FittedMember[],
  groups: readonly string[][],
  material: ScoredMaterial,
  items: readonly DatasetItem[],
): { members: FittedMember[]; material: ScoredMaterial } {
  const several = groups.length > 1;
  const ofGroups = several ? joinWeights(material.trials, items) : [1];
  const weightOf = (name: string): number => {
    const at = groups.findIndex((names) => names.includes(name));
    return ofGroups[at] / groups[at].length;
  };
  return {
    members: members.map(({ content, ...rest }) => ({
      ...rest,
      content: { ...content, member: { ...content.member, weight: weightOf(content.member.name) } } as MemberContent,
    })),
    material: several ? rejoined(material, ofGroups) : material,
  };
}
