/** What no careful person would scan, and evidence is full of: each has its row, and nothing is written but the output. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { lstatSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFfmpeg } from '../src-main/audio/ffmpeg.ts';
import { chunk, formatChunk, riff, runFfmpeg } from '../src-main/audio/testing.ts';
import { babble, wav16, writeTinyModel } from '../src-main/detector/testing.ts';

const root = resolve(import.meta.dirname, '..');
const program = join(root, 'scripts/earwitness.mjs');
const posix = process.platform !== 'win32';
const isRoot = process.getuid?.() === 0;
const ffmpeg = await findFfmpeg().then(
  (found) => found.path,
  () => null,
);
let folder: string;
let evidence: string;

interface Row {
  path: string;
  sha256: string | null;
  error: { code: string; message: string } | null;
  finding?: string;
  score?: number | null;
  llr?: number | null;
  reasons?: { code: string }[];
}

interface Scan {
  status: number | null;
  stderr: string;
  rows: Row[];
  passedOver: number;
}

/** Runs a command that must end by itself within two minutes. */
function run(command: string, args: string[], cwd: string): { status: number | null; stdout: string; stderr: string } {
  const temporary = join(folder, 'temporary');
  const { status, stdout, stderr, signal } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: 120_000,
    env: { ...process.env, EARWITNESS_HOME: join(folder, 'home'), TMPDIR: temporary, TEMP: temporary, TMP: temporary },
    maxBuffer: 64 * 1024 ** 2,
  });
  expect(signal, `${args.join(' ')} did not end: ${stderr}`).toBeNull();
  return { status, stdout, stderr };
}

function scan(paths: string[], before: string[] = []): Scan {
  const args = [program, 'scan', '--model', join(folder, 'model'), '--format', 'json', '--recursive', '--', ...paths];
  const [command, ...rest] = [...before, process.execPath, ...args];
  const { status, stdout, stderr } = run(command, rest, evidence);
  const { results, passedOver } = JSON.parse(stdout) as { results: Row[]; passedOver: number };
  return { status, stderr, rows: results, passedOver };
}

/** Scans bad files, each between good ones, which must have their scores. @returns the rows of the bad ones, by name */
function scanAmongGood(names: string[], status: number): Map<string, Row> {
  const paths = ['good.wav', ...names.flatMap((name) => [name, 'good too.wav'])];
  const scanned = scan(paths);
  expect(scanned.rows.map(({ path }) => path)).toEqual(paths.map((each) => join(evidence, each)));
  const score = scanned.rows[0].score;
  expect(score).toEqual(expect.any(Number));
  for (const row of scanned.rows.filter((_, index) => index % 2 === 0)) expect(row.score).toBe(score);
  expect(scanned.status).toBe(status);
  return new Map(names.map((name, index) => [name, scanned.rows[2 * index + 1]]));
}

const plant = (name: string, bytes: Uint8Array): void => writeFileSync(join(evidence, name), bytes);
const voice = (seconds = 2): Buffer => wav16(babble(seconds, 6));
const floatWav = (samples: Float32Array): Uint8Array =>
  riff(formatChunk(3, 1, 16_000, 32), chunk('data', new Uint8Array(samples.buffer)));

/** Everything below a folder, with sizes and times, links not followed. */
function below(path: Buffer): string[] {
  return readdirSync(path, { encoding: 'buffer' }).flatMap((name) => {
    const entry = Buffer.concat([path, Buffer.from('/'), name]);
    const found = lstatSync(entry);
    return [`${entry.toString('latin1')} ${found.size} ${found.mtimeMs}`, ...(found.isDirectory() ? below(entry) : [])];
  });
}

const listing = (): string[] =>
  ['evidence', 'home', 'temporary', 'model'].flatMap((name) => below(Buffer.from(join(folder, name))));
