/** The bytes behind the contract's resource addresses: peaks, spectrogram tiles, audio in ranges, pictures, finished exports. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { waveHeader } from '../audio/wav-writer.ts';
import { UserFacingError } from '../base/errors.ts';
import { frequencyScales } from '../../src-common/frequency-axis.ts';
import { defaultAnalysis } from '../../src-common/analysis-windows.ts';
import { spectrumAnalysisSchema } from '../../src-common/schemas/spectrogram.ts';
import { colourMaps } from '../../src-common/colour-maps.ts';
import { mostPeaks, preparedFolder } from '../sound/sound.ts';
import type { Sound } from '../../src-common/schemas/sound.ts';
import { imageLimits } from '../sound/spectrogram-image.ts';
import { mostChannelsShown, mostGainDb } from '../../src-preload/contract/sound.ts';
import type { HeardAs } from '../../src-preload/contract/sound.ts';
import type { EngineContext } from './context.ts';
import type { ResourceAnswer, ResourceRequest } from './resource-server.ts';
import { withSoundOf } from './sound.ts';

/** Samples converted at a time for playback. */
const pieceSamples = 1 << 17;
/** Evidence must not stay in a browser's cache. */
const shared = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

function notFound(): UserFacingError {
  return new UserFacingError('not-found', 'There is nothing at this address.');
}

/** Parses what an address says. @throws UserFacingError `not-found` */
function parsed<T>(schema: z.ZodType<T>, value: unknown): T {
  const { success, data } = schema.safeParse(value);
  if (!success) throw notFound();
  return data;
}

const whole = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);
const number = z
  .string()
  .regex(/^-?\d{1,12}(\.\d{1,12})?$/)
  .transform(Number);
const itemSchema = z.object({
  caseId: z.uuid(),
  evidenceId: whole,
  /** As prepared with all sound in the file. */
  all: z.literal('1').optional(),
  channel: whole.optional(),
});
/** Which channels are heard together. */
const heardSchema = z
  .string()
  .regex(/^\d{1,3}(,\d{1,3})*$/)
  .transform((text) => text.split(',').map(Number))
  .pipe(z.array(z.number()).max(mostChannelsShown));
/** How it is heard. */
const heardAsSchema = z
  .object({
    low: number.pipe(z.number().nonnegative()).optional(),
    high: number.pipe(z.number().positive()).optional(),
    gain: number.pipe(z.number().min(-mostGainDb).max(mostGainDb)).default(0),
  })
  .transform(({ low = 0, high = Infinity, gain }) => ({
    band: low > 0 || high < Infinity ? { lowHz: low, highHz: high } : null,
    gainDb: gain,
  }))
  .refine(({ band }) => band === null || band.lowHz < band.highHz);
const peaksSchema = z.object({ level: whole, from: whole, count: whole.pipe(z.number().max(mostPeaks)) });
const analysis = spectrumAnalysisSchema.shape;
const axisShape = {
  scale: z.enum(frequencyScales).default('mel'),
  /** Highest frequency shown; by default all. */
  top: number.pipe(z.number().positive()).optional(),
  window: analysis.window.default(defaultAnalysis.window),
  ms: z.string().transform(Number).pipe(analysis.windowMs).default(defaultAnalysis.windowMs),
  overlap: z
    .string()
    .transform((text) => (text === 'automatic' ? text : Number(text)))
    .pipe(analysis.overlap)
    .default(defaultAnalysis.overlap),
};
const tileSchema = z.object({ level: whole, tile: whole, ...axisShape });
const imageSchema = z.object({
  from: number.default(0),
  to: number.optional(),
  ...axisShape,
  map: z.enum(colourMaps).default('magma'),
  floor: number.optional(),
  ceiling: number.optional(),
  width: whole.pipe(z.number().min(imageLimits.minWidth).max(imageLimits.maxWidth)).default(1600),
  height: whole.pipe(z.number().min(imageLimits.minHeight).max(imageLimits.maxHeight)).default(700),
});

/**
 * Answers a request for a resource.
 * @throws UserFacingError `not-found` for an address of nothing, `case-not-open` and the like from the case, `not-prepared` and
 * `changed` from the sound.
 */
