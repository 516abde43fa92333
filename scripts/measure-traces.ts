/**
 * How often each measure of `earwitness traces` finds what is there and what is not, on material made from seeds: the figures of
 * docs/traces.md. `node scripts/measure-traces.ts [NAME…] [--count N]`; `find` needs clips of speech: `--dataset SPEC --split NAME`. Coding is
 * measured on recorded clips: `--clips DIR` holds `corpus` and `formats`, each with its manifest.csv; thresholds were chosen on the half that
 * `--half choose` takes.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { decode } from '../src-main/audio/decode.ts';
import { findFfmpeg } from '../src-main/audio/ffmpeg.ts';
import { Resampler } from '../src-main/audio/resample.ts';
import { wav16 } from '../src-main/audio/wav-writer.ts';
import { Random } from '../src-main/base/random.ts';
import { loadDataset, selectSplit } from '../src-main/datasets/load.ts';
import type { Degradation } from '../src-main/degradation/catalogue.ts';
import { chooseDegradations } from '../src-main/degradation/choose.ts';
import { findEncoder, throughCodec } from '../src-main/degradation/codec.ts';
import type { Sound } from '../src-main/degradation/sound.ts';
import { BackgroundMeter } from '../src-main/traces/background.ts';
import { placesOf } from '../src-main/traces/find.ts';
import { Fingerprinter, secondsPerCode } from '../src-main/traces/fingerprint.ts';
import type { Fingerprint } from '../src-main/traces/fingerprint.ts';
import { CodingMeter, type Coding } from '../src-main/traces/coding.ts';
import { RateMeter, type EarlierRates } from '../src-main/traces/earlier-rate.ts';
import { HumMeter, type Hum } from '../src-main/traces/hum.ts';
import { offsetChanges } from '../src-main/traces/answers.ts';
import { placeInReference } from '../src-main/traces/reference.ts';
import { SameSamples, SameSound, allRepeats } from '../src-main/traces/repeats.ts';
import { cutOut, hum, inBlocks, interpolated, noise, quantised, sum, voice } from '../src-main/traces/testing.ts';

const { values, positionals } = parseArgs({
  options: {
    count: { type: 'string', default: '20' },
    dataset: { type: 'string' },
    split: { type: 'string', default: 'dev' },
    clips: { type: 'string', default: '' },
    half: { type: 'string', default: 'report' },
  },
  allowPositionals: true,
});
const count = Number(values.count);
const rateHz = 8000;
const { path: ffmpeg } = await findFfmpeg();

const measures: Record<string, () => void | Promise<void>> = {
  hum: measureHum,
  reference: measureReference,
  background: measureBackground,
  repeats: measureRepeats,
  rate: measureRate,
  ...(values.dataset === undefined ? {} : { find: () => measureFind(values.dataset ?? '') }),
  ...(values.clips === ''
    ? {}
    : {
        'coding-controls': measureCodingControls,
        'coding-rates': measureCodingRates,
        'coding-again': measureCodingAgain,
        'coding-cuts': measureCodingCuts,
      }),
};

function print(...cells: (string | number)[]): void {
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
}

const folder = mkdtempSync(join(tmpdir(), 'earwitness-traces-'));

/** Through a file of that ending and back, as 16 bits (s16le) or floats (f32le). */
function coded(
  samples: Float32Array,
  rate: number,
  as: 's16le' | 'f32le',
  ending: string,
  ...coder: string[]
): Float32Array {
  const [from, to] = ['in.wav', `coded.${ending}`].map((name) => join(folder, name));
  writeFileSync(from, wav16(samples, rate));
  execFileSync(ffmpeg, ['-v', 'error', '-nostdin', '-y', '-i', from, ...coder, to]);
  return decoded(to, rate, as);
}

