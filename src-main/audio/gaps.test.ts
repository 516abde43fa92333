import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decode } from './decode.ts';
import { findFfmpeg } from './ffmpeg.ts';
import { floats, runFfmpeg, sharedFolder, temporaryFolder } from './testing.ts';
import { Timeline } from './timeline.ts';

const folder = temporaryFolder();
const ffmpeg = await findFfmpeg().then(
  (found) => found.path,
  () => null,
);
const reports = sharedFolder('reports');
const rateHz = 16_000;
/** As the reference does, within this. */
const toleranceSeconds = 0.05;

/** Length and stretches without sound of at least 0.2 s as ffmpeg itself fills them. */
function reference(path: string, stream = 0): { seconds: number; sound: Float32Array } {
  const filter = 'aresample=async=1:first_pts=0';
  const bytes = runFfmpeg(
    ffmpeg!,
    ...['-i', path, '-map', `0:a:${stream}`, '-af', filter, '-ac', '1', '-ar', String(rateHz), '-f', 'f32le', '-'],
  );
  const sound = floats(bytes);
  return { seconds: sound.length / rateHz, sound };
}

const peak = (sound: Float32Array): number => sound.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);

/** The recording as it plays: its sound at its times, else zeros. */
async function played(path: string) {
  const { samples, statistics, info } = await decode(path);
  const timeline = new Timeline(statistics);
  const seconds = timeline.timeOf(samples.length / rateHz, 'before');
  const sound = new Float32Array(Math.round(seconds * rateHz));
  for (let i = 0; i < samples.length; i++) {
    const at = Math.round(timeline.timeOf(i / rateHz) * rateHz);
    if (at < sound.length) sound[at] = samples[i];
  }
  return { seconds, sound, statistics, info, samples };
}

/** Both are still, and both are loud, at the same times but for where that begins or ends. */
function expectAlike(ours: Float32Array, theirs: Float32Array): void {
  const step = rateHz / 20;
  const at = (sound: Float32Array, i: number): number => peak(sound.subarray(i * step, (i + 1) * step));
  const all = Math.floor(Math.min(ours.length, theirs.length) / step);
  for (let i = 1; i + 1 < all; i++) {
    const around = [at(theirs, i - 1), at(theirs, i), at(theirs, i + 1)];
    if (Math.max(...around) < 0.0001) expect([i / 20, at(ours, i) < 0.001]).toEqual([i / 20, true]);
    if (Math.min(...around) > 0.05) expect([i / 20, at(ours, i) > 0.02]).toEqual([i / 20, true]);
  }
}

