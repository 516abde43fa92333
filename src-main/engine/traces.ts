import type { Traces } from '../../src-common/schemas/traces.ts';
import type { ContractOutputs, Inputs } from '../../src-preload/contract.ts';
import { withOpenablePath } from '../base/openable-path.ts';
import { measureTracesApart } from '../traces/apart.ts';
import type { EngineContext } from './context.ts';
import { readablePath } from './files.ts';
import { os } from './implementer.ts';
import { progressStream } from './progress-stream.ts';
import { removeUploads } from './uploads.ts';

type TracesEvent = ContractOutputs['traces']['measure'] extends AsyncIterable<infer Event> ? Event : never;

async function* measure(
  context: EngineContext,
  { caseId, evidenceId, readAll, channel, reference: named }: Inputs['traces']['measure'],
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
            ...(readAll ? { readAll } : {}),
            ...(channel === undefined ? {} : { channel }),
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

/** `traces` of the contract. */
export function tracesProcedures(context: EngineContext) {
  return { measure: os.traces.measure.handler(({ input, signal }) => measure(context, input, signal)) };
}
