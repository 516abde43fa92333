/** `earwitness report --each`: a report for each item, or of each case, in a folder. */
import { join, resolve } from 'node:path';
import type { ReportRequest } from '../../src-common/schemas/report.ts';
import { visibleName } from '../../src-common/visible-text.ts';
import { UserFacingError } from '../base/errors.ts';
import type { ReportPart } from '../casework/report-batch.ts';
import type { ReportSurroundings } from '../casework/issue-report.ts';
import type { EvidenceFilter } from '../cases/evidence-table.ts';
import type { Session } from '../cases/session.ts';
import type { CaseStore } from '../cases/store.ts';
import { writeFailures } from './case-session.ts';
import { exitStatus, interruptible } from './context.ts';
import { matching } from './item-filter.ts';
import { mustBeFree, writeOutputs } from './outputs.ts';

export interface EachRequest {
  /** Of the cases. */
  folders: string[];
  each: 'item' | 'case';
  /** Of the one case; empty: all. */
  items: number[];
  /** In place of them; null: none. */
  filter: EvidenceFilter | null;
  draft: boolean;
  /** The folder that takes the documents. */
  out: string;
  overwrite: boolean;
  /** Without case and items. */
  asked: Omit<ReportRequest, 'caseId' | 'evidenceIds'>;
}

interface Planned {
  folder: string;
  parts: ReportPart[];
}

/** @returns the exit status: 3 where some were not made, which are named */
export async function reportEach(
  { folders, each, items, filter, draft, out, overwrite, asked }: EachRequest,
  surroundings: ReportSurroundings,
  actor: () => string,
): Promise<number> {
  const [{ CaseStore }, { Library }, batch, { ensureFolder }] = await Promise.all([
    import('../cases/store.ts'),
    import('../cases/library.ts'),
    import('../casework/report-batch.ts'),
    import('../base/files.ts'),
  ]);
  const failures: { subject: string; message: string }[] = [];
  const planned: Planned[] = [];
  const onProblem = (subject: string, message: string): void => void failures.push({ subject, message });
  /** What a person can cause is said of that case; the others go on. */
  const attempt = async (folder: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof UserFacingError)) throw error;
      onProblem(folder, error.sentence);
    }
  };
  for (const folder of folders) {
    await attempt(folder, async () => {
      const store = CaseStore.read(folder);
      try {
        const ids = filter === null ? items : await matching(store, filter);
        const parts =
          each === 'item'
            ? batch.partsOfItems(store, ids, draft)
            : [{ ...batch.partOfCase(store, draft), evidenceIds: ids }];
        planned.push({ folder, parts });
      } finally {
        store.close();
      }
    });
  }
  const target = resolve(out);
  const names = planned.flatMap(({ parts }) => parts.map(({ fileName }) => fileName));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new UserFacingError('usage', `Two of the reports would be called ${twice}: cases with one number.`, {
      advice: 'Report on them one after the other, into folders of their own.',
    });
  }
  const outputs = { overwrite, cases: folders };
  // Before anything is logged.
  await mustBeFree(
    names.map((name) => join(target, name)),
    outputs,
  );
  await ensureFolder(target);

  return interruptible(async (signal, line) => {
    let before = 0;
    let written = 0;
    const reportsOf = async (store: CaseStore, parts: ReportPart[]): Promise<void> => {
      written += await batch.reportParts(store, parts, { ...asked, caseId: store.id, evidenceIds: [] }, surroundings, {
        ...{ draft, signal, onProblem },
        onProgress: (done, doing) => line.show(`${before + done} of ${names.length} reports: ${doing}`),
        write: async ({ fileName }, { pdf, number, pages }) => {
          const path = join(target, fileName);
          await writeOutputs(new Map([[path, pdf]]), outputs);
          line.clear();
          const what = number === null ? 'a draft' : `report ${number}`;
          process.stdout.write(`${visibleName(`${path}: ${what}, ${pages ?? 0} pages`)}\n`);
        },
      });
      before += parts.length;
    };
    const library = draft ? null : Library.open(surroundings.home);
    try {
      const session: Session | null = library && { library, actor, program: surroundings.application };
      for (const { folder, parts } of planned) {
        await attempt(folder, async () => {
          // A draft is of a case that is read only: whoever has it open goes on.
          const store = session === null ? CaseStore.read(folder) : CaseStore.open(folder, session);
          try {
            await reportsOf(store, parts);
          } finally {
            store.close();
          }
        });
      }
    } finally {
      library?.close();
    }
    line.clear();
    process.stderr.write(`${written} ${written === 1 ? 'report' : 'reports'} written, ${failures.length} failed.\n`);
    writeFailures(failures);
    return failures.length > 0 ? exitStatus.someFailed : exitStatus.done;
  }, 'Stopped: the reports named above are whole, no other was begun.');
}
