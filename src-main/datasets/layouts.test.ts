import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserFacingError } from '../base/errors.ts';
import { loadDataset, selectSplit, specPaths, withBonafide } from './load.ts';
import { manifestText } from './manifest.ts';
import { plant } from './testing.ts';
import type { Dataset } from './types.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'earwitness-layouts-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** `split label generator speaker id` of each item, in order. */
const lines = (dataset: Dataset) =>
  dataset.items.map(({ split, label, generator, speaker, id }) =>
    [split ?? '-', label, generator ?? '-', speaker ?? '-', id].join(' '),
  );

async function refusal(spec: string): Promise<string> {
  const error = await loadDataset(spec).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserFacingError);
  return (error as UserFacingError).sentence;
}

describe('asvspoof2021', () => {
  const la =
    'LA_0009 LA_E_9332881 alaw ita_tx A07 spoof notrim progress\n' +
    'LA_0020 LA_E_6866159 none - bonafide bonafide notrim eval\n' +
    'LA_0021 LA_E_5464494 pstn sin_tx A14 spoof trim hidden\n';
  const df =
    'LA_0023 DF_E_2000011 nocodec asvspoof A14 spoof notrim progress traditional_vocoder - - - -\n' +
    'TEF2 DF_E_2000013 low_m4a vcc2020 Task1-team20 spoof notrim eval neural_vocoder_nonautoregressive Task1 team20 FF E\n' +
    'LA_0043 DF_E_2000026 mp3m4a asvspoof bonafide bonafide notrim eval bonafide - - - -\n';
  it('reads LA and DF from one flac folder, with subsets, codecs and transmissions', async () => {
    plant(root, { 'keys/LA/CM/trial_metadata.txt': la, 'keys/DF/CM/trial_metadata.txt': df });
    const files = 'LA_E_9332881 LA_E_6866159 LA_E_5464494 DF_E_2000011 DF_E_2000013 DF_E_2000026'.split(' ');
    plant(
      root,
      files.map((name) => `flac/${name}.flac`),
    );
    const dataset = await loadDataset(`asvspoof2021:${root}`);
    expect(lines(dataset)).toEqual([
      'progress spoof A07 LA_0009 LA_E_9332881',
      'test bonafide - LA_0020 LA_E_6866159',
      'hidden spoof A14 LA_0021 LA_E_5464494',
      'progress spoof A14 LA_0023 DF_E_2000011',
      'test spoof Task1-team20 TEF2 DF_E_2000013',
      'test bonafide - LA_0043 DF_E_2000026',
    ]);
    expect(dataset.items[0]).toMatchObject({ codec: 'alaw', transmission: 'ita_tx' });
    expect(dataset.items[1].transmission).toBeUndefined();
    expect(dataset.items[4]).toMatchObject({ codec: 'low_m4a' });
    expect(dataset.items.every(({ path }) => existsSync(path))).toBe(true);
    expect(dataset.notes).toEqual([]);
    expect(selectSplit(dataset, 'eval')).toHaveLength(3);
  });
  it('finds DF in the parts in which it is published, and leaves LA out where it is not there', async () => {
    plant(join(root, 'x'), { 'keys/LA/CM/trial_metadata.txt': la, 'keys/DF/CM/trial_metadata.txt': df });
    plant(join(root, 'x'), [
      'ASVspoof2021_DF_eval_part00/ASVspoof2021_DF_eval/flac/DF_E_2000011.flac',
      'ASVspoof2021_DF_eval_part01/ASVspoof2021_DF_eval/flac/DF_E_2000026.flac',
    ]);
    const dataset = await loadDataset(`asvspoof2021:${root}`);
    expect(dataset.items.map(({ path }) => existsSync(path))).toEqual([true, false, true]);
    expect(dataset.notes[0]).toBe('No recording of the LA track is there: it is left out.');
    expect(dataset.notes[1]).toMatch(/lacks 1 of the 3 files that its protocol names\.$/);
  });
  it('takes the keys of the first package, without a folder for the track', async () => {
    plant(root, { 'keys/CM/trial_metadata.txt': la });
    plant(root, ['ASVspoof2021_LA_eval/flac/LA_E_6866159.flac']);
    const dataset = await loadDataset(`asvspoof2021:${root}`);
    expect(dataset.items.map(({ path }) => existsSync(path))).toEqual([false, true, false]);
  });
  it('names what is wrong', async () => {
    expect(await refusal(`asvspoof2021:${root}`)).toContain('looked for keys/LA/CM/trial_metadata.txt');
    plant(root, { 'keys/LA/CM/trial_metadata.txt': `${la}LA_1 LA_E_1 - - A07 spoof notrim\n` });
    expect(await refusal(`asvspoof2021:${root}`)).toContain('line 4: 7 columns');
  });
});

