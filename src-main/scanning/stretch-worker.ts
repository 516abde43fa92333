import { workerData } from 'node:worker_threads';
import { serveRequests } from '../base/pool.ts';
import type { RunnableModel } from '../detector/store.ts';
import { Detector } from '../detector/detector.ts';
import { analyseStretchWith } from './stretch.ts';
import type { StretchOutcome, StretchRequest } from './stretch.ts';

const detector = Detector.create(workerData as RunnableModel, 2);

serveRequests<{ path: string } & StretchRequest, StretchOutcome>(async ({ path, ...request }, signal) => ({
  response: await analyseStretchWith(await detector, path, request, signal),
}));