function decoded(path: string, rate: number, as: 's16le' | 'f32le' = 's16le'): Float32Array {
  const bytes = execFileSync(
    ffmpeg,
    ['-v', 'error', '-nostdin', '-i', path, '-ac', '1', '-ar', String(rate), '-f', as, '-'],
    { maxBuffer: 2 ** 30 },
  );
  const { buffer } = new Uint8Array(bytes);
  return as === 'f32le' ? new Float32Array(buffer) : Float32Array.from(new Int16Array(buffer), (x) => x / 32_768);
}

function measureHum(): void {
  const seconds = 90;
  const humOf = (samples: Float32Array): Hum => {
    const meter = new HumMeter(rateHz);
    for (const block of inBlocks(samples)) meter.push(block);
    return meter.finish();
  };
  print(
    'Hum below the voice (dB)',
    'found',
    'median error (mHz)',
    'cuts found',
    'other steps in them',
    'steps in uncut',
  );
  print(':-', ':-', ':-', ':-', ':-', ':-');
  for (const belowDb of [null, 40, 34, 28, 22, 16]) {
    let [found, followed, hits, others, uncut] = [0, 0, 0, 0, 0];
    const errors: number[] = [];
    for (let k = 0; k < count; k++) {
      const random = new Random([1, k, belowDb ?? 99]);
      const amplitude = belowDb === null ? 0 : 0.05 * Math.SQRT2 * 10 ** (-belowDb / 20);
      const made = hum(random, rateHz, seconds, { nominalHz: k % 2 === 0 ? 50 : 60, amplitude });
      const around = sum(voice(random, rateHz, seconds, 0.05), noise(random, made.samples.length, 0.002, true));
      const samples = sum(made.samples, around);
      const whole = humOf(samples);
      if (whole.nominalHz !== null) found++;
      if (whole.thresholdDegrees !== null) followed++;
      uncut += whole.steps.length;
      for (const [i, hz] of whole.track.values.entries()) {
        if (hz !== null) errors.push(Math.abs(hz - made.frequencies[whole.track.timesSeconds[i]]));
      }
      const at = Math.round(rateHz * random.between(15, seconds - 20));
      const { steps } = humOf(cutOut(samples, at, at + Math.round(rateHz * random.between(0.2, 5))));
      const near = steps.filter(({ seconds: place }) => Math.abs(place - at / rateHz) < 1).length;
      hits += Math.min(1, near);
      others += steps.length - near;
    }
    errors.sort((one, other) => one - other);
    const error = errors.length === 0 ? '–' : (1000 * errors[errors.length >> 1]).toFixed(1);
    print(belowDb ?? 'no hum', `${found} of ${count}, phase of ${followed}`, error, hits, others, uncut);
  }
}

/** A voice over noise 30 dB below it, white and some pink; 20 s in it are over other noise, or on another mean. */
function measureBackground(): void {
  const seconds = 90;
  const changes: [string, (x: number, other: number) => number][] = [
    ['none', (x) => x],
    ['noise 3 dB louder', (x) => 1.41 * x],
    ['noise 6 dB louder', (x) => 2 * x],
    ['noise 9 dB louder', (x) => 2.82 * x],
    ['noise 12 dB louder', (x) => 4 * x],
    ['pink noise, as loud', (_, other) => other],
    ['mean 0.0001 higher', (x) => x + 0.0001],
    ['mean 0.0003 higher', (x) => x + 0.0003],
    ['mean 0.001 higher', (x) => x + 0.001],
  ];
  print('What changes', 'beginning or end found', 'noise stepped elsewhere', 'mean stepped elsewhere');
  print(':-', ':-', ':-', ':-');
  for (const [name, change] of changes) {
    const isMean = name.startsWith('mean');
    let [hits, noiseElsewhere, meanElsewhere] = [0, 0, 0];
    for (let k = 0; k < count; k++) {
      const random = new Random([3, k]);
      const samples = rateHz * seconds;
      const around = sum(noise(random, samples, 0.0015), noise(random, samples, 0.0003, true));
      const other = noise(random, samples, 0.00153, true);
      const speech = voice(random, rateHz, seconds, 0.05);
      const from = Math.round(rateHz * random.between(12, seconds - 35));
      const to = from + 20 * rateHz;
      const meter = new BackgroundMeter(rateHz);
      for (const block of inBlocks(
        sum(
          around.map((x, i) => (i < from || i >= to ? x : change(x, other[i]))),
          speech,
        ),
      )) {
        meter.push(block);
      }
      const { noiseSteps, dcSteps } = meter.finish();
      const isNear = (step: { seconds: number }): boolean =>
        [from, to].some((place) => Math.abs(step.seconds - place / rateHz) < 2);
      const isChanged = name !== 'none';
      if (isChanged && (isMean ? dcSteps : noiseSteps).some(isNear)) hits++;
      noiseElsewhere += noiseSteps.filter((step) => !isChanged || !isNear(step)).length;
      meanElsewhere += dcSteps.filter((step) => !isChanged || !isNear(step)).length;
    }
    print(name, name === 'none' ? '–' : `${hits} of ${count}`, noiseElsewhere, meanElsewhere);
  }
}

