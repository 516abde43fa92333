/**
 * What the examination of a recording needs of its sound: peaks, spectrogram and samples, computed once in a single pass and kept in
 * a folder that is whole or absent: of the mix of all channels, or of one of them. A WAV file's samples are read where they are; of
 * anything else a working copy is made (16 bits), which says from what and how.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import type { Band, FrequencyAxis } from '../../src-common/frequency-axis.ts';
import { soundSchema } from '../../src-common/schemas/sound.ts';
import type { AverageSpectrum, Levels, Measures, Pitch, PitchRange, Sound } from '../../src-common/schemas/sound.ts';
import { defaultAnalysis } from '../../src-common/analysis-windows.ts';
import type { SpectrumAnalysis } from '../../src-common/schemas/spectrogram.ts';
import { pcm16, waveHeader } from '../audio/wav-writer.ts';
import { openAudio } from '../audio/decode.ts';
import { sha256File } from '../audio/hash.ts';
import { Resampler } from '../audio/resample.ts';
import { UserFacingError } from '../base/errors.ts';
import { ensureFolder, unwritable, writeFileWhole } from '../base/files.ts';
import { averageSpectrum } from './average-spectrum.ts';
import { BandPass } from './band-pass.ts';
import { LevelMeter } from './measures.ts';
import { Places, nothingFor } from './placed.ts';
import { noteUse, summaryFile } from './sound-cache.ts';
import { pitchOf, pitchStatistics } from './pitch.ts';
import { PeakPyramid, peakLevels, peaksOf, storedSamplesPerPeak } from './peaks.ts';
import {
  ColumnPyramid,
  TileMaker,
  ceilingDb,
  columnsPerTile,
  firstStoredLevel,
  floorDb,
  powersOfStored,
  samplesOfTile,
  tileBytes,
  tileGeometry,
  tileLevels,
  tileRowMap,
  tileRows,
} from './tiles.ts';
import type { TileGeometry } from './tiles.ts';
import { WaveRange } from './wave-range.ts';

const version = 3;
/** Sound is kept up to this rate; what was recorded at a higher one is resampled. */
const highestRateHz = 192_000;
/** A damaged or hostile file may claim years. */
const longestSeconds = 48 * 3600;
/** Peaks asked for at a time. */
export const mostPeaks = 16_384;

const preparedSchema = z.object({
  version: z.literal(version),
  /** As it was when this was made. */
  source: z.object({ sha256: z.string(), sizeBytes: z.number(), modifiedMs: z.number() }),
  /** How: in words, and by what. */
  made: z.object({ sentence: z.string(), application: z.string(), decoder: z.string() }),
  /** Of the recording. */
  channels: z.int(),
  /** Of what is kept. */
  sampleRateHz: z.number(),
  /** From the recording's beginning to its end, gaps too. */
  samples: z.int(),
  /** Stretches of it that hold sound, each with its place in the recording's time and among the samples that are kept. */
  pieces: z.array(z.object({ at: z.int(), from: z.int(), length: z.int() })),
  timeline: soundSchema.shape.timeline,
  /** There is a working copy; else the samples are the recording's own. */
  copied: z.boolean(),
});
type Prepared = z.infer<typeof preparedSchema>;

export interface PrepareRequest {
  path: string;
  sha256: string;
  /** Holds the folders of prepared sound, one for each file, by its hash. */
  folder: string;
  application: string;
  /** As in `OpenOptions`; what is prepared so is kept beside the other. */
  readAll?: boolean;
  /** By its number; by default the mix of all. Each is prepared on its own. */
  channel?: number;
}

/** Whose sound is prepared or asked for. */
export type SoundSource = Pick<PrepareRequest, 'path' | 'sha256' | 'folder' | 'readAll' | 'channel'>;

function summaryOf({ channels, sampleRateHz, samples, timeline }: Prepared): Sound {
  return {
    durationSeconds: samples / sampleRateHz,
    timeline,
    sampleRateHz,
    channels,
    peaks: peakLevels(samples),
    spectrogram: {
      columnsPerTile,
      bins: tileRows,
      maxHz: sampleRateHz / 2,
      floorDb,
      ceilingDb,
      levels: tileLevels(tileGeometry(sampleRateHz), samples),
    },
  };
}

