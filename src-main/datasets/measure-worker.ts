import { serveRequests } from '../base/pool.ts';
import { measureFile } from './measure.ts';
import type { MeasuredFile, MeasureRequest } from './measure.ts';

serveRequests<MeasureRequest, MeasuredFile>(async (request, signal) => {
  const response = await measureFile(request, signal);
  const { fingerprint } = response;
  const transfer = fingerprint ? [fingerprint.words, fingerprint.positive, fingerprint.negative] : [];
  return { response, transfer: transfer.map(({ buffer }) => buffer as ArrayBuffer) };
});
