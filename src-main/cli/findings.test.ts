import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { FindingRecord } from '../../src-common/schemas/finding-record.ts';
import { findFfmpeg } from '../audio/ffmpeg.ts';
import { runFfmpeg } from '../audio/testing.ts';
import { ownKey } from '../cases/library.ts';
import type { DetectorAnalysis } from '../detector/detector.ts';
import { applicationName } from '../base/version.ts';
import { sealCard } from '../detector/seal.ts';
import { readModel } from '../detector/store.ts';
import { babble, wav16, writeTinyModel } from '../detector/testing.ts';
import { register as registerAnalyze } from './analyze.ts';
import { register as registerEvaluate } from './evaluate.ts';
import { register as registerScan } from './scan.ts';

let folder: string;
let model: string;
let validated: string;
const files = 12;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-findings-'));
  mkdirSync(join(folder, 'audio'));
  const lines = ['path,label,source'];
  for (let i = 0; i < files; i++) {
    writeFileSync(join(folder, 'audio', `${i}.wav`), wav16(babble(2, i)));
    lines.push(`audio/${i}.wav,${i % 2 === 0 ? 'bonafide' : 'spoof'},s${i % 6}`);
  }
  lines.push('audio/elsewhere.wav,spoof,s0');
  writeFileSync(join(folder, 'audio', 'unlabelled.wav'), wav16(babble(2, 99)));
  writeFileSync(join(folder, 'key.csv'), lines.join('\n'));
  ({ folder: model } = await writeTinyModel(join(folder, 'model')));
  validated = join(folder, 'validated');
  const other = await writeTinyModel(validated);
  const validation = {
    laboratory: 'Ours',
    conditions: 'All.',
    date: '2026',
    dataset: 'd',
    split: 's',
    record: '0'.repeat(64),
  };
  writeFileSync(
    join(validated, 'card.json'),
    JSON.stringify({ ...other.card, status: 'validated', validation, application: applicationName() }),
  );
  process.env['EARWITNESS_HOME'] = folder;
  await sealCard(validated, ownKey(folder));
});
afterAll(() => {
  delete process.env['EARWITNESS_HOME'];
  rmSync(folder, { recursive: true, force: true });
});
afterEach(() => {
  process.exitCode = undefined;
});

