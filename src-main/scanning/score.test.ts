import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import { utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFfmpeg } from '../audio/ffmpeg.ts';
import { runFfmpeg } from '../audio/testing.ts';
import { Detector } from '../detector/detector.ts';
import { babble, wav16, writeTinyModel } from '../detector/testing.ts';
import { score } from './score.ts';
import type { Analyser, KnownFile, ScoreOutcome } from './score.ts';

let folder: string;
let detector: Detector;
const ffmpeg = await findFfmpeg().catch(() => null);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-score-'));
  detector = await Detector.create(await writeTinyModel(join(folder, 'model')), 1);
});
afterAll(async () => {
  await detector.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const never = new AbortController().signal;

function scored(path: string, by: Analyser = detector, known?: KnownFile): Promise<ScoreOutcome> {
  return score(by, { path, nameBytes: null, found: false, ...(known ? { known } : {}) }, never);
}

function planted(name: string, seconds = 1.5): string {
  const path = join(folder, name);
  writeFileSync(path, wav16(babble(seconds, 3)));
  return path;
}

/** The detector, with something that happens to the file while it is read. */
function during(happens: () => void): Analyser {
  return {
    cardOf: () => detector.card,
    analyse: async (source, signal) => {
      happens();
      return detector.analyse(source, signal);
    },
  };
}

describe('a file that changes while it is read', () => {
  it('is said, not scored: longer, rewritten, replaced, gone', async () => {
    const grown = planted('grown.wav');
    expect(
      (
        await scored(
          grown,
          during(() => appendFileSync(grown, 'more')),
        )
      ).error?.code,
    ).toBe('changed');
    const rewritten = planted('rewritten.wav');
    const rewrite = (): void => {
      writeFileSync(rewritten, wav16(babble(1.5, 4)));
      utimesSync(rewritten, 1, 1);
    };
    expect(await scored(rewritten, during(rewrite))).toMatchObject({ error: { code: 'changed' }, analysis: null });
    const replaced = planted('replaced.wav');
    const replace = (): void => {
      const { atimeMs, mtimeMs } = statSync(replaced);
      const other = planted('other.wav');
      utimesSync(other, atimeMs / 1000, mtimeMs / 1000);
      renameSync(other, replaced);
    };
    expect((await scored(replaced, during(replace))).error?.code).toBe('changed');
    const gone = planted('gone.wav');
    expect(
      (
        await scored(
          gone,
          during(() => rmSync(gone)),
        )
      ).error?.code,
    ).toBe('missing');
  });

  it.skipIf(ffmpeg === null)('is said even where size and time stay, if ffmpeg reads it', async () => {
    const path = join(folder, 'swapped.ogg');
    const source = planted('for-ogg.wav');
    runFfmpeg(ffmpeg!.path, '-i', source, '-c:a', 'libvorbis', path);
    const bytes = readFileSync(path);
    const { atimeMs, mtimeMs } = statSync(path);
    const swap = (): void => {
      const other = Buffer.from(bytes);
      other[other.length - 200] ^= 0xff;
      writeFileSync(path, other);
      utimesSync(path, atimeMs / 1000, mtimeMs / 1000);
    };
    expect((await scored(path, during(swap))).error?.code).toBe('changed');
  });

  it('is said of a file too large to be read at once, written to from outside', async () => {
    const path = join(folder, 'large.wav');
    // 48 kHz in 8 channels of 16 bits: 70 MB of 95 s, sound only at its start.
    const header = Buffer.from(wav16(babble(1, 1)).subarray(0, 44));
    header.writeUInt32LE(70_000_000 - 8, 4);
    header.writeUInt16LE(8, 22);
    header.writeUInt32LE(48_000, 24);
    header.writeUInt32LE(768_000, 28);
    header.writeUInt16LE(16, 32);
    header.writeUInt32LE(70_000_000 - 44, 40);
    writeFileSync(path, Buffer.concat([header, wav16(babble(20, 2)).subarray(44)]));
    truncateSync(path, 70_000_000);
    const quiet = await scored(path);
    expect(quiet).toMatchObject({ error: null, file: { size: 70_000_000 } });
    expect(quiet.sha256).toBe(createHash('sha256').update(readFileSync(path)).digest('hex'));
    const writing = setInterval(() => appendFileSync(path, 'x'), 2);
    try {
      expect((await scored(path)).error?.code).toBe('changed');
    } finally {
      clearInterval(writing);
    }
  });
});

describe('a file of many blocks', () => {
  it('is read whole, and no further once it is to stop', async () => {
    const path = join(folder, 'blocks.wav');
    writeFileSync(path, Buffer.concat([wav16(babble(2, 6)), Buffer.alloc(5_000_000, 1)]));
    const whole = await scored(path);
    expect(whole.sha256).toBe(createHash('sha256').update(readFileSync(path)).digest('hex'));
    const controller = new AbortController();
    const reason = new Error('enough');
    setImmediate(() => controller.abort(reason));
    const none: Analyser = { cardOf: () => detector.card, analyse: () => Promise.reject(new Error('read to its end')) };
    await expect(score(none, { path, nameBytes: null, found: false }, controller.signal)).rejects.toBe(reason);
  });
});

describe('what a folder held', () => {
  it.skipIf(process.platform === 'win32')('is passed over where it is no recording, or has become a pipe', async () => {
    const text = join(folder, 'text.wav');
    writeFileSync(text, 'no recording');
    const pipe = join(folder, 'pipe.wav');
    execFileSync('mkfifo', [pipe]);
    for (const path of [text, pipe]) {
      const found = await score(detector, { path, nameBytes: null, found: true }, never);
      expect(found).toMatchObject({ passedOver: true, error: null, analysis: null });
      const named = await score(detector, { path, nameBytes: null, found: false }, never);
      expect(named).toMatchObject({ passedOver: false, error: { code: path === pipe ? 'not-a-file' : 'no-audio' } });
    }
  });
});

describe('a file that is known', () => {
  it('is not scored again if size, time and hash are the same', async () => {
    const path = planted('known.wav');
    const first = await scored(path);
    const known = { ...first.file!, sha256: first.sha256! };
    const none: Analyser = { cardOf: () => detector.card, analyse: () => Promise.reject(new Error('scored again')) };
    expect(await scored(path, none, known)).toMatchObject({ unchanged: true, error: null, sha256: first.sha256 });
    // The same size and time, another content.
    const { atimeMs, mtimeMs } = statSync(path);
    writeFileSync(path, wav16(babble(1.5, 8)));
    utimesSync(path, atimeMs / 1000, mtimeMs / 1000);
    const again = await scored(path, detector, { ...known, mtimeMs: statSync(path).mtimeMs });
    expect(again).toMatchObject({ unchanged: false, error: null });
    expect(again.analysis?.score).not.toBe(first.analysis?.score);
  });
});

describe('a file that the model was trained on', () => {
  it('has a score and is not assessable, with that as the first reason', async () => {
    const path = planted('trained.wav', 3);
    const before = await scored(path);
    expect(before.analysis?.llr).not.toBeNull();
    const training = { ...detector.card.training, fileSha256: ['0'.repeat(64), before.sha256!] };
    const trained: Analyser = {
      cardOf: () => ({ ...detector.card, training }),
      analyse: (source, signal) => detector.analyse(source, signal),
    };
    const after = await scored(path, trained);
    expect(after.analysis).toMatchObject({ finding: 'not assessable', llr: null, score: before.analysis?.score });
    expect(after.analysis?.reasons[0]).toMatchObject({ code: 'trained-on', blocking: true });
  });

  it('is one that the companion was trained on, where that one speaks', async () => {
    const path = planted('companion.wav', 3);
    const { sha256 } = await scored(path);
    const training = { ...detector.card.training, fileSha256: [sha256!] };
    const companion = { name: 'telephone', sha256: '1'.repeat(64) };
    const spoken = (by: typeof companion | null): Analyser => ({
      cardOf: ({ companion: one }) => (one ? { ...detector.card, training } : detector.card),
      analyse: async (source, signal) => ({
        ...(await detector.analyse(source, signal)),
        ...(by && { companion: by }),
      }),
    });
    expect((await scored(path, spoken(companion))).analysis?.reasons[0].code).toBe('trained-on');
    expect((await scored(path, spoken(null))).analysis?.reasons.map(({ code }) => code)).not.toContain('trained-on');
  });
});

describe('a long recording', () => {
  it('is said to have a lowest window that is no evidence', async () => {
    const [short, long] = [await scored(planted('short.wav', 20)), await scored(planted('long.wav', 40))];
    const codes = (outcome: ScoreOutcome): string[] => outcome.analysis!.reasons.map(({ code }) => code);
    expect(codes(short)).not.toContain('long');
    expect(codes(long)).toContain('long');
    expect(long.analysis?.reasons.find(({ code }) => code === 'long')).toMatchObject({ blocking: false });
  });
});
