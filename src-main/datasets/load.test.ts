import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserFacingError } from '../base/errors.ts';
import { parseAsvspoof2019Protocol } from './asvspoof2019.ts';
import { absoluteSpec, loadDataset, selectSplit, selectSplits } from './load.ts';
import { asvspoofProtocols, plant, plantAsvspoof, sharedCorpus, sharedFolder } from './testing.ts';
import type { Dataset } from './types.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'earwitness-datasets-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** `split label generator id` of each item, in order. */
const lines = (dataset: Dataset) =>
  dataset.items.map((item) => `${item.split ?? '-'} ${item.label} ${item.generator ?? '-'} ${item.id}`);

/** The sentence of the user's error that loading throws. */
async function refusal(spec: string): Promise<string> {
  const error = await loadDataset(spec).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserFacingError);
  expect((error as UserFacingError).code).toBe('dataset');
  return (error as UserFacingError).sentence;
}

describe('specs', () => {
  it('names the kinds there are for an unknown one', async () => {
    for (const spec of ['nope:/tmp', '/some/folder', 'C:\\data', ':x', '', 'toString:/tmp']) {
      expect(await refusal(spec)).toContain('asvspoof2019:DIR, for:DIR, folder:DIR, manifest:FILE.csv');
    }
  });
  it('says that a place is missing, unnamed, or no folder', async () => {
    expect(await refusal(`for:${root}/nothing`)).toContain(`${join(root, 'nothing')}: there is no such folder`);
    expect(await refusal(`manifest:${root}/no.csv`)).toContain(`${join(root, 'no.csv')}: there is no such file`);
    expect(await refusal('folder:')).toContain('folder:DIR');
    plant(root, { 'a.csv': 'x' });
    expect(await refusal(`asvspoof2019:${root}/a.csv`)).toContain('is no folder');
    expect(await refusal(`manifest:${root}`)).toContain('is no file');
  });
  it('takes ~ for the home folder', async () => {
    expect(await refusal('folder:~/earwitness does not exist')).toContain(join(homedir(), 'earwitness does not exist'));
  });
});

