import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../lib/tools.mjs';

/** The names that a built module imports from beside it. */
const imported = /(?:from|import)\s*\(?\s*["']\.\/([^"']+)["']/g;

/** The shell as it was built, with the parts of it that it imports. */
async function shellFiles(main: string): Promise<Set<string>> {
  const files = new Set<string>();
  const follow = async (file: string): Promise<void> => {
    if (files.has(file)) return;
    files.add(file);
    for (const [, next] of (await readFile(join(main, file), 'utf8')).matchAll(imported)) await follow(next);
  };
  await follow('shell.js');
  return files;
}

/** Makes the folder that becomes `app.asar`: Electron's part of the program, which needs no package of npm's. */
export async function stageShell(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const main = join(root, 'out', 'main');
  await mkdir(join(folder, 'out', 'main'), { recursive: true });
  for (const file of await shellFiles(main)) await cp(join(main, file), join(folder, 'out', 'main', file));
  const { name, version, description, license } = JSON.parse(
    await readFile(join(root, 'package.json'), 'utf8'),
  ) as Record<string, string>;
  const manifest = { name, productName: 'Earwitness', version, description, license, author: 'Earwitness' };
  await writeFile(
    join(folder, 'package.json'),
    `${JSON.stringify({ ...manifest, type: 'module', main: 'out/main/shell.js' }, null, 2)}\n`,
  );
}
