/** What is learnt from, what chooses, and what scores are taken of. */
import { UserFacingError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { loadDataset, selectSplit } from '../datasets/load.ts';
import type { Dataset, DatasetItem } from '../datasets/types.ts';
import { foldKey } from './source-folds.ts';
import type { TrainingOptions } from './training-options.ts';

const heldOutShare = 0.2;
export interface Splits {
  /** Copies of `train` that members may learn from. */
  copies?: DatasetItem[];
  train: DatasetItem[];
  dev: DatasetItem[];
  test: DatasetItem[];
  note: string | null;
}

/** The dataset's own splits; where it has no dev split, a seeded fifth of the training speakers (or files). */
function trainingSplits(dataset: Dataset, seed: number): Splits {
  const named = (split: string): DatasetItem[] => dataset.items.filter((item) => item.split === split);
  const test = named('test');
  const dev = named('dev');
  if (dev.length > 0) return { train: selectSplit(dataset, 'train'), dev, test, note: null };
  const usable = dataset.items.filter((item) => item.split === 'train' || item.split === null);
  const held = new Set<string>();
  const groupOf = (item: DatasetItem): string => `${item.label}/${item.speaker ?? item.id}`;
  for (const label of ['bonafide', 'spoof']) {
    const groups = [...new Set(usable.filter((item) => item.label === label).map(groupOf))];
    const count = Math.max(1, Math.round(heldOutShare * groups.length));
    new Random([seed, 6])
      .shuffle(groups)
      .slice(0, count)
      .forEach((group) => held.add(group));
  }
  return {
    train: usable.filter((item) => !held.has(groupOf(item))),
    dev: usable.filter((item) => held.has(groupOf(item))),
    test,
    note: `The dataset has no dev split: ${100 * heldOutShare} % of its training speakers (files where speakers are unknown) were held out as dev.`,
  };
}

/** The splits that scores are taken of. @throws UserFacingError `dataset` where none is of a source that was trained on. */
async function judgedSplits({ calibrateOn, seed }: TrainingOptions, splits: Splits): Promise<Splits> {
  if (calibrateOn === undefined) return splits;
  const judged = trainingSplits(await loadDataset(calibrateOn), seed);
  return { ...judged, train: ofSameSources(calibrateOn, judged.train, splits) };
}

/** @throws UserFacingError `dataset` where no recording is of a source that is trained on. */
function ofSameSources(spec: string, items: readonly DatasetItem[], { train }: Splits): DatasetItem[] {
  const known = new Set(train.map(foldKey));
  const chosen = items.filter((item) => known.has(foldKey(item)));
  if (chosen.length > 0) return chosen;
  throw new UserFacingError('dataset', `No recording of ${spec} is of a source that is trained on.`, {
    advice: 'Name copies of the recordings that are trained on, with the same sources.',
  });
}

/** The copies that are learnt from; null: none. @throws UserFacingError as `ofSameSources`. */
async function copiesOf({ copies }: TrainingOptions, splits: Splits): Promise<DatasetItem[] | null> {
  if (copies === undefined) return null;
  const { items } = await loadDataset(copies);
  return ofSameSources(copies, items.filter(({ split }) => split === 'train'), splits); // prettier-ignore
}

/** A training's recordings. */
export interface TrainingData {
  splits: Splits;
  /** What scores are taken of, and the dataset's name for it: the same recordings, or copies of them. */
  judged: Splits;
  judgedOn: string;
}

/** @throws UserFacingError `dataset` for one that cannot be read, or copies of other sources. */
export async function trainingData(request: TrainingOptions): Promise<TrainingData> {
  const own = trainingSplits(await loadDataset(request.dataset), request.seed);
  const copies = await copiesOf(request, own);
  const splits: Splits = copies ? { ...own, copies } : own;
  return {
    splits,
    judged: await judgedSplits(request, splits),
    judgedOn: request.calibrateOn ?? request.dataset,
  };
}
