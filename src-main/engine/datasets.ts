import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { DatasetReport } from '../../src-common/schemas/dataset.ts';
import type { ContractOutputs } from '../../src-preload/contract.ts';
import { writeFileWhole } from '../base/files.ts';
import { pinned } from '../datasets/collections/use.ts';
import { specPaths } from '../datasets/load.ts';
import { runInLaboratory } from '../laboratory/laboratory.ts';
import type { InspectEvent } from '../laboratory/inspect-dataset.ts';
import type { EngineContext } from './context.ts';
import { readablePath } from './files.ts';
import { os } from './implementer.ts';
import { progressStream } from './progress-stream.ts';

type Recognised = ContractOutputs['datasets']['recognise'];
type InspectionEvent = ({ type: 'progress' } & InspectEvent) | { type: 'report'; report: DatasetReport };

const mostRecent = 20;
/** A folder that takes longer to list is recognised as what was found by then. */
const recogniseMilliseconds = 15_000;
const graceMilliseconds = 2000;

const recentPath = (home: string): string => join(home, 'recent-datasets.json');

async function recentSpecs(home: string): Promise<string[]> {
  const text = await readFile(recentPath(home), 'utf8').catch(() => '[]');
  try {
    return z.array(z.string()).parse(JSON.parse(text));
  } catch {
    return [];
  }
}

const lastNoted = new Map<string, Promise<void>>();

/** Puts a spec that was used on top of those that were used before. */
async function noteDataset(home: string, spec: string): Promise<void> {
  const noting = (lastNoted.get(home) ?? Promise.resolve()).then(async () => {
    const specs = [spec, ...(await recentSpecs(home)).filter((one) => one !== spec)].slice(0, mostRecent);
    await writeFileWhole(recentPath(home), JSON.stringify(specs), { mode: 0o600 });
  });
  lastNoted.set(
    home,
    noting.catch(() => undefined),
  );
  await noting;
}

/** @throws UserFacingError `dataset` for what is no spec, `not-allowed` and `not-found` for where it leads. */
export async function readableDataset(context: EngineContext, spec: string, bonafide?: string): Promise<void> {
  for (const path of specPaths(spec, bonafide)) await readablePath(context, path);
}

/**
 * The spec of a dataset that work begins on, noted among those that were used. Of a collection it names the hash of the list from now on, and
 * what is left out of it is told.
 * @throws UserFacingError as {@link readableDataset} and `pinned`
 */
export async function usedDataset(context: EngineContext, spec: string, bonafide?: string): Promise<string> {
  await readableDataset(context, spec, bonafide);
  const exact = pinned(spec);
  for (const sentence of exact.leftOut) context.changes.publish({ type: 'notice', tone: 'warning', sentence });
  await noteDataset(context.home, spec);
  return exact.spec;
}

async function recognise(path: string, signal: AbortSignal | undefined): Promise<Recognised> {
  const found: Recognised = [];
  const limit = AbortSignal.timeout(recogniseMilliseconds);
  try {
    await runInLaboratory(
      'recognise',
      { path },
      {
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
        onEvent: (one) => found.push(one),
        graceMilliseconds: 0,
      },
    );
  } catch (error) {
    signal?.throwIfAborted();
    if (!limit.aborted) throw error;
  }
  return found;
}

async function* inspect(
  spec: string,
  bonafide: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<InspectionEvent, void> {
  const request = { spec, ...(bonafide === undefined ? {} : { bonafide }) };
  const report = yield* progressStream<InspectionEvent, Awaited<ReturnType<typeof runInspection>>>(
    signal,
    (stop, tell) => runInspection(request, stop, (event) => tell({ type: 'progress', ...event })),
  );
  yield { type: 'report', report };
}

function runInspection(
  request: { spec: string; bonafide?: string },
  signal: AbortSignal,
  onEvent: (event: InspectEvent) => void,
) {
  return runInLaboratory('inspect', request, { signal, graceMilliseconds, onEvent });
}

export function datasetsProcedures(context: EngineContext) {
  return {
    recent: os.datasets.recent.handler(() => recentSpecs(context.home)),
    recognise: os.datasets.recognise.handler(async ({ input, signal }) =>
      recognise(await readablePath(context, input.path), signal),
    ),
    inspect: os.datasets.inspect.handler(async function* ({ input, signal }) {
      await readableDataset(context, input.spec, input.bonafide);
      await noteDataset(context.home, input.spec);
      yield* inspect(input.spec, input.bonafide, signal);
    }),
  };
}
