import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UserFacingError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import type { DatasetCheck } from '../datasets/check.ts';
import type { DatasetInspection } from '../datasets/inspect.ts';
import { loadDataset } from '../datasets/load.ts';
import { plant, toneWav } from '../datasets/testing.ts';
import { copyPath, makeTelephoneCopies } from '../laboratory/telephone-copies.ts';
import { ProgressLine } from './context.ts';
import { register } from './dataset.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'earwitness-dataset-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  rmSync(root, { recursive: true, force: true });
});

/** Runs `earwitness dataset …` in this process; gives what it wrote and its exit status. */
async function run(...words: string[]): Promise<{ out: string; status: typeof process.exitCode }> {
  let out = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  register(program);
  for (const command of program.commands) {
    command.exitOverride().configureOutput({ writeErr: () => undefined });
    for (const inner of command.commands) inner.exitOverride().configureOutput({ writeErr: () => undefined });
  }
  try {
    await program.parseAsync(['node', 'earwitness', 'dataset', ...words]);
    return { out, status: process.exitCode };
  } finally {
    process.exitCode = undefined;
  }
}

describe('earwitness dataset inspect', () => {
  it('prints counts and formats, with status 0', async () => {
    plant(root, ['train/real/a.wav', 'train/fake/VITS/b.wav', 'train/fake/VITS/c.wav', 'test/real/d.wav']);
    plant(root, { 'train/real/notes.txt': 'x' });
    const { out, status } = await run('inspect', `folder:${root}`);
    expect(status).toBe(0);
    expect(out).toMatch(/^train +bona fide +1 +- +- +- +0 s +0\.10 +0\.10 +0\.10$/m);
    expect(out).toMatch(/^train +spoof +2 +1 /m);
    expect(out).toMatch(/^test +bona fide +1 /m);
    expect(out).toMatch(/^all +2 bona fide, 2 spoof +4 /m);
    expect(out).toMatch(/^VITS +2 {2}train 2$/m);
    expect(out).toMatch(/^16000 +4 +2 +2 {2}train 3, test 1$/m);
    expect(out).toContain('.txt: 1');
    expect(out).not.toContain('\u001b');
  });

  it('names the first twenty files that cannot be read, then counts, with status 3', async () => {
    plant(root, ['real/a.wav']);
    plant(root, Object.fromEntries(Array.from({ length: 23 }, (_, index) => [`fake/${100 + index}.wav`, 'none'])));
    const { out, status } = await run('inspect', `folder:${root}`);
    expect(status).toBe(3);
    expect(out).toContain('Missing: 0, unreadable: 23');
    expect(out).toContain(join(root, 'fake/119.wav'));
    expect(out).not.toContain(join(root, 'fake/120.wav'));
    expect(out).toContain('and 3 more');
    const json = await run('inspect', `folder:${root}`, '--json', '--jobs', '2');
    expect(json.status).toBe(3);
    const report = JSON.parse(json.out) as DatasetInspection;
    expect(report.problems).toHaveLength(23);
    expect([report.bonafide, report.spoof]).toEqual([1, 23]);
  });

  it.skipIf(process.platform === 'win32')('shows names that would steer a terminal as escapes', async () => {
    plant(root, ['real/a.wav', 'fake/\u001b[31mG\n/b.wav']);
    const { out } = await run('inspect', `folder:${root}`);
    expect(out).toContain('[U+001B][31mG[U+000A]');
    expect(out).not.toContain('\u001b');
  });

  it('stops at Ctrl-C with status 130', async () => {
    plant(
      root,
      Array.from({ length: 40 }, (_, index) => `real/${index}.wav`),
    );
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const before = process.listenerCount('SIGINT');
    const running = run('inspect', `folder:${root}`, '--jobs', '1');
    expect(process.listenerCount('SIGINT')).toBe(before);
    await vi.waitUntil(() => process.listenerCount('SIGINT') > before, { interval: 0 });
    process.emit('SIGINT');
    const { out, status } = await running;
    expect(status).toBe(130);
    expect(out).toBe('');
    expect(said).toHaveBeenCalledWith('Interrupted.\n');
    expect(process.listenerCount('SIGINT')).toBe(before);
  });

  it('refuses wrong usage', async () => {
    await expect(run('inspect')).rejects.toThrow(CommanderError);
    for (const jobs of ['0', '-1', 'x', '1.5', '1000']) {
      await expect(run('inspect', `folder:${root}`, '--jobs', jobs)).rejects.toThrow(CommanderError);
    }
    await expect(run('inspect', 'nope:x')).rejects.toThrow(UserFacingError);
  });
});

