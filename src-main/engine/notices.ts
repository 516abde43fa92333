/** Licences of the project and of the packages that it brings along, read from where they are installed; and of weights that ship. */
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { applicationRoot } from '../base/workers.ts';
import { encoderCardSchema } from '../detector/encoders/encoder.ts';

interface Notice {
  name: string;
  version: string;
  licence: string;
}

const manifestSchema = z.object({
  name: z.string(),
  version: z.string(),
  license: z.unknown().optional(),
  licenses: z.unknown().optional(),
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
});
type Manifest = z.infer<typeof manifestSchema>;

/** Built into the window or packed beside it, though development needs them only; the second ones with what they stand on. */
const builtIn = ['svelte', 'wavesurfer.js', 'electron'];
const builtInWhole = ['bits-ui', 'chart.js'];

async function readManifest(folder: string): Promise<Manifest | null> {
  const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => null);
  if (text === null) return null;
  const parsed = manifestSchema.safeParse(JSON.parse(text));
  return parsed.success ? parsed.data : null;
}

/** The folder of a package as Node finds it from another one's; null where it is not installed. */
async function packageFolder(name: string, from: string): Promise<{ folder: string; manifest: Manifest } | null> {
  for (let above = from; ; above = dirname(above)) {
    const folder = join(above, 'node_modules', name);
    const manifest = await readManifest(folder);
    if (manifest) return { folder, manifest };
    if (dirname(above) === above) return null;
  }
}

/** As a manifest says it today, or as it did once: an object, or several. */
function licenceOf({ license, licenses }: Manifest): string {
  const one = (value: unknown): string[] => {
    if (typeof value === 'string') return [value];
    if (Array.isArray(value)) return value.flatMap(one);
    if (typeof value === 'object' && value !== null && 'type' in value) return one(value.type);
    return [];
  };
  return [...one(license), ...one(licenses)].join(' or ');
}

/** The heading of the licence that lies in a package whose manifest names none. */
async function licenceHeading(folder: string): Promise<string> {
  const text = await readFile(join(folder, 'LICENSE'), 'utf8').catch(() => '');
  return text.trim().split('\n')[0].trim() || 'not stated';
}

/** The frozen encoders that ship, under their authors' licences. */
async function shippedEncoders(root: string): Promise<Notice[]> {
  const place = join(root, 'resources', 'encoders');
  const names = await readdir(place).catch(() => []);
  return Promise.all(
    names.map(async (folder) => {
      const { name, licence, onnxSha256 } = encoderCardSchema.parse(
        JSON.parse(await readFile(join(place, folder, 'card.json'), 'utf8')),
      );
      return { name: `${name} (weights)`, version: onnxSha256.slice(0, 12), licence };
    }),
  );
}

/** Every package and every encoder that is installed with the application, by name; what needs no licence of its own, the project, is left out. */
export async function bundledPackages(): Promise<Notice[]> {
  const root = applicationRoot();
  const own = await readManifest(root);
  const notices = new Map<string, Notice>();
  const visited = new Set<string>();
  const visit = async (name: string, from: string, deep = true): Promise<void> => {
    const found = await packageFolder(name, from);
    if (!found || visited.has(found.folder)) return;
    visited.add(found.folder);
    const { manifest, folder } = found;
    notices.set(`${manifest.name}@${manifest.version}`, {
      name: manifest.name,
      version: manifest.version,
      licence: licenceOf(manifest) || (await licenceHeading(folder)),
    });
    const needed = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
    if (deep) for (const dependency of needed) await visit(dependency, folder);
  };
  const wanted = Object.keys({ ...own?.dependencies, ...own?.optionalDependencies });
  for (const name of [...wanted, ...builtInWhole]) await visit(name, root);
  for (const name of builtIn) await visit(name, root, false);
  return [...notices.values(), ...(await shippedEncoders(root))].sort(
    (one, other) => one.name.localeCompare(other.name) || one.version.localeCompare(other.version),
  );
}

/** The project's own licence: its text where it lies beside the program, else what it is and what that means. */
export async function projectLicence(): Promise<string> {
  const text = await readFile(join(applicationRoot(), 'LICENSE'), 'utf8').catch(() => null);
  return (
    text ??
    'Earwitness is free software under the GNU General Public License, version 3 or later (GPL-3.0-or-later): you may use, ' +
      'study, share and change it under its terms. It comes without any warranty. ffmpeg, which set-up brings, is a build under ' +
      'the same licence; its source is at https://ffmpeg.org and with the package ffmpeg-static.'
  );
}
