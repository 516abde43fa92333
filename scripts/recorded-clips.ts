// `node scripts/recorded-clips.ts FOLDER`: words and sentences that people recorded for games, programs for children and
// telephone exchanges, from Debian's packages (`apt-get download`, 650 MB), as bona fide clips with a manifest, to stand
// beside a corpus (`--dataset manifest:CORPUS+manifest:FOLDER/manifest.csv`). Each package is a source,
// so that folds leave out all of a kind; each voice or language of it a speaker.
// Telephone prompts are of the split `prompts`, so that a model can be asked about recordings of a kind that it never heard.
// Short recordings are put one behind the other; clips are prepared as the corpus' are (`lib/training-clips.ts`).
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { wavBytes } from '../src-main/audio/wav-writer.ts';
import { Random } from '../src-main/base/random.ts';
import { sha256 } from '../src-main/base/sha256.ts';
import { bandLimited, clipRateHz, prepared, trimmed } from './lib/training-clips.ts';

const run = promisify(execFile);
const fewestSamples = 2.5 * clipRateHz;
/** Of quiet that stays around a recording which others are put behind. */
const quietFrames = 3;
interface Package {
  name: string;
  split: 'train' | 'prompts';
  /** At most, of each voice: few each, since training hears sources by the root of what they have. */
  clips: number;
  /** Which files are speech, and whose: the first group is the voice or language. */
  speech: RegExp;
}

const packages: Package[] = [
  // Voices that are a machine's (Robot) or sing stay out.
  { name: 'hedgewars-data', split: 'train', clips: 8, speech: /voices\/(?!Robot|Singer)([^/]+)\/[^/]+\.ogg$/ },
  { name: 'klettres-data', split: 'train', clips: 8, speech: /klettres\/([^/]+)\/(?:alpha|syllab)\/[^/]+\.ogg$/ },
  // Those of seven languages, recorded at 8 kHz, stay out.
  {
    name: 'ktuberling-data',
    split: 'train',
    clips: 8,
    speech: /ktuberling\/sounds\/(?!(?:es|fi|it|nds|nl|pt|sv)\/)([^/]+)\/[^/]+\.(?:ogg|wav)$/,
  },
  { name: 'tuxpaint-stamps-default', split: 'train', clips: 8, speech: /_desc_?([A-Za-z_]*)\.(?:ogg|wav)$/ },
  { name: 'unknown-horizons', split: 'train', clips: 8, speech: /audio\/voice\/([^/]+)\/.*\.ogg$/ },
  ...['en', 'es', 'fr', 'it', 'ru'].map((language): Package => ({ name: `asterisk-core-sounds-${language}-g722`, split: 'prompts', clips: 16, speech: /sounds\/([^/]+)\/[^/]+\.g722$/ })), // prettier-ignore
];

const folder = resolve(process.argv[2] ?? '');
if (process.argv[2] === undefined) {
  process.stderr.write('Name a folder to write the clips to.\n');
  process.exit(2);
}
await mkdir(folder, { recursive: true });
const work = await mkdtemp(join(tmpdir(), 'earwitness-recorded-'));
const rows = ['path,label,split,generator,speaker,source'];

async function filesUnder(name: string): Promise<string[]> {
  await run('apt-get', ['download', '-q', name], { cwd: work });
  const [archive] = (await readdir(work)).filter((file) => file.endsWith('.deb'));
  await run('dpkg-deb', ['-x', archive, name], { cwd: work });
  await rm(join(work, archive));
  const entries = await readdir(join(work, name), { recursive: true, withFileTypes: true });
  // A link is a recording that another name has already.
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).sort(); // prettier-ignore
}

/** Each voice's recordings; a file without a language in its name is English. */
function byVoice(files: readonly string[], speech: RegExp): Map<string, string[]> {
  const matched = files.flatMap((file) => {
    const match = speech.exec(file);
    return match === null ? [] : [{ file, voice: match[1] === '' ? 'en' : match[1] }];
  });
  return new Map([...Map.groupBy(matched, ({ voice }) => voice)].map(([voice, found]) => [voice, found.map(({ file }) => file)])); // prettier-ignore
}

/** Recordings of one voice, in seeded order, put together until they fill a clip. */
async function clipsOf(speaker: string, files: readonly string[], most: number): Promise<Int16Array[]> {
  const random = new Random([1, parseInt(sha256(speaker).slice(0, 8), 16)]);
  const clips: Int16Array[] = [];
  const heard = new Set<string>();
  let parts: Float32Array[] = [];
  for (const file of random.shuffle([...files])) {
    if (clips.length === most) break;
    const whole = await bandLimited(file, work, file.endsWith('.g722') ? ['-f', 'g722'] : []);
    const hash = sha256(new Uint8Array(whole.buffer, whole.byteOffset, whole.byteLength));
    const samples = trimmed(whole, quietFrames);
    if (samples.length < clipRateHz / 10 || heard.has(hash)) continue;
    heard.add(hash);
    // Of a long one any part, so that not all begin alike.
    const start = Math.max(0, samples.length - 3.5 * clipRateHz);
    const part = samples.subarray(start > 0 ? random.below(start) : 0);
    const rms = Math.sqrt(part.reduce((sum, sample) => sum + sample * sample, 0) / part.length);
    parts.push(part.map((sample) => sample / rms));
    if (parts.reduce((sum, { length }) => sum + length, 0) < fewestSamples) continue;
    const joined = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const each of parts) {
      joined.set(each, at);
      at += each.length;
    }
    parts = [];
    const clip = prepared(joined, random);
    if (clip !== null) clips.push(clip);
  }
  return clips;
}

try {
  for (const { name, split, clips: most, speech } of packages) {
    const voices = byVoice(await filesUnder(name), speech);
    for (const [voice, files] of voices) {
      const speaker = `debian/${name}/${voice}`;
      const clips = await clipsOf(speaker, files, most);
      for (const [index, samples] of clips.entries()) {
        const path = `${`${name}-${voice}`.replaceAll(/[^\w-]+/g, '-')}-${index}.wav`;
        await writeFile(join(folder, path), wavBytes(samples, clipRateHz));
        rows.push(`${path},bonafide,${split},,${speaker},debian/${name}`);
      }
      process.stdout.write(`${speaker}: ${clips.length} clips of ${files.length} recordings\n`);
    }
    await rm(join(work, name), { recursive: true });
  }
} finally {
  // Also where apt-get cannot be asked.
  await rm(work, { recursive: true });
}
await writeFile(join(folder, 'manifest.csv'), `${rows.join('\n')}\n`);
process.stdout.write(`${rows.length - 1} clips in ${folder}\n`);
