/**
 * How the rule that tells calls with a speaker on each side (src-main/audio/sides.ts) does on recordings that are made here of a dataset's clips: calls
 * with echo, noise, unequal levels and speakers who talk over one another or hardly at all; and stereo recordings of other kinds.
 *
 *     node bench/sides.ts DATASET [--of-each 40]
 */
import { parseArgs } from 'node:util';
import { decode } from '../src-main/audio/decode.ts';
import { SideMeter, areSides } from '../src-main/audio/sides.ts';
import type { SideMeasures } from '../src-main/audio/sides.ts';
import { Random } from '../src-main/base/random.ts';
import { loadDataset, selectSplit } from '../src-main/datasets/load.ts';
import { say } from './setting.ts';

const rateHz = 16_000;
const seconds = 60;
const length = seconds * rateHz;
type Pair = [Float32Array, Float32Array];

const gain = (db: number): number => 10 ** (db / 20);
const added = (to: Float32Array, from: Float32Array, at: number, factor: number): void => {
  for (let i = 0; i < from.length && at + i < to.length; i++) if (at + i >= 0) to[at + i] += factor * from[i];
};
const noisy = (samples: Float32Array, db: number, random: Random): void => {
  for (let i = 0; i < samples.length; i++) samples[i] += gain(db) * random.normal();
};

/** Turns of two speakers with pauses; `overlap`: how often the next begins before the last has ended; `second`: share of turns of the second. */
function turns(clips: readonly Float32Array[], random: Random, { overlap = 0.15, second = 0.5 } = {}): Pair {
  const pair: Pair = [new Float32Array(length), new Float32Array(length)];
  for (let at = rateHz; at < length - 4 * rateHz;) {
    const clip = clips[random.below(clips.length)];
    added(pair[random.uniform() < second ? 1 : 0], clip, at, 1);
    at += clip.length + Math.round(rateHz * (random.uniform() < overlap ? -1.5 : random.between(0.1, 1)));
  }
  return pair;
}

const echoed = ([one, other]: Pair, db: number): Pair => {
  const pair: Pair = [one.slice(), other.slice()];
  added(pair[0], other, 1600, gain(db));
  added(pair[1], one, 1600, gain(db));
  return pair;
};
const withNoise = (pair: Pair, db: number, random: Random): Pair => {
  for (const side of pair) noisy(side, db, random);
  return pair;
};
const scaled = (pair: Pair, db: number): Pair => [pair[0], pair[1].map((x) => gain(db) * x)];
/** Both at two places of a stereo picture: each speaker's level differs by so many dB between the channels, and one comes so much later. */
function room([one, other]: Pair, db: number, delay: number): Pair {
  const pair: Pair = [one.slice(), other.slice()];
  added(pair[0], other, delay, gain(-db));
  added(pair[1], one, delay, gain(-db));
  return pair;
}
const joined = ([one, other]: Pair): Float32Array => one.map((x, i) => x + other[i]);
const twice = (pair: Pair, db: number): Pair => scaled([joined(pair), joined(pair)], db);

/** A name, whether it is such a call (null: where both talk at once, or one has hardly said anything, either answer is right), and what makes one. */
type Kind = [string, boolean | null, (clips: readonly Float32Array[], random: Random) => Pair];
const kinds: Kind[] = [
  ['call', true, (clips, random) => withNoise(turns(clips, random), -55, random)],
  ['call, echo -25 dB', true, (clips, random) => withNoise(echoed(turns(clips, random), -25), -55, random)],
  ['call, echo -18 dB', true, (clips, random) => withNoise(echoed(turns(clips, random), -18), -55, random)],
  ['call, noise -45 dB', true, (clips, random) => withNoise(turns(clips, random), -45, random)],
  ['call, one side 15 dB lower', true, (clips, random) => withNoise(scaled(turns(clips, random), -15), -65, random)],
  [
    'call, half of the turns overlap',
    true,
    (clips, random) => withNoise(turns(clips, random, { overlap: 0.5 }), -55, random),
  ],
  [
    'call, a tenth of the turns on one side',
    null,
    (clips, random) => withNoise(turns(clips, random, { second: 0.1 }), -55, random),
  ],
  ['one sound on both', false, (clips, random) => withNoise(twice(turns(clips, random), 0), -55, random)],
  ['one sound, 15 dB lower on one', false, (clips, random) => withNoise(twice(turns(clips, random), -15), -65, random)],
  [
    'two microphones, 1 ms and 3 dB apart',
    false,
    (clips, random) => withNoise(room(turns(clips, random), 3, 16), -55, random),
  ],
  [
    'two microphones, 3 ms and 6 dB apart',
    false,
    (clips, random) => withNoise(room(turns(clips, random), 6, 48), -55, random),
  ],
  [
    'call, both talk all the time',
    null,
    (clips, random) =>
      withNoise(
        [joined(turns(clips, random, { overlap: 0 })), joined(turns(clips, random, { overlap: 0 }))],
        -55,
        random,
      ),
  ],
  [
    'speech on one, noise on the other',
    false,
    (clips, random) => withNoise([joined(turns(clips, random)), new Float32Array(length)], -55, random),
  ],
];

function measure([one, other]: Pair): SideMeasures | null {
  const meter = new SideMeter(rateHz);
  meter.push(one, other, one.length);
  return meter.measures();
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { 'of-each': { type: 'string', default: '40' } },
});
const dataset = await loadDataset(positionals[0]);
const paths = selectSplit(dataset, 'dev')
  .filter(({ label }) => label === 'bonafide')
  .map(({ path }) => path);
const random = new Random(1);
const clips: Float32Array[] = [];
for (let i = 0; i < 60; i++) {
  const { samples } = await decode(paths[Math.floor((i * paths.length) / 60)]);
  const loudest = samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  clips.push(samples.map((x) => (0.5 * x) / loudest));
}
const text = (list: number[], of: (list: number[]) => number): string => of(list).toFixed(2);
say(`${'recordings'.padEnd(40)}sides   alone, least   alone of the quieter, least   correlation, most`);
for (const [name, isCall, make] of kinds) {
  const all = Array.from({ length: Number(values['of-each']) }, () => measure(make(clips, random)));
  const found = all.filter((one) => one !== null);
  const yes = found.filter(areSides).length;
  const both = found.map(({ alone }) => alone[0] + alone[1]);
  say(
    `${name.padEnd(40)}${`${yes}/${all.length}`.padEnd(8)}${text(both, (x) => Math.min(...x))} to ${text(both, (x) => Math.max(...x))}   ` +
      `${text(
        found.map(({ alone }) => Math.min(...alone)),
        (x) => Math.min(...x),
      )} to ${text(
        found.map(({ alone }) => Math.min(...alone)),
        (x) => Math.max(...x),
      )}   ` +
      `${text(
        found.map(({ correlation }) => correlation),
        (x) => Math.min(...x),
      )} to ${text(
        found.map(({ correlation }) => correlation),
        (x) => Math.max(...x),
      )}`,
  );
  if (isCall !== null && yes !== (isCall ? all.length : 0)) process.exitCode = 1;
}
