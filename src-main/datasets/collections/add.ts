/** From recordings elsewhere to entries of a collection: datasets, folders, files, and what a manifest says besides. */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { partOf, specParts } from '../../../src-common/dataset-spec.ts';
import { entryEditSchema, entryFields } from '../../../src-common/schemas/collection.ts';
import type { EntryEdit, EntryField } from '../../../src-common/schemas/collection.ts';
import { UserFacingError } from '../../base/errors.ts';
import { loadBonafide } from '../folder.ts';
import { isSpec, loadDataset, specPaths } from '../load.ts';
import { measureAll } from '../measure-all.ts';
import { readTable } from '../table.ts';
import type { DatasetItem, Label } from '../types.ts';
import { unreadable } from '../walk.ts';
import { knownSplit, labelOf, labelWords } from '../words.ts';
import type { NewEntry } from './collection.ts';

/** A recording that is to be catalogued, and what is stated of it. */
interface Candidate {
  item: DatasetItem;
  stated: Partial<EntryEdit>;
  /** Given where the manifest has it: the file must have it still. */
  sha256?: string;
}

export interface Measured {
  entries: NewEntry[];
  /** Recordings that cannot be read, or are not what their manifest says. */
  problems: { path: string; reason: string }[];
}

const snake = (field: string): string => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
/** Columns of a manifest that the dataset's own reading passes over. */
export const furtherColumns = (
  ['transmission', 'consentKind', 'consentDate', 'consentReference', 'consentNote', 'retainUntil', 'note'] as const
).map((field) => ({ field, column: snake(field) }));

/** The name of a field as options and columns write it, `consent_date`. @throws UserFacingError `usage` */
function fieldOf(name: string): EntryField {
  const field = entryFields.find((one) => one === name || snake(one) === name.replaceAll('-', '_'));
  if (field !== undefined) return field;
  throw new UserFacingError('usage', `An entry has no field “${name}”.`, {
    advice: `Its fields are ${entryFields.map(snake).join(', ')}.`,
  });
}

/**
 * What a person states of entries, from texts such as `language=de`; nothing behind the sign takes it away.
 * @throws UserFacingError `usage` for another field, and a value that it cannot have
 */
export function statedValues(texts: readonly string[]): Partial<EntryEdit> {
  const values: Record<string, string | null> = {};
  for (const text of texts) {
    const at = text.indexOf('=');
    if (at < 0) throw new UserFacingError('usage', `“${text}” states nothing: write FIELD=VALUE.`);
    const field = fieldOf(text.slice(0, at).trim());
    const value = text.slice(at + 1).trim();
    values[field] = field === 'label' ? (labelOf(value) ?? value) : value === '' ? null : value;
    if (field === 'split' && value !== '') values[field] = knownSplit(value) ?? value;
  }
  return checked(values, (field, value) =>
    field === 'label'
      ? new UserFacingError('usage', `The label is “${value}”.`, {
          advice: `A label is ${labelWords.bonafide}; or ${labelWords.spoof}.`,
        })
      : new UserFacingError('usage', `${snake(field)} cannot be “${value}”.`, {
          advice:
            field.endsWith('Date') || field === 'retainUntil'
              ? 'Write a date as 2031-12-31.'
              : 'Write at most 1000 characters.',
        }),
  );
}

function checked(
  values: Record<string, string | null>,
  wrong: (field: string, value: string) => UserFacingError,
): Partial<EntryEdit> {
  const { data, error } = entryEditSchema.partial().safeParse(values);
  if (data !== undefined) return data;
  const field = String(error.issues[0].path[0]);
  throw wrong(field, values[field] ?? '');
}

