import { workerData } from 'node:worker_threads';
import { serveRequests } from '../base/pool.ts';
import { ExampleMaker } from './examples.ts';
import type { ExampleRequest, ExampleResponse, ExampleSettings } from './examples.ts';

const maker = new ExampleMaker(workerData as ExampleSettings);

serveRequests<ExampleRequest, ExampleResponse>(async (request) => {
  if (request.kind === 'prepare') return { response: await maker.prepare(request.path, request.keep) };
  const features =
    request.kind === 'examples' ? await maker.examples(request.clips) : await maker.windows(request.path);
  return { response: { kind: request.kind, features }, transfer: [features.buffer as ArrayBuffer] };
});
