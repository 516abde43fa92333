/** Subsets of the ASVspoof 2021 keys; the published figures are those of `eval`. */
export const subsetNames = ['eval', 'progress', 'hidden', 'all'] as const;
export type SubsetName = (typeof subsetNames)[number];
