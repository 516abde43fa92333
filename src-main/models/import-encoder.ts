/** Takes in a frozen encoder that a laboratory brings: an ONNX graph and the card that says what goes in and what comes out. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { rename, rm } from 'node:fs/promises';
import { z } from 'zod';
import { UserFacingError } from '../base/errors.ts';
import { ensureFolder, unwritable, writeFileWhole } from '../base/files.ts';
import { sha256 } from '../base/sha256.ts';
import { applicationRoot } from '../base/workers.ts';
import { encoderCardSchema, encoderFolders, findEncoder } from '../detector/encoders/encoder.ts';
import type { EncoderCard } from '../detector/encoders/encoder.ts';
import { encoderFrontEndNames, frontEndShape } from '../detector/encoders/whisper-features.ts';
import { whisperFraming } from '../detector/encoders/whisper.ts';
import { readGraphFile } from '../detector/graph-data.ts';
import { refusal } from '../detector/graph.ts';
import type { GraphOutline } from '../detector/graph.ts';
import { encoderName } from '../detector/member.ts';
import { readDeclaration, runTrial } from './import-detector.ts';

/** A card as a laboratory writes it beside an encoder's graph: see docs/models.md. */
export const encoderDeclarationSchema = z.strictObject({
  /** Its members are called by it; further seeds of networks end in a number. */
  name: encoderName.max(40).refine((name) => !/-\d+$/.test(name), 'must not end in a hyphen and a number'),
  description: z.string().default(''),
  licence: z.string().default(''),
  source: z.string().default(''),
  input: z.strictObject({
    name: z.string().min(1),
    sampleRateHz: z.int().min(1000).max(192_000).default(16_000),
    /** Of a window: the length that the other members see. */
    samples: z.int().min(1600).default(48_000),
    normalisation: z.enum(['none', 'mean-deviation']).default('none'),
    padTo: z.int().positive().nullable().default(null),
    /** Of an encoder that takes spectra: computed here, of the samples. */
    frontEnd: z.enum(encoderFrontEndNames).nullable().default(null),
  }),
  /** The graph's outputs, one a layer. */
  layers: z.array(z.string().min(1)).min(1).max(100),
  /** Values at each position of a layer. */
  width: z.int().min(1).max(16_384),
});
type EncoderDeclaration = z.infer<typeof encoderDeclarationSchema>;

/** Compares the shape of the graph's input with the card. */
function checkInput(shape: readonly (number | null)[], input: EncoderDeclaration['input'], path: string): void {
  const samples = input.padTo ?? input.samples;
  if (samples < input.samples)
    throw refusal(path, `padTo ${samples} is less than the ${input.samples} samples of a window`);
  const { frontEnd } = input;
  if (frontEnd && (samples % whisperFraming.hopSamples !== 0 || input.sampleRateHz !== whisperFraming.sampleRateHz)) {
    throw refusal(path, `the front end ${frontEnd} takes whole frames of 160 samples at 16000 Hz`);
  }
  // The last axes; those before them are one or free.
  const last = frontEnd ? frontEndShape(frontEnd, samples) : [samples];
  const lead = shape.length - last.length;
  const wrong = shape.some((length, axis) => length !== null && length !== (axis < lead ? 1 : last[axis - lead]));
  if (wrong || lead < (frontEnd ? 1 : 0) || lead > (frontEnd ? 1 : 2)) {
    const shown = shape.map((one) => one ?? 'any').join(', ');
    const declared = frontEnd ? `[1, ${last.join(', ')}] (${frontEnd} of ${samples} samples)` : `${samples} samples`;
    throw refusal(path, `its input is [${shown}], and what the card declares is ${declared}`);
  }
}

