/** A small model, recordings that it tells apart, and a plan to validate it by, for tests. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { wav16 as wavOfRate } from '../audio/wav-writer.ts';
import { Random } from '../base/random.ts';
import { startingWeights } from '../detector/network.ts';
import { networkFiles, writeModel } from '../detector/store.ts';
import { babble, tinyCard, tinyMember, tinyNetwork, wav16 } from '../detector/testing.ts';
import type { ValidationRequest } from './validate-model.ts';
import { readValidationPlan } from './validation-plan.ts';

export const conditions = {
  description: 'Voices that a test makes.',
  codecs: ['pcm_s16le'],
  speechSeconds: { from: 0.5, to: 20 },
  sampleRateHz: { from: 16_000 },
};

/** Writes a plan and reads it. @param changed what it says otherwise than the one of {@link validationFixture} */
export async function writtenPlan(
  folder: string,
  name: string,
  changed: Record<string, unknown> = {},
): Promise<ValidationRequest['stated']> {
  const path = join(folder, `${name}.json`);
  const acceptance = { recordings: { atLeast: 20 }, auc: { atLeast: 0.9 } };
  const whole = { format: 1, laboratory: 'A laboratory', title: 'A test', conditions, acceptance, errorRate: 0.3 };
  writeFileSync(path, JSON.stringify({ ...whole, ...changed }));
  return readValidationPlan(path);
}

/** @param hashes of the files that its card says it was trained on */
export async function writeModelTrainedOn(folder: string, hashes: string[]): Promise<void> {
  const weights = startingWeights(tinyNetwork, 1);
  const random = new Random(2);
  for (const values of weights.values()) for (let i = 0; i < values.length; i++) values[i] += 0.5 * random.normal();
  const training = { ...tinyCard.training, fileSha256: hashes };
  await writeModel(join(folder, 'model'), { ...tinyCard, training }, networkFiles(tinyMember, tinyNetwork, weights));
}

/**
 * Twenty-four recordings of each class by twelve sources, quiet ones bona fide and noisy ones spoofs, and two outside of the conditions
 * (`low.wav` by its rate, `long.wav` by its length); the model; and what its validation is asked with.
 */
export async function validationFixture(folder: string): Promise<ValidationRequest> {
  mkdirSync(join(folder, 'audio'));
  const lines = ['path,label,split,source,speaker'];
  for (let i = 0; i < 48; i++) {
    const label = i % 2 === 0 ? 'bonafide' : 'spoof';
    writeFileSync(join(folder, 'audio', `${i}.wav`), wav16(babble(1.5, i, { noise: i % 2 === 0 ? 0.001 : 0.4 })));
    lines.push(`audio/${i}.wav,${label},ours,${label}-${i % 24},${label}-${i % 24}`);
  }
  writeFileSync(join(folder, 'audio', 'low.wav'), wavOfRate(babble(1.5, 50), 8000));
  writeFileSync(join(folder, 'audio', 'long.wav'), wav16(babble(25, 51)));
  lines.push('audio/low.wav,bonafide,ours,bonafide-0,bonafide-0', 'audio/long.wav,spoof,ours,spoof-1,spoof-1');
  writeFileSync(join(folder, 'manifest.csv'), lines.join('\n'));
  await writeModelTrainedOn(folder, []);
  return {
    folder: join(folder, 'model'),
    dataset: `manifest:${join(folder, 'manifest.csv')}`,
    split: 'ours',
    stated: await writtenPlan(folder, 'plan'),
    examiner: 'Ada Examiner',
    out: join(folder, 'validated'),
    notes: ['A note.'],
    seed: 1,
    replicates: 100,
  };
}