/** A WAV file of noise (16 kHz, 16 bits) with a level of its own. */
function noise(seconds: number, seed: number, gain: number): Uint8Array {
  const random = new Random(seed);
  const bytes = toneWav(seconds);
  for (let at = 44; at < bytes.length; at += 2) bytes.writeInt16LE(Math.round(8000 * gain * random.normal()) | 0, at);
  return bytes;
}

describe('warnings and the page of earwitness dataset inspect', () => {
  const plantShortcut = (): void => {
    const clips = Array.from({ length: 24 }, (_, index): [string, Uint8Array] => {
      const spoof = index % 2 === 1;
      return [`train/${spoof ? 'fake/<b>V&"' : 'real'}/${index}.wav`, noise(spoof ? 0.3 : 0.5, index, 0.5)];
    });
    plant(root, Object.fromEntries(clips));
  };

  it('says shortcuts in the text and in JSON; --quick leaves them out', async () => {
    plantShortcut();
    const { out, status } = await run('inspect', `folder:${root}`, '--jobs', '2');
    expect(status).toBe(0);
    expect(out).toMatch(/^train +duration +1\.00 +shorter$/m);
    expect(out).toContain('- The duration alone tells bona fide from spoof with an AUC of 1.00 in train');
    const json = JSON.parse((await run('inspect', `folder:${root}`, '--json')).out) as DatasetInspection & DatasetCheck;
    expect(json.shortcuts[0]).toMatchObject({ split: 'train', property: 'duration', auc: 1 });
    expect(json.durations?.files).toBe(24);
    const quick = JSON.parse((await run('inspect', `folder:${root}`, '--json', '--quick')).out) as object;
    expect(quick).not.toHaveProperty('warnings');
  });

  it('writes a page that loads nothing, with everything escaped, and does not write over one', async () => {
    plantShortcut();
    const file = join(root, 'report.html');
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    await run('inspect', `folder:${root}`, '--html', file);
    expect(said).toHaveBeenCalledWith(`Page written to ${file}.\n`);
    const page = readFileSync(file, 'utf8');
    expect(page).toMatch(/^<!doctype html>/);
    expect(page.indexOf('The duration alone tells')).toBeLessThan(page.indexOf('<h2>Splits</h2>'));
    expect(page).toContain('&lt;b&gt;V&amp;&quot;');
    expect(page).not.toContain('<b>V');
    expect(page).not.toMatch(/<script|<img|<link|(?:src|href)=|url\(|https?:(?!\/\/www\.w3\.org)/i);
    expect(page.match(/<svg/g)?.length).toBe(page.match(/<\/svg>/g)?.length);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
    await expect(run('inspect', `folder:${root}`, '--html', file)).rejects.toThrow(`${file} exists.`);
    await run('inspect', `folder:${root}`, '--html', file, '--overwrite', '--quick');
    expect(readFileSync(file, 'utf8')).toContain('Only headers were read');
  });
});

describe('earwitness dataset split', () => {
  it('writes a manifest that keeps speakers and repeated sounds together, and leaves out what cannot be read', async () => {
    const lines = ['path,label,speaker'];
    for (let index = 0; index < 60; index++) {
      plant(root, { [`${index}.wav`]: noise(0.2, index, 0.5) });
      lines.push(`${index}.wav,${index % 3 === 0 ? 'real' : 'fake'},s${index % 30}`);
    }
    plant(root, { 'copy.wav': noise(0.2, 7, 0.5), 'bad.wav': 'no sound' });
    plant(root, { 'm.csv': [...lines, 'copy.wav,fake,other', 'bad.wav,real,other2'].join('\n') });
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const out = join(root, 'out', 'split.csv');
    const words = ['split', `manifest:${root}/m.csv`, '--out', out, '--shares', '60,20,20', '--jobs', '2'];
    const { out: printed, status } = await run(...words);
    expect(status).toBe(3);
    expect(said).toHaveBeenCalledWith('Left out, since they cannot be read: 1 ("dataset inspect" names them).\n');
    expect(printed).toContain('30 sets of recordings that belong together, the largest with 3 of 61.');
    const { items } = await loadDataset(`manifest:${out}`);
    expect(items).toHaveLength(61);
    expect(new Set(items.map(({ split }) => split))).toEqual(new Set(['train', 'dev', 'test']));
    const splitOf = (name: string) => items.find(({ path }) => path === join(root, name))?.split;
    expect(splitOf('7.wav')).toBe(splitOf('37.wav'));
    expect(splitOf('copy.wav')).toBe(splitOf('7.wav'));
    await expect(run(...words)).rejects.toThrow(`${out} exists.`);
    const again = readFileSync(out, 'utf8');
    await run(...words, '--overwrite');
    expect(readFileSync(out, 'utf8')).toBe(again);
  });

  it('says when everything hangs together, and refuses wrong usage', async () => {
    plant(root, { 'm.csv': 'path,label,speaker\na.wav,real,s\nb.wav,fake,s\n' });
    plant(root, ['a.wav', 'b.wav']);
    const out = join(root, 'split.csv');
    await expect(run('split', `manifest:${root}/m.csv`, '--out', out, '--quick')).rejects.toThrow(
      'its recordings hang together in 1 set, the largest with 2 of 2',
    );
    expect(existsSync(out)).toBe(false);
    for (const wrong of [
      ['--shares', '70,30'],
      ['--shares', '0,50,50'],
      ['--by', 'voice'],
      ['--seed', '-1'],
    ]) {
      await expect(run('split', `folder:${root}`, '--out', out, ...wrong)).rejects.toThrow(CommanderError);
    }
    await expect(run('split', `folder:${root}`)).rejects.toThrow(CommanderError);
  });
});

describe('earwitness dataset telephone', () => {
  it('copies every recording over a line of its own, with its labels and split, the same from the same seed', async () => {
    plant(root, ['train/real/a.wav', 'train/fake/VITS/b.wav', 'dev/real/c.wav']);
    plant(root, { 'dev/fake/VITS/bad.wav': 'no sound' });
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const copies = (name: string) => join(root, name);
    const { out, status } = await run('telephone', `folder:${root}`, '--out', copies('one'), '--seed', '3');
    expect(status).toBe(3);
    expect(out).toBe(`3 copies and ${join(root, 'one', 'manifest.csv')} written.\n`);
    expect(said.mock.calls.join('')).toMatch(/Left out 1 recording that cannot be read:\n .*bad\.wav/);
    const { items } = await loadDataset(`manifest:${root}/one/manifest.csv`);
    expect(items.map(({ label, split, generator }) => [label, split, generator])).toEqual(
      expect.arrayContaining([
        ['bonafide', 'train', null],
        ['spoof', 'train', 'VITS'],
        ['bonafide', 'dev', null],
      ]),
    );
    for (const { path, codec } of items) {
      const bytes = readFileSync(path);
      expect(bytes.readUInt32LE(24)).toBe(8000);
      expect(bytes).toHaveLength(44 + 2 * 800);
      expect(codec).toMatch(/^8 kHz, (?:\d+ to \d+ Hz, (?:mu|a)-law, )?-?\d+\.\d dB$/);
    }
    await expect(run('telephone', `folder:${root}`, '--out', copies('one'))).rejects.toThrow('exists.');
  });
});

describe('copies that are made anew', () => {
  it('never stand beside the labels of those before', async () => {
    plant(root, ['one/real/a.wav', 'one/fake/b.wav', 'two/fake/c.wav', 'two/real/d.wav']);
    const out = ['--out', join(root, 'out')];
    await run('telephone', `folder:${join(root, 'one')}`, ...out);
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    // Ctrl-C at the first copy.
    vi.spyOn(ProgressLine.prototype, 'show').mockImplementationOnce(() => void process.emit('SIGINT'));
    expect((await run('telephone', `folder:${join(root, 'two')}`, ...out, '--overwrite')).status).toBe(130);
    expect(existsSync(join(root, 'out', 'manifest.csv'))).toBe(false);
    expect((await run('telephone', `folder:${join(root, 'two')}`, ...out, '--overwrite')).status).toBe(0);
    const own = `manifest:${join(root, 'out', 'manifest.csv')}`;
    await expect(run('telephone', own, ...out, '--overwrite')).rejects.toThrow('is the table of the recordings');
  });

  it('say so where they cannot be written, and not that a recording cannot be read', async () => {
    plant(root, ['one/real/a.wav', 'one/fake/b.wav']);
    const { items } = await loadDataset(`folder:${join(root, 'one')}`);
    const folder = join(root, 'audio');
    mkdirSync(copyPath(folder, 0), { recursive: true });
    await expect(makeTelephoneCopies(items, folder, 1)).rejects.toMatchObject({ code: 'unwritable' });
  });
});

describe('earwitness dataset degrade', () => {
  const drawn = ['--with', 'white-20,white-5,gain-20,mp3-32', '--copies', '2', '--seed', '3'];

  it('copies the recordings of a split through unlike families, with their labels, the same from the same seed', async () => {
    plant(root, { 'train/real/a.wav': toneWav(1), 'train/fake/VITS/b.wav': toneWav(1), 'dev/real/c.wav': toneWav(1) });
    plant(root, { 'train/fake/VITS/bad.wav': 'no sound' });
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const spec = `folder:${root}`;
    const from = ['degrade', spec, '--split', 'train', ...drawn];
    const { out, status } = await run(...from, '--out', join(root, 'copies', 'one'));
    expect(status).toBe(3);
    expect(out).toBe(`4 copies and ${join(root, 'copies', 'one', 'manifest.csv')} written.\n`);
    expect(said.mock.calls.join('')).toMatch(/bad\.wav/);
    const { items } = await loadDataset(`manifest:${root}/copies/one/manifest.csv`);
    expect(items.map(({ label, split, generator }) => [label, split, generator])).toEqual([
      ...Array<unknown>(2).fill(['spoof', 'train', 'VITS']),
      ...Array<unknown>(2).fill(['bonafide', 'train', null]),
    ]);
    for (const [one, other] of [items.slice(0, 2), items.slice(2)]) {
      expect(one.codec?.split(',')[0]).not.toBe(other.codec?.split(',')[0]);
      expect(readFileSync(one.path)).not.toEqual(readFileSync(other.path));
      expect(readFileSync(one.path)).toHaveLength(44 + 2 * 16_000);
    }
    await run('degrade', spec, '--split', 'train', ...drawn, '--out', join(root, 'copies', 'two'));
    const { items: again } = await loadDataset(`manifest:${root}/copies/two/manifest.csv`);
    expect(again.map(({ path }) => readFileSync(path))).toEqual(items.map(({ path }) => readFileSync(path)));
    await expect(run(...from, '--out', join(root, 'copies', 'one'))).rejects.toThrow('exists.');
  });

  it('says which degradations and splits there are', async () => {
    plant(root, ['train/real/a.wav', 'train/fake/VITS/b.wav']);
    const out = ['--out', join(root, 'copies')];
    await expect(run('degrade', `folder:${root}`, '--with', 'mp4', ...out)).rejects.toThrow('There is no degradation mp4.'); // prettier-ignore
    await expect(run('degrade', `folder:${root}`, '--split', 'dev', ...out)).rejects.toThrow('has no split dev.');
    expect(existsSync(join(root, 'copies'))).toBe(false);
  });
});
