import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { pcm16, waveHeader } from '../audio/wav-writer.ts';
import { decode } from '../audio/decode.ts';
import { findFfmpeg } from '../audio/ffmpeg.ts';
import {
  chunk,
  formatChunk,
  interleaved,
  riff,
  runFfmpeg,
  sharedFolder,
  temporaryFolder,
  tone,
  wav16,
} from '../audio/testing.ts';
import { Random } from '../base/random.ts';
import { UserFacingError } from '../base/errors.ts';
import { peaksOf } from './peaks.ts';
import { PreparedSound, prepareSound, preparedFolder, usePrepared } from './sound.ts';
import { SoundPool } from './sound-pool.ts';
import { ceilingDb, floorDb } from './tiles.ts';
import { WaveRange } from './wave-range.ts';

const folder = temporaryFolder();
const ffmpeg = await findFfmpeg().catch(() => null);
const pool = new SoundPool();
afterAll(() => pool.close());

function noise(length: number): Float32Array {
  const random = new Random(3);
  return Float32Array.from({ length }, () => Math.round(32_768 * (random.uniform() - 0.5)) / 32_768);
}

let made = 0;
/** To be prepared in a folder of its own. */
function request(path: string): { path: string; sha256: string; folder: string; application: string } {
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  return { path, sha256, folder: join(folder, `derived-${made++}`), application: 'earwitness test' };
}

async function code(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return error instanceof UserFacingError ? error.code : String(error);
}

describe('a range of a WAV file', () => {
  it('equals that part of the whole, mixed, with zeros outside', async () => {
    const samples = noise(2 * 150_000);
    const path = join(folder, 'stereo.wav');
    const data = new Uint8Array(pcm16(samples));
    // An odd chunk before, one behind.
    writeFileSync(
      path,
      riff(
        chunk('junk', new Uint8Array(3)),
        formatChunk(1, 2, 44_100, 16),
        chunk('data', data),
        chunk('LIST', new Uint8Array(9)),
      ),
    );
    const { samples: whole } = await decode(path, { sampleRateHz: 44_100 });
    const wave = await WaveRange.open(path);
    expect(wave.samples).toBe(150_000);
    for (const [from, count] of [
      [0, 10],
      [149_990, 30],
      [70_000, 70_001],
      [-5, 20],
      [-50, 10],
      [200_000, 4],
    ]) {
      const expected = Float32Array.from({ length: count }, (_, i) => whole[from + i] ?? 0);
      expect(await wave.read(from, count)).toEqual(expected);
    }
    await wave.close();
  });

  it('puts zeros for what is no number', async () => {
    const path = join(folder, 'nan.wav');
    const floats = Float32Array.of(0.5, NaN, Infinity, -0.25);
    writeFileSync(path, riff(formatChunk(3, 1, 8000, 32), chunk('data', new Uint8Array(floats.buffer))));
    const wave = await WaveRange.open(path);
    expect([...(await wave.read(0, 4))]).toEqual([0.5, 0, 0, -0.25]);
    await wave.close();
  });

  it('refuses what is no plain WAV file', async () => {
    const path = join(folder, 'text.txt');
    writeFileSync(path, 'RIFFxxxxWAVEno sound here, only text that goes on for a while');
    expect(await code(WaveRange.open(path))).toBe('undecodable');
  });
});