describe('asvspoof5', () => {
  const protocols = {
    'ASVspoof5_protocols/ASVspoof5.train.tsv':
      'T_4850 T_0000000000 F - - - AC3 A05 spoof -\nT_3734 T_0000000011 F - - - - bonafide bonafide -\n',
    'ASVspoof5_protocols/ASVspoof5.dev.track_1.tsv': 'D_0062 D_0000000001 F - - - AC1 A11 spoof -\n',
    'ASVspoof5_protocols/ASVspoof5.eval.track_1.tsv':
      'E_3004 E_0009538969 M C05 2 T_0000091417 AC2 A26 spoof -\nE_1607 E_0006488216 M - - - - bonafide bonafide -\n',
  };
  it('reads its three protocols, separated by spaces', async () => {
    plant(root, protocols);
    plant(root, [
      'flac_T/T_0000000000.flac',
      'flac_T/T_0000000011.flac',
      'flac_D/D_0000000001.flac',
      'flac_E_eval/E_0009538969.flac',
      'flac_E_eval/E_0006488216.flac',
    ]);
    const dataset = await loadDataset(`asvspoof5:${root}`);
    expect(lines(dataset)).toEqual([
      'train spoof A05 T_4850 T_0000000000',
      'train bonafide - T_3734 T_0000000011',
      'dev spoof A11 D_0062 D_0000000001',
      'test spoof A26 E_3004 E_0009538969',
      'test bonafide - E_1607 E_0006488216',
    ]);
    expect(dataset.items.map(({ codec }) => codec)).toEqual([undefined, undefined, undefined, 'C05', undefined]);
    expect(dataset.items.every(({ path }) => existsSync(path))).toBe(true);
    expect(dataset.notes).toEqual([]);
  });
  it('leaves out a split that was not unpacked', async () => {
    plant(root, protocols);
    plant(root, ['flac_D/D_0000000001.flac']);
    const dataset = await loadDataset(`asvspoof5:${root}`);
    expect(dataset.items.map(({ split }) => split)).toEqual(['dev']);
    expect(dataset.notes.slice(0, 2)).toEqual([
      'No folder flac_T: the split train is left out.',
      'No folder flac_E_eval: the split test is left out.',
    ]);
  });
  it('names the line that is wrong', async () => {
    plant(root, { ...protocols, 'ASVspoof5_protocols/ASVspoof5.train.tsv': 'T_1 T_2 F - - - AC3 A05 fake -\n' });
    expect(await refusal(`asvspoof5:${root}`)).toContain('line 1: the ninth column is "fake"');
  });
});

describe('in-the-wild', () => {
  it('reads meta.csv beside the recordings', async () => {
    plant(root, {
      'release_in_the_wild/meta.csv': 'file,speaker,label\n0.wav,Alec Guinness,spoof\n1.wav,"King, Jr.",bona-fide\n',
    });
    plant(root, ['release_in_the_wild/0.wav', 'release_in_the_wild/1.wav']);
    const dataset = await loadDataset(`in-the-wild:${root}`);
    expect(lines(dataset)).toEqual(['- spoof - Alec Guinness 0.wav', '- bonafide - King, Jr. 1.wav']);
    expect(dataset.items.every(({ path }) => existsSync(path))).toBe(true);
  });
  it.each([
    ['file,speaker\n0.wav,x\n', 'line 1: there is no column label'],
    ['file,speaker,label\n0.wav,x,maybe\n', 'line 2: the label is "maybe"'],
    ['file,speaker,label\n../0.wav,x,spoof\n', 'line 2: the file "../0.wav" is no name of a file'],
    ['file,speaker,label\n0.wav,x,spoof\n0.wav,x,bona-fide\n', 'line 3: 0.wav stands differently before'],
  ])('refuses %j', async (meta, what) => {
    plant(root, { 'meta.csv': meta });
    expect(await refusal(`in-the-wild:${root}`)).toContain(what);
  });
});

