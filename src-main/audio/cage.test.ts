import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { cageFor, spawnCaged, type Cage } from './cage.ts';
import { openAudio } from './decode.ts';
import { findFfmpeg } from './ffmpeg.ts';
import { runFfmpeg, temporaryFolder } from './testing.ts';

const folder = temporaryFolder();
const ffmpeg = await findFfmpeg().catch(() => null);
// Node stands for a decoder that a recording has taken over: it tries what such a one would.
const answer = await cageFor(process.execPath, ['--version'], (output) => output.startsWith('v'));
const cage = answer!.cage;
const bubblewrap = cage.held.includes('bubblewrap');

async function inCage(inside: Cage, script: string, reads: string[]): Promise<unknown> {
  const child = spawnCaged(inside, process.execPath, ['-e', script], reads);
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (out === '') throw new Error(err);
  return JSON.parse(out);
}

const look = (paths: string[]): string => `
  const fs = require('node:fs');
  const tried = (act) => { try { return act(); } catch (error) { return error.code; } };
  console.log(JSON.stringify({
    read: ${JSON.stringify(paths)}.map((path) => tried(() => fs.readFileSync(path, 'utf8'))),
    write: ${JSON.stringify(paths)}.map((path) => tried(() => fs.writeFileSync(path, 'changed'))),
    root: fs.readdirSync('/'),
    variables: Object.keys(process.env).sort(),
    networks: Object.keys(require('node:os').networkInterfaces()),
    parent: process.ppid,
  }));`;

describe('in the cage', () => {
  const home = join(folder, 'home');
  mkdirSync(home);
  const recording = join(home, 'recording.bin');
  const key = join(home, 'key.pem');
  writeFileSync(recording, 'sound');
  writeFileSync(key, 'secret');

  const shown = 'a program sees itself, its libraries and the recording, cannot write, and reaches no network';
  test.skipIf(!bubblewrap)(bubblewrap ? shown : `${shown} (bubblewrap does not work here)`, async () => {
    const seen = (await inCage(cage, look([recording, key, '/etc/passwd']), [recording])) as Record<string, string[]>;
    expect(seen['read']).toEqual(['sound', 'ENOENT', 'ENOENT']);
    expect(seen['write'][0]).toMatch(/^(EROFS|EACCES)$/);
    expect(seen['root']).not.toEqual(expect.arrayContaining(['home', 'proc', 'root', 'var']));
    expect(seen['networks'].filter((name) => name !== 'lo')).toEqual([]);
    expect(existsSync(recording)).toBe(true);
  });

  test.runIf(process.platform !== 'win32')('variables of the person stay outside, whatever the cage', async () => {
    process.env['EARWITNESS_TEST_SECRET'] = 'secret';
    try {
      for (let each: Cage | null = cage; each !== null; each = each.weaker) {
        const { variables } = (await inCage(each, look([]), [])) as { variables: string[] };
        const known = ['LC_ALL', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'DYLD_FALLBACK_LIBRARY_PATH', 'PWD'];
        expect(variables.filter((name) => !known.includes(name) && !name.startsWith('__'))).toEqual([]);
      }
    } finally {
      delete process.env['EARWITNESS_TEST_SECRET'];
    }
  });

  const bounds = 'memory and core files are bounded';
  test.skipIf(!cage.held.includes('limits'))(bounds, async () => {
    for (let each: Cage | null = cage; each !== null; each = each.weaker) {
      const child = spawnCaged(each, process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], []);
      try {
        // The limits are its own or, in bubblewrap, were handed down by it.
        await expect
          .poll(() => execFileSync('cat', [`/proc/${child.pid}/limits`], { encoding: 'utf8' }))
          .toMatch(/Max core file size +0 [\s\S]*Max address space +4294967296 /);
      } finally {
        child.kill('SIGKILL');
      }
    }
  });

  test.skipIf(!bubblewrap)('it ends when its host kills it', async () => {
    const marker = `earwitness-cage-${process.pid}`;
    const child = spawnCaged(
      cage,
      process.execPath,
      ['-e', `console.log(1); setTimeout(() => {}, 60000); // ${marker}`],
      [],
    );
    const running = (): boolean => {
      try {
        return execFileSync('pgrep', ['-f', marker], { encoding: 'utf8' }) !== '';
      } catch {
        return false;
      }
    };
    await new Promise((resolve) => child.stdout.once('data', resolve));
    expect(running()).toBe(true);
    child.kill('SIGKILL');
    await expect.poll(running, { timeout: 5000 }).toBe(false);
  });
});

describe.skipIf(ffmpeg === null)('ffmpeg', () => {
  test('runs in it, gives the samples that it gives outside, and the result names what held', async () => {
    const path = join(folder, 'a ä \n"b".mp3');
    runFfmpeg(ffmpeg!.path, '-f', 'lavfi', '-i', 'sine=d=1:r=16000', path);
    const stream = await openAudio(path);
    let samples = 0;
    for await (const block of stream.blocks()) samples += block.length;
    expect(samples).toBeGreaterThanOrEqual(16_000);
    expect(stream.info.heldBy).toEqual(ffmpeg!.cage.held);
    if (process.platform === 'linux') expect(stream.info.heldBy).toContain(bubblewrap ? 'bubblewrap' : 'limits');
  });

  test.skipIf(!bubblewrap)('opens no other file, even where it is reported to', async () => {
    const [asked, other] = [join(folder, 'asked.wav'), join(folder, 'other.wav')];
    for (const path of [asked, other]) runFfmpeg(ffmpeg!.path, '-f', 'lavfi', '-i', 'sine=d=0.1:r=8000', path);
    const args = (path: string): string[] => ['-v', 'error', '-nostdin', '-i', path, '-f', 'null', '-'];
    const tell = async (path: string): Promise<string> =>
      text(spawnCaged(ffmpeg!.cage, ffmpeg!.path, args(path), [asked]).stderr);
    expect(await tell(asked)).toBe('');
    expect(await tell(other)).toContain('No such file');
  });
});
