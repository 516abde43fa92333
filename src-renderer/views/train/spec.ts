/** Specs of datasets, as `KIND:PATH`, several joined by `+`. */

const kinds = [
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

// A plus belongs to a path unless a kind of dataset follows it.
const joint = new RegExp(`\\+(?=(?:${kinds.join('|')}):)`);

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

/** Kind and path of one part; an unknown kind is null. */
export function partOf(part: string): { kind: string | null; path: string } {
  const colon = part.indexOf(':');
  const kind = part.slice(0, Math.max(0, colon));
  return (kinds as readonly string[]).includes(kind)
    ? { kind, path: part.slice(colon + 1) }
    : { kind: null, path: part };
}
