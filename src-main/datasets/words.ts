import type { Label } from './types.ts';

const labels: Record<string, Label> = {
  bonafide: 'bonafide',
  real: 'bonafide',
  genuine: 'bonafide',
  human: 'bonafide',
  spoof: 'spoof',
  fake: 'spoof',
  synthetic: 'spoof',
};

/** The words as a person reads them in an error. */
export const labelWords = {
  bonafide: 'bonafide, bona-fide, real, genuine or human',
  spoof: 'spoof, fake or synthetic',
};

const splits: Record<string, string> = {
  train: 'train',
  training: 'train',
  dev: 'dev',
  development: 'dev',
  valid: 'dev',
  val: 'dev',
  validation: 'dev',
  test: 'test',
  testing: 'test',
  eval: 'test',
  evaluation: 'test',
};

/** The label that a word stands for, in any case, with `-`, `_` or a space in `bona-fide`; null for any other word. */
export function labelOf(word: string): Label | null {
  const plain = word.trim().toLowerCase().replace(/[-_ ]/g, '');
  return Object.hasOwn(labels, plain) ? labels[plain] : null;
}

/** `train`, `dev` or `test` for any of their aliases in any case; null for any other word. */
export function knownSplit(word: string): string | null {
  const plain = word.trim().toLowerCase();
  return Object.hasOwn(splits, plain) ? splits[plain] : null;
}

/** Order of code units: the same on every platform and in every locale. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Train, dev, test, then other names, then null (no split). */
export function bySplit(a: string | null, b: string | null): number {
  const rank = (split: string | null) => {
    if (split === null) return 4;
    const place = ['train', 'dev', 'test'].indexOf(split);
    return place < 0 ? 3 : place;
  };
  return rank(a) - rank(b) || byCodeUnit(a ?? '', b ?? '');
}

/** `1 file`, `2 files`; an irregular plural is given. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** The first few names, then how many more there are. */
export function someOf(names: readonly string[], shown = 5): string {
  const listed = names.slice(0, shown).join(', ');
  return names.length > shown ? `${listed} and ${names.length - shown} more` : listed;
}
