/** `earwitness case label` and `case hashes`: tags and reviews of items, and lists of known hashes. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { UserFacingError } from '../base/errors.ts';
import type { EvidenceFilter } from '../cases/evidence-table.ts';
import { withCase, writeHead } from './case-session.ts';
import { collected, exitStatus, interruptible, positiveInteger, withStatus } from './context.ts';
import { addFilterOptions, filterOf, matching } from './item-filter.ts';
import type { FilterOptions } from './item-filter.ts';

/** As they are kept. @throws UserFacingError `usage` */
async function tags(texts: readonly string[]): Promise<string[]> {
  const { tag } = await import('../../src-common/schemas/evidence.ts');
  return texts.map((text) => {
    const { data } = tag.safeParse(text);
    if (data !== undefined) return data;
    throw new UserFacingError(
      'usage',
      `“${text}” is neither tag nor name of a list: it must be a word or some in one line, without a comma, of at most 100 characters.`,
    );
  });
}

function items(text: string, before: number[] | undefined): number[] {
  return [...(before ?? []), positiveInteger(text)];
}

export function registerLabels(command: Command): void {
  const labelling = command
    .command('label')
    .description('Put tags to items of a case and take tags from them, and say whether they are reviewed.')
    .argument('<dir>', "the case's folder")
    .argument('[item...]', 'numbers of the items; or filters choose them', items)
    .option('--tag <text>', 'a tag to put to them; may be repeated', collected, [])
    .option('--untag <text>', 'a tag to take from them; may be repeated', collected, [])
    .option('--reviewed', 'they are reviewed')
    .option('--not-reviewed', 'they are not reviewed yet')
    .addHelpText(
      'after',
      `
Examples:
  earwitness case label cases/2026-014 3 7 --tag caller
  earwitness case label cases/2026-014 --find door --min-length 60 --tagged caller --if-not-reviewed --reviewed`,
    )
    .action(withStatus(label));
  addFilterOptions(labelling, { labelling: true });

  command
    .command('hashes')
    .description('Mark the items whose SHA-256 or MD5 is in a list of known hashes: CSV, NSRLFile.txt, or one a line.')
    .argument('<dir>', "the case's folder")
    .argument('[file]', 'the list')
    .requiredOption('--name <text>', 'what the list is called; one of the same name is applied anew')
    .option('--remove', 'take the list of this name away instead')
    .addHelpText(
      'after',
      `
Items that are added later are not compared: apply the list again then. The log has the SHA-256 of the list.`,
    )
    .action(withStatus(hashes));
}

interface LabelOptions extends Omit<FilterOptions, 'tag' | 'reviewed' | 'notReviewed'> {
  tag: string[];
  untag: string[];
  reviewed?: boolean;
  notReviewed?: boolean;
  /** The filters that are called otherwise here. */
  tagged?: string[];
  ifReviewed?: boolean;
  ifNotReviewed?: boolean;
}

/** The filters among the options. */
function labelFilter({ tagged, ifReviewed, ifNotReviewed, ...options }: LabelOptions): EvidenceFilter | null {
  const { tag: _tag, reviewed: _reviewed, notReviewed: _notReviewed, ...rest } = options;
  return filterOf({
    ...rest,
    ...(tagged === undefined ? {} : { tag: tagged }),
    ...(ifReviewed === undefined ? {} : { reviewed: ifReviewed }),
    ...(ifNotReviewed === undefined ? {} : { notReviewed: ifNotReviewed }),
  });
}

async function label(folder: string, named: number[] = [], options: LabelOptions): Promise<number> {
  const filter = labelFilter(options);
  if ((filter === null) === (named.length === 0)) {
    throw new UserFacingError('usage', 'Say which items: by their numbers, or by filters.', {
      advice: 'Those in a case are listed by `earwitness case show`, which takes the same filters.',
    });
  }
  if (options.reviewed && options.notReviewed) {
    throw new UserFacingError(
      'usage',
      'Items are either reviewed or not: --reviewed and --not-reviewed exclude one another.',
    );
  }
  const reviewed = options.reviewed ? true : options.notReviewed ? false : undefined;
  const [addTags, removeTags] = [await tags(options.tag), await tags(options.untag)];
  return withCase(folder, async (store) => {
    const ids = filter === null ? named : await matching(store, filter);
    const changed = await store.evidence.label(ids, {
      ...{ addTags, removeTags },
      ...(reviewed === undefined ? {} : { reviewed }),
    });
    process.stdout.write(`Changed ${changed} of ${ids.length} ${ids.length === 1 ? 'item' : 'items'}.\n`);
    writeHead(store);
    return exitStatus.done;
  });
}

async function hashes(
  folder: string,
  file: string | undefined,
  { name, remove }: { name: string; remove?: boolean },
): Promise<number> {
  const [list] = await tags([name]);
  if ((file === undefined) !== (remove === true)) {
    throw new UserFacingError('usage', 'Name either a list to apply or, with --remove, none.');
  }
  const { applyHashList } = await import('../casework/hash-list.ts');
  return withCase(folder, (store) =>
    interruptible(async (signal, progress) => {
      if (file === undefined) {
        const changed = await store.evidence.setKnown(list, new Set(), null);
        process.stdout.write(`Took the list away from ${changed} ${changed === 1 ? 'item' : 'items'}.\n`);
      } else {
        const onProgress = (done: number, total: number): void =>
          progress.show(`${Math.floor((100 * done) / total)} %`);
        const { hashes: count, known } = await applyHashList(store, resolve(file), list, { signal, onProgress });
        progress.clear();
        process.stdout.write(
          `${known} ${known === 1 ? 'item is' : 'items are'} among the ${count} hashes of the list.\n`,
        );
      }
      writeHead(store);
      return exitStatus.done;
    }),
  );
}
