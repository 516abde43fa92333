import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultSpectrogram } from '../../src-common/schemas/spectrogram.ts';
import { analysisFor, evidenceFor, testCase, testFolder } from '../cases/testing.ts';
import { babble, wav16 } from '../detector/testing.ts';
import { exportSound, markedStretches, noteExport, stretchesThatStandOut } from './export-sound.ts';

const plain = { text: 'a cough', inReport: true, category: 'Caller' };

function caseWithRecordings() {
  const made = testCase();
  const paths = [0, 1].map((seed) => {
    const path = join(testFolder(), `voice ${seed}.wav`);
    writeFileSync(path, wav16(babble(4, seed)));
    return path;
  });
  const ids = made.store.evidence.add(paths.map((path) => evidenceFor(path)));
  const out = join(testFolder(), 'out');
  mkdirSync(out);
  return { ...made, paths, ids, out };
}

describe('stretches of a case as WAV files', () => {
  it('are those that were marked, with their hashes in a manifest and a list', async () => {
    const { store, ids, out, paths } = caseWithRecordings();
    store.marks.addAll(ids[0], [
      { ...plain, startSeconds: 1, endSeconds: 2 },
      { ...plain, startSeconds: 3, endSeconds: null },
    ]);
    store.marks.add(ids[1], { ...plain, startSeconds: 0.5, endSeconds: 0.75, channel: 1 });
    const problems: string[] = [];
    const { written, failed, sha256, files } = await exportSound(store, markedStretches(store, ids), out, 'wav', {
      onProblem: (subject) => problems.push(subject),
    });
    expect({ written, failed, problems }).toEqual({ written: 2, failed: 0, problems: [] });
    expect(readdirSync(out).sort()).toEqual([...files].sort());
    const manifest = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')) as {
      files: { name: string; sha256: string; samples: number; exact: boolean; recordingSha256: string }[];
    };
    expect(manifest).toMatchObject({
      case: { id: store.id, number: '2026/1', head: store.head },
      files: [
        { name: '1-item-1-voice-0-1.000-2.000.wav', item: 1, samples: 16_000, firstSample: 16_000, exact: true },
        { name: '2-item-2-voice-1-0.500-0.750-channel-1.wav', channel: 1, of: { mark: 3, category: 'Caller' } },
      ],
    });
    const hash = (name: string): string =>
      createHash('sha256')
        .update(readFileSync(join(out, name)))
        .digest('hex');
    for (const file of manifest.files) expect(hash(file.name)).toBe(file.sha256);
    expect(hash('manifest.json')).toBe(sha256);
    expect(readFileSync(join(out, 'SHA256SUMS'), 'utf8').trim().split('\n')).toEqual(
      files.slice(0, -1).map((name) => `${hash(name)}  ${name}`),
    );
    // The samples of the recording, behind the header of 44 bytes that both have.
    const source = readFileSync(paths[0]);
    expect(readFileSync(join(out, manifest.files[0].name)).subarray(44)).toEqual(
      source.subarray(44 + 32_000, 44 + 64_000),
    );
  });

  it('leave nothing where the export is aborted or their manifest cannot be written', async () => {
    const { store, ids, out } = caseWithRecordings();
    for (const id of ids) store.marks.add(id, { ...plain, startSeconds: 1, endSeconds: 2 });
    const wanted = markedStretches(store, ids);
    const controller = new AbortController();
    const { signal } = controller;
    const onProgress = () => controller.abort();
    await expect(exportSound(store, wanted, out, 'wav', { signal, onProgress })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(readdirSync(out)).toEqual([]);
    writeFileSync(join(out, 'SHA256SUMS'), 'what a person wrote');
    await expect(exportSound(store, wanted, out)).rejects.toMatchObject({ code: 'unwritable' });
    expect(readdirSync(out)).toEqual(['SHA256SUMS']);
  });

  it('are those of one speaker, where one is named', () => {
    const { store, ids } = caseWithRecordings();
    for (const [index, category] of ['Caller', 'Clerk', 'Caller'].entries()) {
      store.marks.add(ids[0], { ...plain, category, startSeconds: index, endSeconds: index + 1 });
    }
    const startsOf = (category: string | null): number[] =>
      markedStretches(store, ids, { category }).map(({ startSeconds }) => startSeconds);
    expect([startsOf('Caller'), startsOf('Clerk'), startsOf('Other'), startsOf(null)]).toEqual([
      [0, 2],
      [1],
      [],
      [0, 1, 2],
    ]);
  });

  it('are those that stand out in the latest results, of each channel that was scored', () => {
    const { store, ids } = caseWithRecordings();
    const windows = [0, 1.5].map((startSeconds) => ({ startSeconds, endSeconds: startSeconds + 1, score: -3 }));
    const thresholds = { ...analysisFor(store, ids[0]).thresholds, localisation: -1 };
    store.analyses.add(analysisFor(store, ids[0], { windows, thresholds }));
    for (const channel of [1, 2]) store.analyses.add(analysisFor(store, ids[1], { windows, thresholds, channel }));
    const found = stretchesThatStandOut(store, ids);
    expect(found.map(({ evidenceId, channel, startSeconds }) => [evidenceId, channel, startSeconds])).toEqual([
      [1, null, 0],
      [1, null, 1.5],
      [2, 1, 0],
      [2, 1, 1.5],
      [2, 2, 0],
      [2, 2, 1.5],
    ]);
  });

  it('are none of a recording that is not what was taken in, and the others are written', async () => {
    const { store, ids, out, paths } = caseWithRecordings();
    for (const id of ids) store.marks.add(id, { ...plain, startSeconds: 1, endSeconds: 2 });
    writeFileSync(paths[0], wav16(babble(4, 9)));
    const problems: string[] = [];
    const wanted = markedStretches(store, ids);
    const outcome = await exportSound(store, wanted, out, 'wav', { onProblem: (subject) => problems.push(subject) });
    expect(outcome).toMatchObject({ written: 1, failed: 1 });
    expect(problems).toEqual(['voice 0.wav']);
    expect(readdirSync(out)).toHaveLength(3);
    expect(store.evidence.get(ids[0]).state).toBe('changed');
    await expect(exportSound(store, wanted.slice(0, 1), join(out, '..'))).rejects.toThrow('None of the stretches');
    await expect(exportSound(store, [], out)).rejects.toThrow('no stretch to be written');
  });
});