describe('wavefake', () => {
  it('takes a folder for each vocoder, and LJSpeech beside them as bona fide', async () => {
    plant(join(root, 'generated_audio'), [
      'ljspeech_melgan/LJ001-0001_gen.wav',
      'ljspeech_hifiGAN/LJ001-0001_generated.wav',
      'jsut_parallel_wavegan/BASIC5000_0001_gen.wav',
      'LJSpeech-1.1/wavs/LJ001-0001.wav',
      'other/x.wav',
    ]);
    const dataset = await loadDataset(`wavefake:${root}`);
    expect(lines(dataset)).toEqual([
      '- bonafide - LJSpeech LJSpeech-1.1/wavs/LJ001-0001.wav',
      '- spoof jsut_parallel_wavegan JSUT jsut_parallel_wavegan/BASIC5000_0001_gen.wav',
      '- spoof ljspeech_hifiGAN LJSpeech ljspeech_hifiGAN/LJ001-0001_generated.wav',
      '- spoof ljspeech_melgan LJSpeech ljspeech_melgan/LJ001-0001_gen.wav',
    ]);
    expect(dataset.items.map(({ language }) => language)).toEqual(['en', 'ja', 'en', 'en']);
    expect(dataset.notes[0]).toContain('other/x.wav');
  });
  it('says what was looked for', async () => {
    plant(root, ['melgan/x.wav']);
    expect(await refusal(`wavefake:${root}`)).toContain('The folders there are: melgan.');
  });
});

describe('mlaad', () => {
  const meta =
    'path|original_file|language|is_original_language|duration|training_data|model_name|architecture|transcript\n' +
    './fake/de/tts_models_de_vits/a.wav|de_DE/x/a.wav|de|True|3.2|x|tts_models/de/vits|VITS|Er sagte "ja\n';
  it('reads model and language from meta.csv, else from the folders, and pairs with bona fide recordings', async () => {
    plant(join(root, 'm'), { 'fake/de/tts_models_de_vits/meta.csv': meta });
    plant(join(root, 'm'), ['fake/de/tts_models_de_vits/a.wav', 'fake/en/bark/b.wav']);
    plant(join(root, 'real+more'), ['eva/c.wav']);
    const alone = await loadDataset(`mlaad:${root}/m`);
    expect(lines(alone)).toEqual([
      '- spoof tts_models/de/vits - fake/de/tts_models_de_vits/a.wav',
      '- spoof bark - fake/en/bark/b.wav',
    ]);
    expect(alone.items.map(({ language }) => language)).toEqual(['de', 'en']);
    expect(alone.notes).toContain("Without a meta.csv: 1 folder of 2; the folders' names are used.");
    expect(alone.notes).toContain('There is no recording of bona fide speech.');

    const spec = withBonafide(`mlaad:${root}/m`, `${root}/real+more`);
    expect(spec).toBe(`mlaad:${root}/m+bonafide:${root}/real+more`);
    const paired = await loadDataset(spec);
    expect(paired.layout).toBe('combined');
    expect(paired.root).toBe(root);
    expect(paired.items.map(({ id, label }) => `${label} ${id}`)).toEqual([
      'spoof mlaad/fake/de/tts_models_de_vits/a.wav',
      'spoof mlaad/fake/en/bark/b.wav',
      'bonafide bonafide/eva/c.wav',
    ]);
    expect(paired.notes.join()).not.toContain('There is no recording');
    expect(withBonafide('mlaad:x', 'manifest:y.csv+bonafide:z')).toBe('mlaad:x+bonafide:manifest:y.csv+bonafide:z');
    expect(withBonafide('mlaad:x', undefined)).toBe('mlaad:x');
  });
  it('takes only what is bona fide of a corpus that also holds spoofs', async () => {
    plant(join(root, 'm'), ['fake/en/bark/b.wav']);
    plant(join(root, 'both'), ['train/real/c.wav', 'train/fake/d.wav', 'test/real/e.wav', 'test/fake/f.wav']);
    const paired = await loadDataset(withBonafide(`mlaad:${root}/m`, `folder:${root}/both`));
    expect(lines(paired)).toEqual([
      '- spoof bark - mlaad/fake/en/bark/b.wav',
      'test bonafide - - folder/test/real/e.wav',
      'train bonafide - - folder/train/real/c.wav',
    ]);
    expect(paired.notes).toContain('folder: Left out, being spoofs: 2 recordings.');
    expect(specPaths(`mlaad:${root}/m`, `folder:${root}/both`)).toEqual([join(root, 'm'), join(root, 'both')]);
    plant(join(root, 'none'), ['fake/d.wav']);
    expect(await refusal(`mlaad:${root}/m+bonafide:folder:${root}/none`)).toContain('holds no bona fide recording');
  });
});

