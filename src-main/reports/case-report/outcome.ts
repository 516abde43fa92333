/** What the results of a report come to: which are current, what they say of each item, and in what words. */
import { recordCaveat } from '../../../src-common/finding-record.ts';
import { findingLeans, findingWords } from '../../../src-common/findings.ts';
import type { Finding } from '../../../src-common/findings.ts';
import { pointedOut } from '../../../src-common/low-stretches.ts';
import type { LowStretch } from '../../../src-common/low-stretches.ts';
import { reasonWords } from '../../../src-common/reason-words.ts';
import type { Analysis } from '../../../src-common/schemas/analysis.ts';
import type { ReportItem, ReportModel, ReportSnapshot } from './snapshot.ts';
import { grouped, itemList } from './wording.ts';

/** Whether a result may be given as a likelihood ratio. */
export function hasRatio<Some extends Pick<Analysis, 'modelStatus' | 'llr'>>(
  analysis: Some,
): analysis is Some & { modelStatus: 'validated'; llr: number } {
  return analysis.modelStatus === 'validated' && analysis.llr !== null;
}

/** Whether any result comes from a model that is for screening, and whether any does not. */
export function statuses({ items }: Pick<ReportSnapshot, 'items'>): { screening: boolean; validated: boolean } {
  const all = items.flatMap(({ analyses }) => analyses.map(({ modelStatus }) => modelStatus));
  return { screening: all.includes('screening'), validated: all.includes('validated') };
}

/** Of results of whole recordings the latest by each model, of each channel, stream and reading; none whose file changed. */
export function currentResults(analyses: readonly Analysis[]): Analysis[] {
  const latest = new Map<string, Analysis>();
  for (const one of [...analyses].sort((first, second) => first.id - second.id)) {
    if (one.stale || one.stretch !== null) continue;
    latest.set(JSON.stringify([one.modelSha256, one.channel, one.stream, one.settings.readAll === true]), one);
  }
  return [...latest.values()];
}

/** What the current results of an item say together. */
type Outcome = Finding | 'failed' | 'not analysed' | 'different';

function outcomeOf({ analyses }: Pick<ReportItem, 'analyses'>): Outcome {
  const found = new Set(currentResults(analyses).map(({ finding }) => finding ?? 'failed'));
  if (found.size === 0) return 'not analysed';
  return found.size > 1 ? 'different' : [...found][0];
}

const outcomes: readonly Outcome[] = [
  'supports bona fide',
  'looks-bona-fide',
  'supports spoof',
  'looks-spoof',
  'different',
  'inconclusive',
  'not assessable',
  'failed',
  'not analysed',
];

const singular: Record<Outcome, string> = {
  ...findingWords,
  inconclusive: 'is inconclusive',
  'not assessable': 'is not assessable',
  different: 'has findings that differ between channels, models or readings',
  failed: 'could not be analysed',
  'not analysed': 'has no current result',
};
const plural: Record<Outcome, string> = {
  'supports bona fide': 'support bona fide',
  'supports spoof': 'support spoof',
  'looks-bona-fide': 'look bona fide',
  'looks-spoof': 'look synthetic',
  inconclusive: 'are inconclusive',
  'not assessable': 'are not assessable',
  different: 'have findings that differ between channels, models or readings',
  failed: 'could not be analysed',
  'not analysed': 'have no current result',
};

/** `2 look bona fide (items 2, 4)`, for each outcome that there is. */
export function outcomeTexts(items: readonly ReportItem[]): string[] {
  return outcomes.flatMap((outcome) => {
    const ids = items.filter((item) => outcomeOf(item) === outcome).map(({ evidence }) => evidence.id);
    if (ids.length === 0) return [];
    const words = ids.length === 1 ? singular[outcome] : plural[outcome];
    return [`${grouped(ids.length)} ${words} (${itemList(ids)})`];
  });
}

/** The current findings, each with the sentences that say how often such ones were right. */
export function trackRecords(
  items: readonly ReportItem[],
): { model: string; records: { finding: Finding; sentences: string[] }[] }[] {
  const found = new Map<string, Map<Finding, Set<string>>>();
  for (const { finding, trackRecord, modelName } of items.flatMap(({ analyses }) => currentResults(analyses))) {
    if (finding === null || finding === 'not assessable') continue;
    const ofModel = found.get(modelName) ?? new Map<Finding, Set<string>>();
    found.set(modelName, ofModel.set(finding, new Set([...(ofModel.get(finding) ?? []), ...trackRecord])));
  }
  return [...found].map(([model, byFinding]) => {
    const all = [...byFinding.values()].flatMap((sentences) => [...sentences]);
    const records = [...byFinding].map(([finding, sentences]) => ({
      finding,
      // That of another finding ends with how many were inconclusive.
      sentences: [...sentences].filter((sentence) => !all.some((other) => holds(other, sentence))),
    }));
    return {
      model,
      records: records.filter(({ finding, sentences }) => sentences.length > 0 || byFinding.get(finding)?.size === 0),
    };
  });
}

