/** Scanning: the same files, members and conditioning on either side, after their scores were compared. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readModel, shippedModelFolder } from '../src-main/detector/store.ts';
import type { StoredModel } from '../src-main/detector/store.ts';
import { scanFiles } from '../src-main/scanning/scan-files.ts';
import { inTurn, ownRow, rateRow } from './measure.ts';
import type { Row } from './measure.ts';
import type { Peer } from './peer-process.ts';
import { longRecording } from './recordings.ts';
import { loadIntoPeer, peerSide, root, say, threads, withSpeech } from './setting.ts';
import type { Setting } from './setting.ts';

/** Scanned before the clock starts, so that workers and memory are there. */
const warmingFiles = 48;
/** Files whose scores are compared. */
const comparedFiles = 60;
/** Of scores that spread by two or three over recordings. */
const mostDifference = 5e-3;
/** Of a file with near digital silence: there last digits, which transforms round otherwise, decide what phases are. */
const mostOfOne = 0.1;
const leastRealTimes = 120;
const leastLongRealTimes = 50;
const longSeconds = 20 * 60;
/** The commit of the plain CNN that shipped before the models of several members, and its files. */
const before = {
  commit: '9d33616',
  files: ['card.json', 'model.onnx', 'selftest.json', 'weights.safetensors'],
} as const;

interface Scan {
  seconds: number;
  /** Of the recordings together. */
  soundSeconds: number;
}

async function scan(model: StoredModel, files: readonly string[], warm = files): Promise<Scan> {
  const warming = warm.slice(0, warmingFiles);
  const requests = [...warming, ...files].map((path) => ({ path, nameBytes: null, found: false }));
  let done = 0;
  let began = 0;
  const onDone = (): void => {
    if (++done === warming.length) began = performance.now();
  };
  let soundSeconds = 0;
  let index = 0;
  for await (const result of scanFiles(model, requests, { jobs: threads, onDone })) {
    if (!result.analysis) throw new Error(`${result.path}: ${result.error?.message ?? 'no analysis'}`);
    if (index++ >= warming.length) soundSeconds += result.analysis.durationSeconds;
  }
  return { seconds: (performance.now() - began) / 1000, soundSeconds };
}

interface PeerScore {
  score: number;
  members: number[];
  windows: number;
}

/** The peer must compute what we compute, or comparing times means nothing. @returns what was found, in a sentence */
async function compareScores(model: StoredModel, clips: readonly string[], peer: Peer, key: string): Promise<string> {
  const step = Math.max(1, Math.floor(clips.length / comparedFiles));
  const files = clips.filter((_, index) => index % step === 0).slice(0, comparedFiles);
  const requests = files.map((path) => ({ path, nameBytes: null, found: false }));
  const ours: { score: number; windows: number }[] = [];
  for await (const { path, analysis, error } of scanFiles(model, requests, { jobs: threads })) {
    const score = analysis?.score ?? null;
    if (analysis === null || score === null) throw new Error(`${path}: ${error?.message ?? 'no score'}`);
    ours.push({ score, windows: analysis.windows.length });
  }
  const theirs = await peer.ask<Record<'alone' | 'batched', PeerScore[]>>({ do: 'scores', key, files });
  const differences = (some: PeerScore[]): number[] =>
    some.map(({ score }, index) => Math.abs(score - ours[index].score)).sort((one, other) => one - other);
  const windows = theirs.alone.filter((one, index) => one.windows !== ours[index].windows).length;
  const [alone, batched] = [differences(theirs.alone), differences(theirs.batched)];
  const usual = Math.max(...[alone, batched].map((some) => some[Math.floor(0.9 * some.length)]));
  const [furthest, furthestBatched] = [alone, batched].map((some) => some[some.length - 1]);
  if (windows > 0 || !(usual < mostDifference) || !(Math.max(furthest, furthestBatched) < mostOfOne)) {
    throw new Error(
      `The peer does not compute what we do: scores differ by up to ${furthest} (${furthestBatched} batched), nine in ten by ${usual}, ${windows} of ${files.length} files have other windows.`,
    );
  }
  return `scores of ${files.length} files differ from ours by ${furthest.toExponential(1)} at most (${furthestBatched.toExponential(1)} as it is timed), nine in ten by ${usual.toExponential(1)}`;
}

