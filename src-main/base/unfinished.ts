/** What is being made and not finished is noted in the data folder, so that what a killed process left of it is removed by the next one. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile, readdir, rm } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { writeFileWhole } from './files.ts';
import { isAlive } from './processes.ts';
import { clearTemporary } from './temporary.ts';

const noteSchema = z.object({
  pid: z.int().positive(),
  /** What tells the process from a later one of the same number; null where the system does not say. */
  started: z.string().nullable(),
  paths: z.array(z.string()).max(10),
});
type Note = z.infer<typeof noteSchema>;

/** Only what bears a name that this program gives to what is unfinished is ever removed. */
const unfinishedName = /^\.import-[0-9a-f]{12}$|^\..+\.[0-9a-f]{8,16}\.partial(\.sqlite(-wal|-shm|-journal)?)?$/;

function folderOf(home: string): string {
  return join(home, 'unfinished');
}

/** When a process began, in ticks since the machine did; null where the system does not tell. */
function startOf(pid: number): string | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is a name in brackets, which may hold blanks.
    return fields.slice(fields.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

/**
 * Runs work that makes files or folders which are nothing before it is done.
 * @param paths absolute, of what is removed if this process does not live to do it
 */
export async function whileUnfinished<T>(home: string, paths: readonly string[], work: () => Promise<T>): Promise<T> {
  const path = join(folderOf(home), `${randomBytes(8).toString('hex')}.json`);
  const note: Note = { pid: process.pid, started: startOf(process.pid), paths: [...paths] };
  await writeFileWhole(path, JSON.stringify(note), { mode: 0o600 });
  try {
    return await work();
  } finally {
    await rm(path, { force: true }).catch(() => undefined);
  }
}

function isUnderWay({ pid, started }: Note): boolean {
  return isAlive(pid) && (started === null || startOf(pid) === started);
}

async function noteAt(path: string): Promise<Note | null> {
  try {
    return noteSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return null;
  }
}

/**
 * Removes what killed processes left unfinished, in temporary folders too. Never fails: what cannot be removed now, as on a drive that is away, has its turn later.
 * @param options.casesFolder where imports are unpacked: those that no note names are removed, too
 */
export async function clearUnfinished(home: string, { casesFolder }: { casesFolder?: string } = {}): Promise<void> {
  await clearTemporary();
  const folder = folderOf(home);
  const underWay = new Set<string>();
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const note = await noteAt(path);
    if (note && isUnderWay(note)) for (const one of note.paths) underWay.add(one);
    else if (note === null || (await removed(note.paths))) await rm(path, { force: true }).catch(() => undefined);
  }
  if (casesFolder === undefined) return;
  for (const name of await readdir(casesFolder).catch(() => [])) {
    const path = join(casesFolder, name);
    if (/^\.import-[0-9a-f]{12}$/.test(name) && !underWay.has(path)) await removed([path]);
  }
}

async function removed(paths: readonly string[]): Promise<boolean> {
  let all = true;
  for (const path of paths) {
    if (!isAbsolute(path) || !unfinishedName.test(basename(path))) continue;
    await rm(path, { recursive: true, force: true }).catch(() => (all = false));
  }
  return all;
}
