// `node scripts/first-tries.ts [--model M] [--sentences N] [--engine NAME]… [--keep FOLDER]`: what everyone tries first. Fifty
// sentences by each speech engine that this machine has, in up to ten voices, are scored by the model; how many look
// synthetic, human, or neither is printed for each, engines whose kind the model was trained on apart. Exit status 1 where less than 90 %
// look synthetic or any human.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findingLeans } from '../src-common/findings.ts';
import { findModel, readModel } from '../src-main/detector/store.ts';
import { scanFiles } from '../src-main/scanning/scan-files.ts';
import { engines, type Engine } from './lib/speech-engines.ts';

const mostVoices = 10;
const leastSynthetic = 0.9;

/** As long as people try them: two to three seconds. */
const sentences = [
  'Please call me back when you get this message.',
  'I will meet you at the station at seven.',
  'The money has already been sent to your account.',
  'Could you read that number to me once more?',
  'We are closed on Monday because of the holiday.',
  'She left the keys under the mat by the door.',
  'Nobody told us that the meeting had been moved.',
  'Turn left after the church and go straight on.',
  'The doctor can see you on Thursday afternoon.',
  'Your parcel will arrive between nine and twelve.',
  'He said that he had never been there before.',
  'There is a light on in the house next door.',
  'My brother works in a factory near the harbour.',
  'You should have told me about it yesterday.',
  'The train to the coast was late again today.',
  'I am calling about the car that you are selling.',
  'Do not forget to bring your passport with you.',
  'It rained so hard that the street was flooded.',
  'They painted the kitchen yellow and the hall blue.',
  'This is the third time that I have asked you.',
  'Put the cups on the shelf above the sink.',
  'What did she say when you showed her the letter?',
  'The children played in the garden until dark.',
  'We need two more chairs for the people outside.',
  'I could hear them shouting from across the road.',
  'The bank will open again tomorrow morning.',
  'Somebody has parked in front of our gate.',
  'He bought a small boat with the money he won.',
  'Tell your mother that dinner will be at eight.',
  'The old bridge was closed for repairs last year.',
  'If you see him again, please let me know.',
  'Her flight lands a little after midnight.',
  'There were fewer people there than we expected.',
  'I think that the blue one looks better on you.',
  'The engine makes a strange noise on cold days.',
  'Our neighbour keeps bees at the end of his field.',
  'You can leave the papers on my desk.',
  'It took us four hours to get back home.',
  'The lawyer wants to speak to both of them.',
  'Show me the photograph that you took in the park.',
  'We ran out of bread, so I went to the shop.',
  'The first witness did not remember the colour.',
  'She has been learning to play the violin.',
  'Keep the receipt in case you want to return it.',
  'His voice sounded different on the telephone.',
  'They moved to the north when I was a child.',
  'The window in the back room does not close.',
  'Write your name and the date at the top.',
  'A man in a grey coat was waiting at the corner.',
  'We hope to hear from you before the weekend.',
];

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    sentences: { type: 'string', default: String(sentences.length) },
    engine: { type: 'string', multiple: true },
    keep: { type: 'string' },
  },
});
const count = Math.min(sentences.length, Math.max(1, Number(values.sentences) || sentences.length));
const model = await readModel(await findModel(values.model));
const { sources } = model.card.training;
const folder =
  values.keep === undefined ? await mkdtemp(join(tmpdir(), 'earwitness-first-tries-')) : resolve(values.keep);
let failed = false;
try {
  process.stdout.write(`Model ${model.card.name} (${model.onnxSha256.slice(0, 12)}), ${count} sentences an engine\n`);
  for (const trained of [true, false]) {
    process.stdout.write(trained ? '\nEngines of kinds in its training\n' : '\nEngines of other kinds\n');
    for (const engine of engines) {
      const { name, kind } = engine;
      if (values.engine !== undefined && !values.engine.includes(name)) continue;
      if (sources.some((source) => kind.test(source)) !== trained) continue;
      failed = !(await tryEngine(engine)) || failed;
    }
  }
} finally {
  if (values.keep === undefined) await rm(folder, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;

/** Prints what becomes of an engine's sentences. @returns whether the model knows them for what they are */
async function tryEngine({ name, voices: listed }: Engine): Promise<boolean> {
  const voices = (await listed()).slice(0, mostVoices);
  if (voices.length === 0) {
    process.stdout.write(`  ${name.padEnd(20)} not on this machine\n`);
    return true;
  }
  const own = join(folder, name.replaceAll(/\W+/g, '-'));
  await mkdir(own, { recursive: true });
  const paths: string[] = [];
  for (let index = 0; index < count; index++) {
    const path = join(own, `${String(index).padStart(2, '0')}.wav`);
    await voices[index % voices.length].say(sentences[index], path, own);
    paths.push(path);
  }
  const counts = { synthetic: 0, human: 0, inconclusive: 0, notAssessable: 0 };
  const reasons = new Map<string, number>();
  const scores: number[] = [];
  const requests = paths.map((path) => ({ path, nameBytes: null, found: false }));
  for await (const { analysis, error, path } of scanFiles(model, requests)) {
    if (analysis === null) throw new Error(`${path}: ${error?.message ?? 'no sound'}`);
    if (analysis.score !== null) scores.push(analysis.score);
    const leans = findingLeans(analysis.finding);
    if (leans === 'spoof') counts.synthetic++;
    else if (leans === 'bonafide') counts.human++;
    else if (analysis.finding === 'inconclusive') counts.inconclusive++;
    else counts.notAssessable++;
    for (const { code, blocking } of analysis.reasons) if (blocking) reasons.set(code, (reasons.get(code) ?? 0) + 1);
  }
  const why = [...reasons].map(([code, times]) => `${code} ${times}`).join(', ');
  const median = scores.sort((one, other) => one - other)[Math.floor(scores.length / 2)];
  process.stdout.write(
    `  ${name.padEnd(20)} synthetic ${counts.synthetic}, human ${counts.human}, inconclusive ${counts.inconclusive}, ` +
      `not assessable ${counts.notAssessable}${why === '' ? '' : ` (${why})`}; median score ${median?.toFixed(2) ?? '-'}; ` +
      `voices ${voices.map((voice) => voice.name).join(', ')}\n`,
  );
  return counts.synthetic >= leastSynthetic * count && counts.human === 0;
}