interface Kind {
  /** Whether speech is looked for, on both sides. */
  listening: boolean;
  benchmark: string;
  leastRatio: number | null;
}

const scanKinds: Kind[] = [
  { listening: true, benchmark: 'scan', leastRatio: 2.5 },
  { listening: false, benchmark: 'scan, no voice activity detection', leastRatio: null },
];

/** Scanning clips by a model, with voice activity detection and without. */
export async function benchScan(setting: Setting): Promise<Row[]> {
  const rows: Row[] = [];
  for (const kind of scanKinds) rows.push(...(await scanRows(setting, setting.model, kind)));
  return rows;
}

async function scanRows({ clips, peer, rounds, compile }: Setting, stored: StoredModel, kind: Kind): Promise<Row[]> {
  const { listening, benchmark, leastRatio } = kind;
  const model = withSpeech(stored, listening ? 'silero-vad-v5' : 'none');
  const key = `${stored.card.name}, ${benchmark}`;
  let agreement = '';
  if (peer) {
    await loadIntoPeer(peer, key, model, { listening, compile });
    agreement = await compareScores(model, clips, peer, key);
    say(`  ${agreement}`);
  }
  const other = peerSide(peer, { do: 'scan', key, files: clips });
  let soundSeconds = 0;
  const ours = async (): Promise<number> => {
    const done = await scan(model, clips);
    soundSeconds = done.soundSeconds;
    return done.seconds;
  };
  const [own, theirs] = await inTurn(rounds, [ours, ...other.runs]);
  if (peer) await peer.ask({ do: 'unload', key });
  const names = model.card.members.map(({ name }) => name).join(', ');
  const note = `${clips.length} clips, ${names}, ${threads} threads; ${agreement}; ${other.way()}`;
  const rate = rateRow({ benchmark, unit: 'files/s', leastRatio, note }, clips.length, own, theirs);
  if (!listening) return [rate];
  const [best, median] = [soundSeconds / own.best, soundSeconds / own.median];
  const goal = { goal: `>= ${leastRealTimes}`, met: best >= leastRealTimes };
  return [rate, ownRow({ benchmark, unit: 'times real time', ...goal, note: '' }, best, median)];
}

/** One recording of twenty minutes, 16 kHz, mono. */
export async function benchTwentyMinutes({ model, clips, folder, rounds }: Setting): Promise<Row[]> {
  const path = join(folder, 'twenty-minutes.wav');
  await longRecording(path, clips.slice(0, 200), longSeconds);
  const [{ best, median }] = await inTurn(Math.min(2, rounds), [
    async () => (await scan(model, [path], clips)).seconds,
  ]);
  rmSync(path);
  const met = longSeconds / best >= leastLongRealTimes;
  return [
    ownRow(
      { benchmark: 'twenty minutes', unit: 'times real time', goal: `>= ${leastLongRealTimes}`, met, note: 'WAV' },
      longSeconds / best,
      longSeconds / median,
    ),
  ];
}

/** The model that shipped before, out of the repository's history; null where that is not at hand. */
export function modelBefore(folder: string): string | null {
  const place = join(folder, 'before');
  mkdirSync(place, { recursive: true });
  try {
    for (const file of before.files) {
      const bytes = execFileSync('git', ['show', `${before.commit}:resources/models/default/${file}`], {
        cwd: root,
        maxBuffer: 64 * 1024 ** 2,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      writeFileSync(join(place, file), bytes);
    }
    return place;
  } catch {
    return null;
  }
}

/** The model without the encoder against the one that shipped before there were members. */
export async function benchFast({ clips, rounds, folder }: Setting): Promise<Row[]> {
  const place = modelBefore(folder);
  if (place === null) {
    say(`fast: left out, the repository's history does not hold ${before.commit}.`);
    return [];
  }
  const [fast, old] = [await readModel(shippedModelFolder('fast')), await readModel(place)];
  const [ours, theirs] = await inTurn(rounds, [
    async () => (await scan(fast, clips)).seconds,
    async () => (await scan(old, clips)).seconds,
  ]);
  const note = `in place of the peer the model of ${before.commit}, ${old.card.members.map(({ name }) => name).join(', ')}`;
  const row = { benchmark: '--fast against before', unit: 'files/s', leastRatio: 1, note };
  return [rateRow(row, clips.length, ours, theirs)];
}
