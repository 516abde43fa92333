/** Made-up cases and recordings for tests of reports. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Analysis } from '../../../src-common/schemas/analysis.ts';
import type { Evidence } from '../../../src-common/schemas/evidence.ts';
import { applicationRoot } from '../../base/workers.ts';
import { cardSchema } from '../../detector/card.ts';
import { identityOf } from '../../detector/store.ts';
import { overviewOf } from '../../sound/overview.ts';
import { spectrogramPixels } from '../../sound/spectrogram-image.ts';
import { settingsSchema } from '../../../src-common/schemas/settings.ts';
import { stretchesOfResults } from './outcome.ts';
import { reportColourMap, spectrogramSize, waveformColumns } from './figures.ts';
import type { RecordingFigures, ReportItem, ReportModel, ReportSnapshot } from './snapshot.ts';

/** A hash that looks like one. */
export const hashOf = (digit: string): string => digit.repeat(64);

const path = join(applicationRoot(), 'resources', 'models', 'default', 'card.json');
const card = cardSchema.parse(JSON.parse(readFileSync(path, 'utf8')));

/** The card of the model that ships, as a report holds it, with another status. */
function testModel(status: 'screening' | 'validated'): ReportModel {
  const { fileSha256, ...training } = card.training;
  return {
    name: status === 'screening' ? 'default' : 'laboratory',
    onnxSha256: status === 'screening' ? identityOf(card) : hashOf('b'),
    status,
    card: { ...card, status, training: { ...training, files: fileSha256.length } },
  };
}

export function testAnalysis(id: number, evidenceId: number, changes: Partial<Analysis> = {}): Analysis {
  const status = changes.modelStatus ?? 'screening';
  const model = testModel(status);
  const windows = Array.from({ length: 9 }, (_, index) => ({
    startSeconds: index,
    endSeconds: index + 2,
    score: 1.2 * Math.sin(index) - 0.4,
  }));
  return {
    id,
    trackRecord: [],
    evidenceId,
    time: '2026-11-20T10:15:00.000Z',
    stretch: null,
    label: '',
    channel: 'mix',
    stream: 0,
    readAll: false,
    modelName: model.name,
    modelSha256: model.onnxSha256,
    modelStatus: status,
    finding: 'supports spoof',
    score: -0.4123,
    llr: null,
    error: null,
    stale: false,
    resultSha256: hashOf('c'),
    provenance: {
      application: 'earwitness 0.1.0',
      model: { name: model.name, status, onnxSha256: model.onnxSha256 },
      backend: 'onnxruntime-node 1.30.0, CPU',
      platform: 'linux x64, Node 24.21.0',
      ffmpeg: null,
      time: '2026-11-20T10:15:00.000Z',
    },
    settings: {},
    fileSha256: hashOf('d'),
    audio: {
      container: 'wav',
      codec: 'pcm_s16le',
      sampleRateHz: 16000,
      channels: 1,
      bitsPerSample: 16,
      durationSeconds: 10,
      audioStreams: 1,
      stream: 0,
      decoder: 'wav',
      decoderVersion: 'earwitness',
    },
    durationSeconds: 10,
    timeline: null,
    activeSeconds: 9.2,
    activeLevelDbfs: -24.3,
    quality: {
      speechSeconds: 8.1,
      levelDbfs: -26,
      clippedFraction: 0,
      snrDb: 24,
      effectiveBandwidthHz: 7100,
      sharpCutoffHz: null,
      leadingSilenceSeconds: 0.2,
      trailingSilenceSeconds: 0.6,
    },
    reasons: [],
    windows,
    thresholds: {
      score: 0.306,
      inconclusive: [-0.9, 1.1],
      localisation: -1.4,
      localisationStatement: 'They say where to listen, and are no evidence by themselves.',
      falseAlarmsPerHour: 4,
      falseAlarmsPerHourAtMost: 7,
    },
    llrInterval: null,
    ...changes,
  };
}

export function testEvidence(id: number, changes: Partial<Evidence> = {}): Evidence {
  return {
    id,
    name: `call-${id}.wav`,
    path: `/evidence/call-${id}.wav`,
    sizeBytes: 320_044,
    durationSeconds: 10,
    addedAt: '2026-11-19T08:00:00.000Z',
    state: 'unchanged',
    copied: false,
    scan: 'done',
    finding: 'supports spoof',
    score: -0.41,
    llr: null,
    stale: false,
    flags: [],
    alarms: [],
    error: null,
    modelName: 'default',
    stretches: null,
    description: 'A voice message',
    conditionOnReceipt: 'USB stick in a sealed bag, seal intact',
    receivedAt: '2026-11-18T09:30:00.000Z',
    receivedFrom: 'Courier of the customer',
    notes: '',
    sha256: hashOf('d'),
    md5: 'e'.repeat(32),
    senderHash: hashOf('d'),
    senderHashMatches: true,
    originalPath: `/evidence/call-${id}.wav`,
    uploaded: false,
    createdTime: '2026-11-01T12:00:00.000Z',
    modifiedTime: '2026-11-01T12:00:00.000Z',
    metadata: [
      { parser: 'mediainfo.js', track: 'General', name: 'Format', value: 'Wave' },
      { parser: 'ffprobe', track: 'stream 0', name: 'codec_name', value: 'pcm_s16le' },
    ],
    audio: testAnalysis(1, id).audio,
    analyses: [],
    tags: [],
    reviewedAt: null,
    reviewedBy: null,
    knownIn: [],
    marks: [],
    ...changes,
  };
}

