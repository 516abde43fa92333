/** `earwitness analyze`: one recording, in words. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { visibleName } from '../../src-common/visible-text.ts';
import type { Command } from 'commander';
import { recordCaveat, recordSentences } from '../../src-common/finding-record.ts';
import type { Channel } from '../audio/types.ts';
import { displayPath } from '../base/display-path.ts';
import { UserFacingError } from '../base/errors.ts';
import { pathsReadAs } from '../base/lossy-name.ts';
import type { DetectorAnalysis, Detector } from '../detector/detector.ts';
import type { Quality } from '../../src-common/schemas/recording.ts';
import type { StoredModel } from '../detector/store.ts';
import type { Places } from '../scanning/localise.ts';
import type { ScannedFile } from '../reports/scan-results.ts';
import { colour, exitStatus, interruptible, withStatus } from './context.ts';
import { fastOption, modelOption, modelToScoreWith } from './model-option.ts';
import type { ModelOptions } from './model-option.ts';
import { addReadingOptions, readingOf } from './reading.ts';
import type { ReadingOptions } from './reading.ts';
import {
  findingText,
  log10LikelihoodRatio,
  modelLine,
  screeningCaution,
  showLlrOption,
  showsRatios,
} from './present.ts';
import { addStretchOptions, stretchOf } from './stretch.ts';
import type { StretchOptions } from './stretch.ts';

interface AnalyzeOptions extends ReadingOptions, StretchOptions, ModelOptions {
  json?: boolean;
  showLlr?: boolean;
  localise: boolean;
}

export function register(program: Command): void {
  const command = program
    .command('analyze')
    .description('Score one recording and say what the finding rests on.')
    .argument('<file>', 'the recording')
    .addOption(modelOption())
    .addOption(fastOption())
    .option('--json', 'the whole result as JSON, with every window')
    .addOption(showLlrOption())
    .option('--no-localise', 'leave out the pass of short windows, where the card shows that it is of use')
    .action(withStatus(analyze));
  addReadingOptions(addStretchOptions(command));
}

/** The stretch that is asked for; null for the whole recording. @throws UserFacingError `usage` */
function oneStretch(options: AnalyzeOptions): ReturnType<typeof stretchOf> {
  const stretch = stretchOf(options);
  if (stretch !== null && options.channels === 'each') {
    throw new UserFacingError('usage', 'Of a stretch, name one channel.');
  }
  return stretch;
}

/** Scores a stretch on its own; what is wrong with the recording is in the outcome. */
async function scoreStretch(
  detector: Detector,
  path: string,
  stretch: { startSeconds: number; endSeconds: number },
  { stream, channels, readAll }: AnalyzeOptions,
  signal: AbortSignal,
): Promise<ScannedFile> {
  const { analyseStretchWith } = await import('../scanning/stretch.ts');
  const request = {
    ...stretch,
    ...(stream === undefined ? {} : { stream }),
    ...(channels === undefined || channels === 'each' || channels === 'auto' ? {} : { channel: channels }),
    ...(readAll ? { readAll } : {}),
  };
  try {
    const { analysis, fileSha256 } = await analyseStretchWith(detector, path, request, signal);
    return { path, sha256: fileSha256, analysis, error: null };
  } catch (error) {
    if (signal.aborted || !(error instanceof UserFacingError)) throw error;
    return { path, sha256: null, analysis: null, error: { code: error.code, message: error.sentence } };
  }
}

/** Stretches named one by one. */
const namedStretches = 8;

/** A time in a recording as `1:02.5`. */
function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, '0')}`;
}

/** The first of some stretches, by their times. */
function clockList(stretches: readonly { startSeconds: number; endSeconds: number }[]): string {
  const named = stretches.slice(0, namedStretches).map((one) => `${clock(one.startSeconds)}-${clock(one.endSeconds)}`);
  if (stretches.length > named.length) named.push(`and ${stretches.length - named.length} more`);
  return named.join(', ');
}

/** The places that short windows point out of a whole recording; null where they are not asked for. */
async function placesOf(
  path: string,
  analysis: DetectorAnalysis,
  model: StoredModel,
  { localise: wanted, readAll }: AnalyzeOptions,
  signal: AbortSignal,
): Promise<Places | null> {
  // A window more than one: else there is nothing to tell apart. What else is read than the mix is not measured.
  if (!wanted || readAll || analysis.windows.length < 2 || analysis.channel !== 'mix') return null;
  const { localise } = await import('../scanning/localise.ts');
  return localise(model, path, signal);
}

function placeRows({ regions, statement }: Places): [string, string][] {
  if (regions === null) return [['places', statement]];
  return [
    ['places', regions.length === 0 ? 'none' : clockList(regions)],
    ['', statement],
  ];
}

/** Rows of a name and a text, aligned. */
function rows(pairs: [string, string][]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`).join('');
}

