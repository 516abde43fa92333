import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { Command } from 'commander';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CaseStore } from '../cases/store.ts';
import { babble, wav16, writeTinyModel } from '../detector/testing.ts';
import { register as registerCase } from './case.ts';
import { register as registerReport } from './report.ts';
import { register as registerVerify } from './verify.ts';

let folder: string;
let homeBefore: string | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-cli-'));
  homeBefore = process.env['EARWITNESS_HOME'];
  process.env['EARWITNESS_HOME'] = join(folder, 'home');
});
afterEach(() => {
  if (homeBefore === undefined) delete process.env['EARWITNESS_HOME'];
  else process.env['EARWITNESS_HOME'] = homeBefore;
  process.exitCode = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** The same for another installation. */
async function elsewhere(...words: string[]): ReturnType<typeof run> {
  const home = process.env['EARWITNESS_HOME'];
  process.env['EARWITNESS_HOME'] = join(folder, 'other-home');
  try {
    return await run(...words);
  } finally {
    process.env['EARWITNESS_HOME'] = home;
  }
}

it('accepts a case that another installation went on with only by the fingerprint of its key', async () => {
  const dir = join(folder, 'continued');
  await run('case', 'new', dir, '--number', '7', '--title', 'A call');
  const key = (await elsewhere('case', 'key')).stdout.trim();
  expect((await elsewhere('case', 'add', dir, join(folder, 'nothing.wav'))).status).toBe(3);
  const asked = await run('case', 'accept', dir);
  expect(asked.status).toBe(4);
  expect(asked.stdout).toContain(`gone on with by ${key}`);
  expect(asked.stdout).toMatch(/\tsigner-changed\t[^]*\topened\t/);
  expect(asked.stdout).toContain(`earwitness case accept ${dir} --signer ${key}`);
  await expect(run('case', 'accept', dir, '--signer', 'aaaa-bbbb-cccc-dddd')).rejects.toThrow(key);
  const accepted = await run('case', 'accept', dir, '--signer', key);
  expect(accepted).toMatchObject({ status: 0, stdout: expect.stringContaining(`Accepted ${key}`) as string });
  expect((await run('verify', dir)).stdout).toContain('Intact.');
  await expect(run('case', 'accept', dir)).rejects.toMatchObject({ code: 'usage' });
});

it('says of a file that there is no case in it', async () => {
  const file = join(folder, 'voice.wav');
  writeFileSync(file, 'RIFF');
  for (const words of [
    ['case', 'show', file],
    ['case', 'add', file, file],
    ['verify', file],
  ]) {
    await expect(run(...words)).rejects.toMatchObject({ code: 'missing', message: `There is no case in ${file}.` });
  }
});

it('cuts nothing into no folder', async () => {
  const dir = join(folder, 'unmarked');
  const out = join(folder, 'cut');
  await run('case', 'new', dir, '--number', '15', '--title', 'A call');
  await expect(run('case', 'cut', dir, '--out', out)).rejects.toMatchObject({ code: 'no-stretch' });
  expect(existsSync(out)).toBe(false);
});

it.runIf(process.platform === 'linux')('says of a report that cannot be written that it was issued', async () => {
  const dir = join(folder, 'issued');
  const voice = join(folder, 'voice.wav');
  writeFileSync(voice, wav16(babble(1, 1)));
  await run('case', 'new', dir, '--number', '14', '--title', 'A call');
  await run('case', 'add', dir, voice);
  await expect(run('report', dir, '--short', '--out', '/proc/none/report.pdf')).rejects.toMatchObject({
    code: 'unwritable',
    message: expect.stringMatching(/^The report 14\/1 was issued, but: Cannot write /) as string,
    advice: `Choose another place: earwitness report ${dir} --again 14/1 --out FILE.pdf`,
  });
  expect((await run('report', dir, '--again', '14/1', '--out', join(folder, 'again.pdf'))).status).toBe(0);
});

it('lets no number or title of a case steer the terminal', async () => {
  const dir = join(folder, 'hostile');
  await run('case', 'new', dir, '--number', '9\x1b[2J', '--title', 'a\u202eb', '--examiner', '\x1b]0;x\x07');
  for (const words of [['list'], ['show', dir], ['show', dir, '--log']]) {
    const { stdout, stderr } = await run('case', ...words);
    for (const hidden of ['\x1b', '\x07', '\u202e']) expect(stdout + stderr, words.join(' ')).not.toContain(hidden);
  }
  expect((await run('case', 'list')).stdout).toContain('9[U+001B][2J\ta[U+202E]b\topen');
});

it.skipIf(process.platform === 'win32')('shares a case with whom the rights of its folder name', async () => {
  const dir = join(folder, 'shared');
  await run('case', 'new', dir, '--number', '8', '--title', 'A call');
  await expect(run('case', 'share', dir)).rejects.toMatchObject({ code: 'usage', advice: /chmod 2770/ });
  chmodSync(dir, 0o750);
  expect((await run('case', 'share', dir)).stdout).toMatch(/is shared: group \d+, rights 750/);
  expect(statSync(join(dir, 'case.sqlite')).mode & 0o777).toBe(0o640);
  expect((await run('case', 'show', dir)).stdout).toMatch(/^Shared /m);
  expect((await run('case', 'share', dir, '--private')).stdout).toContain('for its owner alone');
  expect(statSync(join(dir, 'case.sqlite')).mode & 0o777).toBe(0o600);
});

/** Runs a command in this process. */
async function run(...words: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const program = new Command('earwitness').exitOverride();
  program.configureOutput({ writeErr: () => undefined });
  registerCase(program);
  registerReport(program);
  registerVerify(program);
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += String(text);
      return true;
    }),
  );
  process.exitCode = undefined;
  try {
    for (const command of program.commands) for (const below of command.commands) below.exitOverride();
    await program.parseAsync(['node', 'earwitness', ...words]);
    return { status: Number(process.exitCode ?? 0), ...written };
  } finally {
    process.exitCode = undefined;
    for (const spy of spies) spy.mockRestore();
  }
}