/** A minute of voice over noise in which a stretch stands twice: as it was, or coded, louder or in other noise thereafter. */
function measureRepeats(): void {
  const [rate, seconds] = [16_000, 60];
  const then: [string, (samples: Float32Array, random: Random) => Float32Array][] = [
    ['nothing', (samples) => samples],
    ['6 dB softer, rounded anew', (samples) => samples.map((x) => Math.round(16_384 * x) / 32_768)],
    ['noise 26 dB below the voice', (samples, random) => sum(samples, noise(random, samples.length, 0.0025))],
    ['noise 16 dB below the voice', (samples, random) => sum(samples, noise(random, samples.length, 0.008))],
    ['MP3, 32 kbit/s', (samples) => coded(samples, rate, 'f32le', 'mp3', '-b:a', '32k')],
    ['AAC, 32 kbit/s', (samples) => coded(samples, rate, 'f32le', 'm4a', '-b:a', '32k')],
  ];
  print('After copying', '0.3 s found', '2 s found', '4 s found', 'others found', 'in recordings without a copy');
  print(':-', ':-', ':-', ':-', ':-', ':-');
  for (const [name, after] of then) {
    const hits = [0, 0, 0];
    let [others, without] = [0, 0];
    for (let k = 0; k < count; k++) {
      const random = new Random([4, k]);
      const samples = sum(voice(random, rate, seconds, 0.05), noise(random, rate * seconds, 0.001));
      const plain = samples.map((x) => Math.round(32_768 * x) / 32_768);
      const at = Math.round(rate * random.between(5, 20));
      const to = Math.round(rate * random.between(30, 50));
      for (const [i, length] of [0, 0.3, 2, 4].entries()) {
        const copied = plain.slice();
        copied.set(plain.subarray(at, at + length * rate), to);
        const [same, alike] = [new SameSamples(rate), new SameSound(rate)];
        for (const block of inBlocks(after(copied, random))) {
          same.push(block);
          alike.push(block);
        }
        const found = allRepeats(same.finish(), alike.finish());
        const near = found.filter(
          ({ firstSeconds, secondSeconds }) => Math.abs(secondSeconds - firstSeconds - (to - at) / rate) < 0.3,
        ).length;
        if (i === 0) without += found.length;
        else {
          if (near > 0) hits[i - 1]++;
          others += found.length - near;
        }
      }
    }
    print(name, ...hits.map((hit) => `${hit} of ${count}`), others, without);
  }
}

