/**
 * The benchmarks (`npm run bench`): each against the Python peer of bench/peer in the same run, on the same files and the same
 * network, the sides in turn. Where the peer's packages are absent, our side alone.
 */
import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import ort from 'onnxruntime-node';
import { WorkerPool } from '../src-main/base/pool.ts';
import { Random } from '../src-main/base/random.ts';
import { applicationRoot } from '../src-main/base/workers.ts';
import { firstNetwork } from './first-network.ts';
import type { Card } from '../src-main/detector/card.ts';
import { tensorflowIsSetUp } from '../src-main/detector/backends/load.ts';
import { onnxNames } from '../src-main/detector/onnx.ts';
import { defaultModelFolder, findModel, readModel } from '../src-main/detector/store.ts';
import type { StoredModel } from '../src-main/detector/store.ts';
import { conditionRecording } from '../src-main/detector/windows.ts';
import { createFrontEnd } from '../src-main/features/front-end.ts';
import { scanFiles } from '../src-main/jobs/scan.ts';
import type { InferenceRequest } from './inference-worker.ts';
import { inTurn, ownRow, rateRow, table } from './measure.ts';
import type { Row } from './measure.ts';
import { Peer, findPython } from './peer-process.ts';
import { corpusClips, longRecording, madeClips } from './recordings.ts';
import type { TrainingAnswer } from './training-side.ts';

const names = ['scan', 'inference', 'mel', 'training-tensorflow', 'training-wasm', 'long', 'cold'] as const;
type Name = (typeof names)[number];

const usage = `npm run bench -- [options]
  --only NAME      one of ${names.join(', ')}; may be repeated
  --model FOLDER   the model (default: the one that ships)
  --rounds N       turns of each side (default: 3)
  --python FILE    Python with numpy, soundfile, torch and torchaudio (default: bench/peer/.venv, then python3)
  --json FILE      write the figures here, too
`;

/** Threads on either side. */
const threads = Math.min(2, availableParallelism());
const longSeconds = 3 * 3600;
const leastRealTimes = 300;
const mostMebibytes = 500;
const mostColdSeconds = 1.5;
const mostLogitDifference = 1e-3;

const root = applicationRoot();

