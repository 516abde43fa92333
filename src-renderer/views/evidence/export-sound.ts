/** Stretches of the open case's recordings as WAV files, saved as one archive. */
import { app } from '../../state/app.svelte.ts';
import { client } from '../../state/client.svelte.ts';
import { plural } from '../../format.ts';
import { cases } from '../../texts/cases.ts';

/**
 * Asks where to, has them written, and says what came of it.
 * @param of those that a person marked, or those that results point out
 * @param evidenceIds of these items; empty: of all
 */
export async function exportSound(of: 'marks' | 'stretches', evidenceIds: number[]): Promise<void> {
  const { caseView } = app;
  if (caseView === null) return;
  const words = cases.evidence.sound;
  const name = words.fileName(caseView.number, of);
  const out = await app.chooseOutput(name);
  if (out === undefined) return;
  await app.attempt(async () => {
    const { jobId } = await client.evidence.exportSound({ caseId: caseView.id, evidenceIds, of, out });
    const job = await app.jobEnded(jobId);
    if (job.state === 'done') {
      app.deliver(job.result ?? {}, name);
      if (job.failed > 0) app.notify(words.failed(plural(job.failed, 'stretch', 'stretches')), 'warning');
    } else {
      app.notifyFailure(job);
    }
  });
}