/** A recording with hum, 28 dB below a voice, in a day's record of the mains that has it, and in one that has not. */
function measureReference(): void {
  print('Minutes', 'placed within a second', 'correlation there', 'highest in a record that lacks it');
  print(':-', ':-', ':-', ':-');
  for (const minutes of [2, 5, 10]) {
    let placed = 0;
    const [there, elsewhere]: [number[], number[]] = [[], []];
    for (let k = 0; k < count; k++) {
      const random = new Random([2, k, minutes]);
      const made = hum(random, rateHz, 60 * minutes, { nominalHz: 50, amplitude: 0.0028 });
      const meter = new HumMeter(rateHz);
      const around = sum(voice(random, rateHz, 60 * minutes, 0.05), noise(random, made.samples.length, 0.002, true));
      for (const block of inBlocks(sum(made.samples, around))) meter.push(block);
      const { track } = meter.finish();
      const frequencies = new Float64Array(86_400).fill(50);
      for (let s = 1; s < frequencies.length; s++) {
        frequencies[s] = frequencies[s - 1] + 0.01 * (50 - frequencies[s - 1]) + 0.002 * random.normal();
      }
      const lacking = placeInReference(track, { name: 'mains', startSeconds: 0, frequencies });
      elsewhere.push(lacking?.correlation ?? 0);
      const at = random.below(80_000);
      frequencies.set(made.frequencies.subarray(0, 60 * minutes), at);
      const found = placeInReference(track, { name: 'mains', startSeconds: 0, frequencies });
      if (found && Math.abs(found.shiftSeconds - at) <= 1) placed++;
      there.push(found?.correlation ?? 0);
    }
    print(
      minutes,
      `${placed} of ${count}`,
      `from ${Math.min(...there).toFixed(3)}`,
      `up to ${Math.max(...elsewhere).toFixed(3)}`,
    );
  }
}

/**
 * Utterances of three seconds hidden in minutes that are made of clips of other sources, which are degraded as a whole; the middle of
 * the utterance as it was is looked for in all of them.
 */
async function measureFind(spec: string): Promise<void> {
  const [rate, seconds, lengths] = [16_000, 60, [1, 1.5, 3]];
  const random = new Random([5]);
  const items = selectSplit(await loadDataset(spec), values.split);
  const sources = random.shuffle([...new Set(items.map(({ source }) => source))]);
  const isHidden = new Set(sources.slice(0, sources.length / 2));
  const clips = async (hidden: boolean, wanted: number): Promise<Float32Array[]> => {
    const found: Float32Array[] = [];
    for (const { path } of random.shuffle(items.filter(({ source }) => isHidden.has(source) === hidden))) {
      if (found.length === wanted) break;
      const { samples } = await decode(path, { sampleRateHz: rate });
      if (samples.length >= 3 * rate) found.push(samples.slice(0, 3 * rate));
    }
    return found;
  };
  const utterances = await clips(true, count);
  const others = await clips(false, Infinity);
  const places = utterances.map(() => Math.round(rate * random.between(4, seconds - 8)));
  const minutes = utterances.map((utterance, k) => {
    const minute = new Float32Array(rate * seconds);
    for (let at = 0; at < minute.length;) {
      const clip = others[random.below(others.length)].subarray(0, minute.length - at);
      minute.set(clip, at);
      at += clip.length;
    }
    minute.set(utterance, places[k]);
    return { samples: minute, sampleRateHz: rate };
  });
  const printOf = ({ samples, sampleRateHz }: Sound): Fingerprint => {
    const printer = new Fingerprinter(sampleRateHz);
    for (const block of inBlocks(samples)) printer.push(block);
    return printer.finish();
  };
  print('Recording', ...lengths.map((length) => `${length} s found, bits that agree`), 'Others found');
  print(':-', ...lengths.map(() => ':-'), ':-');
  const names = 'gain-20 mp3-32 opus-16 telephone amr-nb-12.2 gsm white-20 white-10 babble-20 room-0.4'.split(' ');
  for (const degradation of [null, ...chooseDegradations(names)]) {
    const sounds = degradation === null ? minutes : await degraded(minutes, degradation);
    const prints = sounds.map(printOf);
    let elsewhere = 0;
    const cells: string[] = [];
    for (const length of lengths) {
      const agreements: number[] = [];
      for (const [k, utterance] of utterances.entries()) {
        const from = (utterance.length - length * rate) / 2;
        const stretch = printOf({ samples: utterance.subarray(from, from + length * rate), sampleRateHz: rate });
        for (const [m, sound] of prints.entries()) {
          for (const { at, agreement } of await placesOf(stretch, sound)) {
            const isThere = m === k && Math.abs(at * secondsPerCode - (places[k] + from) / rate) < 0.1;
            if (isThere) agreements.push(agreement);
            else elsewhere++;
          }
        }
      }
      agreements.sort((one, other) => one - other);
      const [low, high] = [agreements.at(0) ?? 0, agreements.at(-1) ?? 0].map((share) => Math.round(100 * share));
      cells.push(`${agreements.length} of ${utterances.length}, ${low} to ${high} %`);
    }
    const hours = (lengths.length * utterances.length * utterances.length * seconds) / 3600;
    print(degradation?.label ?? 'as it was', ...cells, `${elsewhere} in ${hours.toFixed(0)} h`);
  }
}

