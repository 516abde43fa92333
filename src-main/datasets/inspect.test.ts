import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findFfmpeg } from '../audio/ffmpeg.ts';
import type { UserFacingError } from '../base/errors.ts';
import { inspectDataset } from './inspect.ts';
import { loadDataset } from './load.ts';
import { plant, plantAsvspoof, sharedCorpus, sharedFolder, toneWav } from './testing.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'earwitness-inspect-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** The tone as FLAC where there is an ffmpeg; else WAV, which a name that ends in .flac does not hide. */
async function tone(seconds: number, sampleRateHz: number): Promise<{ bytes: Buffer; format: 'flac' | 'wav' }> {
  const wav = toneWav(seconds, sampleRateHz);
  const ffmpeg = await findFfmpeg().catch((error: UserFacingError) => {
    if (error.code === 'ffmpeg-missing') return null;
    throw error;
  });
  if (ffmpeg === null) return { bytes: wav, format: 'wav' };
  // To a file, since ffmpeg cannot go back in a pipe to write the length into the header.
  const path = join(root, 'tone.flac');
  execFileSync(ffmpeg.path, ['-v', 'error', '-y', '-i', 'pipe:0', path], { input: wav });
  const bytes = readFileSync(path);
  rmSync(path);
  return { bytes, format: 'flac' };
}

