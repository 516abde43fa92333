/** Looks for what makes a dataset easier than it should be: repeated sound, shortcuts, leaks between splits. */
import { UserFacingError } from '../base/errors.ts';
import { Groups } from './groups.ts';
import type { MeasuredFile, Measures } from './measure.ts';
import type { Measured } from './measure-all.ts';
import { findSameSound } from './same-audio.ts';
import type { DatasetItem, Label } from './types.ts';
import { bySplit, plural, someOf } from './words.ts';

/** How well one property that has nothing to do with the voice tells the classes of a split apart. */
export interface Shortcut {
  split: string | null;
  property: string;
  /** Area under the ROC curve, at least one half: whichever direction separates better. */
  auc: number;
  /** Lower end of its interval, one-sided at 95 % (Hanley and McNeil, 1982). */
  atLeast: number;
  /** What spoofs are, `shorter` for instance; null where both classes are alike, or where it is no matter of more or less. */
  spoofsAre: string | null;
}

/** Recordings that hold the same sound. */
export interface RepeatedSound {
  /**
   * `file`: byte for byte; `audio`: coded anew, resampled, cut or at another level; `utterance`: the same words to the same
   * melody in another waveform, as a vocoder makes of a recording.
   */
  same: 'file' | 'audio' | 'utterance';
  acrossSplits: boolean;
  acrossClasses: boolean;
  members: { id: string; split: string | null; label: Label }[];
}

/** What is wrong with a dataset as material to train and measure on. */
export interface DatasetCheck {
  /** Plain sentences, the gravest first. */
  warnings: string[];
  repeated: RepeatedSound[];
  /** The strongest first. */
  shortcuts: Shortcut[];
  /** Recordings that hold nothing but silence, and files that end before their header said. */
  silent: string[];
  truncated: string[];
}

/** Above this, surely enough, a property alone is a warning. */
const warnedAuc = 0.7;
const warnedAtLeast = 0.6;
/** Fewer of a class in a split say nothing about separation. */
const fewestForAuc = 10;
/** A class that outnumbers the other so many times. */
const warnedImbalance = 3;
const shownExamples = 3;

interface Property {
  name: string;
  valueOf: (file: MeasuredFile, measures: Measures) => number;
  /** What spoofs are whose values are larger, and smaller. */
  larger: string;
  smaller: string;
}

const properties: readonly Property[] = [
  { name: 'duration', valueOf: (_, m) => m.durationSeconds, larger: 'longer', smaller: 'shorter' },
  { name: 'level', valueOf: (_, m) => m.levelDbfs, larger: 'louder', smaller: 'quieter' },
  { name: 'peak', valueOf: (_, m) => m.peakDbfs, larger: 'higher', smaller: 'lower' },
  { name: 'noise floor', valueOf: (_, m) => m.floorDb, larger: 'noisier', smaller: 'cleaner' },
  {
    name: 'leading silence',
    valueOf: (_, m) => m.leadingSilenceSeconds,
    larger: 'later to begin',
    smaller: 'sooner to begin',
  },
  {
    name: 'trailing silence',
    valueOf: (_, m) => m.trailingSilenceSeconds,
    larger: 'later to end',
    smaller: 'sooner to end',
  },
  { name: 'bandwidth', valueOf: (_, m) => m.bandwidthHz, larger: 'of wider band', smaller: 'of narrower band' },
  { name: 'DC offset', valueOf: (_, m) => m.dcOffset, larger: 'farther off zero', smaller: 'nearer to zero' },
  {
    name: 'share of zero samples',
    valueOf: (_, m) => m.zeroFraction,
    larger: 'richer in them',
    smaller: 'poorer in them',
  },
  { name: 'sample rate', valueOf: ({ info }) => info.sampleRateHz, larger: 'higher', smaller: 'lower' },
  { name: 'bits per sample', valueOf: ({ info }) => info.bitsPerSample ?? 0, larger: 'more', smaller: 'fewer' },
  { name: 'number of channels', valueOf: ({ info }) => info.channels, larger: 'more', smaller: 'fewer' },
];