let planted: string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-bad-'));
  evidence = join(folder, 'evidence');
  for (const name of ['evidence', 'home', 'temporary']) mkdirSync(join(folder, name));
  await writeTinyModel(join(folder, 'model'));
  plant('good.wav', voice());
  plant('good too.wav', voice());
  plant('empty.wav', new Uint8Array());
  plant('text.wav', Buffer.from('This is no recording.\n'.repeat(50)));
  mkdirSync(join(evidence, 'folder.wav'));
  plant('forbidden.wav', voice());
  plant('truncated.wav', voice().subarray(0, 50_000));
  plant('header only.wav', voice().subarray(0, 44));
  const claim = voice();
  // No length of those that programs write before they know it.
  claim.writeUInt32LE(0xf0000024, 4);
  claim.writeUInt32LE(0xf0000000, 40);
  plant('claims 4 GB.wav', claim);
  const unsound = babble(2, 6);
  for (let i = 0; i < unsound.length; i += 1000) unsound[i] = [NaN, Infinity, -Infinity][(i / 1000) % 3];
  plant('some not finite.wav', floatWav(unsound));
  plant('none finite.wav', floatWav(new Float32Array(32_000).fill(NaN)));
  plant('silence.wav', wav16(new Float32Array(32_000)));
  plant('short.wav', voice(0.2));
  for (const name of ['"quo\'tes".wav', '-dash.wav', '$(touch x); `y`.wav', 'new\nline.wav', '%s%n.wav']) {
    if (posix) plant(name, voice());
  }
  if (process.platform === 'linux') {
    const odd = Buffer.concat([Buffer.from(join(evidence, 'odd-')), Buffer.from([0xff, 0xfe, 0x80])]);
    mkdirSync(odd);
    writeFileSync(Buffer.concat([odd, Buffer.from('/'), Buffer.from([0xe9]), Buffer.from('.wav')]), voice());
  }
  if (posix) {
    execFileSync('mkfifo', [join(evidence, 'pipe.wav')]);
    symlinkSync('/dev/zero', join(evidence, 'zero.wav'));
    symlinkSync('round.wav', join(evidence, 'round.wav'));
    symlinkSync('nowhere.wav', join(evidence, 'dangling.wav'));
    symlinkSync('..', join(evidence, 'folder.wav', 'up'));
  }
  if (ffmpeg !== null) {
    const from = join(evidence, 'good.wav');
    for (const [name, ...args] of [
      ['whole.flac', '-c:a', 'flac'],
      ['whole.mp3', '-c:a', 'libmp3lame', '-b:a', '64k'],
    ]) {
      const whole = join(folder, name);
      runFfmpeg(ffmpeg, '-i', from, ...args, whole);
      const bytes = readFileSync(whole);
      plant(name.replace('whole', 'truncated'), bytes.subarray(0, Math.floor(bytes.length * 0.6)));
    }
    const flac = readFileSync(join(folder, 'whole.flac'));
    // The count of samples: 36 bits of ones, 74 hours.
    flac[21] |= 0x0f;
    flac.fill(0xff, 22, 26);
    plant('claims hours.flac', flac);
    const picture = ['-f', 'lavfi', '-i', 'color=size=64x64:rate=10:duration=1', '-c:v', 'mpeg4'];
    runFfmpeg(ffmpeg, ...picture, join(evidence, 'video.mp4'));
  }
  // Everyone may look at it: one test does as somebody else.
  for (const path of [folder, join(folder, 'evidence'), join(folder, 'model')]) chmodSync(path, 0o755);
  chmodSync(join(folder, 'home'), 0o777);
  chmodSync(join(folder, 'temporary'), 0o777);
  chmodSync(join(evidence, 'forbidden.wav'), 0);
  planted = listing();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a bad file', () => {
  const failing: [name: string, code: string, message: RegExp][] = [
    ['missing.wav', 'missing', /does not exist/],
    ['empty.wav', 'empty', /is empty/],
    ['text.wav', 'no-audio', /no recording/],
  ];
  if (posix) {
    failing.push(
      ['pipe.wav', 'not-a-file', /named pipe/],
      ['zero.wav', 'not-a-file', /device/],
      ['round.wav', 'unreadable', /circle/],
      ['dangling.wav', 'missing', /does not exist/],
    );
  }
  if (ffmpeg !== null) failing.push(['video.mp4', 'no-audio', /holds no sound/]);
  const scored: [name: string, code: string, hasScore: boolean][] = [
    ['truncated.wav', 'truncated', true],
    ['claims 4 GB.wav', 'truncated', true],
    ['some not finite.wav', 'non-finite-samples', true],
    ['none finite.wav', 'silent', false],
    ['silence.wav', 'silent', false],
    ['short.wav', 'too-short', true],
  ];
  if (ffmpeg !== null) {
    scored.push(
      ['truncated.flac', 'truncated', true],
      ['truncated.mp3', 'truncated', true],
      // Its checksum bears out that nothing is missing.
      ['claims hours.flac', 'header', true],
    );
  }
  let rows: Map<string, Row>;
  beforeAll(() => {
    const namesOf = (all: readonly [string, ...unknown[]][]): string[] => all.map(([name]) => name);
    rows = new Map([...scanAmongGood(namesOf(failing), 3), ...scanAmongGood(namesOf(scored), 0)]);
  });

  it.each(failing)('%s has its row, with what is wrong', (name, code, message) => {
    const row = rows.get(name);
    expect(row?.error).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(row?.error?.message).toContain(join(evidence, name));
    expect(row).not.toHaveProperty('finding');
  });

  it.each(scored)('%s is scored as far as it goes, and the reasons say so', (name, code, hasScore) => {
    const row = rows.get(name);
    expect(row?.error).toBeNull();
    expect(row?.reasons?.map((reason) => reason.code)).toContain(code);
    expect(Number.isFinite(row?.score)).toBe(hasScore);
    if (code !== 'truncated' && code !== 'header') expect(row).toMatchObject({ finding: 'not assessable', llr: null });
  });

  it('that is a folder is said to be one', () => {
    const { status, stderr } = run(
      process.execPath,
      [program, 'analyze', '--model', join(folder, 'model'), 'folder.wav'],
      evidence,
    );
    expect(status).toBe(3);
    expect(stderr).toMatch(/is a folder, not a file/);
  });

  const asSomebodyElse = isRoot ? ['runuser', '-u', 'nobody', '--'] : [];
  const mayRun =
    posix &&
    (!isRoot || spawnSync('runuser', ['-u', 'nobody', '--', process.execPath, program, '--version']).status === 0);
  it.skipIf(!mayRun)('without permission to read it is said to be that', () => {
    const { status, rows } = scan(['good.wav', 'forbidden.wav'], asSomebodyElse);
    expect(status).toBe(3);
    expect(rows[0].error).toBeNull();
    expect(rows[1].error).toMatchObject({ code: 'unreadable' });
    expect(rows[1].error?.message).toMatch(/permission is denied/);
  });
});

