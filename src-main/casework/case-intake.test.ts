import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testCase, testFolder } from '../cases/testing.ts';
import type { CaseStore } from '../cases/store.ts';
import { verifyCase } from '../cases/verify.ts';
import { babble, wav16 } from '../detector/testing.ts';
import { takeIn } from './case-intake.ts';
import type { IntakeOutcome, IntakeRequest } from './case-intake.ts';

interface Told {
  outcome: IntakeOutcome;
  problems: [string, string][];
}

async function intake(store: CaseStore, home: string, request: Partial<IntakeRequest>): Promise<Told> {
  const problems: [string, string][] = [];
  const outcome = await takeIn(
    store,
    {
      paths: [],
      recursive: true,
      copy: false,
      conditionOnReceipt: '',
      receivedAt: '',
      receivedFrom: '',
      senderHashes: {},
      ...request,
    },
    { home, onProblem: (path, message) => problems.push([path, message]) },
  );
  return { outcome, problems };
}

const wave = (seed: number): Uint8Array => wav16(babble(0.5, seed));
const digest = (algorithm: string, bytes: Uint8Array): string => createHash(algorithm).update(bytes).digest('hex');

describe('an intake', () => {
  it('takes recordings of a folder in with hashes, times and what parsers say, in the order of their names', async () => {
    const { store, session } = testCase();
    const folder = testFolder();
    mkdirSync(join(folder, 'below'));
    writeFileSync(join(folder, 'b.wav'), wave(1));
    writeFileSync(join(folder, 'below', 'a.bin'), wave(2));
    writeFileSync(join(folder, 'notes.txt'), 'no recording');
    symlinkSync(folder, join(folder, 'loop'));
    writeFileSync(join(folder, 'a\nname.wav'), wave(3));
    chmodSync(join(folder, 'b.wav'), 0o444);
    const before = statSync(join(folder, 'b.wav'));
    const { outcome, problems } = await intake(store, session.library.home, {
      paths: [folder],
      conditionOnReceipt: 'sealed',
      receivedFrom: 'the court',
      senderHashes: { 'b.wav': digest('md5', wave(1)), 'a.bin': 'e'.repeat(64) },
    });
    expect(outcome).toMatchObject({ added: [1, 2, 3], passedOver: 1, already: 0, failed: 0, mismatched: 1 });
    expect(problems).toEqual([[join(folder, 'below', 'a.bin'), expect.stringContaining('not the one')]]);
    const first = store.evidence.get(1);
    expect(first.name).toBe('a\nname.wav');
    const second = store.evidence.get(2);
    expect(second).toMatchObject({
      name: 'b.wav',
      originalPath: join(folder, 'b.wav'),
      sha256: digest('sha256', wave(1)),
      md5: digest('md5', wave(1)),
      sizeBytes: wave(1).length,
      // Down to the millisecond that has begun.
      modifiedTime: new Date(Math.floor(before.mtimeMs)).toISOString(),
      conditionOnReceipt: 'sealed',
      receivedFrom: 'the court',
      senderHashMatches: true,
      state: 'unchanged',
      copied: false,
      audio: { container: 'wav', codec: 'pcm_s16le', sampleRateHz: 16_000, channels: 1 },
    });
    expect(second.durationSeconds).toBeCloseTo(0.5, 6);
    const said = (parser: RegExp): string[] =>
      second.metadata.filter((row) => parser.test(row.parser)).map(({ name, value }) => `${name}: ${value}`);
    expect(said(/^mediainfo \d/)).toContain('Format: Wave');
    const accessed = new Date(Math.floor(before.atimeMs)).toISOString();
    expect(said(/^earwitness$/)).toContain(`Access time before intake: ${accessed}`);
    expect(said(/^earwitness wav/)).toContain('Sampling rate (Hz): 16000');
    // Two parsers agree: the third is not asked.
    expect(said(/^ffmpeg \S/)).toEqual([]);
    expect(store.evidence.get(3).senderHashMatches).toBe(false);
    const after = statSync(join(folder, 'b.wav'));
    expect([after.mtimeMs, after.ctimeMs, after.mode]).toEqual([before.mtimeMs, before.ctimeMs, before.mode]);
    const { rows } = store.log.rows({ offset: 0, limit: 10 });
    expect(rows[0]).toMatchObject({ action: 'intake', details: { added: 3, passedOver: 1, mismatched: 1 } });
    expect(rows.filter(({ action }) => action === 'evidence-added')).toHaveLength(3);
  });

  it("tells MediaInfo's view as its own, and repeats no duration that a file cannot hold", async () => {
    const { store, session } = testCase();
    const folder = testFolder();
    const whole = wave(1);
    // As a program writes it that does not know the length yet.
    const streamed = Buffer.from(whole);
    streamed.writeUInt32LE(0xffffffff, 4);
    streamed.writeUInt32LE(0xffffffff, 40);
    writeFileSync(join(folder, 'cut.wav'), whole.subarray(0, whole.length / 2));
    writeFileSync(join(folder, 'streamed.wav'), streamed);
    writeFileSync(join(folder, 'whole.wav'), whole);
    await intake(store, session.library.home, { paths: [folder] });
    const said = new Map(
      [1, 2, 3].map((id) => {
        const { name, metadata } = store.evidence.get(id);
        return [name, metadata.filter(({ parser }) => parser.startsWith('mediainfo'))];
      }),
    );
    const durations = (name: string) => said.get(name)!.filter((row) => row.name === 'Duration');
    const truncated = /says that the file is truncated/;
    const statements = (name: string) => said.get(name)!.filter((row) => row.name === 'Statement');
    expect(durations('whole.wav').map(({ value }) => Number(value))).toEqual([0.5, 0.5]);
    expect(statements('whole.wav')).toEqual([]);
    expect(statements('cut.wav').map(({ value }) => value)).toEqual([expect.stringMatching(truncated)]);
    expect(durations('streamed.wav')).toEqual([]);
    expect(statements('streamed.wav').map(({ value }) => value)).toContainEqual(
      expect.stringContaining('a duration that a file of this size cannot hold'),
    );
    expect(said.get('streamed.wav')!.filter(({ value }) => Number(value) > 2 ** 40)).toEqual([]);
    expect([...said.values()].flat().filter(({ name }) => name.includes('IsTruncated'))).toEqual([]);
    // They do not agree with our own reader on these: ffmpeg is asked, too.
    const asked = [1, 2, 3].filter((id) =>
      store.evidence.get(id).metadata.some(({ parser }) => /^ffmpeg \S/.test(parser)),
    );
    expect(asked.map((id) => store.evidence.get(id).name)).toEqual(['cut.wav', 'streamed.wav']);
  });

  it('tells missing and unread sound before anything is scanned', async () => {
    const { store, session } = testCase();
    const folder = testFolder();
    const [whole, short] = [wave(1), Buffer.from(wave(1))];
    short.writeUInt32LE((whole.length - 44) / 4, 40);
    writeFileSync(join(folder, 'behind.wav'), short);
    writeFileSync(join(folder, 'cut.wav'), whole.subarray(0, whole.length / 2));
    writeFileSync(join(folder, 'whole.wav'), whole);
    await intake(store, session.library.home, { paths: [folder] });
    const told = (name: string) => [1, 2, 3].map((id) => store.evidence.get(id)).find((item) => item.name === name)!;
    expect(told('behind.wav')).toMatchObject({ scan: 'none', flags: ['unread'], alarms: ['sound-unread'] });
    expect(told('cut.wav')).toMatchObject({ flags: ['truncated'], alarms: ['sound-missing'] });
    expect(told('whole.wav')).toMatchObject({ flags: [], alarms: [] });
    expect(told('whole.wav').audio).not.toHaveProperty('told');
    const { intact } = await verifyCase({ folder: store.folder, home: session.library.home });
    expect(intact).toBe(true);
  });

  it('leaves alone what the case has already, and takes in what changed since', async () => {
    const { store, session } = testCase();
    const { home } = session.library;
    const folder = testFolder();
    for (const seed of [1, 2]) writeFileSync(join(folder, `${seed}.wav`), wave(seed));
    await intake(store, home, { paths: [folder] });
    writeFileSync(join(folder, '2.wav'), wave(9));
    const { outcome } = await intake(store, home, { paths: [folder, join(folder, '1.wav')] });
    expect(outcome).toMatchObject({ added: [3], already: 1 });
    // Touched only.
    writeFileSync(join(folder, '1.wav'), wave(1));
    expect((await intake(store, home, { paths: [folder] })).outcome).toMatchObject({ added: [], already: 2 });
  });

  it('copies into the case, verified and read-only, and uploads always', async () => {
    const { store, session, folder } = testCase();
    const { home } = session.library;
    const source = testFolder();
    const name = `${'sehr-lang-'.repeat(20)}Ä? *.wav`;
    writeFileSync(join(source, name), wave(1));
    await intake(store, home, { paths: [source], copy: true });
    const { path } = store.evidence.intake(1);
    expect(path.startsWith(join(folder, 'evidence'))).toBe(true);
    expect(readFileSync(path).equals(wave(1))).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o400);
    expect(store.evidence.get(1)).toMatchObject({ name, copied: true, originalPath: join(source, name) });
    const upload = join(home, 'uploads', 'abc');
    mkdirSync(upload, { recursive: true });
    writeFileSync(join(upload, 'upload.wav'), wave(2));
    await intake(store, home, { paths: [join(upload, 'upload.wav')] });
    expect(store.evidence.get(2)).toMatchObject({
      uploaded: true,
      copied: true,
      originalPath: null,
      modifiedTime: null,
    });
    expect(readFileSync(store.evidence.intake(2).path).equals(wave(2))).toBe(true);
    expect(readdirSync(join(folder, 'evidence'))).toHaveLength(2);
    expect(readdirSync(join(folder, 'evidence')).every((file) => !file.endsWith('.partial'))).toBe(true);
  });

  it('names files that cannot be taken in, and goes on', async () => {
    const { store, session } = testCase();
    const folder = testFolder();
    writeFileSync(join(folder, 'text.wav'), 'no recording');
    writeFileSync(join(folder, 'voice.wav'), wave(1));
    writeFileSync(join(folder, 'broken.mp3'), Buffer.concat([Buffer.from('ID3'), Buffer.alloc(5000, 0xfe)]));
    execFileSync('mkfifo', [join(folder, 'pipe.wav')]);
    const paths = ['missing.wav', 'text.wav', 'pipe.wav', 'broken.mp3', 'voice.wav'].map((name) => join(folder, name));
    const { outcome, problems } = await intake(store, session.library.home, { paths });
    expect(problems.map(([path]) => path)).toEqual(paths.slice(0, 3));
    expect(outcome).toMatchObject({ added: [1, 2], failed: 3 });
    // A recording that cannot be read is evidence all the same; what is wrong is said.
    const { metadata, audio } = store.evidence.get(1);
    expect(audio).toBeNull();
    expect(metadata.find(({ name }) => name === 'Problem')).toMatchObject({ parser: 'earwitness' });
  });

  it.runIf(process.platform === 'linux')('takes in files whose names are not UTF-8', async () => {
    const { store, session } = testCase();
    const folder = testFolder();
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9]), Buffer.from('.wav')]), wave(1));
    const { outcome } = await intake(store, session.library.home, { paths: [folder] });
    expect(outcome.added).toEqual([1]);
    expect(store.evidence.get(1)).toMatchObject({ name: 'caf\\xE9.wav', sha256: digest('sha256', wave(1)) });
    const { checkFully } = await import('../cases/states.ts');
    expect(await checkFully(store, 1)).toBe('unchanged');
    const { audio } = store.evidence.get(1);
    expect(audio?.codec).toBe('pcm_s16le');
  });

  it("passes over the case's own files and other cases'", async () => {
    const { store, session, folder } = testCase();
    const { home } = session.library;
    writeFileSync(join(folder, 'voice.wav'), wave(1));
    await intake(store, home, { paths: [folder], copy: true });
    const { outcome } = await intake(store, home, { paths: [folder, home] });
    expect(outcome.added).toEqual([]);
    expect(store.evidence.allIds()).toHaveLength(1);
    // Its lock is still held.
    const { CaseStore: Store } = await import('../cases/store.ts');
    expect(() => Store.open(folder, session)).toThrow(/open elsewhere/);
  });

  it('keeps what was done when it is cancelled', async () => {
    const { store, session } = testCase();
    const folder = testFolder();
    for (let seed = 0; seed < 40; seed++) writeFileSync(join(folder, `${seed}.wav`), wave(seed));
    const controller = new AbortController();
    const request = { recursive: true, copy: false, conditionOnReceipt: '', receivedAt: '', receivedFrom: '' };
    const running = takeIn(
      store,
      { ...request, paths: [folder], senderHashes: {} },
      {
        home: session.library.home,
        signal: controller.signal,
        onProgress: ({ done }) => {
          if (done === 3) controller.abort(new DOMException('Cancelled.', 'AbortError'));
        },
      },
    );
    await expect(running).rejects.toThrow('Cancelled.');
    const kept = store.evidence.allIds().length;
    expect(kept).toBeGreaterThanOrEqual(3);
    const { outcome } = await intake(store, session.library.home, { paths: [folder] });
    expect(outcome).toMatchObject({ already: kept });
    expect(store.evidence.allIds()).toHaveLength(40);
  });
});
