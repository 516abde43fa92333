/** `earwitness case marks` and `case cut`: marks to and from files, and stretches of recordings as WAV or pictures. */
import { mkdir, rmdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Option } from 'commander';
import type { Command } from 'commander';
import { markFormats } from '../../src-common/mark-formats.ts';
import type { StretchesAs } from '../casework/export-sound.ts';
import type { MarkFormat } from '../../src-common/mark-formats.ts';
import { visibleName } from '../../src-common/visible-text.ts';
import { UserFacingError } from '../base/errors.ts';
import { exitStatus, interruptible, positiveInteger, withStatus } from './context.ts';
import { withCase, writeFailures, writeHead } from './case-session.ts';
import { mustBeFree, mustBeFreeFolder, overwriteOption, writeOutputs } from './outputs.ts';

interface MarksOptions {
  format?: MarkFormat;
  allSound?: boolean;
}

const formatOption = (): Option =>
  new Option(
    '--format <name>',
    "what the file is (default: by its name's end, .txt, .TextGrid, .csv or .json)",
  ).choices(markFormats);

export function registerMarks(command: Command): void {
  const marks = command.command('marks').description("Write an item's marks to a file, or add those of a file.");
  marks
    .command('export')
    .description('Write the marks of an item as labels of Audacity, a TextGrid of Praat, CSV or JSON.')
    .argument('<dir>', "the case's folder")
    .argument('<item>', 'number of the item', positiveInteger)
    .requiredOption('--out <file>', 'the file to write; whole or not at all')
    .addOption(formatOption())
    .option('--all-sound', 'for Audacity and Praat: the marks of the recording with all sound in its file')
    .addOption(overwriteOption('replace the file that stands there'))
    .addHelpText(
      'after',
      `
CSV and JSON hold everything. Labels of Audacity have channel and category in brackets before the text, a TextGrid a tier for each category and
channel; neither holds colours, nor whether a mark stands in the report.`,
    )
    .action(withStatus(exportMarks));
  marks
    .command('import')
    .description('Add the marks of a file to an item, all or none.')
    .argument('<dir>', "the case's folder")
    .argument('<item>', 'number of the item', positiveInteger)
    .argument('<file>', 'the file of marks')
    .addOption(formatOption())
    .option('--all-sound', 'for Audacity and Praat: its times are of the recording with all sound in its file')
    .option('--not-in-report', 'where the file does not say it: they do not stand in the report')
    .action(withStatus(importMarks));

  command
    .command('cut')
    .description(
      'Write marked stretches, or those that results point out, as WAV files or pictures with a manifest of their hashes.',
    )
    .argument('<dir>', "the case's folder")
    .requiredOption('--out <folder>', 'a folder that is empty or does not exist yet')
    .addOption(
      new Option('--of <what>', 'marks, or the stretches that stand out in the latest results')
        .choices(['marks', 'stretches'])
        .default('marks'),
    )
    .addOption(
      new Option('--as <what>', 'WAV files, or pictures of waveform and spectrogram')
        .choices(['wav', 'png'])
        .default('wav'),
    )
    .option(
      '--item <n>',
      'only of this item; may be repeated',
      (text: string, before: number[]) => [...before, positiveInteger(text)],
      [] as number[],
    )
    .option('--category <name>', 'of marks: only those of this category or speaker')
    .addHelpText(
      'after',
      `
As WAV, of plain samples and lossless codes every sample is the recording's own, at its own rate and depth; of lossy ones it is as it was decoded, which
the manifest says. Pictures (PNG) are made with the case's settings of spectrograms, which the manifest states; of a point they show half a
second on either side. SHA256SUMS is checked by \`sha256sum --check\`.
Exit status: 0 all were written, 2 wrong usage, 3 some failed (named), 130 interrupted.`,
    )
    .action(withStatus(cut));
}

