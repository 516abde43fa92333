/**
 * Blind tests of examiners: labelled recordings without their names, in an order that nobody chose, and what each examiner made of them,
 * in a signed book.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { z } from 'zod';
import { UserFacingError } from '../base/errors.ts';
import { writeFileWhole } from '../base/files.ts';
import { absoluteSpec, loadDataset, selectSplit } from '../datasets/load.ts';
import { readTable } from '../datasets/table.ts';
import { labelOf } from '../datasets/words.ts';
import { rateInterval } from '../evaluation/statistics.ts';
import { copyRecording } from './copy-recording.ts';
import { RecordStore } from './record-store.ts';
import { drawnAlike } from './robustness-rows.ts';
import { SignedBook } from './signed-book.ts';

const labelSchema = z.enum(['bonafide', 'spoof']);
const testSchema = z.strictObject({
  format: z.literal(1),
  id: z.string(),
  madeAt: z.string(),
  madeBy: z.string(),
  dataset: z.string(),
  split: z.string(),
  /** In the order in which they are numbered. */
  recordings: z.array(z.strictObject({ name: z.string(), sha256: z.string(), label: labelSchema })).min(2),
});
export type BlindTest = z.infer<typeof testSchema>;

const resultSchema = z.strictObject({
  format: z.literal(1),
  testId: z.string(),
  examiner: z.string(),
  at: z.string(),
  /** Of the examiner's results of this test before. */
  earlier: z.int().min(0),
  answers: z.array(
    z.strictObject({ name: z.string(), label: labelSchema, answer: z.enum(['bonafide', 'spoof', 'inconclusive']) }),
  ),
});
export type BlindResult = z.infer<typeof resultSchema>;

const openTests = (home: string): Promise<RecordStore<BlindTest>> =>
  RecordStore.open({
    home,
    kind: 'blind-test',
    schema: testSchema,
    about: ({ id, madeAt }) => ({ id, since: madeAt }),
  });
const openResults = (home: string): SignedBook<BlindResult> =>
  SignedBook.open({ path: join(home, 'competence', 'results.sqlite'), of: 'blind test', schema: resultSchema });

const answersName = 'answers.csv';