describe('asvspoof2019', () => {
  it.each(['.', 'LA', 'LA/LA'])('is found with its root at %s', async (place) => {
    plantAsvspoof(join(root, place));
    plant(root, ['PA/x/other.flac']);
    const dataset = await loadDataset(`asvspoof2019:${root}`);
    expect(dataset.layout).toBe('asvspoof2019');
    expect(dataset.root).toBe(join(root, place));
    expect(lines(dataset)).toEqual([
      'train bonafide - LA_T_1000001',
      'train spoof A01 LA_T_1000002',
      'dev bonafide - LA_D_1000001',
      'dev spoof A06 LA_D_1000002',
      'test spoof A11 LA_E_2000003',
      'test spoof A17 LA_E_2000001',
      'test bonafide - LA_E_2000002',
    ]);
    expect(dataset.items[1]).toEqual({
      path: join(root, place, 'ASVspoof2019_LA_train', 'flac', 'LA_T_1000002.flac'),
      id: 'LA_T_1000002',
      label: 'spoof',
      split: 'train',
      generator: 'A01',
      speaker: 'LA_0080',
      source: null,
    });
    expect(dataset.items.every((item) => existsSync(item.path))).toBe(true);
    expect(dataset.notes).toEqual([]);
  });
  it('keeps items whose file is missing, and notes them, extra files and a missing split', async () => {
    plantAsvspoof(root);
    rmSync(join(root, 'ASVspoof2019_LA_eval/flac/LA_E_2000001.flac'));
    rmSync(join(root, 'ASVspoof2019_LA_dev'), { recursive: true });
    rmSync(join(root, asvspoofProtocols, 'ASVspoof2019.LA.cm.train.trn.txt'));
    plant(root, ['ASVspoof2019_LA_eval/flac/LA_E_9999999.flac', 'ASVspoof2019_LA_eval/flac/.DS_Store']);
    const dataset = await loadDataset(`asvspoof2019:${root}`);
    expect(dataset.items.map((item) => item.split)).toEqual(['dev', 'dev', 'test', 'test', 'test']);
    expect(dataset.notes).toEqual([
      'No protocol ASVspoof2019.LA.cm.train.trn.txt: the split train is left out.',
      'No folder ASVspoof2019_LA_dev/flac: every recording of the split dev is missing.',
      'ASVspoof2019_LA_eval/flac lacks 1 of the 3 files that its protocol names.',
      expect.stringMatching(/^ASVspoof2019_LA_eval\/flac: ignored 1 file that/),
    ]);
  });
  it('says what was looked for, that there are several copies, or no protocol', async () => {
    plant(root, ['a/b/c/ASVspoof2019_LA_cm_protocols/x.flac']);
    expect(await refusal(`asvspoof2019:${root}`)).toContain(
      `${root}: looked for the folder ${asvspoofProtocols} there and up to two folders below`,
    );
    expect(await refusal(`asvspoof2019:${root}/a`)).toContain('looked for ASVspoof2019.LA.cm.train.trn.txt, ');
    plantAsvspoof(join(root, 'one'));
    plantAsvspoof(join(root, 'two'));
    expect(await refusal(`asvspoof2019:${root}`)).toContain(`${join(root, 'one')}, ${join(root, 'two')}`);
  });
  it('drops repeated lines with a note and refuses contradictions', async () => {
    plantAsvspoof(root);
    const path = join(root, asvspoofProtocols, 'ASVspoof2019.LA.cm.train.trn.txt');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text + text);
    const dataset = await loadDataset(`asvspoof2019:${root}`);
    expect(dataset.items).toHaveLength(7);
    expect(dataset.notes).toEqual(['ASVspoof2019.LA.cm.train.trn.txt: ignored as repeating an earlier one: 2 lines.']);
    writeFileSync(path, `${text}LA_0079 LA_T_1000001 - A02 spoof\n`);
    expect(await refusal(`asvspoof2019:${root}`)).toContain(
      `${path}, line 3: LA_T_1000001 stands differently in ASVspoof2019.LA.cm.train.trn.txt, line 1`,
    );
  });
  it.each([
    ['LA_1 LA_T_1 - A01 spoof 0.5', '6 columns'],
    ['LA_1 LA_T_1 A01 spoof', '4 columns'],
    ['LA_1 LA_T_1 - A01 fake', 'the fifth column is "fake"'],
    ['LA_1 LA_T_1 - A01 bonafide', 'with the attack "A01"'],
    ['LA_1 LA_T_1 - - spoof', 'without an attack'],
    ['LA_1 ../../x - A01 spoof', 'is a path'],
  ])('refuses the line %s with file and line number', (line, what) => {
    const text = `LA_0079 LA_T_1138215 - - bonafide\n\n${line}\n`;
    let message = '';
    try {
      parseAsvspoof2019Protocol(text, 'some.trn.txt');
    } catch (error) {
      message = (error as UserFacingError).message;
    }
    expect(message).toMatch(/^some\.trn\.txt, line 3: /);
    expect(message).toContain(what);
  });
  it('refuses an empty protocol', () => {
    expect(() => parseAsvspoof2019Protocol(' \n', 'empty.txt')).toThrow('empty.txt holds no line');
  });

  const scores = join(sharedFolder, 'metrics-reference', 'asvspoof2019-la-eval-lfcc-gmm-cm-scores.txt.gz');
  it.skipIf(!existsSync(scores))('reads the 71,237 lines of the real evaluation protocol', () => {
    const text = gunzipSync(readFileSync(scores))
      .toString('utf8')
      .replace(/ [^ \n]+$/gm, '');
    const entries = parseAsvspoof2019Protocol(text, 'eval');
    expect(entries).toHaveLength(71237);
    expect(entries.filter((entry) => entry.label === 'bonafide')).toHaveLength(7355);
    const attacks = new Map<string | null, number>();
    for (const { attack } of entries) attacks.set(attack, (attacks.get(attack) ?? 0) + 1);
    expect(attacks.size).toBe(14);
    expect(attacks.get('A07')).toBe(4914);
    expect(entries[0]).toEqual({ line: 1, speaker: 'LA_0039', file: 'LA_E_2834763', attack: 'A11', label: 'spoof' });
    expect(new Set(entries.map((entry) => entry.file)).size).toBe(71237);
  });
});