it('keeps a case from its beginning to its end', async () => {
  const dir = join(folder, 'case');
  const audio = join(folder, 'audio');
  mkdirSync(audio);
  for (let seed = 0; seed < 2; seed++) writeFileSync(join(audio, `voice-${seed}.wav`), wav16(babble(1.5, seed)));
  writeFileSync(join(audio, 'evil\x1b[31m.wav'), wav16(babble(1.5, 7)));
  const { folder: model } = await writeTinyModel(join(folder, 'model'));

  const made = await run('case', 'new', dir, '--number', '2026/1', '--title', 'A call', '--examiner', 'Ada');
  expect(made.stdout).toMatch(/Custody log: 1 row, head [0-9a-f]{64}/);
  const first = /head ([0-9a-f]{64})/.exec(made.stdout)?.[1] ?? '';
  await expect(run('case', 'new', dir, '--number', '2', '--title', 'x')).rejects.toMatchObject({ code: 'exists' });

  const hash = createHash('sha256')
    .update(readFileSync(join(audio, 'voice-0.wav')))
    .digest('hex');
  const added = await run('case', 'add', dir, audio, '--sender-hash', `voice-0.wav=${hash}`);
  expect(added).toMatchObject({ status: 0, stderr: expect.stringContaining('Took in 3 recordings') as string });
  const wrong = await run('case', 'add', dir, join(audio, 'missing.wav'));
  expect(wrong).toMatchObject({ status: 3, stderr: expect.stringContaining('missing.wav') as string });

  const scanned = await run('case', 'scan', dir, '--model', model);
  expect(scanned).toMatchObject({ status: 0, stderr: expect.stringContaining('3 recordings scored') as string });
  const again = await run('case', 'scan', dir, '--model', model);
  expect(again.stderr).toContain('0 recordings scored');

  const shown = await run('case', 'show', dir);
  expect(shown.stdout).toContain('2026/1: A call');
  expect(shown.stdout).toMatch(/voice-1\.wav\t(looks|inconclusive|not assessable)/);
  expect(shown.stdout).not.toContain('\x1b');
  const parsed = JSON.parse((await run('case', 'show', dir, '--json')).stdout) as { items: { name: string }[] };
  expect(parsed.items).toHaveLength(3);
  const log = (await run('case', 'show', dir, '--log')).stdout.trimEnd().split('\n');
  expect(log[0]).toContain('case-created');
  expect(log.length).toBeGreaterThan(8);
  expect((await run('case', 'list')).stdout).toContain(`2026/1\tA call\topen\t3 items\t${dir}`);

  const verified = await run('verify', dir, '--expect-head', first);
  expect(verified).toMatchObject({ status: 0, stdout: expect.stringContaining('Intact.') as string });
  expect((await run('verify', dir, '--expect-head', 'a'.repeat(64))).status).toBe(4);
  expect((await run('verify', dir, '--report', join(audio, 'voice-0.wav'))).status).toBe(4);
  await expect(run('verify', dir, '--expect-head', 'abc')).rejects.toMatchObject({ exitCode: 1 });
  await expect(run('verify', join(folder, 'nothing'))).rejects.toMatchObject({ code: 'missing' });

  const archive = join(folder, 'case.zip');
  expect((await run('case', 'export', dir, '--out', archive)).stdout).toContain('SHA-256');
  await expect(run('case', 'delete', dir, '--confirm', '2026/2', '--reason', 'a test')).rejects.toMatchObject({
    code: 'usage',
  });
  await run('case', 'delete', dir, '--confirm', '2026/1', '--reason', 'a test');
  expect((await run('case', 'list')).stderr).toContain('no cases');
  const imported = await run('case', 'import', archive, '--to', join(folder, 'cases'));
  expect(imported.stdout).toContain('Imported the case 2026/1');
  const place = join(folder, 'cases', '2026-1');
  expect((await run('verify', place)).status).toBe(0);
  writeFileSync(join(audio, 'voice-1.wav'), 'something else');
  const tampered = await run('verify', place);
  expect(tampered.status).toBe(4);
  expect(tampered.stdout).toMatch(/NOT evidence \(voice-1\.wav\)/);
});

