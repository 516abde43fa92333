import type { Found, Traces } from '../../src-common/schemas/traces.ts';
import type { ContractOutputs, Inputs } from '../../src-preload/contract.ts';
import { withOpenablePath } from '../base/openable-path.ts';
import { findStretchApart, measureTracesApart } from '../traces/apart.ts';
import type { EngineContext } from './context.ts';
import { readablePath } from './files.ts';
import { os } from './implementer.ts';
import { progressStream } from './progress-stream.ts';
import { removeUploads } from './uploads.ts';

type TracesEvent = ContractOutputs['traces']['measure'] extends AsyncIterable<infer Event> ? Event : never;

async function* measure(
  context: EngineContext,
  { caseId, evidenceId, reference: named, ...reading }: Inputs['traces']['measure'],
  signal: AbortSignal | undefined,
): AsyncGenerator<TracesEvent, void> {
  const file = context.cases.get(caseId).evidence.intake(evidenceId);
  const reference = named === undefined ? undefined : await readablePath(context, named);
  try {
    const traces = yield* progressStream<TracesEvent, Traces>(signal, (stop, tell) =>
      withOpenablePath(file, (path) =>
        measureTracesApart(
          {
            path,
            sha256: file.sha256,
            ...readingOf(reading),
            ...(reference === undefined ? {} : { reference }),
          },
          { signal: stop, onProgress: (done, total) => tell({ type: 'progress', done, total }) },
        ),
      ),
    );
    yield { type: 'ready', traces };
  } finally {
    if (reference !== undefined) await removeUploads(context.home, [reference]);
  }
}

type FindEvent = ContractOutputs['traces']['find'] extends AsyncIterable<infer Event> ? Event : never;

async function* find(
  context: EngineContext,
  { caseId, startSeconds, endSeconds, within, ...of }: Inputs['traces']['find'],
  signal: AbortSignal | undefined,
): AsyncGenerator<FindEvent, void> {
  const { evidence } = context.cases.get(caseId);
  const [first, other] = [evidence.intake(of.evidenceId), evidence.intake(within.evidenceId)];
  const found = yield* progressStream<FindEvent, Found>(signal, (stop, tell) =>
    withOpenablePath(first, (path) =>
      withOpenablePath(other, (otherPath) =>
        findStretchApart(
          {
            of: { path, sha256: first.sha256, ...readingOf(of) },
            within: { path: otherPath, sha256: other.sha256, ...readingOf(within) },
            span: { startSeconds, endSeconds },
          },
          { signal: stop, onProgress: (done, total) => tell({ type: 'progress', done, total }) },
        ),
      ),
    ),
  );
  yield { type: 'ready', found };
}

interface Reading {
  readAll?: boolean | undefined;
  channel?: number | undefined;
}

function readingOf({ readAll, channel }: Reading): { readAll?: boolean; channel?: number } {
  return { ...(readAll ? { readAll } : {}), ...(channel === undefined ? {} : { channel }) };
}

/** `traces` of the contract. */
export function tracesProcedures(context: EngineContext) {
  return {
    measure: os.traces.measure.handler(({ input, signal }) => measure(context, input, signal)),
    find: os.traces.find.handler(({ input, signal }) => find(context, input, signal)),
  };
}
