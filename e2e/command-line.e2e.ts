/** The command line as a person uses it: the built program, in processes of its own, on audio made here. */
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  openSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tensorflowIsSetUp } from '../src-main/training/backends/load.ts';
import { cardSchema } from '../src-main/detector/card.ts';
import { babble, wav16 } from '../src-main/detector/testing.ts';

const root = resolve(import.meta.dirname, '..');
const shared = resolve(root, '../shared');
const program = join(root, 'scripts/earwitness.mjs');
let folder: string;

interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
}

function earwitness(args: string[], options: { cwd?: string } = {}): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd: options.cwd ?? folder,
    encoding: 'utf8',
    env: { ...process.env, EARWITNESS_HOME: join(folder, 'home') },
    maxBuffer: 64 * 1024 ** 2,
  });
  return { status, stdout, stderr };
}

/** Starts the program and ends it with a signal as soon as it has come so far. */
async function interruptedBy(signal: NodeJS.Signals, args: string[], soFar: () => boolean): Promise<number | null> {
  const child = spawn(process.execPath, [program, ...args], { cwd: folder, stdio: 'ignore', detached: true });
  const ended = new Promise<number | null>((done) => child.on('exit', (code) => done(code)));
  while (!soFar() && child.exitCode === null) await new Promise((done) => setTimeout(done, 5));
  // The whole group: the program may have handed over to another Node.
  if (child.pid !== undefined) process.kill(process.platform === 'win32' ? child.pid : -child.pid, signal);
  return ended;
}

function rows(csv: string): Record<string, string>[] {
  return parse(csv, { columns: true, relax_column_count: false });
}

/** Bona fide clips are clean, spoofs noisy; in the layout of Fake-or-Real. */
function plantForDataset(at: string): void {
  let seed = 1;
  for (const [split, count] of [
    ['training', 12],
    ['validation', 6],
    ['testing', 6],
  ] as const) {
    for (const label of ['real', 'fake']) {
      mkdirSync(join(at, split, label), { recursive: true });
      for (let i = 0; i < count; i++) {
        const samples = babble(2.2, seed++, { noise: label === 'real' ? 0.001 : 0.5 });
        writeFileSync(join(at, split, label, `clip${i}.wav`), wav16(samples));
      }
    }
  }
}

const training = (out: string, ...more: string[]): string[] => [
  ...['train', '--dataset', `for:${join(folder, 'for-small')}`, '--network', 'mel-cnn', '--backend', 'wasm'],
  ...['--epochs', '2', '--batch-size', '8', '--seed', '3', '--out', join(folder, out), ...more],
];

