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
  'collection',
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

/** What a spec says of a collection: `NAME` or its file, `@VERSION`, `?expired` (what is past its retention too), `#SHA256` of the list. */
export interface CollectionReference {
  place: string;
  /** Null: the entries as they are now. */
  version: string | null;
  expired: boolean;
  /** The list must have this hash. */
  sha256: string | null;
}

const collectionForm = /^(.*?)(?:@([\p{L}\p{N}_-]+))?(\?expired)?(?:#([0-9a-f]{64}))?$/su;

/** Takes apart what follows `collection:`. */
export function collectionReference(text: string): CollectionReference {
  const [, place = '', version, expired, sha256] = collectionForm.exec(text) ?? [];
  return { place, version: version ?? null, expired: expired !== undefined, sha256: sha256 ?? null };
}

export function collectionText({ place, version, expired, sha256 }: CollectionReference): string {
  return `${place}${version === null ? '' : `@${version}`}${expired ? '?expired' : ''}${sha256 === null ? '' : `#${sha256}`}`;
}

/** A dataset's spec as a short name: the last folder of each part; of a table with the file's name. */
export function datasetName(spec: string): string {
  return specParts(spec)
    .map((part) => {
      const { kind, path: written } = partOf(part);
      // A hash says nothing to a reader.
      const path = kind === 'collection' ? collectionText({ ...collectionReference(written), sha256: null }) : written;
      const names = path.split(/[/\\]/).filter((name) => name !== '');
      // Tables are all called alike: their folder says which.
      return names.slice(kind === 'manifest' ? -2 : -1).join('/') || part;
    })
    .join(' + ');
}
