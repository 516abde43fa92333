/** Gathers what a report says out of a case and renders it, in the worker of reports: beside whoever writes to the case. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Analysis } from '../../src-common/schemas/analysis.ts';
import type { CustodyRow } from '../../src-common/schemas/custody.ts';
import type { EvidenceRow } from '../../src-common/schemas/evidence.ts';
import type { IssuedReport, ReportRequest } from '../../src-common/schemas/report.ts';
import type { KeptTemplate } from '../../src-common/schemas/report-template.ts';
import type { Settings } from '../../src-common/schemas/settings.ts';
import { acceptedNow } from '../base/accepted.ts';
import { UserFacingError } from '../base/errors.ts';
import { authorities } from '../cases/anchors/authorities.ts';
import { readHead, signerChanged } from '../cases/custody.ts';
import { fingerprintOf } from '../cases/keys.ts';
import { preparedReport } from '../cases/issued-reports.ts';
import type { PreparedReport } from '../cases/issued-reports.ts';
import { CaseStore } from '../cases/store.ts';
import { cardSchema, conditionWords } from '../detector/card.ts';
import type { Card } from '../detector/card.ts';
import { readCard } from '../detector/store.ts';
import { stretchesOfResults } from '../reports/case-report/outcome.ts';
import { renderEditableDraft, renderReport, reportData } from '../reports/case-report/report.ts';
import { reportCsv } from '../reports/case-report/report-csv.ts';
import type { ReportItem, ReportModel, ReportSnapshot, Vouched } from '../reports/case-report/snapshot.ts';
import { ModelStore, shippedModelId } from '../models/model-store.ts';

/** What of the surroundings a report depends on. */
export interface ReportSurroundings {
  /** `earwitness 0.1.0` */
  application: string;
  /** The data folder, where models are. */
  home: string;
  settings: Pick<Settings, 'laboratory' | 'laboratoryAddress' | 'placeOfWork' | 'examiner' | 'verbalScale'> &
    Partial<Pick<Settings, 'examinerQualification'>>;
  /** The laboratory's, which speaks in the place of the settings. */
  template?: KeptTemplate;
  /** Of a model that results may be by and that lies elsewhere than those of this installation. */
  modelFolder?: string;
}

export type Pictures = Pick<ReportItem, 'figures' | 'figuresProblem' | 'saliency' | 'traces'>;

/** What is needed to make a report besides what the case's database holds. */
export interface ReportMaking {
  folder: string;
  request: Omit<ReportRequest, 'caseId'>;
  ids: number[];
  inFull: boolean;
  /** What is known of the items' files since the case was opened. */
  states: ReadonlyMap<number, EvidenceRow['state']>;
  pictures: ReadonlyMap<number, Pictures>;
  kind: ReportKind;
  surroundings: ReportSurroundings;
  /** Counts the items that were gathered: a worker that is at it cannot be asked. */
  gathered: Int32Array<SharedArrayBuffer>;
}

/**
 * What becomes of a report: it is `issued` of a case; a `draft` of one is looked at and neither kept nor logged; an `editable-draft` is one
 * that whoever has it can change, as DOCX; `without-case`: the recordings belong to none, and the one in the folder is for the occasion.
 */
export type ReportKind = 'issued' | 'draft' | 'editable-draft' | 'without-case';

export interface MadeReport {
  number: string;
  /** Null of a DOCX, which has those that a word processor gives it. */
  pages: number | null;
  /** A PDF; of an editable draft a DOCX. */
  document: Uint8Array<ArrayBuffer>;
  json: Uint8Array<ArrayBuffer>;
  csv: Uint8Array<ArrayBuffer>;
  /** Of one that is issued. */
  prepared: PreparedReport | null;
}

/** As `data` of a stored report holds it. */
interface StoredData {
  format: 1;
  /** Base64. */
  pdf: string;
  /** The machine-readable report, gzip in base64. */
  json: string;
}

