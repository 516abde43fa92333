import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UserFacingError } from '../base/errors.ts';
import { applicationRoot } from '../base/workers.ts';
import { detectionMetrics, metricsJson } from './metrics.ts';
import { readAsvScoreFile, readScoreFile } from './score-files.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scores-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

async function errorOf(promise: Promise<unknown>): Promise<UserFacingError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserFacingError);
  return error as UserFacingError;
}

const sixColumns = 'LA_1 one - - bonafide 1.5\r\n\r\n\tLA_2  two - A07 spoof -2e-1 \n';
const expected = [
  { file: 'one', bonafide: true, score: 1.5, attack: null, speaker: 'LA_1' },
  { file: 'two', bonafide: false, score: -0.2, attack: 'A07', speaker: 'LA_2' },
];

describe('countermeasure scores', () => {
  test('six columns, plain and compressed, whatever the name', async () => {
    expect(await readScoreFile(await file('six.gz', `\uFEFF${sixColumns}`))).toEqual({
      trials: expected,
      repeatedFiles: 0,
      subset: null,
    });
    expect((await readScoreFile(await file('six.txt', gzipSync(sixColumns)))).trials).toEqual(expected);
  });

  test('four columns; a file that comes again is counted', async () => {
    const path = await file('four', 'one - bonafide 1.5\ntwo A07 spoof -.2\ntwo A07 spoof 7.');
    const { trials, repeatedFiles } = await readScoreFile(path);
    expect(trials.map(({ score }) => score)).toEqual([1.5, -0.2, 7]);
    expect(trials[1]).toEqual({ ...expected[1], speaker: null });
    expect(repeatedFiles).toBe(1);
  });

  test.each([
    ['ASVspoof 2019', 'LA_1 one - - bonafide\nLA_2 two - A07 spoof\n', 'LA_2', 'A07'],
    [
      'ASVspoof 2021',
      'LA_1 one alaw ita_tx bonafide bonafide notrim eval\nLA_2 two alaw ita_tx A07 spoof notrim eval',
      'LA_2',
      'A07',
    ],
    ['ASVspoof 5', 'E_1 one F - - - - bonafide bonafide -\nE_2 two M C01 3 x AC1 A07 spoof -', 'E_2', 'A07'],
    ['file, attack, key', 'one - bonafide\ntwo A07 spoof', null, 'A07'],
    ['file, key', 'one bonafide\ntwo spoof', null, null],
  ])('two columns with the key of %s', async (_, key, speaker, attack) => {
    const { trials } = await readScoreFile(await file('two', 'two -0.2\none 1.5\n'), await file('key', key));
    expect(trials).toEqual([
      { file: 'two', bonafide: false, score: -0.2, attack, speaker },
      expect.objectContaining({ file: 'one', bonafide: true, attack: null }),
    ]);
  });

  test.each([
    ['filename\tcm-score\ntwo\t-0.2\none\t1.5\n', 'filename\tcm-label\none\tbonafide\ntwo\tspoof\n'],
    ['filename cm-score\ntwo -0.2\none 1.5\n', 'one bonafide\ntwo spoof\n'],
    ['two -0.2\none 1.5\n', '\uFEFFfilename cm-label asv-label\none bonafide target\ntwo spoof spoof\n'],
    ['asv-score\tcm_score\tFilename\n9\t-0.2\ttwo\n9\t1.5\tone\n', 'label file\nbonafide one\nspoof two\n'],
  ])('a first line that names the columns: case %#', async (scores, key) => {
    const { trials } = await readScoreFile(await file('headed', scores), await file('headed-key', key));
    expect(trials).toEqual([
      { file: 'two', bonafide: false, score: -0.2, attack: null, speaker: null },
      { file: 'one', bonafide: true, score: 1.5, attack: null, speaker: null },
    ]);
  });

  test('a score file may name its columns and carry its key; a file may be called filename', async () => {
    const headed = await file('headed', 'file\tlabel\tattack\tscore\na b\tspoof\tA 1\t0.5\nc d\tbonafide\t-\t1\n');
    expect((await readScoreFile(headed)).trials).toEqual([
      { file: 'a b', bonafide: false, score: 0.5, attack: 'A 1', speaker: null },
      { file: 'c d', bonafide: true, score: 1, attack: null, speaker: null },
    ]);
    const plain = await readScoreFile(
      await file('s', 'filename 1\nx 2\n'),
      await file('k', 'filename spoof\nx bonafide\n'),
    );
    expect(plain.trials.map(({ file }) => file)).toEqual(['filename', 'x']);
  });

  test.each([
    ['my file\t1\nyours\t2\n', 'my file\tspoof\nyours\tbonafide\n'],
    ['my file\t1\nyours x\t2\n', 'my file\tspoof\nyours x\tbonafide\n'],
    ['my own file here\t1\nyours x y z\t2\n', 'my own file here\tspoof\nyours x y z\tbonafide\n'],
    ['my  file \t1\nyours\t 2\n', 'S 1\tmy  file\t-\tA 1\tspoof\nS 2\tyours\t-\t-\tbonafide\n'],
  ])('names with blanks where tabs separate: case %#', async (scores, key) => {
    const { trials } = await readScoreFile(await file('tabs', scores), await file('tabs-key', key));
    const names = scores.split('\n').map((line) => line.split('\t')[0].trim());
    expect(trials.map(({ file, bonafide, score }) => [file, bonafide, score])).toEqual([
      [names[0], false, 1],
      [names[1], true, 2],
    ]);
  });

  test.each([
    'LA_1 one - - bonafide\t1.5\nLA_2 two - A07 spoof\t-0.2\n',
    'LA_1\tone - - bonafide 1.5\nLA_2\ttwo - A07 spoof -0.2\n',
    'LA_1\tone\t-\t-\tbonafide\t1.5\nLA_2\ttwo\t-\tA07\tspoof\t-0.2\n',
  ])('a protocol and scores pasted together: case %#', async (content) => {
    expect((await readScoreFile(await file('pasted', content))).trials).toEqual(expected);
  });

  test('of keys with subsets one is taken, eval if none is named, and the others need no scores', async () => {
    const lines = ['eval', 'progress', 'hidden_track'].flatMap((subset, index) => [
      `S ${subset}-b alaw x bonafide bonafide notrim ${subset}`,
      `S ${subset}-s alaw x A0${index} spoof notrim ${subset}`,
    ]);
    const key = await file('subsets', lines.join('\n'));
    const all = await file('all', lines.map((line, index) => `${line.split(' ')[1]} ${index}\n`).join(''));
    const names = async (...rest: Parameters<typeof readScoreFile>) =>
      (await readScoreFile(...rest)).trials.map(({ file }) => file);
    expect(await names(all, key)).toEqual(['eval-b', 'eval-s']);
    expect(await names(all, key, 'progress')).toEqual(['progress-b', 'progress-s']);
    expect(await names(all, key, 'hidden')).toEqual(['hidden_track-b', 'hidden_track-s']);
    expect(await names(all, key, 'all')).toHaveLength(6);
    expect((await readScoreFile(all, key)).subset).toEqual({
      taken: 'eval',
      trials: { eval: 2, progress: 2, hidden_track: 2 },
    });
    const some = await file('some', 'eval-b 1\neval-s 0\n');
    expect(await names(some, key)).toEqual(['eval-b', 'eval-s']);
    expect((await errorOf(readScoreFile(some, key, 'progress'))).message).toMatch(/no score for 2 of the 2 files/);
    const plainKey = await file('plain-key', 'eval-b bonafide\neval-s spoof\n');
    expect((await errorOf(readScoreFile(some, plainKey, 'eval'))).code).toBe('usage');
    const without = await file('without', 'S x alaw x bonafide bonafide notrim progress\n');
    expect((await errorOf(readScoreFile(some, without))).message).toMatch(
      /no trial of the subset eval: it has progress/,
    );
  });

  test.each([
    ['LA_1 one - - bonafide 1\nLA_2 two - A07 spoof nan', /bad, line 2: .*"nan"/],
    ['LA_1 one - - bonafide 1e999', /bad, line 1: .*"1e999"/],
    ['LA_1 one - - bonafide 0x10', /bad, line 1: .*"0x10"/],
    ['LA_1 one - - bonafide inf', /bad, line 1: .*"inf"/],
    ['\n\nLA_1 one - - genuine 1', /bad, line 3: .*"genuine"/],
    ['LA_1 one - - bonafide 1\none - bonafide 1', /bad, line 2: cannot read 4 columns where the lines before have 6/],
    ['one', /bad, line 1: cannot read 1 columns/],
    ['one 1.5', /bad holds files and scores only/],
    [' \n\n', /bad holds no line/],
    ['', /bad holds no line/],
    [gzipSync(sixColumns.repeat(9)).subarray(0, 40), /bad is a damaged or truncated gzip file/],
  ])('errors name file and line: case %#', async (content, message) => {
    const error = await errorOf(readScoreFile(await file('bad', content)));
    expect(error.message).toMatch(message);
    expect(error.advice).toBeTruthy();
  });

  test.each([
    ['one 1\nthree 2', /two-bad, line 2: "three" is not in/],
    ['one 1\none 2', /two-bad, line 2: "one" is scored a second time/],
    ['one 1', /has no score for 1 of the 2 files in .*key-2 \(the first: "two", line 2\)/],
    ['one - bonafide 1', /two-bad, line 1: cannot read 4 columns/],
  ])('scores and key must agree: case %#', async (scores, message) => {
    const key = await file('key-2', 'one bonafide\ntwo spoof\n');
    const error = await errorOf(readScoreFile(await file('two-bad', scores), key));
    expect(error.message).toMatch(message);
  });

  test.each([
    ['one bonafide\none spoof', /key-bad, line 2: .*"one" again, after line 1/],
    ['one perhaps', /key-bad, line 1/],
    ['', /key-bad holds no line/],
  ])('a key that cannot be one is named: case %#', async (key, message) => {
    const error = await errorOf(readScoreFile(await file('two-good', 'one 1'), await file('key-bad', key)));
    expect(error.message).toMatch(message);
  });

  test('a missing file and a folder', async () => {
    expect((await errorOf(readScoreFile(join(folder, 'none')))).message).toMatch('there is no such file');
    expect((await errorOf(readScoreFile(folder))).message).toMatch('it is a folder');
  });
});

