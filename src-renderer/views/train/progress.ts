/** How far a training is, in numbers and words. */
import type { Job } from '../../../src-common/schemas/job.ts';
import type { Training, TrainingMember } from '../../../src-common/schemas/training.ts';
import { train } from '../../texts/train.ts';

/** Whether it neither runs nor waits, and has no model: it can go on from its checkpoint, or be discarded. */
export function isInterrupted({ state, modelId }: Training): boolean {
  return modelId === null && state !== 'running' && state !== 'queued' && state !== 'done';
}

/** From 0 to 1, folds included; null before the first step. */
export function progressOf(job: Job | undefined): number | null {
  return job === undefined || job.total === null || job.total === 0 || job.done === 0
    ? null
    : Math.min(1, job.done / job.total);
}

/** How far a member is, from 0 to 1; null before its first step, and while the head of an encoder is fitted. */
export function memberShare({ kind, planned, embedded, steps }: TrainingMember): number | null {
  if (kind === 'encoder')
    return embedded === null || embedded.done === embedded.total ? null : embedded.done / embedded.total;
  const at = steps.at(-1)?.epoch;
  return at === undefined || planned === null ? null : Math.min(1, at / planned);
}

/** Its state as a word. */
export function stateWords(training: Training): string {
  const { states } = train.page;
  return training.state === 'paused' && isInterrupted(training) ? states.interrupted : states[training.state];
}