async function exportMarks(
  folder: string,
  item: number,
  options: MarksOptions & { out: string; overwrite?: boolean },
): Promise<number> {
  const [{ marksAsFile }, { formatOf }] = await Promise.all([
    import('../casework/marks-of-item.ts'),
    import('../casework/mark-files/index.ts'),
  ]);
  const { out } = options;
  const format = options.format ?? formatOf(out, '');
  await mustBeFree([out], { overwrite: options.overwrite, cases: [folder] });
  return withCase(folder, async (store) => {
    const { text, count } = marksAsFile(store, item, { format, readAll: options.allSound === true });
    await writeOutputs(new Map([[resolve(out), text]]), { overwrite: options.overwrite, cases: [folder] });
    const summary = `Exported ${count} ${count === 1 ? 'mark' : 'marks'} as ${format}.`;
    store.log.note('exported', summary, { format, marks: count, path: resolve(out) }, item);
    process.stdout.write(`${summary}\n`);
    return exitStatus.done;
  });
}

async function importMarks(
  folder: string,
  item: number,
  file: string,
  options: MarksOptions & { notInReport?: boolean },
): Promise<number> {
  const { marksFromFile } = await import('../casework/marks-of-item.ts');
  return withCase(folder, async (store) => {
    const how = { format: options.format ?? null, readAll: options.allSound === true };
    const inReport = options.notInReport !== true;
    const { added, ofAnother } = await marksFromFile(store, item, resolve(file), { ...how, inReport });
    if (ofAnother)
      process.stderr.write('The file says that its marks are of another recording: look at their times.\n');
    process.stdout.write(`Added ${added} ${added === 1 ? 'mark' : 'marks'}.\n`);
    writeHead(store);
    return exitStatus.done;
  });
}

async function cut(
  folder: string,
  {
    out,
    of,
    as,
    item,
    category,
  }: { out: string; of: 'marks' | 'stretches'; as: StretchesAs; item: number[]; category?: string },
): Promise<number> {
  if (category !== undefined && of !== 'marks') {
    throw new UserFacingError('usage', '--category is of marks, and stretches that stand out have none.');
  }
  const { exportSound, markedStretches, noteExport, stretchesThatStandOut } =
    await import('../casework/export-sound.ts');
  mustBeFreeFolder(out, { overwrite: 'never' });
  const { mustNotReplace } = await import('../cases/protected.ts');
  mustNotReplace(resolve(out), undefined, { cases: [folder] });
  return withCase(folder, (store) =>
    interruptible(async (signal, progress) => {
      const ids = item.length > 0 ? item : store.evidence.allIds();
      const wanted =
        of === 'marks'
          ? markedStretches(store, ids, { category, points: as === 'png' })
          : stretchesThatStandOut(store, ids);
      // Of nothing to write, no folder is made.
      const madeHere = wanted.length === 0 ? undefined : await makeFolder(resolve(out));
      const failures: { subject: string; message: string }[] = [];
      const made = await exportSound(store, wanted, resolve(out), as, {
        signal,
        onProgress: (done, total) => progress.show(`${done} of ${total} stretches`),
        onProblem: (subject, message) => failures.push({ subject, message }),
      }).catch(async (error: unknown) => {
        if (madeHere !== undefined) await rmdir(resolve(out)).catch(() => undefined);
        progress.clear();
        writeFailures(failures);
        throw error;
      });
      progress.clear();
      noteExport(store, made, as, resolve(out));
      process.stdout.write(
        `Wrote ${made.written} ${made.written === 1 ? 'stretch' : 'stretches'} to ${visibleName(resolve(out))}; SHA-256 of the manifest ${made.sha256}\n`,
      );
      writeFailures(failures);
      writeHead(store);
      return made.failed > 0 ? exitStatus.someFailed : exitStatus.done;
    }, 'Stopped. Nothing was written.'),
  );
}

/** @returns the first folder that was made; undefined where all stood */
async function makeFolder(path: string): Promise<string | undefined> {
  return mkdir(path, { recursive: true }).catch((error: unknown) => {
    throw new UserFacingError('unwritable', `${path} cannot be made.`, { path, cause: error });
  });
}
