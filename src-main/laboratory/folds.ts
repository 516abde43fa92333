import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureFolder, writeFileWhole } from '../base/files.ts';
import { sha256 } from '../base/sha256.ts';
import type { DatasetItem } from '../datasets/types.ts';
import type { TrainingEvent } from '../training/train.ts';
import { foldKey, sourceFolds } from './source-folds.ts';
import type { EmbedEvent, FitOptions, FittedMember, MemberTrainer } from './train-members.ts';

/** Scores recordings with members that were made without them; what it answers can be written as JSON. */
export type ScoreWith<Scores> = (
  members: readonly FittedMember[],
  items: readonly DatasetItem[],
  name: string,
) => Promise<Scores>;

function foldsFolder(folder: string): string {
  return join(folder, 'checkpoint-folds');
}

/**
 * Scores every training recording by members that were made without its source: for each fold each member once, on all
 * others, nothing of it chosen. A fold that is done is kept in `folder` until `removeFolds`, for a run that is resumed and for
 * another model of the same members, or some of them.
 * @param place `judged`: recordings to score instead, each by the members made without its source
 * @returns what `score` answered for each fold.
 * @throws as `trainNetwork`.
 */
export async function outOfFoldScores<Scores>(
  trainers: readonly MemberTrainer[],
  splits: { train: readonly DatasetItem[]; dev: readonly DatasetItem[]; copies?: readonly DatasetItem[] | undefined },
  place: { count: number; seed: number; folder: string; judged?: readonly DatasetItem[] | undefined },
  score: ScoreWith<Scores>,
  options: Omit<FitOptions, 'onEvent'> & {
    onEvent: (event: TrainingEvent | EmbedEvent | FoldEvent | MemberEvent) => void;
  },
): Promise<Scores[]> {
  const { judged } = place;
  const folds = sourceFolds(splits.train, place.count, place.seed);
  const pooled: Scores[] = [];
  // Another model of the same folds has other members, or is judged on other copies.
  const recordings = [splits.train, splits.copies ?? [], judged ?? []].map((items) => items.map(({ id }) => id));
  const asked = JSON.stringify([place.seed, trainers.map(({ name }) => name), recordings]);
  const kept = `scores-${sha256(asked).slice(0, 12)}.json`;
  for (const [index, held] of folds.entries()) {
    options.onEvent({ type: 'fold', fold: index + 1, folds: folds.length, recordings: held.length });
    const folder = join(foldsFolder(place.folder), String(index + 1));
    const done = join(folder, kept);
    const before = options.resume ? await readFile(done, 'utf8').catch(() => null) : null;
    if (before !== null) {
      pooled.push(JSON.parse(before) as Scores);
      continue;
    }
    const without = new Set(held);
    const train = splits.train.filter((item) => !without.has(item));
    const keys = new Set(held.map(foldKey));
    const copies = splits.copies?.filter((item) => !keys.has(foldKey(item)));
    const members = await fitMembers(trainers, { train, dev: splits.dev, copies }, folder, false, options);
    const toScore = judged?.filter((item) => keys.has(foldKey(item))) ?? held;
    const scores = await score(members, toScore, `fold ${index + 1}`);
    await writeFileWhole(done, JSON.stringify(scores));
    pooled.push(scores);
  }
  return pooled;
}

/**
 * Makes members one after the other, each with a folder of its own for its checkpoints below `folder`; one alone has that.
 * @throws as `trainNetwork`.
 */
export async function fitMembers(
  trainers: readonly MemberTrainer[],
  data: Parameters<MemberTrainer['fit']>[0],
  folder: string,
  chooses: boolean,
  options: Omit<FitOptions, 'onEvent'> & { onEvent: (event: TrainingEvent | EmbedEvent | MemberEvent) => void },
): Promise<FittedMember[]> {
  const members: FittedMember[] = [];
  for (const [index, trainer] of trainers.entries()) {
    const alone = trainers.length === 1;
    options.onEvent({ type: 'member', name: trainer.name, member: index + 1, members: trainers.length });
    const place = alone ? folder : join(folder, trainer.name);
    await ensureFolder(place);
    members.push(await trainer.fit(data, place, chooses, options));
  }
  return members;
}

/** A member begins; of a model of one network, that one. */
export interface MemberEvent {
  type: 'member';
  name: string;
  member: number;
  members: number;
}

/** A fold's training begins. */
export interface FoldEvent {
  type: 'fold';
  fold: number;
  folds: number;
  recordings: number;
}

/** Takes away what `outOfFoldScores` keeps. */
export async function removeFolds(folder: string): Promise<void> {
  await rm(foldsFolder(folder), { recursive: true, force: true });
}
