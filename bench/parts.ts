/** Parts of a scan by themselves: a network's inference, the front ends. */
import { WorkerPool } from '../src-main/base/pool.ts';
import { Random } from '../src-main/base/random.ts';
import type { StoredModel } from '../src-main/detector/store.ts';
import { createFrontEnd } from '../src-main/features/front-end.ts';
import type { FrontEndParameters } from '../src-main/features/front-end.ts';
import { firstNetwork } from './first-network.ts';
import type { InferenceRequest } from './inference-worker.ts';
import { inTurn, rateRow } from './measure.ts';
import type { Row } from './measure.ts';
import { loadIntoPeer, peerSide, threads } from './setting.ts';
import type { Setting } from './setting.ts';

/** The first network alone, on windows of noise. */
export async function benchInference({ model, peer, rounds, compile }: Setting): Promise<Row[]> {
  const windows = 512;
  const { member, onnx } = firstNetwork(model);
  const { bins, frames } = member.network.input;
  if (peer) await loadIntoPeer(peer, 'parts', model, { listening: false, compile });
  const pool = new WorkerPool<InferenceRequest, null>(new URL('./inference-worker.ts', import.meta.url), threads, {
    onnx,
    bins,
    frames,
  });
  const run = async (batch: number): Promise<number> => {
    const began = performance.now();
    const request = { batch, runs: windows / threads / batch };
    await Promise.all(Array.from({ length: threads }, () => pool.run(request)));
    return (performance.now() - began) / 1000;
  };
  try {
    // As for the peer, the size of batch that suits the machine.
    let batch = 0;
    let least = Infinity;
    for (const size of [1, 4, 16, 1, 4, 16]) {
      const seconds = await run(size);
      if (seconds < least) [least, batch] = [seconds, size];
    }
    // What an expert turns on for convolutions on a CPU, and PyTorch as it comes.
    const expert = peerSide(peer, { do: 'infer', windows, plain: false });
    const usual = peerSide(peer, { do: 'infer', windows, plain: true });
    const [ours, theirs, theirUsual] = await inTurn(rounds, [() => run(batch), ...expert.runs, ...usual.runs]);
    const note = `${member.network.name}, ${bins} x ${frames}; ours: ${threads} workers, batches of ${batch}; ${expert.way()}`;
    const rows = [
      rateRow({ benchmark: 'inference', unit: 'windows/s', leastRatio: null, note }, windows, ours, theirs),
    ];
    if (peer) {
      const row = { benchmark: 'inference, peer as it comes', unit: 'windows/s', leastRatio: null, note: usual.way() };
      rows.push(rateRow(row, windows, ours, theirUsual));
      await peer.ask({ do: 'unload', key: 'parts' });
    }
    return rows;
  } finally {
    await pool.close();
  }
}

/** Every front end of the model, each once. */
function frontEndsOf({ card }: StoredModel): FrontEndParameters[] {
  const found = new Map<string, FrontEndParameters>();
  for (const member of card.members) {
    if (member.kind === 'network') found.set(JSON.stringify(member.frontEnd), member.frontEnd);
  }
  return [...found.values()];
}

/** All front ends of the model on one thread. */
export async function benchFrontEnds({ model, peer, rounds, compile }: Setting): Promise<Row[]> {
  const { card } = model;
  const clips = 256;
  const samples = Math.round(card.window.seconds * card.conditioning.sampleRateHz);
  if (peer) await loadIntoPeer(peer, 'front ends', model, { listening: false, compile });
  const random = new Random(1);
  const clip = Float32Array.from({ length: samples }, () => random.between(-0.5, 0.5));
  const frontEnds = frontEndsOf(model).map((parameters) => {
    const frontEnd = createFrontEnd(parameters);
    return { frontEnd, out: new Float32Array(frontEnd.bins * frontEnd.frameCount(samples)) };
  });
  const run = (): Promise<number> => {
    const began = performance.now();
    for (let i = 0; i < clips; i++) for (const { frontEnd, out } of frontEnds) frontEnd.compute(clip, out);
    return Promise.resolve((performance.now() - began) / 1000);
  };
  await run();
  const other = peerSide(peer, { do: 'front-ends', clips, samples });
  const [ours, theirs] = await inTurn(rounds, [run, ...other.runs]);
  if (peer) await peer.ask({ do: 'unload', key: 'front ends' });
  const types = frontEnds.map(({ frontEnd }) => frontEnd.parameters.type).join(', ');
  const note = `${types}, windows of ${card.window.seconds} s; ${other.way()}`;
  const row = { benchmark: 'front ends, one thread', unit: 'windows/s', leastRatio: 1, note };
  return [rateRow(row, clips, ours, theirs)];
}
