import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { babble, wav16, writeTinyModel } from '../detector/testing.ts';
import { register as registerCalibrate } from './calibrate.ts';
import { register as registerCase } from './case.ts';
import { register as registerDataset } from './dataset.ts';
import { register as registerEvaluate } from './evaluate.ts';
import { register as registerMetrics } from './metrics.ts';
import { mustBeFree, mustBeFreeForModel, writeOutputs } from './outputs.ts';
import { register as registerReport } from './report.ts';
import { register as registerRobustness } from './robustness.ts';
import { register as registerScan } from './scan.ts';
import { register as registerSelfTest } from './selftest.ts';
import { register as registerSpectrogram } from './spectrogram.ts';
import { register as registerTraces } from './traces.ts';
import { register as registerTrain } from './train.ts';

let folder: string;
let model: string;
const homeBefore = process.env['EARWITNESS_HOME'];
const mine = 'what a person wrote';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-outputs-'));
  process.env['EARWITNESS_HOME'] = join(folder, 'home');
  mkdirSync(join(folder, 'audio'));
  const lines = ['path,label,source'];
  for (let i = 0; i < 4; i++) {
    writeFileSync(join(folder, 'audio', `${i}.wav`), wav16(babble(1.5, i)));
    lines.push(`audio/${i}.wav,${i % 2 === 0 ? 'bonafide' : 'spoof'},s${i}`);
  }
  writeFileSync(join(folder, 'list.csv'), lines.join('\n'));
  writeFileSync(join(folder, 'scores'), 'a - bonafide 2\nb - bonafide 4\nc A01 spoof 1\n');
  ({ folder: model } = await writeTinyModel(join(folder, 'model')));
});
afterAll(() => {
  if (homeBefore === undefined) delete process.env['EARWITNESS_HOME'];
  else process.env['EARWITNESS_HOME'] = homeBefore;
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a command in this process. @returns its status */
async function run(...words: string[]): Promise<number> {
  const program = new Command('earwitness').exitOverride();
  const registers = [
    registerScan,
    registerReport,
    registerSpectrogram,
    registerTraces,
    registerDataset,
    registerCase,
    registerEvaluate,
  ];
  registers.push(registerMetrics, registerRobustness, registerTrain, registerCalibrate, registerSelfTest);
  for (const register of registers) register(program);
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation(() => true),
  );
  process.exitCode = undefined;
  try {
    await program.parseAsync(['node', 'earwitness', ...words]);
    return Number(process.exitCode ?? 0);
  } finally {
    process.exitCode = undefined;
    for (const spy of spies) spy.mockRestore();
  }
}

describe('every command that writes', () => {
  const at = (name: string): string => join(folder, name);
  const wav = (): string => at('audio/0.wav');
  const spec = (): string => `manifest:${at('list.csv')}`;
  /** What is run, the files of which each alone has to stop it, and whether it takes long. */
  const commands: [name: string, words: () => string[], files: string[]][] = [
    ['scan', () => ['scan', wav(), '--model', model, '--format', 'csv', '--out', at('out/scan.csv')], ['out/scan.csv']],
    [
      'report of recordings',
      () => [
        'report',
        wav(),
        '--model',
        model,
        '--out',
        at('out/r.pdf'),
        '--json',
        at('out/r.json'),
        '--csv',
        at('out/r.csv'),
      ],
      ['out/r.pdf', 'out/r.json', 'out/r.csv'],
    ],
    ['spectrogram', () => ['spectrogram', wav(), '--out', at('out/s.png')], ['out/s.png']],
    ['traces', () => ['traces', wav(), '--out', at('out')], ['out/traces.json']],
    ['dataset inspect', () => ['dataset', 'inspect', spec(), '--quick', '--html', at('out/d.html')], ['out/d.html']],
    [
      'dataset split',
      () => ['dataset', 'split', spec(), '--quick', '--shares', '50,0,50', '--out', at('out/d.csv')],
      ['out/d.csv'],
    ],
    [
      'evaluate',
      () => [
        'evaluate',
        '--dataset',
        spec(),
        '--split',
        'all',
        '--model',
        model,
        '--replicates',
        '0',
        '--out',
        at('out/e'),
      ],
      ['out/e/metrics.json', 'out/e/confusion.svg', 'out/e/findings.csv'],
    ],
    [
      'robustness',
      () => [
        'robustness',
        '--dataset',
        spec(),
        '--split',
        'all',
        '--model',
        model,
        '--only',
        'gate',
        '--out',
        at('out/b'),
      ],
      ['out/b/robustness.json', 'out/b/robustness.csv'],
    ],
    [
      'metrics',
      () => ['metrics', '--cm-scores', at('scores'), '--replicates', '0', '--out', at('out/m')],
      ['out/m/metrics.json', 'out/m/generators.csv', 'out/m/det.svg'],
    ],
    ['case export', () => ['case', 'export', at('case'), '--out', at('out/case.zip')], ['out/case.zip']],
    [
      'report of a case',
      () => ['report', at('case'), '--out', at('out/c.pdf'), '--json', at('out/c.json')],
      ['out/c.pdf', 'out/c.json'],
    ],
    [
      'draft of a case',
      () => ['report', at('case'), '--draft', '--short', '--out', at('out/d.pdf'), '--csv', at('out/d.csv')],
      ['out/d.pdf', 'out/d.csv'],
    ],
    [
      'draft of a case that can be edited',
      () => ['report', at('case'), '--draft', '--short', '--out', at('out/e.docx'), '--csv', at('out/e.csv')],
      ['out/e.docx', 'out/e.csv'],
    ],
    [
      'report of a case again',
      () => ['report', at('case'), '--again', '2026/1/1', '--out', at('out/a.pdf'), '--csv', at('out/a.csv')],
      ['out/a.pdf', 'out/a.csv'],
    ],
  ];

  beforeAll(async () => {
    expect(await run('case', 'new', at('case'), '--number', '2026/1', '--title', 'A call')).toBe(0);
    expect(await run('case', 'add', at('case'), at('audio/1.wav'))).toBe(0);
    expect(await run('case', 'scan', at('case'), '--model', model)).toBe(0);
    expect(await run('report', at('case'), '--out', at('first.pdf'))).toBe(0);
  });

  it.each(commands)(
    '%s replaces what stands there only when asked, and writes nothing else then',
    async (_name, words, files) => {
      for (const standing of files) {
        rmSync(at('out'), { recursive: true, force: true });
        mkdirSync(join(at(standing), '..'), { recursive: true });
        writeFileSync(at(standing), mine);
        const log = readFileSync(at('case/case.sqlite'));
        await expect(run(...words()), standing).rejects.toMatchObject({
          code: 'usage',
          message: `${at(standing)} exists.`,
          advice: /--overwrite/,
        });
        expect(readFileSync(at(standing), 'utf8')).toBe(mine);
        const left = readdirSync(at('out'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
        expect(left.map(({ name }) => name)).toEqual([standing.split('/').at(-1)]);
        expect(readFileSync(at('case/case.sqlite')).equals(log), 'nothing is logged of it').toBe(true);
      }
      expect(await run(...words(), '--overwrite')).toBe(0);
      expect(readFileSync(at(files[0]), 'utf8')).not.toBe(mine);
      rmSync(at('out'), { recursive: true, force: true });
      expect(await run(...words())).toBe(0);
    },
  );

  it('a draft is made beside the case, which stays as it is, and is of no report that was issued', async () => {
    const before = readFileSync(at('case/case.sqlite'));
    expect(await run('report', at('case'), '--draft', '--out', at('draft.pdf'))).toBe(0);
    expect(readFileSync(at('case/case.sqlite')).equals(before)).toBe(true);
    expect(readFileSync(at('draft.pdf')).subarray(0, 5).toString()).toBe('%PDF-');
    const words = ['report', at('case'), '--draft', '--again', '2026/1/1', '--out', at('again.pdf')];
    await expect(run(...words)).rejects.toMatchObject({ code: 'usage' });
    for (const ofFull of ['--saliency', '--traces']) {
      const both = ['report', at('case'), '--short', ofFull, '--out', at('again.pdf')];
      await expect(run(...both), ofFull).rejects.toMatchObject({ code: 'usage' });
    }
    await expect(run('report', at('audio/1.wav'), '--draft', '--out', at('again.pdf'))).rejects.toMatchObject({
      code: 'usage',
    });
  });

  it('a draft that can be edited is noted in the log, and nothing but a draft is made so', async () => {
    const exported = async (): Promise<string[]> => {
      const { CaseStore } = await import('../cases/store.ts');
      const store = CaseStore.read(at('case'));
      try {
        const { rows } = store.log.rows({ offset: 0, limit: 1000 });
        return rows.filter(({ action }) => action === 'exported').map(({ summary }) => summary);
      } finally {
        store.close();
      }
    };
    const before = (await exported()).length;
    const out = at('draft.docx');
    const words = ['report', at('case'), '--draft', '--short', '--out', out];
    expect(await run(...words, '--json', at('draft.json'))).toBe(0);
    expect(readFileSync(out).subarray(0, 4).toString('latin1')).toBe('PK\u0003\u0004');
    expect(JSON.parse(readFileSync(at('draft.json'), 'utf8'))).toMatchObject({ number: 'DRAFT' });
    const after = await exported();
    expect(after.slice(0, after.length - before)).toEqual([
      'Exported a draft of a report of 1 item as DOCX, which can be changed.',
    ]);
    const log = readFileSync(at('case/case.sqlite'));
    await expect(run(...words)).rejects.toMatchObject({ code: 'usage', advice: /--overwrite/ });
    const issued = run('report', at('case'), '--short', '--out', at('issued.docx'));
    await expect(issued).rejects.toMatchObject({ code: 'usage', message: /issued as PDF only/, advice: /--draft/ });
    const odd = run('report', at('case'), '--draft', '--out', at('draft.odt'));
    await expect(odd).rejects.toMatchObject({ code: 'usage', message: /does not end in .pdf or .docx/ });
    const within = run('report', at('case'), '--draft', '--short', '--out', at('case/evidence/draft.docx'));
    await expect(within).rejects.toMatchObject({ code: 'protected' });
    const recordings = run('report', at('audio/1.wav'), '--draft', '--out', at('again.docx'));
    await expect(recordings).rejects.toMatchObject({ code: 'usage' });
    expect(readFileSync(at('case/case.sqlite')).equals(log), 'nothing is logged of these').toBe(true);
    for (const name of ['issued.docx', 'draft.odt', 'case/evidence/draft.docx', 'again.docx'])
      expect(existsSync(at(name))).toBe(false);
  });

  it('reports of each case and of each item fill a folder, and one that cannot be made is named', async () => {
    expect(await run('case', 'new', at('bare'), '--number', '2026/2', '--title', 'Nothing yet')).toBe(0);
    const words = ['report', at('case'), at('bare'), '--each', 'case', '--short', '--out', at('each')];
    // The second case holds nothing.
    expect(await run(...words)).toBe(3);
    expect(readdirSync(at('each'))).toEqual(['report-2026-1.pdf']);
    const log = readFileSync(at('case/case.sqlite'));
    await expect(run(...words)).rejects.toMatchObject({ code: 'usage', advice: /--overwrite/ });
    expect(readFileSync(at('case/case.sqlite')).equals(log), 'nothing is logged of it').toBe(true);
    expect(await run('report', at('case'), '--each', 'item', '--draft', '--items', '1', '--out', at('each'))).toBe(0);
    expect(readdirSync(at('each')).sort()).toEqual(['report-2026-1-item-1-draft.pdf', 'report-2026-1.pdf']);
    for (const refused of [
      ['--each', 'item', '--json', at('x.json')],
      ['--each', 'case', '--items', '1'],
      ['--each', 'item', '--again', '2026/1/1'],
    ]) {
      await expect(run('report', at('case'), ...refused, '--out', at('none'))).rejects.toMatchObject({ code: 'usage' });
    }
    const recordings = run('report', at('audio/1.wav'), '--each', 'item', '--out', at('none'));
    await expect(recordings).rejects.toMatchObject({ code: 'usage', message: /is no case/ });
    expect(existsSync(at('none'))).toBe(false);
  });

  it.each([
    ['train', () => ['train', '--dataset', spec(), '--epochs', '1', '--out', at('trained')]],
    ['calibrate', () => ['calibrate', '--dataset', spec(), '--split', 'all', '--model', model, '--out', at('trained')]],
  ] as const)('%s replaces no model, and no file of one, without being asked', async (_name, words) => {
    for (const name of ['card.json', 'model.onnx', 'linear.safetensors', 'selftest.json']) {
      rmSync(at('trained'), { recursive: true, force: true });
      mkdirSync(at('trained'));
      writeFileSync(at(`trained/${name}`), mine);
      await expect(run(...words()), name).rejects.toMatchObject({ code: 'usage', advice: /--overwrite/ });
      expect(readFileSync(at(`trained/${name}`), 'utf8')).toBe(mine);
    }
    const places = { case: at('case/evidence/model'), uploads: at('home/uploads/model'), item: at('audio/1.wav') };
    for (const [name, place] of Object.entries(places)) {
      await expect(run(...words(), '--out', place, '--overwrite'), name).rejects.toMatchObject({
        code: name === 'item' ? 'usage' : 'protected',
      });
    }
  });

  it('has --overwrite, whichever it is', async () => {
    const program = new Command('earwitness');
    for (const name of readdirSync(import.meta.dirname)) {
      if (!name.endsWith('.ts') || name.endsWith('.test.ts') || name === 'main.ts') continue;
      const module = (await import(join(import.meta.dirname, name))) as { register?: (program: Command) => void };
      module.register?.(program);
    }
    const all = program.commands.flatMap((command) => [command, ...command.commands]);
    expect(all.length).toBeGreaterThan(20);
    const writing = all.filter(({ options }) => options.some(({ long }) => long === '--out' || long === '--html'));
    expect(writing.map((command) => command.name())).toEqual(
      expect.arrayContaining(['scan', 'train', 'calibrate', 'evaluate', 'metrics', 'spectrogram', 'report', 'export']),
    );
    // Stretches and blind tests go into a folder of their own, which holds nothing: their names are known when they are written.
    for (const command of writing.filter((one) => !['cut', 'make'].includes(one.name()))) {
      expect(
        command.options.map(({ long }) => long),
        command.name(),
      ).toContain('--overwrite');
    }
  });

  it('selftest --store replaces stored scores only when asked', async () => {
    writeFileSync(join(model, 'selftest.json'), mine);
    await expect(run('selftest', '--store', '--model', model)).rejects.toMatchObject({ advice: /--overwrite/ });
    expect(readFileSync(join(model, 'selftest.json'), 'utf8')).toBe(mine);
    expect(await run('selftest', '--store', '--model', model, '--overwrite')).toBe(0);
  });

  it('never writes over an item, a case or the key, though it was asked to', async () => {
    const item = at('audio/1.wav');
    linkSync(item, at('linked.csv'));
    const bytes = readFileSync(item);
    for (const path of [item, at('linked.csv')]) {
      await expect(
        run('scan', at('audio/0.wav'), '--model', model, '--out', path, '--overwrite'),
      ).rejects.toMatchObject({
        code: 'protected',
      });
    }
    await expect(
      run('case', 'export', at('case'), '--out', at('case/case.sqlite'), '--overwrite'),
    ).rejects.toMatchObject({ code: 'protected' });
    const key = readdirSync(at('home')).find((name) => name.endsWith('.pem')) as string;
    await expect(run('case', 'export', at('case'), '--out', at(`home/${key}`), '--overwrite')).rejects.toMatchObject({
      code: 'protected',
    });
    expect(readFileSync(item).equals(bytes)).toBe(true);
  });

  it('scan --resume does not replace a file that came to stand there meanwhile', async () => {
    const words = ['scan', wav(), '--model', model, '--format', 'csv', '--out', at('later.csv')];
    const { ScanJournal } = await import('../scanning/scan-journal.ts');
    const { readModel } = await import('../detector/store.ts');
    const { provenance } = await import('../reports/scan-results.ts');
    const { readingOf } = await import('./reading.ts');
    const stored = await readModel(model);
    const scan = { made: provenance(stored), card: stored.card, settings: { ...readingOf({}) } };
    await (await ScanJournal.open(at('later.csv.partial'), scan, { resume: false, overwrite: false })).close();
    writeFileSync(at('later.csv'), mine);
    await expect(run(...words, '--resume')).rejects.toMatchObject({ code: 'usage', message: /exists/ });
    expect(readFileSync(at('later.csv'), 'utf8')).toBe(mine);
    expect(await run(...words, '--overwrite')).toBe(0);
    expect(readFileSync(at('later.csv'), 'utf8')).toContain('finding');
  });

  it('scan --overwrite writes over no file that only bears the name of a journal', async () => {
    writeFileSync(at('notes.csv.partial'), mine);
    const words = ['scan', wav(), '--model', model, '--format', 'csv', '--out', at('notes.csv')];
    await expect(run(...words, '--overwrite')).rejects.toMatchObject({ code: 'usage', message: /no journal/ });
    expect(readFileSync(at('notes.csv.partial'), 'utf8')).toBe(mine);
  });
});

describe('mustBeFree', () => {
  it('takes folders, links and what is no ordinary file for nothing that may be replaced', async () => {
    const place = mkdtempSync(join(folder, 'kinds-'));
    writeFileSync(join(place, 'plain'), mine);
    mkdirSync(join(place, 'folder'));
    symlinkSync(join(place, 'plain'), join(place, 'link'));
    symlinkSync(join(place, 'nothing'), join(place, 'dangling'));
    const kinds = [
      ['folder', /is a folder/],
      ['link', /is a link/],
      ['dangling', /is a link/],
    ] as [string, RegExp][];
    if (process.platform === 'linux') {
      execFileSync('mkfifo', [join(place, 'pipe')]);
      kinds.push(['pipe', /no ordinary file/]);
      await expect(mustBeFree(['/dev/null'], { overwrite: true })).rejects.toThrow(/no ordinary file/);
    }
    for (const [name, why] of kinds) {
      await expect(mustBeFree([join(place, name)], { overwrite: true }), name).rejects.toThrow(why);
    }
    await expect(mustBeFree([join(place, 'new'), join(place, 'plain')], { overwrite: false })).rejects.toThrow(
      /exists/,
    );
    await mustBeFree([join(place, 'new'), join(place, 'plain')], { overwrite: true });
    await expect(
      mustBeFree([join(place, 'plain')], { overwrite: true, recordings: [join(place, 'link')] }),
    ).rejects.toThrow(/one of the recordings/);
    await expect(mustBeFreeForModel(join(place, 'plain'), { overwrite: true })).rejects.toThrow(/is no folder/);
    if (process.platform === 'win32') return;
    for (const nowhere of [join(place, 'plain', 'below'), join(place, 'x'.repeat(300))]) {
      await expect(mustBeFree([nowhere], { overwrite: true })).rejects.toMatchObject({ code: 'unwritable' });
      await expect(mustBeFreeForModel(nowhere, { overwrite: true })).rejects.toMatchObject({ code: 'unwritable' });
    }
  });

  it('writes all or none', async () => {
    const place = mkdtempSync(join(folder, 'all-'));
    writeFileSync(join(place, 'b'), mine);
    const files = new Map([
      [join(place, 'a'), 'new'],
      [join(place, 'b'), 'new'],
    ]);
    await expect(writeOutputs(files, { overwrite: false })).rejects.toThrow(/exists/);
    expect(readdirSync(place)).toEqual(['b']);
    await writeOutputs(files, { overwrite: true });
    expect(readFileSync(join(place, 'b'), 'utf8')).toBe('new');
  });
});
