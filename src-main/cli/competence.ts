/** `earwitness competence`: blind tests of examiners, and what came of them. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { visibleName } from '../../src-common/visible-text.ts';
import { dataFolder } from '../base/home.ts';
import { unlockOwnKey } from './ask-passphrase.ts';
import { exitStatus, positiveInteger, withStatus } from './context.ts';
import { usedSpec } from './dataset-option.ts';
import { mustBeFreeFolder } from './outputs.ts';

export function register(program: Command): void {
  const competence = program
    .command('competence')
    .description('Blind tests of examiners: recordings without names, and a signed book of the results.');
  competence
    .command('make')
    .description('Make a blind test: numbered copies of labelled recordings, and a table for the answers.')
    .requiredOption('--dataset <spec>', 'the recordings (see: dataset inspect --help)')
    .requiredOption('--split <name>', 'train, dev, test or another of its splits; all for everything')
    .option('--count <n>', 'recordings, of both classes alike', positiveInteger, 20)
    .requiredOption('--out <folder>', 'where copies and answers.csv go')
    .addHelpText(
      'after',
      `
Files are copied byte for byte: what their headers tell, they tell. Which is which stays in the data folder of this account.`,
    )
    .action(withStatus(make));
  competence
    .command('judge')
    .description('Hold the answers of an examiner against the labels, and keep the result.')
    .argument('<test>', 'its id, or the beginning of it')
    .requiredOption('--answers <file>', 'answers.csv, filled in: bonafide, spoof or inconclusive')
    .requiredOption('--examiner <name>', 'who answered')
    .action(withStatus(judge));
  competence.command('list').description('The tests that were made here, and every result.').action(withStatus(list));
}

async function make(options: { dataset: string; split: string; count: number; out: string }): Promise<number> {
  const out = resolve(options.out);
  mustBeFreeFolder(out, { overwrite: 'never' });
  const [{ makeBlindTest }, { systemActor }] = await Promise.all([
    import('../laboratory/competence.ts'),
    import('../cases/session.ts'),
  ]);
  const { id, recordings } = await makeBlindTest(dataFolder(), {
    ...options,
    dataset: await usedSpec(options.dataset),
    out,
    by: systemActor(),
  });
  process.stdout.write(
    `${recordings.length} recordings in ${out}. When answers.csv is filled in: earwitness competence judge ${id.slice(0, 8)} --answers … --examiner …\n`,
  );
  return exitStatus.done;
}

async function judge(id: string, options: { answers: string; examiner: string }): Promise<number> {
  await unlockOwnKey();
  const { judgeBlindTest, resultSentence } = await import('../laboratory/competence.ts');
  const result = await judgeBlindTest(dataFolder(), { id, ...options });
  process.stdout.write(`${visibleName(result.examiner)}: ${resultSentence(result)}\n`);
  return exitStatus.done;
}

async function list(): Promise<number> {
  const { competenceHistory, resultSentence } = await import('../laboratory/competence.ts');
  const { tests, results } = await competenceHistory(dataFolder());
  if (tests.length === 0) process.stdout.write('No blind test was made here.\n');
  for (const { id, madeAt, madeBy, dataset, split, recordings } of tests) {
    process.stdout.write(
      `${id.slice(0, 8)}  ${madeAt}  ${recordings.length} recordings of ${split}, ${visibleName(dataset)}, by ${visibleName(madeBy)}\n`,
    );
    for (const result of results.filter(({ testId }) => testId === id)) {
      process.stdout.write(`  ${result.at}  ${visibleName(result.examiner)}: ${resultSentence(result)}\n`);
    }
  }
  return exitStatus.done;
}
