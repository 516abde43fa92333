import { sha256File } from '../audio/hash.ts';
import { serveRequests } from '../base/pool.ts';
import { cutSound } from './cut-sound.ts';
import type { CutOutcome, CutRequest } from './cut-sound.ts';

/** @returns with the stretches what the recording's hash was, before and after they were cut */
serveRequests<CutRequest, { before: string; after: string; cuts: CutOutcome[] }>(async (request, signal) => {
  const before = await sha256File(request.path, signal);
  const cuts = await cutSound(request, signal);
  return { response: { before, after: await sha256File(request.path, signal), cuts } };
});
