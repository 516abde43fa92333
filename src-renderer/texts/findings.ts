import { intervalRule } from '../../src-common/interval-rule.ts';

/** Texts of the table of findings, which Models and Evaluate show. */
export const findings = {
  caption: (of: string) => `Findings on ${of}, by what the recordings are`,
  recordings: 'Recordings',
  classes: { bonafide: 'Bona fide', spoof: 'Spoof' },
  columns: {
    bonafide: 'Found bona fide',
    spoof: 'Found synthetic',
    inconclusive: 'Inconclusive',
    notAssessable: 'Not assessable',
    failed: 'Failed',
  },
  ratesCaption: (of: string) => `How often findings on ${of} were right`,
  rate: 'Share',
  count: 'Recordings',
  interval: '95 % interval',
  rates: {
    rightBonafide: 'Right where found bona fide',
    rightSpoof: 'Right where found synthetic',
    falseSpoof: 'Bona fide found synthetic',
    falseBonafide: 'Spoofs found bona fide',
    inconclusive: 'Inconclusive',
    notAssessable: 'Not assessable',
  },
  countOf: (count: string, of: string) => `${count} of ${of}`,
  intervalOf: (low: string, high: string, units: string) => `${low} to ${high}, ${units}`,
  tooFew: (units: string) => `${units}: too few for a rate`,
  units: {
    sources: ['source', 'sources'],
    speakers: ['speaker', 'speakers'],
    files: ['recording', 'recordings'],
  },
  calibratedOn: 'The calibration was fitted on these recordings: elsewhere it errs more.',
  note: `How often a finding is right depends on how many of each class there are; the shares within a class do not. Intervals are over independent sources, speakers or recordings, as far as the data names them. ${intervalRule}`,
  none: 'The card does not say how often its findings were right: “earwitness evaluate … --record” measures it.',
  unknown: 'It is not known how often such findings were right: the model’s card did not say when this was made.',
  older: 'This evaluation was made by an earlier version, which did not count findings.',
} as const;
