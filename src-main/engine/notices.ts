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
const builtIn = ['svelte', 'wavesurfer.js', 'unpdf', 'electron'];
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
export function licenceOf({ license, licenses }: Manifest): string {
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

/** An installed package that the application stands on. */
export interface InstalledPackage {
  readonly folder: string;
  readonly manifest: Manifest;
  /** Its code is built into the window or packed elsewhere: at run time it need not be installed. */
  readonly builtIn: boolean;
}

/** Every package that the application in a folder stands on, as far as it is installed there. */
export async function installedPackages(root: string): Promise<InstalledPackage[]> {
  const own = await readManifest(root);
  const visited = new Map<string, InstalledPackage>();
  const visit = async (name: string, from: string, builtIn: boolean, deep: boolean): Promise<void> => {
    const found = await packageFolder(name, from);
    if (!found || visited.has(found.folder)) return;
    visited.set(found.folder, { ...found, builtIn });
    const { dependencies, optionalDependencies } = found.manifest;
    if (!deep) return;
    for (const needed of Object.keys({ ...dependencies, ...optionalDependencies })) {
      await visit(needed, found.folder, builtIn, true);
    }
  };
  for (const name of Object.keys({ ...own?.dependencies, ...own?.optionalDependencies })) {
    await visit(name, root, false, true);
  }
  for (const name of builtInWhole) await visit(name, root, true, true);
  for (const name of builtIn) await visit(name, root, true, false);
  return [...visited.values()];
}

/** Every package and every encoder that is installed with the application, by name; what needs no licence of its own, the project, is left out. */
export async function bundledPackages(): Promise<Notice[]> {
  const root = applicationRoot();
  const notices = new Map<string, Notice>();
  for (const { folder, manifest } of await installedPackages(root)) {
    notices.set(`${manifest.name}@${manifest.version}`, {
      name: manifest.name,
      version: manifest.version,
      licence: licenceOf(manifest) || (await licenceHeading(folder)),
    });
  }
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