// Native TensorFlow repeats itself on one machine; where it is set up it has to.
const backends = [
  'wasm',
  ...(tensorflowIsSetUp() || process.env['EARWITNESS_REQUIRE_TENSORFLOW'] ? ['tensorflow'] : []),
];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-'));
  plantForDataset(join(folder, 'for-small'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the program', () => {
  it('tells its version and helps with every command', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(earwitness(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
    const { stdout } = earwitness(['--help']);
    const commands = [...stdout.matchAll(/^ {2}([a-z]+)(?= )/gm)].map(([, name]) => name);
    expect(commands).toEqual(
      expect.arrayContaining(['analyze', 'scan', 'train', 'evaluate', 'metrics', 'dataset', 'spectrogram']),
    );
    for (const name of commands.filter((command) => command !== 'help')) {
      const help = earwitness([name, '--help']);
      expect(help.status, name).toBe(0);
      expect(help.stdout, name).toContain(`earwitness ${name}`);
    }
  });

  it('says what is wrong with a command, with status 2', () => {
    for (const args of [
      ['nonsense'],
      ['scan'],
      ['scan', '--jobs', '0', '.'],
      ['scan', '--format', 'xml', '.'],
      ['train'],
    ]) {
      const { status, stderr } = earwitness(args);
      expect(status, args.join(' ')).toBe(2);
      expect(stderr).toMatch(/error:/);
    }
  });

  it.skipIf(!existsSync('/dev/full'))('says that the disk is full to which its output goes', () => {
    const full = openSync('/dev/full', 'w');
    try {
      const { status, stderr } = spawnSync(process.execPath, [program, '--help'], {
        encoding: 'utf8',
        stdio: ['ignore', full, 'pipe'],
      });
      expect(status).toBe(1);
      expect(stderr).toContain('the disk is full');
      expect(stderr).not.toMatch(/bug|node:/);
    } finally {
      closeSync(full);
    }
  });

  it('runs through npx from the project folder', () => {
    const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx';
    const { status, stdout } = spawnSync(npx, ['earwitness', '--version'], {
      cwd: root,
      encoding: 'utf8',
      shell: process.platform === 'win32',
      input: '',
    });
    expect(status).toBe(0);
    expect(stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/);
  });
});

describe('training', () => {
  it.each(backends)('on %s makes the same model after kill -9 and --resume, and after Ctrl-C', async (backend) => {
    const names = ['whole', 'killed', 'stopped'].map((name) => (backend === 'wasm' ? name : `${name}-${backend}`));
    const [whole, killed, stopped] = names;
    const train = (out: string, ...more: string[]): string[] => training(out, '--backend', backend, ...more);
    const checkpointIn = (name: string): string => join(folder, name, 'checkpoint.safetensors');

    const run = earwitness(train(whole));
    expect(run.stderr).toMatch(/epoch 2\/2 {2}loss [\d.]+ {2}dev EER [\d.]+ %/);
    expect(run.stderr).toContain(`Backend ${backend} (`);
    expect(run.status).toBe(0);
    expect(readdirSync(join(folder, whole)).sort()).toEqual(['card.json', 'model.onnx', 'weights.safetensors']);

    await interruptedBy('SIGKILL', train(killed), () => existsSync(checkpointIn(killed)));
    expect(existsSync(join(folder, killed, 'model.onnx'))).toBe(false);
    expect(earwitness(train(killed)).status).toBe(2);
    const resumed = earwitness(train(killed, '--resume'));
    expect(resumed.stderr).toMatch(/Going on/);
    expect(resumed.status).toBe(0);

    expect(await interruptedBy('SIGINT', train(stopped), () => existsSync(checkpointIn(stopped)))).toBe(130);
    expect(earwitness(train(stopped, '--resume')).status).toBe(0);

    const model = readFileSync(join(folder, whole, 'model.onnx'));
    for (const name of [killed, stopped]) {
      expect(Buffer.compare(readFileSync(join(folder, name, 'model.onnx')), model), name).toBe(0);
      expect(existsSync(checkpointIn(name))).toBe(false);
    }
    const card = cardSchema.parse(JSON.parse(readFileSync(join(folder, killed, 'card.json'), 'utf8')));
    expect(card.status).toBe('screening');
    expect(card.training.fileSha256).toHaveLength(24);
    expect(card.figures.map(({ split }) => split)).toEqual(['dev', 'test']);
  });

  it('trains on from a model, with its front end and conditioning', () => {
    const plots = join(folder, 'curves');
    const onwards = training('onwards', '--from', join(folder, 'whole'), '--epochs', '1', '--plots', plots);
    const { status, stdout } = earwitness(onwards);
    expect(readdirSync(plots).sort()).toEqual(['training-dev-auc.svg', 'training-dev-eer.svg', 'training-loss.svg']);
    expect(readFileSync(join(plots, 'training-loss.svg'), 'utf8')).toContain('onwards');
    expect(status).toBe(0);
    expect(stdout).toMatch(/Model written/);
    const [before, after] = ['whole', 'onwards'].map((name) =>
      cardSchema.parse(JSON.parse(readFileSync(join(folder, name, 'card.json'), 'utf8'))),
    );
    const [trained, origin] = [after.members[0], before.members[0]];
    if (trained.kind !== 'network' || origin.kind !== 'network') throw new Error('no network');
    expect(trained.frontEnd).toEqual(origin.frontEnd);
    expect(after.conditioning).toEqual(before.conditioning);
    expect(trained.training.from?.onnxSha256).toBe(before.files['model.onnx']);
  });

  it('refuses to replace a model without being asked, and a model that was tampered with', () => {
    expect(earwitness(training('whole')).stderr).toMatch(/--overwrite/);
    const onnx = join(folder, 'onwards', 'model.onnx');
    const bytes = readFileSync(onnx);
    bytes[bytes.length - 100] ^= 1;
    writeFileSync(onnx, bytes);
    const { status, stderr } = earwitness([
      'analyze',
      '--model',
      join(folder, 'onwards'),
      'for-small/testing/real/clip0.wav',
    ]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/SHA-256 differs/);
  });
});

describe('evaluating', () => {
  it('writes figures that the metrics command confirms, scores and plots', () => {
    const asvspoof = join(folder, 'LA');
    const protocols = join(asvspoof, 'ASVspoof2019_LA_cm_protocols');
    mkdirSync(protocols, { recursive: true });
    for (const [split, list] of [
      ['train', 'train.trn'],
      ['dev', 'dev.trl'],
      ['eval', 'eval.trl'],
    ]) {
      const flac = join(asvspoof, `ASVspoof2019_LA_${split}`, 'flac');
      mkdirSync(flac, { recursive: true });
      const lines = Array.from({ length: 10 }, (_, index) => {
        const bonafide = index % 2 === 0;
        const name = `LA_${split[0].toUpperCase()}_${index}`;
        writeFileSync(join(flac, `${name}.flac`), wav16(babble(2, 500 + index, { noise: bonafide ? 0.001 : 0.3 })));
        return `LA_00${index} ${name} - ${bonafide ? '- bonafide' : `A0${(index % 3) + 7} spoof`}\n`;
      });
      writeFileSync(join(protocols, `ASVspoof2019.LA.cm.${list}.txt`), lines.join(''));
    }
    const out = join(folder, 'evaluation');
    const model = join(folder, 'whole');
    const run = earwitness([
      'evaluate',
      '--dataset',
      `asvspoof2019:${folder}`,
      '--split',
      'eval',
      '--model',
      model,
      '--out',
      out,
    ]);
    expect(run.stderr).not.toMatch(/error/);
    expect(run.status).toBe(0);
    const metrics = JSON.parse(readFileSync(join(out, 'metrics.json'), 'utf8')) as Record<string, number>;
    expect(metrics).toMatchObject({ bonafide: 5, spoof: 5, recordings: 10, without_score: 0 });
    const again = earwitness(['metrics', '--cm-scores', join(out, 'scores.txt'), '--json']);
    const confirmed = JSON.parse(again.stdout) as Record<string, unknown>;
    for (const figure of ['eer', 'auc', 'average_precision_bonafide', 'min_cllr_bits_pav', 'eer_by_attack']) {
      expect(confirmed[figure], figure).toEqual(metrics[figure]);
    }
    expect(rows(readFileSync(join(out, 'scores.csv'), 'utf8'))).toHaveLength(10);
    for (const plot of ['roc', 'precision-recall', 'det', 'calibration', 'scores', 'confusion', 'eer-by-generator']) {
      expect(readFileSync(join(out, `${plot}.svg`), 'utf8'), plot).toMatch(/^<svg[\s\S]*<\/svg>\s*$/);
    }
  });
});

describe('scanning', () => {
  const model = (): string[] => ['--model', join(folder, 'whole')];

  it('has a row for every recording, in order, for any number of jobs', () => {
    const evidence = join(folder, 'evidence');
    mkdirSync(join(evidence, 'more'), { recursive: true });
    writeFileSync(join(evidence, '-dash.wav'), wav16(babble(2, 60)));
    writeFileSync(join(evidence, '=SUM(A1), "quoted"\nname.wav'), wav16(babble(2, 61)));
    writeFileSync(join(evidence, 'قضية 漢字 🎙.flac'), wav16(babble(2, 62)));
    writeFileSync(join(evidence, 'more', 'below.wav'), wav16(babble(2, 63)));
    writeFileSync(join(evidence, 'readme.txt'), 'not a recording');
    const [one, two] = ['1', '2'].map((jobs) =>
      earwitness(['scan', ...model(), '--jobs', jobs, '--recursive', '--format', 'csv', evidence]),
    );
    expect(one.status).toBe(0);
    expect(two.stdout).toBe(one.stdout);
    expect(one.stderr).toMatch(/4 recordings.*1 other file passed over/);
    expect(one.stdout.split('\r\n')[0]).toBe(
      'path,sha256,duration_seconds,finding,score,llr,lowest_window_score,reasons,error,low_stretches,longest_low_stretch_seconds,low_stretch_times',
    );
    const found = rows(one.stdout);
    expect(found.map(({ path }) => path)).toEqual(
      ['-dash.wav', '=SUM(A1), "quoted"\nname.wav', 'more/below.wav', 'قضية 漢字 🎙.flac'].map((name) =>
        join(evidence, name),
      ),
    );
    for (const row of found) {
      expect(row['sha256']).toMatch(/^[0-9a-f]{64}$/);
      expect(Number.isFinite(Number(row['score']))).toBe(true);
      expect(row['error']).toBe('');
    }
  });

  it('takes names that look like options after --', () => {
    const { status, stdout } = earwitness(['scan', ...model(), '--format', 'json', '--', '-dash.wav'], {
      cwd: join(folder, 'evidence'),
    });
    expect(status).toBe(0);
    const { results, made } = JSON.parse(stdout) as {
      results: { path: string; windows: unknown[] }[];
      made: { model: { onnxSha256: string } };
    };
    expect(results[0].path).toBe(join(folder, 'evidence', '-dash.wav'));
    expect(results[0].windows.length).toBeGreaterThan(0);
    expect(made.model.onnxSha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('names what failed, does the others, and says so with status 3', () => {
    writeFileSync(join(folder, 'empty.wav'), '');
    const out = join(folder, 'partly.csv');
    const paths = ['empty.wav', 'gone.wav', 'evidence/readme.txt', 'for-small/testing/real/clip1.wav'];
    const { status, stderr } = earwitness(['scan', ...model(), '--format', 'csv', '--out', out, ...paths]);
    expect(status).toBe(3);
    for (const name of paths.slice(0, 3)) expect(stderr).toContain(join(folder, name));
    const found = rows(readFileSync(out, 'utf8'));
    expect(found.map((row) => row['error'] === '')).toEqual([false, false, false, true]);
    expect(found[3]['score']).not.toBe('');
  });

  it('leaves only its journal behind when it is interrupted', async () => {
    const many = join(folder, 'many');
    mkdirSync(many);
    const kinds = Array.from({ length: 10 }, (_, seed) => wav16(babble(1.2, seed)));
    for (let i = 0; i < 300; i++) writeFileSync(join(many, `${i}.wav`), kinds[i % kinds.length]);
    const out = join(folder, 'many.csv');
    const journal = `${out}.partial`;
    // Its header and a first result: of 300 files that is early.
    const hasResult = (): boolean => existsSync(journal) && readFileSync(journal, 'utf8').split('\n').length > 2;
    expect(await interruptedBy('SIGINT', ['scan', ...model(), '--format', 'csv', '--out', out, many], hasResult)).toBe(
      130,
    );
    const left = readdirSync(folder).filter((name) => name.includes('many.csv'));
    expect(left).toEqual(['many.csv.partial']);
  });

  it('agrees with analyze', () => {
    const path = join(folder, 'for-small/testing/fake/clip2.wav');
    const scan = JSON.parse(earwitness(['scan', ...model(), '--format', 'json', path]).stdout) as {
      results: { score: number; llr: number }[];
    };
    const analysis = JSON.parse(earwitness(['analyze', ...model(), '--json', path]).stdout) as {
      score: number;
      llr: number;
    };
    expect(analysis.score).toBeCloseTo(scan.results[0].score, 4);
    expect(analysis.llr).toBeCloseTo(scan.results[0].llr, 4);
    const text = earwitness(['analyze', ...model(), path]).stdout;
    expect(text).toMatch(/finding\s+[-+~x] /);
    expect(text).toContain('screening');
  });
});

describe('the model that ships', () => {
  it('scans without being named, and says what it is', () => {
    const { status, stdout } = earwitness(['analyze', 'for-small/testing/real/clip0.wav']);
    expect(status).toBe(0);
    // The sound that the tests make ends low, so that the companion for telephone speech may be the one that speaks.
    expect(stdout).toMatch(/Model default(?:-telephone)? \([0-9a-f]{12}\), screening/);
  });

  it.skipIf(!existsSync(join(shared, 'formats')))('gives every published format a row', () => {
    const { status, stdout } = earwitness(['scan', '--format', 'csv', join(shared, 'formats')]);
    expect(status).toBe(0);
    const found = rows(stdout);
    expect(found).toHaveLength(30);
    expect(found.every((row) => row['error'] === '' && row['score'] !== '')).toBe(true);
  });

  it.skipIf(!existsSync(join(shared, 'corpus')))('scores on its test split what its card says', () => {
    const card = cardSchema.parse(JSON.parse(readFileSync(join(root, 'resources/models/default/card.json'), 'utf8')));
    const stated = card.figures.find(({ split }) => split === 'test');
    const out = join(folder, 'default-test');
    const spec = `manifest:${join(shared, 'corpus', 'manifest.csv')}`;
    // Intervals are no matter here.
    const evaluating = ['evaluate', '--dataset', spec, '--split', 'test', '--replicates', '0', '--out', out];
    expect(earwitness(evaluating).status).toBe(0);
    const metrics = JSON.parse(readFileSync(join(out, 'metrics.json'), 'utf8')) as Record<string, number>;
    // The corpus' other splits may have changed since the card was written; this one is what its figures were measured on.
    expect([metrics.bonafide, metrics.spoof]).toEqual([stated?.bonafide, stated?.spoof]);
    expect(metrics.auc).toBeCloseTo(stated?.auc ?? NaN, 3);
    expect(metrics.eer).toBeCloseTo(stated?.eer ?? NaN, 2);
    expect(metrics.eer).toBeLessThan(0.43);
  });
});
