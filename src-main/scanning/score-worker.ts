import { workerData } from 'node:worker_threads';
import { serveRequests } from '../base/pool.ts';
import { Detector } from '../detector/detector.ts';
import type { DetectorAnalysis } from '../detector/detector.ts';
import type { RunnableModel } from '../detector/store.ts';
import { score } from './score.ts';
import type { Analyser, ScoreOutcome, ScoreRequest } from './score.ts';

// One thread of ONNX Runtime each: the workers keep all cores busy.
const opened = Detector.create(workerData as RunnableModel, 1);

// Of two requests at hand, one file is read while the other is analysed.
let last: Promise<unknown> = opened;
function inTurn(analyse: () => Promise<DetectorAnalysis>): Promise<DetectorAnalysis> {
  const done = last.then(analyse);
  last = done.catch(() => undefined);
  return done;
}

serveRequests<ScoreRequest, ScoreOutcome>(async (request, signal) => {
  const detector = await opened;
  const taking: Analyser = {
    cardOf: (analysis) => detector.cardOf(analysis),
    analyse: (...parameters) => inTurn(() => detector.analyse(...parameters)),
  };
  return { response: await score(taking, request, signal) };
});
