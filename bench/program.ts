/** The program as a person starts it: hours of sound, a cold start, the memory of a scan. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inTurn, ownRow } from './measure.ts';
import type { Row } from './measure.ts';
import { longRecording } from './recordings.ts';
import { modelBefore } from './scanning.ts';
import { root, say, withSpeech } from './setting.ts';
import type { Setting } from './setting.ts';

const longSeconds = 3 * 3600;
const leastRealTimes = 50;
const mostMebibytes = 500;
const mostColdSeconds = 1.5;
const mostMemoryRatio = 1.3;

/** Prints the most memory that the process held, in KiB, as it ends. */
const memoryReporter = `data:text/javascript,${encodeURIComponent(
  "import { isMainThread } from 'node:worker_threads';" +
    "if (isMainThread) process.on('exit', () => process.stderr.write('peak ' + process.resourceUsage().maxRSS + '\\n'));",
)}`;
const built = join(root, 'out', 'main', 'cli.js');

/** The command line: built where it is, else from its sources. */
async function runProgram(...parameters: string[]): Promise<{ seconds: number; mebibytes: number }> {
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

/** A recording of three hours from the start of the program to its end. */
export async function benchLong(setting: Setting): Promise<Row[]> {
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
  const members = setting.model.card.members.map(({ name }) => name).join(', ');
  const note = `WAV of ${megabytes} MB, ${members}, voice activity detection and quality measures, program start and hashing included`;
  const speed = { goal: `>= ${leastRealTimes}`, met: longSeconds / best >= leastRealTimes, note };
  const peak = Math.max(...peaks);
  const memory = { goal: `<= ${mostMebibytes}`, met: peak <= mostMebibytes, note: '' };
  return [
    ownRow({ benchmark: 'three hours', unit: 'times real time', ...speed }, longSeconds / best, longSeconds / median),
    ownRow({ benchmark: 'three hours', unit: 'MiB resident', ...memory }, peak, peak),
  ];
}

/** One clip from the start of the program to its end. */
export async function benchCold({ model, clips, rounds }: Setting): Promise<Row[]> {
  const run = async (): Promise<number> => (await runProgram('analyze', '--model', model.folder, clips[0])).seconds;
  const [{ best, median }] = await inTurn(rounds + 2, [run]);
  const note = `one clip of 3 s, run from ${existsSync(built) ? 'the built program' : 'its sources: nothing is built'}`;
  const goal = { goal: `< ${mostColdSeconds}`, met: best < mostColdSeconds, note };
  return [ownRow({ benchmark: 'analyze, from the start', unit: 's', ...goal }, best, median)];
}

/** The most that a scan of all clips holds, beside the model that shipped before there were members. */
export async function benchMemory({ model, clips, folder }: Setting): Promise<Row[]> {
  const out = join(folder, 'scores.csv');
  const scan = async (place: string): Promise<number> => {
    const { mebibytes } = await runProgram(
      'scan',
      '--format',
      'csv',
      '--overwrite',
      '--out',
      out,
      '--model',
      place,
      ...clips,
    );
    return mebibytes;
  };
  const ours = await scan(model.folder);
  const place = modelBefore(folder);
  const before = place === null ? null : await scan(place);
  const ratio = before === null ? null : ours / before;
  const row = {
    benchmark: 'memory of a scan',
    unit: 'MiB resident',
    goal: `ratio <= ${mostMemoryRatio}`,
    met: ratio === null ? null : ratio <= mostMemoryRatio,
    note: `${clips.length} clips; in place of the peer the model that shipped before`,
  };
  return [{ ...ownRow(row, ours, ours), peer: before, peerMedian: before, ratio }];
}