describe('for', () => {
  const files = [
    'training/real/file1.wav',
    'training/fake/lj_vits (12).wav',
    'training/fake/file (3).wav',
    'training/fake/file2.mp3.wav_16k.wav',
    'validation/real/arctic_bdl (1).wav',
    'validation/fake/file3.wav',
    'testing/real/file4.wav',
    'testing/fake/file5.wav',
  ];
  it.each(['for-norm', 'for-2sec/for-2seconds', 'for-rerec/for-rerecorded'])('is found at %s', async (place) => {
    plant(join(root, place), files);
    for (const start of [root, join(root, place), join(root, place.split('/')[0])]) {
      const dataset = await loadDataset(`for:${start}`);
      expect(dataset.root).toBe(join(root, place));
      expect(lines(dataset)).toEqual([
        'test spoof - testing/fake/file5.wav',
        'test bonafide - testing/real/file4.wav',
        'train spoof - training/fake/file (3).wav',
        'train spoof - training/fake/file2.mp3.wav_16k.wav',
        'train spoof lj_vits training/fake/lj_vits (12).wav',
        'train bonafide - training/real/file1.wav',
        'dev spoof - validation/fake/file3.wav',
        'dev bonafide - validation/real/arctic_bdl (1).wav',
      ]);
      expect(dataset.notes).toEqual([]);
    }
  });
  it('asks for one of several versions', async () => {
    plant(join(root, 'for-norm/for-norm'), files);
    plant(join(root, 'for-2sec/for-2seconds'), files);
    const said = await refusal(`for:${root}`);
    expect(said).toContain(`${join('for-2sec', 'for-2seconds')}, ${join('for-norm', 'for-norm')}`);
    expect(said).toContain('Name one of them');
    expect((await loadDataset(`for:${root}/for-norm`)).items).toHaveLength(8);
  });
  it('says what was looked for', async () => {
    plant(root, ['train/real/a.wav', 'a/b/c/training/real/a.wav']);
    expect(await refusal(`for:${root}`)).toContain(
      'looked for training, validation or testing with real or fake in it',
    );
  });
  it('notes what is missing and what lies elsewhere', async () => {
    plant(root, ['training/real/a.wav', 'training/x.wav', 'training/other/y.wav', 'more/z.wav']);
    plant(root, {
      'training/real/list.txt': 'x',
      'training/real/.hidden.wav': 'x',
      '__MACOSX/training/real/._a.wav': 'x',
    });
    const dataset = await loadDataset(`for:${root}`);
    expect(lines(dataset)).toEqual(['train bonafide - training/real/a.wav']);
    expect(dataset.notes).toEqual([
      "Ignored 1 file with an extension that is not audio's (.txt: 1).",
      'Ignored 3 audio files outside training, validation and testing with real and fake in them: ' +
        'more/z.wav, training/other/y.wav, training/x.wav.',
      'No recordings in validation: there is no split dev.',
      'No recordings in testing: there is no split test.',
      'There is no recording of spoofed speech.',
    ]);
  });

  const sample = join(sharedFolder, 'for-sample');
  it.skipIf(!existsSync(sample))('reads the 232 clips of the sample', async () => {
    const dataset = await loadDataset(`for:${sample}`);
    const count = (split: string, label: string) =>
      selectSplit(dataset, split).filter((item) => item.label === label).length;
    expect(dataset.items).toHaveLength(232);
    expect(
      ['training', 'validation', 'testing'].map((split) => [count(split, 'bonafide'), count(split, 'spoof')]),
    ).toEqual([
      [52, 66],
      [28, 28],
      [30, 28],
    ]);
    const generators = new Set(dataset.items.map((item) => item.generator));
    expect(generators.has('vctk_vits')).toBe(true);
    expect([...generators].some((name) => name?.startsWith('file'))).toBe(false);
  });
});

