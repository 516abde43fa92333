import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { overTelephone, plainLine } from '../audio/telephone.ts';
import { Random } from '../base/random.ts';
import { wavBytes } from '../audio/wav-writer.ts';
import { Detector } from './detector.ts';
import { alone, nameCompanion, readModel, speakerOf } from './store.ts';
import type { StoredModel } from './store.ts';
import { babble, writeTinyModel } from './testing.ts';

const condition = { maximumSampleRateHz: 12_000, maximumBandwidthHz: 4300 };
let folder: string;
let model: StoredModel;
let before: StoredModel;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-companion-'));
  before = await writeTinyModel(join(folder, 'model'), 2);
  await writeTinyModel(join(folder, 'model', 'telephone'), 3);
  model = await nameCompanion(before.folder, 'telephone', condition);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Full-band babble: bursts of hiss fill the band. */
const random = new Random(4);
const wide = babble(2, 4).map(
  (sample, i) => sample + 0.1 * (Math.sin((2 * Math.PI * 4 * i) / 16_000) > 0 ? random.uniform() - 0.5 : 0),
);
const sixteen = wavBytes(
  Int16Array.from(wide, (sample) => 20_000 * sample),
  16_000,
);
const eight = wavBytes(overTelephone(wide, 16_000, plainLine('a-law')), 8000);

async function analyse(of: StoredModel, bytes: Uint8Array): ReturnType<Detector['analyse']> {
  const detector = await Detector.create(of, 1);
  try {
    return await detector.analyse({ path: 'a.wav', bytes });
  } finally {
    await detector.dispose();
  }
}

it('has its companion speak of what is sampled as over a telephone, and says so', async () => {
  const companion = await readModel(join(folder, 'model', 'telephone'));
  const by = await analyse(model, eight);
  const apart = await analyse(companion, eight);
  expect(by.companion).toEqual({ name: 'telephone', sha256: companion.onnxSha256 });
  expect(by.score).toBe(apart.score);
  expect(by.reasons.at(-1)).toMatchObject({ code: 'companion', blocking: false });
  expect(by.reasons.at(-1)?.sentence).toMatch(/^It was sampled at 8000 Hz: the model's companion for telephone speech/);
  expect(speakerOf(model, by).onnxSha256).toBe(companion.onnxSha256);
});

it('has it speak of a higher rate, too, where the sound ends as low', async () => {
  // The telephone's sound in a file of 16 kHz: what lies above 4 kHz is empty.
  const narrow = overTelephone(wide, 16_000, plainLine('mu-law'));
  const upsampled = new Int16Array(2 * narrow.length);
  const { Resampler } = await import('../audio/resample.ts');
  const resampler = new Resampler(8000, 16_000);
  const samples = Float32Array.from(narrow);
  const parts = [...resampler.process(samples), ...resampler.flush()];
  parts.slice(0, upsampled.length).forEach((sample, index) => (upsampled[index] = Math.round(sample)));
  const by = await analyse(model, wavBytes(upsampled, 16_000));
  expect(by.companion?.name).toBe('telephone');
  expect(by.reasons.at(-1)?.sentence).toMatch(/^Its sound reaches up to \d+ Hz only/);
});

it('has one for a codec speak of what is coded so, after those for narrow sound', async () => {
  const { folder: place } = await writeTinyModel(join(folder, 'coded'), 2);
  for (const name of ['telephone', 'pcm']) await writeTinyModel(join(place, name), 3);
  await nameCompanion(place, 'telephone', condition);
  await nameCompanion(place, 'pcm', { codecs: ['pcm_s16le'] });
  // Named anew it keeps its place.
  const both = await nameCompanion(place, 'telephone', condition);
  const by = await analyse(both, sixteen);
  expect(by.companion?.name).toBe('pcm');
  expect(by.reasons.at(-1)?.sentence).toMatch(
    /^It is coded in pcm_s16le: .* It speaks of recordings that are coded in pcm_s16le\.$/,
  );
  expect((await analyse(both, eight)).companion?.name).toBe('telephone');
  await expect(nameCompanion(place, 'pcm', {})).rejects.toThrow('needs a condition');
});

it('speaks itself of all else, as if there were none', async () => {
  const by = await analyse(model, sixteen);
  expect(by).not.toHaveProperty('companion');
  expect(by).toEqual(await analyse(before, sixteen));
  expect(speakerOf(model, by)).toBe(model);
  // Measured on its own, it does without.
  expect((await analyse(alone(model), eight)).companion).toBeUndefined();
});

it('is another model with it than without, and is refused with another companion than its card names', async () => {
  expect(model.onnxSha256).not.toBe(before.onnxSha256);
  const damaged = join(folder, 'damaged');
  cpSync(join(folder, 'model'), damaged, { recursive: true });
  cpSync(join(folder, 'model', 'model.onnx'), join(damaged, 'telephone', 'model.onnx'));
  await expect(readModel(damaged)).rejects.toMatchObject({ code: 'model' });
  await writeTinyModel(join(damaged, 'telephone'), 5);
  await expect(readModel(damaged)).rejects.toThrow(/is not the companion that the card/);
  const path = join(damaged, 'card.json');
  const card = readFileSync(path, 'utf8');
  writeFileSync(path, card.replace('"name": "telephone"', '"name": "../telephone"'));
  await expect(readModel(damaged)).rejects.toThrow(/card that this version can read/);
});