/** Finds in the graph what the card declares. @returns the axes of its input */
function axesOf(outline: GraphOutline, { input, layers, width }: EncoderDeclaration, path: string): number {
  const names = (values: { name: string }[]): string => values.map(({ name }) => name).join(', ');
  const found = outline.inputs.find(({ name }) => name === input.name);
  if (found === undefined) throw refusal(path, `it has no input "${input.name}", but ${names(outline.inputs)}`);
  if (outline.inputs.length > 1) {
    throw refusal(
      path,
      `it has ${outline.inputs.length} inputs (${names(outline.inputs)})`,
      'Export it without a mask.',
    );
  }
  if (found.elementType !== 1) throw refusal(path, `its input "${input.name}" takes no 32-bit floats`);
  const shape = found.shape ?? [];
  checkInput(shape, input, path);
  for (const layer of layers) {
    const output = outline.outputs.find(({ name }) => name === layer);
    if (output === undefined) throw refusal(path, `it has no output "${layer}", but ${names(outline.outputs)}`);
    const last = output.shape?.at(-1);
    if (output.shape && (output.shape.length !== 3 || (typeof last === 'number' && last !== width))) {
      const is = output.shape.map((one) => one ?? 'any').join(', ');
      throw refusal(path, `its layer "${layer}" is [${is}], and what the card declares is [1, positions, ${width}]`);
    }
  }
  return shape.length;
}

/** The place of a card: of one that comes with the application, by its name, else of a file. */
export function encoderCardPath(nameOrFile: string): string {
  if (!encoderName.safeParse(nameOrFile).success) return resolve(nameOrFile);
  const shipped = join(applicationRoot(), 'resources', 'encoder-cards', `${nameOrFile}.json`);
  return existsSync(shipped) ? shipped : resolve(nameOrFile);
}

export interface TakenEncoder {
  folder: string;
  card: EncoderCard;
  secondsPerWindow: number;
}

/**
 * Puts an encoder among those of the data folder: the graph is looked at first, then run in a process of its own.
 * @throws UserFacingError `card`, `graph`, `exists`, `unwritable`; the signal's reason when it fires
 */
export async function takeInEncoder(graph: string, cardPath: string, signal?: AbortSignal): Promise<TakenEncoder> {
  const declared = await readDeclaration(cardPath, encoderDeclarationSchema);
  const { name, description, licence, source, layers, width } = declared;
  if ((await findEncoder(name)) !== null) {
    throw new UserFacingError('exists', `There is an encoder "${name}" already.`, {
      advice: `Give it another name in the card, or remove the folder ${encoderFolders(name)[1]}.`,
    });
  }
  const { onnx, outline } = await readGraphFile(graph);
  const axes = axesOf(outline, declared, graph);
  const { samples, sampleRateHz, normalisation, padTo, frontEnd } = declared.input;
  const hash = sha256(onnx);
  const card: EncoderCard = encoderCardSchema.parse({
    ...{ format: 1, name, description, licence, source },
    // Of a graph that is not ours: by the whole file, and by how it is used.
    ...{ weightsSha256: sha256(JSON.stringify([hash, declared.input, layers, width])), onnxSha256: hash },
    input: { name: declared.input.name, sampleRateHz, samples },
    output: { name: 'embedding', size: 2 * layers.length * width },
    brought: { layers, width, axes, normalisation, padTo, ...(frontEnd ? { frontEnd } : {}) },
  });
  const folder = encoderFolders(name)[1];
  const staging = join(folder, '..', `.${name}.partial`);
  await rm(staging, { recursive: true, force: true });
  try {
    await ensureFolder(staging).catch((error: unknown) => {
      throw unwritable(staging, error);
    });
    await writeFileWhole(join(staging, 'encoder.onnx'), onnx);
    const request = { path: join(staging, 'encoder.onnx'), card };
    const { secondsPerWindow } = await runTrial('tryEncoder', request, graph, signal);
    await writeFileWhole(join(staging, 'card.json'), `${JSON.stringify(card, null, 1)}\n`);
    await rename(staging, folder).catch((error: unknown) => {
      throw unwritable(folder, error);
    });
    return { folder, card, secondsPerWindow };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}