/** Figures of ten seconds of a swept tone. */
export async function testFigures(): Promise<RecordingFigures> {
  const sampleRateHz = 16000;
  const samples = Float32Array.from({ length: 10 * sampleRateHz }, (_, index) => {
    const seconds = index / sampleRateHz;
    return 0.6 * Math.abs(Math.sin(seconds)) * Math.sin(2 * Math.PI * (200 + 150 * seconds) * seconds);
  });
  async function* blocks(): AsyncGenerator<Float32Array> {
    yield await Promise.resolve(samples);
  }
  const overview = await overviewOf(blocks(), { sampleRateHz, scale: 'mel', columns: 1200, rows: 128 });
  const { png, ...rest } = spectrogramPixels(overview, { ...spectrogramSize, colourMap: reportColourMap });
  const peaks = Int8Array.from({ length: 2 * waveformColumns }, (_, index) =>
    Math.round((index % 2 === 0 ? -70 : 70) * Math.abs(Math.sin(index / 90))),
  );
  return {
    durationSeconds: 10,
    sampleRateHz,
    stream: 0,
    peaks: Buffer.from(peaks).toString('base64'),
    spectrogram: { ...rest, pngBase64: png.toString('base64') },
  };
}

export function testItem(
  evidence: Evidence,
  analyses: Analysis[],
  figures: RecordingFigures | null = null,
): ReportItem {
  return {
    evidence,
    analyses,
    stretches: stretchesOfResults(analyses),
    figures,
    figuresProblem: figures ? null : 'the recording could not be read when the report was issued.',
    commands: Object.fromEntries(
      analyses.map(({ id }) => [id, `earwitness analyze '${evidence.path}' --model default --json`]),
    ),
  };
}

export function testSnapshot(items: ReportItem[], changes: Partial<ReportSnapshot> = {}): ReportSnapshot {
  const used = new Set(items.flatMap(({ analyses }) => analyses.map(({ modelStatus }) => modelStatus)));
  return {
    format: 1,
    number: '2026-014/1',
    issuedAt: '2026-11-24T03:12:05.000Z',
    application: 'earwitness 0.1.0',
    laboratory: {
      laboratory: 'Laboratory for Forensic Audio',
      laboratoryAddress: '1 Example Street\n1234 Example Town',
      placeOfWork: 'Room 4.12',
      examiner: 'E. Xaminer',
    },
    verbalScale: settingsSchema.parse({}).verbalScale,
    case: {
      id: '3b0f6f0e-2d5a-4c43-9d0c-6a1f0f3c9a11',
      createdAt: '2026-11-18T09:00:00.000Z',
      number: '2026-014',
      title: 'Voice messages to the accountant',
      examiner: 'E. Xaminer',
      customer: 'District Court of Example Town',
      customerContact: 'Ms Clerk, clerk@court.example, +00 123 456',
      question: 'Were the voice messages spoken by a person?',
      propositionBonafide: 'The recorded speech was spoken by a person.',
      propositionSpoof: 'The recorded speech was made or altered by a machine.',
      notes: '',
    },
    request: { authorisedBy: 'A. Uthoriser', method: '', departures: '', opinions: '', amends: null, amendment: '' },
    amended: null,
    head: { rows: 12, hash: hashOf('f') },
    vouched: {
      keys: ['0123-4567-89ab-cdef'],
      anchored: { rows: 10, time: '2026-11-19T12:00:00Z', by: 'A time-stamping authority' },
      counterSigned: [{ name: 'G. Race', role: 'technical reviewer', rows: 11, fingerprint: 'fedc-ba98-7654-3210' }],
    },
    custody: [
      {
        position: 1,
        time: '2026-11-18T09:00:00.000Z',
        actor: 'E. Xaminer',
        action: 'case-created',
        evidenceId: null,
        summary: 'Created the case 2026-014.',
        details: {},
        hash: hashOf('1'),
      },
      {
        position: 2,
        time: '2026-11-19T08:00:00.000Z',
        actor: 'E. Xaminer',
        action: 'evidence-added',
        evidenceId: 1,
        summary: 'Added call-1.wav.',
        details: {},
        hash: hashOf('2'),
      },
    ],
    itemsInCase: items.length,
    models: [...used].map(testModel),
    items,
    inFull: true,
    ...changes,
  };
}