/** @throws UserFacingError `not-found` for an item or an amended report that is not there, and as the store does */
export async function makeReport(making: ReportMaking): Promise<MadeReport> {
  const models = await ModelsOfReport.read(making.surroundings.home);
  const snapshot = gather(making, models);
  const data = reportData(snapshot);
  const { number } = snapshot;
  const written = { json: new Uint8Array(data.json), csv: new Uint8Array(data.csv) };
  if (making.kind === 'editable-draft') {
    const document = new Uint8Array(await renderEditableDraft(snapshot, data));
    return { number, pages: null, document, ...written, prepared: null };
  }
  const { bytes, pages } = await renderReport(snapshot, data);
  const { json } = data;
  return {
    ...{ number, pages, document: new Uint8Array(bytes), ...written },
    prepared: making.kind === 'issued' ? prepared(making, snapshot, { bytes, pages, json }) : null,
  };
}

function prepared(
  { request }: ReportMaking,
  { number, issuedAt, head, case: details }: ReportSnapshot,
  { bytes, pages, json }: { bytes: Buffer; pages: number; json: Buffer },
): PreparedReport {
  const data: StoredData = {
    format: 1,
    pdf: bytes.toString('base64'),
    json: gzipSync(json).toString('base64'),
  };
  return preparedReport({
    ...{ number, issuedAt, logPosition: head?.rows ?? 0, sha256: sha256Of(bytes), pages, amends: request.amends },
    request: { ...request, caseId: details?.id ?? '' },
    data: JSON.stringify(data),
  });
}

/** A report that was issued, and what it says for machines. */
export interface IssuedAgain {
  issued: IssuedReport;
  pdf: Uint8Array<ArrayBuffer>;
  json: Uint8Array<ArrayBuffer>;
  csv: Uint8Array<ArrayBuffer>;
}

/**
 * A report that was issued, byte for byte.
 * @throws UserFacingError `not-found`, `damaged` where what the case holds is not what was issued
 */
