/** Recordings through a codec and back, by ffmpeg (or sox where it has the encoder and ffmpeg has not). */
import { execFile } from 'node:child_process';
import { access, constants, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { decode } from '../audio/decode.ts';
import { findFfmpeg } from '../audio/ffmpeg.ts';
import { UserFacingError } from '../base/errors.ts';
import { atRate } from './sound.ts';
import type { Sound } from './sound.ts';
import { wav16 } from '../audio/wav-writer.ts';

const run = promisify(execFile);

/** How a codec is called. */
export interface CodecPass {
  /** ffmpeg's encoder and its arguments. */
  encoder: string;
  arguments: readonly string[];
  /** Ending of the coded file's name. */
  container: string;
  /** At which it codes; also the rate of what comes back, unless that is given. */
  rateHz: number;
  /** sox's type and arguments of the same codec at the same rate. */
  sox?: { type: string; arguments: readonly string[] };
}

/** A program that encodes, ready to use. */
export interface Encoder {
  /** Program and version, for the result. */
  name: string;
  encode: (from: string, to: string, signal?: AbortSignal) => Promise<void>;
}

/** Silence between recordings that go through a codec together: its memory, and its rate control, have rest. */
const restSeconds = 0.5;
/** For minutes of sound; a machine may be busy. */
const limitMs = 1_800_000;

const lists = new Map<string, Promise<string>>();

/** What a program says of itself, asked once. */
function outputOf(program: string, ...args: string[]): Promise<string> {
  const key = [program, ...args].join(' ');
  let answer = lists.get(key);
  if (!answer) {
    answer = run(program, args, { maxBuffer: 2 ** 24, timeout: 20_000 }).then(
      ({ stdout }) => stdout,
      () => '',
    );
    lists.set(key, answer);
  }
  return answer;
}

/** ffmpeg's names of the codecs that it knows, as analyses name them. @throws UserFacingError `ffmpeg-missing` */
export async function codecNames(): Promise<string[]> {
  const listed = await outputOf((await findFfmpeg()).path, '-hide_banner', '-codecs');
  return [...listed.matchAll(/^ [D.][E.]A\S*\s+(\S+)/gm)].map(([, name]) => name);
}

async function findSox(): Promise<string | null> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, process.platform === 'win32' ? 'sox.exe' : 'sox');
    const found = isAbsolute(folder) && (await access(path, constants.X_OK).then(() => true, () => false)); // prettier-ignore
    if (found) return path;
  }
  return null;
}

/** @returns the program that encodes this, or null with the names of what was looked for where there is none. */
export async function findEncoder(pass: CodecPass): Promise<Encoder | { missing: string }> {
  const ffmpeg = await findFfmpeg().catch(() => null);
  if (ffmpeg && (await outputOf(ffmpeg.path, '-hide_banner', '-encoders')).includes(` ${pass.encoder} `)) {
    return {
      name: `ffmpeg ${ffmpeg.version}, ${pass.encoder}`,
      encode: async (from, to, signal) => {
        const args = ['-v', 'error', '-nostdin', '-y', '-bitexact', '-i', from, '-map_metadata', '-1'];
        await run(ffmpeg.path, [...args, '-c:a', pass.encoder, ...pass.arguments, to], { timeout: limitMs, ...(signal ? { signal } : {}) }); // prettier-ignore
      },
    };
  }
  const { sox } = pass;
  const program = sox && (await findSox());
  if (sox && program && new RegExp(`\\b${sox.type}\\b`).test(await outputOf(program, '--help'))) {
    const version = /v(\d\S*)/.exec(await outputOf(program, '--version'))?.[1] ?? '';
    return {
      name: `sox ${version}, ${sox.type}`,
      encode: async (from, to, signal) => {
        const args = ['-D', from, ...sox.arguments, '-t', sox.type, to];
        await run(program, args, { timeout: limitMs, ...(signal ? { signal } : {}) });
      },
    };
  }
  const looked = sox ? `neither ffmpeg's ${pass.encoder} nor sox's ${sox.type}` : `not ffmpeg's ${pass.encoder}`;
  return { missing: `no encoder at hand, ${looked}` };
}

/**
 * Sends recordings through a codec together, with silence between them: starting a program for each costs more than coding
 * it. What is coded and what comes back lies in a folder of its own, which is removed.
 * @param returnRateHz of what comes back
 * @returns the same stretches of what comes back; a codec's delay that its container does not tell moves them by it
 * @throws the signal's reason; errors of the program and of decoding
 */
export async function throughCodec(
  sounds: readonly Sound[],
  pass: CodecPass,
  encoder: Encoder,
  returnRateHz: number,
  signal?: AbortSignal,
): Promise<Sound[]> {
  const ready = sounds.map((sound) => (sound.sampleRateHz === pass.rateHz ? sound : atRate(sound, pass.rateHz)));
  const rest = Math.round(restSeconds * pass.rateHz);
  const starts: number[] = [];
  let length = rest;
  for (const { samples } of ready) {
    starts.push(length);
    length += samples.length + rest;
  }
  const all = new Float32Array(length);
  ready.forEach(({ samples }, index) => all.set(samples, starts[index]));
  const folder = await mkdtemp(join(tmpdir(), 'earwitness-codec-'));
  try {
    const [plain, coded] = [join(folder, 'plain.wav'), join(folder, `coded.${pass.container}`)];
    await writeFile(plain, wav16(all, pass.rateHz));
    await encoder.encode(plain, coded, signal);
    const { samples } = await decode(coded, { sampleRateHz: returnRateHz, ...(signal ? { signal } : {}) });
    const scale = returnRateHz / pass.rateHz;
    return ready.map((sound, index) => {
      const from = Math.round(starts[index] * scale);
      const part = samples.slice(from, from + Math.round(sound.samples.length * scale));
      return { samples: part, sampleRateHz: returnRateHz };
    });
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof UserFacingError) throw error;
    throw new UserFacingError('encoder-failed', `${encoder.name} did not encode.`, {
      advice:
        'See to it that this machine has memory and room on its disk, then measure again: it goes on with what was scored (on the command line by --resume). Or leave that codec out.',
      cause: error,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
