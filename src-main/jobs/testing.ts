import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { babble, wav16 } from '../detector/testing.ts';
import type { JobQueue } from './queue.ts';
import type { Job } from '../../src-preload/contract.ts';

/**
 * A dataset of something like speech, both classes in turns; spoofs are noisier.
 * @returns its spec
 */
export function plantSpeech(folder: string, counts: Record<string, number>, seconds = 2.1): string {
  mkdirSync(join(folder, 'audio'), { recursive: true });
  const lines = ['path,label,split,source,generator'];
  let seed = 1;
  for (const [split, count] of Object.entries(counts)) {
    for (let i = 0; i < count; i++) {
      const bonafide = i % 2 === 0;
      const name = `audio/${split}-${i}.wav`;
      writeFileSync(join(folder, name), wav16(babble(seconds, seed++, { noise: bonafide ? 0.001 : 0.4 })));
      const label = bonafide ? 'bonafide' : 'spoof';
      lines.push(`${name},${label},${split},${label}-${i % 6},${bonafide ? '' : `vocoder-${i % 3}`}`);
    }
  }
  writeFileSync(join(folder, 'manifest.csv'), lines.join('\n'));
  return `manifest:${join(folder, 'manifest.csv')}`;
}

/** Resolves with a job when it is as wanted; looks every few milliseconds. */
export async function jobThat(queue: JobQueue, id: string, wanted: (job: Job) => boolean): Promise<Job> {
  for (;;) {
    const job = queue.get(id);
    if (wanted(job)) return job;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
