/** `earwitness saliency`: where in a recording a score comes from, and whether that can be believed. */
import { basename, extname, resolve } from 'node:path';
import { Option } from 'commander';
import type { Command } from 'commander';
import { UserFacingError } from '../base/errors.ts';
import type { StoredModel } from '../detector/store.ts';
import type { ExplainedScore } from '../laboratory/saliency.ts';
import { exitStatus, interruptible, positiveInteger } from './context.ts';
import { usedSpec } from './dataset-option.ts';
import { mayRecord } from './evaluate.ts';
import { mustBeFree, overwriteOption, writeOutputs } from './outputs.ts';
import { provenance } from '../reports/scan-results.ts';
import { modelLine } from './present.ts';
import { addStretchOptions, stretchOf } from './stretch.ts';
import type { StretchOptions } from './stretch.ts';

const help = `
Occlusion takes parts out of the sound, in time and in eight bands, and sees by how much the score falls: blue parts speak for
bona fide speech, red ones for a machine. It is of the model's score or, with --member, of one of its members'. Grad-CAM
looks at the last feature maps of a network of our own.

Where a companion of the model speaks of the recording (8 kHz, for the model that ships), it is that one's map.

Every map is tested on the recording: the parts that it names are taken out of the sound, or all others, and the score must move
more than with other regions of the same size and shape (40 of them, a 95 % interval). A map that does no better than chance,
here or on the recordings on which the model was measured, is not drawn, and it is said why.

With --dataset and --split in place of a recording the test runs on so many recordings of a dataset; --record writes what came of it
into the model's card.

ExplainedScore is no evidence: it shows what the score of a network rests on, right or wrong.

Exit status: 0 drawn or measured, 2 wrong usage, 3 not drawn since the map does no better than chance, 130 interrupted, 1 anything else.

Examples:
  earwitness saliency call.mp3 --out call.png
  earwitness saliency call.mp3 --start 62.5 --end 80 --member linear --method grad-cam --out detail.png`;

interface SaliencyOptions extends StretchOptions {
  out?: string;
  json?: string;
  model?: string;
  method: 'occlusion' | 'grad-cam';
  member?: string;
  opacity: number;
  overwrite?: boolean;
  dataset?: string;
  split?: string;
  recordings: number;
  record?: boolean;
}

/** Adds `earwitness saliency`: which parts of a recording the score rests on, as a picture. */
export function register(program: Command): void {
  const command = program
    .command('saliency')
    .description("Draw which parts of a recording a model's score rests on, and test whether it does.")
    .argument('[file]', 'the recording')
    .option('--out <file.png>', 'the picture')
    .option('--json <file.json>', 'the map and its test as JSON')
    .addOption(overwriteOption())
    .option('--model <model>', "a model's folder or name (default: the model that ships)")
    .addOption(new Option('--method <name>', 'how').choices(['occlusion', 'grad-cam']).default('occlusion'))
    .option('--member <name>', "one of the model's members (default: the model's score)")
    .option('--opacity <percent>', 'of the colours over the spectrogram, 1 to 100', percent, 60)
    .option('--dataset <spec>', 'measure on a dataset instead (see: dataset inspect --help)')
    .option('--split <name>', 'of the dataset: dev, or another that the model was not trained on')
    .option('--recordings <n>', 'how many of it, picked evenly from sources and classes', positiveInteger, 120)
    .option('--record', "write what was measured into the model's card")
    .addHelpText('after', help)
    .action(async (file: string | undefined, options: SaliencyOptions) => {
      process.exitCode = await (file === undefined ? measure(options) : explain(file, options));
    });
  addStretchOptions(command);
}

function percent(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 1 && value <= 100)) throw usage(`--opacity ${text} is not from 1 to 100.`);
  return value;
}

function usage(message: string, advice?: string): UserFacingError {
  return new UserFacingError('usage', message, advice === undefined ? {} : { advice });
}

