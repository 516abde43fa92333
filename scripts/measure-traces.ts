/**
 * How often each measure of `earwitness traces` finds what is there and what is not, on material made from seeds: the figures of
 * docs/traces.md. `node scripts/measure-traces.ts [NAME…] [--count N]`; `find` needs clips of speech: `--dataset SPEC --split NAME`
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { decode } from '../src-main/audio/decode.ts';
import { findFfmpeg } from '../src-main/audio/ffmpeg.ts';
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
import { HumMeter, type Hum } from '../src-main/traces/hum.ts';
import { placeInReference } from '../src-main/traces/reference.ts';
import { SameSamples, SameSound, allRepeats } from '../src-main/traces/repeats.ts';
import { cutOut, hum, inBlocks, noise, sum, voice } from '../src-main/traces/testing.ts';

const { values, positionals } = parseArgs({
  options: {
    count: { type: 'string', default: '20' },
    dataset: { type: 'string' },
    split: { type: 'string', default: 'dev' },
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
  ...(values.dataset === undefined ? {} : { find: () => measureFind(values.dataset ?? '') }),
};

function print(...cells: (string | number)[]): void {
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
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
  const folder = mkdtempSync(join(tmpdir(), 'earwitness-traces-'));
  const coded = (samples: Float32Array, ending: string, ...coder: string[]): Float32Array => {
    const [from, to, back] = ['in.wav', `coded.${ending}`, 'out.f32'].map((name) => join(folder, name));
    writeFileSync(from, wav16(samples, rate));
    execFileSync(ffmpeg, ['-v', 'error', '-nostdin', '-y', '-i', from, ...coder, to]);
    execFileSync(ffmpeg, ['-v', 'error', '-nostdin', '-y', '-i', to, '-ar', String(rate), '-f', 'f32le', back]);
    return new Float32Array(new Uint8Array(readFileSync(back)).buffer);
  };
  const then: [string, (samples: Float32Array, random: Random) => Float32Array][] = [
    ['nothing', (samples) => samples],
    ['6 dB softer, rounded anew', (samples) => samples.map((x) => Math.round(16_384 * x) / 32_768)],
    ['noise 26 dB below the voice', (samples, random) => sum(samples, noise(random, samples.length, 0.0025))],
    ['noise 16 dB below the voice', (samples, random) => sum(samples, noise(random, samples.length, 0.008))],
    ['MP3, 32 kbit/s', (samples) => coded(samples, 'mp3', '-c:a', 'libmp3lame', '-b:a', '32k')],
    ['AAC, 32 kbit/s', (samples) => coded(samples, 'm4a', '-c:a', 'aac', '-b:a', '32k')],
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
  rmSync(folder, { recursive: true });
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

for (const [name, measure] of Object.entries(measures)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  process.stdout.write(`\n${name}\n\n`);
  await measure();
}