/** How sound is played: a band of it alone, louder or softer. */
export interface Listening {
  band?: Band | null;
  gainDb?: number;
}

/** Samples. */
const measuredAtATime = 1 << 19;
/** Pitch is looked for at this rate: its harmonics above half of it add nothing. */
const pitchRateHz = 16_000;

/** Where the prepared sound of a file lies, or will. */
export function preparedFolder({ folder, sha256, readAll, channel }: Omit<SoundSource, 'path'>): string {
  return join(folder, `${sha256}${readAll ? '-all' : ''}${channel === undefined ? '' : `-channel-${channel}`}`);
}

async function readPrepared(folder: string): Promise<Prepared | null> {
  const text = await readFile(join(folder, summaryFile), 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    return preparedSchema.parse(JSON.parse(text));
  } catch {
    // Of another version, or damaged: it is made anew.
    return null;
  }
}

/**
 * Prepares a recording's sound unless it is there already.
 * @param onProgress gets the seconds that are done, and how long it is where the header says so
 * @throws UserFacingError as `openAudio`, `unwritable`, `changed` where the file is not the one of that hash, and `too-long` above
 * two days.
 */
export async function prepareSound(
  request: PrepareRequest,
  options: { signal?: AbortSignal; onProgress?: (done: number, total: number | null) => void } = {},
): Promise<Sound> {
  const whole = preparedFolder(request);
  const known = await readPrepared(whole);
  if (known && (await isSource(known, request.path))) {
    await noteUse(whole);
    return summaryOf(known);
  }
  const beside = `${whole}.${randomBytes(4).toString('hex')}.partial`;
  try {
    await ensureFolder(beside);
    const made = await makeSound(request, beside, options);
    await writeFileWhole(join(beside, summaryFile), `${JSON.stringify(made, null, 1)}\n`);
    await rm(whole, { recursive: true, force: true });
    await rename(beside, whole);
    await removeRemains(whole);
    return summaryOf(made);
  } catch (error) {
    await rm(beside, { recursive: true, force: true }).catch(() => undefined);
    throw unwritable(whole, error);
  }
}

/** Whether what was made of a file can be used: samples that are read from it must still be the same ones. */
async function isSource({ copied, source }: Prepared, path: string): Promise<boolean> {
  if (copied) return true;
  const now = await stat(path).catch(() => null);
  return now !== null && now.size === source.sizeBytes && now.mtimeMs === source.modifiedMs;
}

/** What was begun and never finished. */
async function removeRemains(whole: string): Promise<void> {
  const folder = dirname(whole);
  for (const name of await readdir(folder)) {
    if (name.startsWith(`${basename(whole)}.`) && name.endsWith('.partial')) {
      await rm(join(folder, name), { recursive: true, force: true }).catch(() => undefined);
    }
  }
}

