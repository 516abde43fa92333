/**
 * Tries one backend in a process of its own, since a native library or a graphics driver that does not fit the machine
 * may end the process that loads it. Sends one message: what answered, or why nothing did.
 */
import * as tf from '@tensorflow/tfjs-core';
import { describeError, UserFacingError } from '../../base/errors.ts';
import { asSentence, loadBackend } from './load.ts';
import type { BackendName, LoadedBackend } from './load.ts';

export type ProbeMessage = { loaded: LoadedBackend } | { failure: string; advice?: string };

async function probe(name: BackendName): Promise<ProbeMessage> {
  try {
    const loaded = await loadBackend(name);
    const product = tf.matMul(tf.ones([2, 3]), tf.ones([3, 2]));
    const values = await product.data();
    if (!values.every((value) => value === 3)) {
      return { failure: `The ${name} backend computes wrongly (${values.join(', ')} where each is 3).` };
    }
    return { loaded };
  } catch (error) {
    if (error instanceof UserFacingError) return { failure: error.message, advice: error.advice };
    return { failure: asSentence(`The ${name} backend does not load: ${describeError(error).split('\n')[0]}`) };
  }
}

const message = await probe(process.argv[2] as BackendName);
// Leaves at once: what a driver does while it is taken down does not matter here.
process.send!(message, () => process.exit(0));
