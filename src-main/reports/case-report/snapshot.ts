/** What a report says, as data: kept with an issued report, so that it can be made again as it was. */
import type { LowStretch } from '../../../src-common/low-stretches.ts';
import type { Analysis } from '../../../src-common/schemas/analysis.ts';
import type { CaseDetails } from '../../../src-common/schemas/case.ts';
import type { Anchor, CustodyHead, CustodyRow } from '../../../src-common/schemas/custody.ts';
import type { Evidence } from '../../../src-common/schemas/evidence.ts';
import type { Amendment, IssuedReport, ReportRequest, TechnicalReview } from '../../../src-common/schemas/report.ts';
import type { KeptTemplate } from '../../../src-common/schemas/report-template.ts';
import type { Saliency } from '../../../src-common/schemas/saliency.ts';
import type { Traces } from '../../../src-common/schemas/traces.ts';
import type { Settings } from '../../../src-common/schemas/settings.ts';
import type { Gap } from '../../audio/types.ts';
import type { Card } from '../../detector/card.ts';
import type { Faithfulness } from '../../../src-common/schemas/saliency.ts';
import type { OverlaidPixels, SpectrogramPixels } from '../../sound/spectrogram-image.ts';

/** Waveform and spectrogram as data. */
export interface SoundPicture {
  /** Lowest and highest sample of equal stretches, one after the other, as signed bytes in base64; 127 is full scale. */
  peaks: string;
  spectrogram: Omit<SpectrogramPixels, 'png'> & { pngBase64: string };
}

/** A marked stretch with what lies around it, up to half of `sampleRateHz`. */
export interface CloseUp extends SoundPicture {
  markId: number;
  /** The channel that the mark is of, counted from 1; absent where it is of all. */
  channel?: number;
  startSeconds: number;
  endSeconds: number;
  sampleRateHz: number;
}

/** Pictures of a recording as data, so that a report can be made again without it. */
export interface RecordingFigures extends SoundPicture {
  /** With late start and gaps. */
  durationSeconds: number;
  /** Where the file holds no sound, as far as the picture can show it; absent in reports issued before it was drawn. */
  missing?: Gap[];
  /** Rate that the mix of all channels was resampled to. */
  sampleRateHz: number;
  stream: number;
  /** Of the channels each, counted from 1; none of mono, and absent in reports of earlier versions. */
  channels?: (SoundPicture & { channel: number })[];
  /** Of the marks; absent in reports of earlier versions. */
  closeUps?: CloseUp[];
}

/** A model as its card says, without the list of the files that it was trained on. */
export interface ReportModel {
  name: string;
  onnxSha256: string;
  status: 'screening' | 'validated';
  /** Null where the model is no longer on the machine. */
  card: (Omit<Card, 'training'> & { training: Omit<Card['training'], 'fileSha256'> & { files: number } }) | null;
  /** Its companions, and of which recordings each speaks. */
  companions?: { condition: string; model: ReportModel }[];
}

/** Which parts of the sound the score of a result rests on; asked for, never there by itself. */
export interface ReportSaliency {
  /** How it was made. */
  by: string;
  /** That it is no evidence. */
  caution: string;
  /** What the test of the map gave, or why there is none. */
  statement: string;
  /** By how much more the map's regions move the score than others of the same size; null where no map was made. */
  faithfulness: Faithfulness | null;
  /** Null where the map does no better than chance, or was not made. */
  map: { edgesHz: number[]; columns: Saliency['columns'] } | null;
  figure: SaliencyFigure | null;
}

/** A map over the spectrogram of what it is of, as data. */
export interface SaliencyFigure {
  startSeconds: number;
  endSeconds: number;
  pngBase64: string;
  frequencies: OverlaidPixels['frequencies'];
  /** How the spectrogram was made. */
  statement: string;
  /** Value of the strongest colours. */
  strongest: number;
}

/** What was measured of an item's traces, or why nothing was; asked for, never there by itself. */
export interface ReportTraces {
  measured: Traces | null;
  problem: string | null;
}