export async function handleResource(context: EngineContext, request: ResourceRequest): Promise<ResourceAnswer> {
  const [kind, ...rest] = request.path.split('/');
  const query = Object.fromEntries(request.query);
  if (kind === 'file' && rest.length === 1) return finished(context, rest[0]);
  if (kind === 'spectrogram' && rest.length === 2 && rest[1].endsWith('.png')) {
    const [caseId, name] = rest;
    return picture(
      context,
      { caseId, evidenceId: name.slice(0, -'.png'.length), all: query.all, channel: query.channel },
      query,
    );
  }
  if (kind !== 'sound' || rest.length < 3) throw notFound();
  const [caseId, evidenceId, part, ...places] = rest;
  const item = { caseId, evidenceId, all: query.all, channel: query.channel };
  if (part === 'audio.wav' && places.length === 0) {
    const heard = query.channels === undefined ? [undefined] : parsed(heardSchema, query.channels);
    return audio(
      context,
      heard.map((channel) => ({ ...item, channel: channel?.toString() })),
      request.range,
      parsed(heardAsSchema, query),
    );
  }
  if (part === 'peaks' && places.length === 1) {
    const { level, from, count } = parsed(peaksSchema, { ...query, level: places[0] });
    return bytes(await onSound(context, item, (source) => context.sound.peaks(source, level, from, count)));
  }
  if (part === 'spectrogram' && places.length === 2) {
    const { level, tile, scale, top, window, ms, overlap } = parsed(tileSchema, {
      ...query,
      level: places[0],
      tile: places[1],
    });
    return bytes(
      await onSound(context, item, async (source) => {
        // Half of the highest rate that is kept; a lower one's is known once it is read.
        const topHz = top ?? (await context.sound.summary(source)).spectrogram.maxHz;
        return context.sound.tile(
          source,
          level,
          tile,
          { scale, topHz },
          {
            analysis: { window, windowMs: ms, overlap },
            onMade: () => context.cases.get(item.caseId).giveRights(preparedFolder(source)),
          },
        );
      }),
    );
  }
  throw notFound();
}

type Item = Record<'caseId' | 'evidenceId' | 'all' | 'channel', unknown>;

function onSound<T>(context: EngineContext, item: Item, use: Parameters<typeof withSoundOf<T>>[2]): Promise<T> {
  const { caseId, evidenceId, all, channel } = parsed(itemSchema, item);
  return withSoundOf(context.cases.get(caseId), { evidenceId, readAll: all === '1', channel }, use);
}

function bytes(body: Uint8Array, type = 'application/octet-stream'): ResourceAnswer {
  return { status: 200, headers: { ...shared, 'content-type': type, 'content-length': String(body.length) }, body };
}

/** The part of `size` bytes that a Range header asks for, both ends included; null for all, `none` where it lies outside. */
export function byteRange(header: string | null, size: number): { first: number; last: number } | null | 'none' {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return null;
  const first = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const last = match[1] === '' || match[2] === '' ? size - 1 : Math.min(size - 1, Number(match[2]));
  return first > last || first >= size ? 'none' : { first, last };
}

/** The mix, or the mean of some channels, as a WAV file of 16 bits, converted piece by piece while it is sent. */
async function audio(
  context: EngineContext,
  items: readonly Item[],
  range: string | null,
  as: HeardAs,
): Promise<ResourceAnswer> {
  const summary = await onSound(context, items[0], (source) => context.sound.summary(source));
  const samples = Math.round(summary.durationSeconds * summary.sampleRateHz);
  const header = waveHeader(summary.sampleRateHz, samples);
  const size = header.length + 2 * samples;
  const part = byteRange(range, size);
  const headers: Record<string, string> = { ...shared, 'content-type': 'audio/wav', 'accept-ranges': 'bytes' };
  if (part === 'none') return { status: 416, headers: { ...headers, 'content-range': `bytes */${size}` }, body: null };
  const { first, last } = part ?? { first: 0, last: size - 1 };
  headers['content-length'] = String(last - first + 1);
  if (part !== null) headers['content-range'] = `bytes ${first}-${last}/${size}`;
  const read = async (from: number, count: number): Promise<Uint8Array> =>
    meanPcm(
      await Promise.all(
        items.map((item) => onSound(context, item, (source) => context.sound.pcm(source, from, count, as))),
      ),
    );
  const body = Readable.from(waveBytes(header, summary, first, last + 1, read), { objectMode: false });
  return { status: part === null ? 200 : 206, headers, body };
}

