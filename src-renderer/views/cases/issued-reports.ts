/** What becomes of a job that issues reports. */
import { plural } from '../../format.ts';
import { app } from '../../state/app.svelte.ts';
import { isString } from '../../state/kept.ts';
import { cases } from '../../texts/cases.ts';

/**
 * Waits for it, hands its document or archive over, and says what was issued and what was not.
 * @param suggestedName where the report that was issued does not say a better one
 */
export async function reportsIssued(jobId: string, suggestedName: string): Promise<void> {
  const words = cases.report;
  const job = await app.jobEnded(jobId);
  if (job.state === 'done') {
    const result = job.result ?? {};
    app.deliver(result, isString(result.number) ? words.fileName(result.number) : suggestedName);
    if (isString(result.number)) app.notify(words.issued(result.number), 'success');
    if (typeof result.reports === 'number') {
      app.notify(words.issuedEach(plural(result.reports, 'report was', 'reports were')), 'success');
      if (job.failed > 0) app.notify(words.failedEach(plural(job.failed, 'report')), 'warning');
    }
  } else {
    app.notifyFailure(job);
  }
}