function channelName(channel: Channel): string {
  if (channel === 'mix') return 'their mix';
  return typeof channel === 'number' ? `number ${channel}` : `the ${channel} one`;
}

function decibels(value: number, unit: string): string {
  return `${value.toFixed(0)} ${unit}`;
}

/** What was measured of a recording's quality. */
function qualityRows(quality: Quality): [string, string][] {
  const { speechSeconds, levelDbfs, clippedFraction, snrDb, effectiveBandwidthHz, sharpCutoffHz } = quality;
  const silences = [quality.leadingSilenceSeconds, quality.trailingSilenceSeconds].map((one) => one.toFixed(2));
  const clipped = clippedFraction === 0 ? 'none' : `${(100 * clippedFraction).toPrecision(2)} % of samples`;
  const bandwidth = effectiveBandwidthHz === null ? 'not to be told' : `up to ${effectiveBandwidthHz} Hz`;
  const cut =
    sharpCutoffHz === null ? '' : `; ends abruptly at ${sharpCutoffHz} Hz, as after lossy coding or resampling`;
  return [
    ...(speechSeconds === null ? [] : [['speech', `${speechSeconds.toFixed(2)} s`] as [string, string]]),
    [
      'level',
      levelDbfs === null
        ? 'silent'
        : `${decibels(levelDbfs, 'dBFS')}, signal-to-noise ${snrDb === null ? 'not to be told' : `about ${decibels(snrDb, 'dB')}`}`,
    ],
    ['clipping', clipped],
    ['bandwidth', `${bandwidth}${cut}`],
    ['silence', `${silences[0]} s before, ${silences[1]} s after the sound`],
  ];
}

/** Where the file holds no sound: every gap from its beginning to its end. */
function missingRows({ startSeconds, gaps, gapCount }: DetectorAnalysis['timeline']): [string, string][] {
  const before = startSeconds > 0 ? [{ fromSeconds: 0, toSeconds: startSeconds }] : [];
  const places = [...before, ...gaps].map(
    ({ fromSeconds, toSeconds }) =>
      `${fromSeconds.toFixed(2)} to ${toSeconds.toFixed(2)} s (${(toSeconds - fromSeconds).toFixed(2)} s)`,
  );
  if (gapCount !== undefined) places.push(`and in ${gapCount - gaps.length} more places`);
  return places.map((text, index) => [index === 0 ? 'no sound' : '', text]);
}

/** How often such findings were right where the model was measured. */
function measuredRows(
  { finding, reasons }: Pick<DetectorAnalysis, 'finding' | 'reasons'>,
  { card }: StoredModel,
): [string, string][] {
  if (finding === 'not assessable') return [];
  const sentences = recordSentences(finding, card.records);
  if (sentences.length === 0) sentences.push("The model's card does not say how often such findings were right.");
  const codes = reasons.map(({ code }) => code);
  const caveat = recordCaveat(finding, codes);
  if (caveat !== null) sentences.push(caveat);
  return sentences.map((sentence, index) => [index === 0 ? 'measured' : '', sentence]);
}

/**
 * What is said of one analysis, as rows.
 * @param ratios whether likelihood ratios are reported.
 */