/** What a manifest says of its recordings beyond what datasets are made of, by their paths. */
async function manifestStates(file: string): Promise<Map<string, Pick<Candidate, 'stated' | 'sha256'>>> {
  const { header, rows } = readTable(await readFile(file), file);
  const places = furtherColumns.map(({ field, column }) => ({ field, at: header.indexOf(column) }));
  const hashAt = header.indexOf('sha256');
  const pathAt = header.indexOf('path');
  return new Map(
    rows.map(({ record, line }) => {
      const given = Object.fromEntries(
        places.flatMap(({ field, at }) => (at < 0 || record[at] === '' ? [] : [[field, record[at]]])),
      );
      const stated = checked(
        given,
        (field, value) =>
          new UserFacingError('dataset', `${file}, line ${line}: ${snake(field)} cannot be “${value}”.`, {
            path: file,
            advice: 'Write dates as 2031-12-31.',
          }),
      );
      const sha256 = hashAt < 0 ? '' : record[hashAt].toLowerCase();
      return [resolve(dirname(file), record[pathAt]), { stated, ...(sha256 === '' ? {} : { sha256 }) }];
    }),
  );
}

async function ofSpec(spec: string): Promise<Candidate[]> {
  const { items } = await loadDataset(spec);
  const said = new Map<string, Pick<Candidate, 'stated' | 'sha256'>>();
  for (const part of specParts(spec)) {
    if (partOf(part).kind !== 'manifest') continue;
    for (const [of, states] of await manifestStates(specPaths(part)[0])) said.set(of, states);
  }
  return items.map((item) => ({ item, stated: {}, ...said.get(item.path) }));
}

async function ofPath(path: string, label: Label): Promise<Candidate[]> {
  const is = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error, 'file');
  });
  const bare = { label, split: null, generator: null, speaker: null, source: null };
  const items: DatasetItem[] = is.isDirectory()
    ? (await loadBonafide(path)).items.map((item) => ({ ...item, ...bare }))
    : [{ path, id: basename(path), ...bare }];
  if (items.length > 0) return items.map((item) => ({ item, stated: {} }));
  throw new UserFacingError('dataset', `No audio files in ${path}.`, {
    path,
    advice: 'Name a folder that holds recordings.',
  });
}

/**
 * Listens to recordings, so that they can be catalogued; writes nothing.
 * @param from specs of datasets, folders and files; what is no dataset needs a label among the stated values
 * @param stated of all of them, before what their dataset says
 * @throws UserFacingError `usage` without a label, and as `loadDataset`; the signal's reason
 */
export async function measuredEntries(
  from: readonly string[],
  stated: Partial<EntryEdit>,
  options: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void; jobs?: number } = {},
): Promise<Measured> {
  const candidates = new Map<string, Candidate>();
  for (const one of from) {
    let found: Candidate[];
    if (isSpec(one)) found = await ofSpec(one);
    else if (stated.label !== undefined) found = await ofPath(resolve(one), stated.label);
    else {
      throw new UserFacingError('usage', `Nothing says whether ${one} is bona fide or spoofed speech.`, {
        advice: 'State its label, or name it as a dataset, such as folder:DIR or manifest:FILE.csv.',
      });
    }
    for (const candidate of found) candidates.set(candidate.item.path, candidate);
  }
  const all = [...candidates.values()];
  const measured = await measureAll(
    all.map(({ item }) => item),
    options,
  );
  const result: Measured = { entries: [], problems: [] };
  for (const [index, { item, stated: own, sha256 }] of all.entries()) {
    const found = measured[index];
    const { path, id: _id, ...said } = item;
    if (found instanceof UserFacingError) {
      result.problems.push({ path, reason: found.message });
    } else if (sha256 !== undefined && sha256 !== found.sha256) {
      result.problems.push({ path, reason: 'It has changed: its SHA-256 is not that of the manifest.' });
    } else {
      const { info, measures } = found;
      result.entries.push({
        ...said,
        ...own,
        ...stated,
        label: stated.label ?? item.label,
        path,
        sha256: found.sha256,
        sizeBytes: (await stat(path)).size,
        seconds: info.durationSeconds ?? 0,
        sampleRateHz: info.sampleRateHz,
        bandwidthHz: measures?.bandwidthHz ?? null,
        levelDbfs: measures?.levelDbfs ?? null,
        format: info.container === info.codec ? info.codec : `${info.container}/${info.codec}`,
      });
    }
  }
  return result;
}