/** Area under the ROC curve by ranks (Mann-Whitney), ties counting half. */
function rankAuc(positives: readonly number[], negatives: readonly number[]): number {
  const all = [
    ...positives.map((value) => ({ value, positive: true })),
    ...negatives.map((value) => ({ value, positive: false })),
  ];
  all.sort((one, other) => one.value - other.value);
  let rankSum = 0;
  for (let start = 0; start < all.length;) {
    let end = start;
    while (end < all.length && all[end].value === all[start].value) end++;
    const rank = (start + 1 + end) / 2;
    for (let at = start; at < end; at++) if (all[at].positive) rankSum += rank;
    start = end;
  }
  const count = positives.length;
  return (rankSum - (count * (count + 1)) / 2) / (count * negatives.length);
}

/** One-sided lower bound of an AUC at 95 % (Hanley and McNeil, "The meaning and use of the area under a ROC curve", 1982). */
function lowerBound(auc: number, positives: number, negatives: number): number {
  const q1 = auc / (2 - auc);
  const q2 = (2 * auc * auc) / (1 + auc);
  const variance =
    (auc * (1 - auc) + (positives - 1) * (q1 - auc * auc) + (negatives - 1) * (q2 - auc * auc)) /
    (positives * negatives);
  return auc - 1.645 * Math.sqrt(Math.max(0, variance));
}

function splitsOf(items: readonly DatasetItem[]): (string | null)[] {
  return [...new Set(items.map(({ split }) => split))].sort(bySplit);
}

const formatOf = ({ info }: MeasuredFile) =>
  info.container === info.codec ? info.codec : `${info.container}/${info.codec}`;

function findShortcuts(items: readonly DatasetItem[], measured: readonly Measured[]): Shortcut[] {
  const shortcuts: Shortcut[] = [];
  for (const split of splitsOf(items)) {
    const files: Record<Label, { file: MeasuredFile; measures: Measures }[]> = { bonafide: [], spoof: [] };
    items.forEach((item, index) => {
      const file = measured[index];
      if (item.split !== split || file instanceof UserFacingError || !file.measures) return;
      files[item.label].push({ file, measures: file.measures });
    });
    const [bonafide, spoof] = [files.bonafide.length, files.spoof.length];
    if (Math.min(bonafide, spoof) < fewestForAuc) continue;
    const add = (property: string, valueOf: Property['valueOf'], words: [string, string] | null): void => {
      const values = (label: Label) => files[label].map(({ file, measures }) => valueOf(file, measures));
      const spoofsLarger = rankAuc(values('spoof'), values('bonafide'));
      const auc = Math.max(spoofsLarger, 1 - spoofsLarger);
      const spoofsAre = words === null || auc === 0.5 ? null : words[spoofsLarger > 0.5 ? 0 : 1];
      shortcuts.push({ split, property, auc, atLeast: lowerBound(auc, bonafide, spoof), spoofsAre });
    };
    for (const { name, valueOf, larger, smaller } of properties) add(name, valueOf, [larger, smaller]);
    // Formats have no order: they are put in that of their share of spoofs, which separates best.
    const shares = new Map<string, { spoof: number; files: number }>();
    for (const label of ['bonafide', 'spoof'] as const) {
      for (const { file } of files[label]) {
        const share = shares.get(formatOf(file)) ?? { spoof: 0, files: 0 };
        share.files++;
        if (label === 'spoof') share.spoof++;
        shares.set(formatOf(file), share);
      }
    }
    add(
      'format',
      (file) => {
        const share = shares.get(formatOf(file));
        return share ? share.spoof / share.files : 0;
      },
      null,
    );
  }
  return shortcuts.sort((one, other) => other.auc - one.auc);
}