/** Whether a sentence says what another one says, and more. */
function holds(longer: string, sentence: string): boolean {
  const [set, ...rest] = sentence.split(', ');
  return longer !== sentence && longer.startsWith(`${set}, `) && longer.endsWith(`; ${rest.join(', ')}`);
}

/** What the current results are limited by: `little speech (items 1, 6)`, the most frequent first. */
export function limitTexts(items: readonly ReportItem[]): string[] {
  const limited = new Map<string, Set<number>>();
  for (const { evidence, analyses } of items) {
    for (const { code } of currentResults(analyses).flatMap(({ reasons }) => reasons)) {
      // Which model spoke is no limit.
      if (code === 'companion') continue;
      const words = reasonWords(code);
      limited.set(words, (limited.get(words) ?? new Set()).add(evidence.id));
    }
  }
  return [...limited]
    .sort(([, one], [, other]) => other.size - one.size)
    .map(([words, ids]) => `${words} (${itemList([...ids])})`);
}

/** What results point out, by their ids; those that may give no times have none. */
export function stretchesOfResults(analyses: readonly Analysis[]): Record<number, LowStretch[]> {
  return Object.fromEntries(
    analyses.flatMap((analysis) => {
      const stretches = analysis.windows.length === 0 ? null : pointedOut(analysis);
      return stretches === null ? [] : [[analysis.id, stretches]];
    }),
  );
}

/** Of the current results of whole recordings those that point out stretches. */
function pointingOut(items: readonly ReportItem[]): { item: ReportItem; analysis: Analysis; count: number }[] {
  return items.flatMap((item) =>
    currentResults(item.analyses).flatMap((analysis) => {
      const count = item.stretches?.[analysis.id]?.length ?? 0;
      return count === 0 ? [] : [{ item, analysis, count }];
    }),
  );
}

/**
 * Where stretches stand out although the whole does not speak for spoof: `inconclusive as a whole: items 1, 3 (7 stretches)`; and what is
 * stated of such stretches. Null where there are none.
 */
export function standingOut(items: readonly ReportItem[]): { where: string[]; falseAlarms: string[] } | null {
  const found = pointingOut(items).filter(
    ({ analysis: { finding } }) => finding !== null && findingLeans(finding) !== 'spoof',
  );
  if (found.length === 0) return null;
  const where = [...Map.groupBy(found, ({ analysis }) => analysis.finding)].map(([finding, some]) => {
    const ids = [...new Set(some.map(({ item }) => item.evidence.id))];
    const count = some.reduce((sum, one) => sum + one.count, 0);
    const whole = finding === null ? '' : wholeWords[finding];
    return `${itemList(ids)}, ${ids.length === 1 ? 'which' : 'each of which'} ${whole} as a whole (${stretchCount(count)})`;
  });
  return { where, falseAlarms: [...new Set(found.map(({ analysis }) => falseAlarmText(analysis.thresholds)))] };
}

const wholeWords: Record<Finding, string> = {
  ...findingWords,
  inconclusive: 'is inconclusive',
  'not assessable': 'is not assessable',
};

/** `1 stretch`, `7 stretches`. */
export function stretchCount(count: number): string {
  return count === 1 ? '1 stretch' : `${grouped(count)} stretches`;
}

/** How often stretches are pointed out in bona fide speech, as the model's card stated it when the result was made. */
function falseAlarmText({ falseAlarmsPerHour, falseAlarmsPerHourAtMost }: Analysis['thresholds']): string {
  // Results that were made before these were kept lack them.
  if (typeof falseAlarmsPerHour !== 'number' || typeof falseAlarmsPerHourAtMost !== 'number')
    return 'how often is not stated';
  return `${falseAlarmsPerHour.toPrecision(2)} an hour, at most ${falseAlarmsPerHourAtMost.toPrecision(2)} with 95 % confidence`;
}

/** What the record of findings does not speak for, of a result that lies beyond what it was counted on; else null. */
export function caveatOf({ finding, reasons }: Pick<Analysis, 'finding' | 'reasons'>): string | null {
  if (finding === null) return null;
  return recordCaveat(
    finding,
    reasons.map(({ code }) => code),
  );
}

/** The items with a current result that lies beyond what the record of findings was counted on. */
export function beyondRecord(items: readonly ReportItem[]): number[] {
  return items
    .filter(({ analyses }) => currentResults(analyses).some((analysis) => caveatOf(analysis) !== null))
    .map(({ evidence }) => evidence.id);
}

/** The models that spoke, companions in the place of those that they belong to; the others only lie beside. */
export function speakers({ models, items }: Pick<ReportSnapshot, 'models' | 'items'>): {
  spoke: ReportModel[];
  silent: { condition: string; model: ReportModel }[];
} {
  const analyses = items.flatMap((item) => item.analyses);
  // Results of older versions name only the model itself.
  const heard = new Set(analyses.flatMap(({ provenance, modelSha256 }) => provenance.model.onnxSha256 || modelSha256));
  const companions = models.flatMap((model) => model.companions ?? []);
  return {
    spoke: [...models, ...companions.map(({ model }) => model)].filter(({ onnxSha256 }) => heard.has(onnxSha256)),
    silent: companions.filter(({ model }) => !heard.has(model.onnxSha256)),
  };
}