async function makeSound(
  { path, sha256, application, readAll = false, channel }: PrepareRequest,
  folder: string,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (done: number, total: number | null) => void },
): Promise<Prepared> {
  const before = await stat(path).catch(() => null);
  // Opened at a rate that is known only then: first what it is, at no cost for WAV and FLAC.
  const opening = { readAll, ...(channel === undefined ? {} : { channel }), ...(signal ? { signal } : {}) };
  const probe = await openAudio(path, opening);
  await probe.close();
  const { info } = probe;
  const sampleRateHz = Math.min(info.sampleRateHz, highestRateHz);
  // A reader of parts of a file knows the sound that its header declares.
  const copied = readAll || info.decoder !== 'wav' || info.sampleRateHz > highestRateHz;
  const audio = await openAudio(path, { sampleRateHz, timeLimitSeconds: 3600, ...opening });
  const geometry = tileGeometry(sampleRateHz);
  const writers = new Writers(folder);
  const peaks = new PeakPyramid((level, values) => writers.append(`peaks-${level}.f32`, bytesOf(values)));
  const columns = new ColumnPyramid(geometry, (level, values) => writers.append(`columns-${level}.u8`, values));
  const decoder = `${info.decoder} ${info.decoderVersion}`;
  const rate = sampleRateHz === info.sampleRateHz ? '' : `, resampled from ${info.sampleRateHz} to ${sampleRateHz} Hz`;
  const sentence = `Working copy, derived from the file with SHA-256 ${sha256}: ${channel === undefined ? 'the mix of all channels' : `channel ${channel} of ${info.channels}`}${rate}${readAll ? ', with all sound in the file' : ''}, rounded to 16 bits; decoded by ${decoder}, made by ${application}.`;
  let samples = 0;
  const place = async (block: Float32Array): Promise<void> => {
    signal?.throwIfAborted();
    samples += block.length;
    if (samples > longestSeconds * sampleRateHz) {
      throw new UserFacingError('too-long', `${path} is longer than two days.`, {
        path,
        advice: 'It can be scanned as a whole; cut it into parts to examine them.',
      });
    }
    await peaks.push(block);
    await columns.push(block);
    onProgress?.(samples / sampleRateHz, info.durationSeconds);
  };
  const places = new Places(sampleRateHz);
  try {
    if (copied) await writers.append('audio.wav', waveHeader(sampleRateHz, null, sentence));
    for await (const block of audio.blocks()) {
      for (const { nothing, sound } of places.take(block, audio.statistics)) {
        for (const part of nothingFor(nothing)) await place(part);
        if (sound.length > 0) await place(sound);
      }
      if (copied) await writers.append('audio.wav', pcm16(block));
    }
    if (samples === 0) {
      throw new UserFacingError('empty', `${path} holds no sound.`, {
        path,
        advice: 'Check that the recording was copied completely.',
      });
    }
    if ((await sha256File(path, signal)) !== sha256) throw anotherFile(path);
    const levels = peakLevels(samples);
    await peaks.finish(levels.filter(({ samplesPerPeak }) => samplesPerPeak >= storedSamplesPerPeak).length);
    await columns.finish(tileLevels(geometry, samples).length - firstStoredLevel);
    if (copied) await writers.overwrite('audio.wav', waveHeader(sampleRateHz, places.taken, sentence));
    await writers.close();
  } finally {
    await writers.abandon();
  }
  const source = { sha256, sizeBytes: before?.size ?? 0, modifiedMs: before?.mtimeMs ?? 0 };
  const made = { sentence: copied ? sentence : 'The samples are read from the file itself.', application, decoder };
  const { startSeconds, gaps, uncertainFromSeconds } = audio.statistics;
  const timeline = { startSeconds, gaps, uncertainFromSeconds };
  const { pieces } = places;
  return { version, source, made, channels: info.channels, sampleRateHz, samples, pieces, timeline, copied };
}

/** Files that grow by appending, few system calls each. */
class Writers {
  readonly #folder: string;
  readonly #handles = new Map<string, FileHandle>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async append(name: string, bytes: Uint8Array): Promise<void> {
    await writeAll(await this.#handle(name), bytes, null);
  }

  /** Replaces its beginning. */
  async overwrite(name: string, bytes: Uint8Array): Promise<void> {
    await writeAll(await this.#handle(name), bytes, 0);
  }

  async close(): Promise<void> {
    for (const handle of this.#handles.values()) await handle.datasync();
    await this.abandon();
  }

  async abandon(): Promise<void> {
    const handles = [...this.#handles.values()];
    this.#handles.clear();
    await Promise.all(handles.map((handle) => handle.close()));
  }

  async #handle(name: string): Promise<FileHandle> {
    let handle = this.#handles.get(name);
    if (!handle) this.#handles.set(name, (handle = await open(join(this.#folder, name), 'wx', 0o600)));
    return handle;
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number | null): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const place = position === null ? null : position + at;
    at += (await handle.write(bytes, at, bytes.length - at, place)).bytesWritten;
  }
}

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

const makers = new Map<string, TileMaker>();
const keptMakers = 8;

const analysisKey = ({ window, windowMs, overlap }: SpectrumAnalysis): string => `${window}-${windowMs}-${overlap}`;

function tileMaker(geometry: TileGeometry, analysis: SpectrumAnalysis): TileMaker {
  const key = `${geometry.sampleRateHz} ${analysisKey(analysis)}`;
  let maker = makers.get(key);
  if (!maker) {
    if (makers.size >= keptMakers) makers.clear();
    makers.set(key, (maker = new TileMaker(geometry)));
  }
  return maker;
}

/** Coarse columns of other analyses than the default one lie in folders of this name, so many of them. */
const columnsPrefix = 'columns-of-';
const keptColumns = 3;

/**
 * Opens prepared sound and asks it for something.
 * @throws UserFacingError as `PreparedSound.open`, so too where the sound had to make room for other recordings' meanwhile
 */
export async function usePrepared<T>(source: SoundSource, use: (sound: PreparedSound) => Promise<T>): Promise<T> {
  const sound = await PreparedSound.open(source);
  try {
    return await use(sound);
  } catch (error) {
    await PreparedSound.open(source);
    throw error;
  }
}

/** Prepared sound, to be asked for parts of it. */
export class PreparedSound {
  readonly summary: Sound;
  readonly #folder: string;
  readonly #samplesPath: string;
  readonly #prepared: Prepared;
  /** Of what the samples are read from. */
  readonly #channel: number | undefined;