describe('inspectDataset', () => {
  it('counts an ASVspoof tree by split, label, attack and speaker, and names what is missing or unreadable', async () => {
    const short = toneWav(0.25, 8000);
    const { bytes } = await tone(0.5, 16000);
    plantAsvspoof(root, bytes);
    plant(root, {
      'ASVspoof2019_LA_eval/flac/LA_E_2000001.flac': 'this is no audio',
      'ASVspoof2019_LA_eval/flac/LA_E_2000003.flac': short,
    });
    rmSync(join(root, 'ASVspoof2019_LA_dev/flac/LA_D_1000002.flac'));
    const dataset = await loadDataset(`asvspoof2019:${root}`);
    const steps: [number, number][] = [];
    const report = await inspectDataset(dataset, { jobs: 2, onProgress: (done, total) => steps.push([done, total]) });

    expect(steps.map(([done]) => done)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(steps.every(([, total]) => total === 7)).toBe(true);
    expect([report.files, report.bonafide, report.spoof]).toEqual([7, 3, 4]);
    expect(
      report.splits.map(({ split, label, files, speakers, sources, generators, durations }) => [
        split,
        label,
        files,
        speakers,
        sources,
        generators,
        durations?.files ?? null,
      ]),
    ).toEqual([
      ['train', 'bonafide', 1, 1, null, null, 1],
      ['train', 'spoof', 1, 1, null, 1, 1],
      ['dev', 'bonafide', 1, 1, null, null, 1],
      ['dev', 'spoof', 1, 1, null, 1, null],
      ['test', 'bonafide', 1, 1, null, null, 1],
      ['test', 'spoof', 2, 2, null, 2, 1],
    ]);
    expect(report.durations).toEqual({
      files: 5,
      totalSeconds: 2.25,
      minSeconds: 0.25,
      medianSeconds: 0.5,
      maxSeconds: 0.5,
    });
    expect(report.generators.map(({ value, files }) => [value, files])).toEqual([
      ['A01', 1],
      ['A06', 1],
      ['A11', 1],
      ['A17', 1],
    ]);
    expect(report.generators[2]).toEqual({
      value: 'A11',
      files: 1,
      bonafide: 0,
      spoof: 1,
      splits: [{ split: 'test', files: 1 }],
    });
    expect(report.speakers).toHaveLength(7);
    expect(report.sources).toEqual([]);
    expect(report.sampleRatesHz.map(({ value, files, bonafide, spoof }) => [value, files, bonafide, spoof])).toEqual([
      [16000, 4, 3, 1],
      [8000, 1, 0, 1],
    ]);
    expect(report.channels.map(({ value, files }) => [value, files])).toEqual([[1, 5]]);
    expect(report.problems.map(({ kind, id, split, label }) => [kind, id, split, label])).toEqual([
      ['missing', 'LA_D_1000002', 'dev', 'spoof'],
      ['unreadable', 'LA_E_2000001', 'test', 'spoof'],
    ]);
    expect(report.problems[0].path).toBe(join(root, 'ASVspoof2019_LA_dev/flac/LA_D_1000002.flac'));
    expect(report.problems[1].reason).not.toBe('');
    expect(report.notes).toEqual(['ASVspoof2019_LA_dev/flac lacks 1 of the 2 files that its protocol names.']);
  });

  it('tells formats by content, and takes the mean of the middle two as the median', async () => {
    const { bytes, format } = await tone(1, 16000);
    plant(root, {
      'real/a.mp3': toneWav(0.5),
      'real/b.wav': bytes,
      'fake/c.flac': toneWav(2),
      'fake/d.wav': toneWav(3),
    });
    const report = await inspectDataset(await loadDataset(`folder:${root}`));
    expect(report.durations?.medianSeconds).toBeCloseTo(1.5, 3);
    expect(report.problems).toEqual([]);
    expect(report.splits.map(({ split, label }) => [split, label])).toEqual([
      [null, 'bonafide'],
      [null, 'spoof'],
    ]);
    const names = report.formats.map(({ value }) => value ?? '');
    expect(names).toHaveLength(format === 'flac' ? 2 : 1);
    expect(names.filter((name) => name.startsWith('wav'))).toHaveLength(1);
    expect(report.generators).toEqual([]);
    expect(report.speakers).toEqual([]);
    expect(report.withoutDuration).toBe(0);

    if (format === 'flac') {
      // The header's count of samples set to 0: not known.
      const unknown = Buffer.from(bytes);
      unknown[21] &= 0xf0;
      unknown.fill(0, 22, 26);
      plant(root, { 'fake/e.flac': unknown });
      const again = await inspectDataset(await loadDataset(`folder:${root}`));
      expect(again.withoutDuration).toBe(1);
      expect([again.files, again.durations]).toEqual([5, report.durations]);
    }
  });

  it('stops when it is reported to', async () => {
    plant(
      root,
      Array.from({ length: 30 }, (_, index) => `real/${index}.wav`),
    );
    plant(root, ['fake/a.wav']);
    const dataset = await loadDataset(`folder:${root}`);
    const abort = new AbortController();
    let last = 0;
    const running = inspectDataset(dataset, {
      jobs: 2,
      signal: abort.signal,
      onProgress: (done) => {
        last = done;
        if (done === 5) abort.abort(new Error('stopped by the test'));
      },
    });
    await expect(running).rejects.toThrow('stopped by the test');
    expect(last).toBeLessThan(10);
  });

  it('is the same whatever the number of jobs', async () => {
    plant(
      root,
      Array.from({ length: 12 }, (_, index) => `real/${index}.wav`),
    );
    plant(root, { 'fake/a.wav': 'no audio', 'fake/b.wav': 'none either', 'fake/c.wav': toneWav(0.2) });
    const dataset = await loadDataset(`folder:${root}`);
    const one = await inspectDataset(dataset, { jobs: 1 });
    expect(await inspectDataset(dataset, { jobs: 8 })).toEqual(one);
    expect(one.problems.map(({ id }) => id)).toEqual(['fake/a.wav', 'fake/b.wav']);
  });

  it.skipIf(process.platform === 'win32')('calls a link that leads nowhere missing', async () => {
    plant(root, ['real/a.wav', 'fake/a.wav']);
    symlinkSync('nowhere.wav', join(root, 'real/b.wav'));
    writeFileSync(join(root, 'real/c.wav'), '');
    const report = await inspectDataset(await loadDataset(`folder:${root}`));
    expect(report.problems.map(({ id, kind }) => [id, kind])).toEqual([
      ['real/b.wav', 'missing'],
      ['real/c.wav', 'unreadable'],
    ]);
  });

  const sample = join(sharedFolder, 'for-sample');
  it.skipIf(!existsSync(sample))('reads every clip of the Fake-or-Real sample', async () => {
    const report = await inspectDataset(await loadDataset(`for:${sample}`));
    expect(report.problems).toEqual([]);
    expect(report.durations?.files).toBe(232);
    expect(report.splits.map(({ files }) => files)).toEqual([52, 66, 28, 28, 30, 28]);
    expect(report.generators.at(-1)?.value).toBe(null);
  });

  const corpus = sharedCorpus();
  it.skipIf(corpus === null)('reads every clip of the corpus', async () => {
    const { manifest, rows } = corpus!;
    const report = await inspectDataset(await loadDataset(`manifest:${manifest}`));
    expect(report.problems).toEqual([]);
    expect(report.sampleRatesHz.map(({ value, files }) => [value, files])).toEqual([[16000, rows.length]]);
    expect(report.durations?.files).toBe(rows.length);
    expect(report.durations?.maxSeconds).toBeLessThanOrEqual(3);
    expect(report.sources.length).toBe(new Set(rows.map(({ source }) => source)).size);
  });
});
