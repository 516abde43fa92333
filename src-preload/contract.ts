/**
 * The contract between the window and the engine: what may be asked (oRPC procedures) and what the answers look like
 * (Zod schemas). The only module that both sides import; everything that crosses is checked against it on the engine's side.
 *
 * Times are ISO 8601 in UTC. `score` is a model's raw output, high for bona fide; `llr` the natural logarithm of the likelihood
 * ratio, bona fide over spoof. Long calls answer with an event stream or with a job; what a job does is watched by `jobs.watch`.
 */
import { eventIterator, oc } from '@orpc/contract';
import type { InferContractRouterInputs, InferContractRouterOutputs } from '@orpc/contract';
import { z } from 'zod';
import { sha256Schema as sha256 } from '../src-common/hashes.ts';
import { alarms } from '../src-common/alarms.ts';
import { findingRecordSchema } from '../src-common/finding-record.ts';
import { findings } from '../src-common/findings.ts';

const time = z.string();
const seconds = z.number().nonnegative();
const caseId = z.uuid();
const evidenceId = z.int().positive();
const text = z.string().max(100_000);
const name = z.string().trim().min(1).max(500);
const path = z.string().min(1).max(32_768);
/** Of a key, as a person writes it down. */
const fingerprint = z.string().trim().min(1).max(200);
const tone = z.enum(['info', 'warning']);

/** Errors that a person can cause or mend, as every procedure may answer with; anything else is a bug (`internal`). */
export const userErrorSchema = z.object({
  /** A short stable word: `case-busy`, `newer-version`, `not-found`, `changed`, `disk-full` … */
  code: z.string(),
  message: z.string(),
  path: z.string().optional(),
  advice: z.string().optional(),
});
export type UserError = z.infer<typeof userErrorSchema>;

const procedure = oc.errors({ USER: { status: 422, data: userErrorSchema } });

// ---------------------------------------------------------------------------------------------------------------------------
// Results

export const findingSchema = z.enum(findings);

const reasonSchema = z.object({ code: z.string(), sentence: z.string(), blocking: z.boolean() });

const audioSchema = z.object({
  container: z.string(),
  codec: z.string(),
  sampleRateHz: z.number(),
  channels: z.int(),
  bitsPerSample: z.number().nullable(),
  durationSeconds: z.number().nullable(),
  audioStreams: z.int(),
  stream: z.int(),
  decoder: z.enum(['wav', 'pcm', 'flac', 'ffmpeg']),
  decoderVersion: z.string(),
  /** What confined a decoder that is a program of its own; absent in results made before this was reported. */
  heldBy: z.array(z.enum(['bubblewrap', 'no-new-privileges', 'limits', 'watched'])).optional(),
  /** Of an item: codes of the reasons that its headers gave at intake, before it was scanned; absent where they gave none. */
  told: z.array(z.string()).optional(),
});

export const qualitySchema = z.object({
  speechSeconds: z.number().nullable(),
  levelDbfs: z.number().nullable(),
  clippedFraction: z.number(),
  snrDb: z.number().nullable(),
  effectiveBandwidthHz: z.number().nullable(),
  sharpCutoffHz: z.number().nullable(),
  leadingSilenceSeconds: z.number(),
  trailingSilenceSeconds: z.number(),
});
export type Quality = z.infer<typeof qualitySchema>;

const channelSchema = z.union([z.literal(['mix', 'left', 'right']), z.int().positive()]);

/** Which part of a recording an analysis looked at. */
export const stretchSchema = z.object({ startSeconds: seconds, endSeconds: seconds });
export type Stretch = z.infer<typeof stretchSchema>;

const windowScoreSchema = z.object({
  startSeconds: z.number(),
  endSeconds: z.number(),
  score: z.number(),
  /** Of the window, in short gaps; absent where nothing is missing. */
  missingShare: z.number().optional(),
});

const gapSchema = z.object({ fromSeconds: z.number(), toSeconds: z.number() });

/** Where the sound of a recording lies in its time, by the file's own timestamps. */
const timelineSchema = z.object({
  startSeconds: z.number(),
  /** The first thousand. */
  gaps: z.array(gapSchema),
  /** How many there are; absent where all are listed. */
  gapCount: z.int().optional(),
  overlapSeconds: z.number(),
  uncertainFromSeconds: z.number().nullable(),
});

/** What made a result: enough to make it again. */
export const provenanceSchema = z.object({
  application: z.string(),
  model: z.object({ name: z.string(), status: z.string(), onnxSha256: sha256 }),
  backend: z.string(),
  platform: z.string(),
  ffmpeg: z.object({ version: z.string(), sha256: sha256 }).nullable().default(null),
  time,
});
export type Provenance = z.infer<typeof provenanceSchema>;

/** An analysis as the store keeps it, without its windows. */
export const analysisSummarySchema = z.object({
  id: z.int().positive(),
  evidenceId,
  time,
  /** Null: the whole recording. */
  stretch: stretchSchema.nullable(),
  label: z.string(),
  channel: channelSchema,
  stream: z.int(),
  /** Of the recording with the sound that its file's headers do not count in; times are of that reading. */
  readAll: z.boolean().default(false),
  modelName: z.string(),
  modelSha256: sha256,
  modelStatus: z.enum(['screening', 'validated']),
  finding: findingSchema.nullable(),
  score: z.number().nullable(),
  /** Null for a `screening` model and where not assessable. */
  llr: z.number().nullable(),
  error: userErrorSchema.nullable(),
  /** The file is not what it was when this was made. */
  stale: z.boolean(),
  /** SHA-256 of the stored result, as the custody log has it. */
  resultSha256: sha256,
});
export type AnalysisSummary = z.infer<typeof analysisSummarySchema>;

/** An analysis with everything: what `result` in the store holds. */
export const analysisSchema = analysisSummarySchema.extend({
  provenance: provenanceSchema,
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  fileSha256: sha256.nullable(),
  audio: audioSchema.nullable(),
  durationSeconds: z.number().nullable(),
  /** Null for a stretch, and in results made before it was kept. */
  timeline: timelineSchema.nullable().default(null),
  activeSeconds: z.number().nullable(),
  activeLevelDbfs: z.number().nullable(),
  quality: qualitySchema.nullable(),
  reasons: z.array(reasonSchema),
  /** How often such findings were right where the model was measured: sentences, of its card when this was made. */
  trackRecord: z.array(z.string()).default([]),
  /** Uncalibrated. */
  windows: z.array(windowScoreSchema),
  /** Of the model: at or above `score` counts as bona fide; window scores below `localisation` are pointed out. */
  thresholds: z.object({
    score: z.number(),
    /** Scores between which a finding is inconclusive; null where the model has none. */
    inconclusive: z.tuple([z.number(), z.number()]).nullable(),
    localisation: z.number().nullable(),
    localisationStatement: z.string().nullable(),
  }),
  /** 95 % interval of the llr where the model's status and validation allow one. */
  llrInterval: z.tuple([z.number(), z.number()]).nullable(),
});
export type Analysis = z.infer<typeof analysisSchema>;

