/** Method, decision rule and measurement uncertainty: what ISO/IEC 17025, 7.8.3.1 c and 7.8.6, asks a report to say. */
import { rateText } from '../../../src-common/finding-record.ts';
import { findingWords } from '../../../src-common/findings.ts';
import { scoreAgreement } from '../../../src-common/score-agreement.ts';
import { bandText } from './model-annex.ts';
import { hasRatio, speakers, statuses } from './outcome.ts';
import { styles } from './sheet.ts';
import type { Cell, Sheet } from './sheet.ts';
import type { ReportItem, ReportModel, ReportSnapshot } from './snapshot.ts';
import { written } from './summary.ts';
import { decimal, screeningStatement } from './wording.ts';

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

/** What computed the results, and what decoded those that were not read by this software itself: alike for most of them. */
export function softwareTexts({ items }: { items: readonly Pick<ReportItem, 'analyses'>[] }): {
  software: string[];
  decoders: string[];
} {
  const made = items.flatMap(({ analyses }) => analyses.map(({ provenance }) => provenance));
  return {
    software: unique(made.map(({ application, backend, platform }) => `${application}; ${backend}; ${platform}`)),
    decoders: unique(
      made.flatMap(({ ffmpeg }) => (ffmpeg ? [`ffmpeg ${ffmpeg.version}, SHA-256 ${ffmpeg.sha256}`] : [])),
    ),
  };
}

export function methodSection(sheet: Sheet, snapshot: ReportSnapshot): void {
  const { request } = snapshot;
  sheet.heading(2, '2 Method');
  sheet.heading(3, '2.1 What was done');
  const template = snapshot.template?.template;
  const own = request.method.trim() || template?.method || '';
  const described = own !== '';
  sheet.paragraph(
    described
      ? own
      : 'Every recording was hashed (SHA-256) and read without being changed. Its first audio stream, or the one named with the analysis, ' +
          'was decoded, its channels mixed or one of them chosen as stated, and conditioned as annex A says: ' +
          'resampled, limited to a band of frequencies, cut to the part that holds sound, and cut into windows of equal length and level. ' +
          'The model, whose members annex A names, scored each window; the score of a recording is the mean of its windows’ scores. Quality measures ' +
          'decide whether it is assessable at all.',
    styles.regular,
    { written: described },
  );
  const { software, decoders } = softwareTexts(snapshot);
  const listed = (texts: readonly string[]): Cell => texts.map((text) => ({ text, style: styles.regular }));
  sheet.pairs([
    ['Report made by', snapshot.application],
    ...templateRows(snapshot),
    ['Results computed by', software.length === 0 ? 'None' : listed(software)],
    ...(decoders.length === 0 ? [] : [['Other formats decoded by', listed(decoders)] as [string, Cell]]),
    [
      'To repeat a result',
      'The attached report.json holds the command for each, with model, channel, stream and stretch',
    ],
    ...controlRows(snapshot, listed),
    ['External providers', 'No result in this report comes from one'],
    ['Departures from the method', written(request.departures.trim() || 'None stated')],
  ]);
  decisionRule(sheet, snapshot);
  uncertainty(sheet, snapshot);
}

/** What the control recordings said before the scans; nothing where there were none. */
function controlRows({ custody }: ReportSnapshot, listed: (texts: readonly string[]) => Cell): [string, Cell][] {
  const runs = (custody ?? []).filter(({ action }) => action === 'controls');
  const latest = runs.slice(-5).map(({ time, summary }) => `${time}: ${summary}`);
  const earlier = runs.length - latest.length;
  if (runs.length === 0) return [];
  return [
    ['Control recordings', listed([...latest, ...(earlier > 0 ? [`${earlier} earlier runs are in the log.`] : [])])],
  ];
}

