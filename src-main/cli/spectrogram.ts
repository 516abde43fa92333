/** `earwitness spectrogram`: a recording's spectrogram as a picture. */
import { basename, extname } from 'node:path';
import { visibleName } from '../../src-common/visible-text.ts';
import type { Command } from 'commander';
import { Option } from 'commander';
import { UserFacingError } from '../base/errors.ts';
import { analysisWindows, defaultAnalysis, overlaps, windowLengthsMs } from '../../src-common/analysis-windows.ts';
import type { AnalysisWindow } from '../../src-common/analysis-windows.ts';
import { frequencyScales } from '../../src-common/frequency-axis.ts';
import type { FrequencyScale } from '../../src-common/frequency-axis.ts';
import type { SpectrumAnalysis } from '../../src-common/schemas/spectrogram.ts';
import { colourMaps } from '../../src-common/colour-maps.ts';
import type { ColourMap } from '../../src-common/colour-maps.ts';
import { formatSeconds, ProgressLine } from './context.ts';
import { mustBeFree, overwriteOption, writeOutputs } from './outputs.ts';

const help = `
Channels are mixed to mono. Levels are in dB of full scale: a sine of amplitude 1 stands at 0 dBFS (up to 3 dB lower
between the middles of two Mel bands). Where a pixel covers several frames it shows the loudest.
Times are seconds, min:s or h:min:s, as in 90, 1:30 or 0:01:30.

Examples:
  earwitness spectrogram call.mp3 --out call.png
  earwitness spectrogram call.mp3 --out detail.png --start 1:02.5 --end 1:06 --scale linear --full-band
  earwitness spectrogram call.mp3 --out hum.png --scale log --window blackman-harris --window-length 128`;

interface Options {
  out: string;
  overwrite?: boolean;
  width: string;
  height: string;
  scale: FrequencyScale;
  window: AnalysisWindow;
  windowLength: string;
  overlap: string;
  fullBand?: boolean;
  start?: string;
  end?: string;
  maxDb?: string;
  minDb?: string;
  range?: string;
  colourMap: ColourMap;
}

const overlapChoices = overlaps.map((value) => ({
  value,
  text: value === 'automatic' ? value : String(100 * value),
}));

/** Adds `earwitness spectrogram`: a picture of a recording with axes and a colour scale. */
export function register(program: Command): void {
  program
    .command('spectrogram')
    .description('Draw the spectrogram of a recording of any length as a PNG picture.')
    .argument('<file>', 'the recording')
    .requiredOption('--out <file.png>', 'the picture')
    .addOption(overwriteOption('replace the picture that stands there'))
    .option('--width <pixels>', 'width of the picture', '1200')
    .option('--height <pixels>', 'height of the picture', '600')
    .addOption(new Option('--scale <scale>', 'frequency axis').choices(frequencyScales).default('mel'))
    .addOption(
      new Option('--window <name>', 'window of the spectra').choices(analysisWindows).default(defaultAnalysis.window),
    )
    .addOption(
      new Option('--window-length <ms>', 'its length in milliseconds')
        .choices(windowLengthsMs.map(String))
        .default(String(defaultAnalysis.windowMs)),
    )
    .addOption(
      new Option('--overlap <percent>', 'how far windows overlap; automatic: as fine as the picture, at least 50')
        .choices(overlapChoices.map(({ text }) => text))
        .default('automatic'),
    )
    .option('--full-band', "up to half the recording's own sample rate, instead of 8 kHz as the detector hears it")
    .option('--start <time>', 'begin here instead of at the beginning')
    .option('--end <time>', 'stop here instead of at the end')
    .option('--max-db <level>', 'level of the brightest colour in dBFS (default: the loudest, rounded up to 5 dB)')
    .option('--min-db <level>', 'level of the darkest colour in dBFS')
    .option('--range <dB>', 'dB from the darkest to the brightest colour (default: 80)')
    .addOption(new Option('--colour-map <name>', 'colours').choices(colourMaps).default('viridis'))
    .addHelpText('after', help)
    .action(draw);
}

