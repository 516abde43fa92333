// `npm run fuzz -- [--files N] [--seed N] [--from FOLDER]`: recordings are damaged by flipping, overwriting and cutting
// bytes, mixed with good copies and scanned by the program in one scan. No crash, no hang, no file written but the
// output; each damaged file has its row, each good copy the score of its original.
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findFfmpeg } from '../src-main/audio/ffmpeg.ts';
import { sniff } from '../src-main/audio/sniff.ts';
import { Random } from '../src-main/base/random.ts';
import { babble, wav16, writeTinyModel } from '../src-main/detector/testing.ts';

const root = resolve(import.meta.dirname, '..');
/** One file in so many is a good copy. */
const goodShare = 10;
/** One damaged file in so many is of a kind that costs a process of ffmpeg. */
const ffmpegShare = 6;
/** Real recordings up to this size are taken. */
const largestOriginal = 150_000;
const secondsPerFile = 60;

interface Row {
  path: string;
  error: { code: string; message: string } | null;
  score?: number | null;
}

export interface FuzzOutcome {
  /** What went wrong; empty where all is well. */
  failures: string[];
  damaged: number;
  good: number;
  /** Rows by what became of the file: `scored`, `silent`, or the error's code. */
  outcomes: Record<string, number>;
  seconds: number;
}

/** Arguments of ffmpeg that make each kind; an encoder that it lacks leaves that kind out. */
const encodings: Record<string, string[]> = {
  'u8.wav': ['-c:a', 'pcm_u8'],
  's24.wav': ['-c:a', 'pcm_s24le', '-ar', '44100', '-ac', '2'],
  'f32.wav': ['-c:a', 'pcm_f32le', '-ar', '22050'],
  'f64.wav': ['-c:a', 'pcm_f64le'],
  'alaw.wav': ['-c:a', 'pcm_alaw', '-ar', '8000'],
  'mulaw.wav': ['-c:a', 'pcm_mulaw', '-ar', '8000'],
  'rf64.wav': ['-c:a', 'pcm_s16le', '-rf64', 'always'],
  'adpcm.wav': ['-c:a', 'adpcm_ms'],
  'gsm.wav': ['-c:a', 'libgsm_ms', '-ar', '8000'],
  '16.flac': ['-c:a', 'flac'],
  '24.flac': ['-c:a', 'flac', '-sample_fmt', 's32', '-ar', '44100', '-ac', '2'],
  'lpc.flac': ['-c:a', 'flac', '-compression_level', '12', '-frame_size', '700'],
  'a.aiff': ['-c:a', 'pcm_s16be'],
  'a.mp3': ['-c:a', 'libmp3lame'],
  'vorbis.ogg': ['-c:a', 'libvorbis'],
  'opus.ogg': ['-c:a', 'libopus', '-ar', '48000'],
  'opus.webm': ['-c:a', 'libopus', '-ar', '48000'],
  'a.m4a': ['-c:a', 'aac'],
  'a.aac': ['-c:a', 'aac', '-f', 'adts'],
  'a.wma': ['-c:a', 'wmav2'],
  'a.mka': ['-c:a', 'ac3', '-ar', '48000'],
  'narrow.3gp': ['-c:a', 'libopencore_amrnb', '-ar', '8000'],
  'wide.amr': ['-c:a', 'libvo_amrwbenc', '-ar', '16000'],
};

/** Makes recordings of every kind that can be made here, and takes those of a folder. */
async function makeOriginals(folder: string, from: string | undefined): Promise<void> {
  const source = join(folder, 's16.wav');
  writeFileSync(source, wav16(babble(1.3, 7)));
  const random = new Random(8);
  // AMR narrow-band frames of 12.2 kbit/s: any bits are sound.
  const frames = Array.from({ length: 60 }, () => [0x3c, ...Array.from({ length: 31 }, () => random.below(256))]);
  writeFileSync(join(folder, 'a.amr'), Buffer.concat([Buffer.from('#!AMR\n'), Buffer.from(frames.flat())]));
  const ffmpeg = await findFfmpeg().catch(() => null);
  for (const [name, options] of ffmpeg ? Object.entries(encodings) : []) {
    const path = join(folder, name);
    try {
      execFileSync(ffmpeg!.path, ['-v', 'quiet', '-nostdin', '-y', '-i', source, ...options, path], {
        stdio: 'ignore',
      });
    } catch {
      rmSync(path, { force: true });
      process.stderr.write(`This ffmpeg cannot make ${name}: left out.\n`);
    }
  }
  if (from === undefined) return;
  for (const name of readdirSync(from)) {
    const path = join(from, name);
    if (statSync(path).size <= largestOriginal && (await sniff(path)) !== 'none') {
      copyFileSync(path, join(folder, `real-${name}`));
    }
  }
}

