/** What stands in plots: titles, axes, legends, notes. Whoever cannot see a plot is read its gist. */

export const conditionTexts = {
  sheet: (model: string) => `Down to where findings of ${model} hold`,
  subject: (data: string, recordings: string, sources: string) =>
    `${data}: ${recordings} recordings of ${sources} sources, made worse step by step`,
  note: 'Filled: the step holds; hollow: it does not. Thresholds are the strictest of a measure’s curves.',
  intervals: 'Upright lines: 95 % confidence intervals.',
  falseSpoof: 'Bona fide recordings found synthetic',
  falseBonafide: 'Spoofs found bona fide',
  eer: 'Equal error rate',
  highest: 'Highest rate of wrong findings that the calibration allows',
  threshold: 'Threshold of what is assessable',
  holds: (what: string) => `${what}, holds`,
  fails: (what: string) => `${what}, fails`,
  axis: (name: string, unit: string) => `${name} as measured, median (${unit})`,
  share: 'Recordings (%)',
  noThreshold: 'none',
  nothing: 'none that was assessed',
  gist: (threshold: string, worst: string) =>
    `Threshold: ${threshold}. At the worst step ${worst} of the bona fide recordings are found synthetic.`,
} as const;

export const robustnessTexts = {
  sheet: (model: string) => `Robustness of ${model}`,
  strength: (family: string, unit: string) => `${family} (${unit})`,
  rates: (family: string) => `${family}: EER`,
  cllr: (family: string) => `${family}: Cllr`,
  rate: 'Share of recordings (%)',
  bits: 'Cllr (bits)',
  eer: 'Equal error rate, 95 % interval',
  cllrName: 'Cllr',
  decided: 'Share with a finding for either class',
  asIs: 'The same of the recordings as they are',
  ratesNote: 'Upright lines: 95 % confidence intervals.',
  cllrNote: 'At 1 bit and above, likelihood ratios say no more than none at all.',
  gist: (from: string, first: string, to: string, last: string) => `From ${first} at ${from} to ${last} at ${to}.`,
} as const;
