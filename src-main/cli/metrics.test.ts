import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { register } from './metrics.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'metrics-'));
  await writeFile(join(folder, 'cm'), 'a - bonafide 2\nb - bonafide 4\nc A01 spoof 1\nd A02 spoof 3\nd A02 spoof 0\n');
  await writeFile(join(folder, 'two'), 'a 2\nc 1\n');
  await writeFile(join(folder, 'key'), 'a bonafide\nc spoof\n');
  await writeFile(join(folder, 'asv'), 'bonafide target 5\nbonafide nontarget 1\nA01 spoof 5\n');
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

async function run(...options: string[]): Promise<{ out: string; err: string }> {
  const texts = { out: '', err: '' };
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((texts.out += String(text))));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean((texts.err += String(text))));
  const program = new Command().exitOverride();
  register(program);
  await program.parseAsync(['metrics', ...options], { from: 'user' });
  return texts;
}

const keys = [
  'bonafide',
  'spoof',
  'eer',
  'eer_threshold',
  'eer_decision_threshold',
  'min_tdcf_2019',
  'min_tdcf_v2',
  'auc',
  'average_precision_bonafide',
  'average_precision_spoof',
  'cllr_bits_scores_as_log_lr',
  'min_cllr_bits_pav',
  'accuracy_at_eer_threshold',
  'at_eer_threshold',
  'eer_by_attack',
  'asv',
  'min_dcf',
  'min_dcf_threshold',
  'min_dcf_decision_threshold',
  'act_dcf_scores_as_log_lr',
  'dcf',
  'generators',
  'intervals',
  'resampled',
];

test('prints JSON, without ASV scores their figures as null', async () => {
  const { out, err } = await run('--cm-scores', join(folder, 'cm'), '--json');
  const json = JSON.parse(out) as Record<string, unknown>;
  expect(Object.keys(json)).toEqual(keys);
  expect(json).toMatchObject({ bonafide: 2, spoof: 3, min_tdcf_2019: null, min_tdcf_v2: null, asv: null });
  expect(err).toMatch(/warning: 1 lines? name a file that was there before/);
});

test('adds ASV figures and a threshold', async () => {
  const { out } = await run(
    '--cm-scores',
    join(folder, 'cm'),
    '--asv-scores',
    join(folder, 'asv'),
    '--threshold',
    '2.5',
    '--json',
  );
  const json = JSON.parse(out) as Record<string, unknown>;
  expect(json['min_tdcf_2019']).toBeTypeOf('number');
  expect(Object.keys(json['asv'] as object).sort()).toEqual(
    ['eer', 'nontargets', 'p_fa', 'p_fa_spoof', 'p_miss', 'p_miss_spoof', 'spoofs', 'targets', 'threshold'].sort(),
  );
  expect(json['at_threshold']).toEqual({
    threshold: 2.5,
    accuracy: 0.6,
    bonafide_accepted: 1,
    bonafide_rejected: 1,
    spoof_accepted: 1,
    spoof_rejected: 2,
  });
});

test('prints a table, here of two columns with a key', async () => {
  const { out, err } = await run('--cm-scores', join(folder, 'two'), '--key', join(folder, 'key'));
  expect(out).toMatch(/^Trials +1 bona fide, 1 spoof$/m);
  // Of one recording of each class there is no interval.
  expect(out).toMatch(/^EER +0\.00 % at a score of 1.5$/m);
  expect(out).toContain('No intervals: a class has fewer than 10 recordings');
  expect(out).not.toMatch(/t-DCF/);
  expect(err).toBe('');
});

test('a threshold that is no number is wrong usage', async () => {
  await expect(run('--cm-scores', join(folder, 'cm'), '--threshold', 'high')).rejects.toMatchObject({ code: 'usage' });
});

test('costs and replicates are settings', async () => {
  const { out } = await run(
    '--cm-scores',
    join(folder, 'cm'),
    '--p-spoof',
    '0.5',
    '--c-fa',
    '1',
    '--replicates',
    '0',
    '--json',
  );
  const json = JSON.parse(out) as Record<string, unknown>;
  expect(json).toMatchObject({ dcf: { p_spoof: 0.5, c_miss: 1, c_fa: 1, bayes_threshold: 0 }, intervals: null });
  // From 2 on: a third of the spoofs accepted, no bona fide rejected.
  expect(json['min_dcf']).toBeCloseTo(1 / 3, 12);
  for (const wrong of [
    ['--p-spoof', '1'],
    ['--c-miss', '0'],
    ['--replicates', '-1'],
    ['--replicates', '1.5'],
  ]) {
    await expect(run('--cm-scores', join(folder, 'cm'), ...wrong)).rejects.toMatchObject({
      code: 'commander.invalidArgument',
    });
  }
});

