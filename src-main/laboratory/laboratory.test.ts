import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { datasetReportSchema } from '../../src-common/schemas/dataset.ts';
import { plant, plantAsvspoof } from '../datasets/testing.ts';
import { runInLaboratory } from './laboratory.ts';
import type { DatasetGuess } from './recognise-dataset.ts';
import { plantSpeech } from '../jobs/testing.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-laboratory-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function recognise(path: string): Promise<DatasetGuess[]> {
  const found: DatasetGuess[] = [];
  await runInLaboratory('recognise', { path }, { onEvent: (one) => found.push(one) });
  return found;
}

it('recognises what would load, the likeliest first', async () => {
  plantAsvspoof(join(folder, 'asvspoof'));
  expect((await recognise(join(folder, 'asvspoof')))[0]).toEqual({
    spec: `asvspoof2019:${join(folder, 'asvspoof')}`,
    layout: 'asvspoof2019',
    sentence: '3 bona fide and 4 spoofed recordings, splits train, dev, test.',
  });
  plant(
    join(folder, 'for'),
    ['training', 'validation', 'testing'].flatMap((part) => [`${part}/real/a.wav`, `${part}/fake/b.wav`]),
  );
  expect((await recognise(join(folder, 'for'))).map(({ layout }) => layout)).toContain('for');
  plant(join(folder, 'plain'), ['bonafide/a.wav', 'spoof/melgan/b.wav']);
  expect(await recognise(join(folder, 'plain'))).toMatchObject([
    { spec: `folder:${join(folder, 'plain')}`, sentence: '1 bona fide and 1 spoofed recordings, no splits.' },
  ]);
  const spec = plantSpeech(join(folder, 'table'), { train: 2 }, 0.2);
  expect((await recognise(join(folder, 'table'))).map((one) => one.spec)).toContain(spec);
  expect((await recognise(join(folder, 'table', 'manifest.csv'))).map((one) => one.spec)).toEqual([spec]);
  plant(join(folder, 'speech'), ['a.wav', 'b.wav']);
  expect((await recognise(join(folder, 'speech'))).map(({ layout }) => layout)).toEqual(['bonafide']);
  plant(join(folder, 'nothing'), { 'a.txt': 'nothing' });
  expect(await recognise(join(folder, 'nothing'))).toEqual([]);
  await expect(recognise(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'missing' });
});

it('inspects a dataset, with progress, and can be stopped', async () => {
  const spec = plantSpeech(join(folder, 'speech data'), { train: 24, dev: 4 }, 1);
  plant(join(folder, 'speech data'), { 'audio/train-3.wav': 'no sound' });
  const reports: { done: number; total: number }[] = [];
  const report = await runInLaboratory('inspect', { spec }, { onEvent: (event) => reports.push(event) });
  expect(datasetReportSchema.parse(report)).toMatchObject({
    spec,
    layout: 'manifest',
    files: 28,
    bonafide: 14,
    spoof: 14,
  });
  expect(report.problems).toMatchObject([{ path: join(folder, 'speech data', 'audio', 'train-3.wav') }]);
  expect(report.generators.map(({ value }) => value).sort()).toEqual(['vocoder-0', 'vocoder-1', 'vocoder-2']);
  // Spoofs are noisier by far, and nothing else.
  expect(report.warnings.join()).toContain('noise floor');
  expect(report.shortcuts[0]).toMatchObject({
    split: 'train',
    auc: 1,
    sentence: expect.stringContaining('alone tells') as string,
  });
  expect(reports.at(-1)).toEqual({ done: 28, total: 28 });

  const controller = new AbortController();
  const stopped = runInLaboratory(
    'inspect',
    { spec },
    { signal: controller.signal, onEvent: () => controller.abort() },
  );
  await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
});

it('tells of a child that ends by itself, and of errors as they are', async () => {
  const dying = runInLaboratory(
    'inspect',
    { spec: `folder:${folder}` },
    { onStart: (pid) => process.kill(pid, 'SIGKILL') },
  );
  await expect(dying).rejects.toMatchObject({ code: 'crashed', message: /by SIGKILL/ });
  const bug = runInLaboratory('inspect', { spec: null as unknown as string });
  await expect(bug).rejects.toThrow(/TypeError/);
  await expect(runInLaboratory('inspect', { spec: 'nothing' })).rejects.toMatchObject({ code: 'dataset' });
});
