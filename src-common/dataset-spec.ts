/** Specs of datasets: `KIND:PATH`, several joined by `+`. */

export const datasetKinds = [
  'asvspoof2019',
  'asvspoof2021',
  'asvspoof5',
  'for',
  'in-the-wild',
  'wavefake',
  'mlaad',
  'folder',
  'manifest',
  'bonafide',
] as const;
export type DatasetKind = (typeof datasetKinds)[number];

// A plus belongs to a path unless a kind of dataset follows it.
const joint = new RegExp(`\\+(?=(?:${datasetKinds.join('|')}):)`);

/** The parts of a spec; none of an empty one. */
export function specParts(spec: string): string[] {
  return spec.trim() === '' ? [] : spec.trim().split(joint);
}

/** A spec with one more part at its end; the same where it has it already. */
export function withPart(spec: string, part: string): string {
  const parts = specParts(spec);
  return parts.includes(part) ? parts.join('+') : [...parts, part].join('+');
}

/** A spec without one of its parts. */
export function withoutPart(spec: string, part: string): string {
  return specParts(spec)
    .filter((each) => each !== part)
    .join('+');
}

/** Kind and path of one part; what names no kind is a path with null. */
export function partOf(part: string): { kind: DatasetKind | null; path: string } {
  const kind = datasetKinds.find((each) => part.startsWith(`${each}:`));
  return kind === undefined ? { kind: null, path: part } : { kind, path: part.slice(kind.length + 1) };
}

/** A dataset's spec as a short name: the last folder of each part; of a table with the file's name. */
export function datasetName(spec: string): string {
  return specParts(spec)
    .map((part) => {
      const { kind, path } = partOf(part);
      const names = path.split(/[/\\]/).filter((name) => name !== '');
      // Tables are all called alike: their folder says which.
      return names.slice(kind === 'manifest' ? -2 : -1).join('/') || part;
    })
    .join(' + ');
}
