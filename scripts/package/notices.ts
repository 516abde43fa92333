import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { licenceOf } from '../../src-main/engine/notices.ts';
import type { InstalledPackage } from '../../src-main/engine/notices.ts';
import { isLicence } from './contents.ts';

/** Made elsewhere, and packed as a binary. */
export interface PackedBinary {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** SHA-256. */
  readonly hash: string;
  readonly text: string;
}

const line = '-'.repeat(100);

async function textsOf(folder: string): Promise<string[]> {
  const names = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => entry.isFile() && isLicence(entry.name))
    .map(({ name }) => name)
    .sort();
  return Promise.all(names.map(async (name) => `[${name}]\n\n${(await readFile(join(folder, name), 'utf8')).trim()}`));
}

/** Who made what is inside, under which licence, with the texts that came with it. */
export async function noticesText(
  packages: readonly InstalledPackage[],
  binaries: readonly PackedBinary[],
): Promise<string> {
  const parts = [
    `Earwitness is free software under the GNU General Public License, version 3 or later; its text is in LICENSE.
The source of this build is the commit that BUILD.json names; \`npm run package\` makes the package of it.

It stands on the work of others, which is listed here with its licences. Chromium's own list comes with Electron
(LICENSES.chromium.html).`,
  ];
  for (const { name, version, licence, text } of binaries) {
    parts.push(`${name} ${version}\nLicence: ${licence}\n\n${text.trim()}`);
  }
  const sorted = [...packages].sort((one, other) => (key(one) < key(other) ? -1 : 1));
  let last = '';
  for (const each of sorted) {
    if (key(each) === last) continue;
    last = key(each);
    const texts = await textsOf(each.folder);
    parts.push(
      [`${key(each)}\nLicence: ${licenceOf(each.manifest) || 'not stated in its manifest'}`, ...texts].join('\n\n'),
    );
  }
  return `${parts.join(`\n\n${line}\n\n`)}\n`;
}

function key({ manifest: { name, version } }: InstalledPackage): string {
  return `${name} ${version}`;
}
