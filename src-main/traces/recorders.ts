/** Structures of files that are known: those that ship, and a laboratory's own beside its models. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserFacingError } from '../base/errors.ts';
import { dataFolder } from '../base/home.ts';
import { applicationRoot } from '../base/workers.ts';
import type { ContainerHistory } from './container.ts';

const pattern = z.string().max(2000).refine(isPattern, 'no regular expression');

const recorderSchema = z.object({
  /** Device or program, with its version where that matters. */
  name: z.string().min(1).max(200),
  /** Where it is known from: files of which device, seen by whom and when. */
  source: z.string().min(1).max(500),
  format: z.enum(['mp4', 'wav', 'flac', 'ogg', 'mp3']),
  /** Regular expression that the whole structure matches. */
  structure: pattern.optional(),
  /** By their names, regular expressions that are found in values of facts. */
  facts: z.record(z.string(), pattern).optional(),
});
type Recorder = z.infer<typeof recorderSchema>;
const tableSchema = z.object({ recorders: z.array(recorderSchema).max(2000) });

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}

/** A laboratory's own table in the data folder. */
const ownTable = 'recorders.json';

/**
 * Both tables.
 * @throws UserFacingError `recorders` where the laboratory's own cannot be read
 */
export async function knownRecorders(): Promise<Recorder[]> {
  const shipped = await readTable(join(applicationRoot(), 'resources', 'recorders.json'));
  const own = await readTable(join(dataFolder(), ownTable));
  return [...(own ?? []), ...(shipped ?? [])];
}

async function readTable(path: string): Promise<Recorder[] | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw wrong(path, (error as Error).message);
  }
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (error) {
    throw wrong(path, (error as Error).message);
  }
  const { data, error } = tableSchema.safeParse(found);
  if (!data) throw wrong(path, `${error.issues[0].path.join('.')}: ${error.issues[0].message}`);
  return data.recorders;
}

function wrong(path: string, why: string): UserFacingError {
  return new UserFacingError('recorders', `${path} is no table of recorders: ${why}.`, {
    path,
    advice: 'docs/traces.md says how a table is written.',
  });
}

/** Those whose structure and facts a file has. */
export function recordersLike(
  { format, structure, facts }: ContainerHistory,
  recorders: readonly Recorder[],
): Recorder[] {
  return recorders.filter((recorder) => {
    if (recorder.format !== format) return false;
    if (recorder.structure !== undefined && !new RegExp(`^(?:${recorder.structure})$`).test(structure)) return false;
    return Object.entries(recorder.facts ?? {}).every(([name, value]) =>
      facts.some((fact) => fact.name === name && new RegExp(value).test(fact.value)),
    );
  });
}