describe.skipIf(!ffmpeg)('times of recordings that ffmpeg decodes', () => {
  const tone = (seconds: number, keep: string): string[] => [
    ...['-f', 'lavfi', '-i', `sine=f=500:d=${seconds}:r=48000`, '-af', `volume=4,aselect='${keep}'`],
  ];
  const variants: [string, string[]][] = [
    ['mka', ['-c:a', 'libopus']],
    ['webm', ['-c:a', 'libvorbis']],
    ['ogg', ['-c:a', 'libopus']],
    ['m4a', ['-c:a', 'aac']],
    ['mp4', ['-c:a', 'aac', '-movflags', 'frag_keyframe+empty_moov', '-frag_duration', '500000']],
    ['flv', ['-c:a', 'aac', '-ar', '44100']],
    ['wma', ['-c:a', 'wmav2', '-ar', '44100']],
    ['ts', ['-c:a', 'aac']],
    ['mkv', ['-c:a', 'libmp3lame']],
    ['nut', ['-c:a', 'pcm_s16le']],
  ];
  test.each(variants)('a gap of 3 s and one of 0.3 s in %s', async (extension, encoder) => {
    const path = join(folder, `gap.${extension}`);
    runFfmpeg(ffmpeg!, ...tone(9, 'lt(t,2)+between(t,5,7)+gt(t,7.3)'), ...encoder, path);
    const ours = await played(path);
    const theirs = reference(path);
    expect(Math.abs(ours.seconds - theirs.seconds)).toBeLessThan(toleranceSeconds);
    expectAlike(ours.sound, theirs.sound);
    expect(ours.statistics).toMatchObject({ truncated: false, damaged: false, uncertainFromSeconds: null });
    const lengths = ours.statistics.gaps.map(({ fromSeconds, toSeconds }) => toSeconds - fromSeconds);
    expect(lengths.length).toBe(2);
    expect(Math.abs(lengths[0] - 3)).toBeLessThan(0.1);
    expect(Math.abs(lengths[1] - 0.3)).toBeLessThan(0.1);
    expect(Math.abs(ours.samples.length / rateHz - 5.7)).toBeLessThan(0.2);
  });

  test.each(variants)('nothing is missing in whole %s, and its samples are as before', async (extension, encoder) => {
    const path = join(folder, `whole.${extension}`);
    runFfmpeg(ffmpeg!, ...tone(3, '1'), ...encoder, path);
    const { samples, statistics } = await decode(path, { sampleRateHz: 48_000 });
    expect(statistics).toMatchObject({
      ...{ gaps: [], overlapSeconds: 0, uncertainFromSeconds: null },
      ...{ truncated: false, damaged: false },
    });
    // The first packets of WMA give no sound.
    expect(statistics.startSeconds).toBeLessThan(extension === 'wma' ? 0.1 : 0.001);
    if (encoder.includes('44100')) return;
    expect(samples).toEqual(floats(runFfmpeg(ffmpeg!, '-i', path, '-f', 'f32le', '-')));
  });

  test('a gap of minutes takes no memory', async () => {
    const path = join(folder, 'minutes.mka');
    runFfmpeg(ffmpeg!, ...tone(2, '1'), '-c:a', 'libopus', join(folder, 'part.mka'));
    // The second part begins half an hour later.
    runFfmpeg(
      ffmpeg!,
      ...['-f', 'lavfi', '-i', 'sine=f=500:d=4:r=48000', '-af', "asetpts='if(lt(T,2),PTS,PTS+1800/TB)'"],
      ...['-c:a', 'libopus', path],
    );
    const { samples, statistics } = await decode(path);
    expect(Math.abs(samples.length / rateHz - 4)).toBeLessThan(0.1);
    expect(statistics.gaps.length).toBe(1);
    expect(Math.abs(statistics.gaps[0].toSeconds - 1802)).toBeLessThan(0.1);
    expect(new Timeline(statistics).timeOf(samples.length / rateHz)).toBeCloseTo(1804, 0);
  });

  test.each(['mp4', 'mkv', 'ts', 'mov', 'avi'])('sound that begins after the video in %s', async (extension) => {
    const path = join(folder, `late.${extension}`);
    runFfmpeg(
      ffmpeg!,
      ...[
        '-f',
        'lavfi',
        '-i',
        'color=s=32x32:r=10:d=8',
        '-itsoffset',
        '3',
        '-f',
        'lavfi',
        '-i',
        'sine=f=500:d=4:r=44100',
      ],
      ...['-map', '0:v', '-map', '1:a', '-c:v', 'mpeg4', '-c:a', extension === 'avi' ? 'pcm_s16le' : 'aac', path],
    );
    const ours = await played(path);
    // Of a transport stream, ffmpeg does not count the streams that it leaves out; players show them.
    const seconds = extension === 'ts' ? 7 : reference(path).seconds;
    expect(Math.abs(ours.seconds - seconds)).toBeLessThan(toleranceSeconds);
    // AVI knows no times: its writer puts packets without sound there.
    if (extension !== 'avi') expect(Math.abs(ours.statistics.startSeconds - 3)).toBeLessThan(0.06);
    expect(ours.statistics).toMatchObject({ gaps: [], truncated: false, uncertainFromSeconds: null });
  });

  test('timestamps that begin anew in the middle are reported, and no sound is lost', async () => {
    const parts = [2, 3].map((seconds) =>
      runFfmpeg(ffmpeg!, ...tone(seconds, '1'), '-c:a', 'aac', '-f', 'mpegts', '-').toString('latin1'),
    );
    const path = join(folder, 'reset.ts');
    writeFileSync(path, Buffer.from(parts.join(''), 'latin1'));
    const { samples, statistics } = await decode(path);
    expect(Math.abs(samples.length / rateHz - 5)).toBeLessThan(0.1);
    expect(Math.abs(statistics.uncertainFromSeconds! - 2)).toBeLessThan(0.1);
    expect(statistics).toMatchObject({ gaps: [] });
  });

  test('timestamps that wrap around are no reset', async () => {
    const path = join(folder, 'wrap.ts');
    const offset = String(2 ** 33 / 90_000 - 2);
    runFfmpeg(ffmpeg!, ...tone(5, '1'), '-c:a', 'aac', '-output_ts_offset', offset, '-f', 'mpegts', path);
    const { samples, statistics } = await decode(path);
    expect(Math.abs(samples.length / rateHz - 5)).toBeLessThan(0.1);
    expect(statistics).toMatchObject({ gaps: [], startSeconds: 0, uncertainFromSeconds: null });
  });
});