async function draw(file: string, options: Options): Promise<void> {
  const [audioModule, { overviewOf }, { placedBlocks }, image] = await Promise.all([
    import('../audio/decode.ts'),
    import('../sound/overview.ts'),
    import('../sound/placed.ts'),
    import('../sound/spectrogram-image.ts'),
  ]);
  const { openAudio, probe } = audioModule;
  const { imageLimits, plotSize, drawSpectrogram } = image;
  const width = wholeNumber('--width', options.width, imageLimits.minWidth, imageLimits.maxWidth);
  const height = wholeNumber('--height', options.height, imageLimits.minHeight, imageLimits.maxHeight);
  const startSeconds = options.start === undefined ? 0 : seconds('--start', options.start);
  const endSeconds = options.end === undefined ? Infinity : seconds('--end', options.end);
  if (!(startSeconds < endSeconds)) throw wrongUsage('--start must lie before --end.');
  const levels = colourRange(options);
  if (extname(options.out).toLowerCase() !== '.png') {
    throw wrongUsage(`--out ${options.out} does not end in .png.`, 'Only PNG pictures are drawn.');
  }
  const outputs = { overwrite: options.overwrite, recordings: [file] };
  await mustBeFree([options.out], outputs);

  const info = await probe(file);
  const sampleRateHz = options.fullBand ? info.sampleRateHz : 16_000;
  const wholeSeconds = info.durationSeconds ?? undefined;
  const expectedSeconds =
    wholeSeconds === undefined && endSeconds === Infinity
      ? undefined
      : Math.max(0, Math.min(wholeSeconds ?? Infinity, endSeconds) - startSeconds);
  const firstSample = Math.round(startSeconds * sampleRateHz);
  const endSample = Math.round(endSeconds * sampleRateHz);
  const { columns, rows } = plotSize(width, height);

  const progress = new ProgressLine();
  const audio = await openAudio(file, { sampleRateHz });
  let seen = 0;
  async function* section(): AsyncGenerator<Float32Array> {
    for await (const block of placedBlocks(audio, sampleRateHz)) {
      const begin = Math.min(block.length, Math.max(0, firstSample - seen));
      const end = Math.min(block.length, endSample - seen);
      seen += block.length;
      if (end > begin) yield block.subarray(begin, end);
      progress.show(`${formatSeconds(seen / sampleRateHz)}${wholeSeconds ? ` of ${formatSeconds(wholeSeconds)}` : ''}`);
      if (seen >= endSample) return;
    }
  }
  let overview;
  try {
    overview = await overviewOf(section(), {
      sampleRateHz,
      scale: options.scale,
      analysis: analysisOf(options),
      columns,
      rows,
      expectedSamples: expectedSeconds === undefined ? undefined : Math.round(expectedSeconds * sampleRateHz),
    });
  } finally {
    progress.clear();
  }
  if (overview.samples === 0) {
    throw seen === 0
      ? new UserFacingError('empty', `${file} holds no sound.`, {
          path: file,
          advice: 'Check that the recording was copied completely.',
        })
      : wrongUsage(
          `--start lies behind the end of ${file}, which is ${Number((seen / sampleRateHz).toFixed(3))} s long.`,
        );
  }
  const channels = info.channels === 1 ? 'mono' : `${info.channels} channels mixed to mono`;
  const resampled = sampleRateHz === info.sampleRateHz ? '' : `, resampled to ${sampleRateHz / 1000} kHz`;
  const picture = drawSpectrogram(overview, {
    width,
    height,
    title: basename(file),
    detail: `${info.codec}, ${info.sampleRateHz / 1000} kHz, ${channels}${resampled}`,
    startSeconds,
    colourMap: options.colourMap,
    ...levels,
  });
  await writeOutputs(new Map([[options.out, picture]]), outputs);
  if (audio.statistics.truncated) {
    process.stderr.write(`${visibleName(file)} ends before its header says that it does; what is there was drawn.\n`);
  }
}

/** Its parts are choices of the options. */
function analysisOf({ window, windowLength, overlap }: Options): SpectrumAnalysis {
  return {
    window,
    windowMs: windowLengthsMs.find((one) => String(one) === windowLength) ?? defaultAnalysis.windowMs,
    overlap: overlapChoices.find(({ text }) => text === overlap)?.value ?? defaultAnalysis.overlap,
  };
}

function colourRange(options: Options): { maxDb?: number; minDb?: number; rangeDb?: number } {
  const maxDb = options.maxDb === undefined ? undefined : decibels('--max-db', options.maxDb);
  const minDb = options.minDb === undefined ? undefined : decibels('--min-db', options.minDb);
  const rangeDb = options.range === undefined ? undefined : decibels('--range', options.range);
  if (minDb !== undefined && rangeDb !== undefined && maxDb !== undefined) {
    throw wrongUsage('Of --max-db, --min-db and --range only two can be given.');
  }
  if (rangeDb !== undefined && rangeDb < 1) throw wrongUsage('--range must be at least 1 dB.');
  if (minDb !== undefined && rangeDb !== undefined) return { minDb, maxDb: minDb + rangeDb };
  if (minDb !== undefined && maxDb !== undefined && maxDb - minDb < 1) {
    throw wrongUsage('--max-db must lie at least 1 dB above --min-db.');
  }
  return { maxDb, minDb, rangeDb };
}

function decibels(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(Math.abs(value) <= 500)) throw wrongUsage(`${option} ${text} is not a level in dB.`);
  return value;
}

function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < least || value > most) {
    throw wrongUsage(`${option} ${text} is not a whole number from ${least} to ${most}.`);
  }
  return value;
}

/** Seconds of `90`, `1:30` or `0:01:30`, with decimals. */
function seconds(option: string, text: string): number {
  const match = /^(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)$/.exec(text);
  const [hours, minutes, rest] = (match ?? []).slice(1).map((part) => Number(part ?? 0));
  if (!match || (match[2] !== undefined && rest >= 60) || (match[1] !== undefined && minutes >= 60)) {
    throw wrongUsage(`${option} ${text} is not a time.`, 'Give seconds, min:s or h:min:s.');
  }
  return hours * 3600 + minutes * 60 + rest;
}

function wrongUsage(message: string, advice?: string): UserFacingError {
  return new UserFacingError('usage', message, advice === undefined ? {} : { advice });
}