describe('names', () => {
  it.skipIf(!posix)('with spaces, quotes, line breaks, dashes and what a shell would run are names', () => {
    const names = ['good too.wav', '"quo\'tes".wav', '-dash.wav', '$(touch x); `y`.wav', 'new\nline.wav', '%s%n.wav'];
    const { status, rows } = scan(names);
    expect(status).toBe(0);
    expect(rows.map(({ path }) => path)).toEqual(names.map((name) => join(evidence, name)));
    expect(new Set(rows.map(({ score }) => score)).size).toBe(1);
  });

  it.skipIf(!posix || ffmpeg === null)('reach ffmpeg as they are', () => {
    const out = join(folder, 'more');
    mkdirSync(out);
    const names = ['-i.mp3', 'file:x.mp3', 'new\nline "two".mp3', 'concat:a|b.mp3'];
    for (const name of names) copyFileSync(join(folder, 'whole.mp3'), join(out, name));
    const { status, rows } = scan(names.map((name) => join(out, name)));
    expect(status).toBe(0);
    expect(new Set(rows.map(({ score }) => score)).size).toBe(1);
  });

  it.skipIf(process.platform !== 'linux')('that are no UTF-8 are found in folders, and shown with their bytes', () => {
    const { rows } = scan(['.']);
    const odd = rows.find(({ path }) => path.includes('odd-'));
    expect(odd?.path).toBe(`${evidence}/odd-\\xFF\\xFE\\x80/\\xE9.wav`);
    expect(odd?.score).toEqual(expect.any(Number));
  });
});

describe('all of it in one folder', () => {
  it('is scanned in one go: a row for each recording, none for what is none, and nothing else written', () => {
    const { rows, passedOver, status } = scan(['.']);
    expect(status).toBe(isRoot || !posix ? status : 3);
    const names = rows.map(({ path }) => path.slice(evidence.length + 1));
    // Text and emptiness are no recordings; pipes, devices and links that lead nowhere are left out.
    for (const name of ['pipe.wav', 'zero.wav', 'round.wav', 'dangling.wav']) expect(names).not.toContain(name);
    expect(passedOver).toBe(2);
    expect(names.filter((name) => name.startsWith('good')).length).toBe(2);
    expect(names).toEqual(expect.arrayContaining(['truncated.wav', 'claims 4 GB.wav', 'short.wav']));
    // One visit to each folder, however the links lead.
    expect(new Set(names).size).toBe(names.length);
    expect(rows.every(({ error }) => error?.code !== 'internal')).toBe(true);
  });

  it('has left everything as it was', () => {
    expect(listing()).toEqual(planted);
  });
});