it('takes marks to files and back, and stretches to WAV files with their hashes', async () => {
  const dir = join(folder, 'marked');
  const recording = join(folder, 'voice.wav');
  writeFileSync(recording, wav16(babble(3, 1)));
  await run('case', 'new', dir, '--number', '8', '--title', 'A call');
  await run('case', 'add', dir, recording);
  const labels = join(folder, 'labels.txt');
  writeFileSync(labels, '0.5\t1.25\t[category Caller] hello\n2\t2\tclick\n');
  expect((await run('case', 'marks', 'import', dir, '1', labels)).stdout).toContain('Added 2 marks.');
  for (const name of ['marks.TextGrid', 'marks.csv', 'marks.json']) {
    const out = join(folder, name);
    expect((await run('case', 'marks', 'export', dir, '1', '--out', out)).stdout).toContain('Exported 2 marks');
    expect(readFileSync(out, 'utf8')).toContain('Caller');
    await expect(run('case', 'marks', 'export', dir, '1', '--out', out)).rejects.toMatchObject({ code: 'usage' });
  }
  writeFileSync(labels, '0.5\t1.25\thello\n9\t9\tclick\n');
  await expect(run('case', 'marks', 'import', dir, '1', labels)).rejects.toThrow(
    'labels.txt, line 2: a mark lies at 9 s',
  );
  const out = join(folder, 'cut');
  expect((await run('case', 'cut', dir, '--out', out)).stdout).toContain('Wrote 1 stretch to');
  const sums = readFileSync(join(out, 'SHA256SUMS'), 'utf8').trim().split('\n');
  for (const [hash, name] of sums.map((line) => line.split('  '))) {
    expect(
      createHash('sha256')
        .update(readFileSync(join(out, name)))
        .digest('hex'),
    ).toBe(hash);
  }
  const pictures = join(folder, 'pictures');
  const drawn = await run('case', 'cut', dir, '--as', 'png', '--out', pictures);
  expect(drawn.stdout).toContain('Wrote 2 stretches to');
  expect(readdirSync(pictures).filter((name) => name.endsWith('.png'))).toHaveLength(2);
  const named = ['case', 'cut', dir, '--out', join(folder, 'none'), '--category'];
  await expect(run(...named, 'Clerk')).rejects.toThrow('no stretch');
  await expect(run(...named, 'Caller', '--of', 'stretches')).rejects.toMatchObject({ code: 'usage' });
  await expect(run('case', 'cut', dir, '--out', out)).rejects.toThrow('is not empty');
  await expect(run('case', 'cut', dir, '--out', join(folder, 'none'), '--of', 'stretches')).rejects.toThrow(
    'no stretch',
  );
  expect((await run('verify', dir)).stdout).toContain('Intact.');
});

