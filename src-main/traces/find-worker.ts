import type { Found } from '../../src-common/schemas/traces.ts';
import { serveRequests } from '../base/pool.ts';
import type { FindWork } from './apart.ts';
import { findStretch, stretchOf } from './find.ts';
import { requireUnchanged } from './unchanged.ts';

serveRequests<FindWork, Found>(async ({ of, within, span, shared }, signal) => {
  const numbers = new Float64Array(shared);
  for (const { path, sha256 } of [of, within]) await requireUnchanged(path, sha256, signal);
  const response = await findStretch(await stretchOf(of, span, signal), within, {
    signal,
    onProgress: (done, total) => {
      numbers[0] = done;
      numbers[1] = total ?? -1;
    },
  });
  return { response };
});