interface Setting {
  model: StoredModel;
  clips: string[];
  peer: Peer | null;
  rounds: number;
  folder: string;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function withSpeech(model: StoredModel, speech: Card['conditioning']['speech']): StoredModel {
  return { ...model, card: { ...model.card, conditioning: { ...model.card.conditioning, speech } } };
}

/** Seconds for all files after as many were scanned to warm up. */
async function scanSeconds(model: StoredModel, files: readonly string[]): Promise<number> {
  const requests = [...files, ...files].map((path) => ({ path, nameBytes: null, found: false }));
  let done = 0;
  let began = 0;
  const onDone = (): void => {
    if (++done === files.length) began = performance.now();
  };
  for await (const result of scanFiles(model, requests, { jobs: threads, onDone })) {
    if (result.error) throw new Error(`${result.path}: ${result.error.message}`);
  }
  return (performance.now() - began) / 1000;
}

/** The peer must compute what we compute, or comparing times means nothing. @returns the largest difference of logits. */
async function compareLogits({ model, clips, peer, folder }: Setting): Promise<number> {
  if (peer === null) return NaN;
  const { card } = model;
  const { member, onnx } = firstNetwork(model);
  const frontEnd = createFrontEnd(member.frontEnd);
  const session = await ort.InferenceSession.create(onnx);
  const { bins, frames } = member.network.input;
  const windows: Float32Array[] = [];
  const logits: number[] = [];
  for (const clip of clips.slice(0, 16)) {
    const recording = await conditionRecording(clip, {
      conditioning: { ...card.conditioning, speech: 'none' },
      window: card.window,
      speech: null,
      minimumSpeechSeconds: 0,
    });
    const keep = async (window: Float32Array): Promise<void> => {
      windows.push(window.slice());
      const input = new ort.Tensor('float32', frontEnd.compute(window), [1, 1, bins, frames]);
      const output = await session.run({ [onnxNames.input]: input });
      logits.push((output[onnxNames.output].data as Float32Array)[0]);
    };
    await recording.walk(keep, () => undefined);
  }
  await session.release();
  const file = join(folder, 'windows.f32');
  writeFileSync(file, Buffer.concat(windows.map((window) => new Uint8Array(window.buffer))));
  const found = await peer.ask<Record<'plain' | 'last', number[]>>({ do: 'score', file });
  const difference = Math.max(
    ...[found.plain, found.last].flatMap((theirs) => theirs.map((value, index) => Math.abs(value - logits[index]))),
  );
  if (!(difference < mostLogitDifference)) {
    throw new Error(`The peer's network is not ours: its logits differ by up to ${difference}.`);
  }
  return difference;
}

interface PeerAnswer {
  seconds: number;
  way: string;
}

/** The peer's side of a benchmark, where there is a peer, and how it chose to go about it. */
function peerSide(
  peer: Peer | null,
  request: Record<string, unknown>,
): { runs: (() => Promise<number>)[]; way: () => string } {
  let way = '';
  const run = async (): Promise<number> => {
    const answer = await (peer as Peer).ask<PeerAnswer>(request);
    way = `peer: ${answer.way}`;
    return answer.seconds;
  };
  return { runs: peer ? [run] : [], way: () => way };
}

async function benchScan({ model, clips, peer, rounds }: Setting): Promise<Row[]> {
  const plain = withSpeech(model, 'none');
  const other = peerSide(peer, { do: 'scan', files: clips });
  const listening = withSpeech(model, 'silero-vad-v5');
  const sides = [() => scanSeconds(plain, clips), () => scanSeconds(listening, clips), ...other.runs];
  const [ours, oursListening, theirs] = await inTurn(rounds, sides);
  const cost = (1000 * threads * (oursListening.best - ours.best)) / clips.length;
  return [
    rateRow(
      {
        benchmark: 'scan, no voice activity detection',
        unit: 'files/s',
        leastRatio: 1.5,
        note: `${clips.length} clips, model loaded, ${threads} threads; ${other.way()}`,
      },
      clips.length,
      ours,
      theirs,
    ),
    rateRow(
      {
        benchmark: 'scan with voice activity detection',
        unit: 'files/s',
        leastRatio: null,
        note: `voice activity detection costs ${cost.toFixed(2)} ms of one core a clip`,
      },
      clips.length,
      oursListening,
      undefined,
    ),
  ];
}

async function benchInference({ model, peer, rounds }: Setting): Promise<Row[]> {
  const windows = 512;
  const { member, onnx } = firstNetwork(model);
  const { bins, frames } = member.network.input;
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
    // channels_last is what an expert turns on for convolutions on a CPU; NCHW is PyTorch's own default.
    const expert = peerSide(peer, { do: 'infer', windows, layout: 'last' });
    const usual = peerSide(peer, { do: 'infer', windows, layout: 'plain' });
    const [ours, theirs, theirUsual] = await inTurn(rounds + 2, [() => run(batch), ...expert.runs, ...usual.runs]);
    const note = `${member.network.name}, ${bins} x ${frames}; ours: ${threads} workers, batches of ${batch}; ${expert.way()}`;
    const rows = [rateRow({ benchmark: 'inference', unit: 'windows/s', leastRatio: 3, note }, windows, ours, theirs)];
    if (peer) {
      const row = { benchmark: 'inference, peer as it comes', unit: 'windows/s', leastRatio: null, note: usual.way() };
      rows.push(rateRow(row, windows, ours, theirUsual));
    }
    return rows;
  } finally {
    await pool.close();
  }
}

async function benchMel({ model, peer, rounds }: Setting): Promise<Row[]> {
  const { card } = model;
  const clips = 256;
  const samples = 3 * card.conditioning.sampleRateHz;
  const frontEnd = createFrontEnd(firstNetwork(model).member.frontEnd);
  const random = new Random(1);
  const clip = Float32Array.from({ length: samples }, () => random.between(-0.5, 0.5));
  const out = new Float32Array(frontEnd.bins * frontEnd.frameCount(samples));
  const run = async (): Promise<number> => {
    const began = performance.now();
    for (let i = 0; i < clips; i++) frontEnd.compute(clip, out);
    return (performance.now() - began) / 1000;
  };
  await run();
  const other = peerSide(peer, { do: 'mel', clips, samples });
  const [ours, theirs] = await inTurn(rounds + 2, [run, ...other.runs]);
  const note = `3 s each; ${other.way()}`;
  return [rateRow({ benchmark: 'Mel, one thread', unit: 'clips/s', leastRatio: 1, note }, clips, ours, theirs)];
}