/** Runs a command in this process. */
async function run(...words: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const program = new Command('earwitness').exitOverride();
  for (const register of [registerAnalyze, registerScan, registerEvaluate]) register(program);
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += String(text);
      return true;
    }),
  );
  process.exitCode = undefined;
  try {
    await program.parseAsync(['node', 'earwitness', ...words]);
    return { status: Number(process.exitCode ?? 0), ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

const ffmpeg = await findFfmpeg().then(
  (found) => found.path,
  () => null,
);

describe.skipIf(!ffmpeg)('a recording with gaps', () => {
  it('has every gap listed, for people and in JSON', async () => {
    const path = join(folder, 'gaps.mka');
    const speech = join(folder, 'speech.wav');
    writeFileSync(speech, wav16(babble(9, 5)));
    runFfmpeg(
      ffmpeg!,
      '-i',
      speech,
      '-af',
      "asetnsamples=160,aselect='lt(t,2)+between(t,2.2,5)+gt(t,7)'",
      '-c:a',
      'libopus',
      path,
    );
    const { stdout } = await run('analyze', path, '--model', model);
    const listed = [...stdout.matchAll(/^(?:no sound|) +(\d\.\d\d) to (\d\.\d\d) s \(\d\.\d\d s\)$/gm)];
    const { timeline } = JSON.parse((await run('analyze', path, '--model', model, '--json')).stdout) as Pick<
      DetectorAnalysis,
      'timeline'
    >;
    expect(timeline.gaps.length).toBe(2);
    for (const [index, [from, to]] of [[2, 2.2] as const, [5, 7] as const].entries()) {
      expect(Math.abs(timeline.gaps[index].fromSeconds - from)).toBeLessThan(0.05);
      expect(Math.abs(timeline.gaps[index].toSeconds - to)).toBeLessThan(0.05);
      expect(listed[index].slice(1)).toEqual(
        [timeline.gaps[index].fromSeconds, timeline.gaps[index].toSeconds].map((seconds) => seconds.toFixed(2)),
      );
    }
    expect(listed.length).toBe(2);
  });
});

describe('likelihood ratios on the command line', () => {
  const recording = () => join(folder, 'audio', '0.wav');

  it('of a screening model are left out where people read, unless they are asked for', async () => {
    const plain = await run('analyze', recording(), '--model', model);
    expect(plain.stdout).toMatch(/^finding +[-+~] (looks|inconclusive)/m);
    expect(plain.stdout).not.toMatch(/log10|likelihood ratio/i);
    const asked = await run('analyze', recording(), '--model', model, '--show-llr');
    expect(asked.stdout).toMatch(
      /^log10 LR +[-+]\d\.\d\d \(.*it was not validated on such recordings and is no evidence\)$/m,
    );

    const table = await run('scan', recording(), '--model', model);
    expect(table.stdout).not.toContain('log10 LR');
    const full = await run('scan', recording(), '--model', model, '--show-llr');
    expect(full.stdout).toMatch(/log10 LR.*\n.*[-+]\d\.\d\d/);
    expect(full.stderr).toContain('is no evidence');
  });

  it('of a validated model are reported, and support', async () => {
    const { stdout } = await run('analyze', recording(), '--model', validated);
    expect(stdout).toMatch(/^finding +[-+~] (supports|inconclusive)/m);
    expect(stdout).toMatch(/^log10 LR +[-+]\d\.\d\d \(bona fide over spoof, calibrated on dev\)$/m);
    expect((await run('scan', recording(), '--model', validated)).stdout).toContain('log10 LR');
  });

  it('stand in CSV and JSON, which says what they are worth', async () => {
    const { stdout } = await run('scan', recording(), '--model', model, '--format', 'csv');
    const [header, line] = stdout.split('\r\n').map((text) => text.split(','));
    expect(line[header.indexOf('llr')]).toMatch(/^-?\d/);
    expect(line[header.indexOf('finding')]).toMatch(/^(looks-bona-fide|looks-spoof|inconclusive)$/);
    const printed = JSON.parse((await run('analyze', recording(), '--model', model, '--json')).stdout) as object;
    expect(printed).toMatchObject({ llrCaution: expect.stringContaining('no evidence') as string });
  });
});

interface ScanJson {
  results: { path: string; finding: string }[];
  findings: {
    bonafide: Record<string, number>;
    spoof: Record<string, number>;
    right_spoof: { count: number; of: number };
  };
  unlabelled: number;
}

describe('how often findings were right', () => {
  it('is computed by scan --key, from the labels of the scanned files', async () => {
    const key = join(folder, 'key.csv');
    const words = ['scan', join(folder, 'audio'), '--model', model, '--key', key];
    const { stdout, stderr, status } = await run(...words, '--format', 'json');
    expect(status).toBe(0);
    const printed = JSON.parse(stdout) as ScanJson;
    expect(printed.unlabelled).toBe(1);
    expect(stderr).toContain('without a label in the key, which are left out: 1.');
    expect(stderr).toContain('that were not among the files: 1.');
    const labelOf = (path: string): number => Number(/(\d+)\.wav$/.exec(path)?.[1]) % 2;
    for (const [name, parity] of [
      ['bonafide', 0],
      ['spoof', 1],
    ] as const) {
      const own = printed.results.filter(({ path }) => /\d+\.wav$/.test(path) && labelOf(path) === parity);
      const found = (finding: string): number => own.filter((one) => one.finding === finding).length;
      expect(printed.findings[name]).toEqual({
        found_bonafide: found('looks-bona-fide'),
        found_spoof: found('looks-spoof'),
        inconclusive: found('inconclusive'),
        not_assessable: found('not assessable'),
        failed: 0,
      });
    }
    const { right_spoof: right, spoof, bonafide } = printed.findings;
    expect(right).toMatchObject({ count: spoof['found_spoof'], of: spoof['found_spoof'] + bonafide['found_spoof'] });

    // The same from a file that is written beside a journal.
    const out = join(folder, 'scan.json');
    await run(...words, '--format', 'json', '--out', out);
    expect((JSON.parse(readFileSync(out, 'utf8')) as ScanJson).findings).toEqual(printed.findings);
    await expect(run(...words, '--channels', 'each')).rejects.toMatchObject({ code: 'usage' });
    await expect(run('scan', join(folder, 'audio'), '--key', join(folder, 'no.csv'))).rejects.toThrow(/no\.csv/);
  });

  it('is measured by evaluate, goes into the card where that is asked for, and stands beside findings from then on', async () => {
    const dataset = `manifest:${join(folder, 'labelled.csv')}`;
    writeFileSync(
      join(folder, 'labelled.csv'),
      readFileSync(join(folder, 'key.csv'), 'utf8').replace(/^.*elsewhere.*$/m, ''),
    );
    const recording = join(folder, 'audio', '0.wav');
    expect((await run('analyze', recording, '--model', model)).stdout).toContain(
      'does not say how often such findings',
    );
    const words = [
      'evaluate',
      '--dataset',
      dataset,
      '--split',
      'all',
      '--replicates',
      '0',
      '--out',
      join(folder, 'figures'),
    ];
    await expect(run(...words, '--record')).rejects.toMatchObject({ code: 'usage' });
    await expect(run(...words, '--record', '--model', validated)).rejects.toThrow(/vouches/);
    const { stdout } = await run(...words, '--record', '--model', model);
    expect(stdout).toMatch(/^findings +bona fide {2}synthetic {2}inconclusive {2}not assessable {2}failed$/m);

    const before = JSON.parse(readFileSync(join(model, 'card.json'), 'utf8')) as object;
    await run(...words, '--record', '--model', model, '--overwrite');
    // Measured again, it is the same; nothing else in the card is touched.
    expect(JSON.parse(readFileSync(join(model, 'card.json'), 'utf8'))).toEqual(before);
    const { card } = await readModel(model);
    expect(card.records).toHaveLength(1);
    const [record] = card.records as [FindingRecord];
    expect(record).toMatchObject({
      dataset,
      split: 'all',
      calibratedOn: false,
      inconclusive: { of: files, unit: 'sources' },
    });
    const metrics = JSON.parse(readFileSync(join(folder, 'figures', 'metrics.json'), 'utf8')) as Pick<
      ScanJson,
      'findings'
    >;
    expect(metrics.findings.bonafide['found_spoof']).toBe(record.bonafide.spoof);
    const csv = readFileSync(join(folder, 'figures', 'findings.csv'), 'utf8').split('\r\n');
    const { bonafide, spoof, inconclusive, notAssessable, failed } = record.spoof;
    expect(csv[2]).toBe(`spoof,${bonafide},${spoof},${inconclusive},${notAssessable},${failed}`);

    const printed = await run('analyze', recording, '--model', model);
    expect(printed.stdout).toMatch(/^measured +On all recordings, .*inconclusive were \d+ of 12, /m);
  });
});
