/**
 * A stretch of a recording analysed on its own: its native samples are cut out and go through the same conditioning and detector
 * as a recording that holds nothing else.
 */
import { waveOf } from '../audio/wav-writer.ts';
import { sha256File } from '../audio/hash.ts';
import { openAudio, probe } from '../audio/decode.ts';
import { Timeline } from '../audio/timeline.ts';
import type { AudioInfo, Channel, Gap } from '../audio/types.ts';
import { UserFacingError } from '../base/errors.ts';
import { withPool } from '../base/pool.ts';
import type { WorkerPool } from '../base/pool.ts';
import type { DetectorAnalysis, Detector } from '../detector/detector.ts';
import { trainedOn } from '../detector/finding.ts';
import { allReadCode } from '../detector/reason.ts';
import type { RunnableModel } from '../detector/store.ts';

export interface StretchRequest {
  startSeconds: number;
  endSeconds: number;
  /** By default the mix. */
  channel?: Channel;
  /** Counted from 0; by default the first audio stream. */
  stream?: number;
  /** As in `OpenOptions`. */
  readAll?: boolean;
}

/** What came of a stretch. */
export interface StretchOutcome {
  /** Times of its windows are those in the recording; `durationSeconds` is the stretch's with its gaps, `audio` the recording's. */
  analysis: DetectorAnalysis;
  /** Of the whole file, the same before and after. */
  fileSha256: string;
  /** What was cut, for the result's settings. */
  settings: Record<string, string | number | boolean | null>;
}

/** Cut samples of all channels together: one gibibyte. */
const mostSamples = 2 ** 28;
/** Of sums of rounded seconds. */
const tolerance = 1e-6;

/**
 * Analyses stretches one after the other, each as its `path` and request say.
 * @throws UserFacingError as `openAudio`; `no-stretch` where the recording has nothing there, `too-long` above 2^28 samples,
 * `changed` where the file changed meanwhile
 */
export type StretchPool = WorkerPool<{ path: string } & StretchRequest, StretchOutcome>;

/**
 * A thread of its own that analyses stretches with one model, on two threads of ONNX Runtime at most; it ends with what it is used for.
 * @throws the signal's reason when aborted
 */
export function withStretchPool<T>(
  model: RunnableModel,
  signal: AbortSignal | undefined,
  use: (pool: StretchPool) => Promise<T>,
): Promise<T> {
  return withPool({ worker: 'scanning/stretch-worker', workerData: model, signal }, use);
}

/** The same with a detector at hand, in this thread. */
export async function analyseStretchWith(
  detector: Pick<Detector, 'analyse' | 'cardOf'>,
  path: string,
  request: StretchRequest,
  signal?: AbortSignal,
): Promise<StretchOutcome> {
  const fileSha256 = await sha256File(path, signal);
  const { info, bytes, firstSample, samples, nonFiniteSamples, timeline } = await cutStretch(path, request, signal);
  const { sampleRateHz } = info;
  const soundBefore = firstSample / sampleRateHz;
  const soundEnd = (firstSample + samples) / sampleRateHz;
  const gaps = gapsOfCut(timeline, soundBefore, soundEnd);
  // One channel that was chosen is the only one in what was cut.
  const cut = await detector.analyse({ path, bytes, gaps }, signal, { codec: info.codec });
  if ((await sha256File(path, signal)) !== fileSha256) {
    throw new UserFacingError('changed', `${path} changed while it was read.`, {
      path,
      advice: 'Analyse it again when nothing writes to it.',
    });
  }
  const startSeconds = timeline.timeOf(soundBefore);
  const endSeconds = timeline.timeOf(soundEnd, 'before');
  let analysis: DetectorAnalysis = {
    ...cut,
    audio: info,
    channel: request.channel ?? 'mix',
    nonFiniteSamples,
    windows: cut.windows.map((window) => ({
      ...window,
      startSeconds: startSeconds + window.startSeconds,
      endSeconds: startSeconds + window.endSeconds,
    })),
  };
  const missingSeconds = timeline.missingWithin(startSeconds, endSeconds);
  if (missingSeconds > tolerance) {
    const sentence = `Of the stretch ${missingSeconds.toFixed(2)} s are missing, by the file's own timestamps; no window lies across half a second or more of it.`;
    // Its own is reported in times of what was cut.
    const others = analysis.reasons.filter(({ code }) => code !== 'gaps');
    analysis = { ...analysis, reasons: [...others, { code: 'gaps', sentence, blocking: false }] };
  }
  if (request.readAll) {
    const sentence = 'It was cut out of the recording with all sound in its file read; its times are of that reading.';
    const reason = { code: allReadCode, sentence, blocking: false };
    analysis = { ...analysis, reasons: [...analysis.reasons, reason] };
  }
  if (nonFiniteSamples > 0) {
    const sentence = `${nonFiniteSamples} samples in and about it are not finite numbers; they were taken as zero.`;
    const reasons = [{ code: 'non-finite-samples', sentence, blocking: true }, ...analysis.reasons];
    analysis = { ...analysis, finding: 'not assessable', llr: null, reasons };
  }
  if (detector.cardOf(cut).training.fileSha256.includes(fileSha256)) analysis = trainedOn(analysis);
  const settings = {
    ...(request.readAll ? { readAll: true } : {}),
    cut: 'native samples of the stretch, without fading, as a recording of their own',
    cutFirstSample: firstSample,
    cutSamples: samples,
    cutSampleRateHz: sampleRateHz,
    cutStartSeconds: startSeconds,
    cutEndSeconds: endSeconds,
  };
  return { analysis, fileSha256, settings };
}

