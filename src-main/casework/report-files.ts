/** Reports of recordings that belong to no case. */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { ReportRequest } from '../../src-common/schemas/report.ts';
import { UserFacingError } from '../base/errors.ts';
import { temporaryPrefix } from '../base/temporary.ts';
import { Library } from '../cases/library.ts';
import { CaseStore } from '../cases/store.ts';
import { systemActor } from '../cases/session.ts';
import { Detector } from '../detector/detector.ts';
import { findModel, readSpeakingModel } from '../detector/store.ts';
import { keptAnalyses, madeBy } from './case-analysis.ts';
import { takeIn } from './case-intake.ts';
import { mostItemsInFull, reportWithoutCase } from './issue-report.ts';
import type { FinishedReport, ReportProgress, ReportSurroundings } from './issue-report.ts';
import { score } from '../scanning/score.ts';

export interface FilesRequest {
  /** Files and folders, which are walked through. */
  paths: string[];
  /** Folder or name; by default the one that ships. */
  model?: string;
  report: Omit<ReportRequest, 'caseId' | 'evidenceIds' | 'amends' | 'amendment'>;
}

/**
 * Analyses recordings where they lie, as a scan does that nothing else is asked of, and reports on them. What it works with is a case in a temporary folder, which is gone afterwards.
 * @throws UserFacingError for a file that cannot be read; `usage` where there is no recording, or too many
 */
export async function reportFiles(
  { paths, model: name, report }: FilesRequest,
  surroundings: ReportSurroundings,
  progress: ReportProgress = {},
): Promise<FinishedReport & { number: string; pages: number; failed: string[] }> {
  const { onProgress, signal = new AbortController().signal } = progress;
  const model = await readSpeakingModel(await findModel(name));
  const folder = await mkdtemp(temporaryPrefix('report'));
  let library: Library | null = null;
  let store: CaseStore | null = null;
  let detector: Detector | null = null;
  try {
    library = Library.open(join(folder, 'home'));
    const session = { library, actor: systemActor, program: surroundings.application };
    store = CaseStore.create(join(folder, 'case'), { number: 'none', title: 'Recordings without a case' }, session);
    const failed: string[] = [];
    const intake = {
      paths,
      recursive: true,
      copy: false,
      conditionOnReceipt: '',
      receivedAt: '',
      receivedFrom: '',
      senderHashes: {},
    };
    const { added } = await takeIn(store, intake, {
      home: surroundings.home,
      signal,
      onProblem: (path, message) => failed.push(`${path}: ${message}`),
    });
    if (added.length === 0) {
      throw new UserFacingError('usage', failed[0] ?? 'There is no recording to report on.', {
        advice: 'Name files that hold sound, or folders with such.',
      });
    }
    if (added.length > mostItemsInFull) {
      throw new UserFacingError(
        'usage',
        `A report without a case takes at most ${mostItemsInFull} recordings; these are ${added.length}.`,
        { advice: 'Make a case of them, or name fewer.' },
      );
    }
    detector = await Detector.create(model, availableParallelism());
    const made = madeBy(model, surroundings.application);
    for (const [index, evidenceId] of added.entries()) {
      const { name: shown, sha256: intakeSha256 } = store.evidence.get(evidenceId);
      onProgress?.(index, added.length, `analysing ${shown}`);
      const file = { ...store.evidence.file(evidenceId), found: false, reading: { channel: 'auto' as const } };
      const outcome = await score(detector, file, signal);
      const scan = { channel: 'auto' as const, stream: null };
      const analyses = await keptAnalyses(model, made, { evidenceId, intakeSha256 }, scan, outcome);
      for (const analysis of analyses) store.analyses.add(analysis);
    }
    const request = { ...report, evidenceIds: [], amends: null, amendment: '' };
    return {
      ...(await reportWithoutCase(store, request, { ...surroundings, modelFolder: model.folder }, progress)),
      failed,
    };
  } finally {
    await detector?.dispose();
    store?.close();
    library?.close();
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}
