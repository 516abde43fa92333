import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { defaultSpectrogram } from '../../src-common/schemas/spectrogram.ts';
import type { SpectrogramSettings } from '../../src-common/schemas/spectrogram.ts';
import { findFfmpeg } from '../audio/ffmpeg.ts';
import { chunk, formatChunk, pcm16, riff, runFfmpeg, temporaryFolder, tone } from '../audio/testing.ts';
import { recordingFigures } from './report-figures.ts';

const folder = temporaryFolder();
const ffmpeg = await findFfmpeg().catch(() => null);

test.skipIf(!ffmpeg)('a report’s pictures keep the recording’s time, gaps and all', async () => {
  const path = join(folder, 'gap.mka');
  // Two seconds of sound, six of nothing, two of sound.
  const filter = "asetnsamples=160,asetpts='PTS+6*gte(T\\,2)/TB'";
  const input = ['-f', 'lavfi', '-i', 'sine=f=500:d=4:r=16000'];
  runFfmpeg(ffmpeg!.path, ...input, '-af', `volume=6,${filter}`, '-c:a', 'pcm_s16le', path);
  const { durationSeconds, missing, peaks } = await recordingFigures({
    path,
    stream: 0,
    channels: 1,
    sampleRateHz: 16_000,
    marks: [],
  });
  expect(durationSeconds).toBeCloseTo(10, 1);
  const rounded = missing?.map((gap) => [gap.fromSeconds, gap.toSeconds].map(Math.round));
  expect(rounded).toEqual([[2, 8]]);
  const values = new Int8Array(Buffer.from(peaks, 'base64'));
  const heights = Array.from({ length: 10 }, (_, second) => {
    const column = Math.round(((second + 0.5) / 10) * (values.length / 2));
    return values[2 * column + 1] - values[2 * column];
  });
  expect(heights.map((height) => height > 20)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((s) => s < 2 || s >= 8));
});

/** Two channels: nothing on the left, a tone on the right in its last second of three. */
function writeStereo(path: string): void {
  const right = tone(5000, 24_000, 3).map((value, index) => (index < 2 * 24_000 ? 0 : value));
  const both = Float32Array.from({ length: 2 * right.length }, (_, index) =>
    index % 2 === 0 ? 0 : right[(index - 1) / 2],
  );
  writeFileSync(path, riff(formatChunk(1, 2, 24_000, 16), chunk('data', pcm16(both))));
}

test('a report shows every channel, and each mark with what lies around it up to the file’s own highest frequency', async () => {
  const path = join(folder, 'stereo.wav');
  writeStereo(path);
  const mark = { id: 7, startSeconds: 2, endSeconds: 2.5, readAll: false, channel: null };
  const point = { id: 9, startSeconds: 2.9, endSeconds: null, readAll: false, channel: null };
  const ofChannels = [1, 2, 3].map((channel) => ({ ...mark, id: 10 + channel, channel }));
  const request = { path, stream: 0, channels: 2, sampleRateHz: 24_000, marks: [mark, point, ...ofChannels] };
  const { channels = [], closeUps = [], durationSeconds } = await recordingFigures(request);
  expect(durationSeconds).toBeCloseTo(3, 2);
  const highest = (peaks: string): number => Math.max(...new Int8Array(Buffer.from(peaks, 'base64')));
  expect(channels.map(({ channel }) => channel)).toEqual([1, 2]);
  expect(channels.map(({ peaks }) => highest(peaks) > 10)).toEqual([false, true]);
  expect(closeUps.map(({ markId, channel }) => [markId, channel])).toEqual([
    [7, undefined],
    [9, undefined],
    [11, 1],
    [12, 2],
    // There is no third: the mix.
    [13, undefined],
  ]);
  expect(closeUps.slice(2).map(({ peaks }) => highest(peaks) > 10)).toEqual([false, true, true]);
  expect(highest(closeUps[3].peaks)).toBeGreaterThan(1.5 * highest(closeUps[4].peaks));
  expect(closeUps[0].startSeconds).toBeCloseTo(1.9, 3);
  expect(closeUps[0].endSeconds).toBeCloseTo(2.6, 2);
  expect(closeUps[1].startSeconds).toBeCloseTo(2.4, 3);
  // No further than the recording goes.
  expect(closeUps[1].endSeconds).toBeCloseTo(3, 2);
  expect(closeUps[0].sampleRateHz).toBe(24_000);
  expect(closeUps[0].spectrogram.statement).toContain('Hann window 32 ms');
  const { frequencies } = closeUps[0].spectrogram;
  expect(frequencies.find(({ label }) => label === '10')?.place).toBeCloseTo(10 / 12, 2);
});

test('a report’s spectrograms are made and shown as it was chosen for the case', async () => {
  const path = join(folder, 'chosen.wav');
  writeStereo(path);
  const settings: SpectrogramSettings = {
    ...defaultSpectrogram,
    window: 'blackman-harris',
    windowMs: 64,
    overlap: 0.75,
    scale: 'log',
    topHz: 10_000,
    rangeDb: 50,
    ceilingDb: -10,
  };
  const marks = [{ id: 7, startSeconds: 2, endSeconds: 2.5, readAll: false, channel: null }];
  const request = { path, stream: 0, channels: 1, sampleRateHz: 24_000, marks, settings };
  const { spectrogram, closeUps = [] } = await recordingFigures(request);
  for (const { scale, minDb, maxDb, statement } of [spectrogram, closeUps[0].spectrogram]) {
    expect({ scale, minDb, maxDb }).toEqual({ scale: 'log', minDb: -60, maxDb: -10 });
    expect(statement).toContain('Blackman-Harris window 64 ms, hop 16 ms');
  }
  expect(closeUps[0].sampleRateHz).toBe(20_000);
  // On a logarithmic axis from 40 Hz.
  const { frequencies } = closeUps[0].spectrogram;
  const place = Math.log(1000 / 40) / Math.log(10_000 / 40);
  expect(frequencies.find(({ label }) => label === '1')?.place).toBeCloseTo(place, 3);
});
