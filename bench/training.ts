/** Training of the model's first network: steps on one batch of real clips, the same on either side, and the same losses. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decode } from '../src-main/audio/decode.ts';
import { fillWindow } from '../src-main/audio/condition.ts';
import { tensorflowIsSetUp } from '../src-main/training/backends/load.ts';
import { startingWeights, withFrames } from '../src-main/detector/network.ts';
import { writeSafetensors } from '../src-main/detector/safetensors.ts';
import type { StoredModel } from '../src-main/detector/store.ts';
import { createFrontEnd } from '../src-main/features/front-end.ts';
import { firstNetwork } from './first-network.ts';
import { inTurn, rateRow } from './measure.ts';
import type { Row } from './measure.ts';
import { peerSide, say } from './setting.ts';
import type { Setting } from './setting.ts';
import type { TrainingAnswer, TrainingJob, TrainingQuestion } from './training-side.ts';

const batch = 32;
const comparedSteps = 3;
/** Of losses of about 0.7: sums of hundreds of thousands in another order. */
const mostLossDifference = 2e-3;
const kinds = {
  tensorflow: { steps: 12, leastRatio: 0.85 },
  wasm: { steps: 3, leastRatio: 0.35 },
} as const;

/** The network as it is trained, on crops, with fresh weights, and a batch. */
async function jobFor(model: StoredModel, clips: readonly string[], folder: string): Promise<TrainingJob> {
  const { sampleRateHz } = model.card.conditioning;
  const { member } = firstNetwork(model);
  const seconds = member.training.cropSeconds ?? model.card.window.seconds;
  const samples = Math.round(seconds * sampleRateHz);
  const frontEnd = createFrontEnd(member.frontEnd);
  const network = withFrames(member.network, frontEnd.frameCount(samples));
  const size = network.input.bins * network.input.frames;
  const features = new Float32Array(batch * size);
  const window = new Float32Array(samples);
  for (let index = 0; index < batch; index++) {
    const clip = clips[Math.floor((index * clips.length) / batch)];
    fillWindow((await decode(clip, { sampleRateHz })).samples.subarray(0, samples), window);
    frontEnd.compute(window, features.subarray(index * size, (index + 1) * size));
  }
  const job: TrainingJob = {
    network,
    weights: join(folder, 'start.safetensors'),
    features: join(folder, 'batch.f32'),
    targets: Array.from({ length: batch }, (_, index) => index % 2),
    learningRate: member.training.learningRate,
    weightDecay: member.training.weightDecay,
  };
  writeFileSync(job.weights, writeSafetensors(startingWeights(network, 1)));
  writeFileSync(job.features, new Uint8Array(features.buffer));
  return job;
}

/** Our side, in a process of its own. */
class OurSide {
  readonly #child: ChildProcess;

  constructor(backend: string, job: string) {
    const side = fileURLToPath(new URL('./training-side.ts', import.meta.url));
    this.#child = fork(side, [backend, job], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
    });
  }

  async answer(): Promise<TrainingAnswer> {
    const ended = once(this.#child, 'exit').then(([status]) => {
      throw new Error(`Our side of the training benchmark ended with status ${status}.`);
    });
    const [answer] = (await Promise.race([once(this.#child, 'message'), ended])) as [TrainingAnswer];
    return answer;
  }

  ask(question: TrainingQuestion): Promise<TrainingAnswer> {
    const answer = this.answer();
    this.#child.send(question);
    return answer;
  }

  close(): void {
    this.#child.disconnect();
  }
}

export async function benchTraining(backend: keyof typeof kinds, setting: Setting): Promise<Row[]> {
  const { model, clips, peer, rounds, folder } = setting;
  const { steps, leastRatio } = kinds[backend];
  const benchmark = `training, ${backend}`;
  if (backend === 'tensorflow' && !tensorflowIsSetUp()) {
    say(`${benchmark}: left out, TensorFlow is not set up (npm run setup:tensorflow).`);
    return [];
  }
  const job = await jobFor(model, clips, folder);
  const path = join(folder, 'training.json');
  writeFileSync(path, JSON.stringify(job));
  const ours = new OurSide(backend, path);
  try {
    const { device } = await ours.answer();
    const { losses = [] } = await ours.ask({ losses: comparedSteps });
    let agreement = '';
    if (peer) {
      const theirs = await peer.ask<{ losses: number[] }>({ do: 'losses', ...job, batch, steps: comparedSteps });
      const difference = Math.max(...losses.map((loss, index) => Math.abs(loss - theirs.losses[index])));
      if (!(difference < mostLossDifference)) {
        throw new Error(
          `The peer does not train as we do: losses ${losses.join(', ')} and ${theirs.losses.join(', ')}.`,
        );
      }
      agreement = `; losses of the first ${comparedSteps} steps differ by ${difference.toExponential(1)} at most`;
      say(`  ${agreement.slice(2)}`);
    }
    const run = async (): Promise<number> => (await ours.ask({ steps })).seconds ?? NaN;
    const other = peerSide(peer, { do: 'train', ...job, batch, steps });
    const [own, theirs] = await inTurn(rounds, [run, ...other.runs]);
    const { name, input } = job.network;
    const note = `${name}, ${input.bins} x ${input.frames}, batches of ${batch}, AdamW; ours: ${device ?? ''}; ${other.way()}${agreement}`;
    return [rateRow({ benchmark, unit: 'clips/s', leastRatio, note }, batch * steps, own, theirs)];
  } finally {
    ours.close();
  }
}