/** Which template it is made with, and by which procedure the laboratory works. */
function templateRows({ template: used }: ReportSnapshot): [string, Cell][] {
  if (used === undefined) return [];
  const { template, sha256 } = used;
  return [
    [
      'Template',
      [
        { text: template.name, style: styles.regular },
        { text: sha256, style: styles.mono },
      ],
    ],
    ...(template.procedure === '' ? [] : [['Procedure', template.procedure] as [string, Cell]]),
    ...(template.accreditation === '' ? [] : [['Accreditation', template.accreditation] as [string, Cell]]),
  ];
}

function decisionRule(sheet: Sheet, snapshot: ReportSnapshot): void {
  sheet.heading(3, '2.2 Decision rule');
  const { spoke } = speakers(snapshot);
  if (spoke.length === 0) {
    sheet.paragraph('No model was used: nothing was decided.');
    return;
  }
  sheet.paragraph(
    'A recording that does not meet the conditions of the model is not assessable, whatever its score. Of one that does, the score is compared with two limits: ' +
      'above the upper one the finding is for bona fide, below the lower one for spoof, between them inconclusive. The limits are those of ' +
      'the model; nobody chose them for this case.',
  );
  for (const model of spoke) ruleOf(sheet, snapshot, model);
}

function ruleOf(sheet: Sheet, { items }: ReportSnapshot, { name, status, card, onnxSha256 }: ReportModel): void {
  const limits = unique(
    items.flatMap(({ analyses }) =>
      analyses
        .filter(({ provenance }) => provenance.model.onnxSha256 === onnxSha256)
        .map(({ thresholds: { inconclusive } }) =>
          inconclusive === null ? 'none' : `${decimal(inconclusive[0], 3)} and ${decimal(inconclusive[1], 3)}`,
        ),
    ),
  );
  const [bonafide, spoof] =
    status === 'validated'
      ? [findingWords['supports bona fide'], findingWords['supports spoof']]
      : [findingWords['looks-bona-fide'], findingWords['looks-spoof']];
  const sentences = [
    `Model ${name}: limits of the score, as they were for its results, ${limits.join('; ')}. Beyond them the finding is “${bonafide}” or “${spoof}”.`,
  ];
  if (card === null) {
    sentences.push('By which rule they were set is not known: the model is no longer on this machine.');
  } else {
    sentences.push(
      `Inconclusive: ${bandText(card)}. This band stands in the place of a guard band; no other allowance is made for uncertainty.`,
      ...card.records.map(
        ({ split, falseSpoof, falseBonafide }) =>
          `Risk measured on ${split}: bona fide found synthetic, ${rateText(falseSpoof)}; spoofs found bona fide, ${rateText(falseBonafide)}.`,
      ),
    );
  }
  sheet.paragraph(sentences.join(' '));
}

function uncertainty(sheet: Sheet, snapshot: ReportSnapshot): void {
  sheet.heading(3, '2.3 Measurement uncertainty');
  const { screening, validated } = statuses(snapshot);
  const analyses = snapshot.items.flatMap((item) => item.analyses);
  const sentences = [
    `Score: the same file, model and settings give the same score on the same machine; other processors agree to ${scoreAgreement}, graphics processors to 0.001. ` +
      'How much another recording of the same speech would change it is not part of that.',
  ];
  if (validated && analyses.some(hasRatio)) {
    sentences.push(
      'Likelihood ratio: its 95 % interval stands with it, found by calibrating anew on trials drawn with repetition from those of the validation. ' +
        'It says how well these fix the ratio, not how well the score describes the recording, and nothing of recordings unlike them.',
    );
  }
  if (screening) {
    sentences.push(
      `Results of a screening model: ${screeningStatement}. No likelihood ratio is given, therefore none of its uncertainty. What a finding is worth is told by how often ` +
        'such findings were right, with 95 % intervals over independent sources, speakers or files: it holds for recordings like those, at the shares of each class that they had.',
    );
  }
  sentences.push(
    'Times are by the file’s own timestamps, to 0.01 s; a window score speaks of all of its window. Levels, signal-to-noise ratio and lengths of speech are estimates. Hashes are exact.',
  );
  for (const sentence of sentences) sheet.paragraph(sentence);
}