/** The mean of samples of 16 bits, of at least one channel. */
function meanPcm(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0];
  const views = parts.map(({ buffer, byteOffset, byteLength }) => new DataView(buffer, byteOffset, byteLength));
  const mean = new Uint8Array(parts[0].length);
  const out = new DataView(mean.buffer);
  for (let at = 0; at < mean.length; at += 2) {
    const sum = views.reduce((total, view) => total + view.getInt16(at, true), 0);
    out.setInt16(at, Math.round(sum / views.length), true);
  }
  return mean;
}

/** Bytes `first` up to `end` of a WAV file. */
async function* waveBytes(
  header: Uint8Array,
  { durationSeconds, sampleRateHz }: Sound,
  first: number,
  end: number,
  read: (from: number, count: number) => Promise<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (first < header.length) yield header.subarray(first, end);
  const samples = Math.round(durationSeconds * sampleRateHz);
  const endSample = Math.min(samples, Math.ceil((end - header.length) / 2));
  for (let sample = Math.max(0, (first - header.length) >> 1); sample < endSample; sample += pieceSamples) {
    const piece = await read(sample, Math.min(pieceSamples, endSample - sample));
    const at = header.length + 2 * sample;
    yield piece.subarray(Math.max(0, first - at), end - at);
  }
}

async function picture(context: EngineContext, item: Item, query: Record<string, string>): Promise<ResourceAnswer> {
  const asked = parsed(imageSchema, query);
  const { from, to, scale, top, map, floor, ceiling, width, height } = asked;
  const { caseId, evidenceId, all, channel } = parsed(itemSchema, item);
  const store = context.cases.get(caseId);
  const { name, sha256 } = store.evidence.get(evidenceId);
  const readAll = all === '1';
  const image = await withSoundOf(store, { evidenceId, readAll, channel }, async (source) => {
    const summary = await context.sound.summary(source);
    const endSeconds = Math.min(to ?? Infinity, summary.durationSeconds);
    if (!(from < endSeconds)) throw notFound();
    return context.sound.image(source, {
      width,
      height,
      title: name,
      detail: `SHA-256 ${sha256.slice(0, 16)}…, ${whatOf(summary.channels, channel)}${readAll ? ', with all sound in the file' : ''}`,
      startSeconds: from,
      endSeconds,
      scale,
      topHz: Math.min(top ?? Infinity, summary.spectrogram.maxHz),
      analysis: { window: asked.window, windowMs: asked.ms, overlap: asked.overlap },
      colourMap: map,
      ...(ceiling === undefined ? {} : { maxDb: ceiling }),
      ...(floor === undefined ? {} : { minDb: floor }),
    });
  });
  return bytes(image, 'image/png');
}

function whatOf(channels: number, channel: number | undefined): string {
  if (channels === 1) return 'mono';
  return channel === undefined ? `mix of ${channels} channels` : `channel ${channel} of ${channels}`;
}

/** A finished export, which can be fetched once. */
async function finished(context: EngineContext, token: string): Promise<ResourceAnswer> {
  const output = context.outputs.take(token);
  if (!output) throw notFound();
  const { path, name, type } = output;
  const disposition = `attachment; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)}`;
  const headers = { ...shared, 'content-type': type, 'content-disposition': disposition };
  if (path === undefined) {
    const body = output.bytes ?? new Uint8Array(0);
    return { status: 200, headers: { ...headers, 'content-length': String(body.length) }, body };
  }
  const { size } = await stat(path);
  const body = createReadStream(path);
  body.on('close', () => void context.outputs.done(output));
  return { status: 200, headers: { ...headers, 'content-length': String(size) }, body };
}
