import type { Traces } from '../../src-common/schemas/traces.ts';
import { serveRequests } from '../base/pool.ts';
import type { TracesWork } from './apart.ts';
import { measureTraces } from './measure.ts';
import { thinned } from './thinned.ts';
import { readReference } from './reference.ts';
import { requireUnchanged } from './unchanged.ts';

serveRequests<TracesWork, Traces>(async ({ path, sha256, reference, shared, ...reading }, signal) => {
  await requireUnchanged(path, sha256, signal);
  const numbers = new Float64Array(shared);
  const response = await measureTraces(path, {
    ...reading,
    ...(reference === undefined ? {} : { reference: await readReference(reference) }),
    signal,
    onProgress: (done, total) => {
      numbers[0] = done;
      numbers[1] = total ?? -1;
    },
  });
  // A window has fewer pixels than a long recording values.
  return { response: thinned(response) };
});
