/** Measures how well a model's scores along a recording tell where a spoof was put in, on recordings spliced of a dataset's clips. */
import { join } from 'node:path';
import { decode } from '../audio/decode.ts';
import { UserFacingError } from '../base/errors.ts';
import { writeFileWhole } from '../base/files.ts';
import { makeSplice, planSplices } from '../datasets/splices.ts';
import type { Splice, SplicePlan } from '../datasets/splices.ts';
import type { DatasetItem } from '../datasets/types.ts';
import type { PartialRecord } from '../detector/localisation-card.ts';
import { Localiser, frameScores, frameSeconds, localisingWindows } from '../detector/localiser.ts';
import type { PlacedScore } from '../detector/localiser.ts';
import type { RunnableModel } from '../detector/store.ts';
import { compareWithMean, contrast, regionFigures, segmentEer } from '../evaluation/partial.ts';
import type { SplicedFile } from '../evaluation/partial.ts';
import { csvLine } from '../reports/csv.ts';
import { waveOf } from '../audio/wav-writer.ts';

interface PartialRequest {
  dataset: string;
  split: string;
  /** Three recordings each: a spoof, the same voice, another one. */
  sets: number;
  seed: number;
}

interface Options {
  /** Where the recordings and what they hold are kept; by default they are not. */
  folder?: string;
  /** By which regions are pointed out, for each pass; by default the threshold of the segments' EER on these recordings. */
  thresholds?: readonly number[];
  signal?: AbortSignal;
  onRecording?: (done: number, total: number) => void;
}

/** What a recording of the set holds, as a row beside it. */
interface Kept {
  file: string;
  plan: SplicePlan;
  splice: Splice;
}

/**
 * @returns a record of the windows that scans use, and one of the short ones
 * @throws UserFacingError `usage` where no source of the split can be a host; the signal's reason
 */
export async function measurePartialSpoofs(
  model: RunnableModel,
  items: readonly DatasetItem[],
  request: PartialRequest,
  options: Options = {},
): Promise<PartialRecord[]> {
  const { sampleRateHz } = model.card.conditioning;
  const passes = [model.card.window, localisingWindows];
  const localisers: Localiser[] = [];
  for (const pass of passes) localisers.push(await Localiser.create(model, pass, 1));
  const files: SplicedFile[][] = passes.map(() => []);
  const kept: Kept[] = [];
  try {
    const plans = planSplices(items, request.sets, request.seed);
    for (const [index, plan] of plans.entries()) {
      options.signal?.throwIfAborted();
      const splice = await makeSplice(plan, sampleRateHz, (item) => clipOf(item, sampleRateHz));
      if (splice !== null) {
        const name = `${String(plan.set).padStart(4, '0')}-${plan.kind}.wav`;
        const bytes = waveOf(splice.samples, { channels: 1, sampleRateHz, integerBits: null });
        if (options.folder !== undefined) await writeFileWhole(join(options.folder, name), bytes);
        kept.push({ file: name, plan, splice });
        const windows: PlacedScore[][] = [];
        for (const localiser of localisers) {
          windows.push(await localiser.windows({ path: name, bytes }, options.signal));
        }
        // Without speech there is nothing to find it in.
        if (windows.every(({ length }) => length > 0)) {
          windows.forEach((ofPass, pass) =>
            files[pass].push(splicedFile(plan, splice, ofPass, windows[0], sampleRateHz)),
          );
        }
      }
      options.onRecording?.(index + 1, plans.length);
    }
  } finally {
    for (const localiser of localisers) await localiser.dispose();
  }
  if (!files[0].some(({ spoof }) => spoof) || files[0].every(({ spoof }) => spoof)) {
    throw new UserFacingError(
      'usage',
      `${request.split} of ${request.dataset} gives no spliced recordings of both classes.`,
      {
        advice: 'A host takes a source with spoofs and with bona fide clips of more than six seconds together.',
      },
    );
  }
  if (options.folder !== undefined) await writeFileWhole(join(options.folder, 'splices.csv'), splicesCsv(kept));
  return passes.map((pass, index) => recordOf(files[index], pass, request, options.thresholds?.[index]));
}

async function clipOf({ path }: DatasetItem, sampleRateHz: number): Promise<Float32Array> {
  return (await decode(path, { sampleRateHz })).samples;
}

function splicedFile(
  { kind, source }: SplicePlan,
  { samples, startSeconds, endSeconds }: Splice,
  windows: readonly PlacedScore[],
  asScans: readonly PlacedScore[],
  sampleRateHz: number,
): SplicedFile {
  return {
    spoof: kind === 'spoof',
    source,
    startSeconds,
    endSeconds,
    frames: frameScores(windows, samples.length / sampleRateHz),
    mean: asScans.reduce((sum, { score }) => sum + score, 0) / asScans.length,
  };
}

function recordOf(
  files: readonly SplicedFile[],
  window: PartialRecord['window'],
  { dataset, split, seed }: PartialRequest,
  threshold?: number,
): PartialRecord {
  const fine = segmentEer(files, frameSeconds, 1);
  return {
    window,
    dataset,
    split,
    seed,
    recordings: files.length,
    sources: new Set(files.map(({ source }) => source)).size,
    segmentEer20: fine.eer,
    segmentEer160: segmentEer(files, frameSeconds, 8).eer,
    regions: regionFigures(files, frameSeconds, threshold ?? fine.decisionThreshold),
    files: compareWithMean(files, contrast, seed),
  };
}

function splicesCsv(kept: readonly Kept[]): string {
  const header = ['path', 'label', 'kind', 'set', 'source', 'join', 'start_s', 'end_s', 'insert', 'host'];
  return [
    header,
    ...kept.map(({ file, plan, splice }) => [
      file,
      plan.kind === 'spoof' ? 'spoof' : 'bonafide',
      plan.kind,
      plan.set,
      plan.source,
      plan.join,
      splice.startSeconds.toFixed(4),
      splice.endSeconds.toFixed(4),
      plan.insert.id,
      plan.host.map(({ id }) => id).join(' '),
    ]),
  ]
    .map(csvLine)
    .join('');
}