async function nextAnswer(child: ChildProcess): Promise<TrainingAnswer> {
  const ended = once(child, 'exit').then(([status]) => {
    throw new Error(`Our side of the training benchmark ended with status ${status}.`);
  });
  const [answer] = (await Promise.race([once(child, 'message'), ended])) as [TrainingAnswer];
  return answer;
}

async function benchTraining(backend: 'tensorflow' | 'wasm', { model, peer, rounds }: Setting): Promise<Row[]> {
  const batch = 32;
  const steps = backend === 'wasm' ? 3 : 8;
  const benchmark = `training, ${backend}`;
  const leastRatio = backend === 'wasm' ? 0.2 : 0.6;
  if (backend === 'tensorflow' && !tensorflowIsSetUp()) {
    say(`${benchmark}: left out, TensorFlow is not set up (npm run setup:tensorflow).`);
    return [];
  }
  const side = fileURLToPath(new URL('./training-side.ts', import.meta.url));
  const child = fork(side, [backend, model.folder, String(batch)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
  });
  try {
    const ready = await nextAnswer(child);
    const device = 'ready' in ready ? ready.ready : '';
    const run = async (): Promise<number> => {
      const answer = nextAnswer(child);
      child.send(steps);
      const taken = await answer;
      return 'seconds' in taken ? taken.seconds : NaN;
    };
    const other = peerSide(peer, { do: 'train', batch, steps });
    const [ours, theirs] = await inTurn(rounds, [run, ...other.runs]);
    const note = `${firstNetwork(model).member.network.name}, batches of ${batch}, Adam; ours: ${device}; ${other.way()}`;
    return [rateRow({ benchmark, unit: 'clips/s', leastRatio, note }, batch * steps, ours, theirs)];
  } finally {
    child.disconnect();
  }
}

/** Prints the most memory that the process held, in KiB, as it ends. */
const memoryReporter = `data:text/javascript,${encodeURIComponent(
  "import { isMainThread } from 'node:worker_threads';" +
    "if (isMainThread) process.on('exit', () => process.stderr.write('peak ' + process.resourceUsage().maxRSS + '\\n'));",
)}`;