/** The gaps between two places in the sound, in times of what lies between them. */
function gapsOfCut(timeline: Timeline, fromSound: number, toSound: number): Gap[] {
  let missing = 0;
  return timeline.gapsBetween(fromSound, toSound - tolerance).map(({ soundSeconds, gap }) => {
    const fromSeconds = soundSeconds - fromSound + missing;
    missing += gap.toSeconds - gap.fromSeconds;
    return { fromSeconds, toSeconds: fromSeconds + gap.toSeconds - gap.fromSeconds };
  });
}

interface Cut {
  /** Of the whole recording. */
  info: AudioInfo;
  /** A WAV file: the channels asked for, in 32-bit integers where the recording's samples are integers, else in floats. */
  bytes: Uint8Array;
  /** Among those that were decoded. */
  firstSample: number;
  /** Sample frames. */
  samples: number;
  /** In the blocks that were cut. */
  nonFiniteSamples: number;
  /** Of the recording, as far as it was read. */
  timeline: Timeline;
}

/** Cuts a stretch out. @throws UserFacingError as `analyseStretch` */
export async function cutStretch(path: string, request: StretchRequest, signal: AbortSignal | undefined): Promise<Cut> {
  const { startSeconds, endSeconds, channel = 'mix', stream, readAll } = request;
  const opening = {
    ...(stream === undefined ? {} : { stream }),
    ...(readAll ? { readAll } : {}),
    ...(signal ? { signal } : {}),
  };
  const info = await probe(path, opening);
  const { sampleRateHz } = info;
  const mostFrames = Math.round(endSeconds * sampleRateHz) - Math.max(0, Math.round(startSeconds * sampleRateHz));
  const channels: Channel[] =
    channel === 'mix' ? Array.from({ length: info.channels }, (_, index) => index + 1) : [channel];
  if (!(mostFrames > 0)) throw nothingThere(path, startSeconds, endSeconds);
  if (mostFrames * channels.length > mostSamples) {
    const minutes = Math.floor(mostSamples / channels.length / sampleRateHz / 60);
    throw new UserFacingError('too-long', `The stretch is too long to be analysed on its own.`, {
      path,
      advice: `Select at most ${minutes} minutes, or scan the whole recording.`,
    });
  }
  const integers = info.bitsPerSample !== null && !info.codec.startsWith('pcm_f');
  let interleaved = new Float32Array(0);
  let samples = 0;
  let nonFiniteSamples = 0;
  let firstSample = 0;
  let timeline = new Timeline({ startSeconds: 0, gaps: [] });
  for (const [index, one] of channels.entries()) {
    const audio = await openAudio(path, { ...opening, sampleRateHz, channel: one });
    let at = 0;
    let ofThis = 0;
    let before = 0;
    for await (const block of audio.blocks()) {
      // Gaps before this block are known by now; those after it change nothing here.
      timeline = new Timeline(audio.statistics);
      firstSample = Math.max(0, Math.round(timeline.soundBefore(startSeconds) * sampleRateHz));
      const endSample = Math.round(timeline.soundBefore(endSeconds) * sampleRateHz);
      const from = Math.min(block.length, Math.max(0, firstSample - at));
      const to = Math.min(block.length, endSample - at);
      at += block.length;
      if (to > from) {
        nonFiniteSamples += audio.statistics.nonFiniteSamples - before;
        if (index === 0) interleaved = grown(interleaved, (ofThis + to - from) * channels.length);
        for (let i = from; i < to; i++, ofThis++) interleaved[ofThis * channels.length + index] = block[i];
      }
      before = audio.statistics.nonFiniteSamples;
      if (at >= endSample) break;
    }
    samples = ofThis;
  }
  if (samples === 0) throw nothingThere(path, startSeconds, endSeconds);
  const bytes = waveOf(interleaved.subarray(0, samples * channels.length), {
    channels: channels.length,
    sampleRateHz,
    integerBits: integers ? info.bitsPerSample : null,
  });
  return { info, bytes, firstSample, samples, nonFiniteSamples, timeline };
}

function grown(samples: Float32Array<ArrayBuffer>, length: number): Float32Array<ArrayBuffer> {
  if (length <= samples.length) return samples;
  const larger = new Float32Array(Math.max(length, 2 * samples.length));
  larger.set(samples);
  return larger;
}

function nothingThere(path: string, startSeconds: number, endSeconds: number): UserFacingError {
  return new UserFacingError(
    'no-stretch',
    `${path} has no sound from ${startSeconds.toFixed(3)} s to ${endSeconds.toFixed(3)} s.`,
    { path, advice: 'Select a stretch within the recording.' },
  );
}
