// Speech engines that people can have at no cost, and how each is asked to say something.
import { execFile } from 'node:child_process';
import { access, constants, readdir, writeFile } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Voice {
  name: string;
  say: (text: string, to: string, folder: string) => Promise<unknown>;
}

export interface Engine {
  name: string;
  /** Sources of the model's training that are of its kind. */
  kind: RegExp;
  voices: () => Promise<Voice[]>;
}

async function programAt(name: string): Promise<string | null> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, process.platform === 'win32' ? `${name}.exe` : name);
    if (!isAbsolute(folder)) continue;
    if (await access(path, constants.X_OK).then(() => true, () => false)) return path; // prettier-ignore
  }
  return null;
}

const voicesOf = (names: readonly string[], say: (voice: string) => Voice['say']): Voice[] =>
  names.map((name) => ({ name, say: say(name) }));

export async function espeak(program: string, names: readonly string[]): Promise<Voice[]> {
  const path = await programAt(program);
  return path === null ? [] : voicesOf(names, (voice) => (text, to) => run(path, ['-v', voice, '-w', to, text]));
}

/** Its voices that are asked for, English ones first. */
export async function festival(asked: (voice: string) => boolean): Promise<Voice[]> {
  const [program, text2wave] = [await programAt('festival'), await programAt('text2wave')];
  if (program === null || text2wave === null) return [];
  const { stdout } = await run(program, ['-b', '(print (voice.list))']);
  const names = (/\((.*)\)/.exec(stdout)?.[1] ?? '')
    .trim()
    .split(/\s+/)
    .filter((name) => name !== '' && asked(name));
  const english = (name: string): boolean => /^(?:kal|ked|rab|don|cmu_us)/.test(name);
  names.sort((one, other) => Number(english(other)) - Number(english(one)) || (one < other ? -1 : 1));
  return voicesOf(names, (voice) => async (text, to, folder) => {
    const file = join(folder, 'text');
    await writeFile(file, text);
    return run(text2wave, ['-eval', `(voice_${voice})`, '-o', to, file]);
  });
}

export async function flite(): Promise<Voice[]> {
  const program = await programAt('flite');
  if (program === null) return [];
  const { stdout } = await run(program, ['-lv']);
  const names = (/Voices available:(.*)/.exec(stdout)?.[1] ?? '').trim().split(/\s+/);
  // It tells the time and nothing else.
  const speaking = names.filter((name) => name !== '' && name !== 'awb_time');
  return voicesOf(speaking, (voice) => (text, to) => run(program, ['-voice', voice, '-t', text, '-o', to]));
}

/** Voices by which a first try is judged; each lists at most what it has on this machine. */
export const engines: readonly Engine[] = [
  {
    name: 'espeak-ng',
    kind: /espeak-ng$/,
    voices: () =>
      espeak('espeak-ng', [
        ...['en', 'en-us', 'en-gb-scotland', 'en+m3', 'en+m7', 'en+f2', 'en+f4', 'en+croak', 'en+whisper', 'en-029'],
      ]),
  },
  {
    name: 'espeak-ng, Klatt',
    kind: /espeak-ng-klatt$/,
    voices: () => espeak('espeak-ng', ['en+klatt', 'en+klatt2', 'en+klatt3', 'en+klatt4', 'en-us+klatt']),
  },
  {
    name: 'espeak-ng, MBROLA',
    kind: /mbrola/,
    voices: async () => {
      const mbrola = await programAt('mbrola');
      const found = await readdir('/usr/share/mbrola').catch(() => []);
      return mbrola === null ? [] : espeak('espeak-ng', found.map((name) => `mb-${name}`).filter((name) => /^mb-(en|us)/.test(name))); // prettier-ignore
    },
  },
  { name: 'eSpeak', kind: /mespeak$/, voices: () => espeak('espeak', ['en', 'en-us', 'en+m3', 'en+f2', 'en+f4']) },
  { name: 'flite', kind: /flite$/, voices: flite },
  { name: 'Festival', kind: /festival-(?!hts)/, voices: async () => festival((name) => !/hts/.test(name)) },
  { name: 'Festival, HTS', kind: /festival-hts/, voices: async () => festival((name) => /hts/.test(name)) },
  {
    name: 'SVOX Pico',
    kind: /svox|pico/,
    voices: async () => {
      const pico = await programAt('pico2wave');
      return pico === null ? [] : voicesOf(['en-US', 'en-GB'], (voice) => (text, to) => run(pico, ['-l', voice, '-w', to, text])); // prettier-ignore
    },
  },
  {
    name: 'RHVoice',
    kind: /rhvoice/i,
    voices: async () => {
      const program = await programAt('RHVoice-test');
      if (program === null) return [];
      return voicesOf(['alan', 'bdl', 'clb', 'slt', 'evgeniy-eng', 'lyubov'], (voice) => async (text, to, folder) => {
        const file = join(folder, 'text');
        await writeFile(file, text);
        return run(program, ['-p', voice, '-i', file, '-o', to]);
      });
    },
  },
  {
    name: 'say (macOS)',
    kind: /apple|macos/i,
    voices: async () => {
      const say = process.platform === 'darwin' ? await programAt('say') : null;
      if (say === null) return [];
      const { stdout } = await run(say, ['-v', '?']);
      const names = [...stdout.matchAll(/^(\S.*?)\s{2,}en_/gm)].map(([, name]) => name);
      return voicesOf(names, (voice) => (text, to) => run(say, ['-v', voice, '--data-format=LEI16@22050', '-o', to, text])); // prettier-ignore
    },
  },
];