  private constructor(folder: string, { path, channel }: SoundSource, prepared: Prepared) {
    this.#folder = folder;
    this.#samplesPath = prepared.copied ? join(folder, 'audio.wav') : path;
    this.#prepared = prepared;
    this.#channel = prepared.copied ? undefined : channel;
    this.summary = summaryOf(prepared);
  }

  /** @throws UserFacingError `not-prepared`; `changed` where the samples are the file's own and it is another one now. */
  static async open(request: SoundSource): Promise<PreparedSound> {
    const folder = preparedFolder(request);
    const prepared = await readPrepared(folder);
    const { path } = request;
    if (!prepared) {
      throw new UserFacingError('not-prepared', `The sound of ${path} is not prepared yet.`, {
        path,
        advice: 'Open the recording again.',
      });
    }
    if (!(await isSource(prepared, path))) {
      throw anotherFile(path);
    }
    return new PreparedSound(folder, request, prepared);
  }

  /** Sample frames. */
  get samples(): number {
    return this.#prepared.samples;
  }

  /** @throws UserFacingError `not-found` where there is no such level. */
  async peaks(level: number, from: number, count: number): Promise<Float32Array> {
    const wanted = this.summary.peaks.at(level);
    if (!wanted) throw noSuch(`level ${level} of the peaks`);
    const end = Math.min(from + Math.min(count, mostPeaks), wanted.count);
    if (end <= from) return new Float32Array(0);
    const { samplesPerPeak } = wanted;
    if (samplesPerPeak >= storedSamplesPerPeak) {
      const name = `peaks-${Math.log2(samplesPerPeak / storedSamplesPerPeak)}.f32`;
      const bytes = await readPart(join(this.#folder, name), 8 * from, 8 * (end - from));
      return new Float32Array(bytes.buffer, 0, bytes.length >> 2);
    }
    const first = from * samplesPerPeak;
    const samples = await this.#read(first, Math.min(end * samplesPerPeak, this.samples) - first);
    return peaksOf(samples, samplesPerPeak);
  }

  /**
   * Bytes `[tileRows][columnsPerTile]`; null where it is of columns that `makeColumns` has to make first.
   * @throws UserFacingError `not-found` where there is no such tile.
   */
  async tile(
    level: number,
    tile: number,
    axis: FrequencyAxis,
    analysis: SpectrumAnalysis = defaultAnalysis,
  ): Promise<Uint8Array | null> {
    const wanted = this.summary.spectrogram.levels.at(level);
    if (!wanted || tile >= wanted.tiles) throw noSuch(`tile ${tile} of level ${level} of the spectrogram`);
    const geometry = tileGeometry(this.#prepared.sampleRateHz, analysis);
    let powers: Float32Array;
    if (level >= firstStoredLevel) {
      const folder = this.#columnsFolder(analysis);
      if (!existsSync(folder)) return null;
      const size = columnsPerTile * geometry.bins;
      const name = `columns-${level - firstStoredLevel}.u8`;
      powers = powersOfStored(await readPart(join(folder, name), tile * size, size), geometry.bins);
    } else {
      const { from, count } = samplesOfTile(geometry, level, tile);
      powers = tileMaker(geometry, analysis).powers(level, await this.#read(from, count));
    }
    return tileBytes(powers, rowMap(geometry, axis, analysis));
  }

  /**
   * Makes the coarse columns of an analysis in one pass, unless they are there.
   * @throws UserFacingError `unwritable`, `disk-full`; the signal's reason when aborted
   */
  async makeColumns(analysis: SpectrumAnalysis, signal?: AbortSignal): Promise<void> {
    const whole = this.#columnsFolder(analysis);
    if (existsSync(whole)) return;
    const beside = `${whole}.${randomBytes(4).toString('hex')}.partial`;
    const writers = new Writers(beside);
    try {
      await ensureFolder(beside);
      const geometry = tileGeometry(this.#prepared.sampleRateHz, analysis);
      const columns = new ColumnPyramid(geometry, (level, values) => writers.append(`columns-${level}.u8`, values));
      for await (const block of this.blocks(0, Infinity, this.#prepared.sampleRateHz)) {
        signal?.throwIfAborted();
        await columns.push(block);
      }
      await columns.finish(this.summary.spectrogram.levels.length - firstStoredLevel);
      await writers.close();
      await this.#removeOldColumns(basename(beside));
      await rename(beside, whole);
    } catch (error) {
      await writers.abandon();
      await rm(beside, { recursive: true, force: true }).catch(() => undefined);
      // Made by another worker meanwhile.
      if (!existsSync(whole)) throw unwritable(whole, error);
    }
  }

  #columnsFolder(analysis: SpectrumAnalysis): string {
    const key = analysisKey(analysis);
    return key === analysisKey(defaultAnalysis) ? this.#folder : join(this.#folder, `${columnsPrefix}${key}`);
  }

  /** Makes room for one more. */
  async #removeOldColumns(besides: string): Promise<void> {
    const names = (await readdir(this.#folder)).filter((name) => name.startsWith(columnsPrefix) && name !== besides);
    const aged = await Promise.all(
      names.map(async (name) => ({ name, time: (await stat(join(this.#folder, name))).mtimeMs })),
    );
    aged.sort((one, other) => other.time - one.time);
    const whole = aged.filter(({ name }) => !name.endsWith('.partial'));
    for (const { name } of whole.slice(keptColumns - 1)) {
      await rm(join(this.#folder, name), { recursive: true, force: true }).catch(() => undefined);
    }
  }

  /** Samples as they are played, 16 bits; what is too loud for them is clipped. */
  async pcm(from: number, count: number, { band, gainDb = 0 }: Listening = {}): Promise<Uint8Array> {
    const wanted = Math.max(0, Math.min(count, this.samples - from));
    const samples = await (band ? this.#readBand(from, wanted, band) : this.#read(from, wanted));
    const factor = 10 ** (gainDb / 20);
    return pcm16(gainDb === 0 ? samples : samples.map((sample) => factor * sample));
  }

  /**
   * Levels of a stretch, and of a band of it: its own samples, filtered with what lies around them.
   * @throws the signal's reason when aborted
   */
  async measure(startSeconds: number, endSeconds: number, band: Band | null, signal?: AbortSignal): Promise<Measures> {
    const rate = this.#prepared.sampleRateHz;
    const [first, end] = this.#samplesOf(startSeconds, endSeconds);
    const [whole, within] = [new LevelMeter(), new LevelMeter()];
    for (let at = first; at < end; at += measuredAtATime) {
      signal?.throwIfAborted();
      const count = Math.min(measuredAtATime, end - at);
      whole.push(await this.#read(at, count));
      if (band !== null) within.push(await this.#readBand(at, count, band));
    }
    const levelsOf = (meter: LevelMeter): Levels => meter.levels(first / rate, rate);
    return { ...levelsOf(whole), band: band === null ? null : levelsOf(within) };
  }

  /** Of a stretch. */
  averageSpectrum(startSeconds: number, endSeconds: number, analysis: SpectrumAnalysis): Promise<AverageSpectrum> {
    const { sampleRateHz } = this.#prepared;
    return averageSpectrum(this.blocks(startSeconds, endSeconds, sampleRateHz), sampleRateHz, analysis);
  }

  /** Fundamental frequency over a stretch, with times in the recording. */
  async pitch(startSeconds: number, endSeconds: number, range: PitchRange): Promise<Pitch> {
    const rate = Math.min(pitchRateHz, this.#prepared.sampleRateHz);
    const parts: Float32Array[] = [];
    for await (const block of this.blocks(startSeconds, endSeconds, rate)) parts.push(block);
    const samples = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      samples.set(part, at);
      at += part.length;
    }
    const track = pitchOf(samples, rate, range);
    const first = this.#samplesOf(startSeconds, endSeconds)[0] / this.#prepared.sampleRateHz;
    return { ...track, timesSeconds: track.timesSeconds.map((time) => first + time), ...pitchStatistics(track) };
  }

  #samplesOf(startSeconds: number, endSeconds: number): [number, number] {
    const rate = this.#prepared.sampleRateHz;
    const place = (seconds: number): number => Math.min(this.samples, Math.max(0, Math.round(seconds * rate)));
    return [place(startSeconds), place(endSeconds)];
  }

  /** A stretch in blocks, resampled where another rate is asked for. */
  async *blocks(startSeconds: number, endSeconds: number, sampleRateHz: number): AsyncGenerator<Float32Array> {
    const rate = this.#prepared.sampleRateHz;
    const resampler = rate === sampleRateHz ? null : new Resampler(rate, sampleRateHz);
    const end = Math.min(this.samples, Math.round(endSeconds * rate));
    const blockLength = 10 * rate;
    const wave = await this.#wave();
    try {
      for (let at = Math.max(0, Math.round(startSeconds * rate)); at < end; at += blockLength) {
        const block = await this.#readPlaced(wave, at, Math.min(blockLength, end - at));
        yield resampler ? resampler.process(block) : block;
      }
    } finally {
      await wave.close();
    }
    if (resampler) yield resampler.flush();
  }

  async #readBand(from: number, count: number, band: Band): Promise<Float32Array> {
    const filter = bandPass(band, this.#prepared.sampleRateHz);
    return filter.apply(await this.#read(from - filter.reach, count + 2 * filter.reach));
  }

  #wave(): Promise<WaveRange> {
    return WaveRange.open(this.#samplesPath);
  }

  async #read(from: number, count: number): Promise<Float32Array> {
    const wave = await this.#wave();
    try {
      return await this.#readPlaced(wave, from, count);
    } finally {
      await wave.close();
    }
  }

  /** By their places in the recording's time; zeros where nothing is. */
  async #readPlaced(wave: WaveRange, from: number, count: number): Promise<Float32Array> {
    const { pieces } = this.#prepared;
    if (pieces.length === 1 && pieces[0].at === 0) return wave.read(from, count, this.#channel);
    const out = new Float32Array(count);
    for (const piece of pieces) {
      const begin = Math.max(from, piece.at);
      const end = Math.min(from + count, piece.at + piece.length);
      if (begin < end)
        out.set(await wave.read(piece.from + begin - piece.at, end - begin, this.#channel), begin - from);
    }
    return out;
  }
}

function anotherFile(path: string): UserFacingError {
  return new UserFacingError('changed', `${path} is not the file that was taken in any more.`, {
    path,
    advice: 'Check the item: its hash tells whether its content or only its time changed. Then open it again.',
  });
}

function noSuch(what: string): UserFacingError {
  return new UserFacingError('not-found', `There is no ${what}.`);
}

const bandPasses = new Map<string, BandPass>();
const keptBandPasses = 8;

function bandPass(band: Band, sampleRateHz: number): BandPass {
  const key = `${sampleRateHz} ${band.lowHz} ${band.highHz}`;
  let filter = bandPasses.get(key);
  if (!filter) {
    if (bandPasses.size >= keptBandPasses) bandPasses.clear();
    bandPasses.set(key, (filter = new BandPass(band, sampleRateHz)));
  }
  return filter;
}

const rowMaps = new Map<string, ReturnType<typeof tileRowMap>>();
const keptRowMaps = 16;

function rowMap(
  geometry: TileGeometry,
  axis: FrequencyAxis,
  analysis: SpectrumAnalysis,
): ReturnType<typeof tileRowMap> {
  const key = `${geometry.sampleRateHz} ${axis.scale} ${axis.topHz} ${analysisKey(analysis)}`;
  let rows = rowMaps.get(key);
  if (!rows) {
    if (rowMaps.size >= keptRowMaps) rowMaps.clear();
    rowMaps.set(key, (rows = tileRowMap(geometry, axis)));
  }
  return rows;
}

/** Part of a file, less where it ends before. */
async function readPart(path: string, position: number, length: number): Promise<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  } finally {
    await handle.close();
  }
}
