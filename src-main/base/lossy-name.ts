import { readdir } from 'node:fs/promises';
import { parse, sep } from 'node:path';

/**
 * What a path may mean whose bytes were no UTF-8 before they came through a command line, where U+FFFD stands for them now:
 * all files and folders that are there and read like it, as bytes.
 * @param path absolute
 */
export async function pathsReadAs(path: string): Promise<Buffer[]> {
  if (!path.includes('\uFFFD')) return [];
  const { root } = parse(path);
  let found: Buffer[] = [Buffer.from(root)];
  for (const name of path.slice(root.length).split(sep)) {
    const next: Buffer[] = [];
    for (const folder of found) {
      const names = name.includes('\uFFFD')
        ? await readdir(folder, { encoding: 'buffer' }).then(
            (all) => all.filter((bytes) => bytes.toString('utf8') === name),
            () => [],
          )
        : [Buffer.from(name)];
      const separator = folder.at(-1) === sep.charCodeAt(0) ? '' : sep;
      for (const bytes of names) next.push(Buffer.concat([folder, Buffer.from(separator), bytes]));
    }
    found = next;
  }
  return found;
}
