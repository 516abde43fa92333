/** Annex: words of the field, for those who read a report without them. */
import { statuses } from './outcome.ts';
import { styles } from './sheet.ts';
import type { Sheet } from './sheet.ts';
import type { ReportSnapshot } from './snapshot.ts';

const words = [
  ['AUC', 'Area under the curve of right against false findings over all thresholds: 1 is perfect, 0.5 chance.'],
  ['Average precision (AP)', 'Mean share of right ones among those found, over all thresholds, for each class.'],
  ['Bona fide', 'Speech that a human spoke and that was recorded.'],
  [
    'Cllr, min Cllr',
    'Cost of the log-likelihood ratio, in bits: 0 is perfect, 1 says nothing. The lesser one is what the best calibration of the same scores would reach.',
  ],
  ['Conditioning', 'What is done to sound before a model scores it.'],
  ['Custody log', 'Rows of all that was done to a case, each with the hash of the one before.'],
  [
    'dev, test, fresh …',
    'Parts of a set of labelled recordings. Models learn from “train”; thresholds are chosen on “dev”; on the others only measurements are made.',
  ],
  ['dBFS', 'Level in decibels below full scale; here a sine of full scale stands at 0 in spectrograms.'],
  ['EER', 'Equal error rate: the share of wrong findings at the threshold at which both classes have the same.'],
  ['Inconclusive', 'The score lies between the two limits of the decision rule: it speaks for neither.'],
  ['Not assessable', 'The recording does not meet the conditions under which the model may be used.'],
  [
    'Score',
    'What a model makes of a recording: high for bona fide speech. It has no unit, is no probability, and can be compared within one model only.',
  ],
  ['Screening', 'Status of a model that is fit to sort recordings for a closer look, and no basis for a conclusion.'],
  ['SHA-256, MD5', 'Hashes: two files of the same SHA-256 have the same content.'],
  ['Spectrogram', 'Picture of sound: time from left to right, frequency upward, level as colour.'],
  ['Spoof', 'Speech that was made or altered by a machine; also “synthetic”.'],
  ['Window', 'A short stretch of a recording that is scored by itself.'],
] as const;

const ofRatios = [
  [
    'Likelihood ratio (LR)',
    'How many times more probable the findings are if one proposition holds than if the other does. Its logarithm to the base 10 is given, bona fide over spoof.',
  ],
  [
    'Validated',
    'Status of a model that a laboratory has measured and calibrated on its own recordings, under stated conditions.',
  ],
] as const;

/** @param title of the annex */
export function glossary(sheet: Sheet, snapshot: ReportSnapshot, title: string): void {
  sheet.heading(2, title);
  const all = [...words, ...(statuses(snapshot).validated ? ofRatios : [])];
  all.sort(([one], [other]) => one.localeCompare(other, 'en'));
  sheet.table(
    [
      { title: 'Word', width: 96 },
      { title: 'What is meant here', width: 0 },
    ],
    all.map(([word, meaning]) => [{ text: word, style: styles.smallBold }, meaning]),
    { dense: true },
  );
}
