import type { Traces } from '../../src-common/schemas/traces.ts';
import { sha256File } from '../audio/hash.ts';
import { UserFacingError } from '../base/errors.ts';
import { serveRequests } from '../base/pool.ts';
import type { TracesWork } from './apart.ts';
import { measureTraces } from './measure.ts';
import { thinned } from './thinned.ts';
import { readReference } from './reference.ts';

serveRequests<TracesWork, Traces>(async ({ path, sha256, reference, shared, ...reading }, signal) => {
  if ((await sha256File(path, signal)) !== sha256) {
    throw new UserFacingError('changed', `${path} is no longer the file that was added.`, {
      path,
      advice: 'Verify the evidence of the case.',
    });
  }
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