async function degraded(sounds: readonly Sound[], { how }: Degradation): Promise<readonly Sound[]> {
  if ('apply' in how) {
    const voices = sounds.map(({ samples }) => samples);
    return sounds.map((sound, k) =>
      how.apply(sound, { random: new Random([6, k]), voices: voices.filter((_, i) => i !== k).slice(0, 6) }),
    );
  }
  const encoder = await findEncoder(how.codec);
  if ('missing' in encoder) throw new Error(encoder.missing);
  return throughCodec(sounds, how.codec, encoder, how.returnRateHz);
}

/** Clips of a half of all sources, so that what thresholds were chosen on is not what is reported. */
interface Clips {
  speech: (random: Random, seconds: number) => Float32Array;
  wide: (random: Random, seconds: number) => Float32Array;
}

const isChoosing = values.half === 'choose';
const seeds = Array.from({ length: count }, (_, k) => 2 * k + (isChoosing ? 0 : 1));
const clipsOfHalf = 80;

/** Clips whose authors' files were plain samples, of 16 kHz (corpus) and 44.1 kHz (formats: few, the same in both halves). */
function uncodedClips(): Clips {
  const all = manifestOf('corpus').filter(
    ({ codec, path, source_path: source }) =>
      /^(pcm|flac)/.test(codec) && !/mp3|m4a|aac|ogg|opus|_64kb/i.test(`${path}${source}`),
  );
  const half = new Random(5)
    .shuffle(all)
    .filter((_, i) => i % 2 === (isChoosing ? 0 : 1))
    .slice(0, clipsOfHalf);
  const wide = manifestOf('formats').filter(({ codec, sample_rate: rate }) => /^pcm_/.test(codec) && rate === '44100');
  const known = new Map<string, Float32Array>();
  const joinedClips = (random: Random, paths: readonly string[], rate: number, seconds: number): Float32Array => {
    const out = new Float32Array(seconds * rate);
    for (let at = 0; at < out.length;) {
      const path = paths[random.below(paths.length)];
      const samples = known.get(path) ?? decoded(path, rate);
      known.set(path, samples);
      const part = samples.subarray(random.below(Math.max(1, samples.length - rate))).subarray(0, out.length - at);
      out.set(part, at);
      at += part.length;
    }
    return out;
  };
  const [paths, widePaths] = [
    half.map(({ path }) => join(values.clips, 'corpus', path)),
    wide.map(({ file }) => join(values.clips, 'formats', file)),
  ];
  return {
    speech: (random, seconds) => joinedClips(random, paths, 16_000, seconds),
    wide: (random, seconds) => joinedClips(random, widePaths, 44_100, seconds),
  };
}

function codingOf(samples: Float32Array, rate: number): Coding {
  const meter = new CodingMeter(rate);
  for (const block of inBlocks(samples)) meter.push(block);
  return meter.finish();
}

function strongest({ strength }: Coding): number {
  return strength.values.reduce<number>((most, x) => Math.max(most, x ?? 0), 0);
}