describe('ASV scores', () => {
  test('three columns', async () => {
    const path = await file('asv', 'bonafide target 2\nbonafide nontarget -1\nA07 spoof 0.5\nA08 spoof 0.25\n');
    const { targets, nontargets, spoofs } = await readAsvScoreFile(path);
    expect([[...targets], [...nontargets], [...spoofs]]).toEqual([[2], [-1], [0.5, 0.25]]);
  });

  test.each([
    ['bonafide target 2\nbonafide constructor 1', /line 2: .*"constructor"/],
    ['bonafide target', /line 1: cannot read 2 columns/],
    ['bonafide target 2\nA07 spoof 1', /holds no nontarget trial/],
  ])('errors are named: case %#', async (content, message) => {
    expect((await errorOf(readAsvScoreFile(await file('asv-bad', content)))).message).toMatch(message);
  });
});

const reference = join(applicationRoot(), '../shared/metrics-reference');
describe.skipIf(!existsSync(reference))('the published scores of ASVspoof 2019 LA (skipped without ../shared)', () => {
  const cmScores = join(reference, 'asvspoof2019-la-eval-lfcc-gmm-cm-scores.txt.gz');

  test("give the figures of the organisers' code and of scikit-learn", async () => {
    const wanted = JSON.parse(await readFile(join(reference, 'reference.json'), 'utf8')) as {
      lfcc_gmm: Record<string, unknown> & { eer_by_attack: Record<string, number> };
      asv: Record<string, number>;
    };
    const { trials, repeatedFiles } = await readScoreFile(cmScores);
    expect(trials).toHaveLength(71237);
    expect(repeatedFiles).toBe(0);
    const asv = await readAsvScoreFile(join(reference, 'asvspoof2019-la-eval-asv-scores.txt.gz'));
    const { asv: asvJson, ...found } = metricsJson(detectionMetrics(trials, { asv }));
    const flat = (json: Record<string, unknown>): Record<string, number> => {
      const { eer_by_attack: byAttack, ...figures } = json;
      return { ...figures, ...(byAttack as object) } as Record<string, number>;
    };
    for (const [have, want] of [
      [flat(found), flat(wanted.lfcc_gmm)],
      [asvJson as Record<string, number>, wanted.asv],
    ]) {
      expect(Object.keys(have)).toEqual(expect.arrayContaining(Object.keys(want)));
      for (const [key, value] of Object.entries(want)) {
        // Theirs counts the highest rejected score as accepted: that is the accuracy at their threshold, not at the EER.
        if (key === 'accuracy_at_eer_threshold') continue;
        expect(Math.abs(have[key] - value), key).toBeLessThan(1e-9);
      }
    }
    const theirs = wanted.lfcc_gmm as unknown as Record<string, number>;
    const there = detectionMetrics(trials, { threshold: theirs['eer_threshold'] }).atThreshold;
    expect(there?.accuracy).toBeCloseTo(theirs['accuracy_at_eer_threshold'], 12);
  });

  test('are the same as two columns and a protocol', async () => {
    const trials = (await readScoreFile(cmScores)).trials.filter((_, i) => i % 20 === 0);
    const scores = trials.map((trial) => `${trial.file} ${trial.score}\n`).join('');
    const protocol = trials.map(
      (trial) => `${trial.speaker} ${trial.file} - ${trial.attack ?? '-'} ${trial.bonafide ? 'bonafide' : 'spoof'}\n`,
    );
    const again = await readScoreFile(await file('la', scores), await file('la-key', protocol.join('')));
    expect(again.trials).toEqual(trials);
  });
});

