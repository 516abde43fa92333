/** The software bill of materials (CycloneDX): npm's own, less what is not in the package, with what is in it besides. */
import { createHash } from 'node:crypto';

export interface Component {
  'bom-ref': string;
  type: string;
  name: string;
  version: string;
  purl?: string;
  hashes?: { alg: string; content: string }[];
  licenses?: unknown[];
  properties?: unknown[];
}

export interface Sbom {
  serialNumber: string;
  metadata: { timestamp: string; component: Component };
  components: Component[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

/**
 * The bill of what is inside, the same for the same contents: npm's has the time and a random number in it.
 * @param whole what `npm sbom` says of the whole tree
 * @param inside whether a package, as `name@version`, is inside
 * @param besides what is inside and came otherwise than by npm
 * @param seconds since 1970
 */
export function billOf(
  whole: Sbom,
  inside: (component: string) => boolean,
  besides: readonly Component[],
  seconds: number,
): Sbom {
  const kept = whole.components
    .filter(({ name, version }) => inside(`${name}@${version}`))
    // That it is for development only is said of what is built in, too.
    .map((component) => ({ ...component, properties: [] }));
  const components = [...kept, ...besides].sort((one, other) => (one['bom-ref'] < other['bom-ref'] ? -1 : 1));
  const own = { ...whole.metadata.component, type: 'application', name: 'earwitness' };
  const known = new Set([own['bom-ref'], ...components.map((component) => component['bom-ref'])]);
  const dependencies = whole.dependencies
    .filter(({ ref }) => known.has(ref))
    .map(({ ref, dependsOn }) => ({
      ref,
      dependsOn: [
        ...dependsOn.filter((needed) => known.has(needed)),
        ...(ref === own['bom-ref'] ? besides.map((component) => component['bom-ref']) : []),
      ].sort(),
    }))
    .sort((one, other) => (one.ref < other.ref ? -1 : 1));
  const timestamp = new Date(seconds * 1000).toISOString();
  const bill = { ...whole, metadata: { ...whole.metadata, timestamp, component: own }, components, dependencies };
  const hex = createHash('sha256')
    .update(JSON.stringify({ ...bill, serialNumber: '' }))
    .digest('hex');
  // A UUID of version 8: its digits are ours to choose.
  const uuid = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  return { ...bill, serialNumber: `urn:uuid:${uuid}` };
}
