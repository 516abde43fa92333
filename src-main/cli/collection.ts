/** `earwitness collection`: a laboratory's labelled recordings as a catalogue with conditions, consent, retention, splits and versions. */
import { extname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { filterFields } from '../../src-common/collection-fields.ts';
import type { FilterField } from '../../src-common/collection-fields.ts';
import type { CollectionEntry, CollectionSummary, EntryFilter } from '../../src-common/schemas/collection.ts';
import { visibleName } from '../../src-common/visible-text.ts';
import { UserFacingError } from '../base/errors.ts';
import type { Collection } from '../datasets/collections/collection.ts';
import type { SplitKey } from '../datasets/split.ts';
import { collected, colour, exitStatus, formatSeconds, interruptible, wholeNumber, withStatus } from './context.ts';
import { keysOption, listen, parseJobs, passing, sharesOption } from './dataset.ts';
import { mustBeFree, overwriteOption, writeOutputs } from './outputs.ts';
import { table } from './table.ts';

const rowsShown = 20;

const named = 'its name, or its file where it lies elsewhere';

const selectionHelp = `
Which entries: their numbers, or --where FIELD=VALUE, where each field may be given several times (any of its values then) and FIELD= stands
for none; fields are ${filterFields.join(', ')}, and
  --where retention=past, --where retention=kept, --where consent=missing, --where consent=stated, --where text=WORDS
--all takes every entry.`;

const statedHelp = `
--set FIELD=VALUE states something of all of them; FIELD= takes it away. Fields are
  label, split, generator, speaker, source, year, kind, note
  chain (recording chain), codec, transmission, language, quality
  consent_kind, consent_date, consent_reference, consent_note, retain_until (dates as 2031-12-31)`;

export function register(program: Command): void {
  const collection = program
    .command('collection')
    .description(
      "Keep a laboratory's labelled recordings as a catalogue: conditions, consent, retention, splits, versions.",
    )
    .addHelpText(
      'after',
      `
A collection is one file; recordings stay where they lie, and are compared with their SHA-256 whenever they are used. As a dataset it is
collection:NAME (as it is now) or collection:NAME@VERSION (as it was frozen), wherever a command takes --dataset; docs/collections.md.`,
    );
  collection
    .command('create')
    .description('Make an empty collection, in the data folder or in a file that you name.')
    .argument('<name>', 'its name, or a path that ends in .sqlite')
    .option('--note <text>', 'what it is for')
    .action(withStatus(create));
  collection.command('list').description('The collections that are known here.').action(withStatus(list));
  withStated(
    collection
      .command('add')
      .description('Listen to recordings and enter them; all of them or, where it is stopped, none.')
      .argument('<name>', named)
      .argument('<from...>', 'datasets (see: dataset inspect --help), or files and folders with --set label=…'),
  )
    .option('--jobs <n>', 'files to listen to at the same time (default: one for each core)', parseJobs)
    .addHelpText(
      'after',
      `${statedHelp}
A manifest may have these as columns, and sha256, which its files must have still. A recording is entered once, whatever its path; one that has
moved is found again at its new place.
Exit status: 0 done, 1 nothing was added, 2 wrong usage, 3 some could not be read (named), 130 interrupted.`,
    )
    .action(withStatus(add));
  withSelection(
    collection
      .command('show')
      .description(
        'Count entries per split and label, and name versions, removals and what stands in two splits; list entries.',
      ),
  )
    .option('--json', 'all of it as JSON, with the entries that are chosen')
    .action(withStatus(show));
  withStated(
    withSelection(
      collection
        .command('edit')
        .description('Label entries, and state conditions, consent, retention or splits of them.'),
    ),
  )
    .option('--undo', 'take back the latest edit instead')
    .option('--redo', 'do again what was undone last')
    .addHelpText('after', statedHelp)
    .action(withStatus(edit));
  collection
    .command('split')
    .description('Deal the entries to train, dev and test, disjoint by speaker and source.')
    .argument('<name>', named)
    .addOption(sharesOption())
    .addOption(keysOption())
    .option('--seed <n>', 'same seed and entries: same splits', wholeNumber, 1)
    .option('--quick', 'do not listen: the same sound, coded anew, may come to stand in two splits')
    .option('--shared', 'speakers and sources may stand in several splits, as --by has it')
    .addHelpText('after', '\nSplits that the entries have are left aside. "collection edit --undo" takes it back.')
    .action(withStatus(split));
  collection
    .command('freeze')
    .description('Make a version: the list of entries as it is now, hashed, which later edits leave as it is.')
    .argument('<name>', named)
    .option('--as <version>', 'its name (default: the next number)')
    .option('--note <text>', 'what it is for', '')
    .action(withStatus(freeze));
  collection
    .command('verify')
    .description('Compare every recording with what was entered, and versions with their hashes.')
    .argument('<name>', `${named}; with @VERSION of that version alone`)
    .addHelpText(
      'after',
      '\nExit status: 0 all as entered, 2 wrong usage, 4 some changed or missing (named), 130 interrupted.',
    )
    .action(withStatus(verify));
  collection
    .command('export')
    .description('Write a manifest, which "collection add NAME manifest:FILE" reads again.')
    .argument('<name>', `${named}; with @VERSION of that version, with ?expired what is past retention, too`)
    .requiredOption('--out <file>', 'the manifest (CSV)')
    .option('--copy <folder>', 'copy the recordings there, too, under their SHA-256')
    .addOption(overwriteOption('replace the manifest that stands there'))
    .action(withStatus(exportManifest));
  withSelection(
    collection
      .command('remove')
      .description('Remove entries; a row stays that says what was removed and why. The recordings are not touched.'),
  )
    .requiredOption('--reason <text>', 'why')
    .option(
      '--confirm <n>',
      'how many are to go, to confirm; without it they are named, and nothing is removed',
      wholeNumber,
    )
    .action(withStatus(remove));
}

interface Selection {
  where: string[];
  all?: boolean;
}

interface Stated {
  set: string[];
  shared?: boolean;
}

function withSelection(command: Command): Command {
  return command
    .argument('<name>', named)
    .argument('[entry...]', 'numbers of entries', (text: string, before: number[] | undefined) => [
      ...(before ?? []),
      wholeNumber(text),
    ])
    .option('--where <field=value>', 'only those; may be repeated', collected, [])
    .option('--all', 'every entry')
    .addHelpText('after', selectionHelp);
}

function withStated(command: Command): Command {
  return command
    .option('--set <field=value>', 'state it of all of them; may be repeated', collected, [])
    .option('--shared', 'a speaker or a source may come to stand in several splits');
}

async function opened<T>(name: string, use: (collection: Collection) => T | Promise<T>): Promise<T> {
  const [{ Collection: Opened }, { collectionPath, noteElsewhere }] = await Promise.all([
    import('../datasets/collections/collection.ts'),
    import('../datasets/collections/places.ts'),
  ]);
  const path = collectionPath(name);
  const collection = Opened.open(path);
  try {
    await noteElsewhere(path);
    return await use(collection);
  } finally {
    collection.close();
  }
}

async function actor(): Promise<string> {
  return (await import('../cases/session.ts')).systemActor();
}

/** The filter that --where states. @throws UserFacingError `usage` */
async function filterOf(where: readonly string[]): Promise<EntryFilter> {
  const [{ knownSplit, labelOf }, { entryFilterSchema }] = await Promise.all([
    import('../datasets/words.ts'),
    import('../../src-common/schemas/collection.ts'),
  ]);
  const values: Partial<Record<FilterField, (string | null)[]>> = {};
  const others: Record<string, string> = {};
  for (const text of where) {
    const at = text.indexOf('=');
    const [field, value] = [text.slice(0, Math.max(0, at)).trim(), text.slice(at + 1).trim()];
    if ((filterFields as readonly string[]).includes(field)) {
      const known = field === 'label' ? labelOf(value) : field === 'split' ? knownSplit(value) : null;
      const list = (values[field as FilterField] ??= []);
      list.push(known ?? (value === '' ? null : value));
    } else others[field] = value;
  }
  const { data, error } = entryFilterSchema.strict().safeParse({ values, ...others });
  if (data) return data;
  throw new UserFacingError(
    'usage',
    `--where ${where.join(' --where ')} chooses nothing: ${error.issues[0].message}.`,
    {
      advice: `Write FIELD=VALUE; fields are ${filterFields.join(', ')}, retention, consent and text.`,
    },
  );
}

/** The entries that are chosen. @throws UserFacingError `usage` where nothing chooses, `collection` where nothing is chosen */
async function chosen(
  collection: Collection,
  ids: readonly number[] | undefined,
  { where, all }: Selection,
): Promise<number[]> {
  const ways = [ids !== undefined && ids.length > 0, where.length > 0, all === true].filter(Boolean).length;
  if (ways !== 1) {
    throw new UserFacingError('usage', 'Say which entries: by their numbers, by --where, or --all.', {
      advice: '“collection show NAME --all” lists them.',
    });
  }
  const found = ids !== undefined && ids.length > 0 ? [...new Set(ids)] : collection.ids(await filterOf(where));
  if (found.length > 0) return found;
  throw new UserFacingError('collection', `No entry of ${collection.name} is chosen by that.`, {
    path: collection.path,
  });
}

async function create(name: string, { note }: { note?: string }): Promise<number> {
  const { Collection: Made } = await import('../datasets/collections/collection.ts');
  const { collectionPath, noteElsewhere } = await import('../datasets/collections/places.ts');
  const path = collectionPath(name);
  Made.create(path, { ...(note === undefined ? {} : { note }), by: await actor() }).close();
  await noteElsewhere(path);
  process.stdout.write(
    `Made ${path}. Enter recordings: earwitness collection add ${visibleName(name)} manifest:FILE.csv\n`,
  );
  return exitStatus.done;
}

async function list(): Promise<number> {
  const { listCollections } = await import('../datasets/collections/known.ts');
  const all = await listCollections();
  if (all.length === 0)
    process.stdout.write('No collection is known here. Make one: earwitness collection create NAME\n');
  for (const { place, entries, versions, problem } of all) {
    const names = versions.map((version) => version.name).join(', ');
    const about =
      problem ?? `${entries} ${entries === 1 ? 'entry' : 'entries'}${names === '' ? '' : `; versions ${names}`}`;
    process.stdout.write(`${visibleName(place)}  ${visibleName(about)}\n`);
  }
  return exitStatus.done;
}

async function add(name: string, from: string[], { set, shared, jobs }: Stated & { jobs?: number }): Promise<number> {
  const { measuredEntries, statedValues } = await import('../datasets/collections/add.ts');
  const stated = statedValues(set);
  return opened(name, (collection) =>
    interruptible(async (signal, progress) => {
      const { entries, problems } = await measuredEntries(from, stated, {
        signal,
        ...(jobs === undefined ? {} : { jobs }),
        onProgress: passing(progress, 'Listening'),
      });
      progress.clear();
      const { added, known, moved } = collection.add(entries, { by: await actor(), sharing: shared === true });
      const was = [
        ...(known > 0 ? [`${known} ${known === 1 ? 'was' : 'were'} there already`] : []),
        ...(moved > 0
          ? [`${moved} of these ${moved === 1 ? 'has' : 'have'} moved and ${moved === 1 ? 'is' : 'are'} found again`]
          : []),
      ];
      process.stdout.write(`Added ${added} to ${collection.name}${was.map((one) => `; ${one}`).join('')}.\n`);
      if (problems.length === 0) return exitStatus.done;
      process.stderr.write(`Left out, ${problems.length}:\n`);
      for (const { path, reason } of problems) {
        process.stderr.write(`  ${visibleName(reason.includes(path) ? reason : `${path}: ${reason}`)}\n`);
      }
      return exitStatus.someFailed;
    }, 'Stopped. Nothing was added.'),
  );
}

async function show(
  name: string,
  ids: number[] | undefined,
  { json, ...selection }: Selection & { json?: boolean },
): Promise<number> {
  return opened(name, async (collection) => {
    const summary = collection.summary();
    const wantsEntries = (ids?.length ?? 0) > 0 || selection.where.length > 0 || selection.all === true;
    let entries: CollectionEntry[] = [];
    if (wantsEntries) {
      const wanted = new Set(await chosen(collection, ids, selection));
      entries = collection.entries(await filterOf([])).filter(({ id }) => wanted.has(id));
    }
    process.stdout.write(
      json
        ? `${JSON.stringify(wantsEntries ? { ...summary, chosen: entries } : summary, null, 2)}\n`
        : described(summary) + (wantsEntries ? await entryTable(entries) : ''),
    );
    return exitStatus.done;
  });
}

/** A collection as text for a terminal. */
function described(summary: CollectionSummary): string {
  const heading = (text: string) => `\n${colour('bold', text, process.stdout)}\n`;
  const { name, path, note, counts, pastRetention, shared, sha256, versions, removals, latestEdit } = summary;
  const out = [`${visibleName(name)} in ${visibleName(path)}\n`, ...(note === '' ? [] : [`${visibleName(note)}\n`])];
  out.push(
    table(
      ['split', 'label', 'entries', 'speakers', 'sources', 'duration'],
      counts.map((one) => [
        one.split ?? '-',
        one.label === 'bonafide' ? 'bona fide' : one.label,
        ...[one.entries, one.speakers, one.sources].map(String),
        formatSeconds(one.seconds),
      ]),
      2,
    ),
    `${summary.entries} ${summary.entries === 1 ? 'entry' : 'entries'}; the list's SHA-256 is ${sha256}\n`,
  );
  if (pastRetention > 0) {
    out.push(
      colour(
        'yellow',
        `${pastRetention} past retention: left out where the collection is used (--where retention=past).\n`,
        process.stdout,
      ),
    );
  }
  if (shared.length > 0) {
    const rows = shared.slice(0, rowsShown).map((one) => [one.by, one.name, one.splits.join(', ')]);
    out.push(heading('In more than one split'), table(['', 'name', 'splits'], rows, 3));
    if (shared.length > rowsShown) out.push(`and ${shared.length - rowsShown} more (--json lists all)\n`);
  }
  if (versions.length > 0) {
    const rows = versions.map((one) => [
      one.name,
      String(one.entries),
      String(one.removed),
      one.madeAt,
      one.madeBy,
      one.sha256.slice(0, 12),
      one.note,
    ]);
    out.push(
      heading('Versions'),
      table(['version', 'entries', 'removed since', 'made', 'by', 'SHA-256', 'note'], rows, 1, 3),
    );
  }
  if (removals.length > 0) {
    const rows = removals
      .slice(-rowsShown)
      .map((one) => [String(one.entryId), one.removedAt, one.removedBy, one.path, one.reason]);
    out.push(heading('Removed'), table(['entry', 'when', 'by', 'what', 'why'], rows, 0, 1));
    if (removals.length > rowsShown) out.push(`and ${removals.length - rowsShown} before (--json lists all)\n`);
  }
  if (latestEdit !== null) out.push(`\nLatest edit: ${visibleName(latestEdit)} (edit --undo takes it back)\n`);
  return out.join('');
}

/** A field's name as a person reads it. */
const spaced = (field: string): string => field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

async function entryTable(entries: readonly CollectionEntry[]): Promise<string> {
  const { entryFields } = await import('../../src-common/schemas/collection.ts');
  const fields = entryFields.filter((field) => field !== 'label' && entries.some((entry) => entry[field] !== null));
  const rows = entries.map((entry) => [
    String(entry.id),
    entry.label,
    entry.seconds.toFixed(1),
    ...fields.map((field) => entry[field] ?? '-'),
    entry.path,
  ]);
  return `\n${table(['entry', 'label', 's', ...fields.map(spaced), 'recording'], rows, 0, 1)}`;
}

async function edit(
  name: string,
  ids: number[] | undefined,
  { set, shared, undo, redo, ...selection }: Selection & Stated & { undo?: boolean; redo?: boolean },
): Promise<number> {
  if (undo || redo) {
    const asked = [undo, redo, shared, selection.all].filter(Boolean).length;
    if (asked + set.length + selection.where.length + (ids?.length ?? 0) > 1) {
      throw new UserFacingError('usage', `--${undo ? 'undo' : 'redo'} stands alone: it is of the whole edit.`);
    }
    return opened(name, (collection) => {
      const what = undo ? collection.undo() : collection.redo();
      if (what === null)
        throw new UserFacingError('collection', `There is nothing to ${undo ? 'undo' : 'redo'} in ${collection.name}.`);
      process.stdout.write(`${undo ? 'Undone' : 'Done again'}: ${visibleName(what)}\n`);
      return exitStatus.done;
    });
  }
  const { statedValues } = await import('../datasets/collections/add.ts');
  const values = statedValues(set);
  if (Object.keys(values).length === 0)
    throw new UserFacingError('usage', 'Say what to state of them: --set FIELD=VALUE.');
  return opened(name, async (collection) => {
    const wanted = await chosen(collection, ids, selection);
    const changed = collection.edit(wanted, values, { by: await actor(), sharing: shared === true });
    process.stdout.write(`Changed ${changed} of ${wanted.length} ${wanted.length === 1 ? 'entry' : 'entries'}.\n`);
    return exitStatus.done;
  });
}

interface SplitOptions {
  shares: number[];
  by: SplitKey[];
  seed: number;
  quick?: boolean;
  shared?: boolean;
}

async function split(name: string, { shares, by, seed, quick, shared }: SplitOptions): Promise<number> {
  const [{ itemsOf }, { dealt }, { checkDataset }] = await Promise.all([
    import('../datasets/collections/use.ts'),
    import('../datasets/collections/deal.ts'),
    import('../datasets/check.ts'),
  ]);
  return opened(name, (collection) =>
    interruptible(async (signal, progress) => {
      const items = itemsOf(collection.list(null).rows);
      const repeated = quick ? [] : checkDataset(items, await listen(items, undefined, signal, progress)).repeated;
      progress.clear();
      const splits = dealt(collection, { shares, by, seed, repeated });
      const changed = collection.assignSplits(splits, { by: await actor(), sharing: shared === true });
      process.stdout.write(described(collection.summary()));
      process.stdout.write(`${changed} ${changed === 1 ? 'entry has' : 'entries have'} another split than before.\n`);
      return exitStatus.done;
    }, 'Stopped. Nothing was changed.'),
  );
}

async function freeze(name: string, options: { as?: string; note: string }): Promise<number> {
  return opened(name, async (collection) => {
    const version = collection.freeze({
      ...(options.as === undefined ? {} : { name: options.as }),
      note: options.note,
      by: await actor(),
    });
    const entries = `${version.entries} ${version.entries === 1 ? 'entry' : 'entries'}`;
    process.stdout.write(
      `Version ${version.name} of ${collection.name}: ${entries}, SHA-256 ${version.sha256}\nUse it as collection:${visibleName(name)}@${version.name}\n`,
    );
    return exitStatus.done;
  });
}

async function verify(name: string): Promise<number> {
  const { collectionReference } = await import('../../src-common/dataset-spec.ts');
  const { faultsOf } = await import('../datasets/collections/use.ts');
  const { place, version } = collectionReference(name);
  return opened(place, (collection) =>
    interruptible(async (signal, progress) => {
      for (const one of collection.versions()) if (version === null) collection.list(one.name);
      const { rows, removed } = collection.list(version);
      const faults = await faultsOf(rows, { signal, onProgress: passing(progress, 'Reading') });
      progress.clear();
      for (const { id, path, what } of faults) process.stdout.write(`${what.padEnd(7)}  ${id}  ${visibleName(path)}\n`);
      const gone = removed.length === 0 ? '' : ` ${removed.length} were removed since.`;
      process.stdout.write(
        faults.length === 0
          ? `All ${rows.length} recordings are as they were entered.${gone}\n`
          : `${faults.length} of ${rows.length} recordings are not as they were entered.${gone}\n`,
      );
      return faults.length === 0 ? exitStatus.done : exitStatus.notIntact;
    }, 'Interrupted.'),
  );
}

interface ExportOptions {
  out: string;
  copy?: string;
  overwrite?: boolean;
}

async function exportManifest(name: string, { out, copy, overwrite }: ExportOptions): Promise<number> {
  const file = resolve(out);
  await mustBeFree([file], { overwrite });
  const { collectionManifest } = await import('../datasets/collections/manifest.ts');
  const { copyRecording } = await import('../laboratory/copy-recording.ts');
  return interruptible(async (signal, progress) => {
    const copies = copy === undefined ? undefined : resolve(copy);
    const { text, recordings, leftOut } = await collectionManifest(
      name,
      file,
      async ({ path, sha256 }, done, total) => {
        signal.throwIfAborted();
        if (copies === undefined) return path;
        progress.show(`Copying: ${done} of ${total}`);
        const nameOf = (hash: string): string => `${hash}${extname(path).toLowerCase()}`;
        const hash = await copyRecording(path, copies, nameOf);
        if (hash === sha256) return join(copies, nameOf(hash));
        throw new UserFacingError('collection', `${path} is not what was catalogued.`, {
          path,
          advice: '“collection verify” names all that are not.',
        });
      },
    );
    progress.clear();
    await writeOutputs(new Map([[file, text]]), { overwrite });
    for (const sentence of leftOut) process.stderr.write(`${visibleName(sentence)}\n`);
    process.stdout.write(`${recordings} recordings; use it as manifest:${visibleName(file)}\n`);
    return exitStatus.done;
  }, 'Stopped. No manifest was written.');
}

async function remove(
  name: string,
  ids: number[] | undefined,
  { reason, confirm, ...selection }: Selection & { reason: string; confirm?: number },
): Promise<number> {
  return opened(name, async (collection) => {
    const wanted = await chosen(collection, ids, selection);
    if (confirm !== wanted.length) {
      const going = new Set(wanted);
      const entries = collection.entries(await filterOf([])).filter(({ id }) => going.has(id));
      process.stdout.write(await entryTable(entries.slice(0, rowsShown)));
      if (entries.length > rowsShown) process.stdout.write(`and ${entries.length - rowsShown} more\n`);
      throw new UserFacingError(
        'usage',
        `${wanted.length} ${wanted.length === 1 ? 'entry' : 'entries'} would be removed from ${collection.name} for good. Nothing was removed.`,
        { advice: `Add --confirm ${wanted.length} to remove ${wanted.length === 1 ? 'it' : 'them'}.` },
      );
    }
    const removed = collection.remove(wanted, { by: await actor(), reason });
    process.stdout.write(`Removed ${removed} ${removed === 1 ? 'entry' : 'entries'} from ${collection.name}.\n`);
    return exitStatus.done;
  });
}
