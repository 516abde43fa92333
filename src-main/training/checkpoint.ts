import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import { writeFileWhole } from '../base/files.ts';
import type { Weights } from '../detector/network.ts';
import { readSafetensors, writeSafetensors } from '../detector/safetensors.ts';

/** Everything that a training run needs to go on as if it had never stopped. */
export interface Checkpoint {
  /** What the run was asked for, as text: a run asked for something else does not continue this one. */
  request: string;
  /** The next epoch and step to do. */
  epoch: number;
  step: number;
  lossSum: number;
  history: { epoch: number; loss: number; devEer: number; devAuc: number }[];
  weights: Weights;
  optimiser: { step: number; m: Weights; v: Weights };
  /** The best epoch so far, -1 before the first. */
  bestEpoch: number;
  best: Weights;
  /** The running average of the weights, empty where none is kept. */
  average: Weights;
}

const parts = ['weights', 'm', 'v', 'best', 'average'] as const;

function pathIn(folder: string): string {
  return join(folder, 'checkpoint.safetensors');
}

export async function writeCheckpoint(folder: string, checkpoint: Checkpoint): Promise<void> {
  const arrays: Weights = new Map();
  const add = (part: (typeof parts)[number], values: Weights): void => {
    for (const [name, value] of values) arrays.set(`${part}/${name}`, value);
  };
  const { weights, best, average, optimiser, ...rest } = checkpoint;
  add('weights', weights);
  add('m', optimiser.m);
  add('v', optimiser.v);
  add('best', best);
  add('average', average);
  const metadata = { state: JSON.stringify({ ...rest, optimiserStep: optimiser.step }) };
  await writeFileWhole(pathIn(folder), writeSafetensors(arrays, metadata));
}

/** The checkpoint in a model's folder, or null where there is none. @throws UserFacingError `damaged`. */
export async function readCheckpoint(folder: string): Promise<Checkpoint | null> {
  const path = pathIn(folder);
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new UserFacingError('unreadable', `${path} cannot be read.`, { path, cause: error });
  });
  if (bytes === null) return null;
  const { arrays, metadata } = readSafetensors(bytes, path);
  const split = Object.fromEntries(parts.map((part) => [part, new Map<string, Float32Array>()]));
  for (const [name, values] of arrays) {
    const at = name.indexOf('/');
    split[name.slice(0, at)]?.set(name.slice(at + 1), values);
  }
  const { optimiserStep, ...rest } = JSON.parse(metadata['state']) as Omit<
    Checkpoint,
    'weights' | 'best' | 'average' | 'optimiser'
  > & { optimiserStep: number };
  return {
    ...rest,
    weights: split['weights'],
    best: split['best'],
    average: split['average'],
    optimiser: { step: optimiserStep, m: split['m'], v: split['v'] },
  };
}

export async function removeCheckpoint(folder: string): Promise<void> {
  await rm(pathIn(folder), { force: true });
}
