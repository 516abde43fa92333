/** From what the detector says to what a case keeps. */
import type { Provenance } from '../../src-common/schemas/analysis.ts';
import { recordSentences } from '../../src-common/finding-record.ts';
import { usedFfmpeg } from '../audio/used-ffmpeg.ts';
import type { NewAnalysis } from '../cases/analyses.ts';
import type { DetectorAnalysis as DetectorAnalysis } from '../detector/detector.ts';
import { withoutRatios } from '../detector/finding.ts';
import { speakerOf } from '../detector/store.ts';
import { localisationShown, localisationStatement } from '../detector/localisation.ts';
import type { StoredModel } from '../detector/store.ts';
import { llrInterval, mapForSpeech } from '../evaluation/calibration.ts';
import { provenance } from '../reports/scan-results.ts';
import type { ChannelChoice, ScoreOutcome } from '../scanning/score.ts';

/** What an analysis is of, and what it was made with. */
export interface AnalysisSubject {
  evidenceId: number;
  /** SHA-256 of the item at intake. */
  intakeSha256: string;
  stretch: NewAnalysis['stretch'];
  label: string;
  channel: NewAnalysis['channel'];
  stream: number;
  /** Settings besides stream and channel. */
  settings?: NewAnalysis['settings'];
}

/** What made a result; where ffmpeg is not named, it is the one that is used here. */
export type Made = Omit<Provenance, 'ffmpeg'> & Partial<Pick<Provenance, 'ffmpeg'>>;

/** What makes results now, but for ffmpeg. @param program `earwitness 0.1.0` */
export function madeBy(model: StoredModel, program: string): Omit<Provenance, 'ffmpeg'> {
  return provenance(model, program);
}

/** The model itself, or its companion. */
function spokenBy({ card, onnxSha256 }: StoredModel): Pick<Provenance, 'model'> {
  return { model: { name: card.name, status: card.status, onnxSha256 } };
}

function thresholdsOf(model: StoredModel, analysis: DetectorAnalysis | null): NewAnalysis['thresholds'] {
  const { thresholds, calibration, window } = model.card;
  const { shown, withheld } = localisationShown(model.card, window);
  const speechSeconds = analysis === null ? null : (analysis.quality.speechSeconds ?? analysis.activeSeconds);
  const map = mapForSpeech(calibration, speechSeconds);
  const scoreAt = (llr: number): number => (llr + Math.log(map.prior / (1 - map.prior)) - map.b) / map.a;
  const band = map.band ?? { lowerLlr: -thresholds.inconclusiveLlr, upperLlr: thresholds.inconclusiveLlr };
  const { lowerLlr, upperLlr } = band;
  const whole = map.a > 0 && lowerLlr !== null && upperLlr !== null && (map.band !== null || map.bandReason === null);
  return {
    score: thresholds.score,
    inconclusive: whole ? [scoreAt(lowerLlr), scoreAt(upperLlr)] : null,
    localisation: shown?.threshold ?? null,
    localisationStatement: shown ? localisationStatement(shown) : withheld,
    falseAlarmsPerHour: shown?.falseAlarmsPerHour ?? null,
    falseAlarmsPerHourAtMost: shown?.falseAlarmsPerHourAtMost ?? null,
  };
}

/** Of a likelihood ratio that may be given. */
function intervalOf({ card }: StoredModel, analysis: DetectorAnalysis | null): NewAnalysis['llrInterval'] {
  if (card.status !== 'validated' || analysis === null || analysis.llr === null || analysis.score === null) return null;
  return llrInterval(card.calibration, analysis.score, analysis.quality.speechSeconds ?? analysis.activeSeconds);
}

/**
 * An analysis as the case keeps it. The likelihood ratio of a `screening` model is left out: it is not fit to be evidence.
 * @param outcome what came of it: an analysis, or an error
 */
export async function keptAnalysis(
  model: StoredModel,
  made: Made,
  subject: AnalysisSubject,
  outcome: {
    sha256: string | null;
    analysis: DetectorAnalysis | null;
    error: { code: string; message: string } | null;
  },
): Promise<NewAnalysis> {
  const { analysis, sha256, error } = outcome;
  const { channel, stream, evidenceId, stretch, label } = subject;
  const time = new Date().toISOString();
  // A companion's result has its thresholds and its record; it is a result of the model that it belongs to.
  const speaker = speakerOf(model, analysis);
  const { name } = model.card;
  const { status } = speaker.card;
  const reasons = status === 'validated' ? [...(analysis?.reasons ?? [])] : withoutRatios(analysis?.reasons ?? []);
  if (analysis && sha256 !== subject.intakeSha256) {
    reasons.unshift({
      code: 'changed-since-intake',
      sentence:
        'The file is not the one that was taken in: its SHA-256 differs. This is the result of what lies there now.',
      blocking: false,
    });
  }
  return {
    evidenceId,
    time,
    stretch,
    label,
    channel,
    stream,
    modelName: name,
    modelSha256: model.onnxSha256,
    modelStatus: status,
    finding: analysis?.finding ?? null,
    score: analysis?.score ?? null,
    llr: status === 'validated' ? (analysis?.llr ?? null) : null,
    error,
    provenance: {
      ...made,
      ...spokenBy(speaker),
      time,
      ffmpeg:
        analysis?.audio.decoder !== 'ffmpeg' ? null : made.ffmpeg === undefined ? await usedFfmpeg() : made.ffmpeg,
    },
    settings: { stream, channel, ...subject.settings },
    fileSha256: sha256,
    audio: analysis?.audio ?? null,
    durationSeconds: analysis?.durationSeconds ?? null,
    timeline: stretch === null ? (analysis?.timeline ?? null) : null,
    activeSeconds: analysis?.activeSeconds ?? null,
    activeLevelDbfs: analysis?.activeLevelDbfs ?? null,
    quality: analysis?.quality ?? null,
    reasons,
    trackRecord: analysis ? recordSentences(analysis.finding, speaker.card.records) : [],
    windows: analysis?.windows ?? [],
    thresholds: thresholdsOf(speaker, analysis),
    llrInterval: intervalOf(speaker, analysis),
  };
}

/** What came of a recording as the case keeps it: an analysis, or one for each of its channels. */
export async function keptAnalyses(
  model: StoredModel,
  made: Made,
  { evidenceId, intakeSha256 }: Pick<AnalysisSubject, 'evidenceId' | 'intakeSha256'>,
  scan: { channel: ChannelChoice; stream: number | null; readAll?: boolean },
  outcome: Pick<ScoreOutcome, 'sha256' | 'analysis' | 'further' | 'error'>,
): Promise<NewAnalysis[]> {
  const subject = { evidenceId, intakeSha256, stretch: null, label: '', stream: scan.stream ?? 0 };
  const settings = { channels: scan.channel, ...(scan.readAll ? { readAll: true } : {}) };
  if (outcome.analysis === null) {
    const channel = scan.channel === 'each' || scan.channel === 'auto' ? 'mix' : scan.channel;
    return [await keptAnalysis(model, made, { ...subject, settings, channel }, outcome)];
  }
  const all = [outcome.analysis, ...(outcome.further ?? [])];
  return Promise.all(
    all.map((analysis) =>
      keptAnalysis(model, made, { ...subject, settings, channel: analysis.channel }, { ...outcome, analysis }),
    ),
  );
}