function kbit(rate: number): string[] {
  return ['-b:a', `${rate}k`];
}

/** What is said of sound that was never MP3 or AAC. */
function measureCodingControls(): void {
  const { speech, wide } = uncodedClips();
  const made = (random: Random, seconds: number): Float32Array =>
    sum(voice(random, 44_100, seconds, 0.05), noise(random, 44_100 * seconds, 0.001, true));
  print('Never coded as MP3 or AAC', 'recordings with frames', 'said to be', 'highest score');
  print(':-', ':-', ':-', ':-');
  const controls: [string, number, (random: Random) => Float32Array][] = [
    ['speech, 16 kHz', 16_000, (random) => speech(random, 20)],
    ['speech, 44.1 kHz', 44_100, (random) => wide(random, 10)],
    ['made voice and noise, 44.1 kHz', 44_100, (random) => made(random, 10)],
    ...[
      ['Opus, 24 kbit/s', 'opus', '-c:a', 'libopus', ...kbit(24)],
      ['Vorbis, 48 kbit/s', 'ogg', '-c:a', 'libvorbis', ...kbit(48)],
      ['WMA, 32 kbit/s', 'wma', '-c:a', 'wmav2', ...kbit(32)],
      ['MP2, 48 kbit/s', 'mp2', '-c:a', 'mp2', ...kbit(48)],
      ['G.722', 'wav', '-c:a', 'adpcm_g722'],
      ['µ-law', 'wav', '-c:a', 'pcm_mulaw'],
    ].map(([name, ...coder]): [string, number, (random: Random) => Float32Array] => [
      `speech, 16 kHz, ${name}`,
      16_000,
      (random) => coded(speech(random, 10), 16_000, 's16le', coder[0], ...coder.slice(1)),
    ]),
  ];
  for (const [name, rate, material] of controls) {
    let [hits, most] = [0, 0];
    const families = new Map<string, number>();
    for (const k of seeds) {
      const found = codingOf(material(new Random([5, k])), rate);
      if (found.runs.length > 0) hits++;
      for (const family of new Set(found.runs.map((run) => run.family)))
        families.set(family, 1 + (families.get(family) ?? 0));
      most = Math.max(most, strongest(found));
    }
    print(
      name,
      `${hits} of ${count}`,
      [...families].map(([family, n]) => `${family} ${n}`).join(', ') || '–',
      most.toFixed(1),
    );
  }
}

/** What is found of codings of several rates. */
function measureCodingRates(): void {
  const { speech, wide } = uncodedClips();
  print('Coded as', 'frames found where they begin', 'others', 'lowest, median score');
  print(':-', ':-', ':-', ':-');
  const cells: [string, number, string, number, (random: Random, seconds: number) => Float32Array][] = [
    ...[32, 64, 96, 128].map((rate): (typeof cells)[number] => ['MP3', rate, 'mp3', 16_000, speech]),
    ...[32, 64, 96].map((rate): (typeof cells)[number] => ['AAC', rate, 'm4a', 16_000, speech]),
    ...[64, 128, 192].map((rate): (typeof cells)[number] => ['MP3', rate, 'mp3', 44_100, wide]),
    ...[64, 128, 160].map((rate): (typeof cells)[number] => ['AAC', rate, 'm4a', 44_100, wide]),
  ];
  for (const [name, bits, ending, rate, material] of cells) {
    let [hits, others] = [0, 0];
    const scores: number[] = [];
    for (const k of seeds) {
      const random = new Random([6, k]);
      const cut = random.below(3000);
      const found = codingOf(
        coded(material(random, 10.3), rate, 's16le', ending, ...kbit(bits)).subarray(cut, cut + 10 * rate),
        rate,
      );
      const right = found.runs.find((run) => isOf(run, ending, cut));
      if (right) hits++;
      others += found.runs.length - (right ? 1 : 0);
      scores.push(strongest(found));
    }
    scores.sort((one, other) => one - other);
    print(
      `${name}, ${bits} kbit/s, ${rate / 1000} kHz`,
      `${hits} of ${count}`,
      others,
      `${scores[0].toFixed(1)}, ${scores[scores.length >> 1].toFixed(1)}`,
    );
  }
}