// ---------------------------------------------------------------------------------------------------------------------------
// Cases

export const caseStateSchema = z.enum(['open', 'closed', 'archived']);

export const caseDetailsSchema = z.object({
  number: name,
  title: name,
  examiner: text,
  customer: text,
  customerContact: text,
  /** What the customer asks. */
  question: text,
  /** The two propositions that the findings are weighed under. */
  propositionBonafide: text,
  propositionSpoof: text,
  notes: text,
});
export type CaseDetails = z.infer<typeof caseDetailsSchema>;

export const caseSummarySchema = caseDetailsSchema.extend({
  id: caseId,
  folder: path,
  state: caseStateSchema,
  createdAt: time,
  openedAt: time.nullable(),
  items: z.int(),
  analysed: z.int(),
  /** The folder cannot be read now (a drive that is not there, a damaged database). */
  problem: userErrorSchema.nullable(),
});
export type CaseSummary = z.infer<typeof caseSummarySchema>;

export const custodyHeadSchema = z.object({ rows: z.int(), hash: sha256 });
export type CustodyHead = z.infer<typeof custodyHeadSchema>;

export const caseViewSchema = caseSummarySchema.extend({
  head: custodyHeadSchema,
  counts: z.object({
    bonafide: z.int(),
    spoof: z.int(),
    looksBonafide: z.int(),
    looksSpoof: z.int(),
    inconclusive: z.int(),
    notAssessable: z.int(),
    failed: z.int(),
    notScanned: z.int(),
    changed: z.int(),
    /** Never scanned, and still what was taken in: what a scan of what is new takes up. */
    fresh: z.int(),
    /** With an alarm of any kind. */
    flagged: z.int(),
  }),
});
export type CaseView = z.infer<typeof caseViewSchema>;

export const custodyRowSchema = z.object({
  position: z.int().positive(),
  time,
  actor: z.string(),
  /** `case-created`, `opened`, `evidence-added`, `scanned`, `examined`, `exported`, `report-issued`, `deleted` … */
  action: z.string(),
  evidenceId: evidenceId.nullable(),
  /** One plain sentence. */
  summary: z.string(),
  details: z.record(z.string(), z.unknown()),
  hash: sha256,
});
export type CustodyRow = z.infer<typeof custodyRowSchema>;

/** Who went on with a case elsewhere, and with which rows: for a person to accept or not. */
export const continuationSchema = z.object({
  number: z.string(),
  /** Of the key that signed the head. */
  fingerprint: z.string(),
  /** Rows of the log that this installation has seen, and all. */
  seen: z.int(),
  rows: z.int(),
  /** The latest that it has not seen, the latest first. */
  since: z.array(custodyRowSchema),
});
export type Continuation = z.infer<typeof continuationSchema>;

export const verificationSchema = z.object({
  /** Both verdicts: the case is whole, and whose signature it bears is known. */
  intact: z.boolean(),
  /** Whether log, files, results and reports are what they were. */
  integrity: z.boolean(),
  /**
   * Whose signature the head bears: `known` here (this installation's among them), `unknown` here, `replaced`: by another key than this
   * case was signed with so far, or than was expected; `unsigned` where no signature holds.
   */
  signer: z.object({
    verdict: z.enum(['known', 'unknown', 'replaced', 'unsigned']),
    /** Of the key, in short. */
    fingerprint: z.string().nullable(),
    sentence: z.string(),
  }),
  time,
  head: custodyHeadSchema,
  /** Each thing that was checked, whether it holds, and what is wrong where it does not. */
  checks: z.array(
    z.object({
      subject: z.enum(['chain', 'signature', 'head', 'evidence', 'result', 'report', 'database', 'time']),
      name: z.string(),
      holds: z.boolean(),
      /** True where it holds, and is to be known all the same. */
      remark: z.boolean().optional(),
      sentence: z.string(),
    }),
  ),
});
export type Verification = z.infer<typeof verificationSchema>;

// ---------------------------------------------------------------------------------------------------------------------------
// Evidence

/** `unchanged` since intake; `changed`, `missing`, or `unreadable` now; `unchecked`: not looked at since the case was opened. */
export const evidenceStateSchema = z.enum(['unchanged', 'changed', 'missing', 'unreadable', 'unchecked']);

/** What a table's row shows. */
export const evidenceRowSchema = z.object({
  id: evidenceId,
  name: z.string(),
  path,
  sizeBytes: z.int().nonnegative(),
  durationSeconds: z.number().nullable(),
  addedAt: time,
  state: evidenceStateSchema,
  copied: z.boolean(),
  scan: z.enum(['none', 'queued', 'running', 'done', 'failed']),
  /** Of the latest analysis of the whole recording. */
  finding: findingSchema.nullable(),
  score: z.number().nullable(),
  llr: z.number().nullable(),
  stale: z.boolean(),
  /** Codes of reasons and quality flags: `clipped`, `noisy`, `narrow-band`, `little-speech`, `truncated` … */
  flags: z.array(z.string()),
  /** What must not pass unseen, the gravest first. (Reports that were issued earlier lack it.) */
  alarms: z.array(z.enum(alarms)),
  error: z.string().nullable(),
  modelName: z.string().nullable(),
});
export type EvidenceRow = z.infer<typeof evidenceRowSchema>;

/** One line of container or codec data, as a parser gives it. */
const metadataSchema = z.object({ parser: z.string(), track: z.string(), name: z.string(), value: z.string() });

export const markSchema = z.object({
  id: z.int().positive(),
  startSeconds: seconds,
  /** Null: a point. */
  endSeconds: seconds.nullable(),
  text,
  inReport: z.boolean(),
  createdAt: time,
  /** Its times are those of the recording with the sound that its file's headers do not count in. */
  readAll: z.boolean().default(false),
});
const newMarkSchema = markSchema.omit({ id: true, createdAt: true });
export type Mark = z.infer<typeof markSchema>;

