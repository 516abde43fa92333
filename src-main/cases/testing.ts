import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { UserFacingError } from '../base/errors.ts';
import { Library } from './library.ts';
import { fileFingerprint } from './fingerprint.ts';
import { CaseStore } from './store.ts';
import type { NewAnalysis } from './analyses.ts';
import type { NewEvidence } from './add-evidence.ts';
import type { Session } from './session.ts';

/** A folder for one test. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'earwitness-case-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An installation of its own, for one test. */
export function testSession(home = join(testFolder(), 'home'), actor = 'Ada Examiner'): Session {
  const library = Library.open(home);
  onTestFinished(() => library.close());
  return { library, actor: () => actor, program: 'earwitness 0.0.0' };
}

/** A case in a folder of its own. */
export function testCase(session = testSession()): { store: CaseStore; session: Session; folder: string } {
  const folder = join(testFolder(), 'case');
  const store = CaseStore.create(folder, { number: '2026/1', title: 'A call' }, session);
  onTestFinished(() => store.close());
  return { store, session, folder };
}

/** A file as intake would have found it. */
export function evidenceFor(path: string, changes: Partial<NewEvidence> = {}): NewEvidence {
  const bytes = readFileSync(path);
  return {
    name: path.slice(path.lastIndexOf('/') + 1),
    path,
    nameBytes: null,
    uploaded: false,
    copyPath: null,
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    md5: createHash('md5').update(bytes).digest('hex'),
    senderHash: null,
    createdTime: '2026-01-01T00:00:00.000Z',
    modifiedTime: '2026-01-01T00:00:00.000Z',
    receivedAt: '',
    receivedFrom: '',
    conditionOnReceipt: '',
    metadata: [{ parser: 'a test', track: 'General', name: 'Format', value: 'Wave' }],
    audio: null,
    fingerprint: fileFingerprint(statSync(path, { bigint: true })),
    ...changes,
  };
}

/** Files with content of their own, taken into a case in place. */
export function addFiles(store: CaseStore, count: number): { ids: number[]; paths: string[] } {
  const folder = join(store.folder, '..', 'audio');
  mkdirSync(folder, { recursive: true });
  const paths = Array.from({ length: count }, (_, index) => {
    const path = join(folder, `voice-${index}.wav`);
    writeFileSync(path, `recording ${index}`);
    return path;
  });
  return { ids: store.evidence.add(paths.map((path) => evidenceFor(path))), paths };
}

/** A result of the whole recording. */
export function analysisFor(store: CaseStore, evidenceId: number, changes: Partial<NewAnalysis> = {}): NewAnalysis {
  const model = { name: 'a model', status: 'screening', onnxSha256: 'b'.repeat(64) };
  return {
    evidenceId,
    time: '2026-01-02T00:00:00.000Z',
    stretch: null,
    label: '',
    channel: 'mix',
    stream: 0,
    modelName: model.name,
    modelSha256: model.onnxSha256,
    modelStatus: 'screening',
    finding: 'supports spoof',
    score: -1.5,
    llr: null,
    error: null,
    provenance: {
      application: 'earwitness 0.0.0',
      model,
      backend: 'a test',
      platform: 'a test',
      ffmpeg: null,
      time: '2026-01-02T00:00:00.000Z',
    },
    settings: { channels: 'mix' },
    fileSha256: store.evidence.intake(evidenceId).sha256,
    audio: null,
    durationSeconds: 3,
    timeline: null,
    activeSeconds: 2,
    activeLevelDbfs: -25,
    quality: null,
    reasons: [],
    trackRecord: [],
    windows: [{ startSeconds: 0, endSeconds: 3, score: -1.5 }],
    thresholds: {
      score: 0,
      inconclusive: null,
      localisation: null,
      localisationStatement: null,
      falseAlarmsPerHour: null,
      falseAlarmsPerHourAtMost: null,
    },
    llrInterval: null,
    ...changes,
  };
}

/** What a call throws. */
export function thrown(use: () => unknown): UserFacingError {
  try {
    use();
  } catch (error) {
    return error as UserFacingError;
  }
  throw new Error('nothing was thrown');
}
