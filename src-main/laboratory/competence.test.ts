import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testFolder } from '../cases/testing.ts';
import { babble, wav16 } from '../detector/testing.ts';
import { competenceHistory, judgeBlindTest, makeBlindTest, resultSentence } from './competence.ts';

async function made() {
  const home = testFolder();
  const folder = testFolder();
  const lines = ['path,label,split'];
  for (let index = 0; index < 8; index++) {
    const label = index % 2 === 0 ? 'bonafide' : 'spoof';
    writeFileSync(join(folder, `${label}-${index}.WAV`), wav16(babble(0.2, index)));
    lines.push(`${label}-${index}.WAV,${label},ours`);
  }
  writeFileSync(join(folder, 'manifest.csv'), lines.join('\n'));
  const out = join(testFolder(), 'test');
  const dataset = `manifest:${relative(process.cwd(), join(folder, 'manifest.csv'))}`;
  const request = { dataset, split: 'ours', out, by: 'Ada' };
  const test = await makeBlindTest(home, { ...request, count: 8 });
  const answers = (given: (label: string, index: number) => string): string => {
    const path = join(out, 'answers.csv');
    const rows = test.recordings.map(({ name, label }, index) => `${name},${given(label, index)}`);
    writeFileSync(path, ['recording,answer', ...rows].join('\r\n'));
    return path;
  };
  return { home, out, request, test, answers };
}

describe('a blind test', () => {
  it('names nothing and asks for an answer to each recording', async () => {
    const { out, test } = await made();
    expect(readdirSync(out).sort()).toEqual([
      ...[1, 2, 3, 4, 5, 6, 7, 8].map((number) => `${number}.wav`),
      'answers.csv',
    ]);
    expect(readFileSync(join(out, 'answers.csv'), 'utf8')).toBe(
      ['recording,answer', ...[1, 2, 3, 4, 5, 6, 7, 8].map((number) => `${number}.wav,`), ''].join('\r\n'),
    );
    expect(test.recordings.filter(({ label }) => label === 'spoof')).toHaveLength(4);
    expect(isAbsolute(test.dataset.replace('manifest:', ''))).toBe(true);
  });

  it('is held against the labels, and the result kept', async () => {
    const { home, test, answers } = await made();
    const path = answers((label, index) => (index === 0 ? 'inconclusive' : label === 'bonafide' ? 'human' : 'Fake'));
    const result = await judgeBlindTest(home, { id: test.id.slice(0, 8), answers: path, examiner: 'Bob' });
    const first = test.recordings[0].label;
    const words = (label: string): string =>
      label === first
        ? '3 of 3 right (95 % interval 29 to 100 %), 1 inconclusive'
        : '4 of 4 right (95 % interval 40 to 100 %)';
    expect(resultSentence(result)).toBe(`bona fide: ${words('bonafide')}; synthetic: ${words('spoof')}.`);
    const again = await judgeBlindTest(home, { id: test.id, answers: path, examiner: 'Bob' });
    expect(resultSentence(again)).toContain('had answered this test 1 time before');
    expect((await competenceHistory(home)).results).toEqual([result, again]);
  });

  it('says which answers are lacking or no answers', async () => {
    const { home, test, answers } = await made();
    const judge = (path: string) => judgeBlindTest(home, { id: test.id, answers: path, examiner: 'Bob' });
    await expect(judge(answers(() => 'perhaps'))).rejects.toThrow(/line 2 has the answer "perhaps"/);
    const path = answers(() => 'real');
    writeFileSync(path, readFileSync(path, 'utf8').split('\r\n').slice(0, 4).join('\r\n'));
    await expect(judge(path)).rejects.toThrow(/no answer for 4\.wav, 5\.wav/);
    writeFileSync(
      answers(() => 'real'),
      `\r\n9.wav,real`,
      { flag: 'a' },
    );
    await expect(judge(path)).rejects.toThrow(/line 10 answers 9\.wav, which is not in this test/);
    await expect(judgeBlindTest(home, { id: 'none', answers: path, examiner: 'Bob' })).rejects.toThrow('no test none');
    expect((await competenceHistory(home)).results).toEqual([]);
  });

  it('is not made where a recording cannot be read or the folder not written, and leaves nothing', async () => {
    const { home, request } = await made();
    const folder = testFolder();
    const rows = ['a.wav,bonafide,ours', 'missing.wav,spoof,ours'];
    writeFileSync(join(folder, 'a.wav'), 'a');
    writeFileSync(join(folder, 'manifest.csv'), ['path,label,split', ...rows].join('\n'));
    const dataset = `manifest:${join(folder, 'manifest.csv')}`;
    const out = join(folder, 'out');
    await expect(makeBlindTest(home, { ...request, dataset, out, count: 2 })).rejects.toMatchObject({
      code: 'missing',
    });
    expect(readdirSync(out)).toEqual([]);
    const inFile = join(folder, 'a.wav', 'out');
    await expect(makeBlindTest(home, { ...request, out: inFile, count: 2 })).rejects.toMatchObject({
      code: 'unwritable',
    });
    expect((await competenceHistory(home)).tests).toHaveLength(1);
  });

  it('is not made of too few recordings', async () => {
    const { home, request } = await made();
    await expect(makeBlindTest(home, { ...request, count: 9 })).rejects.toMatchObject({ code: 'dataset' });
  });
});