export const evidenceSchema = evidenceRowSchema.extend({
  description: text,
  conditionOnReceipt: text,
  receivedAt: z.string(),
  receivedFrom: text,
  notes: text,
  sha256,
  md5: z.string().regex(/^[0-9a-f]{32}$/),
  /** As the sender gave it, SHA-256 or MD5; compared at intake. */
  senderHash: z.string().nullable(),
  senderHashMatches: z.boolean().nullable(),
  /** Null for an upload: the original's are unknown. */
  originalPath: z.string().nullable(),
  uploaded: z.boolean(),
  createdTime: time.nullable(),
  modifiedTime: time.nullable(),
  metadata: z.array(metadataSchema),
  audio: audioSchema.nullable(),
  analyses: z.array(analysisSummarySchema),
  marks: z.array(markSchema),
});
export type Evidence = z.infer<typeof evidenceSchema>;

export const evidenceOrderSchema = z.object({
  by: z.enum(['id', 'name', 'finding', 'score', 'llr', 'duration', 'added', 'size', 'flags', 'alarms']),
  descending: z.boolean(),
});

export const evidenceQuerySchema = z.object({
  caseId,
  /** Matches name, finding, flags and alarms. */
  filter: z.string().max(1000).default(''),
  findings: z.array(z.enum([...findingSchema.options, 'none', 'failed', 'flagged'])).default([]),
  order: evidenceOrderSchema.default({ by: 'id', descending: false }),
  offset: z.int().nonnegative().default(0),
  limit: z.int().positive().max(1000).default(200),
});

export const intakeSchema = z.object({
  caseId,
  /** Files and folders on the engine's machine. */
  paths: z.array(path).min(1).max(100_000),
  recursive: z.boolean().default(true),
  /** Copy into the case; else in place. */
  copy: z.boolean().default(false),
  conditionOnReceipt: text.default(''),
  receivedAt: z.string().default(''),
  receivedFrom: text.default(''),
  /** SHA-256 or MD5 by file name, as the sender gave them. */
  senderHashes: z.record(z.string(), z.string()).default({}),
});

// ---------------------------------------------------------------------------------------------------------------------------
// Jobs: everything long that outlives a call

export const jobKindSchema = z.enum([
  'intake',
  'scan',
  'train',
  'evaluate',
  'inspect',
  'verify',
  'export',
  'import',
  'report',
  'prepare',
]);

export const jobSchema = z.object({
  id: z.string(),
  kind: jobKindSchema,
  title: z.string(),
  caseId: caseId.nullable(),
  state: z.enum(['queued', 'running', 'paused', 'done', 'failed', 'cancelled']),
  /** What it is doing now, as a phrase. */
  doing: z.string(),
  done: z.number(),
  /** Null while it is not known. */
  total: z.number().nullable(),
  unit: z.string(),
  ratePerSecond: z.number().nullable(),
  secondsLeft: z.number().nullable(),
  /** Items that failed; named in `problems`, the first hundred. */
  failed: z.int(),
  problems: z.array(z.object({ subject: z.string(), message: z.string() })).max(100),
  canPause: z.boolean(),
  error: userErrorSchema.nullable(),
  startedAt: time,
  endedAt: time.nullable(),
  /** What came of it: the id of an evaluation, a path, a report's number. */
  result: z.record(z.string(), z.unknown()).nullable(),
});
export type Job = z.infer<typeof jobSchema>;

const jobStarted = z.object({ jobId: z.string() });

/** What has changed, so that a view can ask anew. At most ten a second of each. */
export const changeSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('engine'),
    /** When this engine began; another one than before means that it was restarted. */
    startedAt: time,
    /** True where it goes on after a crash of the one before. */
    recovered: z.boolean(),
  }),
  z.object({ type: z.literal('job'), job: jobSchema }),
  z.object({ type: z.literal('cases') }),
  /** `rows`: evidence that changed; null: any. */
  z.object({ type: z.literal('evidence'), caseId, rows: z.array(evidenceRowSchema).nullable() }),
  z.object({ type: z.literal('head'), caseId, head: custodyHeadSchema }),
  z.object({ type: z.literal('models') }),
  z.object({ type: z.literal('settings') }),
  z.object({ type: z.literal('training'), jobId: z.string() }),
  z.object({ type: z.literal('notice'), tone, sentence: z.string() }),
]);
export type Change = z.infer<typeof changeSchema>;

// ---------------------------------------------------------------------------------------------------------------------------
// Sound for the Examine view. Bytes come from addresses (see `resources` below), never in messages.

export const soundSchema = z.object({
  durationSeconds: z.number(),
  /** Where nothing is: before the sound begins, and where it is missing; from where on times are uncertain. */
  timeline: z.object({
    startSeconds: z.number(),
    gaps: z.array(gapSchema),
    uncertainFromSeconds: z.number().nullable(),
  }),
  sampleRateHz: z.number(),
  channels: z.int(),
  /** Peaks of the mix: levels of halving resolution, finest first; each a resource of interleaved Float32 min, max. */
  peaks: z.array(z.object({ samplesPerPeak: z.int(), count: z.int() })),
  /** Tiles of the spectrogram: levels of halving resolution, finest first; each tile a resource of Uint8 [bins][columns]. */
  spectrogram: z.object({
    columnsPerTile: z.int(),
    bins: z.int(),
    maxHz: z.number(),
    /** Byte 0 and 255 stand for these. */
    floorDb: z.number(),
    ceilingDb: z.number(),
    levels: z.array(z.object({ secondsPerColumn: z.number(), tiles: z.int() })),
  }),
});
export type Sound = z.infer<typeof soundSchema>;

/** Whose sound a resource is of, and in which reading of its file. */
export interface SoundOf {
  caseId: string;
  evidenceId: number;
  readAll?: boolean;
}

/**
 * Addresses of bytes, relative to the host's resource root (`/resources/` in the browser, `earwitness://resources/` in Electron):
 * `sound/CASE/EVIDENCE/peaks/LEVEL?from=N&count=N`, `sound/CASE/EVIDENCE/spectrogram/LEVEL/TILE?scale=mel|linear&top=HZ`,
 * `sound/CASE/EVIDENCE/audio.wav` (with Range), `spectrogram/CASE/EVIDENCE.png?from=S&to=S&scale=…&top=HZ&map=…&floor=DB&ceiling=DB`,
 * `file/TOKEN` (a finished export, once). `all=1` with any of an item: of its sound as prepared with `readAll`.
 */