/** What is left of a coding after what comes later. */
function measureCodingAgain(): void {
  const { speech } = uncodedClips();
  print('Then', 'earlier frames found', 'later frames found');
  print(':-', ':-', ':-');
  const mp3 = (bits: number) => (x: Float32Array) => coded(x, 16_000, 's16le', 'mp3', ...kbit(bits));
  const aac = (bits: number) => (x: Float32Array) => coded(x, 16_000, 's16le', 'm4a', ...kbit(bits));
  const then: [
    string,
    (x: Float32Array) => Float32Array,
    string,
    (x: Float32Array, random: Random) => Float32Array,
    string,
  ][] = [
    ['MP3 at 64 kbit/s, AAC at 96', mp3(64), 'mp3', aac(96), 'm4a'],
    ['AAC at 48, MP3 at 128', aac(48), 'm4a', mp3(128), 'mp3'],
    ['MP3 at 64, MP3 at 128', mp3(64), 'mp3', mp3(128), 'mp3'],
    ['MP3 at 64, MP3 at 64', mp3(64), 'mp3', mp3(64), 'mp3'],
    ['MP3 at 128, MP3 at 48', mp3(128), 'mp3', mp3(48), 'mp3'],
    ['MP3 at 64, half as loud', mp3(64), 'mp3', (x) => x.map((v) => Math.round(16_384 * v) / 32_768), ''],
    [
      'MP3 at 64, noise 50 dB below the voice',
      mp3(64),
      'mp3',
      (x, random) => sum(x, noise(random, x.length, 0.0002)),
      '',
    ],
    [
      'MP3 at 64, noise 40 dB below the voice',
      mp3(64),
      'mp3',
      (x, random) => sum(x, noise(random, x.length, 0.0006)),
      '',
    ],
    ['MP3 at 64, resampled to 15.9 kHz', mp3(64), 'mp3', (x) => resampledBy(x, 16_000, 15_900), ''],
  ];
  for (const [name, first, ending, second, laterEnding] of then) {
    let [earlier, later] = [0, 0];
    for (const k of seeds) {
      const random = new Random([7, k]);
      const cut = 100 + random.below(400);
      const { runs } = codingOf(second(first(speech(random, 10)).subarray(cut), random), 16_000);
      if (runs.some((run) => isOf(run, ending, cut))) earlier++;
      if (laterEnding !== '' && runs.some((run) => isOf(run, laterEnding, 0))) later++;
    }
    print(name, `${earlier} of ${count}`, laterEnding === '' ? '–' : `${later} of ${count}`);
  }
}

/** Cuts after coding. */
function measureCodingCuts(): void {
  const { speech } = uncodedClips();
  print('Cut out of', 'change found within 1 s', 'median error', 'changes elsewhere');
  print(':-', ':-', ':-', ':-');
  const cuts = [['MP3', 'mp3', 64], ['MP3', 'mp3', 128], ['AAC', 'm4a', 64]] as const; // prettier-ignore
  for (const [name, ending, bits] of cuts) {
    let [hits, others] = [0, 0];
    const errors: number[] = [];
    for (const k of seeds) {
      const random = new Random([8, k]);
      const samples = coded(speech(random, 25), 16_000, 's16le', ending, ...kbit(bits));
      const at = Math.round(16_000 * random.between(5, 15));
      const cut = cutOut(samples, at, at + Math.round(16_000 * random.between(0.2, 5)));
      const places = offsetChanges(codingOf(cut, 16_000).runs).map(({ startSeconds, endSeconds }) =>
        Math.abs((startSeconds + endSeconds) / 2 - at / 16_000),
      );
      const near = places.filter((error) => error < 1);
      hits += Math.min(1, near.length);
      errors.push(...near);
      others += places.length - near.length;
    }
    errors.sort((one, other) => one - other);
    const error = errors.length === 0 ? '–' : `${errors[errors.length >> 1].toFixed(2)} s`;
    print(`${name}, ${bits} kbit/s`, `${hits} of ${count}`, error, others);
  }
}

