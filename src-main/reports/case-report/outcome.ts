/** What the results of a report come to: which are current, what they say of each item, and in what words. */
import { findingWords } from '../../../src-common/findings.ts';
import type { Finding } from '../../../src-common/findings.ts';
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
export function trackRecords(items: readonly ReportItem[]): { finding: Finding; sentences: string[] }[] {
  const found = new Map<Finding, Set<string>>();
  for (const { finding, trackRecord } of items.flatMap(({ analyses }) => currentResults(analyses))) {
    if (finding === null || finding === 'not assessable') continue;
    const sentences = found.get(finding) ?? new Set();
    for (const sentence of trackRecord) sentences.add(sentence);
    found.set(finding, sentences);
  }
  return [...found].map(([finding, sentences]) => ({ finding, sentences: [...sentences] }));
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