export const resources = {
  peaks: ({ caseId, evidenceId, readAll }: SoundOf, level: number, from: number, count: number): string =>
    `sound/${caseId}/${evidenceId}/peaks/${level}?from=${from}&count=${count}${readAll ? '&all=1' : ''}`,
  tile: (
    { caseId, evidenceId, readAll }: SoundOf,
    level: number,
    tile: number,
    axis: { scale: 'mel' | 'linear'; topHz: number },
  ): string =>
    `sound/${caseId}/${evidenceId}/spectrogram/${level}/${tile}?scale=${axis.scale}&top=${axis.topHz}${readAll ? '&all=1' : ''}`,
  audio: ({ caseId, evidenceId, readAll }: SoundOf): string =>
    `sound/${caseId}/${evidenceId}/audio.wav${readAll ? '?all=1' : ''}`,
  image: ({ caseId, evidenceId, readAll }: SoundOf, query: Record<string, string>): string =>
    `spectrogram/${caseId}/${evidenceId}.png?${new URLSearchParams({ ...query, ...(readAll ? { all: '1' } : {}) })}`,
  file: (token: string): string => `file/${token}`,
};

/** In the browser workstation, POST with a file's bytes to this path of the host stores an upload and answers `uploadSchema`. */
export const uploadAddress = (fileName: string): string => `/upload?${new URLSearchParams({ name: fileName })}`;
export const uploadSchema = z.object({ path });

const saliencySubjectSchema = z.object({
  method: z.enum(['occlusion', 'grad-cam']),
  /** A member's name; null for the model's score. */
  member: z.string().nullable(),
});
export type SaliencySubject = z.infer<typeof saliencySubjectSchema>;

/** By how much more the regions of a map move the score than others of the same size, with a 95 % interval. */
const advantageSchema = z.object({ mean: z.number(), interval: z.tuple([z.number(), z.number()]) });

/** Which parts of the sound a score rests on. No evidence: `caution` says so wherever a map is shown. */
export const saliencySchema = saliencySubjectSchema.extend({
  analysisId: z.int(),
  /** Whose score is explained: the model's, or its companion's that spoke. */
  modelName: z.string(),
  score: z.number(),
  /** Edges of the bands, one more than there are, from the lowest. */
  edgesHz: z.array(z.number()),
  /** Null where the map does no better than chance, which `statement` says. */
  columns: z
    .array(
      z.object({
        startSeconds: z.number(),
        endSeconds: z.number(),
        /** For each band: above zero speaks for bona fide; by how much the score falls without it (of Grad-CAM in no unit). */
        cells: z.array(z.number()),
        strip: z.number().nullable(),
      }),
    )
    .nullable(),
  /** The test of the map on this recording. */
  faithfulness: z.object({ deletion: advantageSchema, insertion: advantageSchema, both: advantageSchema }),
  statement: z.string(),
  caution: z.string(),
});
export type Saliency = z.infer<typeof saliencySchema>;

// ---------------------------------------------------------------------------------------------------------------------------
// Models, datasets, training, evaluation

const figuresSchema = z.object({
  dataset: z.string(),
  split: z.string(),
  bonafide: z.int(),
  spoof: z.int(),
  eer: z.number(),
  auc: z.number(),
  averagePrecisionBonafide: z.number(),
  averagePrecisionSpoof: z.number(),
  accuracy: z.number(),
  cllrBits: z.number(),
  minCllrBits: z.number(),
});

export const modelSummarySchema = z.object({
  /** Folder name in the data folder, or `default` or `fast` for those that ship. */
  id: z.string(),
  name: z.string(),
  status: z.enum(['screening', 'validated']),
  createdAt: time,
  network: z.string(),
  frontEnd: z.string(),
  onnxSha256: sha256,
  isDefault: z.boolean(),
  ships: z.boolean(),
  devEer: z.number().nullable(),
  testEer: z.number().nullable(),
  problem: userErrorSchema.nullable(),
  /** Why another model speaks in its place, as a sentence; null where it speaks itself. */
  otherSpeaks: z.string().nullable(),
});
export type ModelSummary = z.infer<typeof modelSummarySchema>;

export const modelSchema = modelSummarySchema.extend({
  folder: path,
  figures: z.array(figuresSchema),
  /** How often its findings were right, by split. */
  records: z.array(findingRecordSchema),
  notes: z.array(z.string()),
  /** Models that speak in its place of recordings of a condition, which `condition` says in words: "recordings …". */
  companions: z.array(
    z.object({
      name: z.string(),
      sha256,
      condition: z.string(),
      figures: z.array(figuresSchema),
      records: z.array(findingRecordSchema),
    }),
  ),
  /** The whole card, as it lies on disk. */
  card: z.record(z.string(), z.unknown()),
});
export type Model = z.infer<typeof modelSchema>;

export const datasetReportSchema = z.object({
  spec: z.string(),
  layout: z.string(),
  files: z.int(),
  bonafide: z.int(),
  spoof: z.int(),
  totalSeconds: z.number().nullable(),
  splits: z.array(
    z.object({
      split: z.string().nullable(),
      label: z.enum(['bonafide', 'spoof']),
      files: z.int(),
      speakers: z.int().nullable(),
      sources: z.int().nullable(),
      generators: z.int().nullable(),
    }),
  ),
  generators: z.array(z.object({ value: z.string().nullable(), files: z.int() })),
  sources: z.array(z.object({ value: z.string().nullable(), files: z.int() })),
  /** Plain sentences, the gravest first. */
  warnings: z.array(z.string()),
  shortcuts: z.array(
    z.object({ split: z.string().nullable(), property: z.string(), auc: z.number(), sentence: z.string() }),
  ),
  notes: z.array(z.string()),
  problems: z.array(z.object({ path: z.string(), reason: z.string() })),
});
export type DatasetReport = z.infer<typeof datasetReportSchema>;

export const backendNameSchema = z.enum(['auto', 'tensorflow', 'webgpu', 'wasm', 'cpu']);

export const trainingRequestSchema = z.object({
  /** As `earwitness train --dataset`: `asvspoof2019:DIR`, several joined by `+`. */
  dataset: z.string().min(1).max(10_000),
  bonafide: z.string().max(10_000).optional(),
  name,
  /** Where no members are named. */
  network: z.enum(['residual', 'mel-cnn']).default('residual'),
  /** Members of a model of several, as `earwitness train --members`: see `training.members`. */
  members: z.array(z.string().min(1).max(100)).min(1).max(20).optional(),
  /** Copies of the recordings that heads of encoders learn from, too: a spec. */
  copies: z.string().min(1).max(10_000).optional(),
  /** What of sound it is made for. */
  band: z.enum(['full', 'telephone']).default('full'),
  /** As suits the network where not given; so with what training takes below. */
  frontEnd: z.enum(['mel', 'linear', 'lfcc']).optional(),
  /** `auto`: as suits the network. */
  augmentation: z.enum(['auto', 'full', 'channel', 'light', 'masked', 'none']).default('auto'),
  backend: backendNameSchema.default('auto'),
  epochs: z.int().min(1).max(1000).optional(),
  batchSize: z.int().min(2).max(1024).multipleOf(2).default(32),
  learningRate: z.number().positive().max(1).optional(),
  patience: z.int().min(1).max(1000).default(8),
  seed: z.int().nonnegative().default(1),
  /** Folds of sources whose out-of-fold scores calibrate it; null: the dev split does. */
  folds: z.int().min(2).max(100).nullable().default(null),
  /** Findings may be wrong in at most this share of recordings of either class. */
  maximumErrorRate: z.number().gt(0).lt(0.5).default(0.05),
  /** Id of a model to train on from. */
  from: z.string().optional(),
  notes: z.array(text).default([]),
});
export type TrainingRequest = z.infer<typeof trainingRequestSchema>;