describe('specs joined by +', () => {
  it('keep splits and sources, number parts of one kind, and say what is in no split', async () => {
    plant(root, { 'm.csv': 'path,label,split,source\na/real/x.wav,real,train,S\nother.wav,fake,test,T\n' });
    plant(root, ['a/real/y.wav', 'b/fake/x.wav']);
    const dataset = await loadDataset(`manifest:${root}/m.csv+folder:${root}/a+folder:${root}/b`);
    expect(dataset.items.map(({ id, split, source }) => `${id} ${split ?? '-'} ${source ?? '-'}`)).toEqual([
      'manifest/a/real/x.wav train S',
      'manifest/other.wav test T',
      'folder-1/real/y.wav - -',
      'folder-2/fake/x.wav - -',
    ]);
    expect(selectSplit(dataset, 'train')).toHaveLength(1);
    expect(selectSplit(dataset, 'all')).toHaveLength(4);
    expect(dataset.notes).toContain('In no split: 2 recordings of 4.');
  });
  it('take a file in both once, and refuse one with two labels', async () => {
    plant(root, ['a/real/x.wav', 'a/fake/y.wav']);
    plant(root, { 'm.csv': 'path,label\na/real/x.wav,real\n', 'n.csv': 'path,label\na/real/x.wav,fake\n' });
    const dataset = await loadDataset(`folder:${root}/a+manifest:${root}/m.csv`);
    expect(dataset.items).toHaveLength(2);
    expect(dataset.notes).toContain('Taken once, standing in two of the datasets: 1 recording.');
    expect(await refusal(`folder:${root}/a+manifest:${root}/n.csv`)).toContain(
      `${join(root, 'a/real/x.wav')} is bona fide in one of the datasets and a spoof in manifest:`,
    );
    expect(await refusal(`folder:${root}/a+for:${root}/nothing`)).toContain('there is no such folder');
  });
});

describe('manifestText', () => {
  it('is read again as it was, whatever is in the names', async () => {
    plant(root, ['in/a, b.wav', 'in/ c".wav', 'd.wav']);
    const items = [
      { path: join(root, 'in/a, b.wav'), id: 'x', label: 'spoof', split: 'train', generator: 'V "1"', speaker: null },
      { path: join(root, 'in/ c".wav'), id: 'y', label: 'bonafide', split: 'dev', generator: null, speaker: ' p,1 ' },
      { path: join(root, 'd.wav'), id: 'z', label: 'bonafide', split: null, generator: null, speaker: null },
    ] as const;
    const file = join(root, 'in', 'm.csv');
    const all = items.map((item) => ({ ...item, source: null, language: 'en' }));
    plant(root, { 'in/m.csv': manifestText(file, all) });
    const { items: read } = await loadDataset(`manifest:${file}`);
    expect(read.map(({ id: _, ...rest }) => rest)).toEqual(all.map(({ id: _, ...rest }) => rest));
    expect(read.map(({ id }) => id)).toEqual(['a, b.wav', ' c".wav', '../d.wav']);
  });
});
