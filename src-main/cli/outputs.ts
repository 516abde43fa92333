import { join } from 'node:path';
import { writeFileWhole } from '../base/files.ts';

/** Writes files into a folder, none over what must stay (`mustNotReplace`); all or, where one may not be written, none. */
export async function writeOutputs(folder: string, files: Record<string, string>): Promise<void> {
  const { mustNotReplace } = await import('../cases/protected.ts');
  for (const name of Object.keys(files)) mustNotReplace(join(folder, name));
  for (const [name, content] of Object.entries(files)) await writeFileWhole(join(folder, name), content);
}
