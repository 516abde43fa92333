/**
 * How often each measure of `earwitness traces` finds what is there and what is not, on material made from seeds: the figures of
 * docs/traces.md. `node scripts/measure-traces.ts [NAME…] [--count N]`
 */
import { parseArgs } from 'node:util';
import { Random } from '../src-main/base/random.ts';
import { HumMeter, type Hum } from '../src-main/traces/hum.ts';
import { placeInReference } from '../src-main/traces/reference.ts';
import { cutOut, hum, inBlocks, noise, sum, voice } from '../src-main/traces/testing.ts';

const { values, positionals } = parseArgs({
  options: { count: { type: 'string', default: '20' } },
  allowPositionals: true,
});
const count = Number(values.count);
const rateHz = 8000;

const measures: Record<string, () => void> = { hum: measureHum, reference: measureReference };

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

/** A recording with hum, 28 dB below a voice, in a day's record of the mains that has it, and in one that has not. */
function measureReference(): void {
  print('Minutes', 'placed within a second', 'correlation there', 'highest in a record that lacks it');
  print(':-', ':-', ':-', ':-');
  for (const minutes of [2, 5, 10, 30]) {
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

for (const [name, measure] of Object.entries(measures)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  process.stdout.write(`\n${name}\n\n`);
  measure();
}
