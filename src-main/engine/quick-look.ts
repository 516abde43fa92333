/** A look at recordings that are in no case: described and scanned at once, and taken into a case where a person wants that. */
import { UserFacingError } from '../base/errors.ts';
import { intakeSummary, takeIn } from '../casework/case-intake.ts';
import type { CaseStore } from '../cases/store.ts';
import type { EngineContext } from './context.ts';
import type { Look } from './look-case.ts';
import { modelFor, releaseLater, startIntake, startScan } from './resume.ts';

/** What an intake is asked for where nobody was asked. */
const asTheyAre = {
  ...{ recursive: true, copy: false, conditionOnReceipt: '', receivedAt: '', receivedFrom: '', senderHashes: {} },
};

/** Describes the recordings and scans them, as a job. @returns its id; that of the scan is a job of its own */
export function beginLook(context: EngineContext, store: CaseStore, paths: readonly string[]): string {
  const { jobs, home } = context;
  return jobs.start({ kind: 'intake', title: 'Quick look', caseId: store.id, unit: 'files' }, async (job) => {
    try {
      const outcome = await takeIn(
        store,
        { ...asTheyAre, paths: [...paths] },
        {
          home,
          signal: job.signal,
          onProgress: (progress) => job.progress(progress),
          onProblem: (path, message) => job.problem(path, message),
        },
      );
      const { added, ...counts } = outcome;
      if (added.length > 0) await scan(context, store, added);
      return { summary: intakeSummary(outcome), evidenceIds: added, ...counts };
    } finally {
      releaseLater(context, store.id);
    }
  });
}

/** Without a model there is still something to look at. */
async function scan(context: EngineContext, store: CaseStore, ids: readonly number[]): Promise<void> {
  const model = await modelFor(context, undefined).catch((error: unknown) => {
    if (error instanceof UserFacingError) return null;
    throw error;
  });
  if (!model) return;
  const { scanId } = store.scans.begin(
    {
      ...{ model: null, modelName: model.card.name, modelSha256: model.onnxSha256 },
      ...{ channel: 'auto', stream: null, readAll: false },
    },
    ids,
  );
  startScan(context, store, scanId, model);
}

/**
 * Has another case take in what is looked at, with the marks, notes and tags that were made; it is scanned anew there.
 * @returns the job of the intake
 */
export function takeLook(context: EngineContext, store: CaseStore, look: Look, into: CaseStore): string {
  const written = store.evidence.allIds().map((id) => {
    const { sha256, notes, description, tags, marks } = store.evidence.get(id);
    return { sha256, notes, description, tags, marks };
  });
  const request = { ...asTheyAre, paths: [...look.paths] };
  const jobId = startIntake(context, into, into.intakes.begin(request), request, (added) => {
    for (const id of added) {
      const known = written.find(({ sha256 }) => sha256 === into.evidence.intake(id).sha256);
      if (!known) continue;
      const { notes, description, tags, marks } = known;
      into.evidence.update(id, { notes, description, tags });
      into.marks.addAll(
        id,
        marks.map(({ id: _, createdAt: __, ...mark }) => mark),
      );
    }
  });
  look.taken = true;
  return jobId;
}
