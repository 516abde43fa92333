/** Reports one after the other: of each item, or of each case. One that fails is named, and the others are made all the same. */
import type { ReportRequest } from '../../src-common/schemas/report.ts';
import { UserFacingError } from '../base/errors.ts';
import type { CaseStore } from '../cases/store.ts';
import { draftReport, issueReport } from './issue-report.ts';
import type { FinishedReport, ReportSurroundings } from './issue-report.ts';

/** One report of several. */
export interface ReportPart {
  /** Empty: all items of the case. */
  evidenceIds: number[];
  /** What it is of, for a person. */
  subject: string;
  fileName: string;
}

const plain = (text: string): string => text.replace(/[^\p{L}\p{N}._-]+/gu, '-');

/** A report for each of the items; empty: of all. @throws UserFacingError `not-found`; `usage` where there is none */
export function partsOfItems(store: CaseStore, ids: readonly number[], draft: boolean): ReportPart[] {
  const { number } = store.details();
  const chosen = ids.length > 0 ? [...new Set(ids)].sort((one, other) => one - other) : store.evidence.allIds();
  if (chosen.length === 0) {
    throw new UserFacingError('usage', `There is nothing to report: the case ${number} holds no item.`, {
      advice: 'Add evidence first.',
    });
  }
  return chosen.map((id) => ({
    evidenceIds: [id],
    subject: `item ${id} of ${number}, ${store.evidence.get(id).name}`,
    fileName: `report-${plain(number)}-item-${id}${draft ? '-draft' : ''}.pdf`,
  }));
}

/** One report of all items. */
export function partOfCase(store: CaseStore, draft: boolean): ReportPart {
  const { number } = store.details();
  return { evidenceIds: [], subject: number, fileName: `report-${plain(number)}${draft ? '-draft' : ''}.pdf` };
}

/** What becomes of the reports of a batch. */
export interface BatchWork {
  /** Each is a draft, of which nothing is kept or logged. */
  draft: boolean;
  signal?: AbortSignal;
  /** @param done reports that were made or failed */
  onProgress?: (done: number, doing: string) => void;
  onProblem: (subject: string, message: string) => void;
  /** Takes a report that was made; where it cannot, that one failed. @param number null of a draft */
  write: (part: ReportPart, report: FinishedReport & { number: string | null; pages: number | null }) => Promise<void>;
}

/**
 * Makes the reports of a case that were asked for, each with its own number and row in the log.
 * @returns how many were written
 * @throws the signal's reason when aborted: those issued until then stay issued
 */
export async function reportParts(
  store: CaseStore,
  parts: readonly ReportPart[],
  request: ReportRequest,
  surroundings: ReportSurroundings,
  { draft, signal, onProgress, onProblem, write }: BatchWork,
): Promise<number> {
  let written = 0;
  for (const [index, part] of parts.entries()) {
    signal?.throwIfAborted();
    const asked = { ...request, evidenceIds: part.evidenceIds };
    const tell = (doing: string): void => onProgress?.(index, `${part.subject}: ${doing}`);
    const progress = {
      onProgress: (_done: number, _total: number, doing: string) => tell(doing),
      ...(signal && { signal }),
    };
    let issued: string | null = null;
    try {
      if (draft) {
        const made = await draftReport(store, asked, surroundings, progress);
        await write(part, { ...made, number: null });
      } else {
        const { issued: row, ...made } = await issueReport(store, asked, surroundings, progress);
        issued = row.number;
        await write(part, { ...made, number: issued, pages: row.pages });
      }
      written++;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof UserFacingError)) throw error;
      const { sentence } = error;
      onProblem(part.subject, issued === null ? sentence : `The report ${issued} was issued, but: ${sentence}`);
    }
    onProgress?.(index + 1, part.subject);
  }
  return written;
}