const tellingNumbers = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

/** A damaged copy: one to three of the ways in which bytes go wrong, half of them in the header. */
function damage(original: Buffer, random: Random): Buffer {
  let bytes = Buffer.from(original);
  const place = (): number =>
    random.below(Math.max(1, random.below(2) === 0 ? Math.min(bytes.length, 256) : bytes.length));
  const ways: (() => void)[] = [
    () => {
      for (let i = 1 + random.below(40); i > 0 && bytes.length > 0; i--) bytes[place()] ^= 1 << random.below(8);
    },
    () => {
      for (let i = 1 + random.below(200); i > 0 && bytes.length > 0; i--) bytes[place()] = random.below(256);
    },
    () => {
      if (bytes.length < 8) return;
      const number = tellingNumbers[random.below(tellingNumbers.length)];
      const at = Math.min(place(), bytes.length - 4);
      if (random.below(2) === 0) bytes.writeUInt32LE(number, at);
      else bytes.writeUInt32BE(number, at);
    },
    () => {
      bytes = bytes.subarray(0, place());
    },
    () => {
      const from = place();
      bytes = Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + random.below(4096))]);
    },
    () => {
      const from = place();
      const part = bytes.subarray(from, from + random.below(4096));
      const to = place();
      bytes = Buffer.concat([bytes.subarray(0, to), part, bytes.subarray(to)]);
    },
    () => {
      const from = place();
      bytes.fill(
        random.below(2) * 0xff,
        Math.min(from, bytes.length),
        Math.min(from + random.below(2048), bytes.length),
      );
    },
  ];
  for (let i = 1 + random.below(3); i > 0; i--) ways[random.below(ways.length)]();
  return bytes;
}

/** Names, sizes and times of what lies in a folder. */
function listingOf(folder: string): string {
  const entry = (name: string): string => {
    const found = statSync(join(folder, name));
    return found.isDirectory() ? name : `${name} ${found.size} ${found.mtimeMs}`;
  };
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort().map(entry).join('\n');
}

/** Runs the program's scan on files of a folder; its rows. */
async function scan(
  work: string,
  folder: string,
  names: string[],
  out: string,
): Promise<{ status: number | null; stderr: string; rows: Row[] }> {
  const child = spawn(
    process.execPath,
    [
      ...[
        join(root, 'src-main/cli/main.ts'),
        'scan',
        '--model',
        join(work, 'model'),
        '--format',
        'json',
        '--out',
        out,
        '--overwrite',
      ],
      ...['--time-limit', String(secondsPerFile), '--', ...names],
    ],
    {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, EARWITNESS_HOME: join(work, 'home'), TMPDIR: join(work, 'tmp') },
    },
  );
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-10_000)));
  const status = await new Promise<number | null>((done) => child.on('close', done));
  const rows = existsSync(out) ? (JSON.parse(readFileSync(out, 'utf8')) as { results: Row[] }).results : [];
  return { status, stderr, rows };
}

/**
 * Makes the files in a folder of its own, scans them and judges; the folder is removed unless something failed.
 * @param from a folder of real recordings to damage beside those made here
 */