describe('folder', () => {
  it('takes labels without splits, in any of their names, with generators of spoofs', async () => {
    plant(root, [
      'Bona-Fide/p1/a.wav',
      'human/a.flac',
      'synthetic/VITS/x/b.mp3',
      'FAKE/c.ogg',
      'spoof/10.wav',
      'spoof/9.wav',
    ]);
    const dataset = await loadDataset(`folder:${root}`);
    expect(lines(dataset)).toEqual([
      '- bonafide - Bona-Fide/p1/a.wav',
      '- spoof - FAKE/c.ogg',
      '- bonafide - human/a.flac',
      '- spoof - spoof/10.wav',
      '- spoof - spoof/9.wav',
      '- spoof VITS synthetic/VITS/x/b.mp3',
    ]);
    expect(dataset.notes).toEqual([]);
  });
  it('takes split folders above the labels', async () => {
    plant(root, ['train/real/a.wav', 'Val/fake/G/b.wav', 'eval/spoof/c.wav', 'testing/genuine/train/d.wav']);
    expect(lines(await loadDataset(`folder:${root}`))).toEqual([
      'dev spoof G Val/fake/G/b.wav',
      'test spoof - eval/spoof/c.wav',
      'test bonafide - testing/genuine/train/d.wav',
      'train bonafide - train/real/a.wav',
    ]);
  });
  it('takes split folders below the labels', async () => {
    plant(root, ['real/train/a.wav', 'fake/dev/G/deep/b.wav', 'fake/test/c.wav', 'fake/H/d.wav']);
    const dataset = await loadDataset(`folder:${root}`);
    expect(lines(dataset)).toEqual([
      '- spoof H fake/H/d.wav',
      'dev spoof G fake/dev/G/deep/b.wav',
      'test spoof - fake/test/c.wav',
      'train bonafide - real/train/a.wav',
    ]);
    expect(dataset.notes).toEqual(['In no split: 1 recording of 4.']);
  });
  it('says what was looked for and what is there', async () => {
    plant(root, ['cats/a.wav', 'dogs/b.wav', 'real.wav']);
    const said = await refusal(`folder:${root}`);
    expect(said).toContain('bonafide, bona-fide, real, genuine or human, and spoof, fake or synthetic');
    expect(said).toContain('The folders there are: cats, dogs.');
  });
  it.skipIf(process.platform === 'win32')(
    'follows links but not in circles, and keeps one that leads nowhere',
    async () => {
      plant(root, ['data/fake/VITS/a.wav', 'data/real/b.wav', 'elsewhere/c.wav']);
      symlinkSync('..', join(root, 'data/fake/up'));
      symlinkSync('.', join(root, 'data/real/self'));
      symlinkSync(join(root, 'elsewhere'), join(root, 'data/real/more'));
      symlinkSync(join(root, 'gone.wav'), join(root, 'data/real/gone.wav'));
      symlinkSync('loop.wav', join(root, 'data/real/loop.wav'));
      symlinkSync('/dev/null', join(root, 'data/real/null.wav'));
      const dataset = await loadDataset(`folder:${root}/data`);
      expect(lines(dataset)).toEqual([
        '- spoof VITS fake/VITS/a.wav',
        '- bonafide - real/b.wav',
        '- bonafide - real/gone.wav',
        '- bonafide - real/loop.wav',
        '- bonafide - real/more/c.wav',
      ]);
      expect(dataset.notes).toEqual([
        'Ignored as no regular file: real/null.wav.',
        'Not followed, leading in a circle or too far: 2 links (fake/up, real/self).',
      ]);
    },
  );
  it.skipIf(process.platform === 'win32')('ends where folders link to one another', async () => {
    plant(root, ['real/a.wav', 'fake/b.wav']);
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const name of names) mkdirSync(join(root, 'fake', name));
    for (const from of names) for (const to of names) symlinkSync(`../${to}`, join(root, 'fake', from, `to-${to}`));
    const dataset = await loadDataset(`folder:${root}`);
    expect(dataset.items).toHaveLength(2);
    expect(dataset.notes.join()).toContain('leading in a circle or too far');
  });
});