it('shows and drafts the items that filters choose, and says what there is where none matches', async () => {
  const dir = join(folder, 'filtered');
  const paths = [1, 2, 3].map((length) => join(folder, `long-${length}.wav`));
  paths.forEach((path, index) => writeFileSync(path, wav16(babble(index + 1, index + 1))));
  await run('case', 'new', dir, '--number', '12', '--title', 'Calls');
  await run('case', 'add', dir, ...paths);
  await run('case', 'label', dir, '2', '--tag', 'caller', '--reviewed');
  const shown = async (...filters: string[]): Promise<string[]> => {
    const { stdout } = await run('case', 'show', dir, ...filters, '--json');
    return (JSON.parse(stdout) as { items: { name: string }[] }).items.map(({ name }) => name.replace('.wav', ''));
  };
  expect(await shown('--tag', 'caller')).toEqual(['long-2']);
  expect(await shown('--min-length', '1.5', '--not-reviewed')).toEqual(['long-3']);
  expect(await shown('--max-length', '1.5', '--rate', '16000', '--codec', 'pcm_s16le')).toEqual(['long-1']);
  expect(await shown('--finding', 'none', '--find', 'long', '--not-known')).toHaveLength(3);
  const today = new Date().toISOString().slice(0, 10);
  expect(await shown('--since', today, '--date', 'added')).toHaveLength(3);
  expect((await run('case', 'show', dir, '--reviewed')).stdout).toMatch(/^Shown +1 that match\n[^]*^2\tlong-2\.wav/m);
  await expect(run('case', 'show', dir, '--until', '2001-01-01')).rejects.toMatchObject({
    code: 'no-match',
    advice: 'There are: codecs pcm_s16le; rates 16000; tags caller.',
  });
  await expect(run('case', 'show', dir, '--date', 'added')).rejects.toMatchObject({ code: 'usage' });
  await expect(run('case', 'show', dir, '--since', '2026-02-30')).rejects.toThrow('must be a day');
  const out = join(folder, 'filtered.pdf');
  const json = join(folder, 'filtered.json');
  await run('report', dir, '--draft', '--short', '--tag', 'caller', '--out', out, '--json', json);
  const { items } = JSON.parse(readFileSync(json, 'utf8')) as { items: { evidence: { id: number } }[] };
  expect(items.map(({ evidence }) => evidence.id)).toEqual([2]);
  await expect(run('report', dir, '--draft', '--items', '1', '--tag', 'caller', '--out', out)).rejects.toMatchObject({
    code: 'usage',
  });
});

it('scans and labels the items that filters choose', async () => {
  const dir = join(folder, 'chosen');
  const paths = [1, 2, 3].map((length) => join(folder, `part-${length}.wav`));
  paths.forEach((path, index) => writeFileSync(path, wav16(babble(index + 1, index + 11))));
  await run('case', 'new', dir, '--number', '13', '--title', 'Parts');
  await run('case', 'add', dir, ...paths);
  const rows = async (): Promise<{ scan: string; tags: string[]; reviewedAt: string | null }[]> => {
    const { stdout } = await run('case', 'show', dir, '--json');
    return (JSON.parse(stdout) as { items: { scan: string; tags: string[]; reviewedAt: string | null }[] }).items;
  };
  const label = (...words: string[]) => run('case', 'label', dir, ...words);
  expect((await label('--min-length', '1.5', '--find', 'part', '--tag', 'caller')).stdout).toContain('Changed 2 of 2');
  expect((await label('--tagged', 'caller', '--max-length', '2.5', '--reviewed')).stdout).toContain('Changed 1 of 1');
  expect((await label('--if-not-reviewed', '--untag', 'caller', '--tag', 'other')).stdout).toContain('Changed 2 of 2');
  const labelled = await rows();
  expect(labelled.map(({ tags }) => tags)).toEqual([['other'], ['caller'], ['other']]);
  expect(labelled.map(({ reviewedAt }) => reviewedAt !== null)).toEqual([false, true, false]);
  await expect(label('--tag', 'caller')).rejects.toMatchObject({ code: 'usage', message: /by filters/ });
  await expect(label('1', '--find', 'part', '--tag', 'a')).rejects.toMatchObject({ code: 'usage' });
  await expect(label('--tagged', 'nobody', '--tag', 'a')).rejects.toMatchObject({ code: 'no-match', advice: /caller/ });

  const { folder: model } = await writeTinyModel(join(folder, 'chosen-model'));
  const scan = (...words: string[]) => run('case', 'scan', dir, '--model', model, ...words);
  expect((await scan('--tag', 'other', '--min-length', '1.5')).stderr).toContain('1 recording scored');
  expect((await rows()).map((row) => row.scan)).toEqual(['none', 'none', 'done']);
  // Of those that are chosen, what is new.
  expect((await scan('--tag', 'other')).stderr).toContain('1 recording scored');
  expect((await rows()).map((row) => row.scan)).toEqual(['done', 'none', 'done']);
  await expect(scan('--codec', 'opus')).rejects.toMatchObject({ code: 'no-match' });
});

