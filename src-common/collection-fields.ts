/** Fields by whose values entries of a collection are chosen. Beside the schemas, which take long to load. */
export const filterFields = ['label', 'split', 'language', 'codec', 'speaker', 'source', 'chain', 'quality'] as const;
export type FilterField = (typeof filterFields)[number];