describe('manifest', () => {
  const load = (text: string | Buffer) => {
    plant(root, { 'm.csv': text });
    return `manifest:${join(root, 'm.csv')}`;
  };
  it('takes columns in any order, a byte order mark, quotes and words in any case, and ignores other columns', async () => {
    const dataset = await loadDataset(
      load(
        '\uFEFFnotes,Label, split ,speaker,PATH,generator,source\r\n' +
          'x,Fake,Training,s1,"a, b/1.wav",VITS,\r\n' +
          '\r\n' +
          'y,bona-fide,fold3,,../out.flac,VITS,LibriTTS\r\n' +
          `z,spoof,,,${join(root, 'abs.wav')},,\r\n`,
      ),
    );
    expect(dataset.items).toEqual([
      {
        path: join(root, 'a, b', '1.wav'),
        id: 'a, b/1.wav',
        label: 'spoof',
        split: 'train',
        generator: 'VITS',
        speaker: 's1',
        source: null,
      },
      {
        path: join(root, '..', 'out.flac'),
        id: '../out.flac',
        label: 'bonafide',
        split: 'fold3',
        generator: null,
        speaker: null,
        source: 'LibriTTS',
      },
      {
        path: join(root, 'abs.wav'),
        id: 'abs.wav',
        label: 'spoof',
        split: null,
        generator: null,
        speaker: null,
        source: null,
      },
    ]);
    expect(dataset.notes).toEqual(['In no split: 1 recording of 3.']);
  });
  it.each([
    ['path,label\na.wav,real\nb.wav,maybe\n', 'line 3: the label is "maybe"'],
    ['path,label\na.wav,1\n', 'line 2: the label is "1"'],
    ['path,label\na.wav,real\n\n"b\n.wav",fake\n,real\n', 'line 6: the path is empty'],
    ['path,label\na.wav,\n', 'line 2: the label is empty'],
    ['path,label\na.wav,real,extra\n', 'line 2: 3 values for 2 columns'],
    ['path,label\na.wav\n', 'line 2: 1 value for 2 columns'],
    ['path,label\n"a.wav,real\n', 'this is no valid CSV'],
    ['path;label\na.wav;real\n', 'line 1: there is no column path among path;label'],
    ['file,label\na.wav,real\n', 'line 1: there is no column path among file, label'],
    ['path,split\na.wav,train\n', 'line 1: there is no column label among path, split'],
    ['path,label,path\na.wav,real,b.wav\n', 'line 1: the column path stands twice'],
    ['path,label\n', 'nothing follows'],
    ['', 'the file is empty'],
    ['path,label\na.wav,real\n./a.wav,fake\n', 'line 3: ./a.wav stands differently in line 2'],
  ])('refuses %j', async (text, what) => {
    const said = await refusal(load(text));
    expect(said).toContain(`${join(root, 'm.csv')}, line `);
    expect(said).toContain(what);
  });
  it('refuses what is not UTF-8', async () => {
    expect(await refusal(load(Buffer.from([0x70, 0xff, 0xfe])))).toContain('is not UTF-8');
  });
  it('drops repeated lines with a note', async () => {
    const dataset = await loadDataset(load('path,label\na.wav,real\n./a.wav,real\nb.wav,fake\n'));
    expect(dataset.items.map((item) => item.id)).toEqual(['a.wav', 'b.wav']);
    expect(dataset.notes).toEqual(['Ignored as repeating an earlier one: 1 line.']);
  });

  const corpus = sharedCorpus();
  it.skipIf(corpus === null)('reads every clip of the corpus', async () => {
    const { manifest, rows } = corpus!;
    const dataset = await loadDataset(`manifest:${manifest}`);
    expect(dataset.items).toHaveLength(rows.length);
    for (const split of ['train', 'dev', 'test', 'fresh']) {
      for (const label of ['bonafide', 'spoof']) {
        const counted = selectSplit(dataset, split).filter((item) => item.label === label).length;
        expect(counted).toBe(rows.filter((row) => row.split === split && row.label === label).length);
        expect(counted).toBeGreaterThan(100);
      }
    }
    expect(dataset.items.every((item) => existsSync(item.path))).toBe(true);
    expect(dataset.items.every((item) => (item.label === 'spoof') === (item.generator !== null))).toBe(true);
    expect(dataset.notes).toEqual([]);
  });
});

it('a spec for records leads to the same place from every folder', () => {
  const here = process.cwd();
  expect(absoluteSpec('manifest:a/list.csv+bonafide:folder:b+bonafide:c+collection:mobile@1')).toBe(
    `manifest:${join(here, 'a/list.csv')}+bonafide:folder:${join(here, 'b')}+bonafide:${join(here, 'c')}+collection:mobile@1`,
  );
  expect(absoluteSpec('for:/data/for')).toBe(`for:${resolve('/data/for')}`);
  expect(() => absoluteSpec('list.csv')).toThrow(UserFacingError);
});

describe('selectSplit', () => {
  it('takes aliases, other names and all', async () => {
    plant(root, {
      'm.csv': 'path,label,split\na.wav,real,train\nb.wav,fake,dev\nc.wav,fake,Eval\nd.wav,real,fold1\ne.wav,real,\n',
    });
    const dataset = await loadDataset(`manifest:${join(root, 'm.csv')}`);
    const ids = (split: string) => selectSplit(dataset, split).map((item) => item.id);
    for (const name of ['train', 'training', 'TRAIN']) expect(ids(name)).toEqual(['a.wav']);
    for (const name of ['dev', 'development', 'validation', 'valid', 'val']) expect(ids(name)).toEqual(['b.wav']);
    for (const name of ['test', 'testing', 'eval', 'evaluation']) expect(ids(name)).toEqual(['c.wav']);
    expect(ids('fold1')).toEqual(['d.wav']);
    expect(ids('all')).toHaveLength(5);
    expect(selectSplits(dataset, ['test', 'val', 'dev', 'eval']).map((item) => item.id)).toEqual(['c.wav', 'b.wav']);
    expect(selectSplits(dataset, ['dev', 'all'])).toHaveLength(5);
    expect(() => selectSplit(dataset, 'fold2')).toThrow(UserFacingError);
    try {
      selectSplit(dataset, 'fold2');
    } catch (error) {
      expect((error as UserFacingError).sentence).toContain('Its splits are train, dev, test, fold1;');
    }
  });
});