test('a threshold adds its own rows', async () => {
  const { out } = await run('--cm-scores', join(folder, 'cm'), '--threshold', '2.5', '--replicates', '0');
  expect(out).toMatch(/^Accuracy at the EER threshold .*\n {2}bona fide +1 accepted, 1 rejected\n/m);
  expect(out).toMatch(/^Accuracy at 2\.5 .*\n {2}bona fide +1 accepted, 1 rejected\n/m);
});

test('a threshold that is printed gives the figures that stand beside it', async () => {
  const { out } = await run('--cm-scores', join(folder, 'cm'), '--replicates', '0');
  const of = (text: string, name: string) =>
    new RegExp(`^${name} .*(?:\\n  .*){2}`, 'm').exec(text)?.[0].replace(/^.*?  +/, '');
  const printed = /^EER .* at a score of (\S+)$/m.exec(out)?.[1] ?? '';
  const again = await run('--cm-scores', join(folder, 'cm'), '--replicates', '0', '--threshold', printed);
  expect(of(again.out, `Accuracy at ${printed}`)).toBe(of(out, 'Accuracy at the EER threshold'));
  const [, cost, at] = /^min DCF +(\S+) at a score of (\S+)$/m.exec(out) ?? [];
  const cheapest = await run('--cm-scores', join(folder, 'cm'), '--replicates', '0', '--threshold', at);
  expect(cheapest.out).toMatch(new RegExp(`^DCF at ${at} +${cost}$`, 'm'));
});

test('a subset of the key is taken, and said', async () => {
  const key = ['eval', 'progress'].flatMap((subset) => [
    `S ${subset}1 alaw x - bonafide notrim ${subset}`,
    `S ${subset}2 alaw x A07 spoof notrim ${subset}`,
  ]);
  await writeFile(join(folder, 'subsets'), key.join('\n'));
  await writeFile(join(folder, 'of-all'), 'eval1 1\neval2 0\nprogress1 0\nprogress2 1\n');
  const files = ['--cm-scores', join(folder, 'of-all'), '--key', join(folder, 'subsets'), '--replicates', '0'];
  const published = await run(...files);
  expect(published.out).toMatch(/^EER +0\.00 %/m);
  expect(published.err).toContain('these figures are of eval, as the published figures do');
  const progress = await run(...files, '--subset', 'progress');
  expect(progress.out).toMatch(/^EER +100\.00 %/m);
  expect(progress.err).toContain('eval (2), progress (2): these figures are of progress.');
});

test('sets files side by side: a column, an object and a colour for each', async () => {
  await mkdir(join(folder, 'other'), { recursive: true });
  await writeFile(join(folder, 'other', 'cm'), 'a - bonafide 9\nb - bonafide 8\nc A01 spoof 1\nd A03 spoof 7\n');
  const files = ['--cm-scores', join(folder, 'cm'), '--cm-scores', join(folder, 'other', 'cm')];
  const plots = join(folder, 'plots');
  const { out, err } = await run(...files, '--replicates', '20', '--out', plots);
  const name = basename(folder);
  expect(out).toMatch(new RegExp(`^ +${name}/cm +other/cm$`, 'm'));
  expect(out).toMatch(/^EER, A02 +too few: 1 of 2 accepted$/m);
  expect(out).toMatch(/^EER, A03 {30,}too few: 0 of 1 accepted/m);
  expect(err).toContain('roc.svg');
  expect((await readdir(plots)).sort()).toEqual([
    'det.svg',
    'ece.svg',
    'eer-by-generator.svg',
    'generators.csv',
    'metrics.json',
    'precision-recall.svg',
    'roc.svg',
    'tippett.svg',
  ]);
  const json = JSON.parse(await readFile(join(plots, 'metrics.json'), 'utf8')) as Record<string, { auc: number }>;
  expect(Object.keys(json)).toEqual([`${name}/cm`, 'other/cm']);
  expect(json['other/cm'].auc).toBe(1);
  expect(await readFile(join(plots, 'generators.csv'), 'utf8')).toMatch(/^other\/cm,A03,1,0,true,0,/m);
  await expect(run(...files.slice(0, 2), ...files.slice(0, 2))).rejects.toMatchObject({ code: 'usage' });
});
