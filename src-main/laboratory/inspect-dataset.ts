/** What a dataset holds and what makes it unfit, as the window shows it. */
import type { DatasetReport } from '../../src-common/schemas/dataset.ts';
import { checkDataset } from '../datasets/check.ts';
import type { Shortcut } from '../datasets/check.ts';
import { inspectDataset } from '../datasets/inspect.ts';
import { loadDataset, withBonafide } from '../datasets/load.ts';
import { measureAll } from '../datasets/measure-all.ts';
import { everyTenthSecond } from '../jobs/every-tenth-second.ts';

export interface InspectRequest {
  spec: string;
  bonafide?: string;
}
export interface InspectEvent {
  done: number;
  total: number;
}
export type InspectResult = DatasetReport;

/** Files that cannot be read, and values, beyond which a list says no more. */
const mostListed = 1000;

function sentence({ split, property, auc, spoofsAre }: Shortcut): string {
  const where = split === null ? '' : ` in ${split}`;
  const direction = spoofsAre === null ? '' : ` Spoofs are ${spoofsAre}.`;
  return `The ${property} alone tells the classes${where} apart with an AUC of ${auc.toFixed(2)}.${direction}`;
}

/**
 * Decodes and measures every recording, as `earwitness dataset inspect` does.
 * @throws UserFacingError `dataset`; the signal's reason.
 */
export async function inspectAndCheck(
  request: InspectRequest,
  tell: (event: InspectEvent) => void,
  signal: AbortSignal,
): Promise<InspectResult> {
  const dataset = await loadDataset(withBonafide(request.spec, request.bonafide));
  signal.throwIfAborted();
  const isDue = everyTenthSecond();
  const measured = await measureAll(dataset.items, {
    signal,
    onProgress: (done, total) => {
      if (done === total || isDue()) tell({ done, total });
    },
  });
  const report = await inspectDataset(dataset, { measured, signal });
  const check = checkDataset(dataset.items, measured);
  const values = (list: typeof report.generators): DatasetReport['generators'] =>
    list.slice(0, mostListed).map(({ value, files }) => ({ value, files }));
  return {
    spec: report.spec,
    layout: report.layout,
    files: report.files,
    bonafide: report.bonafide,
    spoof: report.spoof,
    totalSeconds: report.durations?.totalSeconds ?? null,
    splits: report.splits.map(({ split, label, files, speakers, sources, generators }) => ({
      split,
      label,
      files,
      speakers,
      sources,
      generators,
    })),
    generators: values(report.generators),
    sources: values(report.sources),
    warnings: check.warnings,
    shortcuts: check.shortcuts.map((shortcut) => {
      const { split, property, auc } = shortcut;
      return { split, property, auc, sentence: sentence(shortcut) };
    }),
    notes: report.notes,
    problems: report.problems.slice(0, mostListed).map(({ path, reason }) => ({ path, reason })),
  };
}