describe('marks of a case as pictures', () => {
  it('show stretch or point at its place in time, with settings and hashes in a manifest', async () => {
    const { store, ids, out } = caseWithRecordings();
    store.spectrogram = { ...defaultSpectrogram, scale: 'log', windowMs: 64, rangeDb: 60, ceilingDb: -20, topHz: 4000 };
    store.marks.add(ids[0], { ...plain, startSeconds: 1, endSeconds: 2 });
    store.marks.add(ids[0], { ...plain, startSeconds: 3, endSeconds: null });
    store.marks.add(ids[1], { ...plain, startSeconds: 1, endSeconds: 2, channel: 2 });
    const problems: string[] = [];
    const wanted = markedStretches(store, ids, { points: true });
    const made = await exportSound(store, wanted, out, 'png', {
      onProblem: (subject, message) => problems.push(`${subject}: ${message}`),
    });
    expect(made).toMatchObject({ written: 2, failed: 1 });
    expect(problems).toEqual(['voice 1.wav at 1.00 s: The recording has no channel 2: it has 1.']);
    const [stretch, point] = ['1-item-1-voice-0-1.000-2.000.png', '2-item-1-voice-0-2.500-3.500.png'];
    expect(readdirSync(out).sort()).toEqual([stretch, point, 'SHA256SUMS', 'manifest.json'].sort());
    const manifest = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')) as { files: { sha256: string }[] };
    const looks = { scale: 'log', topHz: 4000, sampleRateHz: 8000, minDb: -80, maxDb: -20, colourMap: 'viridis' };
    expect(manifest).toMatchObject({
      format: 'earwitness pictures',
      files: [
        { name: stretch, startSeconds: 1, endSeconds: 2, ...looks, of: { mark: 1, category: 'Caller' } },
        { name: point, startSeconds: 2.5, endSeconds: 3.5, ...looks, of: { mark: 2, pointSeconds: 3 } },
      ],
    });
    expect(manifest.files[0]).toMatchObject({
      statement: expect.stringMatching(/^bins of .* window 64 ms, hop /) as string,
    });
    for (const [index, name] of [stretch, point].entries()) {
      const png = readFileSync(join(out, name));
      expect([png.toString('latin1', 1, 4), png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual(['PNG', 1200, 640]);
      expect(createHash('sha256').update(png).digest('hex')).toBe(manifest.files[index].sha256);
    }
    noteExport(store, made, 'png', null);
    expect(store.log.rows({ offset: 0, limit: 1 }).rows[0].summary).toBe(
      'Exported 2 stretches of recordings as pictures.',
    );
  });
});