async function explain(file: string, options: SaliencyOptions): Promise<number> {
  const { out, json } = options;
  if (options.dataset !== undefined) throw usage('Name a recording or --dataset, not both.');
  if (out === undefined && json === undefined) throw usage('Say where the picture goes.', 'Add --out FILE.png.');
  if (out !== undefined && extname(out).toLowerCase() !== '.png') throw usage(`--out ${out} does not end in .png.`);
  const outputs = { overwrite: options.overwrite, recordings: [file] };
  const wanted = [out, json].filter((path) => path !== undefined);
  await mustBeFree(wanted, outputs);
  const stretch = stretchOf(options);
  const { findModel, readSpeakingModel } = await import('../detector/store.ts');
  const { SaliencyMaker, explainable } = await import('../laboratory/saliency.ts');
  const model = await readSpeakingModel(await findModel(options.model));
  if (model.insteadOf !== undefined) process.stderr.write(`${model.insteadOf}\n`);
  const { availableParallelism } = await import('node:os');
  const maker = await SaliencyMaker.create(await explainable(model), availableParallelism());
  return interruptible(async (signal, progress) => {
    const request = { method: options.method, member: options.member ?? null, stretch };
    const saliency = await maker.explain(resolve(file), request, {
      signal,
      onProgress: (done, total) => progress.show(`${Math.round((100 * done) / total)} %`),
    });
    progress.clear();
    const files = new Map<string, string | Uint8Array>();
    if (json !== undefined) files.set(json, await jsonOf(model, saliency));
    if (out !== undefined && saliency.columns !== null) files.set(out, await pictureOf(file, saliency, model, options));
    await writeOutputs(files, outputs);
    const { saliencyCaution } = await import('../detector/saliency/subjects.ts');
    process.stdout.write(`${saliency.statement}\n${saliencyCaution}\n`);
    return saliency.columns === null ? exitStatus.someFailed : exitStatus.done;
  }).finally(() => maker.dispose());
}

async function jsonOf(model: StoredModel, saliency: ExplainedScore): Promise<string> {
  const { saliencyCaution } = await import('../detector/saliency/subjects.ts');
  return `${JSON.stringify({ made: provenance(model), caution: saliencyCaution, ...saliency }, null, 1)}\n`;
}

const pictureSize = { width: 1200, height: 600 };

async function pictureOf(
  file: string,
  saliency: ExplainedScore,
  model: StoredModel,
  options: SaliencyOptions,
): Promise<Buffer> {
  const { drawSpectrogram, plotSize } = await import('../sound/spectrogram-image.ts');
  const { saliencyOverview } = await import('../casework/saliency-picture.ts');
  const { saliencyCaution, subjectName } = await import('../detector/saliency/subjects.ts');
  const { opacity } = options;
  const size = plotSize(pictureSize.width, pictureSize.height, { noted: true });
  const overview = await saliencyOverview(file, { stretch: stretchOf(options) }, size);
  const { card, onnxSha256 } = model;
  const speaks = saliency.companion
    ? `companion ${saliency.companion.name} of ${card.name} (${saliency.companion.sha256.slice(0, 12)})`
    : `model ${card.name} (${onnxSha256.slice(0, 12)})`;
  return drawSpectrogram(overview, {
    ...pictureSize,
    title: basename(file),
    detail: `ExplainedScore by ${subjectName(saliency)} · ${speaks}`,
    startSeconds: options.start ?? 0,
    colourMap: 'grey',
    overlay: {
      columns: saliency.columns ?? [],
      edgesHz: saliency.edgesHz,
      opacity: opacity / 100,
      unit: saliency.method === 'occlusion' ? 'Fall of the score without it' : 'Grad-CAM (no unit)',
      note: saliencyCaution,
    },
  });
}

async function measure(options: SaliencyOptions): Promise<number> {
  const { dataset: spec, split } = options;
  if (spec === undefined || split === undefined) {
    throw usage('Name a recording, or --dataset and --split.');
  }
  const [store, load, jobs, { subjectName }] = await Promise.all([
    import('../detector/store.ts'),
    import('../datasets/load.ts'),
    import('../laboratory/saliency.ts'),
    import('../detector/saliency/subjects.ts'),
  ]);
  const model = await store.readModel(await store.findModel(options.model));
  if (options.record) mayRecord([model], options.model === undefined ? {} : { model: [options.model] });
  const dataset = await load.loadDataset(await usedSpec(spec));
  const items = load.selectSplit(dataset, split);
  const maker = await jobs.SaliencyMaker.create(await jobs.explainable(model), 1);
  process.stderr.write(`${modelLine(model)}\n`);
  return interruptible(async (signal, progress) => {
    const of = { dataset: dataset.spec, split, recordings: options.recordings };
    const records = await jobs.measureSaliency(maker, items, of, {
      signal,
      onRecording: (done, total) => progress.show(`${done} of ${total} recordings`),
    });
    progress.clear();
    for (const record of records) {
      const parts = (['deletion', 'insertion', 'both'] as const).map(
        (part) => `${part} ${jobs.advantageText(record[part])}`,
      );
      process.stdout.write(`${subjectName(record)}: ${parts.join(', ')}\n`);
    }
    const [{ recordings, sources }] = records;
    process.stdout.write(
      `By how much more the score moves than with other regions of the same size: ${recordings} recordings of ${split}, ${sources} sources.\n`,
    );
    if (options.record) {
      const others = model.card.saliency?.filter((one) => one.dataset !== of.dataset || one.split !== split) ?? [];
      await store.writeMeasured(model, { saliency: [...others, ...records] });
    }
    return exitStatus.done;
  }).finally(() => maker.dispose());
}
