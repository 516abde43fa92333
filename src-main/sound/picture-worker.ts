import { sha256File } from '../audio/hash.ts';
import { serveRequests } from '../base/pool.ts';
import { drawStretches } from './stretch-pictures.ts';
import type { PictureOutcome, PicturesRequest } from './stretch-pictures.ts';

/** @returns with the pictures what the recording's hash was, before and after they were drawn */
serveRequests<PicturesRequest, { before: string; after: string; cuts: PictureOutcome[] }>(async (request, signal) => {
  const before = await sha256File(request.path, signal);
  const cuts = await drawStretches(request, signal);
  return { response: { before, after: await sha256File(request.path, signal), cuts } };
});
