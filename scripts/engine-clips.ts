// `node scripts/engine-clips.ts FOLDER`: sentences by the speech engines that people try first, as training clips with a
// manifest, to stand beside a corpus (`--dataset manifest:CORPUS+manifest:FOLDER/manifest.csv`). Sentences are put together at random (seeded) and
// unlike those of `first-tries.ts`; engines whose kind the corpus measures on (HTS voices, Pico) are left out. Each clip is
// prepared as the corpus' are: cut to 70 to 7,400 Hz, trimmed, at most 3 s, -25 dBFS, dithered to 16 bits at 16 kHz.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { wavBytes } from '../src-main/audio/wav-writer.ts';
import { Random } from '../src-main/base/random.ts';
import { espeak, festival, flite, type Voice } from './lib/speech-engines.ts';
import { bandLimited, clipRateHz, prepared } from './lib/training-clips.ts';

const random = new Random(1);

const variants = [
  'm1',
  'm2',
  'm3',
  'm4',
  'm6',
  'm8',
  'f1',
  'f2',
  'f3',
  'f5',
  'croak',
  'whisper',
  'adam',
  'belinda',
  'Mike',
];
const accents = ['en', 'en-us', 'en-gb-x-rp', 'en-gb-x-gbcwmd', 'de', 'fr', 'es', 'it', 'nl'];

/**
 * What is asked of whom: the corpus' name of the source, voices, how many sentences of each, and as how many generators they
 * count: training draws each generator alike, and as many as voices would be one in eight of all spoofs.
 */
const plan: { source: string; clips: number; generators: number; voices: () => Promise<Voice[]> }[] = [
  { source: 'engine/espeak-ng', clips: 4, generators: 6, voices: () => espeak('espeak-ng', [...accents, ...variants.map((name) => `en+${name}`)]) }, // prettier-ignore
  {
    source: 'engine/espeak-ng-klatt',
    clips: 10,
    generators: 3,
    voices: () =>
      espeak('espeak-ng', ['en+klatt', 'en+klatt2', 'en-us+klatt3', 'en+klatt4', 'en-us+klatt5', 'en+klatt6']),
  },
  { source: 'engine/flite', clips: 24, generators: 4, voices: flite },
  {
    source: 'engine/festival-diphone',
    clips: 24,
    generators: 5,
    voices: () => festival((name) => !/hts|clunits/.test(name)),
  },
  {
    source: 'engine/festival-clunits',
    clips: 24,
    generators: 1,
    voices: () => festival((name) => name.includes('clunits')),
  },
];

const one = (words: readonly string[]): string => words[random.below(words.length)];
const who = ['the captain', 'my aunt', 'an old farmer', 'the second driver', 'every student', 'his cousin', 'the mayor', 'one of the guards', 'a young singer', 'the plumber']; // prettier-ignore
const did = ['carried', 'forgot', 'repaired', 'sold', 'described', 'wanted', 'watched', 'buried', 'copied', 'measured']; // prettier-ignore
const what = ['a wooden box', 'the last ticket', 'two silver coins', 'the broken clock', 'a heavy blanket', 'some fresh cheese', 'the village map', 'an empty bottle', 'their wet shoes', 'a strange picture']; // prettier-ignore
const when = ['before sunrise', 'in the cellar', 'without a word', 'during the storm', 'near the market', 'after the lesson', 'for a whole week', 'behind the barn', 'with great care', 'in early June']; // prettier-ignore
const sentence = (): string => `${one(who)} ${one(did)} ${one(what)} ${one(when)}.`;

const folder = resolve(process.argv[2] ?? '');
if (process.argv[2] === undefined) {
  process.stderr.write('Name a folder to write the clips to.\n');
  process.exit(2);
}
await mkdir(folder, { recursive: true });
const rows = ['path,label,split,generator,speaker,source'];
for (const { source, clips, generators, voices } of plan) {
  const found = await voices();
  if (found.length === 0) process.stdout.write(`${source}: not on this machine\n`);
  for (const [voice, { name, say }] of found.entries()) {
    for (let clip = 0; clip < clips; clip++) {
      const stem = `${source}-${name}-${clip}`.replaceAll(/\W+/g, '-');
      const raw = join(folder, 'raw.wav');
      await say(sentence(), raw, folder);
      const samples = prepared(await bandLimited(raw, folder), random);
      if (samples === null) continue;
      await writeFile(join(folder, `${stem}.wav`), wavBytes(samples, clipRateHz));
      rows.push(`${stem}.wav,spoof,train,${source.slice(7)} ${voice % generators},${name},${source}`);
    }
  }
}
for (const left of ['raw.wav', 'text']) await rm(join(folder, left), { force: true });
await writeFile(join(folder, 'manifest.csv'), `${rows.join('\n')}\n`);
process.stdout.write(`${rows.length - 1} clips in ${folder}\n`);
