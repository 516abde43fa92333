import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as workers from '../base/workers.ts';
import { Detector } from './detector.ts';
import { encoderFolders } from './encoders/encoder.ts';
import { defaultModelFolder, findModel, readModel, readSpeakingModel, shippedModelFolder } from './store.ts';
import { babble, wav16 } from './testing.ts';

vi.mock('../base/workers.ts', async (original) => ({
  ...(await original<typeof workers>()),
  applicationRoot: vi.fn(),
}));

const { applicationRoot } = await vi.importActual<typeof workers>('../base/workers.ts');
const project = applicationRoot();

/** A copy of what the application ships, to take from. */
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'earwitness-store-'));
  vi.stubEnv('EARWITNESS_HOME', join(root, 'home'));
  vi.mocked(workers.applicationRoot).mockReturnValue(root);
  for (const part of ['models', 'encoders']) {
    cpSync(join(project, 'resources', part), join(root, 'resources', part), { recursive: true });
  }
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

describe('where the default model’s encoder cannot be had', () => {
  const own = (): string => encoderFolders('whisper-tiny-en')[0];

  it.each([
    ['is not there', () => rmSync(own(), { recursive: true })],
    ['lacks its graph', () => rmSync(join(own(), 'encoder.onnx'))],
    ['is another', () => writeFileSync(join(own(), 'encoder.onnx'), 'another')],
    ['has no card that can be read', () => writeFileSync(join(own(), 'card.json'), '{')],
  ])('the model without it speaks under its own name, and says so: it %s', async (_, spoil) => {
    spoil();
    const folder = defaultModelFolder();
    await expect(readModel(folder)).rejects.toMatchObject({ code: 'model' });
    const model = await readSpeakingModel(folder);
    const fast = await readModel(shippedModelFolder('fast'));
    expect(model).toMatchObject({ card: { name: 'fast' }, onnxSha256: fast.onnxSha256, folder: fast.folder });
    expect(model.insteadOf).toMatch(/^The default model's encoder cannot be had, so the model fast/);

    const detector = await Detector.create(model, 1);
    const analysis = await detector.analyse({ path: 'a.wav', bytes: wav16(babble(3, 1)) });
    await detector.dispose();
    expect(analysis.members?.map(({ name }) => name)).toEqual(fast.card.members.map(({ name }) => name));
    expect(analysis.reasons).toContainEqual({ code: 'other-model', sentence: model.insteadOf, blocking: false });
  });

  it('no model speaks for one that is not the default', async () => {
    rmSync(own(), { recursive: true });
    const copy = join(root, 'home', 'models', 'copy');
    cpSync(defaultModelFolder(), copy, { recursive: true });
    await expect(readSpeakingModel(copy)).rejects.toThrow(/needs the encoder whisper-tiny-en/);
  });
});

it('tells the models that ship apart by name, identity and figures', async () => {
  const [whole, fast] = [await readModel(await findModel(undefined)), await readModel(await findModel('fast'))];
  expect(await readSpeakingModel(whole.folder)).not.toHaveProperty('insteadOf');
  expect([whole.card.name, fast.card.name]).toEqual(['default', 'fast']);
  expect(whole.onnxSha256).not.toBe(fast.onnxSha256);
  expect(fast.card.members.some(({ kind }) => kind === 'encoder')).toBe(false);
  expect(fast.card.calibration).not.toEqual(whole.card.calibration);
  for (const { card } of [whole, fast]) {
    expect(card.figures.map(({ split }) => split)).toEqual(expect.arrayContaining(['dev', 'test']));
    expect(card.records.map(({ split }) => split)).toEqual(expect.arrayContaining(['dev', 'test']));
  }
});