function findRepeated(items: readonly DatasetItem[], measured: readonly Measured[]): RepeatedSound[] {
  const files = measured.map((file) => (file instanceof UserFacingError ? null : file));
  const byHash = new Map<string, number>();
  const identical = new Groups(items.length);
  const audio = new Groups(items.length);
  const utterance = new Groups(items.length);
  const copies = new Set<number>();
  files.forEach((file, index) => {
    if (!file) return;
    const before = byHash.get(file.sha256);
    if (before === undefined) {
      byHash.set(file.sha256, index);
      return;
    }
    copies.add(index);
    for (const groups of [identical, audio, utterance]) groups.join(before, index);
  });
  for (const pair of findSameSound(
    files.map((file, index) => (copies.has(index) ? null : (file?.fingerprint ?? null))),
  )) {
    if (pair.same === 'audio') audio.join(pair.first, pair.second);
    utterance.join(pair.first, pair.second);
  }
  const repeated: RepeatedSound[] = [];
  const said = new Set<string>();
  for (const [same, groups] of [
    ['file', identical],
    ['audio', audio],
    ['utterance', utterance],
  ] as const) {
    for (const group of groups.all()) {
      // A group that is the same by a stricter measure is reported once.
      const key = group.join(' ');
      if (group.length < 2 || said.has(key)) continue;
      said.add(key);
      const members = group.map((index) => {
        const { id, split, label } = items[index];
        return { id, split, label };
      });
      const differ = (of: 'split' | 'label') => members.some((member) => member[of] !== members[0][of]);
      repeated.push({ same, acrossSplits: differ('split'), acrossClasses: differ('label'), members });
    }
  }
  return repeated;
}

/** What belongs to several splits: each value's name, and how many recordings of it stand where. */
function standingInSplits(items: readonly DatasetItem[], valueOf: (item: DatasetItem) => string | null): string[] {
  const places = new Map<string, Map<string, number>>();
  for (const item of items) {
    const value = valueOf(item);
    if (value === null || item.split === null) continue;
    const splits = places.get(value) ?? new Map<string, number>();
    places.set(value, splits.set(item.split, (splits.get(item.split) ?? 0) + 1));
  }
  return [...places]
    .filter(([, splits]) => splits.size > 1)
    .map(([value, splits]) => {
      const counts = [...splits].sort(([a], [b]) => bySplit(a, b)).map(([split, count]) => `${split} ${count}`);
      return `${value} (${counts.join(', ')})`;
    });
}

