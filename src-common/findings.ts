/**
 * What may be said of a recording, as files and cases keep it. Never a verdict of fact. `supports` is said with a likelihood
 * ratio of a `validated` model only; a model for screening says how the recording looks to it. (Cases and reports of
 * older versions hold `supports` of screening models, too; these stay as they are.)
 */
export const findings = [
  'supports bona fide',
  'supports spoof',
  'looks-bona-fide',
  'looks-spoof',
  'inconclusive',
  'not assessable',
] as const;
export type Finding = (typeof findings)[number];

/** As people read them. */
export const findingWords = {
  'supports bona fide': 'supports bona fide',
  'supports spoof': 'supports spoof',
  'looks-bona-fide': 'looks bona fide',
  'looks-spoof': 'looks synthetic',
  inconclusive: 'inconclusive',
  'not assessable': 'not assessable',
} as const satisfies Record<Finding, string>;

/** Which class a finding speaks for, however strongly. */
export function findingLeans(finding: Finding): 'bonafide' | 'spoof' | null {
  if (finding === 'supports bona fide' || finding === 'looks-bona-fide') return 'bonafide';
  return finding === 'supports spoof' || finding === 'looks-spoof' ? 'spoof' : null;
}

/** Whether a finding is said of a model for screening: of how a recording looks to it, and no more. */
export function isScreeningFinding(finding: Finding): boolean {
  return finding === 'looks-bona-fide' || finding === 'looks-spoof';
}