describe.skipIf(!ffmpeg)('lengths that headers declare', () => {
  const video = ['-f', 'lavfi', '-i', 'color=s=32x32:r=10:d=12', '-c:v', 'mpeg4'];
  const sound = ['-f', 'lavfi', '-i', 'sine=f=500:d=4:r=44100'];
  test.each(['mp4', 'mkv', 'mov', 'avi', 'ts', 'flv'])(
    'a video that is longer than its sound, %s',
    async (extension) => {
      const path = join(folder, `long-video.${extension}`);
      const flv = extension === 'flv' ? ['-c:v', 'flv'] : [];
      runFfmpeg(ffmpeg!, ...video.slice(0, 4), ...sound, ...video.slice(4), ...flv, '-c:a', 'aac', path);
      const { statistics, info, samples } = await decode(path);
      expect(Math.abs(samples.length / rateHz - 4)).toBeLessThan(0.1);
      expect(statistics).toMatchObject({ truncated: false, missingSeconds: null, gaps: [] });
      if (/mp4|mov|mkv/.test(extension)) expect(Math.abs(info.durationSeconds! - 4)).toBeLessThan(0.1);
    },
  );

  test.each(['webm', 'mka', 'm4a'])('a file that ends too early, %s', async (extension) => {
    const path = join(folder, `whole-30.${extension}`);
    const codec = extension === 'm4a' ? ['-c:a', 'aac', '-movflags', 'faststart'] : ['-c:a', 'libopus'];
    runFfmpeg(ffmpeg!, '-f', 'lavfi', '-i', 'anoisesrc=d=60:r=48000:a=0.2:seed=1', ...codec, '-b:a', '32k', path);
    const whole = (await decode(path)).statistics;
    expect(whole).toMatchObject({ truncated: false, missingSeconds: null, statements: [] });
    const bytes = readFileSync(path);
    const cut = join(folder, `cut.${extension}`);
    writeFileSync(cut, bytes.subarray(0, Math.round(bytes.length * 0.985)));
    const { statistics, samples } = await decode(cut);
    expect(statistics.truncated).toBe(true);
    expect(Math.abs(statistics.missingSeconds! - (60 - samples.length / rateHz))).toBeLessThan(0.1);
    expect(statistics.statements.length).toBeGreaterThan(0);
  });

  test.each(['m4a', 'mov'])('sound that an edit list hides, %s', async (extension) => {
    const whole = join(folder, `to-trim.${extension}`);
    runFfmpeg(ffmpeg!, '-f', 'lavfi', '-i', 'sine=f=500:d=9:r=44100', '-c:a', 'aac', whole);
    expect((await decode(whole)).statistics.hiddenSeconds).toBe(0);
    // Copied from the third second on; the packets before it stay, for the decoder's sake, only where it needs them: the list is changed.
    const path = join(folder, `trimmed.${extension}`);
    writeFileSync(path, trimmed(readFileSync(whole), 3, 4));
    const { statistics, samples, info } = await decode(path);
    expect(Math.abs(samples.length / rateHz - 4)).toBeLessThan(0.1);
    expect(Math.abs(statistics.hiddenSeconds - 5)).toBeLessThan(0.1);
    expect(Math.abs(info.durationSeconds! - 4)).toBeLessThan(0.1);
    expect(statistics).toMatchObject({ truncated: false, gaps: [] });
    const all = await decode(path, { readAll: true });
    expect(Math.abs(all.samples.length / rateHz - 9)).toBeLessThan(0.1);
    expect(all.statistics).toMatchObject({ hiddenSeconds: 0, truncated: false, gaps: [] });
    expect(Math.abs(all.statistics.furtherSeconds - 5)).toBeLessThan(0.1);
    expect(statistics.furtherSeconds).toBe(0);
  });
});

