import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { plant, toneWav } from '../datasets/testing.ts';
import { register } from './collection.ts';
import { register as registerDataset } from './dataset.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'earwitness-collection-'));
  vi.stubEnv('EARWITNESS_HOME', join(root, 'home'));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  process.exitCode = undefined;
  rmSync(root, { recursive: true, force: true });
});

/** Runs a command in this process; gives what it wrote and its exit status. */
async function run(...words: string[]): Promise<{ out: string; err: string; status: typeof process.exitCode }> {
  const written = { out: '', err: '' };
  for (const [stream, to] of [
    [process.stdout, 'out'],
    [process.stderr, 'err'],
  ] as const) {
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      written[to] += String(text);
      return true;
    });
  }
  const program = new Command().exitOverride();
  register(program);
  registerDataset(program);
  try {
    await program.parseAsync(['node', 'earwitness', ...words]);
    return { ...written, status: process.exitCode };
  } finally {
    process.exitCode = undefined;
    vi.restoreAllMocks();
  }
}

/** Clips that differ, of two speakers and two sources in each class. */
function plantClips(): string {
  const names = ['a', 'b', 'c', 'd'];
  plant(root, Object.fromEntries(names.map((name, index) => [`clips/${name}.wav`, toneWav(0.3 + 0.1 * index)])));
  const rows = names.map(
    (name, index) =>
      `clips/${name}.wav,${index < 2 ? 'real' : 'fake'},S${index % 2},M${index % 2},de,written,2026-01-31,2999-12-31`,
  );
  plant(root, {
    'table.csv': ['path,label,speaker,source,language,consent_kind,consent_date,retain_until', ...rows, ''].join('\n'),
  });
  return join(root, 'table.csv');
}

it('goes from a manifest through labels, splits and a version to a dataset, and back to a manifest', async () => {
  const table = plantClips();
  await run('collection', 'create', 'mobile', '--note', 'Calls');
  const { out: added } = await run('collection', 'add', 'mobile', `manifest:${table}`, '--set', 'chain=GSM handset');
  expect(added).toBe('Added 4 to mobile.\n');
  expect((await run('collection', 'add', 'mobile', `manifest:${table}`)).out).toContain('4 were there already');

  const edited = await run('collection', 'edit', 'mobile', '--where', 'label=spoof', '--set', 'generator=VITS', '--set', 'split=test'); // prettier-ignore
  expect(edited.out).toBe('Changed 2 of 2 entries.\n');
  await expect(run('collection', 'edit', 'mobile', '1', '--set', 'split=train')).rejects.toThrow(
    /speaker S0 \(train, test\), source M0 \(train, test\)/,
  );
  expect((await run('collection', 'edit', 'mobile', '--undo')).out).toContain(
    '2 entries: split: test, generator: VITS',
  );

  const { out: shown } = await run('collection', 'split', 'mobile', '--shares', '50,0,50', '--quick');
  expect(shown).toMatch(/^train +bona fide +1 +1 +1 /m);
  expect(shown).toMatch(/^test +spoof +1 +1 +1 /m);
  expect(shown).not.toContain('In more than one split');

  const { out: frozen } = await run('collection', 'freeze', 'mobile', '--note', 'First');
  expect(frozen).toMatch(/^Version 1 of mobile: 4 entries, SHA-256 [0-9a-f]{64}\nUse it as collection:mobile@1\n$/);
  await run('collection', 'edit', 'mobile', '--all', '--set', 'language=en');
  const { out: json } = await run('collection', 'show', 'mobile', '--all', '--json');
  expect((JSON.parse(json) as { chosen: unknown[] }).chosen).toHaveLength(4);
  expect((await run('dataset', 'inspect', 'collection:mobile@1', '--quick')).out).toMatch(/^test +spoof +1 +- +1 +1 /m);
  expect((await run('collection', 'list')).out).toBe('mobile  4 entries; versions 1\n');
  expect(await run('collection', 'verify', 'mobile')).toMatchObject({ status: 0 });

  const file = join(root, 'out', 'frozen.csv');
  await run('collection', 'export', 'mobile@1', '--out', file, '--copy', join(root, 'out', 'audio'));
  const text = readFileSync(file, 'utf8');
  expect(text.split('\n')[0]).toBe(
    'path,label,split,speaker,source,language,chain,consent_kind,consent_date,retain_until,sha256',
  );
  expect(text).toMatch(
    /^audio\/[0-9a-f]{64}\.wav,bonafide,(train|test),S0,M0,de,GSM handset,written,2026-01-31,2999-12-31,/m,
  );
  await run('collection', 'create', join(root, 'lab', 'copy.sqlite'));
  const { out: again } = await run('collection', 'add', join(root, 'lab', 'copy.sqlite'), `manifest:${file}`);
  expect(again).toBe('Added 4 to copy.\n');
  const hashOf = async (name: string) =>
    (JSON.parse((await run('collection', 'show', name, '--json')).out) as { sha256: string }).sha256;
  await run('collection', 'edit', 'mobile', '--undo');
  expect(await hashOf(join(root, 'lab', 'copy.sqlite'))).toBe(await hashOf('mobile'));
}, 60_000);

it('asks before it removes, names what cannot be entered, and what is wrong with what is asked', async () => {
  plantClips();
  plant(root, { 'clips/none.wav': 'no sound' });
  await run('collection', 'create', 'line');
  const clips = join(root, 'clips');
  const added = await run(
    'collection',
    'add',
    'line',
    clips,
    '--set',
    'label=genuine',
    '--set',
    'retain_until=2001-01-01',
  );
  expect(added).toMatchObject({ out: 'Added 4 to line.\n', status: 3 });
  expect(added.err).toContain('none.wav');

  const inspected = run('dataset', 'inspect', 'collection:line', '--quick');
  await expect(inspected).rejects.toThrow(/line holds no recording that may be used/);
  expect((await run('dataset', 'inspect', 'collection:line?expired', '--quick')).out).toMatch(/^- +bona fide +4 /m);

  const twice = ['collection', 'edit', 'line', '1', '1', '--set', 'note=x'];
  expect((await run(...twice)).out).toBe('Changed 1 of 1 entry.\n');
  await expect(run(...twice, '--undo')).rejects.toThrow(/--undo stands alone/);
  expect((await run('collection', 'edit', 'line', '--undo')).out).toBe('Undone: 1 entry: note: x\n');

  const removing = ['collection', 'remove', 'line', '--where', 'retention=past', '--reason', 'Past retention'];
  await expect(run(...removing)).rejects.toThrow(/4 entries would be removed .* Nothing was removed/);
  expect((await run(...removing, '--confirm', '4')).out).toBe('Removed 4 entries from line.\n');
  expect((await run('collection', 'show', 'line')).out).toContain('Past retention');

  await expect(run('collection', 'add', 'line', clips)).rejects.toThrow(/Nothing says whether/);
  await expect(run('collection', 'add', 'line', clips, '--set', 'label=maybe')).rejects.toThrow(/The label is “maybe”/);
  await expect(run('collection', 'add', 'line', clips, '--set', 'colour=red')).rejects.toThrow(/no field “colour”/);
  await expect(run('collection', 'edit', 'line', '--all', '--set', 'retain_until=soon')).rejects.toThrow(
    /retain_until cannot be “soon”/,
  );
  await expect(run('collection', 'show', 'line', '--where', 'retention=never')).rejects.toThrow(/chooses nothing/);
  await expect(run('collection', 'show', 'lines')).rejects.toThrow(/There is no collection at/);
}, 60_000);