it('labels items, and marks those that are in a list of known hashes', async () => {
  const dir = join(folder, 'labelled');
  const recording = join(folder, 'voice.wav');
  writeFileSync(recording, wav16(babble(1, 1)));
  await run('case', 'new', dir, '--number', '9', '--title', 'A call');
  await run('case', 'add', dir, recording);
  expect((await run('case', 'label', dir, '1', '--tag', 'caller', '--reviewed')).stdout).toContain(
    'Changed 1 of 1 item.',
  );
  const list = join(folder, 'known.csv');
  writeFileSync(list, `name,sha256\nvoice.wav,${createHash('sha256').update(readFileSync(recording)).digest('hex')}\n`);
  const applied = await run('case', 'hashes', dir, list, '--name', 'Known');
  expect(applied.stdout).toContain('1 item is among the 1 hashes of the list.');
  expect((await run('case', 'show', dir)).stdout).toContain('#caller; reviewed; known in Known');
  expect((await run('case', 'hashes', dir, '--name', 'Known', '--remove')).stdout).toContain('from 1 item');
  await expect(run('case', 'hashes', dir, '--name', 'Known')).rejects.toMatchObject({ code: 'usage' });
  expect((await run('case', 'label', dir, '1', '--untag', 'caller', '--not-reviewed')).stdout).toContain('Changed 1');
  expect((await run('case', 'show', dir)).stdout).not.toContain('reviewed');
  expect((await run('verify', dir)).stdout).toContain('Intact.');
});

it('notes technical reviews with what was checked, by a template’s points too, and answers to their remarks', async () => {
  const dir = join(folder, 'reviewed');
  await run('case', 'new', dir, '--number', '14', '--title', 'Reviewed', '--examiner', 'Ada');
  const review = (...words: string[]) => run('case', 'review', dir, '--reviewer', 'Bea', ...words);
  const details = (): Record<string, unknown> => {
    const store = CaseStore.read(dir);
    try {
      return store.log.rows({ offset: 0, limit: 1 }).rows[0]?.details ?? {};
    } finally {
      store.close();
    }
  };
  const first = await review('--met', '1,2', '--not-met', '3: not stated', '--remarks', 'State it.', '--role', 'Head');
  const row = Number(/row (\d+)\.$/m.exec(first.stdout)?.[1]);
  const { checks, role } = details() as { checks: { outcome: string; note: string }[]; role: string };
  expect(role).toBe('Head');
  expect(checks.map(({ outcome }) => outcome).slice(0, 4)).toEqual(['met', 'met', 'not-met', 'not-checked']);
  expect(checks[2]?.note).toBe('not stated');
  expect(
    (await run('case', 'answer', dir, '--review', String(row), '--by', 'Ada', '--answer', 'Done.')).stdout,
  ).toContain(`Answered the review of Bea in row ${row}: row ${row + 2}.`);
  const template = join(folder, 'reviews.json');
  const said = { format: 'earwitness report template', version: 1, name: 'Court', reviewChecklist: ['Read it aloud.'] };
  writeFileSync(template, JSON.stringify(said));
  await review('--template', template, '--not-applicable', '1');
  expect(details()['checks']).toEqual([{ point: 'Read it aloud.', outcome: 'not-applicable', note: '' }]);
  await expect(review('--template', template, '--met', '2')).rejects.toMatchObject({
    code: 'usage',
    message: /no point 2/,
  });
  await expect(review('--met', '1', '--not-met', '1: no')).rejects.toThrow('Point 1 is named twice');
  await expect(review('--not-met', 'why')).rejects.toThrow('number of a point');
});
