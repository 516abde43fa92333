/** Scans that are killed, and go on: the built program, in processes of its own. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { babble, wav16, writeTinyModel } from '../src-main/detector/testing.ts';

const program = join(resolve(import.meta.dirname, '..'), 'scripts/earwitness.mjs');
const files = 300;
let folder: string;

const environment = (): NodeJS.ProcessEnv => ({ ...process.env, EARWITNESS_HOME: join(folder, 'home') });
const scanning = (out: string, format: string, ...more: string[]): string[] => [
  ...[program, 'scan', '--model', join(folder, 'model'), '--format', format, '--out', join(folder, out), ...more],
  join(folder, 'evidence'),
];

function scan(...args: Parameters<typeof scanning>): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync(process.execPath, scanning(...args), { encoding: 'utf8', env: environment() });
  return { status, stderr };
}

const lines = (path: string): string[] =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : [];

/** Starts a scan and kills it once its journal holds so many lines; false where it was quicker. */
async function killed(signal: NodeJS.Signals, after: number, ...args: Parameters<typeof scanning>): Promise<boolean> {
  const child = spawn(process.execPath, scanning(...args), { env: environment(), stdio: 'ignore', detached: true });
  const ended = new Promise((done) => child.on('exit', done));
  const journal = join(folder, `${args[0]}.partial`);
  while (child.exitCode === null && lines(journal).length < after) await new Promise((done) => setTimeout(done, 10));
  if (child.exitCode !== null) return false;
  // The whole group: the program may have handed over to another Node.
  process.kill(process.platform === 'win32' ? (child.pid as number) : -(child.pid as number), signal);
  await ended;
  return true;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-resume-'));
  await writeTinyModel(join(folder, 'model'));
  mkdirSync(join(folder, 'evidence'));
  for (let i = 0; i < files; i++) {
    const name = `${String(i).padStart(3, '0')}.wav`;
    writeFileSync(
      join(folder, 'evidence', name),
      i % 50 === 7 ? Buffer.from('RIFF\0\0\0\0WAVE') : wav16(babble(1.2, i)),
    );
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a scan that is killed', () => {
  it.each(['csv', 'json', 'table'])('goes on to the same bytes, and scores nothing twice (%s)', async (format) => {
    const whole = `whole-${format}`;
    expect(scan(whole, format).status).toBe(3);
    const out = `killed-${format}`;
    const journal = join(folder, `${out}.partial`);
    expect(await killed('SIGKILL', 60, out, format)).toBe(true);
    expect(existsSync(join(folder, out))).toBe(false);
    const first = lines(journal).slice(1).flatMap(pathsScored);
    expect(first.length).toBeGreaterThan(50);

    const without = scan(out, format);
    expect(without.status).toBe(2);
    expect(without.stderr).toMatch(/--resume.*--overwrite/);

    expect(await killed('SIGKILL', lines(journal).length + 60, out, format, '--resume')).toBe(true);
    const both = lines(journal).slice(1).flatMap(pathsScored);
    expect(both.length).toBeGreaterThan(first.length + 30);
    expect(new Set(both).size).toBe(both.length);

    const last = scan(out, format, '--resume');
    expect(last.status).toBe(3);
    expect(Number(/Going on: (\d+) of/.exec(last.stderr)?.[1])).toBeGreaterThanOrEqual(both.length - 1);
    const read = (name: string): string =>
      readFileSync(join(folder, name), 'utf8').replace(/"time":"[^"]*"/, '"time":"…"');
    expect(read(out)).toBe(read(whole));
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
  });

  it('refuses to go on with another model, and begins anew when told to', async () => {
    expect(await killed('SIGKILL', 10, 'other', 'csv')).toBe(true);
    await writeTinyModel(join(folder, 'second'), 5);
    const other = scan('other', 'csv', '--resume', '--model', join(folder, 'second'));
    expect(other.status).toBe(2);
    expect(other.stderr).toMatch(/differs from this one in the model/);
    const anew = scan('other', 'csv', '--overwrite');
    expect(anew.stderr).not.toMatch(/Going on/);
    expect(readFileSync(join(folder, 'other'), 'utf8').split('\r\n').length).toBe(files + 2);
  });

  it('goes on after Ctrl-C, too', async () => {
    expect(await killed('SIGINT', 20, 'stopped', 'csv')).toBe(true);
    expect(existsSync(join(folder, 'stopped'))).toBe(false);
    expect(scan('stopped', 'csv', '--resume').status).toBe(3);
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
  });

  it('needs a file to go on with', () => {
    for (const args of [['--resume'], ['--overwrite']]) {
      const { status, stderr } = spawnSync(process.execPath, [program, 'scan', ...args, folder], { encoding: 'utf8' });
      expect(status).toBe(2);
      expect(stderr).toMatch(/--out/);
    }
    expect(scan('both', 'csv', '--resume', '--overwrite').status).toBe(2);
    mkdirSync(join(folder, 'a folder'));
    expect(scan('a folder', 'csv').stderr).toMatch(/is a folder/);
  });
});

describe('a drive that vanishes in the middle of a scan', () => {
  it('leaves a row with an error for each file that was left, and status 3', async () => {
    const drive = join(folder, 'drive');
    mkdirSync(drive);
    const kinds = Array.from({ length: 10 }, (_, seed) => wav16(babble(1.2, seed)));
    for (let i = 0; i < files; i++) writeFileSync(join(drive, `${i}.wav`), kinds[i % kinds.length]);
    const out = join(folder, 'vanished.csv');
    const args = [program, 'scan', '--model', join(folder, 'model'), '--format', 'csv', '--out', out, drive];
    const child = spawn(process.execPath, args, { env: environment(), stdio: 'ignore' });
    const ended = new Promise<number | null>((done) => child.on('exit', done));
    while (child.exitCode === null && lines(`${out}.partial`).length < 20) {
      await new Promise((done) => setTimeout(done, 10));
    }
    rmSync(drive, { recursive: true });
    expect(await ended).toBe(3);
    const rows = lines(out).slice(1);
    expect(rows.length).toBe(files);
    const missing = rows.filter((row) => row.includes('does not exist')).length;
    expect(missing).toBeGreaterThan(0);
    expect(rows.filter((row) => /,(looks-|inconclusive|not assessable)/.test(row)).length).toBe(files - missing);
  });
});

/** Of a journal's line, the file that was scored, if one was; a torn line counts for nothing. */
function pathsScored(line: string): string[] {
  try {
    const { path, analysis } = JSON.parse(line) as { path: string; analysis: unknown };
    return analysis === null ? [] : [path];
  } catch {
    return [];
  }
}