export function againOf(folder: string, number: string): IssuedAgain {
  const store = CaseStore.read(folder);
  try {
    const { data, request: _, ...issued } = store.reports.get(number);
    const damaged = (cause?: unknown): UserFacingError =>
      new UserFacingError('damaged', `The report ${number} in this case is not what was issued.`, {
        path: folder,
        advice: 'Verify the case, and restore it from an export or a copy.',
        cause,
      });
    let stored: StoredData;
    let json: Buffer;
    try {
      stored = JSON.parse(data) as StoredData;
      json = gunzipSync(Buffer.from(stored.json, 'base64'));
    } catch (error) {
      throw damaged(error);
    }
    const pdf = new Uint8Array(Buffer.from(stored.pdf, 'base64'));
    if (sha256Of(pdf) !== issued.sha256) throw damaged();
    const csv = Buffer.from(reportCsv(JSON.parse(json.toString()) as ReportSnapshot));
    return { pdf, json: new Uint8Array(json), csv: new Uint8Array(csv), issued };
  } finally {
    store.close();
  }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function gather(making: ReportMaking, models: ModelsOfReport): ReportSnapshot {
  const { request, ids, inFull, states, pictures, kind, surroundings } = making;
  const withoutCase = kind === 'without-case';
  const store = CaseStore.read(making.folder);
  try {
    // The case at one moment, whatever is written meanwhile.
    store.database.exec('BEGIN');
    const present = new Set(store.evidence.allIds());
    const lacking = ids.find((id) => !present.has(id));
    if (lacking !== undefined) {
      throw new UserFacingError('not-found', `There is no item ${lacking} in this case.`, {
        advice: 'It may have been taken out of it.',
      });
    }
    const amended = request.amends === null ? null : issuedOf(store.reports.get(request.amends));
    const issuedAt = new Date().toISOString();
    const items = ids.map((id) => {
      const item = itemOf(store, id, inFull, models, { state: states.get(id), ...pictures.get(id) });
      Atomics.add(making.gathered, 0, 1);
      return item;
    });
    const { evidenceIds: _, ...asked } = request;
    const { laboratory, laboratoryAddress, placeOfWork, examiner, examinerQualification, verbalScale } =
      surroundings.settings;
    const { template } = surroundings;
    const { createdAt } = store.summary();
    return {
      format: 2,
      ...(isDraft(kind) ? { draft: true as const } : {}),
      number: numberFor(store, kind, issuedAt),
      issuedAt,
      application: surroundings.application,
      laboratory: {
        laboratory: template?.template.laboratory || laboratory,
        laboratoryAddress: template?.template.laboratoryAddress || laboratoryAddress,
        ...{ placeOfWork, examiner, examinerQualification },
      },
      verbalScale: template?.template.verbalScale ?? verbalScale,
      ...(template === undefined ? {} : { template }),
      // Notes of the case are the examiner's own.
      case: withoutCase ? null : { ...store.details(), notes: '', id: store.id, createdAt },
      request: asked,
      reviews: withoutCase ? [] : store.reviews.forNextReport(),
      ...(request.amends === null ? {} : { reviewsOfAmended: store.reviews.ofReport(request.amends) }),
      amendments: withoutCase ? [] : store.reports.amendments(),
      amended,
      head: withoutCase ? null : store.head,
      vouched: withoutCase ? null : vouchedOf(store, surroundings.home),
      custody: withoutCase ? [] : custodyOf(store, inFull ? new Set(ids) : new Set()),
      itemsInCase: present.size,
      models: models.used(items),
      items,
      inFull,
    };
  } finally {
    store.close();
  }
}

/** Who signed the log, and who vouches for it besides. */
function vouchedOf(store: CaseStore, home: string): Vouched {
  const key = "CASE WHEN json_valid(details) THEN details ->> '$.publicKey' END";
  const sql = `SELECT ${key} FROM custody_log WHERE action = ? ORDER BY position DESC`;
  const before = store.database.prepare<[string], unknown>(sql).pluck().all(signerChanged);
  const keys = [readHead(store.database)?.publicKey, ...before].filter((key) => typeof key === 'string');
  return {
    keys: [...new Set(keys)].map(fingerprintOf),
    anchored: store.anchors.latest(acceptedNow(home, authorities)),
    counterSigned: store.counterSignatures.holding().map(({ name, role, rows, publicKey }) => ({
      ...{ name, role, rows },
      fingerprint: fingerprintOf(publicKey),
    })),
  };
}

function isDraft(kind: ReportKind): boolean {
  return kind === 'draft' || kind === 'editable-draft';
}

function numberFor(store: CaseStore, kind: ReportKind, issuedAt: string): string {
  if (isDraft(kind)) return 'DRAFT';
  if (kind === 'issued') return store.reports.nextNumber();
  return `F-${issuedAt.slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}`;
}

function issuedOf({ number, issuedAt, logPosition, sha256, pages, amends }: IssuedReport): IssuedReport {
  return { number, issuedAt, logPosition, sha256, pages, amends };
}

function itemOf(
  store: CaseStore,
  id: number,
  inFull: boolean,
  models: ModelsOfReport,
  known: Partial<Pictures> & { state: EvidenceRow['state'] | undefined },
): ReportItem {
  const evidence = store.evidence.get(id);
  const made = store.analyses.of(id);
  const analyses = made.map((analysis) => reported(inFull ? analysis : { ...analysis, windows: [] }));
  const commands: ReportItem['commands'] = {};
  for (const analysis of analyses) {
    const command = commandFor(evidence.path, analysis, models);
    if (command !== null) commands[analysis.id] = command;
  }
  return {
    evidence: {
      ...evidence,
      state: known.state ?? evidence.state,
      analyses: [],
      llr: null,
      metadata: inFull ? evidence.metadata : [],
      marks: evidence.marks.filter(({ inReport }) => inReport),
    },
    analyses,
    stretches: stretchesOfResults(made),
    figures: known.figures ?? null,
    figuresProblem: known.figuresProblem ?? null,
    commands,
    ...(known.saliency ? { saliency: known.saliency } : {}),
    ...(known.traces ? { traces: known.traces } : {}),
  };
}

/** A result as a report may show it: of a screening model without anything that is a likelihood ratio. */
function reported(analysis: Analysis): Analysis {
  if (analysis.modelStatus === 'validated') return analysis;
  const reasons = analysis.reasons
    .filter(({ code }) => code !== 'limited')
    .map((reason) =>
      reason.code === 'weak'
        ? { ...reason, sentence: 'The score lies too near to the model’s threshold to support either proposition.' }
        : reason,
    );
  return { ...analysis, llr: null, llrInterval: null, reasons };
}

/** Rows of the log that concern the case or the items, the first one first. */
function custodyOf(store: CaseStore, items: ReadonlySet<number>): CustodyRow[] {
  const rows: CustodyRow[] = [];
  const page = 1000;
  for (let offset = 0; ; offset += page) {
    const { total, rows: some } = store.log.rows({ offset, limit: page });
    for (const row of some) {
      // Details hold what was changed word for word, notes among it.
      if (row.evidenceId === null || items.has(row.evidenceId)) rows.push({ ...row, details: {} });
    }
    if (offset + page >= total) return rows.reverse();
  }
}

/** An argument as a shell of Unix takes it. */
function quoted(argument: string): string {
  return /^[\w./:@%+=,-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** Of more than one channel, what else would depend on what they hold. */
function channelOptions({ channel, audio }: Analysis): string[] {
  return channel === 'mix' && audio?.channels === 1 ? [] : ['--channels', String(channel)];
}

/** What makes a result again on the command line; null where its model is not on this machine. */
function commandFor(path: string, analysis: Analysis, models: ModelsOfReport): string | null {
  const model = models.idOf(analysis.modelSha256);
  if (model === null) return null;
  const { stream, stretch, settings } = analysis;
  const words = [
    'earwitness',
    'analyze',
    path,
    '--model',
    model,
    ...(stream === 0 ? [] : ['--stream', String(stream)]),
    ...channelOptions(analysis),
    ...(settings.readAll === true ? ['--read-all'] : []),
    ...(stretch ? ['--start', String(stretch.startSeconds), '--end', String(stretch.endSeconds)] : []),
    '--json',
  ];
  return words.map(quoted).join(' ');
}

/** A card without the hashes of thousands of files. */
function shownCard(card: Card): NonNullable<ReportModel['card']> {
  const { fileSha256, ...training } = card.training;
  return { ...card, training: { ...training, files: fileSha256.length } };
}

/** A model's companions, as a report shows them. */
async function companionsOf(folder: string, { companions = [] }: Card): Promise<Pick<ReportModel, 'companions'>> {
  if (companions.length === 0) return {};
  const shown = companions.map(async ({ name, sha256, condition }) => {
    const card = await readCard(join(folder, name));
    const words = `It speaks in the model’s place of ${conditionWords(condition)}.`;
    return {
      condition: words,
      model: { name: card.name, status: card.status, onnxSha256: sha256, card: shownCard(card) },
    };
  });
  return { companions: await Promise.all(shown) };
}

/** The models of this machine by the hash of their network. */
class ModelsOfReport {
  readonly #byHash: ReadonlyMap<string, { id: string; model: ReportModel }>;

  private constructor(byHash: ReadonlyMap<string, { id: string; model: ReportModel }>) {
    this.#byHash = byHash;
  }

  static async read(home: string): Promise<ModelsOfReport> {
    const store = new ModelStore(home);
    const byHash = new Map<string, { id: string; model: ReportModel }>();
    for (const { id, name, status, onnxSha256, problem } of await store.list(shippedModelId)) {
      if (problem !== null || byHash.has(onnxSha256)) continue;
      const card = cardSchema.parse((await store.get(id, shippedModelId)).card);
      const companions = await companionsOf(await store.folderOf(id), card);
      byHash.set(onnxSha256, { id, model: { name, status, onnxSha256, card: shownCard(card), ...companions } });
    }
    return new ModelsOfReport(byHash);
  }

  idOf(onnxSha256: string): string | null {
    return this.#byHash.get(onnxSha256)?.id ?? null;
  }

  /** The models that results of these items come from, in the order of their first use. */
  used(items: readonly ReportItem[]): ReportModel[] {
    const used = new Map<string, ReportModel>();
    for (const { modelSha256, modelName, modelStatus } of items.flatMap(({ analyses }) => analyses)) {
      const key = `${modelSha256} ${modelStatus}`;
      if (used.has(key)) continue;
      const known = this.#byHash.get(modelSha256)?.model;
      // What counts is the status that it had when it was used.
      const model = known
        ? { ...known, status: modelStatus }
        : { name: modelName, onnxSha256: modelSha256, status: modelStatus, card: null };
      used.set(key, model);
    }
    return [...used.values()];
  }
}