async function describe(
  path: string,
  sha256: string,
  analysis: DetectorAnalysis,
  model: StoredModel,
  ratios: boolean,
): Promise<[string, string][]> {
  const { localisationShown } = await import('../detector/localisation.ts');
  const { stretchesOf } = await import('../reports/scan-results.ts');
  const { withoutRatios } = await import('../detector/finding.ts');
  const { audio, durationSeconds, activeSeconds, finding, llr, reasons, windows } = analysis;
  const channels = audio.channels === 1 ? 'mono' : `${audio.channels} channels (${channelName(analysis.channel)})`;
  const stream = audio.audioStreams === 1 ? '' : `, audio stream ${audio.stream} of 0 to ${audio.audioStreams - 1}`;
  const pairs: [string, string][] = [
    ['recording', visibleName(path)],
    ['SHA-256', sha256],
    [
      'audio',
      `${audio.codec} in ${audio.container}, ${audio.sampleRateHz} Hz, ${channels}, ${durationSeconds.toFixed(2)} s${stream}`,
    ],
    ['sound', `${activeSeconds.toFixed(2)} s`],
    ...missingRows(analysis.timeline),
    ...qualityRows(analysis.quality),
    ['finding', findingText(finding, process.stdout)],
    ...measuredRows(analysis, model),
    [
      'score',
      analysis.score === null
        ? 'none'
        : `${analysis.score.toFixed(3)} (high: bona fide; ${windows.length} window${windows.length === 1 ? '' : 's'})`,
    ],
  ];
  if (llr !== null && ratios) {
    const caution = model.card.status === 'screening' ? `; ${screeningCaution}` : '';
    pairs.push([
      'log10 LR',
      `${log10LikelihoodRatio(llr)} (bona fide over spoof, calibrated on ${model.card.calibration.split}${caution})`,
    ]);
  }
  const { shown, withheld } = localisationShown(model.card, model.card.window);
  if (shown) {
    const stretches = stretchesOf(analysis, model.card);
    const rate = shown.falseAlarmsPerHour.toPrecision(2);
    const text =
      stretches === null
        ? 'none are pointed out: its windows are not assessable'
        : stretches.length === 0
          ? 'none'
          : `${stretches.length}: ${clockList(stretches)}`;
    pairs.push(['low stretches', `${text} (uncalibrated; ${rate} false alarms an hour in bona fide audio)`]);
  } else if (withheld !== null && windows.length > 1) {
    pairs.push(['low stretches', withheld]);
  }
  const admissible = ratios ? reasons : withoutRatios(reasons);
  admissible.forEach(({ sentence }, index) => pairs.push([index === 0 ? 'because' : '', sentence]));
  pairs.push(['model', modelLine(model)]);
  return pairs;
}

async function analyze(file: string, options: AnalyzeOptions): Promise<number> {
  const { availableParallelism } = await import('node:os');
  const { Detector } = await import('../detector/detector.ts');
  const { speakerOf } = await import('../detector/store.ts');
  const { score } = await import('../scanning/score.ts');
  const { provenance, scanJson, scanRows } = await import('../reports/scan-results.ts');
  const stretch = oneStretch(options);
  const model = await modelToScoreWith(options);
  const detector = await Detector.create(model, availableParallelism());
  const absolute = resolve(file);
  // A name that is not UTF-8 comes damaged through the command line.
  const [nameBytes = null] = existsSync(absolute) ? [] : await pathsReadAs(absolute);
  const path = displayPath({ path: absolute, nameBytes });
  try {
    return await interruptible(async (signal) => {
      const outcome = stretch
        ? await scoreStretch(detector, absolute, stretch, options, signal)
        : await score(detector, { path: absolute, nameBytes, found: false, reading: readingOf(options) }, signal);
      const rowsOfFile = scanRows({ ...outcome, path });
      const places =
        stretch === null && options.stream === undefined && outcome.analysis !== null
          ? await placesOf(absolute, outcome.analysis, speakerOf(model, outcome.analysis), options, signal)
          : null;
      if (options.json) {
        const results = rowsOfFile.map((row) => ({
          made: provenance(model),
          ...scanJson(row, speakerOf(model, row.analysis).card),
          ...(row.analysis && {
            trackRecord: recordSentences(row.analysis.finding, speakerOf(model, row.analysis).card.records),
          }),
          ...(model.card.status === 'screening' ? { llrCaution: screeningCaution } : {}),
          ...(places ? { places } : {}),
        }));
        process.stdout.write(
          `${JSON.stringify(options.channels === 'each' || results.length > 1 ? results : results[0], null, 1)}\n`,
        );
      }
      if (outcome.analysis === null) {
        const label = colour('red', 'error:', process.stderr);
        process.stderr.write(`${label} ${visibleName(outcome.error?.message ?? '')}\n`);
        return exitStatus.someFailed;
      }
      if (options.json) return exitStatus.done;
      const texts: string[] = [];
      for (const { analysis } of rowsOfFile) {
        if (analysis !== null) {
          const speaker = speakerOf(model, analysis);
          const pairs = await describe(path, outcome.sha256 ?? '', analysis, speaker, showsRatios(speaker, options));
          if (places) pairs.splice(-1, 0, ...placeRows(places));
          texts.push(rows(pairs));
        }
      }
      process.stdout.write(texts.join('\n'));
      return exitStatus.done;
    });
  } finally {
    await detector.dispose();
  }
}