/** The command line as a person starts it: built where it is, else from its sources. */
async function runProgram(...parameters: string[]): Promise<{ seconds: number; mebibytes: number }> {
  const built = join(root, 'out', 'main', 'cli.js');
  const program = existsSync(built) ? built : join(root, 'src-main', 'cli', 'main.ts');
  const began = performance.now();
  const child = spawn(process.execPath, ['--import', memoryReporter, program, ...parameters], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const [status] = (await once(child, 'close')) as [number];
  const seconds = (performance.now() - began) / 1000;
  if (status !== 0) throw new Error(`earwitness ${parameters.join(' ')} ended with status ${status}: ${errors}`);
  return { seconds, mebibytes: Number(/^peak (\d+)$/m.exec(errors)?.[1] ?? NaN) / 1024 };
}

/** The model's folder, or a copy of it whose card asks for voice activity detection. */
function listeningModel({ model, folder }: Setting): string {
  if (model.card.conditioning.speech !== 'none') return model.folder;
  const copy = join(folder, 'model');
  mkdirSync(copy, { recursive: true });
  for (const name of Object.keys(model.card.files)) copyFileSync(join(model.folder, name), join(copy, name));
  writeFileSync(join(copy, 'card.json'), JSON.stringify(withSpeech(model, 'silero-vad-v5').card));
  return copy;
}

async function benchLong(setting: Setting): Promise<Row[]> {
  const path = join(setting.folder, 'three-hours.wav');
  say('Making a recording of three hours ...');
  await longRecording(path, setting.clips.slice(0, 200), longSeconds);
  const megabytes = Math.round(statSync(path).size / 1e6);
  const peaks: number[] = [];
  const model = listeningModel(setting);
  const run = async (): Promise<number> => {
    const { seconds, mebibytes } = await runProgram('analyze', '--json', '--model', model, path);
    peaks.push(mebibytes);
    return seconds;
  };
  const [{ best, median }] = await inTurn(Math.min(2, setting.rounds), [run]);
  rmSync(path);
  const note = `WAV of ${megabytes} MB, ${setting.model.card.members.map(({ name }) => name).join(', ')}, voice activity detection and quality measures, program start and hashing included`;
  const peak = Math.max(...peaks);
  return [
    ownRow(
      {
        benchmark: 'three hours',
        unit: 'times real time',
        goal: `>= ${leastRealTimes}`,
        met: longSeconds / best >= leastRealTimes,
        note,
      },
      longSeconds / best,
      longSeconds / median,
    ),
    ownRow(
      {
        benchmark: 'three hours',
        unit: 'MiB resident',
        goal: `<= ${mostMebibytes}`,
        met: peak <= mostMebibytes,
        note: '',
      },
      peak,
      peak,
    ),
  ];
}

async function benchCold({ model, clips, rounds }: Setting): Promise<Row[]> {
  const run = async (): Promise<number> => (await runProgram('analyze', '--model', model.folder, clips[0])).seconds;
  const [{ best, median }] = await inTurn(rounds + 2, [run]);
  const from = existsSync(join(root, 'out', 'main', 'cli.js')) ? 'the built program' : 'its sources: nothing is built';
  return [
    ownRow(
      {
        benchmark: 'analyze, from the start',
        unit: 's',
        goal: `< ${mostColdSeconds}`,
        met: best < mostColdSeconds,
        note: `one clip of 3 s, run from ${from}`,
      },
      best,
      median,
    ),
  ];
}

const benchmarks: Record<Name, (setting: Setting) => Promise<Row[]>> = {
  scan: benchScan,
  inference: benchInference,
  mel: benchMel,
  'training-tensorflow': (setting) => benchTraining('tensorflow', setting),
  'training-wasm': (setting) => benchTraining('wasm', setting),
  long: benchLong,
  cold: benchCold,
};

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      model: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      python: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const chosen = names.filter((name) => values.only?.includes(name) ?? true);
  const rounds = Number(values.rounds);
  const unknown = (values.only ?? []).filter((name) => !names.some((known) => known === name));
  if (values.help || unknown.length > 0 || !(rounds >= 1)) {
    process.stderr.write(unknown.length > 0 ? `There is no benchmark "${unknown.join('", "')}".\n${usage}` : usage);
    return values.help ? 0 : 2;
  }
  const model = await readModel(values.model === undefined ? defaultModelFolder() : await findModel(values.model));
  const folder = mkdtempSync(join(tmpdir(), 'earwitness-bench-'));
  const python = findPython(values.python);
  const peer = python === null ? null : new Peer(python, threads);
  try {
    const clips = corpusClips() ?? madeClips(folder, 300);
    const setting: Setting = { model, clips, peer, rounds, folder };
    let peerText = 'none: no Python with numpy, soundfile, torch and torchaudio was found (--python FILE names one)';
    if (peer) {
      const versions = await peer.ask<Record<string, string>>({ do: 'load', folder: model.folder, threads });
      const difference = await compareLogits(setting);
      const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
      peerText = `${packages.join(', ')}; logits differ from ours by ${difference.toExponential(1)} at most`;
    }
    const load = loadavg()[0];
    say(`${cpus()[0].model}, ${availableParallelism()} cores, load ${load.toFixed(1)}; Node ${process.versions.node}`);
    say(`peer: ${peerText}`);
    const rows: Row[] = [];
    for (const name of chosen) {
      say(`${name} ...`);
      rows.push(...(await benchmarks[name](setting)));
    }
    process.stdout.write(
      `\n${table(rows)}\nEach figure is the best run's, the median in brackets; ratios are of best runs.\n`,
    );
    if (values.json !== undefined) {
      const machine = { cpu: cpus()[0].model, cores: availableParallelism(), load, node: process.versions.node };
      const result = { at: new Date().toISOString(), machine, peer: peerText, model: model.card.name, rounds, rows };
      writeFileSync(resolve(values.json), `${JSON.stringify(result, null, 1)}\n`);
    }
    return 0;
  } finally {
    peer?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