export interface ReportItem {
  /** Of its marks those that go into reports. */
  evidence: Evidence;
  /** Every one that was made of it, the oldest first; without their windows where the item is only listed. */
  analyses: Analysis[];
  /** What its results point out, by the analysis' id; of those that may give times. Reports of earlier versions lack it. */
  stretches?: Record<number, LowStretch[]>;
  /** Null where there are none, for which `figuresProblem` says why. */
  figures: RecordingFigures | null;
  figuresProblem: string | null;
  /** What makes each result again, by the analysis' id. */
  commands: Record<number, string>;
  /** By the analysis' id, of those that are explained; absent where none was asked for. */
  saliency?: Record<number, ReportSaliency>;
  /** Absent where they were not asked for. */
  traces?: ReportTraces;
}

/** Who vouches for a log. */
export interface Vouched {
  /** Fingerprints of the keys that signed it, the head's first. */
  keys: string[];
  /** By the time-stamping authority whose stamp reaches farthest; null: by none that is accepted. */
  anchored: Anchor | null;
  /** The first one first. */
  counterSigned: { name: string; role: string; rows: number; fingerprint: string }[];
}

/**
 * Everything that a report says. Rendering it needs nothing else, and gives the same bytes each time. Format 1 had no drafts; what
 * was issued in it is kept as a document, too, and given out as that.
 */
export interface ReportSnapshot {
  format: 1 | 2;
  /** True: to be looked at; it was not issued. */
  draft?: true;
  /** Unique to this report; of a draft, that it is one. */
  number: string;
  /** ISO 8601, UTC. */
  issuedAt: string;
  application: string;
  laboratory: Pick<Settings, 'laboratory' | 'laboratoryAddress' | 'placeOfWork' | 'examiner'> &
    Partial<Pick<Settings, 'examinerQualification'>>;
  verbalScale: Settings['verbalScale'];
  /** That it is made with; absent where it is made with none. */
  template?: KeptTemplate;
  /** Null for recordings without a case. */
  case: (CaseDetails & { id: string; createdAt: string }) | null;
  request: Omit<ReportRequest, 'caseId' | 'evidenceIds'>;
  /** Sign-offs of technical reviewers since the report before; absent in reports of earlier versions. */
  reviews?: TechnicalReview[];
  /** Those of the report that this one amends; absent where it amends none. */
  reviewsOfAmended?: TechnicalReview[];
  /** What amendments before it changed; absent in reports of earlier versions. */
  amendments?: Amendment[];
  /** The report that this one amends. */
  amended: IssuedReport | null;
  /** Of the log, before the row of this report; null without a case. */
  head: CustodyHead | null;
  /** Who vouches for the log; null without a case, absent in reports of earlier versions. */
  vouched?: Vouched | null;
  /** Rows that concern the case or the items. */
  custody: CustodyRow[];
  /** Items in the case, of which the report may show some. */
  itemsInCase: number;
  models: ReportModel[];
  items: ReportItem[];
  /** Whether it holds all of each item; else only what is listed. */
  inFull: boolean;
}

/** Whether the document has a section with figures for each item; else it lists them. */
export function hasSections({ inFull, request }: Pick<ReportSnapshot, 'inFull' | 'request'>): boolean {
  return inFull && request.form !== 'short';
}

/** The machine-readable report: all but the pictures. */
export function reportJson(snapshot: ReportSnapshot): string {
  const items = snapshot.items.map(({ figures: _, saliency, ...item }) => ({
    ...item,
    ...(saliency ? { saliency: withoutPictures(saliency) } : {}),
  }));
  const template = snapshot.template && { template: withoutImages(snapshot.template) };
  return `${JSON.stringify({ ...snapshot, ...template, items }, null, snapshot.inFull ? 1 : 0)}\n`;
}

/** Its hash is that of the template with them. */
function withoutImages({ template, sha256 }: KeptTemplate): KeptTemplate {
  return { template: { ...template, logo: null, accreditationMark: null }, sha256 };
}

function withoutPictures(
  saliency: NonNullable<ReportItem['saliency']>,
): Record<string, Omit<ReportSaliency, 'figure'>> {
  return Object.fromEntries(Object.entries(saliency).map(([id, { figure: _, ...said }]) => [id, said]));
}