export async function runFuzz(files: number, seed: number, from?: string): Promise<FuzzOutcome> {
  const work = mkdtempSync(join(tmpdir(), 'earwitness-fuzz-'));
  const [originals, evidence, outputs] = ['originals', 'evidence', 'outputs'].map((name) => join(work, name));
  for (const folder of [originals, evidence, outputs, join(work, 'home'), join(work, 'tmp')]) mkdirSync(folder);
  await writeTinyModel(join(work, 'model'));
  await makeOriginals(originals, from);

  const failures: string[] = [];
  const names = readdirSync(originals).sort();
  const first = await scan(work, originals, names, join(outputs, 'originals.json'));
  const scores = new Map(first.rows.map(({ path, score }) => [path.slice(originals.length + 1), score]));
  for (const { path, error } of first.rows) if (error) failures.push(`${path}, undamaged: ${error.message}`);
  const kinds = new Map<boolean, string[]>([true, false].map((inProcess) => [inProcess, []]));
  for (const name of names) kinds.get(/\b(u8|s16|s24|f32|f64|pcm|flac)/.test(name))?.push(name);

  const random = new Random(seed);
  const made: { name: string; original: string; good: boolean }[] = [];
  for (let index = 0; index < files; index++) {
    const some = kinds.get(random.below(ffmpegShare) > 0) as string[];
    const pool = some.length > 0 ? some : names;
    const original = pool[random.below(pool.length)];
    const good = random.below(goodShare) === 0;
    const name = `${String(index).padStart(6, '0')}`;
    const bytes = readFileSync(join(originals, original));
    writeFileSync(join(evidence, name), good ? bytes : damage(bytes, random));
    made.push({ name, original, good });
  }
  const before = [evidence, join(work, 'home'), join(work, 'tmp'), outputs].map(listingOf);
  const began = performance.now();
  const { status, stderr, rows } = await scan(
    work,
    evidence,
    made.map(({ name }) => name),
    join(outputs, 'scan.json'),
  );
  const seconds = (performance.now() - began) / 1000;
  if (status !== 0 && status !== 3) failures.push(`the scan ended with ${status}: ${stderr}`);

  const after = [evidence, join(work, 'home'), join(work, 'tmp')].map(listingOf);
  if (after.some((listing, index) => listing !== before[index])) failures.push('the scan wrote or changed other files');
  const outputsNow = readdirSync(outputs).sort().join();
  if (outputsNow !== 'originals.json,scan.json') failures.push(`beside the output lies ${outputsNow}`);
  if (rows.length !== files) failures.push(`${rows.length} rows for ${files} files`);
  const outcomes: Record<string, number> = {};
  made.forEach(({ name, original, good }, index) => {
    const row = rows.at(index);
    const what = `${join(evidence, name)} (${good ? 'a copy' : 'damaged'}, of ${original})`;
    if (row?.path !== join(evidence, name)) {
      failures.push(`${what} has no row`);
      return;
    }
    const outcome = row.error?.code ?? (row.score === null ? 'silent' : 'scored');
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (row.error && ['internal', 'timeout', 'changed'].includes(row.error.code)) {
      failures.push(`${what}: ${row.error.message}`);
    } else if (!row.error && row.score !== null && !Number.isFinite(row.score)) {
      failures.push(`${what} has the score ${row.score}`);
    } else if (good && row.score !== scores.get(original)) {
      failures.push(`${what} scores ${row.score}, the original ${scores.get(original)}`);
    }
  });
  if (failures.length === 0) rmSync(work, { recursive: true, force: true });
  const good = made.filter((file) => file.good).length;
  return { failures, damaged: files - good, good, outcomes, seconds };
}

if (process.argv[1] && resolve(process.argv[1]) === import.meta.filename) {
  const { values } = parseArgs({
    options: { files: { type: 'string' }, seed: { type: 'string' }, from: { type: 'string' } },
  });
  const files = Number(values.files ?? 10_000);
  const seed = Number(values.seed ?? 1);
  const { failures, damaged, good, outcomes, seconds } = await runFuzz(files, seed, values.from);
  const counts = Object.entries(outcomes).sort(([, one], [, other]) => other - one);
  console.log(`Seed ${seed}: ${damaged} damaged files and ${good} good copies scanned in ${seconds.toFixed(0)} s.`);
  console.log(counts.map(([outcome, count]) => `  ${outcome}: ${count}`).join('\n'));
  for (const failure of failures.slice(0, 50)) console.log(`FAILED: ${failure}`);
  console.log(failures.length === 0 ? 'All well.' : `${failures.length} failures; the files are kept.`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}