/** In an order of which nothing outside says anything. */
function shuffled<T>(items: readonly T[]): T[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

/**
 * Makes a blind test: copies of recordings under numbers, and a table for the answers. Which is which stays in the data folder.
 * @param request.count of recordings, sources and classes in turn
 * @param request.out a folder that is empty or not there
 * @throws UserFacingError `dataset`, and as `copyRecording`: nothing is left then
 */
export async function makeBlindTest(
  home: string,
  request: { dataset: string; split: string; count: number; out: string; by: string },
): Promise<BlindTest> {
  const { dataset, split, count, out, by } = request;
  const items = drawnAlike(selectSplit(await loadDataset(dataset), split), count, randomInt(2 ** 31));
  if (items.length < count || new Set(items.map(({ label }) => label)).size < 2) {
    throw new UserFacingError('dataset', `${dataset} has no ${count} recordings of both classes in ${split}.`, {
      advice: 'Ask for fewer (--count), or take another split.',
    });
  }
  const recordings: BlindTest['recordings'] = [];
  try {
    for (const { path, label } of shuffled(items)) {
      const number = String(recordings.length + 1).padStart(String(count).length, '0');
      const name = `${number}${extname(path).toLowerCase()}`;
      recordings.push({ name, sha256: await copyRecording(path, out, () => name), label });
    }
    const table = ['recording,answer', ...recordings.map(({ name }) => `${name},`)].join('\r\n');
    await writeFileWhole(join(out, answersName), `${table}\r\n`);
    const made = { id: randomUUID(), madeAt: new Date().toISOString(), madeBy: by };
    const test: BlindTest = { format: 1, ...made, dataset: absoluteSpec(dataset), split, recordings };
    await (await openTests(home)).add(test);
    return test;
  } catch (error) {
    // A test that lacks some is none.
    for (const name of [...recordings.map((one) => one.name), answersName]) {
      await rm(join(out, name), { force: true }).catch(() => undefined);
    }
    throw error;
  }
}

/** @throws UserFacingError `dataset` naming line and what is wrong, or which recordings have no answer */
async function readAnswers(path: string, test: BlindTest): Promise<BlindResult['answers']> {
  const advice = `Its first line is recording,answer; answers are bonafide, spoof or inconclusive.`;
  const wrong = (what: string): UserFacingError =>
    new UserFacingError('dataset', `${path}: ${what}.`, { path, advice });
  const bytes = await readFile(path).catch(() => {
    throw wrong('it cannot be read');
  });
  const { header, rows } = readTable(bytes, path, { needs: advice });
  const [nameAt, answerAt] = ['recording', 'answer'].map((name) => header.indexOf(name));
  if (nameAt < 0 || answerAt < 0) throw wrong('the columns recording and answer are not both there');
  const given = new Map<string, BlindResult['answers'][number]['answer']>();
  const asked = new Set(test.recordings.map(({ name }) => name));
  for (const { line, record } of rows) {
    // Every test numbers its recordings alike: these are the answers to another.
    if (!asked.has(record[nameAt])) throw wrong(`line ${line} answers ${record[nameAt]}, which is not in this test`);
    const answer =
      record[answerAt].trim().toLowerCase() === 'inconclusive' ? 'inconclusive' : labelOf(record[answerAt]);
    if (answer === null) throw wrong(`line ${line} has the answer "${record[answerAt]}"`);
    if (given.has(record[nameAt])) throw wrong(`line ${line} answers ${record[nameAt]} a second time`);
    given.set(record[nameAt], answer);
  }
  const lacking = test.recordings.filter(({ name }) => !given.has(name)).map(({ name }) => name);
  if (lacking.length > 0)
    throw wrong(`there is no answer for ${lacking.slice(0, 5).join(', ')}${lacking.length > 5 ? ' …' : ''}`);
  return test.recordings.map(({ name, label }) => ({ name, label, answer: given.get(name)! }));
}

/**
 * Holds an examiner's answers against the labels and keeps the result in the signed book.
 * @param id of the test, or the beginning of it that is no other's
 * @throws UserFacingError `not-found`, `dataset`, `key`, `damaged`
 */
export async function judgeBlindTest(
  home: string,
  { id, answers, examiner }: { id: string; answers: string; examiner: string },
): Promise<BlindResult> {
  const tests = (await openTests(home)).list().filter((one) => one.id.startsWith(id));
  if (tests.length !== 1) {
    throw new UserFacingError(
      'not-found',
      tests.length === 0 ? `There is no test ${id}.` : `Several tests begin with ${id}.`,
      {
        advice: '`earwitness competence list` shows the tests that were made here.',
      },
    );
  }
  const [test] = tests;
  const book = openResults(home);
  try {
    const earlier = book.entries().filter((one) => one.testId === test.id && one.examiner === examiner).length;
    const at = new Date().toISOString();
    const result: BlindResult = {
      format: 1,
      testId: test.id,
      examiner,
      at,
      earlier,
      answers: await readAnswers(answers, test),
    };
    book.add(result, home);
    return result;
  } finally {
    book.close();
  }
}

/** The tests, the latest first, and all results, the first first. @throws UserFacingError `damaged` */
export async function competenceHistory(home: string): Promise<{ tests: BlindTest[]; results: BlindResult[] }> {
  const tests = (await openTests(home)).list();
  if (tests.length === 0) return { tests, results: [] };
  const book = openResults(home);
  try {
    return { tests, results: book.entries() };
  } finally {
    book.close();
  }
}

/** What came of a test, in a sentence: of each class, how many answers were right, with 95 % intervals (Clopper and Pearson). */
export function resultSentence({ answers, earlier }: BlindResult): string {
  const parts = (['bonafide', 'spoof'] as const).map((label) => {
    const of = answers.filter((one) => one.label === label);
    const decided = of.filter(({ answer }) => answer !== 'inconclusive');
    const right = decided.filter(({ answer }) => answer === label).length;
    const [low, high] = decided.length === 0 ? [0, 1] : rateInterval(right, decided.length, 0.95);
    const interval = `95 % interval ${Math.round(100 * low)} to ${Math.round(100 * high)} %`;
    const words = label === 'bonafide' ? 'bona fide' : 'synthetic';
    const rest = of.length - decided.length;
    return `${words}: ${right} of ${decided.length} right (${interval})${rest === 0 ? '' : `, ${rest} inconclusive`}`;
  });
  return `${parts.join('; ')}.${earlier === 0 ? '' : ` The examiner had answered this test ${earlier} ${earlier === 1 ? 'time' : 'times'} before.`}`;
}