function warningsFor(items: readonly DatasetItem[], repeated: RepeatedSound[], shortcuts: Shortcut[]): string[] {
  const warnings: string[] = [];
  const examples = (groups: RepeatedSound[], of: 'split' | 'label') =>
    groups
      .slice(0, shownExamples)
      .map(({ members }) => {
        const other = members.find((member) => member[of] !== members[0][of]) ?? members[1];
        const place = (member: RepeatedSound['members'][number]) =>
          `${member.id}${of === 'split' ? ` in ${member.split ?? 'no split'}` : ` as ${member.label}`}`;
        return `${place(members[0])} and ${place(other)}`;
      })
      .join('; ');
  // A file's group may be part of an audio's: the wider one tells all.
  const identical = widest(repeated.filter(({ same }) => same !== 'utterance'));
  const contradictory = identical.filter(({ acrossClasses }) => acrossClasses);
  if (contradictory.length > 0) {
    warnings.push(
      `The same audio is labelled bona fide and spoof ${times(contradictory)}: ${examples(contradictory, 'label')}. ` +
        'One of the labels is wrong.',
    );
  }
  const leaking = identical.filter(({ acrossSplits }) => acrossSplits);
  if (leaking.length > 0) {
    warnings.push(
      `The same audio stands in two splits ${times(leaking)}: ${examples(leaking, 'split')}. Figures come out too good.`,
    );
  }
  for (const [one, many, valueOf, why] of [
    ['speaker', 'speakers', (item: DatasetItem) => item.speaker, 'a voice that was trained on is easier'],
    ['source', 'sources', (item: DatasetItem) => item.source, 'a channel that was trained on is easier'],
  ] as const) {
    const shared = standingInSplits(items, valueOf);
    if (shared.length === 0) continue;
    const stands = shared.length === 1 ? 'stands' : 'stand';
    warnings.push(
      `${plural(shared.length, one, many)} ${stands} in more than one split: ${someOf(shared, shownExamples)}; ${why}.`,
    );
  }
  const strong = shortcuts.filter(({ auc, atLeast }) => auc >= warnedAuc && atLeast >= warnedAtLeast);
  for (const property of new Set(strong.map((shortcut) => shortcut.property))) {
    const where = strong
      .filter((shortcut) => shortcut.property === property)
      .map(({ split, auc, spoofsAre }) => {
        const direction = spoofsAre === null ? '' : ` (spoofs are ${spoofsAre})`;
        return `${auc.toFixed(2)}${split === null ? '' : ` in ${split}`}${direction}`;
      });
    warnings.push(
      `The ${property} alone tells bona fide from spoof with an AUC of ${where.join(', ')}: ` +
        'a network may learn that instead of the voice.',
    );
  }
  for (const split of splitsOf(items)) {
    const inSplit = items.filter((item) => item.split === split);
    const bonafide = inSplit.filter(({ label }) => label === 'bonafide').length;
    const spoof = inSplit.length - bonafide;
    const where = split === null ? (inSplit.length === items.length ? 'The dataset' : 'What is in no split') : split;
    if (bonafide === 0 || spoof === 0) {
      warnings.push(`${where} holds ${bonafide === 0 ? 'no bona fide speech' : 'no spoofs'}.`);
    } else if (Math.max(bonafide, spoof) >= warnedImbalance * Math.min(bonafide, spoof)) {
      warnings.push(`${where} is unbalanced: ${bonafide} bona fide, ${spoof} spoof.`);
    }
  }
  const leakingIds = new Set(leaking.flatMap(({ members }) => members.map(({ id }) => id)));
  const copied = repeated.filter(
    ({ same, acrossSplits, members }) =>
      same === 'utterance' && acrossSplits && members.some(({ id }) => !leakingIds.has(id)),
  );
  if (copied.length > 0) {
    warnings.push(
      `The same words to the same melody, in another waveform such as a vocoder's, stand in two splits ${times(copied)}: ` +
        `${examples(copied, 'split')}.`,
    );
  }
  return warnings;
}

const times = (groups: RepeatedSound[]) => (groups.length === 1 ? 'once' : `${groups.length} times`);

/** Groups that lie in no other of them. */
function widest(groups: RepeatedSound[]): RepeatedSound[] {
  const largest = new Map<string, RepeatedSound>();
  for (const group of groups) {
    for (const { id } of group.members) {
      if ((largest.get(id)?.members.length ?? 0) < group.members.length) largest.set(id, group);
    }
  }
  return groups.filter((group) => group.members.some(({ id }) => largest.get(id) === group));
}

/**
 * Looks for what would make training or figures worthless: the same audio twice (also coded anew), speakers and sources in two
 * splits, classes out of balance, and shortcuts. Files that could not be read are left out: `inspectDataset` names them.
 * @param measured one for each item, from `measureAll`.
 */
export function checkDataset(items: readonly DatasetItem[], measured: readonly Measured[]): DatasetCheck {
  const repeated = findRepeated(items, measured);
  const shortcuts = findShortcuts(items, measured);
  const idsWhere = (holds: (file: MeasuredFile) => boolean) =>
    items
      .filter((_, index) => {
        const file = measured[index];
        return !(file instanceof UserFacingError) && holds(file);
      })
      .map(({ id }) => id);
  return {
    warnings: warningsFor(items, repeated, shortcuts),
    repeated,
    shortcuts,
    silent: idsWhere(({ measures }) => measures === null),
    truncated: idsWhere(({ truncated }) => truncated),
  };
}