/** A member in training, the network of a model of one among them; its curves are of the fold at work. */
export const trainingMemberSchema = z.object({
  name: z.string(),
  kind: z.enum(['network', 'encoder']),
  /** Epochs that a network takes, or takes at most; null of an encoder. */
  planned: z.int().nullable(),
  /** Whether folds make it, too: of several seeds of a network they make the first. */
  inFolds: z.boolean(),
  state: z.enum(['waiting', 'running', 'done']),
  /** Recordings that an encoder has looked at; null where none was to be looked at. */
  embedded: z.object({ done: z.int(), total: z.int() }).nullable(),
  /** Loss of single steps, thinned to at most 2,000. */
  steps: z.array(z.object({ epoch: z.number(), loss: z.number() })),
  epochs: z.array(
    z.object({ epoch: z.int(), loss: z.number(), devEer: z.number(), devAuc: z.number(), best: z.boolean() }),
  ),
  /** Its weight in the joined model, and what it makes of dev by itself; null until then, and of one alone. */
  joined: z.object({ weight: z.number(), eer: z.number(), auc: z.number() }).nullable(),
});
export type TrainingMember = z.infer<typeof trainingMemberSchema>;

export const trainingSchema = z.object({
  jobId: z.string(),
  request: trainingRequestSchema,
  startedAt: time,
  state: jobSchema.shape.state,
  backend: z.object({ name: z.string(), device: z.string(), reason: z.string() }).nullable(),
  counts: z.object({ train: z.int(), dev: z.int(), test: z.int() }).nullable(),
  /** In the order in which they are made; none until that is known. */
  members: z.array(trainingMemberSchema),
  /** The fold at work, from 1; 0: what is kept. */
  fold: z.int(),
  folds: z.int(),
  clipsPerSecond: z.number().nullable(),
  secondsLeft: z.number().nullable(),
  messages: z.array(z.string()),
  modelId: z.string().nullable(),
  error: userErrorSchema.nullable(),
});
export type Training = z.infer<typeof trainingSchema>;

const interval = z.tuple([z.number(), z.number()]).nullable();
const curve = z.array(z.tuple([z.number(), z.number()]));
const band = z.array(z.tuple([z.number(), z.number(), z.number()]));

/** One model's results on one split. Curves are thinned to what a plot can show; rates are fractions. */
export const evaluationResultSchema = z.object({
  modelId: z.string(),
  modelName: z.string(),
  modelSha256: sha256,
  bonafide: z.int(),
  spoof: z.int(),
  withoutScore: z.int(),
  /** What is said where companions of the model spoke of some recordings; then scores are natural-log likelihood ratios. */
  companionSentence: z.string().nullable().optional(),
  /** How often the findings were right; null in evaluations of an older version. */
  findings: findingRecordSchema.nullable().default(null),
  /** Name, value and 95 % interval of every figure: `eer`, `auc`, `cllrBits`, `minDcf` … */
  figures: z.array(z.object({ name: z.string(), label: z.string(), value: z.number(), unit: z.string(), interval })),
  /** False-accept rate of spoofs against hit rate of bona fide. */
  roc: curve,
  precisionRecall: curve,
  /** False-accept rate, miss rate; to be drawn on probit axes. */
  det: curve,
  /** Bands: x, low, high. */
  rocBand: band,
  detBand: band,
  precisionBand: band,
  calibration: z.array(
    z.object({
      from: z.number(),
      to: z.number(),
      bonafide: z.int(),
      spoof: z.int(),
      meanProbability: z.number().nullable(),
      bonafideShare: z.number().nullable(),
      interval,
    }),
  ),
  /** log10 LR against the share of trials whose LR is larger. */
  tippett: z.object({ bonafide: curve, spoof: curve }),
  /** Histograms over equal bins of the score. */
  histogram: z.object({ from: z.number(), to: z.number(), bonafide: z.array(z.int()), spoof: z.array(z.int()) }),
  /** Sorted scores, thinned evenly to at most 4,000 of each class, for the confusion matrix at any threshold. */
  scores: z.object({ bonafide: z.array(z.number()), spoof: z.array(z.number()) }),
  threshold: z.number(),
  eerThreshold: z.number(),
  generators: z.array(
    z.object({
      generator: z.string(),
      spoofs: z.int(),
      /** How many of them the model's threshold takes for bona fide; what was measured earlier does not say. */
      accepted: z.int().optional(),
      /** Too few independent recordings for a rate with an interval: the counts are shown. */
      tooFew: z.boolean().optional(),
      eer: z.number(),
      interval,
      auc: z.number(),
      sameSourceEer: z.number().nullable(),
      sameSourceTooFew: z.boolean().optional(),
      sameSourceInterval: interval,
    }),
  ),
});
export type EvaluationResult = z.infer<typeof evaluationResultSchema>;

/** One way in which recordings get worse, that a model can be measured through. */
export const degradationSchema = z.object({
  name: z.string(),
  label: z.string(),
  /** Those of one family differ in strength: `value`, in `unit`. */
  family: z.string(),
  value: z.number(),
  unit: z.string(),
  /** One of the ten that a model is to stand. */
  isChannel: z.boolean(),
  /** Why it cannot be had on this machine (a codec without an encoder); else null. */
  missing: z.string().nullable(),
});
export type Degradation = z.infer<typeof degradationSchema>;