/** Whether frames begin where ffmpeg's coders and decoders put them, after so many samples were cut off. */
function isOf({ family, offset, frameSamples }: Coding['runs'][number], ending: string, cut: number): boolean {
  const begin = ending === 'mp3' ? 47 : 0;
  return family === (ending === 'mp3' ? 'mp3' : 'aac') && (offset - begin + cut) % frameSamples === 0;
}

/** A voice over noise 40 dB below it at one rate, brought to another by what programs use, and then coded. */
function measureRate(): void {
  const seconds = 30;
  const ratesOf = (samples: Float32Array, rate: number): EarlierRates => {
    const meter = new RateMeter(rate);
    for (const block of inBlocks(samples)) meter.push(block);
    return meter.finish();
  };
  const through = (samples: Float32Array, from: number, to: number, ...how: string[]): Float32Array => {
    const [before, after] = ['before.wav', 'after.wav'].map((name) => join(folder, name));
    writeFileSync(before, wav16(samples, from));
    execFileSync(ffmpeg, ['-v', 'error', '-nostdin', '-y', '-i', before, ...how, '-ar', String(to), after]);
    return decoded(after, to);
  };
  const ways: [string, (samples: Float32Array, from: number, to: number) => Float32Array][] = [
    ['straight lines', interpolated],
    ['ffmpeg (swr)', (samples, from, to) => through(samples, from, to)],
    [
      'ffmpeg, then mp3 at 64 kbit/s',
      (samples, from, to) => coded(through(samples, from, to), to, 's16le', 'mp3', ...kbit(64)),
    ],
    ['ours', resampledBy],
  ];
  print('Way', 'From and to (Hz)', 'Found', 'Other rates found');
  print(':-', ':-', ':-', ':-');
  for (const [from, to] of [
    [8000, 16_000],
    [16_000, 48_000],
    [44_100, 48_000],
    [48_000, 44_100],
    [16_000, 16_000],
    [48_000, 48_000],
  ]) {
    for (const [name, way] of from === to
      ? ([['as it is', (samples: Float32Array) => samples]] as typeof ways)
      : ways) {
      let [found, others] = [0, 0];
      for (let k = 0; k < count; k++) {
        const random = new Random([7, k, from]);
        const said = voice(random, from, seconds, 0.05);
        const { rates } = ratesOf(way(sum(said, noise(random, said.length, 0.0005)), from, to), to);
        if (rates.some(({ rateHz }) => rateHz === from)) found++;
        others += rates.filter(({ rateHz }) => rateHz !== from).length;
      }
      print(name, `${from} to ${to}`, from === to ? '–' : `${found} of ${count}`, others);
    }
  }
}

function resampledBy(samples: Float32Array, from: number, to: number): Float32Array {
  const resampler = new Resampler(from, to);
  return quantised(resampler.process(samples));
}

/** Rows of a manifest by the names of its columns; none of its values needs quotes that matter here. */
function manifestOf(name: string): Record<string, string>[] {
  const path = join(values.clips, name, 'manifest.csv');
  if (!existsSync(path)) {
    process.stderr.write(`${path} is not there: say where the clips are (--clips).\n`);
    process.exit(1);
  }
  const [head, ...rows] = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((row) => row.split(','));
  return rows
    .filter((row) => row.length === head.length)
    .map((row) => Object.fromEntries(head.map((column, i) => [column, row[i]])));
}

for (const [name, measure] of Object.entries(measures)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  process.stdout.write(`\n${name}\n\n`);
  await measure();
}
rmSync(folder, { recursive: true });