/** With the only entry of its edit list changed: from one second on, so many. */
function trimmed(bytes: Buffer, fromSeconds: number, seconds: number): Buffer {
  const at = bytes.indexOf('elst') + 4;
  const movieScale = bytes.readUInt32BE(bytes.indexOf('mvhd') + 16);
  const mediaScale = bytes.readUInt32BE(bytes.indexOf('mdhd') + 16);
  expect(bytes.readUInt32BE(at + 4)).toBe(1);
  bytes.writeUInt32BE(Math.round(seconds * movieScale), at + 8);
  bytes.writeInt32BE(Math.round(fromSeconds * mediaScale), at + 12);
  return bytes;
}

describe.skipIf(!ffmpeg || !reports)('recordings of reports', () => {
  test.each([
    ['timeline-gap/gap.mka', 8.07],
    ['timeline-gap/gap.webm', 8.07],
    ['timeline-gap/gap.ogg', 8.06],
    ['timeline-gap/gap.flv', 8.12],
    ['timeline-gap/long_gap.mka', 96.73],
    ['late-audio/late_audio5.mp4', 13.08],
  ])('%s', async (name, seconds) => {
    const path = join(reports!, name);
    const ours = await played(path);
    const theirs = reference(path);
    expect(Math.abs(ours.seconds - seconds)).toBeLessThan(toleranceSeconds);
    expect(Math.abs(ours.seconds - theirs.seconds)).toBeLessThan(toleranceSeconds);
    expectAlike(ours.sound, theirs.sound);
    if (name.startsWith('late')) expect(Math.abs(ours.statistics.startSeconds - 4.953)).toBeLessThan(toleranceSeconds);
    else expect(ours.statistics.gaps.length).toBe(1);
    expect(ours.statistics).toMatchObject({ truncated: false, uncertainFromSeconds: null });
  });

  test('a video that is longer than its sound, a file that ends too early, an edit list', async () => {
    const video = (await decode(join(reports!, 'video-longer-than-audio/long_video_short_audio.mp4'))).statistics;
    expect(video).toMatchObject({ truncated: false, missingSeconds: null });
    const cut = (await decode(join(reports!, 'truncated-untold/lost_1s_of_64s.webm'))).statistics;
    expect(cut).toMatchObject({ truncated: true, statements: ['File ended prematurely'] });
    expect(Math.abs(cut.missingSeconds! - 0.95)).toBeLessThan(0.1);
    const hidden = await decode(join(reports!, 'edit-list-hides/trimmed_editlist.m4a'));
    expect(Math.abs(hidden.samples.length / rateHz - 3)).toBeLessThan(0.05);
    expect(Math.abs(hidden.statistics.hiddenSeconds - 5.08)).toBeLessThan(0.1);
    const all = await decode(join(reports!, 'edit-list-hides/trimmed_editlist.m4a'), { readAll: true });
    expect(Math.abs(all.samples.length / rateHz - 8.08)).toBeLessThan(0.05);
  });

  test('channels that cancel in the mix, after lossy coding', async () => {
    const { statistics } = await decode(join(reports!, 'channels-cancel-coded/ap.m4a'));
    expect(statistics.mixLossDb).toBeGreaterThan(12);
  });
});