const reports = join(applicationRoot(), '../shared/reports');
describe.skipIf(!existsSync(reports))('files that public reports led to (skipped without ../shared)', () => {
  test.each([
    ['perfect', 0, 1],
    ['ties10', 0.25, 0.7575],
  ])('accuracy at the EER: %s', async (name, eer, accuracy) => {
    const { trials } = await readScoreFile(join(reports, 'accuracy-at-eer', `${name}.txt`));
    const metrics = detectionMetrics(trials);
    expect(metrics.eer).toBeCloseTo(eer, 3);
    expect(metrics.atEerThreshold.accuracy).toBeCloseTo(accuracy, 4);
    const again = detectionMetrics(trials, { threshold: metrics.eerDecisionThreshold });
    expect(again.atThreshold).toEqual(metrics.atEerThreshold);
  });

  test('ASVspoof 5 with heading lines', async () => {
    const at = (name: string) => join(reports, 'asvspoof5-headers', name);
    const metrics = detectionMetrics((await readScoreFile(at('cm.txt'), at('key.txt'))).trials);
    expect([metrics.eer, metrics.dcf.min, metrics.auc]).toEqual([0.5, 0.5, 0.75]);
  });

  test.each([
    [undefined, 0.13],
    ['eval', 0.13],
    ['progress', 0.1],
    ['hidden', 0.425],
  ] as const)('subset %s of ASVspoof 2021', async (subset, eer) => {
    const at = (name: string) => join(reports, 'asvspoof2021-subsets', name);
    const { trials } = await readScoreFile(at('score.txt'), at('key.txt'), subset);
    expect(detectionMetrics(trials).eer).toBeCloseTo(eer, 5);
  });
});