/** A model through one degradation; the first row of a measurement, `as-is`, is of the recordings as they are. Rates are fractions. */
export const robustnessRowSchema = degradationSchema.pick({ name: true, label: true }).extend({
  family: z.string().nullable(),
  value: z.number().nullable(),
  unit: z.string().nullable(),
  /** Program that coded; null where none did. */
  encoder: z.string().nullable(),
  /** Why it was not measured. */
  skipped: z.string().nullable(),
  figures: z
    .object({
      recordings: z.int(),
      /** With a score, whatever the finding. */
      scored: z.int(),
      failed: z.int(),
      /** Of which a companion of the model spoke. */
      byCompanion: z.int(),
      /** Of all scores, also of recordings that are not assessable. */
      eer: z.number().nullable(),
      eerInterval: interval,
      cllrBits: z.number().nullable(),
      /** What the degradation costs in EER, of recordings scored both ways. */
      paired: z.object({ recordings: z.int(), difference: z.number(), interval }).nullable(),
      /** With a finding for either class, of all recordings. */
      decidedShare: z.number(),
      notAssessableShare: z.number(),
    })
    .nullable(),
});
export type RobustnessRow = z.infer<typeof robustnessRowSchema>;

export const robustnessResultSchema = z.object({
  modelId: z.string(),
  modelName: z.string(),
  modelSha256: sha256,
  bonafide: z.int(),
  spoof: z.int(),
  /** Of all those of the split, where only some were drawn. */
  outOf: z.int(),
  seed: z.int(),
  /** What is said where companions of the model spoke of some recordings. */
  companionNote: z.string().nullable(),
  rows: z.array(robustnessRowSchema).min(1),
});
export type RobustnessResult = z.infer<typeof robustnessResultSchema>;

const evaluationKind = {
  /** Of models, side by side, on recordings as they are. */
  figures: z.literal('figures'),
  /** Of one model, through degradations. */
  robustness: z.literal('robustness'),
};

export const evaluationSummarySchema = z.object({
  id: z.string(),
  /** What was measured before there were kinds is of the first. */
  kind: z.union(Object.values(evaluationKind)).default('figures'),
  createdAt: time,
  dataset: z.string(),
  split: z.string(),
  models: z.array(z.string()),
});
export type EvaluationSummary = z.infer<typeof evaluationSummarySchema>;

export const evaluationSchema = evaluationSummarySchema.extend({
  kind: evaluationKind.figures,
  results: z.array(evaluationResultSchema),
});
export type Evaluation = z.infer<typeof evaluationSchema>;

export const robustnessEvaluationSchema = evaluationSummarySchema.extend({
  kind: evaluationKind.robustness,
  result: robustnessResultSchema,
});
export type RobustnessEvaluation = z.infer<typeof robustnessEvaluationSchema>;

const evaluationRequest = {
  dataset: z.string().min(1),
  bonafide: z.string().optional(),
  split: z.string().default('test'),
  replicates: z.int().min(0).max(10_000).default(1000),
  /** The models speak of all recordings themselves; else their companions of those that are theirs, as in a scan. */
  withoutCompanions: z.boolean().optional(),
};

// ---------------------------------------------------------------------------------------------------------------------------
// Settings and the machine

export const settingsSchema = z.object({
  version: z.literal(1).default(1),
  examiner: text.default(''),
  laboratory: text.default(''),
  laboratoryAddress: text.default(''),
  placeOfWork: text.default(''),
  theme: z.enum(['system', 'light', 'dark']).default('system'),
  defaultModel: z.string().default('default'),
  backend: backendNameSchema.default('auto'),
  /** Files at a time in a scan; null: one for each core. */
  scanJobs: z.int().positive().max(256).nullable().default(null),
  /** Path of ffmpeg; empty: the one that set-up found. */
  ffmpeg: z.string().default(''),
  /** Where new cases go; empty: in the data folder. */
  casesFolder: z.string().default(''),
  /** Where the file browser may look; empty: the home folder. */
  roots: z.array(path).default([]),
  /** Verbal scale: upper limit of the likelihood ratio and word, ascending; the last has no limit. */
  verbalScale: z.array(z.object({ upTo: z.number().positive().nullable(), words: z.string().min(1) })).default([
    { upTo: 10, words: 'weak support' },
    { upTo: 100, words: 'moderate support' },
    { upTo: 1000, words: 'moderately strong support' },
    { upTo: 10_000, words: 'strong support' },
    { upTo: 1_000_000, words: 'very strong support' },
    { upTo: null, words: 'extremely strong support' },
  ]),
  colourMap: z.enum(['magma', 'viridis', 'cividis', 'grey']).default('magma'),
});
export type Settings = z.infer<typeof settingsSchema>;

/** What is not named stays as it is: a partial schema would put its default in its place. */
const settingsPatchSchema = z.object(
  Object.fromEntries(
    Object.entries(settingsSchema.shape).map(([name, field]) => [name, field.unwrap().optional()]),
  ) as {
    [Name in keyof typeof settingsSchema.shape]: z.ZodOptional<
      ReturnType<(typeof settingsSchema.shape)[Name]['unwrap']>
    >;
  },
);

export const machineSchema = z.object({
  application: z.string(),
  host: z.enum(['electron', 'browser']),
  platform: z.string(),
  node: z.string(),
  dataFolder: path,
  casesFolder: path,
  ffmpeg: z.object({ path: z.string(), version: z.string(), origin: z.string() }).nullable(),
  ffmpegProblem: z.string().nullable(),
  inference: z.object({ runtime: z.string(), device: z.string(), threads: z.int(), reason: z.string() }),
  /** The data folder is on the machine where the window is; false through a tunnel. */
  cores: z.int(),
  memoryBytes: z.number(),
});
export type Machine = z.infer<typeof machineSchema>;

export const trainingBackendSchema = z.object({
  name: z.string(),
  available: z.boolean(),
  device: z.string().nullable(),
  reason: z.string(),
});

const fileEntrySchema = z.object({
  name: z.string(),
  path,
  kind: z.enum(['folder', 'file']),
  sizeBytes: z.number().nullable(),
  modifiedTime: time.nullable(),
});

/** `allowed`: it may be looked into as it is. */
const rootSchema = fileEntrySchema.extend({ allowed: z.boolean() });

// ---------------------------------------------------------------------------------------------------------------------------
// Reports

export const reportRequestSchema = z.object({
  caseId,
  /** Empty: all items. */
  evidenceIds: z.array(evidenceId).default([]),
  /** Whose signature it bears. */
  authorisedBy: text.default(''),
  method: text.default(''),
  departures: text.default(''),
  opinions: text.default(''),
  /** Number of the report that this one amends, and what was changed. */
  amends: z.string().nullable().default(null),
  amendment: text.default(''),
  /** Also the saliency maps of its results, each with its test. */
  saliency: z.boolean().optional(),
});
export type ReportRequest = z.infer<typeof reportRequestSchema>;

export const issuedReportSchema = z.object({
  number: z.string(),
  issuedAt: time,
  logPosition: z.int(),
  sha256,
  pages: z.int().nullable(),
  amends: z.string().nullable(),
});
export type IssuedReport = z.infer<typeof issuedReportSchema>;

