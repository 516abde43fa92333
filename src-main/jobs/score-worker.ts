import { workerData } from 'node:worker_threads';
import { serveRequests } from '../base/pool.ts';
import type { Card } from '../detector/card.ts';
import { Detector } from '../detector/detector.ts';
import { score } from './score.ts';
import type { ScoreOutcome, ScoreRequest } from './score.ts';

// One thread of ONNX Runtime each: the workers keep all cores busy.
const detector = Detector.create(workerData as { card: Card; onnx: Uint8Array }, 1);

serveRequests<ScoreRequest, ScoreOutcome>(async (request, signal) => ({
  response: await score(await detector, request, signal),
}));
