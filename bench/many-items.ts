/** A case of as many scored recordings as people bring at once, for what is measured of the window and of the engine. */
import { createHash } from 'node:crypto';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Random } from '../src-main/base/random.ts';
import type { NewEvidence } from '../src-main/cases/add-evidence.ts';
import type { NewAnalysis } from '../src-main/cases/analyses.ts';
import { fileFingerprint } from '../src-main/cases/fingerprint.ts';
import { Library } from '../src-main/cases/library.ts';
import { CaseStore } from '../src-main/cases/store.ts';
import { wav16 } from '../src-main/audio/wav-writer.ts';
import { inspectFile } from '../src-main/casework/inspect-file.ts';

export const manyItems = 50_000;
const batch = 2000;
const shown = ['looks-bona-fide', 'looks-spoof', 'inconclusive', 'not assessable'] as const;

const hash = (algorithm: string, data: string | Buffer): string => createHash(algorithm).update(data).digest('hex');

/** A twentieth of a second that no other item holds. */
function short(index: number): Buffer {
  const random = new Random(index + 1);
  return Buffer.from(
    wav16(
      Float32Array.from({ length: 400 }, () => random.between(-0.1, 0.1)),
      8000,
    ),
  );
}

/** The case `M-1` as a scan of many files leaves it; they hold a moment of noise each. */
export async function writeManyScored(home: string, audio: string, count = manyItems): Promise<void> {
  mkdirSync(audio, { recursive: true });
  const random = new Random(7);
  const library = Library.open(home);
  const session = { library, actor: () => 'A. Example', program: 'bench' };
  const store = CaseStore.create(join(home, 'cases', 'M-1'), { number: 'M-1', title: 'Very many' }, session);
  const time = new Date(0).toISOString();
  const place = (index: number): string => join(audio, `call ${String(index).padStart(5, '0')}.wav`);
  writeFileSync(place(0), short(0));
  // All of one kind: what intake says of the first holds of the others.
  const looked = { path: place(0), nameBytes: null, found: false, copyTo: null, parse: true };
  const described = await inspectFile(looked, new AbortController().signal);
  if (described === null) throw new Error('intake passed a recording over');
  const items = Array.from({ length: count }, (_, i): NewEvidence => {
    const path = place(i);
    const bytes = short(i);
    writeFileSync(path, bytes);
    return {
      ...{ ...described, name: basename(path), path, nameBytes: null, uploaded: false, copyPath: null },
      ...{ sha256: hash('sha256', bytes), md5: hash('md5', bytes), senderHash: null, modifiedTime: time },
      ...{ receivedAt: '', receivedFrom: '', conditionOnReceipt: '' },
      fingerprint: fileFingerprint(statSync(path, { bigint: true })),
    };
  });
  const ids: number[] = [];
  for (let at = 0; at < count; at += batch) ids.push(...store.evidence.add(items.slice(at, at + batch)));
  const modelSha256 = hash('sha256', 'model');
  const model = { name: 'default', status: 'screening', onnxSha256: modelSha256 };
  const request = { model: null, modelSha256, channel: 'mix' as const, stream: null };
  const { scanId } = store.scans.begin({ ...request, modelName: 'default' }, ids);
  const analysisOf = (evidenceId: number, i: number): NewAnalysis => {
    const score = random.between(-4, 4);
    return {
      ...{ evidenceId, time, stretch: null, label: '', channel: 'mix', stream: 0, modelName: 'default' },
      ...{ modelSha256, modelStatus: 'screening', llr: null, error: null, score, llrInterval: null },
      finding: shown[Math.floor(shown.length * random.uniform())],
      provenance: { application: 'bench', model, backend: 'none', platform: 'none', ffmpeg: null, time },
      ...{ settings: {}, fileSha256: items[i].sha256, audio: items[i].audio, quality: null, timeline: null },
      ...{ durationSeconds: random.between(1, 600), activeSeconds: 2, activeLevelDbfs: -25 },
      reasons: i % 5 === 0 ? [{ code: 'noisy', sentence: 'It is noisy.', blocking: false }] : [],
      windows: [{ startSeconds: 0, endSeconds: 3, score }],
      trackRecord: [],
      thresholds: {
        score: 0,
        inconclusive: null,
        localisation: null,
        localisationStatement: null,
        falseAlarmsPerHour: null,
        falseAlarmsPerHourAtMost: null,
      },
    };
  };
  for (let at = 0; at < count; at += batch) {
    const done = ids.slice(at, at + batch).map((evidenceId, i) => ({
      evidenceId,
      analyses: [analysisOf(evidenceId, at + i)],
    }));
    store.scans.finishItems(scanId, done);
  }
  store.scans.end(scanId, 'done');
  store.close();
  library.close();
}
