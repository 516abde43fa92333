/** Stretches of the open case's recordings as WAV files or pictures, saved as one archive. */
import { app } from '../../state/app.svelte.ts';
import { client } from '../../state/client.svelte.ts';
import { plural } from '../../format.ts';
import { cases } from '../../texts/cases.ts';

interface StretchesWanted {
  /** Those that a person marked, or those that results point out. */
  of: 'marks' | 'stretches';
  as?: 'wav' | 'png';
  /** Of these items; empty: of all. */
  evidenceIds?: number[];
  /** Of marks: those of one category or speaker; null: all. */
  category?: string | null;
}

/** Asks where to, has them written, and says what came of it. */
export async function exportSound({
  of,
  as = 'wav',
  evidenceIds = [],
  category = null,
}: StretchesWanted): Promise<void> {
  const { caseView } = app;
  if (caseView === null) return;
  const words = cases.evidence.sound;
  const name = words.fileName(caseView.number, of, as);
  const out = await app.chooseOutput(name);
  if (out === undefined) return;
  await app.attempt(async () => {
    const { jobId } = await client.evidence.exportSound({ caseId: caseView.id, evidenceIds, of, as, category, out });
    const job = await app.jobEnded(jobId);
    if (job.state === 'done') {
      app.deliver(job.result ?? {}, name);
      if (job.failed > 0) app.notify(words.failed(plural(job.failed, 'stretch', 'stretches')), 'warning');
    } else {
      app.notifyFailure(job);
    }
  });
}
