/**
 * How often `earwitness find` takes the same words said again, or another utterance of the same voice, for the utterance that it looks for:
 * figures of docs/traces.md. `node scripts/measure-said-again.ts [--dataset SPEC --split NAME]…`; sentences are spoken by the engines that are
 * there (espeak-ng, flite, festival), other utterances of one speaker come from the dataset.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { probe } from '../src-main/audio/decode.ts';
import { loadDataset, selectSplit } from '../src-main/datasets/load.ts';
import { findStretch, stretchOf } from '../src-main/traces/find.ts';

const { values } = parseArgs({
  options: {
    dataset: { type: 'string' },
    split: { type: 'string', multiple: true, default: ['train', 'dev', 'test'] },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'earwitness-said-again-'));
/** Lists 1 and 2 of the Harvard sentences (IEEE, 1969). */
const sentences = `The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background.
It's easy to tell the depth of a well. These days a chicken leg is a rare dish. Rice is often served in round bowls.
The juice of lemons makes fine punch. The box was thrown beside the parked truck. The hogs were fed chopped corn and garbage.
Four hours of steady work faced us. A large size in stockings is hard to sell. The boy was there when the sun rose.
A rod is used to catch pink salmon. The source of the huge river is the clear spring. Kick the ball straight and follow through.
Help the woman get back to her feet. A pot of tea helps to pass the evening. Smoky fires lack flame and heat.
The soft cushion broke the man's fall. The salt breeze came across from the sea. The girl at the booth sold fifty bonds.`.split(
  /(?<=\.)\s+/,
);

type Speaker = [program: string, ...args: string[]];
const espeak = (...args: string[]): Speaker => ['espeak-ng', ...args];
const flite = (voice: string): Speaker => ['flite', '-voice', voice];
const festival: Speaker = ['text2wave', '-eval', '(voice_kal_diphone)'];

/** Who says a sentence first, and who says it again. */
const pairs: [name: string, first: Speaker, again: Speaker][] = [
  ['the same settings (espeak-ng)', espeak('-v', 'en-us'), espeak('-v', 'en-us')],
  ['3 % faster (espeak-ng)', espeak('-v', 'en-us', '-s', '165'), espeak('-v', 'en-us', '-s', '170')],
  ['another pitch (espeak-ng)', espeak('-v', 'en-us', '-p', '50'), espeak('-v', 'en-us', '-p', '60')],
  ['another voice of the engine (espeak-ng)', espeak('-v', 'en-us+m1'), espeak('-v', 'en-us+f3')],
  ['another voice of the engine (flite)', flite('rms'), flite('slt')],
  ['one speaker’s recordings in two engines (flite kal, festival kal)', flite('kal'), festival],
  ['another engine (espeak-ng, flite)', espeak('-v', 'en-us'), flite('rms')],
];

/** @returns the place of the recording; null where the engine is not there */
function said([program, ...args]: Speaker, sentence: number): string | null {
  const place = join(folder, `${[program, ...args].join('_').replace(/[^\w-]+/g, '_')}-${sentence}.wav`);
  if (existsSync(place)) return place;
  const text = join(folder, 'sentence.txt');
  writeFileSync(text, sentences[sentence]);
  const out: Record<string, string[]> = {
    'espeak-ng': ['-w', place, '-f', text],
    flite: ['-o', place, '-f', text],
    text2wave: ['-o', place, text],
  };
  spawnSync(program, [...args, ...out[program]]);
  return existsSync(place) && readFileSync(place).length > 1000 ? place : null;
}

/** The best agreement where the stretch is found; null where it is not. */
async function agreement(path: string, other: string, seconds: number): Promise<number | null> {
  const { durationSeconds } = await probe(path);
  const startSeconds = Math.max(0, ((durationSeconds ?? 0) - seconds) / 2);
  const stretch = await stretchOf({ path }, { startSeconds, endSeconds: startSeconds + seconds });
  const { places } = await findStretch(stretch, { path: other });
  return places.length === 0 ? null : Math.max(...places.map((place) => place.agreement));
}

const lengths = [1.2, 2.5];

async function measure(name: string, compared: readonly (readonly [string, string])[]): Promise<void> {
  const cells: string[] = [];
  for (const seconds of lengths) {
    let [asked, hits, most] = [0, 0, 0];
    for (const [path, other] of compared) {
      try {
        const found = await agreement(path, other, seconds);
        asked++;
        if (found !== null) [hits, most] = [hits + 1, Math.max(most, found)];
      } catch (error) {
        // Too little sound in it.
        if ((error as { code?: string }).code !== 'too-short') throw error;
      }
    }
    cells.push(`${hits} of ${asked}${hits > 0 ? `, up to ${Math.round(100 * most)} %` : ''}`);
  }
  process.stdout.write(`| ${[name, ...cells].join(' | ')} |\n`);
}

process.stdout.write(
  `| Said again | ${lengths.map((seconds) => `${seconds} s found`).join(' | ')} |\n| :- | :- | :- |\n`,
);
for (const [name, first, again] of pairs) {
  const compared = sentences.flatMap((_, index) => {
    const [one, other] = [said(first, index), said(again, index)];
    return one === null || other === null ? [] : [[one, other] as const];
  });
  if (compared.length > 0) await measure(name, compared);
}
const own = espeak('-v', 'en-us');
const others = sentences.flatMap((_, index) => {
  const [one, other] = [said(own, index), said(own, (index + 1) % sentences.length)];
  return one === null || other === null ? [] : [[one, other] as const];
});
await measure('another sentence of the same voice (espeak-ng)', others);
if (values.dataset !== undefined) {
  const dataset = await loadDataset(values.dataset);
  const items = values.split
    .flatMap((split) => selectSplit(dataset, split))
    .filter(({ label }) => label === 'bonafide');
  const bySpeaker = Map.groupBy(
    items.filter(({ speaker }) => speaker),
    ({ speaker, source }) => `${source} ${speaker}`,
  );
  const compared = [...bySpeaker.values()].flatMap((clips) =>
    clips.slice(1, 4).map((clip, index) => [clips[index].path, clip.path] as const),
  );
  await measure(`another utterance of the same person (${bySpeaker.size} speakers)`, compared);
}
rmSync(folder, { recursive: true });
