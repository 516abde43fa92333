import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ort from 'onnxruntime-node';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readModel } from '../detector/store.ts';
import type { StoredModel } from '../detector/store.ts';
import { babble, foreignDeclaration, foreignGraph, wav16 } from '../detector/testing.ts';
import { calibrateModel } from './calibrate-model.ts';
import { ModelStore } from '../models/model-store.ts';
import { scanFiles } from '../scanning/scan-files.ts';
import type { ScanResult } from '../scanning/scan-files.ts';
import { plantSpeech } from '../jobs/testing.ts';

let home: string;
let store: ModelStore;
let graph: string;
let card: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'earwitness-detector-'));
  store = new ModelStore(home);
  graph = join(home, 'aasist.onnx');
  card = join(home, 'aasist.json');
  writeFileSync(graph, foreignGraph());
  writeFileSync(card, JSON.stringify(foreignDeclaration));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const take = (): Promise<string> => store.importDetector(graph, card, 'a test');
async function scanned(model: StoredModel): Promise<ScanResult> {
  const request = { path: join(home, 'a.wav'), nameBytes: null, found: false };
  for await (const result of scanFiles(model, [request], { jobs: 1 })) return result;
  throw new Error('no result');
}
const models = (): string[] => (existsSync(join(home, 'models')) ? readdirSync(join(home, 'models')) : []);

it(
  'takes a detector in; it scores windows as a direct call does, and finds nothing until it is calibrated',
  { timeout: 120_000 },
  async () => {
    const id = await take();
    expect(await store.list(id)).toContainEqual(
      expect.objectContaining({ id, name: 'like AASIST', status: 'screening', problem: null, devEer: null }),
    );
    const model = await readModel(await store.folderOf(id));
    expect(model.card).toMatchObject({ uncalibrated: true, window: { seconds: 4.0375, hopSeconds: 2.01875 } });

    const samples = babble(7, 3);
    const wav = wav16(samples);
    writeFileSync(join(home, 'a.wav'), wav);
    const { analysis } = await scanned(model);
    expect(analysis).toMatchObject({ finding: 'not assessable', llr: null });
    expect(analysis?.reasons.map(({ code }) => code)).toContain('uncalibrated');
    // As the file holds them.
    const held = Float32Array.from(samples, (_, index) => wav.readInt16LE(44 + 2 * index) / 32_768);
    const session = await ort.InferenceSession.create(readFileSync(graph));
    const starts = [0, 32_300, samples.length - 64_600];
    expect(analysis?.windows).toHaveLength(starts.length);
    for (const [index, start] of starts.entries()) {
      const x = new ort.Tensor('float32', held.slice(start, start + 64_600), [1, 64_600]);
      const [spoof, bonafide] = (await session.run({ x })).y.data as Float32Array;
      expect(Math.abs((analysis?.windows[index].score ?? 0) - (bonafide - spoof))).toBeLessThan(1e-5);
    }
    await session.release();

    // Packed and taken in elsewhere it is the same, and still finds nothing.
    const archive = join(home, 'packed.zip');
    await store.export(id, archive);
    mkdirSync(join(home, 'other'));
    const other = new ModelStore(join(home, 'other'));
    const copied = await readModel(await other.folderOf(await other.import(archive)));
    expect(copied.onnxSha256).toBe(model.onnxSha256);
    expect(copied.card.uncalibrated).toBe(true);
    await expect(take()).rejects.toMatchObject({ code: 'model-exists' });

    const calibrated = await calibrateModel(
      {
        folder: model.folder,
        dataset: plantSpeech(home, { dev: 24 }, 4.1),
        split: 'dev',
        out: join(home, 'calibrated'),
        maximumErrorRate: 0.2,
        seed: 1,
        notes: [],
      },
      'a test',
    );
    expect(calibrated.card.uncalibrated).toBeUndefined();
    expect(calibrated.card.status).toBe('screening');
    expect(calibrated.card.calibration.split).toBe('dev');
    const again = await scanned(calibrated);
    expect(again.analysis?.reasons.map(({ code }) => code)).not.toContain('uncalibrated');
    expect(again.analysis?.score).toBe(analysis?.score);
  },
);

it(
  'is known by what its card says, too: another reading of the output is another model',
  { timeout: 120_000 },
  async () => {
    const first = await readModel(await store.folderOf(await take()));
    const output = { ...foreignDeclaration.output, bonafide: 0 };
    writeFileSync(card, JSON.stringify({ ...foreignDeclaration, output }));
    const second = await readModel(await store.folderOf(await take()));
    expect(second.onnxSha256).not.toBe(first.onnxSha256);
  },
);

it('leaves nothing where it is refused, and says why', { timeout: 120_000 }, async () => {
  const refused = async (options: Parameters<typeof foreignGraph>[0], why: RegExp, output = {}): Promise<void> => {
    writeFileSync(graph, foreignGraph(options));
    writeFileSync(card, JSON.stringify({ ...foreignDeclaration, output: { ...foreignDeclaration.output, ...output } }));
    await expect(take()).rejects.toThrow(why);
    expect(models()).toEqual([]);
  };
  // What only a run shows: the logarithm of a negative logit, logits that were called probabilities, one value that are two.
  await refused({ last: 'Log', weight: (index) => Math.sin(index) - 1 }, /aasist.onnx is not taken in: .*no number/);
  await refused({}, /not what the card says: its values add up to/, { kind: 'probability' });
  await refused({}, /2 values a window, and a logit is one/, { kind: 'logit' });
  await refused({ opset: 28 }, /opset 28/);
  await refused({ last: 'RandomNormalLike' }, /RandomNormalLike/);
  writeFileSync(card, '{"name": 1}');
  await expect(take()).rejects.toThrow(/aasist.json is no card that can be used: name: .*sampleRateHz: /);
  writeFileSync(card, 'no JSON');
  await expect(take()).rejects.toThrow(/it is no JSON/);
  rmSync(card);
  await expect(take()).rejects.toThrow(/cannot be found/);
  expect(models()).toEqual([]);
});
