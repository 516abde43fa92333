import { serveRequests } from '../base/pool.ts';
import { rebuildDatabase } from './rebuild.ts';
import type { UntrustedIdentity } from './rebuild.ts';

/** As the parameters of `rebuildDatabase`. */
export interface RebuildRequest {
  source: string;
  target: string;
  shown: string;
}

serveRequests<RebuildRequest, UntrustedIdentity>(async ({ source, target, shown }) => ({
  response: rebuildDatabase(source, target, shown),
}));