describe('prepared sound', () => {
  it('of a WAV file needs no copy: peaks at every level, samples and tiles come from it', async () => {
    const samples = noise(16_000 * 40);
    const path = join(folder, 'plain.wav');
    writeFileSync(path, wav16(samples, 16_000));
    const before = readFileSync(path);
    const asked = request(path);
    const progress: number[] = [];
    const summary = await prepareSound(asked, { onProgress: (done) => progress.push(done) });
    expect(progress.at(-1)).toBe(40);
    expect(summary).toMatchObject({ durationSeconds: 40, sampleRateHz: 16_000, channels: 1 });
    expect(readdirSync(preparedFolder(asked)).includes('audio.wav')).toBe(false);
    const sound = await PreparedSound.open(asked);
    for (const [level, { samplesPerPeak, count }] of summary.peaks.entries()) {
      const from = Math.floor(count / 3);
      const expected = peaksOf(samples.subarray(from * samplesPerPeak), samplesPerPeak).subarray(0, 2 * 50);
      expect(await sound.peaks(level, from, 50)).toEqual(expected);
    }
    expect(await sound.peaks(0, 16_000 * 40 - 2, 10)).toHaveLength(4);
    expect(Buffer.from(await sound.pcm(1000, 5000)).equals(before.subarray(44 + 2000, 44 + 12_000))).toBe(true);
    for (const [level, { tiles }] of summary.spectrogram.levels.entries()) {
      const tile = await sound.tile(level, tiles - 1, { scale: 'mel', topHz: 8000 });
      expect(tile).toHaveLength(summary.spectrogram.bins * summary.spectrogram.columnsPerTile);
      expect(tile?.some((byte) => byte > 100)).toBe(true);
    }
    expect(await code(sound.tile(0, 1e6, { scale: 'mel', topHz: 8000 }))).toBe('not-found');
    expect(await code(sound.peaks(99, 0, 1))).toBe('not-found');
    // It is not made twice, and the recording is as it was.
    const madeAt = (): number => statSync(join(preparedFolder(asked), 'peaks-0.f32')).mtimeMs;
    const at = madeAt();
    expect(await prepareSound(asked)).toEqual(summary);
    expect(madeAt()).toBe(at);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('says so where the file is another one now, and is made anew where only its time is', async () => {
    const path = join(folder, 'changing.wav');
    const content = wav16(tone(500, 8000, 2), 8000);
    writeFileSync(path, content);
    const asked = request(path);
    await prepareSound(asked);
    utimesSync(path, new Date(), new Date(0));
    expect(await code(PreparedSound.open(asked))).toBe('changed');
    expect((await prepareSound(asked)).durationSeconds).toBe(2);
    await PreparedSound.open(asked);
    writeFileSync(path, wav16(tone(500, 8000, 3), 8000));
    expect(await code(PreparedSound.open(asked))).toBe('changed');
    expect(await code(prepareSound(asked))).toBe('changed');
    expect(readdirSync(asked.folder).filter((name) => name.includes('partial'))).toEqual([]);
  });

  it('is absent after a failure or an interruption', async () => {
    const path = join(folder, 'none.wav');
    writeFileSync(path, wav16(new Float32Array(0), 8000));
    const asked = request(path);
    expect(await code(prepareSound(asked))).toBe('empty');
    const long = join(folder, 'long.wav');
    writeFileSync(long, wav16(new Float32Array(8000 * 100), 8000));
    const controller = new AbortController();
    const interrupted = request(long);
    await expect(
      prepareSound(interrupted, { signal: controller.signal, onProgress: () => controller.abort() }),
    ).rejects.toThrow('abort');
    for (const one of [asked, interrupted]) {
      expect(existsSync(preparedFolder(one))).toBe(false);
      expect(await code(PreparedSound.open(one))).toBe('not-prepared');
    }
    expect(readdirSync(asked.folder)).toEqual([]);
    expect(readdirSync(interrupted.folder)).toEqual([]);
  });

  it('that made room while it was read is not prepared, and what fails otherwise stays what it is', async () => {
    const path = join(folder, 'gone.wav');
    writeFileSync(path, wav16(tone(500, 8000, 2), 8000));
    const asked = request(path);
    await prepareSound(asked);
    expect(await code(usePrepared(asked, (sound) => sound.peaks(99, 0, 1)))).toBe('not-found');
    const gone = usePrepared(asked, (sound) => {
      renameSync(preparedFolder(asked), `${preparedFolder(asked)}.00112233.partial`);
      return sound.peaks(sound.summary.peaks.length - 1, 0, 1);
    });
    expect(await code(gone)).toBe('not-prepared');
  });

  it('that is damaged is made anew, and what an earlier try left is removed', async () => {
    const path = join(folder, 'again.wav');
    writeFileSync(path, wav16(tone(500, 8000, 2), 8000));
    const asked = request(path);
    await prepareSound(asked);
    writeFileSync(join(preparedFolder(asked), 'sound.json'), '{"version":');
    mkdirSync(`${preparedFolder(asked)}.00112233.partial`);
    expect(await code(PreparedSound.open(asked))).toBe('not-prepared');
    expect((await prepareSound(asked)).durationSeconds).toBe(2);
    expect(existsSync(`${preparedFolder(asked)}.00112233.partial`)).toBe(false);
  });

  it.skipIf(!ffmpeg)('of anything else is a working copy that says from what and how', async () => {
    const wav = join(folder, 'source.wav');
    writeFileSync(wav, wav16(tone(1000, 44_100, 20), 44_100));
    const path = join(folder, 'source.m4a');
    runFfmpeg(ffmpeg!.path, '-i', wav, '-ac', '2', path);
    const asked = request(path);
    const summary = await prepareSound(asked);
    expect(summary).toMatchObject({ sampleRateHz: 44_100, channels: 2 });
    const copy = readFileSync(join(preparedFolder(asked), 'audio.wav'));
    expect(copy.subarray(0, 600).toString('latin1')).toContain(`SHA-256 ${asked.sha256}: the mix of all channels`);
    const { samples } = await decode(path, { sampleRateHz: 44_100 });
    const { samples: kept } = await decode(join(preparedFolder(asked), 'audio.wav'), { sampleRateHz: 44_100 });
    expect(kept.length).toBe(samples.length);
    expect(Math.abs(summary.durationSeconds - samples.length / 44_100)).toBeLessThan(1e-9);
    for (let i = 0; i < samples.length; i += 997)
      expect(Math.abs(kept[i] - samples[i])).toBeLessThanOrEqual(1 / 65_536);
  });

  it('with all sound in the file is kept beside the other, and holds what the header does not count in', async () => {
    const samples = noise(3 * 16_000);
    const path = join(folder, 'tail.wav');
    writeFileSync(path, Buffer.concat([wav16(samples.subarray(0, 16_000), 16_000), pcm16(samples.subarray(16_000))]));
    const declared = request(path);
    const all = { ...declared, readAll: true };
    expect((await prepareSound(declared)).durationSeconds).toBe(1);
    expect((await prepareSound(all)).durationSeconds).toBe(3);
    const one = await PreparedSound.open(declared);
    const other = await PreparedSound.open(all);
    expect([one.samples, other.samples]).toEqual([16_000, 48_000]);
    expect(Buffer.from(await other.pcm(20_000, 100))).toEqual(Buffer.from(pcm16(samples.subarray(20_000, 20_100))));
    expect((await other.pcm(0, 16_000)).length).toBe((await one.pcm(0, 99_999)).length);
    const copy = readFileSync(join(preparedFolder(all), 'audio.wav')).toString('latin1');
    expect(copy).toContain('with all sound in the file');
  });

  it('of a channel is its own, of a WAV file and of a copy that says which one', async () => {
    const sides = [tone(500, 16_000, 3), tone(2000, 16_000, 3, 0.25)];
    const wav = join(folder, 'two.wav');
    writeFileSync(wav, riff(formatChunk(1, 2, 16_000, 16), chunk('data', pcm16(interleaved(sides)))));
    const paths = [wav];
    if (ffmpeg) {
      paths.push(join(folder, 'two.flac'));
      runFfmpeg(ffmpeg.path, '-i', wav, paths[1]);
    }
    for (const path of paths) {
      const asked = request(path);
      for (const [index, side] of sides.entries()) {
        const ofOne = { ...asked, channel: index + 1 };
        expect(await prepareSound(ofOne)).toMatchObject({ channels: 2, durationSeconds: 3 });
        const sound = await PreparedSound.open(ofOne);
        expect(Buffer.from(await sound.pcm(4000, 1000))).toEqual(Buffer.from(pcm16(side.subarray(4000, 5000))));
        const expected = peaksOf(side, 1024);
        const level = sound.summary.peaks.findIndex(({ samplesPerPeak }) => samplesPerPeak === 1024);
        const peaks = await sound.peaks(level, 0, 3);
        peaks.forEach((peak, i) => expect(peak).toBeCloseTo(expected[i], 4));
        if (path === wav) continue;
        const copy = readFileSync(join(preparedFolder(ofOne), 'audio.wav'))
          .subarray(0, 600)
          .toString('latin1');
        expect(copy).toContain(`channel ${index + 1} of 2`);
      }
      await prepareSound(asked);
      const mix = await PreparedSound.open(asked);
      const mean = sides[0].map((x, i) => (x + sides[1][i]) / 2);
      const played = new Int16Array((await mix.pcm(4000, 1000)).slice().buffer);
      played.forEach((value, i) => expect(Math.abs(value - 32_768 * mean[4000 + i])).toBeLessThanOrEqual(1.5));
    }
    expect(await code(prepareSound({ ...request(wav), channel: 3 }))).toBe('no-channel');
  });

  it('is measured: a stretch, and a band of it, of its own samples', async () => {
    const path = join(folder, 'levels.wav');
    // 0.4 at 500 Hz and, in the second half, 0.1 at 3 kHz.
    const high = tone(3000, 44_100, 4, 0.1).map((value, i) => (i < 2 * 44_100 ? 0 : value));
    writeFileSync(
      path,
      wav16(
        tone(500, 44_100, 4, 0.4).map((value, i) => value + high[i]),
        44_100,
      ),
    );
    const asked = request(path);
    await prepareSound(asked);
    const sound = await PreparedSound.open(asked);
    const sineDb = (amplitude: number): number => 20 * Math.log10(amplitude / Math.SQRT2);
    const first = await sound.measure(0.5, 1.5, null);
    expect(first.rmsDbfs).toBeCloseTo(sineDb(0.4), 2);
    expect(first.peakDbfs).toBeCloseTo(20 * Math.log10(0.4), 2);
    expect(first.peakSeconds).toBeGreaterThanOrEqual(0.5);
    expect(first.peakSeconds).toBeLessThan(0.503);
    expect(first.band).toBeNull();
    const low = await sound.measure(2.5, 3.5, { lowHz: 400, highHz: 600 });
    expect(low.rmsDbfs).toBeCloseTo(10 * Math.log10((0.4 ** 2 + 0.1 ** 2) / 2), 2);
    expect(low.band?.rmsDbfs).toBeCloseTo(sineDb(0.4), 2);
    const upper = await sound.measure(2.5, 3.5, { lowHz: 2900, highHz: 3100 });
    expect(upper.band?.rmsDbfs).toBeCloseTo(sineDb(0.1), 2);
    expect(upper.band?.peakDbfs).toBeCloseTo(-20, 1);
    const before = await sound.measure(0.5, 1.5, { lowHz: 2900, highHz: 3100 });
    expect(before.band?.rmsDbfs).toBeLessThan(-90);
    // All of the band is all of the sound.
    const all = await sound.measure(0.2, 3.9, { lowHz: 0, highHz: 22_050 });
    expect(all.band?.rmsDbfs).toBeCloseTo(all.rmsDbfs ?? 0, 4);
  });

  it('above 192 kHz is resampled', async () => {
    const path = join(folder, 'high.wav');
    writeFileSync(path, wav16(tone(1000, 384_000, 2), 384_000));
    const asked = request(path);
    expect(await prepareSound(asked)).toMatchObject({ sampleRateHz: 192_000, durationSeconds: 2 });
    const sound = await PreparedSound.open(asked);
    const middle = new Int16Array((await sound.pcm(192_000, 19_200)).buffer);
    expect(Math.max(...middle) / 32_768).toBeCloseTo(0.5, 2);
  });

  const formats = sharedFolder('formats');
  it.skipIf(!formats || !ffmpeg)('of real recordings can be examined (skipped without ../shared/formats)', async () => {
    const names = readdirSync(formats as string).filter((name) => !/\.(csv|md|txt)$/.test(name));
    expect(names.length).toBeGreaterThan(20);
    for (const name of names.filter((_, index) => index % 4 === 0)) {
      const asked = request(join(formats as string, name));
      const summary = await prepareSound(asked);
      const sound = await PreparedSound.open(asked);
      expect((await sound.pcm(0, 1000)).length).toBe(2 * Math.min(1000, sound.samples));
      expect(
        (await sound.tile(4, 0, { scale: 'mel', topHz: summary.spectrogram.maxHz }))?.some((byte) => byte > 0),
      ).toBe(true);
    }
  });
});

describe('the pool', () => {
  it('makes tiles of other spectra at every level, coarse ones once and kept', async () => {
    const path = join(folder, 'spectra.wav');
    writeFileSync(path, wav16(tone(1000, 16_000, 40, 0.5), 16_000));
    const asked = request(path);
    const { spectrogram } = await pool.prepare(asked);
    const axis = { scale: 'log', topHz: 8000 } as const;
    const analysis = { window: 'blackman-harris', windowMs: 64, overlap: 0.75 } as const;
    let made = 0;
    const onMade = (): void => void made++;
    for (const [level, { tiles }] of spectrogram.levels.entries()) {
      const all = Array.from({ length: Math.min(tiles, 3) }, (_, tile) =>
        pool.tile(asked, level, tile, axis, { analysis, onMade }),
      );
      for (const tile of await Promise.all(all)) {
        // Half of full scale.
        expect(floorDb + (Math.max(...tile) / 255) * (ceilingDb - floorDb)).toBeCloseTo(-6, -0.5);
      }
    }
    expect(made).toBe(1);
    expect(readdirSync(preparedFolder(asked))).toContain('columns-of-blackman-harris-64-0.75');
    for (const windowMs of [4, 8, 16, 128] as const) {
      await pool.tile(asked, spectrogram.levels.length - 1, 0, axis, { analysis: { ...analysis, windowMs } });
    }
    const kept = readdirSync(preparedFolder(asked)).filter((name) => name.startsWith('columns-of-'));
    expect(kept.map((name) => name.split('-').at(-2)).sort()).toEqual(['128', '16', '8']);
  });

  it('prepares with progress, stops when told to, and draws a picture', async () => {
    const path = join(folder, 'pool.wav');
    writeFileSync(path, wav16(noise(16_000 * 60), 16_000));
    const asked = request(path);
    const summary = await pool.prepare(asked);
    expect(await pool.summary(asked)).toEqual(summary);
    expect(await pool.peaks(asked, 9, 0, 10)).toHaveLength(80);
    const picture = await pool.image(asked, {
      width: 640,
      height: 320,
      title: 'pool.wav',
      detail: 'test',
      startSeconds: 10,
      endSeconds: 20,
      scale: 'mel',
      topHz: 4000,
      colourMap: 'cividis',
      rangeDb: 70,
    });
    expect(Buffer.from(picture.subarray(0, 4)).toString('latin1')).toBe('\x89PNG');
    const other = request(path);
    await expect(pool.prepare(other, { signal: AbortSignal.abort() })).rejects.toThrow('abort');
    const late = new AbortController();
    const stopped = pool.prepare(other, { signal: late.signal });
    late.abort();
    await expect(stopped).rejects.toThrow('abort');
    expect(await code(pool.tile(other, 0, 0, { scale: 'mel', topHz: 8000 }))).toBe('not-prepared');
  });
});

describe('a WAV header', () => {
  it('keeps its length, and says "to the end" of what its numbers cannot hold', () => {
    for (const comment of ['odd', 'even']) {
      expect(waveHeader(48_000, null, comment)).toHaveLength(waveHeader(48_000, 5, comment).length);
    }
    const header = Buffer.from(waveHeader(48_000, 2 ** 40));
    expect(header.readUInt32LE(40)).toBe(0xffffffff);
    expect(Buffer.from(waveHeader(16_000, 100)).readUInt32LE(40)).toBe(200);
  });
});

describe.skipIf(!ffmpeg)('a recording with a late start and gaps', () => {
  it('shows and plays its sound at its times', async () => {
    const path = join(folder, 'gaps.mka');
    // Sound from 1 to 2 s, from 4 to 5 s and from 65 to 66 s.
    const times = 'PTS+(1+2*gt(T\\,1)+60*gt(T\\,2))/TB';
    runFfmpeg(
      ffmpeg!.path,
      ...['-f', 'lavfi', '-i', 'color=s=16x16:r=1:d=2', '-f', 'lavfi', '-i', 'sine=f=1000:d=3:r=48000'],
      ...['-map', '0', '-map', '1', '-af', `volume=6,asetpts='${times}'`, '-c:v', 'mpeg4', '-c:a', 'libopus', path],
    );
    const asked = request(path);
    const summary = await prepareSound(asked);
    expect(Math.abs(summary.durationSeconds - 66)).toBeLessThan(0.1);
    expect(Math.abs(summary.timeline.startSeconds - 1)).toBeLessThan(0.05);
    expect(summary.timeline.gaps.length).toBe(2);
    const sound = await PreparedSound.open(asked);
    const rate = summary.sampleRateHz;
    const loud = (seconds: number): boolean => {
      const inside = [1, 4, 65].some((from) => seconds > from + 0.1 && seconds < from + 0.9);
      const outside = [1, 4, 65].every((from) => seconds < from - 0.1 || seconds > from + 1.1);
      expect(inside || outside).toBe(true);
      return inside;
    };
    const stored = summary.peaks.findIndex(({ samplesPerPeak }) => samplesPerPeak === 1024);
    for (const seconds of [0.5, 1.5, 3, 4.5, 10, 40, 64.5, 65.5]) {
      const from = Math.round(seconds * rate);
      const pcm = await sound.pcm(from, 1000);
      expect([seconds, new Int16Array(pcm.buffer, pcm.byteOffset, 1000).some((x) => Math.abs(x) > 3000)]).toEqual([
        seconds,
        loud(seconds),
      ]);
      const [low, high] = await sound.peaks(stored, Math.floor(from / 1024), 1);
      expect([seconds, high - low > 0.2]).toEqual([seconds, loud(seconds)]);
      const level = summary.spectrogram.levels.length - 1;
      const { secondsPerColumn } = summary.spectrogram.levels[level];
      expect(secondsPerColumn).toBeGreaterThan(0);
    }
    // Across an edge, as one piece.
    const across = await sound.pcm(Math.round(4.9 * rate), Math.round(61 * rate));
    const values = new Int16Array(across.buffer, across.byteOffset, across.length / 2);
    const first = values.findIndex((x, i) => i > 0.3 * rate && x !== 0) / rate;
    expect(Math.abs(first - 60.1)).toBeLessThan(0.05);
  });
});