/** Where an output goes: a path on the engine's machine, or (null) a resource to download. */
const out = path.nullable().default(null);
const output = z.object({ path: path.nullable(), resource: z.string().nullable(), sizeBytes: z.number() });

// ---------------------------------------------------------------------------------------------------------------------------

const inCase = z.object({ caseId });
const inEvidence = z.object({ caseId, evidenceId });
const nothing = z.object({});

export const contract = {
  system: {
    machine: procedure.output(machineSchema),
    /** Tries the training backends; may take a while the first time. */
    backends: procedure.output(z.object({ auto: z.string(), found: z.array(trainingBackendSchema) })),
    /** Everything that changes, from now on; the first is `engine`. */
    changes: procedure.output(eventIterator(changeSchema)),
    /** A diagnostic bundle: versions, settings, logs; no evidence content. */
    diagnostics: procedure.input(z.object({ out })).output(output),
    selfTest: procedure.output(
      z.object({
        passed: z.boolean(),
        time,
        checks: z.array(z.object({ name: z.string(), passed: z.boolean(), sentence: z.string() })),
      }),
    ),
    notices: procedure.output(
      z.object({
        licence: text,
        bundled: z.array(z.object({ name: z.string(), version: z.string(), licence: z.string() })),
      }),
    ),
  },
  settings: {
    get: procedure.output(settingsSchema),
    set: procedure.input(settingsPatchSchema).output(settingsSchema),
  },
  files: {
    /** Folders that the browser may look into, what uploads were made, and drives that could be added. */
    roots: procedure.output(z.array(rootSchema)),
    /** Adds a folder to those that may be looked into; waits until a person has confirmed it where no page reaches. */
    addRoot: procedure.input(z.object({ path })).output(z.array(rootSchema)),
    list: procedure
      .input(z.object({ path, foldersOnly: z.boolean().default(false) }))
      .output(z.object({ path, parent: path.nullable(), entries: z.array(fileEntrySchema), truncated: z.boolean() })),
  },
  jobs: {
    list: procedure.output(z.array(jobSchema)),
    pause: procedure.input(z.object({ jobId: z.string() })).output(jobSchema),
    resume: procedure.input(z.object({ jobId: z.string() })).output(jobSchema),
    cancel: procedure.input(z.object({ jobId: z.string() })).output(jobSchema),
    /** Takes a finished one off the list. */
    dismiss: procedure.input(z.object({ jobId: z.string() })).output(nothing),
  },
  cases: {
    list: procedure
      .input(z.object({ search: z.string().max(1000).default(''), archived: z.boolean().default(false) }))
      .output(z.array(caseSummarySchema)),
    create: procedure
      .input(caseDetailsSchema.partial().required({ number: true, title: true }).extend({ folder: path.optional() }))
      .output(caseViewSchema),
    open: procedure.input(inCase).output(caseViewSchema),
    /** A case folder that is not in the list. */
    openFolder: procedure.input(z.object({ folder: path })).output(caseViewSchema),
    get: procedure.input(inCase).output(caseViewSchema),
    close: procedure.input(inCase).output(nothing),
    update: procedure.input(inCase.extend({ details: caseDetailsSchema.partial() })).output(caseViewSchema),
    setState: procedure.input(inCase.extend({ state: caseStateSchema })).output(caseViewSchema),
    /** Leaves a trace in the data folder: number, head, who, when and why. */
    delete: procedure.input(inCase.extend({ confirmNumber: z.string(), reason: text })).output(nothing),
    export: procedure.input(inCase.extend({ out })).output(jobStarted),
    /** @param signer fingerprint of the key that a person accepts as the one that went on with the case */
    import: procedure.input(z.object({ path, signer: fingerprint.optional() })).output(jobStarted),
    /** Of a case that another installation went on with, which is open for reading only. */
    continuation: procedure.input(inCase).output(continuationSchema),
    /** Goes on with such a case, which its log then notes; refused unless the fingerprint is that of the key that signed it. */
    accept: procedure.input(inCase.extend({ signer: fingerprint })).output(caseViewSchema),
    verify: procedure.input(inCase.extend({ expectHead: sha256.optional() })).output(verificationSchema),
    log: procedure
      .input(
        inCase.extend({
          evidenceId: evidenceId.optional(),
          offset: z.int().nonnegative().default(0),
          limit: z.int().positive().max(1000).default(200),
        }),
      )
      .output(z.object({ total: z.int(), rows: z.array(custodyRowSchema) })),
  },
  evidence: {
    add: procedure.input(intakeSchema).output(jobStarted),
    list: procedure.input(evidenceQuerySchema).output(z.object({ total: z.int(), rows: z.array(evidenceRowSchema) })),
    /** Ids of all that match, in order: for selections over what is not loaded. */
    ids: procedure.input(evidenceQuerySchema.omit({ offset: true, limit: true })).output(z.array(evidenceId)),
    get: procedure.input(inEvidence).output(evidenceSchema),
    update: procedure
      .input(
        inEvidence.extend({
          description: text.optional(),
          conditionOnReceipt: text.optional(),
          receivedAt: z.string().optional(),
          receivedFrom: text.optional(),
          notes: text.optional(),
        }),
      )
      .output(evidenceSchema),
    /** Takes items out of the case, never off the disk; leaves a trace in the log. */
    remove: procedure.input(inCase.extend({ evidenceIds: z.array(evidenceId).min(1), reason: text })).output(nothing),
    /** Hashes the file anew. */
    check: procedure.input(inEvidence).output(evidenceSchema),
    export: procedure
      .input(inCase.extend({ evidenceIds: z.array(evidenceId).default([]), format: z.enum(['csv', 'json']), out }))
      .output(output),
  },
  marks: {
    add: procedure.input(inEvidence.extend(newMarkSchema.shape)).output(markSchema),
    update: procedure
      .input(inEvidence.extend({ markId: z.int(), ...newMarkSchema.omit({ readAll: true }).partial().shape }))
      .output(markSchema),
    remove: procedure.input(inEvidence.extend({ markId: z.int() })).output(nothing),
  },
  analyses: {
    /** Scans items in the background; `new`: those never scanned, changed or with another model; `failed`: those that failed. */
    scan: procedure
      .input(
        inCase.extend({
          which: z.union([z.array(evidenceId), z.enum(['new', 'failed', 'all'])]),
          modelId: z.string().optional(),
          channel: z.union([channelSchema, z.literal('each')]).default('mix'),
          stream: z.int().nonnegative().optional(),
          /** Also the sound that a file's headers do not count in. */
          readAll: z.boolean().default(false),
        }),
      )
      .output(jobStarted),
    get: procedure.input(inCase.extend({ analysisId: z.int() })).output(analysisSchema),
    /** Analyses a stretch on its own and keeps the result. */
    stretch: procedure
      .input(
        inEvidence.extend({
          ...stretchSchema.shape,
          label: text.default(''),
          modelId: z.string().optional(),
          channel: channelSchema.default('mix'),
          /** The stretch lies in the recording as it is with the sound that its headers do not count in. */
          readAll: z.boolean().default(false),
        }),
      )
      .output(analysisSchema),
  },
  sound: {
    /** Peaks and audio of an item, computed once and kept; the stream says how far it is, its last event is `ready`. */
    prepare: procedure
      .input(
        inEvidence.extend({
          /** With the sound that the file's headers do not count in. */
          readAll: z.boolean().default(false),
        }),
      )
      .output(
        eventIterator(
          z.discriminatedUnion('type', [
            z.object({ type: z.literal('progress'), done: seconds, total: z.number().nullable() }),
            z.object({ type: z.literal('ready'), sound: soundSchema }),
          ]),
        ),
      ),
  },
  saliency: {
    /** What of a result's model can be explained, and how. */
    subjects: procedure
      .input(inCase.extend({ analysisId: z.int() }))
      .output(z.object({ modelName: z.string(), subjects: z.array(saliencySubjectSchema) })),
    /** Makes and tests the map of a result's recording, or of a stretch of it; the stream says how far it is, its last event is `ready`. */
    explain: procedure
      .input(
        inCase.extend({
          analysisId: z.int(),
          ...saliencySubjectSchema.shape,
          /** By default the whole recording. */
          stretch: stretchSchema.nullable().optional(),
        }),
      )
      .output(
        eventIterator(
          z.discriminatedUnion('type', [
            z.object({ type: z.literal('progress'), done: z.int(), total: z.int() }),
            z.object({ type: z.literal('ready'), saliency: saliencySchema }),
          ]),
        ),
      ),
  },
  models: {
    list: procedure.output(z.array(modelSummarySchema)),
    get: procedure.input(z.object({ modelId: z.string() })).output(modelSchema),
    setDefault: procedure.input(z.object({ modelId: z.string() })).output(nothing),
    rename: procedure.input(z.object({ modelId: z.string(), name })).output(modelSchema),
    /** One file that holds the model's folder; checked against its hashes on import. */
    export: procedure.input(z.object({ modelId: z.string(), out })).output(output),
    /** Of a packed model; with `card`, a detector that others trained (an ONNX file) as that card describes it. */
    import: procedure.input(z.object({ path, card: path.optional() })).output(modelSchema),
    delete: procedure.input(z.object({ modelId: z.string() })).output(nothing),
  },
  encoders: {
    list: procedure.output(
      z.array(
        z.object({
          name: z.string(),
          description: z.string(),
          licence: z.string(),
          /** That come out for a window. */
          values: z.int(),
          /** With the application; the others were brought. */
          ships: z.boolean(),
        }),
      ),
    ),
    /** Takes in an ONNX file as a card describes it. */
    add: procedure
      .input(z.object({ path, card: path }))
      .output(z.object({ name: z.string(), secondsPerWindow: z.number() })),
  },
  datasets: {
    /** Specs that were used before, the latest first. */
    recent: procedure.output(z.array(z.string())),
    /** What a folder seems to be: specs that would load. */
    recognise: procedure
      .input(z.object({ path }))
      .output(z.array(z.object({ spec: z.string(), layout: z.string(), sentence: z.string() }))),
    inspect: procedure
      .input(z.object({ spec: z.string().min(1).max(10_000), bonafide: z.string().optional() }))
      .output(
        eventIterator(
          z.discriminatedUnion('type', [
            z.object({ type: z.literal('progress'), done: z.int(), total: z.int() }),
            z.object({ type: z.literal('report'), report: datasetReportSchema }),
          ]),
        ),
      ),
  },
  training: {
    /** What a model of several members can have here. */
    members: procedure.output(
      z.array(
        z.object({
          /** As in a request. */
          name: z.string(),
          kind: z.enum(['network', 'encoder']),
          /** Of an encoder that was added. */
          description: z.string().nullable(),
          /** Why it cannot be had; null where it can. */
          why: z.string().nullable(),
        }),
      ),
    ),
    start: procedure.input(trainingRequestSchema).output(jobStarted),
    /** Running, finished and interrupted ones, the latest first. */
    list: procedure.output(z.array(trainingSchema)),
    get: procedure.input(z.object({ jobId: z.string() })).output(trainingSchema),
    /** Goes on from the checkpoint. */
    resume: procedure.input(z.object({ jobId: z.string() })).output(jobStarted),
    discard: procedure.input(z.object({ jobId: z.string() })).output(nothing),
  },
  evaluation: {
    start: procedure
      .input(
        z.object({
          modelIds: z.array(z.string()).min(1).max(6),
          ...evaluationRequest,
        }),
      )
      .output(jobStarted),
    /** What a model can be measured through, in the order in which it is. */
    degradations: procedure.output(z.array(degradationSchema)),
    /** Measures one model on recordings as they are and through degradations. */
    startRobustness: procedure
      .input(
        z.object({
          modelId: z.string(),
          ...evaluationRequest,
          /** By name; without them all. */
          degradations: z.array(z.string()).min(1).max(1000).optional(),
          /** So many recordings, drawn by the seed from all sources and both classes alike; null: all. */
          limit: z.int().positive().nullable().default(null),
          /** Of draws, noise and rooms. */
          seed: z.int().nonnegative().default(1),
        }),
      )
      .output(jobStarted),
    /** Of either kind, the latest first. */
    list: procedure.output(z.array(evaluationSummarySchema)),
    get: procedure
      .input(z.object({ id: z.string() }))
      .output(z.discriminatedUnion('kind', [evaluationSchema, robustnessEvaluationSchema])),
    delete: procedure.input(z.object({ id: z.string() })).output(nothing),
    /** A zip of what the command line writes: figures as JSON, scores or the table as CSV, every plot as SVG. */
    export: procedure.input(z.object({ id: z.string(), out })).output(output),
  },
  reports: {
    issue: procedure.input(reportRequestSchema.extend({ out })).output(jobStarted),
    list: procedure.input(inCase).output(z.array(issuedReportSchema)),
    again: procedure.input(inCase.extend({ number: z.string(), out })).output(output),
  },
};
export type Contract = typeof contract;
export type Inputs = InferContractRouterInputs<Contract>;
export type Outputs = InferContractRouterOutputs<Contract>;
